"""What an answer, or a failure, does to the state: each is one transaction, so all of it happens once or not at all."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from apep_datagen.conversation import (
    Conversation,
    Finished,
    ToolRound,
    advance_with_completion,
    advance_with_results,
    next_step,
    sample_line,
)
from apep_datagen.memory import SqliteNotebook, count_notes
from apep_datagen.records import StepRecord, record_finish, record_set_aside, record_start, record_step
from apep_datagen.tools import run_call

__all__ = ["Recorded", "record_answer", "record_failure"]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of a transaction.

    Attributes:
        conversation: The conversation after it.
        is_finished: Whether it is complete.
        memories: How many more memories there are.
        diary_pages: How many more diary pages there are.
    """

    conversation: Conversation
    is_finished: bool
    memories: int
    diary_pages: int


def record_answer(
    connection: sqlite3.Connection, conversation: Conversation, step: StepRecord, provider: str, timeline_length: int
) -> Recorded:
    """Record an answer, run the tools that it calls, and finish the conversation if it is complete.

    Args:
        connection: In a transaction that the caller commits.
        conversation: The conversation that the answer is to.
        step: The answer.
        provider: Who gave it.
        timeline_length: How many conversations a timeline has.
    """
    plan = conversation.plan
    if conversation.steps == 0:
        record_start(connection, conversation, provider)
    conversation = advance_with_completion(conversation, step.text, step.finish_reason)
    record_step(connection, plan.conversation_id, conversation.steps, step)
    memories, diary_pages = 0, 0
    needed = next_step(conversation)
    if isinstance(needed, ToolRound):
        before = count_notes(connection, plan.timeline_id)
        notebook = SqliteNotebook(connection, plan.timeline_id, plan.conversation_id, plan.date)
        results: list[Any] = [run_call(call, notebook) for call in needed.calls]
        conversation = advance_with_results(conversation, results)
        text = json.dumps(results, ensure_ascii=False)
        record_step(connection, plan.conversation_id, conversation.steps, StepRecord("tools", text))
        memories, diary_pages = _notes_since(connection, plan.timeline_id, before)
        needed = next_step(conversation)
    if isinstance(needed, Finished):
        record_finish(connection, conversation, sample_line(needed.messages), timeline_length)
    return Recorded(conversation, isinstance(needed, Finished), memories, diary_pages)


def record_failure(connection: sqlite3.Connection, conversation: Conversation, reason: str, provider: str) -> Recorded:
    """Set a conversation aside, and undo what it did to memory and diary; arguments as for `record_answer`."""
    plan = conversation.plan
    if conversation.steps == 0:
        record_start(connection, conversation, provider)
    before = count_notes(connection, plan.timeline_id)
    record_set_aside(connection, plan.conversation_id, reason)
    memories, diary_pages = _notes_since(connection, plan.timeline_id, before)
    return Recorded(conversation, False, memories, diary_pages)  # noqa: FBT003 - read beside its name above


def _notes_since(connection: sqlite3.Connection, timeline_id: int, before: tuple[int, int]) -> tuple[int, int]:
    """Return how many memories and diary pages a timeline has more than `before`."""
    memories, diary_pages = count_notes(connection, timeline_id)
    return memories - before[0], diary_pages - before[1]
