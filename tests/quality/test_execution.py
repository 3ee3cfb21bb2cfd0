"""The saved calls, executed again, give the saved results and the recorded notes; and no error is left as it was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.calls import MalformedCall, ToolCall
from apep_datagen.core.notebook import Note, Notebook, Notes
from apep_datagen.core.tools import run_call
from apep_datagen.quality import execution
from apep_datagen.quality.execution import replay_calls
from apep_datagen.quality.problem import Stage
from apep_datagen.quality.sample import Sample, SavedExchange, SavedTurn
from apep_datagen.storage.notes import read_notebook
from support.notes import CALL, CONVERSATION, call_all, database

DATE = "2026-03-14"
BEFORE = Notes((Note(1, "2026-01-01", "A dog."), Note(2, "2026-01-02", "A cat.")), (Note(1, "2026-01-02", "A day."),))
LOOK = ToolCall("recall_memories", {})
ADD = ToolCall("add_memory", {"input_text": ["A bird."]})
DELETE = ToolCall("delete_memory", {"indices": [1]})
WRONG_INDEX = ToolCall("delete_memory", {"indices": [7]})
UNKNOWN = ToolCall("remember_this", {})
Calls = tuple[ToolCall | MalformedCall, ...]


def executed(*rounds: Calls) -> tuple[Sample, Notes]:
    """Return a sample of one exchange with these calls and their true results, and the notes after it."""
    notebook = Notebook.holding(BEFORE, date=DATE)
    turns = [SavedTurn("I use it.", "", calls, tuple(run_call(call, notebook) for call in calls)) for calls in rounds]
    return Sample("You are Ada.", (SavedExchange("Hi.", (*turns, SavedTurn("Hm.", "Well."))),)), notebook.notes()


def reason(sample: Sample, after: Notes) -> str | None:
    problem = execution.check(sample, BEFORE, after, DATE)
    if problem is None:
        return None
    assert problem.stage is Stage.EXECUTION
    return problem.reason


def with_turn(sample: Sample, position: int, **changes: Any) -> Sample:
    (exchange,) = sample.exchanges
    turns = list(exchange.turns)
    turns[position] = replace(turns[position], **changes)
    return replace(sample, exchanges=(replace(exchange, turns=tuple(turns)),))


CHANGED = "a saved tool result is not what the call gives"
OTHERWISE = "the calls do not lead to the recorded memory and diary"
UNMENDED = "a call failed, and was not made again rightly"


@pytest.mark.parametrize("rounds", [(), ((LOOK,),), ((ADD,),), ((LOOK,), (DELETE, ADD)), ((ADD, LOOK), (LOOK,))])
def test_what_was_executed_as_it_is_accepted_has_no_problem(rounds: tuple[Calls, ...]) -> None:
    assert reason(*executed(*rounds)) is None


@pytest.mark.parametrize(
    "result",
    [
        {"added": 2, "indices": [3]},
        {"added": 1, "indices": [2]},
        {"added": 1},
        {"error": "out of order"},
        [],
        None,
        "added",
    ],
)
def test_a_changed_result_is_found(result: Any) -> None:
    sample, after = executed((ADD,))
    assert reason(with_turn(sample, 0, results=(result,)), after) == CHANGED


@pytest.mark.parametrize(("old", "new"), [("A dog.", "A frog."), ("2026-01-01", "2026-01-03")])
def test_a_changed_word_in_a_list_of_notes_is_found(old: str, new: str) -> None:
    sample, after = executed((LOOK,))
    notes = sample.exchanges[0].turns[0].results[0]["memories"]
    changed = [{key: new if value == old else value for key, value in note.items()} for note in notes]
    assert reason(with_turn(sample, 0, results=({"memories": changed},)), after) == CHANGED


def test_a_changed_call_is_found() -> None:
    sample, after = executed((LOOK,), (DELETE,))
    other = ToolCall("delete_memory", {"indices": [2]})
    assert reason(with_turn(sample, 1, calls=(other,)), after) == CHANGED
    sample, after = executed((ADD,))
    other = ToolCall("add_memory", {"input_text": ["A fish."]})
    assert reason(with_turn(sample, 0, calls=(other,)), after) == OTHERWISE


def test_a_dropped_call_is_found() -> None:
    sample, after = executed((LOOK,), (DELETE, ADD))
    kept = sample.exchanges[0].turns[1]
    assert reason(with_turn(sample, 1, calls=kept.calls[:1], results=kept.results[:1]), after) == OTHERWISE
    sample, after = executed((ADD,), (LOOK,))
    (exchange,) = sample.exchanges
    without = replace(sample, exchanges=(replace(exchange, turns=exchange.turns[1:]),))
    assert reason(without, after) == CHANGED


def test_notes_that_no_call_led_to_are_found() -> None:
    sample, after = executed((LOOK,))
    assert reason(sample, replace(after, memory=after.memory[:1])) == OTHERWISE
    assert reason(sample, replace(after, diary=())) == OTHERWISE
    dated = replace(after.memory[0], date=DATE)
    assert reason(sample, replace(after, memory=(dated, *after.memory[1:]))) == OTHERWISE


def test_another_day_is_found() -> None:
    sample, after = executed((ADD, LOOK))
    problem = execution.check(sample, BEFORE, after, "2026-03-15")
    assert problem is not None
    assert problem.reason == CHANGED


@pytest.mark.parametrize("wrong", [WRONG_INDEX, UNKNOWN, MalformedCall("no call", "it cannot be read")])
def test_an_error_is_to_be_mended_in_a_later_round(wrong: ToolCall | MalformedCall) -> None:
    assert reason(*executed((wrong,))) == UNMENDED
    assert reason(*executed((LOOK,), (wrong,))) == UNMENDED
    assert reason(*executed((DELETE, wrong))) == UNMENDED
    assert reason(*executed((wrong, DELETE))) == UNMENDED
    assert reason(*executed((wrong,), (DELETE,))) is None
    assert reason(*executed((wrong,), (LOOK,), (DELETE, ADD))) is None
    assert reason(*executed((wrong,), (wrong,))) == UNMENDED


def test_an_error_in_an_earlier_exchange_is_found_as_well() -> None:
    failing, after = executed((WRONG_INDEX,))
    fine, _ = executed((LOOK,))
    both = Sample("You are Ada.", failing.exchanges + fine.exchanges)
    assert reason(both, after) == UNMENDED
    assert reason(Sample("You are Ada.", fine.exchanges + failing.exchanges), after) == UNMENDED


@given(st.lists(CONVERSATION, max_size=4), st.lists(st.lists(CALL, min_size=1, max_size=3), max_size=3))
def test_replaying_gives_what_the_database_gave(
    earlier: list[tuple[int, list[ToolCall | MalformedCall]]], rounds: list[list[ToolCall | MalformedCall]]
) -> None:
    with database() as connection:
        for number, (timeline, calls) in enumerate(earlier, start=1):
            call_all(connection, timeline, number, calls)
        last = len(earlier) + 1
        notebook = read_notebook(connection, 1, last, DATE)
        turns = [
            SavedTurn("I use it.", "", tuple(calls), tuple(run_call(call, notebook) for call in calls))
            for calls in rounds
        ]
        before, after = notebook.notes_before(), notebook.notes()
    sample = Sample("You are Ada.", (SavedExchange("Hi.", (*turns, SavedTurn("Hm.", "Well."))),))
    assert replay_calls(sample, before, DATE) == (None, after)
