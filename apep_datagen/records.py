"""What is read from the state database at a start, and recorded on the way.

All functions take the connection; the caller commits.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from apep_datagen.conversation import Conversation, Plan, QuestionAnswer, replay
from apep_datagen.dataset import element_bytes
from apep_datagen.memory import delete_all_notes, undo_conversation
from apep_datagen.prompts import PromptSet

__all__ = [
    "ActiveConversation",
    "StepRecord",
    "Timeline",
    "active_conversations",
    "last_ids",
    "open_timelines",
    "record_finish",
    "record_set_aside",
    "record_start",
    "record_step",
    "record_target",
    "reset_tools",
    "run_seed",
    "set_aside_count",
]


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
    """A simulated user: how many finished conversations there are, and what was last said."""

    id: int
    conversations: int = 0
    previous: QuestionAnswer | None = None


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
    for conversation_id, prompt_set_id, plan, provider in rows:
        if prompt_set_id not in prompt_sets:
            (texts,) = connection.execute("SELECT texts FROM prompt_sets WHERE id = ?", (prompt_set_id,)).fetchone()
            prompt_sets[prompt_set_id] = PromptSet.from_json(texts)
        outcomes = connection.execute(
            "SELECT kind, text, finish_reason FROM steps WHERE conversation_id = ? ORDER BY number", (conversation_id,)
        )
        try:
            conversation = replay(_plan_from_json(plan), prompt_sets[prompt_set_id], outcomes)
        except (ValueError, TypeError, KeyError) as error:
            record_set_aside(connection, conversation_id, f"cannot be resumed: {error}")
            continue
        yield ActiveConversation(conversation, provider)


def open_timelines(connection: sqlite3.Connection) -> list[Timeline]:
    """Return the timelines that go on, oldest first."""
    rows = connection.execute(
        "SELECT id, conversations, last_question, last_answer FROM timelines WHERE NOT closed ORDER BY id"
    )
    return [
        Timeline(number, conversations, None if question is None else QuestionAnswer(question, answer))
        for number, conversations, question, answer in rows
    ]


def last_ids(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return the highest conversation and timeline numbers so far."""
    row = connection.execute("SELECT (SELECT max(id) FROM conversations), (SELECT max(id) FROM timelines)").fetchone()
    return row[0] or 0, row[1] or 0


def set_aside_count(connection: sqlite3.Connection) -> int:
    """Return how many conversations were set aside."""
    (count,) = connection.execute("SELECT count(*) FROM conversations WHERE status = 'set aside'").fetchone()
    return int(count)


def record_target(connection: sqlite3.Connection, target: int) -> None:
    """Record how many conversations the output shall hold, for who asks how far the run is."""
    connection.execute("UPDATE run SET target = ?", (target,))


def record_start(connection: sqlite3.Connection, conversation: Conversation, provider: str) -> None:
    """Record that a conversation was begun: with its first step, so that there is none without a step."""
    plan, prompts = conversation.plan, conversation.prompts
    connection.execute("INSERT OR IGNORE INTO timelines (id) VALUES (?)", (plan.timeline_id,))
    connection.execute(
        "INSERT OR IGNORE INTO prompt_sets (digest, texts) VALUES (?, ?)", (prompts.digest, prompts.to_json())
    )
    connection.execute(
        "INSERT INTO conversations (id, timeline_id, prompt_set_id, plan, provider, started_at)"
        " SELECT ?, ?, id, ?, ?, ? FROM prompt_sets WHERE digest = ?",
        (
            plan.conversation_id,
            plan.timeline_id,
            json.dumps(asdict(plan), ensure_ascii=False),
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


def record_finish(connection: sqlite3.Connection, conversation: Conversation, line: str, timeline_length: int) -> None:
    """Record that a conversation is finished, with the line that the output gets, and what its timeline saw last."""
    plan = conversation.plan
    spoken = conversation.exchanges[-1].question_answer
    connection.execute(
        "UPDATE conversations SET status = 'finished', ended_at = ? WHERE id = ?", (time.time(), plan.conversation_id)
    )
    connection.execute(
        "UPDATE timelines SET conversations = conversations + 1, closed = conversations + 1 >= ?, last_question = ?,"
        " last_answer = ? WHERE id = ?",
        (timeline_length, spoken.question, spoken.answer, plan.timeline_id),
    )
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
        (last_position + 1, plan.conversation_id, line, start + len(element_bytes(line, first=is_first))),
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
    """Empty memory and diary; timelines that nothing is going on in are over, as their users are forgotten."""
    delete_all_notes(connection)
    connection.execute(
        "UPDATE timelines SET closed = 1 WHERE NOT closed"
        " AND id NOT IN (SELECT timeline_id FROM conversations WHERE status = 'active')"
    )


def _plan_from_json(text: str) -> Plan:
    values: dict[str, Any] = json.loads(text)
    previous = values.pop("previous")
    return Plan(**values, previous=QuestionAnswer(**previous) if previous else None)
