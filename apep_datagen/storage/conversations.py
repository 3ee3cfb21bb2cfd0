"""What is read from the state database at a start, and recorded on the way.

All functions take the connection; the caller commits.
"""

from __future__ import annotations

import functools
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from apep_datagen.conversation.brief import Brief, QuestionAnswer
from apep_datagen.conversation.machine import replay
from apep_datagen.conversation.prompts import PromptSet
from apep_datagen.conversation.state import Conversation
from apep_datagen.people.scenario import Ability
from apep_datagen.people.story import Story
from apep_datagen.quality.problem import Problem
from apep_datagen.storage.notes import empty_notebooks, undo_conversation
from apep_datagen.storage.output import element_bytes

__all__ = [
    "ActiveConversation",
    "StepRecord",
    "Timeline",
    "accepted_by_ability",
    "active_conversations",
    "brief_from_json",
    "last_ids",
    "open_timelines",
    "read_story",
    "read_timeline",
    "record_finish",
    "record_rejection",
    "record_set_aside",
    "record_start",
    "record_step",
    "record_target",
    "rejected_count",
    "reset_tools",
    "run_seed",
    "set_aside_count",
]

# A timeline on which so many conversations in a row were rejected is over: its story may be the reason.
_MOST_REJECTED_IN_A_ROW = 5


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One outcome of a conversation: a model's answer, or (kind `tools`) the results of a round as a JSON array."""

    kind: str
    text: str
    finish_reason: str = ""
    provider: str | None = None
    model: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """A simulated user's history with Ada.

    Attributes:
        id: Its number in the run, from 1.
        story: Who the user is, and what she knows of them.
        conversations: How many were accepted.
        previous: What was said last.
        rejected_in_a_row: How many were rejected since the last one that was accepted.
    """

    id: int
    story: Story
    conversations: int = 0
    previous: QuestionAnswer | None = None
    rejected_in_a_row: int = 0


@dataclass(frozen=True, slots=True)
class ActiveConversation:
    """A conversation that was begun and not ended, with the provider that it was last with."""

    conversation: Conversation
    provider: str


def run_seed(connection: sqlite3.Connection) -> int:
    """Return the seed that the run began with."""
    (seed,) = connection.execute("SELECT seed FROM run").fetchone()
    return int(seed)


def active_conversations(connection: sqlite3.Connection) -> Iterator[ActiveConversation]:
    """Rebuild each conversation that was begun and not ended; one that cannot be rebuilt is set aside."""
    prompt_sets: dict[int, PromptSet] = {}
    rows = connection.execute(
        "SELECT id, prompt_set_id, plan, provider FROM conversations WHERE status = 'active' ORDER BY id"
    ).fetchall()
    for conversation_id, prompt_set_id, brief, provider in rows:
        if prompt_set_id not in prompt_sets:
            (texts,) = connection.execute("SELECT texts FROM prompt_sets WHERE id = ?", (prompt_set_id,)).fetchone()
            prompt_sets[prompt_set_id] = PromptSet.from_json(texts)
        outcomes = connection.execute(
            "SELECT kind, text, finish_reason FROM steps WHERE conversation_id = ? ORDER BY number", (conversation_id,)
        )
        try:
            conversation = replay(brief_from_json(brief), prompt_sets[prompt_set_id], outcomes)
        except ValueError as error:
            record_set_aside(connection, conversation_id, f"cannot be resumed: {error}")
            continue
        yield ActiveConversation(conversation, provider)


_TIMELINE = "SELECT id, story, conversations, last_question, last_answer, rejected_in_a_row FROM timelines"


def open_timelines(connection: sqlite3.Connection) -> list[Timeline]:
    """Return the timelines that go on, oldest first."""
    return [_timeline(*row) for row in connection.execute(f"{_TIMELINE} WHERE NOT closed ORDER BY id")]


def read_story(connection: sqlite3.Connection, timeline_id: int) -> Story:
    """Return the story of a timeline, which may be over."""
    (story,) = connection.execute("SELECT story FROM timelines WHERE id = ?", (timeline_id,)).fetchone()
    return _stories().validate_json(story)


