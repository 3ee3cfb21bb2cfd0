"""Two evaluations are compared question by question, and only by those that both were asked."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from apep_datagen.core.errors import StorageError
from apep_datagen.evaluate.bounds import always, never
from apep_datagen.evaluate.comparison import ALL, compare
from apep_datagen.evaluate.exam import Exam
from apep_datagen.evaluate.failures import Failure
from apep_datagen.evaluate.outcome import Outcome
from apep_datagen.evaluate.play import play
from apep_datagen.evaluate.report_json import comparison_as_json
from apep_datagen.evaluate.report_text import describe_comparison
from apep_datagen.people.scenario import Ability
from support.exams import ideal, invents_near_misses, plan_of, played

IDEAL, NEVER, ALWAYS = played(ideal), played(never), played(always)


def test_who_is_better_is_found_ability_by_ability() -> None:
    found = compare(IDEAL, NEVER)
    assert found.rows[ALL].pairs == len(IDEAL)
    assert (found.rows[ALL].ours, found.notes) == (1, ())
    assert found.rows[ALL].difference.value == 1 - found.rows[ALL].theirs
    for name in ("recall", "forget", "diary", "connect"):
        assert found.rows[name].difference.value == 1
        assert found.rows[name].difference.is_more_than_chance
    assert found.rows["smalltalk"].difference.value == 0
    assert not found.rows["smalltalk"].difference.is_more_than_chance
    assert list(found.rows) == [ALL, *(ability.value for ability in Ability)]


def test_one_with_itself_differs_nowhere() -> None:
    found = compare(ALWAYS, reversed(ALWAYS))
    assert all(row.difference.value == 0 for row in found.rows.values())
    assert not any(row.difference.is_more_than_chance for row in found.rows.values())


def test_what_differs_in_a_few_questions_can_be_chance() -> None:
    row = compare(IDEAL, played(invents_near_misses)).rows["abstain"]
    assert row.difference.value > 0
    assert not row.difference.is_more_than_chance


def test_the_other_way_round_the_sign_is_the_other() -> None:
    there, back = compare(ALWAYS, NEVER), compare(NEVER, ALWAYS)
    for name, row in there.rows.items():
        assert row.difference.value == -back.rows[name].difference.value
        assert row.ours == back.rows[name].theirs


def test_a_void_question_is_not_compared() -> None:
    void = replace(IDEAL[0], outcome=Outcome(None, "a reason", is_void=True))
    found = compare([void, *IDEAL[1:]], IDEAL)
    assert found.rows[ALL].pairs == len(IDEAL) - 1
    assert found.notes == ("Not compared because one of the two conversations says nothing about Ada: 1 questions.",)


def test_another_question_at_the_same_place_is_not_compared() -> None:
    other = replace(IDEAL[0], question="0" * 16, outcome=Outcome(Failure.FORM, "broken"))
    found = compare([other, *IDEAL[1:]], IDEAL)
    assert (found.rows[ALL].pairs, found.rows[ALL].ours) == (len(IDEAL) - 1, 1)
    assert found.notes == ("Not compared because the other evaluation has no counterpart: 2 conversations.",)


def test_tries_are_compared_with_the_same_tries() -> None:
    twice = list(play(plan_of(2, tries=2), ideal))
    once = list(play(plan_of(2), ideal))
    found = compare(twice, once)
    assert found.rows[ALL].pairs == len(once)
    assert found.notes == (
        "The two exams differ in the tries (2 here, 1 there).",
        "Not compared because the other evaluation has no counterpart: 24 conversations.",
    )


def test_what_differs_between_the_exams_is_said() -> None:
    other = [replace(one, exam=Exam(2, 5, 3, 4, 1, "mistral"), tables="others") for one in NEVER]
    (note,) = compare(IDEAL, other).notes
    assert note == (
        "The two exams differ in the seed (1 here, 2 there), the number of users (12 here, 5 there), the days of a user"
        " (12 here, 3 there), the tries (1 here, 4 there), how often tools may be used (3 here, 1 there), the tester"
        " (written here, mistral there), the tables that users and questions are drawn from."
    )


def test_without_a_common_question_there_is_nothing_but_the_reason() -> None:
    other = list(play(plan_of(2, seed=2), never))
    found = compare(IDEAL, other)
    assert found.rows == {}
    text = describe_comparison(found)
    assert "the seed (1 here, 2 there)" in text
    assert "has no counterpart: 168 conversations" in text
    assert "difference" not in text


def test_of_nothing_there_is_no_comparison() -> None:
    with pytest.raises(StorageError, match="no conversation yet"):
        compare(IDEAL, [])


def test_the_text_and_json_say_what_was_found() -> None:
    found = compare(IDEAL, NEVER)
    lines = describe_comparison(found).splitlines()
    recall = next(line for line in lines if line.startswith("recall"))
    assert "100 %  " in recall
    assert "  +100  " in recall
    assert recall.endswith("more than chance")
    assert next(line for line in lines if line.startswith("smalltalk")).endswith("can be chance")
    told = json.loads(json.dumps(comparison_as_json(found)))
    assert told["rows"].keys() == found.rows.keys()
    assert told["rows"]["recall"]["difference"] == 1
    assert told["rows"]["recall"]["more_than_chance"] is True
    text = comparison_as_json.__doc__ or ""
    assert all(f"`{name}`" in text for name in (*told, *told["rows"]["all"]))
