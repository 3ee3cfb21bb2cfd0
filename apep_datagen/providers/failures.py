"""What went wrong, in the family of `core.errors`: read off a status, headers and body, or off what a client raised.

Status and headers decide; the body gives the words, and decides only between what the status leaves open.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from apep_datagen.core.errors import (
    FailureKind,
    ForbiddenError,
    ModelUnknownError,
    ProviderError,
    ProviderUnusableError,
    RateLimitedError,
    RequestRefusedError,
    TransientError,
)
from apep_datagen.core.messages import clean_text
from apep_datagen.providers.environment import problem_of_machine
from apep_datagen.providers.rate_headers import retry_after_seconds

__all__ = ["error_from_response", "error_in_success", "not_a_completion", "transport_error"]

_ERRORS = range(400, 600)
_TITLE = re.compile(r"<title[^<>]*>([^<]{1,200})", re.IGNORECASE)


def not_a_completion(message: str = "its answer is not a chat completion") -> TransientError:
    """Make the error of an answer that says that all went well and holds no completion; it may well be charged for."""
    return TransientError(message, FailureKind.NO_COMPLETION, may_be_billed=True)


def error_from_response(  # noqa: PLR0911 - one return for each class of error
    status: int, headers: Mapping[str, str], body: str
) -> ProviderError:
    """Classify an HTTP answer that is no success.

    A web page is a proxy's or a gateway's, not the API's: that it says 403 or 404 says nothing of key and model.

    Args:
        status: The HTTP status.
        headers: The answer's headers, with names in lower case or case-insensitive.
        body: The answer's text.

    Returns:
        The error to raise. Its message carries the provider's own words, at full length and as they are.
    """
    value, is_json = _parse(body)
    is_page = _is_page(headers, body, is_json=is_json)
    words = _title(body) if is_page else _spell(value)
    said = f"HTTP {status}: {words}" if words else f"HTTP {status}"
    lowered = body.lower()
    retry_after = retry_after_seconds(headers)
    if 300 <= status < 400:
        place = _line(headers.get("location", "").partition("?")[0])
        return TransientError(
            f"HTTP {status}: it redirects{f' to {place}' if place else ''}, where no request is sent;"
            " if that is where it is now, put it into base_url"
        )
    if status in (402, 429) and not is_page and (status == 402 or _speaks_of_spent_quota(lowered)):
        return ProviderUnusableError(
            f"its credit or quota is spent ({said}); top it up or use another provider", FailureKind.QUOTA_SPENT
        )
    if status == 429:
        return RateLimitedError(said, retry_after)
    if status in (408, 409, 424, 425) or status >= 500:
        return TransientError(said, retry_after=retry_after)
    if is_page:
        return TransientError(f"{said}; this is a web page, of a proxy or a gateway perhaps, and no answer of its API")
    if status not in _ERRORS:
        return TransientError(f"unexpected answer, {said}")
    return _refusal(status, said, lowered, is_json=is_json)


def error_in_success(status: int, headers: Mapping[str, str], error: Any) -> ProviderError:
    """Classify an answer whose status says that all went well and which holds an error, or no completion.

    Args:
        status: The HTTP status, such as 200.
        headers: As above.
        error: What JSON holds in place of a completion: the error itself, or all there is.
    """
    while isinstance(error, (list, dict)):
        inner = error.get("error") if isinstance(error, dict) else error[0] if len(error) == 1 else None
        if not isinstance(inner, (list, dict)):
            break
        error = inner
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) == 3:
        code = int(code)
    if isinstance(code, int) and code in _ERRORS:
        found = error_from_response(code, headers, json.dumps({"error": error}))
        if isinstance(found, TransientError):
            found.may_be_billed = True
        return found
    words = _spell(error)
    return not_a_completion(f"its answer is not a chat completion{f', HTTP {status}: {words}' if words else ''}")


def _refusal(  # noqa: PLR0911 - one return for each class of error
    status: int, said: str, lowered: str, *, is_json: bool
) -> ProviderError:
    """Classify what an API refuses: the key, the model or the request."""
    if status == 403 and any(sign in lowered for sign in _MODERATION_SIGNS):
        return RequestRefusedError(said)
    if status == 403:
        return ForbiddenError(f"it forbids that ({said}); perhaps the key lacks a permission")
    if status == 401:
        return ProviderUnusableError(
            f"it refused the API key ({said}); check the key and what it is allowed to do", FailureKind.KEY_REFUSED
        )
    if status == 404 and not is_json:
        return TransientError(f"{said}; if this address is not where its API is, correct base_url")
    if status == 404 and not _NAME_OF_MODEL.search(lowered):
        return ModelUnknownError(f"it knows no such address, or no such model ({said}); check base_url and model")
    if status == 404 or (status == 400 and _MODEL_SIGNS.search(lowered)):
        return ModelUnknownError(f"it does not know the model ({said})")
    return RequestRefusedError(said)


def _is_page(headers: Mapping[str, str], body: str, *, is_json: bool) -> bool:
    is_called_page = "html" in headers.get("content-type", "").lower()
    return body.lstrip()[:1] == "<" or (is_called_page and not is_json)


def _title(page: str) -> str:
    found = _TITLE.search(page)
    return _line(found[1]) if found else ""


def _parse(body: str) -> tuple[Any, bool]:
    """Return what a body holds and True where it is JSON, else the body itself and False."""
    try:
        return json.loads(body), True
    except (ValueError, RecursionError):
        return body, False


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
    if any(type(cause).__name__ in _CONNECT_TIMEOUTS for cause in causes):
        return "no connection could be made in time", FailureKind.NOT_REACHED
    for cause in causes:
        if found := _known(cause, timeout):
            return found
    # What an operating system or an HTTP client says, below what an SDK makes of it; else it is a fault in a program.
    of_transport = next((cause for cause in causes if _is_of_transport(cause)), None)
    error = of_transport or causes[0]
    words, name = str(error), type(error).__name__
    said = f"{words[:200]} ({name})" if words else name
    if of_transport is None:
        return said, FailureKind.UNFORESEEN
    lowered = words.lower()
    if "incomplete" in lowered or "complete message" in lowered:
        return "its answer ended in the middle", FailureKind.TORN_ANSWER
    if "disconnected" in lowered:
        return "it hung up without an answer", FailureKind.CONNECTION_LOST
    return said, FailureKind.CONNECTION_LOST


def _known(cause: BaseException, timeout: float) -> tuple[str, FailureKind] | None:
    if "Timeout" in type(cause).__name__:
        return f"no answer within {timeout:g} s", FailureKind.TIME_OUT
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused", FailureKind.NOT_REACHED
    if isinstance(cause, (ConnectionResetError, BrokenPipeError)):
        return "connection reset", FailureKind.CONNECTION_LOST
    return None


def _is_of_transport(cause: BaseException) -> bool:
    names = {base.__name__ for base in type(cause).__mro__}
    return isinstance(cause, OSError) or bool(names & {"HTTPError", "StreamError"})


_CONNECT_TIMEOUTS = ("ConnectTimeout", "PoolTimeout")
# Names of exceptions that httpx and httpx2 share, and that say more than what they were caused by: a connection that is
# reset while it is made carries no request yet.
_KINDS_BY_NAME = {
    "ConnectError": FailureKind.NOT_REACHED,  # refused, no such host, no route, no TLS
    "ProxyError": FailureKind.NOT_REACHED,
    "UnsupportedProtocol": FailureKind.NOT_REACHED,
    "DecodingError": FailureKind.NO_COMPLETION,
    "TooManyRedirects": FailureKind.UNAVAILABLE,
}
# Mistral answers 400 with code 1500 and type "invalid_model" for a model that it does not have; Together and most
# OpenAI-compatible servers answer 400 or 404 with "model_not_found" or "model_not_available"; Hugging Face's router 400
# with "model_not_supported". Most name the parameter. What else does not exist may be a parameter, or a user's words.
_MODEL_SIGNS = re.compile(r'invalid[_ ]model|model_not_|"param"\s*:\s*"model"|\bmodel\b[^"]{0,200}\bdoes not exist')
# A 404 without it is one of a router that has no such path ("Not Found" of FastAPI, and so of vLLM and SGLang).
_NAME_OF_MODEL = re.compile("model|deployment")
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


# Where APIs put what they say, and a router what the one behind it said.
_PLACES_OF_WORDS = ("error", "detail", "message", "msg")
_PLACE_OF_RAW_WORDS = "metadata"


def _spell(value: Any) -> str:
    """Return the words in an error as JSON gives it: of an object its message, of a list its only element."""
    raw = ""
    while isinstance(value, (dict, list)) and value:
        if isinstance(value, list):
            inner = value[0] if len(value) == 1 else None
        else:
            metadata = value.get(_PLACE_OF_RAW_WORDS)
            raw = raw or (_spell(metadata["raw"]) if isinstance(metadata, dict) and metadata.get("raw") else "")
            inner = next((value[place] for place in _PLACES_OF_WORDS if value.get(place)), None)
        if not isinstance(inner, (str, dict, list)):
            break
        value = inner
    if value is None or value in ({}, []):
        return raw
    words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _line(f"{words}: {raw}" if raw else words)


def _line(text: str) -> str:
    return " ".join(clean_text(text).split())
