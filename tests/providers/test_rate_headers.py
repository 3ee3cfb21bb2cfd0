"""What providers' headers say about their limits, in whichever spelling, and whatever they hold."""

from __future__ import annotations

import math
import time
from dataclasses import astuple
from itertools import product

import httpx
import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apep_datagen.core.messages import ReportedLimits
from apep_datagen.providers.rate_headers import read_limits

OPENAI = {
    "x-ratelimit-limit-requests": "600",
    "x-ratelimit-limit-tokens": "150000",
    "x-ratelimit-remaining-requests": "599",
    "x-ratelimit-remaining-tokens": "149984",
    "x-ratelimit-reset-requests": "100ms",
    "x-ratelimit-reset-tokens": "6m0s",
}
MISTRAL = {
    "x-ratelimit-limit-tokens-minute": "5000000",
    "x-ratelimit-remaining-tokens-minute": "4999911",
    "x-ratelimit-tokens-query-cost": "52",
    "x-ratelimit-limit-req-minute": "720",
    "x-ratelimit-remaining-req-minute": "717",
    "x-ratelimit-limit-tokens-month": "10000000000",
    "x-ratelimit-remaining-tokens-month": "9000000000",
}
TOGETHER = {
    "x-ratelimit-limit": "10",
    "x-ratelimit-remaining": "9",
    "x-ratelimit-reset": "1",
    "x-tokenlimit-limit": "3000",
    "x-tokenlimit-remaining": "2500",
}
CEREBRAS = {
    "x-ratelimit-limit-requests-day": "14400",
    "x-ratelimit-remaining-requests-day": "14399",
    "x-ratelimit-limit-requests-minute": "30",
    "x-ratelimit-remaining-requests-minute": "29",
    "x-ratelimit-reset-requests-minute": "45.5",
    "x-ratelimit-limit-tokens-minute": "60000",
    "x-ratelimit-remaining-tokens-minute": "59000",
    "x-ratelimit-reset-tokens-minute": "30.25",
}


@pytest.mark.parametrize(
    ("headers", "plain_limit_seconds", "limits"),
    [
        (OPENAI, None, ReportedLimits(10.0, 150_000, 599, 149_984, 0.1, 360.0)),
        (MISTRAL, None, ReportedLimits(12.0, 5_000_000, 717, 4_999_911)),
        (
            {**MISTRAL, "x-ratelimit-reset-req-minute": "20", "x-ratelimit-reset-tokens-minute": "30"},
            None,
            ReportedLimits(12.0, 5_000_000, 717, 4_999_911, 20.0, 30.0),
        ),
        (TOGETHER, 1.0, ReportedLimits(10.0, 180_000, 9, 2_500, 1.0)),
        ({**TOGETHER, "x-ratelimit-limit": "0.5"}, 1.0, ReportedLimits(0.5, 180_000, 9, 2_500, 1.0)),
        (CEREBRAS, None, ReportedLimits(0.5, 60_000, 29, 59_000, 45.5, 30.25)),
        # What the plain limit is for, nobody knows of another endpoint.
        ({"x-ratelimit-limit": "50", "x-ratelimit-remaining": "0"}, None, ReportedLimits(requests_left=0)),
        ({"x-ratelimit-limit": "50"}, None, None),
        ({"x-ratelimit-limit": "50"}, 60.0, ReportedLimits(50 / 60)),
        # The name that says more wins, unless it says nothing.
        ({**TOGETHER, **OPENAI}, 1.0, ReportedLimits(10.0, 150_000, 599, 149_984, 0.1, 360.0)),
        (
            {"x-ratelimit-remaining-requests": "?", "x-ratelimit-remaining": "3"},
            None,
            ReportedLimits(requests_left=3),
        ),
        ({}, 1.0, None),
        ({"content-type": "application/json", "retry-after": "7"}, 1.0, None),
        # A limit of nothing is none that anybody could keep to.
        ({"x-ratelimit-limit-requests": "0", "x-ratelimit-limit-tokens": "0"}, None, None),
        ({"x-ratelimit-limit": "0", "x-tokenlimit-limit": "0.001"}, 1.0, None),
    ],
)
def test_every_spelling_says_the_same(
    headers: dict[str, str], plain_limit_seconds: float | None, limits: ReportedLimits | None
) -> None:
    assert read_limits(headers, plain_limit_seconds=plain_limit_seconds) == limits
    for client in (httpx, httpx2):
        received = client.Headers({name.title(): value for name, value in headers.items()})
        assert read_limits(received, plain_limit_seconds=plain_limit_seconds) == limits


