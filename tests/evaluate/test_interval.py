"""The intervals cover the truth, also where the conversations of a user are alike."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.evaluate.interval import Interval, difference_of, share_of

SIMULATED = 500


def ability_of(draw: random.Random, mean: float, likeness: float) -> float:
    """Return how often a user's conversations are right, around a mean; at a likeness of 1 always or never."""
    if likeness in {0, 1}:
        return float(draw.random() < mean) if likeness else mean
    spread = (1 - likeness) / likeness
    return draw.betavariate(mean * spread, (1 - mean) * spread)


def covered(draw: random.Random, users: int, each: int, mean: float, likeness: float, *, known: bool = True) -> float:
    """Return how often the interval of a simulated evaluation holds the true share.

    Args:
        draw: Where chance comes from.
        users: How many users there are.
        each: How many conversations each has.
        mean: The true share.
        likeness: How alike the conversations of a user are, from 0 to 1.
        known: Whether it is known whose each is.
    """
    hits = 0
    for _ in range(SIMULATED):
        outcomes: list[tuple[int, bool]] = []
        for user in range(users):
            share = ability_of(draw, mean, likeness)
            outcomes += [(user if known else len(outcomes) + place, draw.random() < share) for place in range(each)]
        interval = share_of(outcomes).interval
        hits += interval.low <= mean <= interval.high
    return hits / SIMULATED


@pytest.mark.parametrize("likeness", [0, 0.1, 0.3, 1])
@pytest.mark.parametrize(("users", "each"), [(12, 1), (12, 3), (50, 1), (50, 3), (50, 12)])
def test_the_interval_of_a_share_covers_it(users: int, each: int, likeness: float) -> None:
    draw = random.Random(f"{users} {each} {likeness}")  # noqa: S311 - a test's draw
    found = [covered(draw, users, each, mean, likeness) for mean in (0.1, 0.5, 0.9)]
    assert sum(found) / len(found) > 0.935
    assert min(found) > 0.9


def test_without_knowing_whose_they_are_it_would_not() -> None:
    draw = random.Random(1)  # noqa: S311 - a test's draw
    assert covered(draw, 50, 12, 0.5, 0.3, known=False) < 0.75
    assert covered(draw, 50, 12, 0.5, 0.3) > 0.93


def alike(draw: random.Random, first: float, second: float) -> tuple[bool, bool]:
    """Return what two do with one question, which is easy or hard for both as often as not."""
    chance = draw.random()
    return chance < first, (chance if draw.random() < 0.5 else draw.random()) < second


@pytest.mark.parametrize(("first", "second"), [(0.5, 0.5), (0.7, 0.5), (0.9, 0.6), (0.95, 0.95)])
@pytest.mark.parametrize(("users", "each"), [(12, 1), (12, 3), (50, 1), (50, 3)])
def test_the_interval_of_a_difference_covers_it(users: int, each: int, first: float, second: float) -> None:
    draw = random.Random(f"{users} {each} {first} {second}")  # noqa: S311 - a test's draw
    hits = false_alarms = 0
    for _ in range(SIMULATED):
        pairs = []
        for user in range(users):
            shares = (ability_of(draw, first, 0.2), ability_of(draw, second, 0.2))
            pairs += [(user, *alike(draw, *shares)) for _ in range(each)]
        difference = difference_of(pairs)
        hits += difference.interval.low <= first - second <= difference.interval.high
        false_alarms += difference.is_more_than_chance
    assert hits / SIMULATED > 0.93
    assert first != second or false_alarms / SIMULATED < 0.07


def test_a_difference_that_is_there_is_found() -> None:
    draw = random.Random(3)  # noqa: S311 - a test's draw
    found = 0
    for _ in range(SIMULATED):
        found += difference_of((user, *alike(draw, 0.9, 0.6)) for user in range(50)).is_more_than_chance
    assert found / SIMULATED > 0.85


def test_where_each_user_is_asked_once_it_is_the_interval_of_wilson() -> None:
    # Newcombe 1998, table I: 81 of 263, and 15 of 148.
    for right, count, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)):
        share = share_of((user, user < right) for user in range(count))
        assert share.value == right / count
        assert share.interval.low == pytest.approx(low, abs=1e-4)
        assert share.interval.high == pytest.approx(high, abs=1e-4)


def test_where_all_of_a_user_is_alike_it_counts_once() -> None:
    once = share_of((user, True) for user in range(10))
    assert share_of((user, True) for user in range(10) for _ in range(7)) == once
    many = share_of((user, user < 5) for user in range(10) for _ in range(7))
    single = share_of((user, user < 5) for user in range(10))
    assert many.interval.low < single.interval.low
    assert many.interval.high > single.interval.high


def test_of_nothing_nothing_is_known() -> None:
    assert share_of([]).interval == Interval(0, 1)
    assert difference_of([]).interval == Interval(-1, 1)
    assert not difference_of([]).is_more_than_chance


OUTCOMES = st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.booleans()), min_size=1, max_size=60)


@given(OUTCOMES)
def test_a_share_is_in_its_interval_and_that_among_all_shares(outcomes: list[tuple[int, bool, bool]]) -> None:
    share = share_of((user, is_right) for user, is_right, _ in outcomes)
    assert 0 <= share.interval.low <= share.value <= share.interval.high <= 1
    assert share.interval.low < share.interval.high


@given(OUTCOMES)
def test_who_is_compared_with_whom_turns_the_difference_round(pairs: list[tuple[int, bool, bool]]) -> None:
    there = difference_of(pairs)
    back = difference_of((user, second, first) for user, first, second in pairs)
    assert there.value == pytest.approx(-back.value)
    assert there.interval.low == pytest.approx(-back.interval.high)
    assert there.is_more_than_chance is back.is_more_than_chance
    assert -1 <= there.interval.low < there.interval.high <= 1
