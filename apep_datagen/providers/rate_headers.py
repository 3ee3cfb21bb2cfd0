"""What a provider's response headers say about its limits and about waiting, in one form for all providers.

Spellings that are read, and where they come from:

- `x-ratelimit-limit-requests`, `-remaining-requests`, `-reset-requests` and the same with `-tokens`: OpenAI and those
  who follow it, a minute's limit (https://platform.openai.com/docs/guides/rate-limits). Groq, and OpenAI's free tier,
  write a day's limit of requests under the same name (https://console.groq.com/docs/rate-limits).
- `x-ratelimit-limit-req-minute`, `x-ratelimit-limit-tokens-minute`, …: Mistral
  (https://github.com/mistralai/client-ts/issues/169). Cerebras writes `-requests-minute`.
- `x-ratelimit-limit`, `-remaining`, `-reset`, `x-tokenlimit-limit`, `-remaining`: Together, a second's limits
  (https://docs.together.ai/docs/rate-limits). Others use the first three for windows of any length; OpenRouter's reset
  is the time of day, in milliseconds since 1970.
"""

from __future__ import annotations

import datetime
import email.utils
import math
import re
import time
from collections.abc import Mapping

from apep_datagen.core.messages import ReportedLimits

__all__ = ["read_limits", "retry_after_seconds"]

_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?")
_DURATION = re.compile(
    r"(?:(?P<days>N)d)?(?:(?P<hours>N)h)?(?:(?P<minutes>N)m)?(?:(?P<seconds>N)s)?(?:(?P<milliseconds>N)ms)?".replace(
        "N", _NUMBER.pattern
    )
)
_UNIT_SECONDS = {"days": 86_400.0, "hours": 3_600.0, "minutes": 60.0, "seconds": 1.0, "milliseconds": 0.001}
_EARLIEST_EPOCH_SECONDS = 1e9  # 2001; as a duration it would be 31 years
_EARLIEST_EPOCH_MILLISECONDS = 1e12  # the same day
_LONGEST_RESET_SECONDS = 31 * 86_400.0
_MINUTE_SECONDS = 60.0
_WINDOWS_SECONDS = (86_400.0, 3_600.0)
# The first of them that a server writes counts, as a whole: what is left of one limit and the reset of another are of
# no use together.
_REQUESTS = ("x-ratelimit-{}-requests", "x-ratelimit-{}-req-minute", "x-ratelimit-{}-requests-minute", "x-ratelimit-{}")
_TOKENS = ("x-ratelimit-{}-tokens", "x-ratelimit-{}-tokens-minute", "x-tokenlimit-{}")
# Far from a minute and from a day, on both sides.
_LONGEST_REFILL_SECONDS = 600.0


