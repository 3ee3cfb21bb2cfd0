"""What an answer, or a failure, does to the state: each is one transaction, so all of it happens once or not at all."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.machine import (
    WRITTEN,
    Finished,
    ModelCall,
    ToolRound,
    advance_with_completion,
    advance_with_originals,
    advance_with_results,
    next_step,
    uncalled_step,
)
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.calls import MalformedCall, ToolCall
from apep_datagen.core.errors import FailureKind
from apep_datagen.core.messages import Step
from apep_datagen.core.notebook import Notebook, Notes
from apep_datagen.core.tools import run_call
from apep_datagen.engine.ending import Ended, Ending
from apep_datagen.quality.problem import Problem
from apep_datagen.storage.conversations import (
    StepRecord,
    record_acceptance,
    record_rejection,
    record_set_aside,
    record_start,
    record_step,
)
from apep_datagen.storage.notes import read_notebook, write_notebook
from apep_datagen.storage.reviews import count_review
from apep_datagen.storage.rewrites import count_rewrites
from apep_datagen.storage.timelines import Timeline, left_on, read_timeline
from apep_datagen.storage.verdicts import count_set_aside

__all__ = ["Committed", "Rules", "commit_answer", "commit_failure"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides about a finished conversation.

    Attributes:
        ending: Says what it comes to.
        timeline_length: How many conversations a timeline has.
        least_yield: The share that is to be accepted of a provider's conversations.
        others_take_its_place: Whether another conversation is made for one that failed; else what was still to come on
            its timeline is lost with it.
    """

    ending: Ending
    timeline_length: int
    least_yield: float
    others_take_its_place: bool = True


@dataclass(frozen=True, slots=True)
class Committed:
    """What came of a transaction.

    Attributes:
        conversation: The conversation after it.
        memories: How many more memories there are.
        diary_pages: How many more diary pages there are.
        is_finished: Whether it is complete.
        problem: Why it was rejected, or None.
        timeline: Its timeline, once it is finished; None if that is over.
        rewritten: Of the thoughts that the answer rewrote, why each is saved as it was; empty where it is not.
        put_back: How many thoughts, also of earlier exchanges, judging has put back to what they were.
        lost: How many conversations will not be made because this one failed.
    """

    conversation: Conversation
    memories: int = 0
    diary_pages: int = 0
    is_finished: bool = False
    problem: Problem | None = None
    timeline: Timeline | None = None
    rewritten: tuple[str, ...] = ()
    put_back: int = 0
    lost: int = 0


def commit_answer(
    connection: sqlite3.Connection,
    conversation: Conversation,
    step: StepRecord,
    provider: str,
    rules: Rules,
) -> Committed:
    """Record an answer, run the tools that it calls, and decide about the conversation if it is complete.

    What follows and takes no model, is recorded with it: that an exchange needs no rewrite, and what the user says next
    where it is written. Where a review is due, the conversation is judged before it, so that what is rejected costs
    none, and once more with it.

    Args:
        connection: In a transaction that the caller commits.
        conversation: The conversation that the answer is to.
        step: The answer.
        provider: Who gave it.
        rules: What decides about the conversation, if it is complete.
    """
    if conversation.is_new:
        _record_start(connection, conversation, provider)
    past = conversation.past
    conversation = _record_completion(connection, replace(conversation, past=None), step, provider)
    rewritten = conversation.exchanges[-1].kept if step.kind == Step.REWRITE.value else ()
    if conversation.review is not None:
        count_review(connection, provider, conversation.review)
    while (uncalled := uncalled_step(conversation)) is not None:
        record = StepRecord(uncalled.step.value, uncalled.text, finish_reason=uncalled.finish_reason)
        conversation = _record_completion(connection, conversation, record, provider)
    committed = _go_on(connection, conversation, rules, rewritten)
    memories = sum(note.shelf == "memory" for note in past.notes) if past else 0
    pages = len(past.notes) - memories if past else 0
    return replace(committed, memories=committed.memories + memories, diary_pages=committed.diary_pages + pages)


def _go_on(
    connection: sqlite3.Connection, conversation: Conversation, rules: Rules, rewritten: tuple[str, ...]
) -> Committed:
    """Run the tools that are called, or decide about the conversation if it is complete."""
    match next_step(conversation):
        case ToolRound(calls):
            return _run_tools(connection, conversation, calls)
        case Finished() | ModelCall(Step.REVIEW):
            committed = _end(connection, conversation, rules)
            return replace(committed, rewritten=committed.conversation.exchanges[-1].kept if rewritten else ())
        case _:
            return Committed(conversation, rewritten=rewritten)