def read_timeline(connection: sqlite3.Connection, timeline_id: int) -> Timeline | None:
    """Return a timeline; None if it is over."""
    row = connection.execute(f"{_TIMELINE} WHERE NOT closed AND id = ?", (timeline_id,)).fetchone()
    return None if row is None else _timeline(*row)


def _timeline(  # noqa: PLR0917 - the columns of a row, in order
    number: int, story: str, conversations: int, question: str | None, answer: str, rejected_in_a_row: int
) -> Timeline:
    previous = None if question is None else QuestionAnswer(question, answer)
    return Timeline(number, _stories().validate_json(story), conversations, previous, rejected_in_a_row)


def last_ids(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return the highest conversation and timeline numbers so far."""
    row = connection.execute("SELECT (SELECT max(id) FROM conversations), (SELECT max(id) FROM timelines)").fetchone()
    return row[0] or 0, row[1] or 0


def set_aside_count(connection: sqlite3.Connection) -> int:
    """Return how many conversations were set aside."""
    (count,) = connection.execute("SELECT count(*) FROM conversations WHERE status = 'set aside'").fetchone()
    return int(count)


def rejected_count(connection: sqlite3.Connection) -> int:
    """Return how many conversations were rejected."""
    (count,) = connection.execute("SELECT coalesce(sum(count), 0) FROM verdicts WHERE stage != ''").fetchone()
    return int(count)


def accepted_by_ability(connection: sqlite3.Connection) -> Counter[Ability]:
    """Return how many conversations of each ability were accepted."""
    rows = connection.execute("SELECT ability, sum(count) FROM verdicts WHERE stage = '' GROUP BY ability")
    return Counter({Ability(ability): count for ability, count in rows})


def record_target(connection: sqlite3.Connection, target: int) -> None:
    """Record how many conversations the output shall hold, for who asks how far the run is."""
    connection.execute("UPDATE run SET target = ?", (target,))


def record_start(connection: sqlite3.Connection, conversation: Conversation, provider: str) -> None:
    """Record that a conversation was begun: with its first step, so that there is none without a step."""
    brief, prompts = conversation.brief, conversation.prompts
    connection.execute(
        "INSERT OR IGNORE INTO timelines (id, story) VALUES (?, ?)",
        (brief.timeline_id, _stories().dump_json(Story(brief.user)).decode()),
    )
    connection.execute(
        "INSERT OR IGNORE INTO prompt_sets (digest, texts) VALUES (?, ?)", (prompts.digest, prompts.to_json())
    )
    connection.execute(
        "INSERT INTO conversations (id, timeline_id, prompt_set_id, plan, provider, started_at)"
        " SELECT ?, ?, id, ?, ?, ? FROM prompt_sets WHERE digest = ?",
        (
            brief.conversation_id,
            brief.timeline_id,
            _briefs().dump_json(brief).decode(),
            provider,
            time.time(),
            prompts.digest,
        ),
    )


def record_step(connection: sqlite3.Connection, conversation_id: int, number: int, step: StepRecord) -> None:
    """Record one outcome; `number` counts the conversation's outcomes from 1."""
    connection.execute(
        "INSERT INTO steps (conversation_id, number, kind, text, finish_reason, provider, model, prompt_tokens,"
        " completion_tokens, seconds, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            conversation_id,
            number,
            step.kind,
            step.text,
            step.finish_reason,
            step.provider,
            step.model,
            step.prompt_tokens,
            step.completion_tokens,
            step.seconds,
            time.time(),
        ),
    )
    if step.provider is not None:
        connection.execute("UPDATE conversations SET provider = ? WHERE id = ?", (step.provider, conversation_id))


