"""Conversations and their steps, as they are stored: what is read at a start, and recorded on the way.

All functions take the connection; the caller commits.
"""

from __future__ import annotations

import datetime
import functools
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import TypeAdapter

from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.completions import read_question
from apep_datagen.conversation.machine import ModelCall, next_step, rebuild
from apep_datagen.conversation.prompt_set import PromptSet
from apep_datagen.conversation.prompting import prompt
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.messages import ModelRole, Step
from apep_datagen.people.story import Story
from apep_datagen.quality.problem import Problem
from apep_datagen.storage.checked import integer
from apep_datagen.storage.faults import is_about_content, spell_finding
from apep_datagen.storage.notes import empty_notebooks, read_notebook, undo_conversation
from apep_datagen.storage.projection import record_sample
from apep_datagen.storage.timelines import (
    begin_timeline,
    end_all_timelines,
    end_timeline,
    go_on_after_acceptance,
    go_on_after_rejection,
    read_story,
)
from apep_datagen.storage.verdicts import count_verdict

__all__ = [
    "ActiveConversation",
    "StepRecord",
    "active_conversations",
    "brief_from_json",
    "earlier_messages",
    "last_ids",
    "read_answers",
    "read_prompt_set",
    "rebuild_conversation",
    "record_acceptance",
    "record_rejection",
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
    """One step of a conversation: a model's answer, or (kind `tools`) the results of a round as a JSON array."""

    kind: str
    text: str
    finish_reason: str = ""
    provider: str | None = None
    model: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ActiveConversation:
    """A conversation that was begun and not ended, with the provider that plays Ada; before that, that began it."""

    conversation: Conversation
    provider: str


def run_seed(connection: sqlite3.Connection) -> int:
    """Return the seed that the run began with."""
    (seed,) = connection.execute("SELECT seed FROM run").fetchone()
    return int(seed)


def active_conversations(connection: sqlite3.Connection, notify: Callable[[str], None]) -> Iterator[ActiveConversation]:
    """Rebuild each conversation that was begun and not ended.

    One that cannot be gone on with is set aside, and `notify` is told so in a sentence.
    """
    numbers = connection.execute("SELECT id FROM conversations WHERE status = 'active' ORDER BY id").fetchall()
    prompt_set = functools.cache(functools.partial(read_prompt_set, connection))
    for (number,) in numbers:
        try:
            yield _active_conversation(connection, number, prompt_set)
        except Exception as error:  # the prompts are templates, which raise what they like
            if not is_about_content(error):
                raise
            record_set_aside(connection, number, f"cannot be resumed: {spell_finding(error)}")
            notify(f"conversation {number} is set aside, it cannot be resumed: {spell_finding(error)}")


def _active_conversation(
    connection: sqlite3.Connection, number: int, prompt_set: Callable[[int], PromptSet]
) -> ActiveConversation:
    """Rebuild a conversation, and try all that going on with it begins with, so that nothing of it fails later.

    Raises:
        Exception: What it comes of is not as it was recorded.
    """
    conversation = rebuild_conversation(connection, number, prompt_set)
    (provider,) = connection.execute("SELECT provider FROM conversations WHERE id = ?", (number,)).fetchone()
    read_story(connection, conversation.brief.timeline_id)
    read_notebook(connection, conversation.brief.timeline_id, number, conversation.brief.date)
    if not isinstance(next_step(conversation), ModelCall):
        raise ValueError("it waits for no model call")  # noqa: TRY004 - of a row, not of an argument
    prompt(conversation)
    return ActiveConversation(conversation, provider)


def rebuild_conversation(
    connection: sqlite3.Connection, number: int, prompt_set: Callable[[int], PromptSet]
) -> Conversation:
    """Rebuild a conversation from its steps, whatever has become of it.

    Args:
        connection: The state database.
        number: Its number in the run.
        prompt_set: Reads the prompts with a number: `read_prompt_set`, of which each set is best read once.

    Raises:
        Exception: What it comes of is not as it was recorded.
    """
    timeline_id, prompt_set_id, plan = connection.execute(
        "SELECT timeline_id, prompt_set_id, plan FROM conversations WHERE id = ?", (number,)
    ).fetchone()
    brief = brief_from_json(plan)
    if (brief.conversation_id, brief.timeline_id) != (number, timeline_id):
        raise ValueError("what was decided about it is another one's")
    steps = connection.execute(
        "SELECT number, kind, text, finish_reason FROM steps WHERE conversation_id = ? ORDER BY number", (number,)
    ).fetchall()
    if not steps or [step[0] for step in steps] != list(range(1, len(steps) + 1)):
        raise ValueError("steps of it are missing")
    return rebuild(brief, prompt_set(prompt_set_id), (step[1:] for step in steps))


def read_prompt_set(connection: sqlite3.Connection, number: int) -> PromptSet:
    """Return the prompts with a number in the state database.

    Raises:
        ValueError: They are missing.
    """
    row = connection.execute("SELECT texts FROM prompt_sets WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise ValueError("its prompts are missing")
    return PromptSet.from_json(row[0])


# So many of a timeline's last conversations are looked back at, so that judging costs the same however long it is.
_MOST_LOOKED_BACK_AT = 24


def earlier_messages(connection: sqlite3.Connection, timeline_id: int, conversation_id: int) -> tuple[str, ...]:
    """Return what the user wrote in the conversations of a timeline before this one, rejected ones too.

    Oldest first; of very long timelines the latest.
    """
    rows = connection.execute(
        # A step of another conversation that is damaged is no reason to fail this one.
        "SELECT CAST(text AS BLOB) FROM steps WHERE kind = ? AND conversation_id IN"
        " (SELECT id FROM conversations WHERE timeline_id = ? AND id < ? ORDER BY id DESC LIMIT ?)"
        " ORDER BY conversation_id, number",
        (Step.ASK.value, timeline_id, conversation_id, _MOST_LOOKED_BACK_AT),
    )
    return tuple(read_question(text.decode("utf-8", "replace")) for (text,) in rows)


def read_answers(connection: sqlite3.Connection, conversation_id: int) -> list[StepRecord]:
    """Return what Ada answered in a conversation, in order, with what each answer took."""
    rows = connection.execute(
        "SELECT kind, text, finish_reason, provider, model, prompt_tokens, completion_tokens, seconds FROM steps"
        " WHERE conversation_id = ? AND kind IN (?, ?) ORDER BY number",
        (conversation_id, Step.ANSWER.value, Step.CONTINUE.value),
    )
    return [StepRecord(*row) for row in rows]


def last_ids(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return the highest conversation and timeline numbers so far, wherever something is left of them."""
    ids = connection.execute(
        "SELECT (SELECT max(id) FROM conversations), (SELECT max(conversation_id) FROM samples),"
        " (SELECT max(conversation_id) FROM steps), (SELECT max(added_in) FROM notes),"
        " (SELECT max(id) FROM timelines), (SELECT max(timeline_id) FROM notes)"
    ).fetchone()
    numbers = [integer(number or 0) for number in ids]
    return max(numbers[:4]), max(numbers[4:])


def set_aside_count(connection: sqlite3.Connection) -> int:
    """Return how many conversations were set aside."""
    (count,) = connection.execute("SELECT count(*) FROM conversations WHERE status = 'set aside'").fetchone()
    return int(count)


def record_target(connection: sqlite3.Connection, target: int) -> None:
    """Record how many conversations the output shall hold, for who asks how far the run is."""
    connection.execute("UPDATE run SET target = ?", (target,))


def record_start(connection: sqlite3.Connection, conversation: Conversation, provider: str) -> None:
    """Record that a conversation was begun: with its first step, so that there is none without a step."""
    brief, prompts = conversation.brief, conversation.prompts
    begin_timeline(connection, brief.timeline_id, brief.user, conversation.past)
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
    """Record one step; `number` counts the conversation's steps from 1."""
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
    if step.provider is not None and Step(step.kind).model_role is ModelRole.ADA:
        connection.execute("UPDATE conversations SET provider = ? WHERE id = ?", (step.provider, conversation_id))


def record_acceptance(
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
    brief, said = conversation.brief, conversation.exchanges[-1].question_answer
    connection.execute(
        "UPDATE conversations SET status = 'finished', ended_at = ? WHERE id = ?", (time.time(), brief.conversation_id)
    )
    go_on_after_acceptance(connection, brief.timeline_id, story, said, timeline_length)
    count_verdict(connection, brief, None)
    record_sample(connection, brief.conversation_id, line)


def record_rejection(connection: sqlite3.Connection, conversation: Conversation, problem: Problem) -> None:
    """Record that a conversation is finished and not accepted; what it did to memory and diary is undone.

    Its timeline goes on as if it had not taken place, unless too many in a row were rejected.
    """
    brief = conversation.brief
    connection.execute(
        "UPDATE conversations SET status = 'rejected', stage = ?, reason = ?, detail = ?, quote = ?, ended_at = ?"
        " WHERE id = ?",
        (problem.stage.value, problem.reason, problem.detail, problem.quote, time.time(), brief.conversation_id),
    )
    go_on_after_rejection(connection, brief.timeline_id)
    undo_conversation(connection, brief.conversation_id)
    count_verdict(connection, brief, problem)


def record_set_aside(connection: sqlite3.Connection, conversation_id: int, reason: str) -> None:
    """Record that a conversation failed for good.

    What it did to memory and diary is undone, and its timeline is over: what failed once on its context may fail again.

    Raises:
        ValueError: It has ended already; what it has come to stays.
    """
    updated = connection.execute(
        "UPDATE conversations SET status = 'set aside', reason = ?, ended_at = ? WHERE id = ? AND status = 'active'",
        (reason, time.time(), conversation_id),
    )
    if updated.rowcount != 1:
        raise ValueError(f"conversation {conversation_id} is not in progress")
    end_timeline(connection, conversation_id)
    undo_conversation(connection, conversation_id)


def reset_tools(connection: sqlite3.Connection) -> None:
    """Empty memory and diary: all timelines are over, with the conversations that are going on in them."""
    empty_notebooks(connection)
    end_all_timelines(connection)


# Made when it is first needed: it takes some milliseconds.
@functools.cache
def _briefs() -> TypeAdapter[Brief]:
    return TypeAdapter(Brief)


def brief_from_json(text: str) -> Brief:
    """Read a brief as it is stored.

    Raises:
        ValueError: It is none, or an older version's.
    """
    try:
        brief = _briefs().validate_json(text)
        datetime.datetime.fromisoformat(brief.at)
    except ValueError as error:
        raise ValueError("what was decided about it cannot be read, as where an earlier version began it") from error
    return brief
