"""Numbers as a person reads them: none that reads as another, none with an exponent, and a larger one is no smaller."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apep_datagen.core.spelling import (
    spell_count,
    spell_duration,
    spell_percent,
    spell_rate,
    spell_usd,
    spell_value,
)

amounts = st.one_of(
    st.floats(0, 1e12, allow_subnormal=True),
    st.floats(1e-6, 1),
    st.floats(0, 100).map(lambda number: round(number, 3)),
    st.integers(0, 10**12).map(float),
    st.sampled_from([0.994, 0.995, 0.9995, 9.95, 9.96, 99.94, 99.95, 99.96, 5e-324, 1e-7, 1e-6, 1e300]),
)
SPELLED = re.compile(r"(?P<below><)?\$?(?P<number>\d{1,3}(?:,\d{3})*(?:\.\d+)?)")
# The last place that is spelled is right to half of its worth.
HALF = Decimal("0.500001")


def read(spelled: str) -> Decimal:
    """Return what a reader takes a spelled number for; what is below one is taken for half of it."""
    match = SPELLED.fullmatch(spelled)
    assert match, spelled
    number = Decimal(match["number"].replace(",", ""))
    return number / 2 if match["below"] else number


@pytest.mark.parametrize("spell", [spell_rate, spell_usd])
@given(number=amounts)
def test_what_is_spelled_reads_as_the_number_it_is(spell: Callable[[float], str], number: float) -> None:
    spelled = spell(number)
    exact, taken = Decimal(repr(number)), read(spelled)
    assert (taken == 0) is (number == 0)
    assert "e" not in spelled.lower()
    if not spelled.startswith("<"):
        assert abs(taken - exact) <= exact / 20  # two digits at least: 0.0105 may be 0.011
        assert len(spelled.partition(".")[2]) <= 7


@pytest.mark.parametrize("spell", [spell_rate, spell_usd])
@given(one=amounts, other=amounts)
def test_a_larger_number_never_reads_as_a_smaller_one(spell: Callable[[float], str], one: float, other: float) -> None:
    smaller, larger = sorted([one, other])
    assert read(spell(smaller)) <= read(spell(larger))


@given(st.floats(1e-9, 1e12))
@example(0.0833333)
@example(12_345.6)
@example(1e7)
def test_the_value_of_an_option_is_one_that_it_takes_and_nearly_the_number(number: float) -> None:
    spelled = spell_value(number)
    assert re.fullmatch(r"\d+(\.\d+)?", spelled)
    assert float(spelled) == pytest.approx(number, rel=1e-3)


@given(st.integers(0, 10**9), st.integers(1, 10**9))
@example(0, 5)
@example(5, 5)
@example(1, 1_000)
@example(999, 1_000)
@example(1_001, 1_000)
@example(995, 1_000)
def test_a_share_is_nothing_or_all_only_where_it_is(part: int, whole: int) -> None:
    match = re.fullmatch(r"([<>]?)([\d,]+) %", spell_percent(part, whole))
    assert match
    sign, percent = match[1], int(match[2].replace(",", ""))
    exact = Decimal(100 * part) / whole
    assert sign or (percent == 0) is (part == 0)
    assert sign or (percent == 100) is (part == whole)
    assert {"": abs(percent - exact) <= HALF, "<": exact < percent == 1, ">": exact > percent}[sign]


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_larger_share_never_reads_as_a_smaller_one(one: int, other: int, whole: int) -> None:
    smaller, larger = (taken_share(spell_percent(part, whole)) for part in sorted([one, other]))
    assert smaller <= larger


def taken_share(spelled: str) -> float:
    """Return what a reader takes a share for: half a percent beyond what it is said to be above or below."""
    percent = float(spelled.strip("<> %").replace(",", ""))
    return percent + {"<": -0.5, ">": 0.5}.get(spelled[0], 0.0)


@pytest.mark.parametrize(
    ("number", "spelled"),
    [
        (None, "-"),
        (0, "0"),
        (0.17123, "0.17"),
        (0.9, "0.9"),
        (1.0, "1"),
        (2.60, "2.6"),
        (2.73555, "2.7"),
        (9.96, "10"),
        (12.5, "12.5"),
        (99.96, "100"),
        (100, "100"),
        (1_799.6, "1,800"),
        (0.0012345, "0.0012"),
        (0.0000000012345, "<0.000001"),
        (1e16, "10,000,000,000,000,000"),
    ],
)
def test_a_rate_has_the_digits_that_say_something(number: float | None, spelled: str) -> None:
    assert spell_rate(number) == spelled


@pytest.mark.parametrize(
    ("usd", "spelled"),
    [
        (None, "unknown"),
        (0, "$0.00"),
        (0.5, "$0.50"),
        (0.04, "$0.04"),
        (0.0481, "$0.048"),
        (0.00123, "$0.0012"),
        (0.995, "$1.00"),
        (2.73555, "$2.74"),
        (1234.5, "$1,234.50"),
        (0.00000001, "<$0.000001"),
    ],
)
def test_an_amount_of_money_has_cents_and_more_only_where_they_matter(usd: float | None, spelled: str) -> None:
    assert spell_usd(usd) == spelled


@pytest.mark.parametrize(("number", "spelled"), [(None, "-"), (0, "0"), (999, "999"), (12_345_678, "12,345,678")])
def test_a_large_count_has_separators(number: int | None, spelled: str) -> None:
    assert spell_count(number) == spelled


@pytest.mark.parametrize(
    ("part", "whole", "spelled"),
    [
        (0, 0, "-"),
        (0, 9, "0 %"),
        (1, 5_000, "<1 %"),
        (3, 10, "30 %"),
        (4_999, 5_000, ">99 %"),
        (9, 9, "100 %"),
        (7, 5, "140 %"),
    ],
)
def test_a_share_is_in_percent(part: int, whole: int, spelled: str) -> None:
    assert spell_percent(part, whole) == spelled


@pytest.mark.parametrize(
    ("seconds", "spelled"),
    [
        (0, "0 s"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (61, "1 min 01 s"),
        (3_599.4, "59 min 59 s"),
        (3_599.6, "1 h 00 min"),
        (7_500, "2 h 05 min"),
        (360_000, "100 h 00 min"),
    ],
)
def test_a_duration_is_spelled_for_a_person(seconds: float, spelled: str) -> None:
    assert spell_duration(seconds) == spelled