def record_finish(
    connection: sqlite3.Connection, conversation: Conversation, line: str, story: Story, timeline_length: int
) -> None:
    """Record that a conversation is finished and accepted.

    Args:
        connection: The state database.
        conversation: What is finished.
        line: What the output gets.
        story: The story of its timeline, with it.
        timeline_length: How many conversations a timeline has.
    """
    brief = conversation.brief
    spoken = conversation.exchanges[-1].question_answer
    connection.execute(
        "UPDATE conversations SET status = 'finished', ended_at = ? WHERE id = ?", (time.time(), brief.conversation_id)
    )
    connection.execute(
        "UPDATE timelines SET conversations = conversations + 1, closed = closed OR conversations + 1 >= ?,"
        " last_question = ?, last_answer = ?, story = ?, rejected_in_a_row = 0 WHERE id = ?",
        (
            timeline_length,
            spoken.question,
            spoken.answer,
            _stories().dump_json(story).decode(),
            brief.timeline_id,
        ),
    )
    _count_verdict(connection, conversation, "", "")
    base_count, base_end, base_position = connection.execute(
        "SELECT base_count, base_end, base_position FROM run"
    ).fetchone()
    last_position, last_end = connection.execute(
        "SELECT position, end FROM samples ORDER BY position DESC LIMIT 1"
    ).fetchone() or (0, 0)
    start = last_end if last_position > base_position else base_end
    is_first = base_count == 0 and last_position <= base_position
    connection.execute(
        "INSERT INTO samples (position, conversation_id, line, end) VALUES (?, ?, ?, ?)",
        (last_position + 1, brief.conversation_id, line, start + len(element_bytes(line, first=is_first))),
    )


def record_rejection(connection: sqlite3.Connection, conversation: Conversation, problem: Problem) -> None:
    """Record that a conversation is finished and not accepted; what it did to memory and diary is undone.

    Its timeline goes on as if it had not taken place, unless too many in a row were rejected.
    """
    brief = conversation.brief
    connection.execute(
        "UPDATE conversations SET status = 'rejected', stage = ?, reason = ?, detail = ?, ended_at = ? WHERE id = ?",
        (problem.stage.value, problem.reason, problem.detail, time.time(), brief.conversation_id),
    )
    connection.execute(
        "UPDATE timelines SET rejected_in_a_row = rejected_in_a_row + 1, closed = closed OR rejected_in_a_row + 1 >= ?"
        " WHERE id = ?",
        (_MOST_REJECTED_IN_A_ROW, brief.timeline_id),
    )
    undo_conversation(connection, brief.conversation_id)
    _count_verdict(connection, conversation, problem.stage.value, problem.reason)


def _count_verdict(connection: sqlite3.Connection, conversation: Conversation, stage: str, reason: str) -> None:
    connection.execute(
        "INSERT INTO verdicts (provider, ability, stage, reason, count)"
        " SELECT provider, ?, ?, ?, 1 FROM conversations WHERE id = ?"
        " ON CONFLICT DO UPDATE SET count = count + 1",
        (conversation.brief.scenario.ability.value, stage, reason, conversation.brief.conversation_id),
    )


def record_set_aside(connection: sqlite3.Connection, conversation_id: int, reason: str) -> None:
    """Record that a conversation failed for good.

    What it did to memory and diary is undone, and its timeline is over: what failed once on its context may fail again.
    """
    connection.execute(
        "UPDATE conversations SET status = 'set aside', reason = ?, ended_at = ? WHERE id = ?",
        (reason, time.time(), conversation_id),
    )
    connection.execute(
        "UPDATE timelines SET closed = 1 WHERE id = (SELECT timeline_id FROM conversations WHERE id = ?)",
        (conversation_id,),
    )
    undo_conversation(connection, conversation_id)


def reset_tools(connection: sqlite3.Connection) -> None:
    """Empty memory and diary: all timelines are over, with the conversations that are going on in them."""
    empty_notebooks(connection)
    connection.execute("UPDATE timelines SET closed = 1")


# Made when they are first needed: each takes some milliseconds.
@functools.cache
def _briefs() -> TypeAdapter[Brief]:
    return TypeAdapter(Brief)


@functools.cache
def _stories() -> TypeAdapter[Story]:
    return TypeAdapter(Story)


def brief_from_json(text: str) -> Brief:
    """Read a brief as it is stored.

    Raises:
        ValueError: It is none, or an older version's.
    """
    try:
        return _briefs().validate_json(text)
    except ValidationError as error:
        raise ValueError("an earlier version of the program began it, whose plans are not read any more") from error
