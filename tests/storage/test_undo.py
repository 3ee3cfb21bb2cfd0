"""What is not accepted leaves memory and diary as they were: every row, whatever was called."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.calls import MalformedCall, ToolCall
from apep_datagen.core.errors import FailureKind
from apep_datagen.core.markup import call_block
from apep_datagen.engine.commit import Committed, Rules, commit_answer, commit_failure
from apep_datagen.engine.ending import JudgedEnding
from apep_datagen.people.phrases import load_phrases
from apep_datagen.quality.judge import Judge, Level
from apep_datagen.quality.novelty import NoveltyLimits
from apep_datagen.quality.problem import Stage
from apep_datagen.storage.conversations import StepRecord
from apep_datagen.storage.notes import read_notebook, undo_conversation
from apep_datagen.storage.timelines import read_story
from support import briefs
from support.notes import CALL, CONVERSATION, call_all, database

PROMPTS = load_prompts()
# Only what is needed to tell that a tool was called where none was to be.
PHRASES = load_phrases(
    "refusals = []\nmachine_talk = []\nsincere_questions = []\nrole_labels = []\nada_voice = []\nprompt_talk = []\n"
    "admissions = []\n[intents]\n",
    "phrases.toml",
)

Rows = list[tuple[Any, ...]]


def rows(connection: sqlite3.Connection) -> Rows:
    return connection.execute("SELECT * FROM notes ORDER BY id").fetchall()


@given(st.lists(CONVERSATION, max_size=6), CONVERSATION)
def test_undoing_the_last_conversation_restores_every_row(
    earlier: list[tuple[int, list[ToolCall | MalformedCall]]], last: tuple[int, list[ToolCall | MalformedCall]]
) -> None:
    with database() as connection:
        for number, (timeline, calls) in enumerate(earlier, start=1):
            call_all(connection, timeline, number, calls)
        before = rows(connection)
        timeline, calls = last
        call_all(connection, timeline, len(earlier) + 1, calls)
        undo_conversation(connection, len(earlier) + 1)
        assert rows(connection) == before


@given(st.lists(CONVERSATION, max_size=4), st.lists(CALL, max_size=5), st.lists(st.lists(CALL, max_size=4), max_size=3))
def test_what_other_timelines_did_meanwhile_stays(
    earlier: list[tuple[int, list[ToolCall | MalformedCall]]],
    calls: list[ToolCall | MalformedCall],
    meanwhile: list[list[ToolCall | MalformedCall]],
) -> None:
    """As if the undone conversation had never been: all but the numbers of the rows is the same."""
    columns = "timeline_id, shelf, date, text, added_in, deleted_in"
    outcomes = []
    for takes_place in (True, False):
        with database() as connection:
            for number, (timeline, known) in enumerate(earlier, start=1):
                call_all(connection, timeline, number, known)
            undone = len(earlier) + 1
            if takes_place:
                call_all(connection, 1, undone, calls)
            for number, others in enumerate(meanwhile, start=undone + 1):
                call_all(connection, 2, number, others)
            undo_conversation(connection, undone)
            outcomes.append(connection.execute(f"SELECT {columns} FROM notes ORDER BY id").fetchall())  # noqa: S608 - constant
    assert outcomes[0] == outcomes[1]


@given(st.lists(CONVERSATION, max_size=4), CONVERSATION)
def test_what_was_there_before_and_after_is_told_rightly(
    earlier: list[tuple[int, list[ToolCall | MalformedCall]]], last: tuple[int, list[ToolCall | MalformedCall]]
) -> None:
    with database() as connection:
        for number, (timeline, calls) in enumerate(earlier, start=1):
            call_all(connection, timeline, number, calls)
        timeline, calls = last
        expected = [read_notebook(connection, timeline, 99, "2026-02-01").notes()]
        call_all(connection, timeline, len(earlier) + 1, calls)
        expected.append(read_notebook(connection, timeline, 99, "2026-02-01").notes())
        told = read_notebook(connection, timeline, len(earlier) + 1, "2026-02-01")
        assert [told.notes_before(), told.notes()] == expected


# Through the recording of answers, as the program does it.


def rules(level: Level) -> Rules:
    return Rules(JudgedEnding(Judge(level, PHRASES, NoveltyLimits(), ())), timeline_length=99, least_yield=0.0)


def talk(
    connection: sqlite3.Connection, brief: Brief, calls: list[ToolCall | MalformedCall], level: Level
) -> Committed:
    """Let a conversation with these calls, in one round, come to its end."""
    blocks = "\n".join(call_block(call) for call in calls)
    answers = [("ask", "What a day."), ("answer", f"<think>I use my memory.</think>\n\n{blocks or 'Well, well.'}")]
    answers += [("continue", "<think>That was it.</think>\n\nWell, well.")] if calls else []
    answers += [("rewrite", "")]
    recorded = Committed(Conversation(brief, PROMPTS))
    for kind, text in answers:
        step = StepRecord(kind, text, "stop", "endpoint", "model-one", 1, 1, 0.1)
        recorded = commit_answer(connection, recorded.conversation, step, "endpoint", rules(level))
    assert recorded.is_finished
    return recorded


@given(st.lists(CONVERSATION, max_size=3), st.integers(1, 3), st.lists(CALL, min_size=1, max_size=5))
def test_a_rejected_conversation_leaves_every_row_and_the_story_as_they_were(
    earlier: list[tuple[int, list[ToolCall | MalformedCall]]], timeline: int, calls: list[ToolCall | MalformedCall]
) -> None:
    with database() as connection:
        for number, (owner, known) in enumerate(earlier, start=1):
            assert talk(connection, _plan(number, owner), known, "off").problem is None
        before = rows(connection), _stories(connection)
        number = len(earlier) + 1
        recorded = talk(connection, _plan(number, timeline), calls, "strict")
        assert recorded.problem is not None  # small talk needs no tool
        assert recorded.problem.stage in {Stage.EXECUTION, Stage.EFFECT}
        after = rows(connection), {key: story for key, story in _stories(connection).items() if key in before[1]}
        assert after == before
        # What the run counts is what there is.
        status, stage = connection.execute("SELECT status, stage FROM conversations WHERE id = ?", (number,)).fetchone()
        assert (status, stage) == ("rejected", recorded.problem.stage.value)
        assert connection.execute("SELECT count(*) FROM samples").fetchone() == (len(earlier),)


@given(st.lists(CONVERSATION, max_size=3), st.integers(1, 3), st.lists(CALL, min_size=1, max_size=5))
def test_a_conversation_that_is_set_aside_leaves_every_row_as_it_was(
    earlier: list[tuple[int, list[ToolCall | MalformedCall]]], timeline: int, calls: list[ToolCall | MalformedCall]
) -> None:
    with database() as connection:
        for number, (owner, known) in enumerate(earlier, start=1):
            talk(connection, _plan(number, owner), known, "off")
        before = rows(connection)
        recorded = Committed(Conversation(_plan(len(earlier) + 1, timeline), PROMPTS))
        blocks = "\n".join(call_block(call) for call in calls)
        memories = diary_pages = 0
        for kind, text in (("ask", "What a day."), ("answer", f"<think>I use my memory.</think>\n\n{blocks}")):
            recorded = commit_answer(
                connection, recorded.conversation, StepRecord(kind, text, "stop"), "endpoint", rules("strict")
            )
            memories, diary_pages = memories + recorded.memories, diary_pages + recorded.diary_pages
        failed = commit_failure(
            connection,
            recorded.conversation,
            FailureKind.REFUSED,
            "it was refused",
            provider="endpoint",
            rules=rules("off"),
        )
        assert rows(connection) == before
        assert (memories + failed.memories, diary_pages + failed.diary_pages) == (0, 0)


def test_a_conversation_that_has_ended_is_not_set_aside() -> None:
    """Whatever goes wrong behind its commit: what is in the output stays."""
    with database() as connection:
        ended = talk(connection, _plan(1, 1), [], "off").conversation
        before = connection.execute("SELECT status, reason FROM conversations").fetchall()
        with pytest.raises(ValueError, match="not in progress"):
            commit_failure(
                connection,
                ended,
                FailureKind.UNFORESEEN,
                "a fault behind its commit",
                provider="endpoint",
                rules=rules("off"),
            )
        assert connection.execute("SELECT status, reason FROM conversations").fetchall() == before
        assert connection.execute("SELECT count(*) FROM samples").fetchone() == (1,)


def _plan(number: int, timeline: int) -> Brief:
    return replace(briefs.BRIEF, conversation_id=number, timeline_id=timeline, at=f"2026-01-{number:02}T10:00")


def _stories(connection: sqlite3.Connection) -> dict[int, Any]:
    numbers = [number for (number,) in connection.execute("SELECT id FROM timelines")]
    return {number: read_story(connection, number) for number in numbers}
