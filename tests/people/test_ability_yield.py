"""What an ability yields, and whether it is low: a matter of its last conversations, however they are come by."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.people.ability_yield import MOST_VERDICTS, AbilityYield, Verdict, held_back
from apep_datagen.people.scenario import Ability

LEAST = 0.25


def yield_of(accepted: str, ability: Ability = Ability.FORGET) -> AbilityYield:
    """Return what conversations came to: `+` was accepted, all else rejected."""
    found = AbilityYield(ability)
    for number, sign in enumerate(accepted, start=1):
        found = found.with_verdict(Verdict(number) if sign == "+" else Verdict(number, "effect", f"reason {sign}"))
    return found


@pytest.mark.parametrize(
    ("accepted", "is_low"),
    [
        ("", False),
        ("-" * 6, False),  # one in 64, of those that are accepted every other time
        ("-" * 7, True),
        ("+" + "-" * 9, False),
        ("+" + "-" * 10, True),
        ("+-" * 12, False),
        ("+---" * 15, False),  # just as many as there have to be
        ("+---" * 14 + "----", True),
        ("-" * 54 + "+" * 6, False),  # it passes again
        ("-" * 53 + "+" * 6 + "-" * 6, False),
        ("-" * 54 + "+" * 6 + "-" * 7, True),
    ],
)
def test_a_yield_is_low_where_it_is_below_the_limit_and_known_to_be_so_and_is_so_still(
    accepted: str,
    is_low: bool,  # noqa: FBT001 - a parameter
) -> None:
    assert yield_of(accepted).is_low(LEAST) is is_low


@pytest.mark.parametrize(("least", "is_low"), [(0.0, False), (0.05, False), (0.5, True), (1.0, True)])
def test_the_limit_decides(least: float, is_low: bool) -> None:  # noqa: FBT001 - a parameter
    assert yield_of("+---" * 15).is_low(least) is is_low


def test_one_that_is_accepted_every_other_time_is_seldom_taken_for_low() -> None:
    draw = random.Random(1)  # noqa: S311 - a test's draw
    wronged = 0
    for _ in range(200):
        found = AbilityYield(Ability.FORGET)
        for number in range(150):
            found = found.with_verdict(Verdict(number, "" if draw.random() < 0.5 else "voice"))
            if found.is_low(LEAST):
                wronged += 1
                break
    assert wronged <= 8


@given(st.permutations(range(MOST_VERDICTS + 20)), st.sets(st.integers(0, MOST_VERDICTS + 19)))
def test_in_whichever_order_they_end_the_last_ones_count(order: list[int], rejected: set[int]) -> None:
    verdicts = [Verdict(number, "voice" if number in rejected else "") for number in range(len(order))]
    found = AbilityYield(Ability.SHARE)
    for number in order:
        found = found.with_verdict(verdicts[number])
    assert found == AbilityYield(Ability.SHARE, tuple(verdicts[-MOST_VERDICTS:]))


def test_reasons_come_with_their_latest_example_the_most_frequent_first() -> None:
    reasons = yield_of("a+b-ba-").reasons
    assert [(item.reason[-1], item.count, item.example) for item in reasons] == [("-", 2, 7), ("a", 2, 6), ("b", 2, 5)]
    assert str(reasons[0]) == "reason - (effect)"
    assert str(AbilityYield(Ability.SHARE, (Verdict(3, "set aside"),)).reasons[0]) == "set aside"


def test_what_is_low_is_held_back_unless_it_is_all_that_is_wished_for() -> None:
    forget, update, share = (
        yield_of("-" * 20, Ability.FORGET),
        yield_of("-" * 20, Ability.UPDATE),
        yield_of("+" * 20, Ability.SHARE),
    )
    wished = {Ability.FORGET: 1.0, Ability.UPDATE: 2.0, Ability.SHARE: 0.0}
    assert held_back((forget, update, share), wished, LEAST) == set()
    assert held_back((forget, update, share), wished | {Ability.SHARE: 0.1}, LEAST) == {Ability.FORGET, Ability.UPDATE}
    assert held_back((forget, share), wished, LEAST) == {Ability.FORGET}
    assert held_back((forget,), {Ability.FORGET: 1.0}, LEAST) == set()
    assert held_back((forget, update, share), wished | {Ability.SHARE: 0.1}, 0) == set()
    for some in itertools.permutations((forget, update, share)):
        assert held_back(some, dict.fromkeys(Ability, 1.0), LEAST) == {Ability.FORGET, Ability.UPDATE}