def _record_start(connection: sqlite3.Connection, conversation: Conversation, provider: str) -> None:
    record_start(connection, conversation, provider)
    if conversation.brief.messages:
        written = StepRecord(Step.ASK.value, conversation.brief.messages[0], finish_reason=WRITTEN)
        record_step(connection, conversation.brief.conversation_id, 1, written)


def _record_completion(
    connection: sqlite3.Connection, conversation: Conversation, step: StepRecord, provider: str
) -> Conversation:
    """Record the answer to the call that is due, or what stands for one, and return the conversation with it."""
    conversation = advance_with_completion(conversation, step.text, step.finish_reason)
    record_step(connection, conversation.brief.conversation_id, conversation.steps, step)
    if step.kind == Step.REWRITE.value:
        count_rewrites(connection, provider, conversation.exchanges[-1].kept)
    return conversation


def _run_tools(
    connection: sqlite3.Connection, conversation: Conversation, calls: Sequence[ToolCall | MalformedCall]
) -> Committed:
    """Run a round of calls on memory and diary, and record what they give."""
    brief = conversation.brief
    notebook = _notebook(connection, brief)
    before = notebook.notes()
    results: list[Any] = [run_call(call, notebook) for call in calls]
    write_notebook(connection, brief.timeline_id, notebook)
    conversation = advance_with_results(conversation, results)
    text = json.dumps(results, ensure_ascii=False)
    record_step(connection, brief.conversation_id, conversation.steps, StepRecord("tools", text))
    return Committed(conversation, *_gained(before, notebook.notes()))


def _end(connection: sqlite3.Connection, conversation: Conversation, rules: Rules) -> Committed:
    """Accept a conversation that is complete, or undo it and say why; or let it wait for its review."""
    brief = conversation.brief
    notebook = _notebook(connection, brief)
    before, after = notebook.notes_before(), notebook.notes()
    ended = rules.ending(connection, conversation, notebook)
    if ended.verdict is None:
        return _wait_for_review(connection, ended)
    conversation = ended.conversation
    problem, gained = None, (0, 0)
    if isinstance(ended.verdict, Problem):
        problem = ended.verdict
        record_rejection(connection, conversation, problem)
        gained = _gained(after, before)
    else:
        record_acceptance(connection, conversation, ended.verdict.line, ended.verdict.story, rules.timeline_length)
    return Committed(
        conversation,
        *gained,
        is_finished=True,
        problem=problem,
        timeline=read_timeline(connection, brief.timeline_id),
        put_back=len(ended.put_back),
    )


def _wait_for_review(connection: sqlite3.Connection, ended: Ended) -> Committed:
    """Record which thoughts judging has put back, so that the reviewer reads what is saved, also after a crash."""
    conversation = ended.conversation
    if ended.put_back:
        conversation = advance_with_originals(conversation, ended.put_back)
        record = StepRecord("originals", json.dumps(ended.put_back))
        record_step(connection, conversation.brief.conversation_id, conversation.steps, record)
    return Committed(conversation, put_back=len(ended.put_back))


def commit_failure(
    connection: sqlite3.Connection,
    conversation: Conversation,
    kind: FailureKind,
    reason: str,
    *,
    provider: str,
    rules: Rules,
) -> Committed:
    """Set a conversation aside, and undo what it did to memory and diary.

    Args:
        connection: In a transaction that the caller commits.
        conversation: What failed.
        kind: What failed it, as it is counted.
        reason: The same in words.
        provider: Where it failed.
        rules: What decides about the conversation.
    """
    brief = conversation.brief
    if conversation.is_new:
        _record_start(connection, conversation, provider)
    notebook = _notebook(connection, brief)
    record_set_aside(connection, brief.conversation_id, reason)
    count_set_aside(connection, brief, provider, kind)
    lost = 0 if rules.others_take_its_place else left_on(connection, brief.timeline_id, rules.timeline_length)
    return Committed(conversation, *_gained(notebook.notes(), notebook.notes_before()), lost=lost)


def _notebook(connection: sqlite3.Connection, brief: Brief) -> Notebook:
    return read_notebook(connection, brief.timeline_id, brief.conversation_id, brief.date)


def _gained(before: Notes, after: Notes) -> tuple[int, int]:
    """Return how many memories and diary pages there are more than before."""
    return len(after.memory) - len(before.memory), len(after.diary) - len(before.diary)