@pytest.mark.parametrize(
    ("limit", "left", "reset", "requests_per_second"),
    [
        ("60", "59", "1s", 1.0),  # OpenAI's documentation
        ("10000", "9999", "6ms", 10_000 / 60),
        ("60", "0", "60s", 1.0),
        ("60", "60", "0s", 1.0),
        ("60", "30", "", 1.0),
        ("60", "", "20s", 1.0),
        ("60", "50", "50s", 1.0),  # a fixed window that began 10 s ago
        ("14400", "14370", "2m59.56s", None),  # Groq's documentation: for a day
        ("14400", "14399", "6s", None),
        ("1000", "999", "1m26.4s", None),
        ("200", "199", "7m12s", None),  # OpenAI's free tier
        ("50", "0", "8h0m0s", None),
        ("50", "", "1m1s", None),
    ],
)
def test_a_limit_for_a_day_is_not_taken_for_one_of_a_minute(
    limit: str, left: str, reset: str, requests_per_second: float | None
) -> None:
    headers = {
        "x-ratelimit-limit-requests": limit,
        "x-ratelimit-remaining-requests": left,
        "x-ratelimit-reset-requests": reset,
    }
    limits = read_limits(headers)
    assert limits is not None
    assert limits.requests_per_second == requests_per_second


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("12ms", 0.012),
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("2m59.56s", 179.56),
        ("1h2m3s", 3_723.0),
        ("1d12h", 129_600.0),
        ("59m59s999ms", 3_599.999),
        ("30", 30.0),
        (" 0.25 ", 0.25),
        ("0", 0.0),
        ("0s", 0.0),
        ("31d", 2_678_400.0),
        ("32d", None),
        ("999999999", None),
        ("999999999999999h", None),
        ("", None),
        ("s", None),
        ("soon", None),
        ("1 s", None),
        ("3s2m", None),
        ("1s, 2s", None),
        ("-1", None),
        ("-5s", None),
        ("1e3", None),
        ("nan", None),
        ("inf", None),
        ("٣", None),
        ("9" * 10_000, None),
        ("9" * 10_000 + "ms", None),
        ("2030-01-01T00:00:00Z", None),
    ],
)
def test_a_reset_is_read_as_seconds(value: str, seconds: float | None) -> None:
    for name in ("x-ratelimit-reset-requests", "x-ratelimit-reset-req-minute", "x-ratelimit-reset"):
        limits = read_limits({name: value})
        assert (limits.requests_reset_seconds if limits else None) == (
            None if seconds is None else pytest.approx(seconds)
        )


@pytest.mark.parametrize("scale", [1, 1_000])
def test_a_reset_that_is_a_time_is_read_as_seconds_from_now(scale: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_790_000_000.0)
    for ahead, seconds in ((90, 90.0), (-90, 0.0), (40 * 86_400, None)):
        limits = read_limits({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str((1_790_000_000 + ahead) * scale)})
        assert limits == ReportedLimits(requests_left=0, requests_reset_seconds=seconds)


@pytest.mark.parametrize(
    "value", ["", "-1", "+1", "nan", "inf", "-inf", "1e9", "1_000", "many", "0x10", "5.", ".5", "٣", "1,2", "9" * 5_000]
)
def test_nonsense_counts_as_not_said(value: str) -> None:
    names = {*OPENAI, *MISTRAL, *TOGETHER, *CEREBRAS}
    assert read_limits(dict.fromkeys(names, value), plain_limit_seconds=1.0) is None


