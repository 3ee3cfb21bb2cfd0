"""What every provider does, and how what goes wrong is classified.

An adapter sends messages, returns text with usage and finish reason, and turns its SDK's exceptions into the family
of `core.errors`. It never retries, and never waits: pacing, retrying and accounting happen in one place for all.
"""

from __future__ import annotations

import datetime
import email.utils
import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from apep_datagen.core.errors import (
    FailureKind,
    ModelUnknownError,
    ProviderError,
    ProviderUnusableError,
    RateLimitedError,
    RequestRefusedError,
    TransientError,
)
from apep_datagen.core.messages import Completion, CompletionRequest, ReportedLimits, Usage, clean_text
from apep_datagen.core.tags import strip_tags
from apep_datagen.providers.environment import problem_of_machine

__all__ = [
    "Endpoint",
    "Provider",
    "error_from_response",
    "fold_completion",
    "model_names",
    "not_a_completion",
    "retry_after_seconds",
    "spell_offer",
    "transport_error",
    "without_version",
]

_LONGEST_WAIT_SECONDS = 86_400.0
_SHOWN_MODELS = 12


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an adapter sends its requests.

    Attributes:
        base_url: The address, such as `http://localhost:11434/v1`; None for the SDK's own.
        api_key: The key to send; None sends no key at all.
        timeout: Seconds to wait for an answer.
        on_limits: Called with what an answer's headers say about limits; see `create_provider`.
    """

    base_url: str | None
    api_key: str | None = field(repr=False)
    timeout: float
    on_limits: Callable[[ReportedLimits], None] | None = None


class Provider(Protocol):
    """The adapter of one configured endpoint."""

    async def start(self) -> None:
        """Do what is slow before the first request: import the SDK, open the client, load a model.

        Raises:
            ProviderError: The provider cannot be used; the message says why and what to do.
        """

    async def complete(self, request: CompletionRequest) -> Completion:
        """Send one request and return the answer.

        Raises:
            ProviderError: One of its subclasses, which say whether asking again can help.
        """

    async def list_models(self) -> list[str]:
        """Return the names of the models that the endpoint offers; empty where it does not say."""

    async def close(self) -> None:
        """Free what `start` took."""


def model_names(body: Any) -> list[str]:
    """Return the names of the models in the answer to `GET …/models`, as JSON gives it; none where it is no list."""
    models = body.get("data") if isinstance(body, dict) else body
    if not isinstance(models, list):
        return []
    names = (model.get("id") if isinstance(model, dict) else model for model in models)
    return [name for name in names if isinstance(name, str) and name]


def spell_offer(models: Iterable[str], *, others: str = " and others") -> str:
    """Say what an endpoint offers, behind a sentence; nothing where it does not say. `others` stands for the rest."""
    names = sorted(models)
    shown = ", ".join(names[:_SHOWN_MODELS]) + (others if len(names) > _SHOWN_MODELS else "")
    return f"; it offers {shown}" if names else ""


def without_version(base_url: str | None) -> str | None:
    """Return a base URL without a trailing `/v1`, for an SDK that adds it."""
    return base_url.rstrip("/").removesuffix("/v1") if base_url else None


def fold_completion(
    content: str | None, reasoning: str | None, finish_reason: str | None, prompt_tokens: Any, completion_tokens: Any
) -> Completion:
    """Make a `Completion` of what a provider returned.

    Args:
        content: The message's text.
        reasoning: Thinking that the provider returned apart from the text; becomes one leading `<think>` block. Tags
            that it speaks of are taken out: they would end the block, or begin a call.
        finish_reason: As the provider says it.
        prompt_tokens: From the provider's usage; anything but a number counts as 0.
        completion_tokens: The same.
    """
    text = clean_text(content or "").strip()
    thinking = strip_tags(clean_text(reasoning or ""))
    if thinking:
        text = f"<think>{thinking}</think>\n\n{text}"
    usage = Usage(_token_count(prompt_tokens), _token_count(completion_tokens))
    return Completion(text, str(finish_reason or ""), usage)


def not_a_completion(message: str = "its answer is not a chat completion") -> TransientError:
    """Make the error of an answer that says that all went well and holds no completion; it may well be charged for."""
    return TransientError(message, FailureKind.NO_COMPLETION, may_be_billed=True)


def error_from_response(  # noqa: PLR0911 - one return for each class of error
    status: int, headers: Mapping[str, str], body: str
) -> ProviderError:
    """Classify an HTTP answer that is no success.

    Args:
        status: The HTTP status.
        headers: The answer's headers, with names in lower case or case-insensitive.
        body: The answer's text.

    Returns:
        The error to raise. Its message carries the provider's own words, at full length and as they are.
    """
    words = _error_words(body)
    said = f"HTTP {status}: {words}" if words else f"HTTP {status}"
    lowered = body.lower()
    if status == 402 or (status == 429 and _speaks_of_spent_quota(lowered)):
        return ProviderUnusableError(
            f"its credit or quota is spent ({said}); top it up or use another provider", FailureKind.QUOTA_SPENT
        )
    if status == 429:
        return RateLimitedError(said, retry_after_seconds(headers))
    if status == 403 and any(sign in lowered for sign in _MODERATION_SIGNS):
        return RequestRefusedError(said)
    if status in (401, 403):
        return ProviderUnusableError(
            f"it refused the API key ({said}); check the key and what it is allowed to do", FailureKind.KEY_REFUSED
        )
    if status == 404 or (status == 400 and any(sign in lowered for sign in _MODEL_SIGNS)):
        return ModelUnknownError(f"it does not know the model ({said})")
    if status in (408, 409, 425) or status >= 500:
        return TransientError(said)
    if 400 <= status < 500:
        return RequestRefusedError(said)
    if 200 <= status < 300:
        return not_a_completion(f"unexpected answer, {said}")
    return TransientError(f"unexpected answer, {said}")


def transport_error(error: BaseException, timeout: float) -> TransientError:
    """Classify a request that got no HTTP answer, by the kind of exception that httpx (or httpx2) raised.

    Args:
        error: What was raised, or its cause.
        timeout: Seconds that were waited for an answer.

    Returns:
        The error to raise. It may be billed unless the request cannot have arrived.
    """
    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    for problem in filter(None, map(problem_of_machine, causes)):
        return TransientError(problem, FailureKind.NOT_SENT)
    words, kind = _what_happened(causes, timeout)
    names = (type(cause).__name__ for cause in causes)
    kind = next((_KINDS_BY_NAME[name] for name in names if name in _KINDS_BY_NAME), kind)
    return TransientError(words, kind, may_be_billed=kind not in (FailureKind.NOT_REACHED, FailureKind.UNAVAILABLE))


def _what_happened(causes: list[BaseException], timeout: float) -> tuple[str, FailureKind]:
    for cause in causes:
        if "Timeout" in type(cause).__name__:
            return f"no answer within {timeout:g} s", FailureKind.TIME_OUT
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused", FailureKind.NOT_REACHED
        if isinstance(cause, (ConnectionResetError, BrokenPipeError)):
            return "connection reset", FailureKind.CONNECTION_LOST
    error = causes[0]
    words = str(error)
    lowered = words.lower()
    if "incomplete" in lowered or "complete message" in lowered:
        return "its answer ended in the middle", FailureKind.TORN_ANSWER
    if "disconnected" in lowered:
        return "it hung up without an answer", FailureKind.CONNECTION_LOST
    name = type(error).__name__
    return (f"{words[:200]} ({name})" if words else name), FailureKind.CONNECTION_LOST


# Names of exceptions that httpx and httpx2 share, and that say more than what they were caused by: a connection that is
# reset while it is made carries no request yet.
_KINDS_BY_NAME = {
    "ConnectTimeout": FailureKind.NOT_REACHED,
    "PoolTimeout": FailureKind.NOT_REACHED,
    "ConnectError": FailureKind.NOT_REACHED,  # refused, no such host, no route, no TLS
    "ProxyError": FailureKind.NOT_REACHED,
    "UnsupportedProtocol": FailureKind.NOT_REACHED,
    "DecodingError": FailureKind.NO_COMPLETION,
    "TooManyRedirects": FailureKind.UNAVAILABLE,
}
# Mistral answers 400 with code 1500 and type "invalid_model" for a model that it does not have; Together and most
# OpenAI-compatible servers answer 400 or 404 with "model_not_found" or "model_not_available".
_MODEL_SIGNS = ("invalid_model", "invalid model", "model_not_found", "model_not_available", "does not exist")
# OpenRouter answers 403 with "flagged_input" or "content_policy_violation" where its moderation stopped the request:
# https://openrouter.ai/docs/errors. "Flagged" alone may be an account.
_MODERATION_SIGNS = ("moderation", "flagged_input", "content_policy")
# Codes of a 429 that stand for spent credit: OpenAI and those who follow it, Moonshot, Zhipu. Together's "credit_limit"
# is none: it stands beside "Your rate limit is 60 queries per minute" as well.
_QUOTA_CODES = (
    "insufficient_quota",
    "exceeded_current_quota_error",
    "insufficient balance",
)
# Words that stand for spent credit as well (xAI: "used all available credits or reached its monthly spending limit"),
# unless others beside them say that the limit is of a kind that passes: Gemini tells whoever is fast "You exceeded your
# current quota", with "Please retry in 11.6s" and "RequestsPerMinutePerProject". A day's limit passes too.
_QUOTA_WORDS = ("monthly", "credit limit", "exceeded your current quota")
_PASSING_WORDS = re.compile(
    r"rate[ _]limit|per[ _-]?(second|minute|hour|day)|\b[rt]p[smd]\b|daily|(retry|try again) in"
)


def _speaks_of_spent_quota(lowered: str) -> bool:
    if any(code in lowered for code in _QUOTA_CODES):
        return True
    return any(words in lowered for words in _QUOTA_WORDS) and not _PASSING_WORDS.search(lowered)


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Read how long a server asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110).

    Returns:
        Seconds, from 0 to a day, or None where the server does not say or says nonsense.
    """
    seconds = _asked_to_wait(headers)
    return None if seconds is None else min(max(0.0, seconds), _LONGEST_WAIT_SECONDS)


def _asked_to_wait(headers: Mapping[str, str]) -> float | None:
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is not None or value is None:
        return seconds
    try:
        date = email.utils.parsedate_to_datetime(value)
        if date.tzinfo is None:  # "-0000", or no zone at all
            date = date.replace(tzinfo=datetime.UTC)
        return date.timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value is not None else None
    except ValueError:
        return None
    return number if number is not None and abs(number) < float("inf") else None


def _token_count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _error_words(body: str) -> str:
    """Return what a person wants to read of an error's body."""
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError):
        value = body
    for key in ("error", "detail", "message"):
        if isinstance(value, dict) and value.get(key):
            value = value[key]
    words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return " ".join(clean_text(words).split())