def read_limits(headers: Mapping[str, str], *, plain_limit_seconds: float | None = None) -> ReportedLimits | None:
    """Read what a server says about its limits; nonsense counts as not said.

    Args:
        headers: An answer's headers, with names in lower case or case-insensitive.
        plain_limit_seconds: How many seconds the limit named `x-ratelimit-limit` is for; None where nobody knows, so
            that it is not read.

    Returns:
        What is said, or None if it is nothing.
    """
    requests_left, requests_reset = _left(headers, _REQUESTS)
    tokens_left, tokens_reset = _left(headers, _TOKENS)
    limits = ReportedLimits(
        requests_per_second=_requests_per_second(headers, plain_limit_seconds),
        tokens_per_minute=_tokens_per_minute(headers),
        requests_left=None if requests_left is None else int(requests_left),
        tokens_left=None if tokens_left is None else int(tokens_left),
        requests_reset_seconds=_until_one_is_back(headers) if requests_left == 0 else requests_reset,
        tokens_reset_seconds=tokens_reset,
    )
    return None if limits == ReportedLimits() else limits


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Read how long a server asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110).

    A duration such as `7m12s`, which some write there, is read as well.

    Returns:
        Seconds, from 0 to a month, or None where the server does not say or says nonsense.
    """
    milliseconds = _float(headers.get("retry-after-ms", ""))
    value = headers.get("retry-after", "").strip()
    seconds = milliseconds / 1000 if milliseconds is not None else _wait(value)
    return None if seconds is None else min(max(0.0, seconds), _LONGEST_RESET_SECONDS)


def _wait(value: str) -> float | None:
    for read in (_duration, _float, _seconds_until):
        seconds = read(value)
        if seconds is not None:
            return seconds
    return None


def _left(headers: Mapping[str, str], names: tuple[str, ...]) -> tuple[float | None, float | None]:
    """Return what is left of a limit, and in how many seconds it is whole again: of one and the same limit."""
    for name in names:
        left = _number(headers, name.format("remaining"))
        if left is not None:
            return left, _seconds(headers, name.format("reset"))
    return None, _seconds(headers, *(name.format("reset") for name in names))


def _until_one_is_back(headers: Mapping[str, str]) -> float | None:
    """Return in how many seconds a request is permitted again, where none is left.

    Where a limit refills steadily, as OpenAI's and Groq's, the reset says when it is whole again; one request is back
    much earlier. Such a limit of which nothing is left is whole again after all of its day, or hour. What says anything
    else, or names a time, has windows, and is waited for.
    """
    _, reset = _left(headers, _REQUESTS)
    value = headers.get("x-ratelimit-reset-requests", "").strip()
    limit = _number(headers, "x-ratelimit-limit-requests")
    if not reset or not limit or _is_time(value):
        return reset
    for window in _WINDOWS_SECONDS:
        if window * (1 - 1 / limit) <= reset <= window:
            return max(_MINUTE_SECONDS, reset / limit)
    return reset


def _requests_per_second(headers: Mapping[str, str], plain_limit_seconds: float | None) -> float | None:
    a_minute = _number(headers, "x-ratelimit-limit-req-minute", "x-ratelimit-limit-requests-minute")
    if a_minute is None and not _is_for_longer_than_a_minute(headers):
        a_minute = _number(headers, "x-ratelimit-limit-requests")
    if a_minute:
        return a_minute / _MINUTE_SECONDS
    plain = _number(headers, "x-ratelimit-limit")
    return plain / plain_limit_seconds if plain and plain_limit_seconds else None


def _is_for_longer_than_a_minute(headers: Mapping[str, str]) -> bool:
    """Return whether `x-ratelimit-limit-requests` cannot be a minute's, going by what the server says beside it.

    Such a limit refills steadily: its reset is how long the requests that were used take to come back. So it shows how
    long a whole limit takes. A server with fixed windows seems slow there as long as little of its limit is used; its
    limit is then not known yet, which does no harm. Taking a day's limit for a minute's would.
    """
    limit = _number(headers, "x-ratelimit-limit-requests")
    left = _number(headers, "x-ratelimit-remaining-requests")
    reset = _seconds(headers, "x-ratelimit-reset-requests")
    if limit is None or reset is None:
        return False
    if reset > _MINUTE_SECONDS:
        return True
    return left is not None and left < limit and reset * limit / (limit - left) > _LONGEST_REFILL_SECONDS


def _tokens_per_minute(headers: Mapping[str, str]) -> int | None:
    a_minute = _number(headers, "x-ratelimit-limit-tokens", "x-ratelimit-limit-tokens-minute")
    if not a_minute:
        a_minute = (_number(headers, "x-tokenlimit-limit") or 0.0) * _MINUTE_SECONDS
    return int(a_minute) or None  # a limit of none is no limit that anybody could keep to


def _number(headers: Mapping[str, str], *names: str) -> float | None:
    """Return what the first of these headers says that says a number."""
    for name in names:
        value = headers.get(name, "").strip()
        if _NUMBER.fullmatch(value):
            return float(value)
    return None


def _seconds(headers: Mapping[str, str], *names: str) -> float | None:
    """Return the seconds from now that the first of these headers says that says a duration or a time."""
    for name in names:
        seconds = _duration(headers.get(name, "").strip())
        if seconds is not None and seconds <= _LONGEST_RESET_SECONDS:
            return seconds
    return None


def _is_time(value: str) -> bool:
    return bool(_NUMBER.fullmatch(value)) and float(value) >= _EARLIEST_EPOCH_SECONDS


def _duration(value: str) -> float | None:
    if _NUMBER.fullmatch(value):
        seconds = float(value)
        if seconds >= _EARLIEST_EPOCH_MILLISECONDS:
            seconds /= 1000
        return max(0.0, seconds - time.time()) if seconds >= _EARLIEST_EPOCH_SECONDS else seconds
    match = _DURATION.fullmatch(value)
    if not value or match is None:
        return None
    return sum(float(number) * _UNIT_SECONDS[unit] for unit, number in match.groupdict().items() if number is not None)


def _seconds_until(date: str) -> float | None:
    try:
        at = email.utils.parsedate_to_datetime(date)
        if at.tzinfo is None:  # "-0000", or no zone at all
            at = at.replace(tzinfo=datetime.UTC)
        return at.timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None


def _float(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