NAMES = [
    f"x-ratelimit-{what}{of}"
    for what, of in product(
        ("limit", "remaining", "reset"),
        ("", "-requests", "-tokens", "-req-minute", "-requests-minute", "-tokens-minute", "-tokens-month"),
    )
]
VALUES = st.one_of(
    st.text(),
    st.integers().map(str),
    st.floats().map(str),
    st.from_regex(r"([0-9.]{1,20}(d|h|m|s|ms)){0,4}", fullmatch=True),
    st.integers(0, 10**16).map(str),
)


@given(
    st.dictionaries(st.sampled_from([*NAMES, "x-tokenlimit-limit", "x-tokenlimit-remaining"]), VALUES),
    st.sampled_from([None, 1.0, 60.0]),
)
@example({"x-ratelimit-limit-requests": "9" * 15, "x-ratelimit-reset-requests": "1"}, None)
@example({"x-ratelimit-limit-requests": "0." + "0" * 14 + "1", "x-tokenlimit-limit": "9" * 15}, None)
def test_whatever_headers_say_limits_can_be_reckoned_with(
    headers: dict[str, str], plain_limit_seconds: float | None
) -> None:
    limits = read_limits(headers, plain_limit_seconds=plain_limit_seconds)
    if limits is None:
        return
    assert any(value is not None for value in astuple(limits))
    assert limits.requests_per_second is None or 0 < limits.requests_per_second < math.inf
    assert limits.tokens_per_minute is None or limits.tokens_per_minute > 0
    assert all(left is None or left >= 0 for left in (limits.requests_left, limits.tokens_left))
    assert all(
        reset is None or 0 <= reset <= 31 * 86_400
        for reset in (limits.requests_reset_seconds, limits.tokens_reset_seconds)
    )


IN_AN_HOUR = "the time of day in an hour"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        # Groq's and OpenAI's: a day's limit that refills steadily is whole again tomorrow, and not used up until then.
        ({"limit-requests": "1000", "remaining-requests": "0", "reset-requests": "23h59m"}, 86.34),
        ({"limit-requests": "14400", "remaining-requests": "0", "reset-requests": "24h0m0s"}, 60.0),
        # What is no whole day or hour, names a time or has no limit beside it is waited for.
        ({"limit-requests": "20", "remaining-requests": "0", "reset-requests": "45s"}, 45.0),
        ({"remaining-requests": "0", "reset-requests": "7h5m"}, 25_500.0),
        ({"limit-requests": "1000", "remaining-requests": "0", "reset-requests": "7h"}, 25_200.0),
        ({"limit-requests": "50", "remaining-requests": "0", "reset-requests": "20m"}, 1_200.0),
        ({"limit-requests": "20", "remaining-requests": "0", "reset-requests": IN_AN_HOUR}, 3_600.0),
        # The reset of another limit says nothing of this one.
        ({"remaining-req-minute": "0", "remaining": "4000", "reset": "18000"}, None),
        ({"remaining-requests": "0", "reset-requests": "soon", "reset": "86400"}, None),
    ],
)
def test_a_limit_that_is_used_up_is_waited_for_as_long_as_it_takes(
    headers: dict[str, str], seconds: float | None
) -> None:
    said = {f"x-ratelimit-{name}": value for name, value in headers.items()}
    limits = read_limits({name: value.replace(IN_AN_HOUR, str(time.time() + 3_600)) for name, value in said.items()})
    assert limits is not None
    assert limits.requests_left == 0
    assert limits.requests_reset_seconds == (seconds if seconds is None else pytest.approx(seconds, abs=300))
    assert seconds is None or seconds > 1_000 or limits.requests_reset_seconds == pytest.approx(seconds, abs=0.1)
