"""The two bounds: who never uses tools is right where no memory is needed, who always does where judgement is not."""

from __future__ import annotations

from collections import defaultdict

import pytest

from apep_datagen.evaluate.bounds import BOUNDS, always, never
from apep_datagen.evaluate.failures import Failure
from apep_datagen.evaluate.play import Ada, play
from apep_datagen.people.scenario import Ability, Form
from support.exams import plan_of, played, shared_plan

USERS = 24
NEEDS_NO_MEMORY = {
    (Ability.SMALLTALK, Form.CHAT),
    (Ability.ADVICE, Form.GENERAL),
    (Ability.SHARE, Form.PASSING),
    (Ability.SHARE, Form.KNOWN_ALREADY),
}
NEEDS_JUDGEMENT = {Ability.SMALLTALK, Ability.ADVICE}


def shares(ada: Ada) -> dict[tuple[Ability, Form], float]:
    found = defaultdict(list)
    for one in played(ada, USERS):
        assert not one.outcome.is_void
        found[one.ability, one.form].append(one.outcome.is_right)
    return {place: sum(right) / len(right) for place, right in found.items()}


def test_who_never_uses_tools_is_right_where_there_is_nothing_to_remember_and_only_there() -> None:
    assert not any(one.calls for one in played(never, USERS))
    found = shares(never)
    # A fact that she should know and has not is to be written down when it is told again.
    assert {place for place, share in found.items() if share} == NEEDS_NO_MEMORY & found.keys()
    assert found[Ability.SMALLTALK, Form.CHAT] == found[Ability.SHARE, Form.PASSING] == 1


def test_who_always_uses_them_is_right_where_no_judgement_is_needed() -> None:
    assert all(one.calls["recall_memories"] and one.calls["recall_diary"] for one in played(always, USERS))
    found = shares(always)
    assert all(found[place] < 0.5 for place in found if place[0] in NEEDS_JUDGEMENT)
    assert found[Ability.SHARE, Form.KNOWN_ALREADY] == 0
    assert found[Ability.SHARE, Form.PASSING] < 0.5
    others = [share for place, share in found.items() if place not in NEEDS_NO_MEMORY]
    assert sum(others) / len(others) > 0.85


def test_who_always_uses_them_fails_by_calling_for_nothing_and_writing_again() -> None:
    kinds = defaultdict(set)
    for one in played(always, USERS):
        if not one.outcome.is_right:
            kinds[one.form is Form.KNOWN_ALREADY].add(one.outcome.failure)
    assert kinds[True] == {Failure.WROTE_WRONGLY}
    assert Failure.CALLED_FOR_NOTHING in kinds[False]
    assert kinds[False] <= {Failure.CALLED_FOR_NOTHING, Failure.WROTE_WRONGLY, Failure.LOOKED_AND_DID_NOT_USE}


@pytest.mark.parametrize("name", BOUNDS)
def test_a_bound_is_the_same_each_time(name: str) -> None:
    once, again = (list(play(shared_plan(4), BOUNDS[name])) for _ in range(2))
    assert once == again


def test_a_bound_has_an_answer_also_where_tools_may_be_used_once() -> None:
    plan = plan_of(4, max_tool_rounds=1)
    for ada in BOUNDS.values():
        assert all(one.outcome.failure is not Failure.FORM for one in play(plan, ada))
