"""What an answer, or a failure, does to the state: each is one transaction, so all of it happens once or not at all."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.machine import (
    Finished,
    ModelCall,
    ToolRound,
    advance_with_completion,
    advance_with_originals,
    advance_with_results,
    needs_no_rewrite,
    next_step,
)
from apep_datagen.conversation.prompting import training_sample
from apep_datagen.conversation.rewriting import NOT_NEEDED
from apep_datagen.conversation.shortcoming import Shortcoming
from apep_datagen.conversation.state import Conversation, due_call
from apep_datagen.core.calls import MalformedCall, ToolCall
from apep_datagen.core.errors import FailureKind
from apep_datagen.core.messages import Step
from apep_datagen.core.notebook import Notebook, Notes
from apep_datagen.core.sample_json import sample_line
from apep_datagen.core.tools import run_call
from apep_datagen.people.story import story_after
from apep_datagen.quality.judge import Judge
from apep_datagen.quality.problem import Problem
from apep_datagen.quality.second_look import Judged, judge_rewritten
from apep_datagen.storage.accepted import AcceptedConversations
from apep_datagen.storage.cases import case_of
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
from apep_datagen.storage.rewrites import count_rewrites, put_back
from apep_datagen.storage.timelines import Timeline, read_story, read_timeline
from apep_datagen.storage.verdicts import count_set_aside

__all__ = ["Committed", "Rules", "commit_answer", "commit_failure"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides about a finished conversation.

    Attributes:
        judge: Who judges it.
        timeline_length: How many conversations a timeline has.
        least_yield: The share that is to be accepted of a provider's conversations.
    """

    judge: Judge
    timeline_length: int
    least_yield: float


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
    """

    conversation: Conversation
    memories: int = 0
    diary_pages: int = 0
    is_finished: bool = False
    problem: Problem | None = None
    timeline: Timeline | None = None
    rewritten: tuple[str, ...] = ()
    put_back: int = 0


def commit_answer(
    connection: sqlite3.Connection,
    conversation: Conversation,
    step: StepRecord,
    provider: str,
    rules: Rules,
) -> Committed:
    """Record an answer, run the tools that it calls, and judge the conversation if it is complete.

    Where the answer ends an exchange that needs no rewrite, this is recorded with it. Where a review is due, the
    conversation is judged before it, so that what is rejected costs none, and once more with it.

    Args:
        connection: In a transaction that the caller commits.
        conversation: The conversation that the answer is to.
        step: The answer.
        provider: Who gave it.
        rules: What decides about the conversation, if it is complete.
    """
    brief = conversation.brief
    if conversation.steps == 0:
        record_start(connection, conversation, provider)
    past = conversation.past
    conversation = replace(advance_with_completion(conversation, step.text, step.finish_reason), past=None)
    record_step(connection, brief.conversation_id, conversation.steps, step)
    rewritten = conversation.exchanges[-1].kept if step.kind == Step.REWRITE.value else ()
    count_rewrites(connection, provider, rewritten)
    if conversation.review is not None:
        count_review(connection, provider, conversation.review)
    if needs_no_rewrite(conversation):
        conversation = advance_with_completion(conversation, "", NOT_NEEDED)
        record_step(
            connection,
            brief.conversation_id,
            conversation.steps,
            StepRecord(Step.REWRITE.value, "", finish_reason=NOT_NEEDED),
        )
        count_rewrites(connection, provider, conversation.exchanges[-1].kept)
    match next_step(conversation):
        case ToolRound(calls):
            return _run_tools(connection, conversation, calls)
        case Finished() | ModelCall(Step.REVIEW):
            committed = _judge(connection, conversation, rules)
            return replace(committed, rewritten=committed.conversation.exchanges[-1].kept if rewritten else ())
        case _ if past is not None:
            memories = sum(note.shelf == "memory" for note in past.notes)
            return Committed(conversation, memories, len(past.notes) - memories)
        case _:
            return Committed(conversation, rewritten=rewritten)


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


def _judge(connection: sqlite3.Connection, conversation: Conversation, rules: Rules) -> Committed:
    """Accept a conversation that is complete, or undo it and say why; or let it wait for its review."""
    brief = conversation.brief
    notebook = _notebook(connection, brief)
    before, after = notebook.notes_before(), notebook.notes()
    story = read_story(connection, brief.timeline_id)
    accepted = AcceptedConversations(connection)
    case = case_of(
        connection,
        brief,
        training_sample(conversation),
        finish_reasons=conversation.finish_reasons,
        known=story.known,
        notebook=notebook,
        review=conversation.review,
    )
    judged = judge_rewritten(rules.judge, conversation, case, accepted)
    conversation, problem = judged.conversation, judged.problem
    for number, _ in judged.put_back:
        rewrites = sum(bool(exchange.thoughts) for exchange in conversation.exchanges[:number])
        put_back(connection, brief.conversation_id, rewrites, Shortcoming.REJECTED)
    if problem is None and due_call(conversation) is Step.REVIEW:
        return _wait_for_review(connection, judged)
    gained = (0, 0)
    if problem is None:
        messages = training_sample(conversation)
        story = story_after(story, brief.scenario, brief.at, after)
        record_acceptance(connection, conversation, sample_line(messages), story, rules.timeline_length)
        rules.judge.remember(brief.conversation_id, messages, accepted)
    else:
        record_rejection(connection, conversation, problem)
        gained = _gained(after, before)
    return Committed(
        conversation,
        *gained,
        is_finished=True,
        problem=problem,
        timeline=read_timeline(connection, brief.timeline_id),
        put_back=len(judged.put_back),
    )


def _wait_for_review(connection: sqlite3.Connection, judged: Judged) -> Committed:
    """Record which thoughts judging has put back, so that the reviewer reads what is saved, also after a crash."""
    conversation = judged.conversation
    if judged.put_back:
        conversation = advance_with_originals(conversation, judged.put_back)
        record = StepRecord("originals", json.dumps(judged.put_back))
        record_step(connection, conversation.brief.conversation_id, conversation.steps, record)
    return Committed(conversation, put_back=len(judged.put_back))


def commit_failure(
    connection: sqlite3.Connection, conversation: Conversation, kind: FailureKind, reason: str, provider: str
) -> Committed:
    """Set a conversation aside, and undo what it did to memory and diary.

    Args:
        connection: In a transaction that the caller commits.
        conversation: What failed.
        kind: What failed it, as it is counted.
        reason: The same in words.
        provider: Where it failed.
    """
    brief = conversation.brief
    if conversation.steps == 0:
        record_start(connection, conversation, provider)
    notebook = _notebook(connection, brief)
    record_set_aside(connection, brief.conversation_id, reason)
    count_set_aside(connection, brief, provider, kind)
    return Committed(conversation, *_gained(notebook.notes(), notebook.notes_before()))


def _notebook(connection: sqlite3.Connection, brief: Brief) -> Notebook:
    return read_notebook(connection, brief.timeline_id, brief.conversation_id, brief.date)


def _gained(before: Notes, after: Notes) -> tuple[int, int]:
    """Return how many memories and diary pages there are more than before."""
    return len(after.memory) - len(before.memory), len(after.diary) - len(before.diary)
