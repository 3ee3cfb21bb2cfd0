"""An Ada with a known weakness fails where it shows, as it is to be called, and nowhere else; without any, nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from apep_datagen.core.calls import ToolCall
from apep_datagen.core.markup import render_answer
from apep_datagen.core.tools import LISTING_TOOLS
from apep_datagen.evaluate.element import Examined
from apep_datagen.evaluate.failures import Failure
from apep_datagen.evaluate.play import Ada, Scene, play
from apep_datagen.people.scenario import ASKING, TELLING, Ability, Form
from support.exams import (
    ideal,
    invents_near_misses,
    keeps_nothing,
    looks_always,
    loses_in_three_days,
    never_deletes,
    played,
    shared_plan,
    uses_nothing,
    writes_wrongly,
)

FORGETTING = {Form.ONE, Form.ONE_OF_SEVERAL, Form.PERSON, Form.HALF}
CHANGING = {Form.CHANGED, Form.TWO_TOUCHED, Form.MISTAKE}
CHATTING = {Ability.SMALLTALK, Ability.ADVICE}


def failed(ada: Ada) -> list[Examined]:
    """Return the conversations in which an Ada failed; none is void."""
    assert not any(one.outcome.is_void for one in played(ada))
    return [one for one in played(ada) if not one.outcome.is_right]


def kinds(elements: Iterable[Examined]) -> set[Failure | None]:
    return {one.outcome.failure for one in elements}


def of(ada: Ada, is_meant: Callable[[Examined], bool]) -> list[Examined]:
    found = [one for one in played(ada) if is_meant(one)]
    assert found
    return found


def told_in_exam(one: Examined) -> bool:
    """Tell whether what is asked for was told since the exam began."""
    plan = shared_plan()
    began = plan.day(one.user, 1, 0, 1).date
    told_on = {item.fact: item.told_on for item in plan.story_before(one.user, one.day - 1).known}
    facts = plan.day(one.user, 1, one.day - 1, 1).scenario.facts
    return any(told_on.get(fact, "") >= began for fact in facts)


def test_who_does_all_that_she_should_fails_nowhere() -> None:
    outcomes = Counter((one.ability, one.form) for one in played(ideal))
    assert {ability for ability, _ in outcomes} == set(Ability)
    assert [(one.ability, one.form, one.outcome) for one in failed(ideal)] == []


def test_who_never_deletes_fails_at_what_has_to_go_then_and_later() -> None:
    def has_to_go(one: Examined) -> bool:
        form, ability = one.form, one.ability
        return (ability is Ability.FORGET and form in FORGETTING) or (ability is Ability.UPDATE and form in CHANGING)

    assert kinds(of(never_deletes, has_to_go)) == {Failure.WROTE_WRONGLY}
    later = [one for one in failed(never_deletes) if not has_to_go(one)]
    assert {(one.ability, one.form, one.outcome.failure) for one in later} == {
        (Ability.ABSTAIN, Form.FORGOTTEN, Failure.WROTE_WRONGLY)
    }


def test_who_looks_always_fails_only_where_nothing_is_to_be_looked_up() -> None:
    assert {one.ability for one in failed(looks_always)} == CHATTING
    assert kinds(failed(looks_always)) == {Failure.CALLED_FOR_NOTHING}


def test_who_gives_the_near_miss_invents_there_and_nowhere_else() -> None:
    near = of(invents_near_misses, lambda one: one.ability is Ability.ABSTAIN and one.form is Form.NEAR_MISS)
    assert kinds(near) == {Failure.INVENTED}
    assert failed(invents_near_misses) == near


def test_who_keeps_nothing_fails_when_it_is_told_and_when_it_is_asked_for() -> None:
    telling = of(
        keeps_nothing, lambda one: one.ability in TELLING and one.form not in {Form.PASSING, Form.KNOWN_ALREADY}
    )
    assert kinds(telling) == {Failure.DID_NOT_WRITE}
    asked = of(keeps_nothing, lambda one: one.ability in ASKING and one.form is not Form.SAID_ABOVE)
    assert {told_in_exam(one) for one in asked} == {True, False}
    for one in asked:
        assert one.outcome.failure == (Failure.DID_NOT_WRITE if told_in_exam(one) else None), one
    assert kinds(failed(keeps_nothing)) == {Failure.DID_NOT_WRITE}


def test_who_writes_another_value_wrote_wrongly_then_and_later() -> None:
    telling = of(writes_wrongly, lambda one: one.ability in {Ability.SHARE, Ability.UPDATE})
    wrong = [one for one in telling if one.form not in {Form.PASSING, Form.KNOWN_ALREADY}]
    assert kinds(wrong) == {Failure.WROTE_WRONGLY}
    asked = of(writes_wrongly, lambda one: one.ability in {Ability.RECALL, Ability.CONNECT, Ability.APPLY})
    later = [one for one in asked if told_in_exam(one) and one.form is not Form.SAID_ABOVE]
    assert kinds(later) == {Failure.WROTE_WRONGLY}
    assert kinds(one for one in asked if not told_in_exam(one)) == {None}


def test_who_loses_what_was_told_wrote_wrongly_then_and_when_it_is_asked_for() -> None:
    reasons = Counter(one.outcome.reason for one in failed(loses_in_three_days))
    assert reasons["a fact that was known is gone from memory"] > 1
    assert reasons["what was asked for was in memory once, and is there no more"] > 1
    assert kinds(failed(loses_in_three_days)) == {Failure.WROTE_WRONGLY}


def test_who_looks_and_says_nothing_of_it_did_not_use_it() -> None:
    assert kinds(failed(uses_nothing)) == {Failure.LOOKED_AND_DID_NOT_USE}
    needed = of(uses_nothing, lambda one: one.ability in ASKING | {Ability.ABSTAIN, Ability.ASK_BACK})
    # What is to be avoided is avoided by who speaks of something else.
    needed = [one for one in needed if one.form not in {Form.SAID_ABOVE, Form.AVOID}]
    assert all(one.outcome.failure is Failure.LOOKED_AND_DID_NOT_USE for one in needed)


@pytest.mark.parametrize(
    "answer",
    [
        *("", "<think>Well, now.</think>", "<tool_call></tool_call>", "Well, I would say that you should just go and"),
        *("Dear me! " * 400, "<tool_call>look_around()</tool_call>"),
    ],
)
def test_who_answers_with_nothing_of_use_breaks_the_form(answer: str) -> None:
    def broken(scene: Scene) -> str:
        return answer if not scene.rounds else render_answer("", "I see. That is all.")

    found = list(play(shared_plan(2), broken))
    assert kinds(found) == {Failure.FORM}


def test_a_thought_is_no_part_of_what_is_measured() -> None:
    def without_thoughts(scene: Scene) -> str:
        return ideal(scene).partition("</think>")[2].strip()

    def with_odd_thoughts(scene: Scene) -> str:
        thought = f"I remember that they told me so. {' '.join(map(str, range(3000)))} I"
        return f"<think>{thought}</think>\n\n{without_thoughts(scene)}"

    def outcomes(ada: Ada) -> list[tuple[object, bool]]:
        return [(one.question, one.outcome.is_right) for one in play(shared_plan(4), ada)]

    assert outcomes(without_thoughts) == outcomes(with_odd_thoughts)
    assert all(is_right for _, is_right in outcomes(without_thoughts))


def test_the_same_exam_and_the_same_ada_give_the_same() -> None:
    assert [one.to_line() for one in play(shared_plan(3), ideal)] == [
        one.to_line() for one in play(shared_plan(3), ideal)
    ]


def test_calls_are_counted_by_tool() -> None:
    looked = of(ideal, lambda one: one.ability is Ability.RECALL and one.form is not Form.SAID_ABOVE)
    assert all(LISTING_TOOLS & one.calls.keys() for one in looked)
    assert all(not one.calls for one in of(ideal, lambda one: one.ability in CHATTING))


def says_never_told(scene: Scene) -> str:
    """Look, and deny it all."""
    if not scene.rounds:
        return render_answer("", "", (ToolCall("recall_memories", {}), ToolCall("recall_diary", {})))
    return render_answer("", "I have looked in my notes, and there is nothing of it: you never told me.")


def test_who_denies_what_she_was_shown_has_avoided_nothing() -> None:
    asked = [one for one in played(says_never_told) if one.form is Form.AVOID]
    assert asked
    assert kinds(asked) <= {Failure.LOOKED_AND_DID_NOT_USE, Failure.DID_NOT_WRITE}
