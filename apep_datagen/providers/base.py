"""What every provider does, and how what goes wrong is classified.

An adapter sends messages, returns text with usage and finish reason, and turns its SDK's exceptions into the family
of `apep_datagen.errors`. It never retries and never waits: pacing, retrying and accounting happen in one place for all.
"""

from __future__ import annotations

import datetime
import email.utils
import json
import time
from collections.abc import Mapping
from typing import Any, Protocol

from apep_datagen.errors import (
    ModelUnknownError,
    ProviderError,
    ProviderUnusableError,
    RateLimitedError,
    RequestRefusedError,
    TransientError,
)
from apep_datagen.markup import strip_tags
from apep_datagen.messages import Completion, CompletionRequest, Usage, clean_text

__all__ = [
    "Provider",
    "error_from_response",
    "fold_completion",
    "retry_after_seconds",
    "transport_error",
    "without_version",
]

_LONGEST_WAIT_SECONDS = 86_400.0


class Provider(Protocol):
    """One configured endpoint."""

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
    if status == 402 or (status == 429 and any(sign in lowered for sign in _QUOTA_SIGNS)):
        return ProviderUnusableError(f"its credit or quota is spent ({said}); top it up or use another provider")
    if status == 429:
        return RateLimitedError(said, retry_after_seconds(headers))
    if status in (401, 403):
        return ProviderUnusableError(f"it refused the API key ({said}); check the key and what it is allowed to do")
    if status == 404 or (status == 400 and any(sign in lowered for sign in _MODEL_SIGNS)):
        return ModelUnknownError(f"it does not know the model ({said})")
    if status in (408, 409, 425) or status >= 500:
        return TransientError(said)
    if 400 <= status < 500:
        return RequestRefusedError(said)
    return TransientError(f"unexpected answer, {said}")


def transport_error(error: BaseException, timeout: float) -> TransientError:
    """Classify a request that got no HTTP answer, by the kind of exception that httpx (or httpx2) raised.

    Args:
        error: What was raised, or its cause.
        timeout: Seconds that were waited for an answer.
    """
    cause: BaseException | None = error
    while cause is not None:
        if "Timeout" in type(cause).__name__:
            return TransientError(f"no answer within {timeout:g} s")
        if isinstance(cause, ConnectionRefusedError):
            return TransientError("connection refused")
        if isinstance(cause, (ConnectionResetError, BrokenPipeError)):
            return TransientError("connection reset")
        cause = cause.__cause__ or cause.__context__
    words = str(error)
    lowered = words.lower()
    if "incomplete" in lowered or "complete message" in lowered:
        return TransientError("its answer ended in the middle")
    if "disconnected" in lowered:
        return TransientError("it hung up without an answer")
    return TransientError(f"{words[:200]} ({type(error).__name__})" if words else type(error).__name__)


# Mistral answers 400 with code 1500 and type "invalid_model" for a model that it does not have; Together and most
# OpenAI-compatible servers answer 400 or 404 with "model_not_found" or "model_not_available".
_MODEL_SIGNS = ("invalid_model", "invalid model", "model_not_found", "model_not_available", "does not exist")
# OpenAI and those who follow it answer 429 with code "insufficient_quota" when credit is spent, not when one is fast.
_QUOTA_SIGNS = ("insufficient_quota", "monthly", "credit limit", "exceeded your current quota")


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
