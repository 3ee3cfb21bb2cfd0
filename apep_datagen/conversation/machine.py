"""A conversation as a state machine of plain values.

`next_step` says what a conversation needs (a model call, a round of tool calls, or to be finished); `advance_*` return
the state after it. None of them does I/O, reads a clock or draws a random number, so a conversation is rebuilt after a
crash by folding the steps that were recorded (`rebuild`).

    ask → answer → (tools → continue)* → rewrite → … the next exchange … → (review) → finished

Where no rewrite is needed, or the user's message is written already, the step is recorded without a call
(`uncalled_step`), with the finish reason `NOT_NEEDED` or `WRITTEN`. Where a review is due, all exchanges are finished:
it is for who drives the machine to judge them first, as a review costs something.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.completions import read_answer, read_question
from apep_datagen.conversation.prompt_set import PromptSet
from apep_datagen.conversation.prompting import training_sample
from apep_datagen.conversation.review import Review, read_review
from apep_datagen.conversation.rewriting import NOT_NEEDED, Place, is_left_out, leave_out, rewrite, with_originals
from apep_datagen.conversation.state import Conversation, Exchange, Turn, due_call
from apep_datagen.core.calls import MalformedCall, ToolCall
from apep_datagen.core.messages import Ending, Message, Step, ending_of
from apep_datagen.people.past import Past

__all__ = [
    "WRITTEN",
    "Finished",
    "ModelCall",
    "ToolRound",
    "UncalledStep",
    "advance_with_completion",
    "advance_with_originals",
    "advance_with_results",
    "begin",
    "needs_no_rewrite",
    "next_step",
    "rebuild",
    "uncalled_step",
    "without_review",
]

WRITTEN = "written"
"""The finish reason of a user's message that was written beforehand."""


@dataclass(frozen=True, slots=True)
class ModelCall:
    """Call the model for `step` with `prompt(conversation)`; pass the answer to `advance_with_completion`."""

    step: Step


@dataclass(frozen=True, slots=True)
class UncalledStep:
    """What is due and takes no model: pass `text` and `finish_reason` to `advance_with_completion`, and record them."""

    step: Step
    text: str
    finish_reason: str


@dataclass(frozen=True, slots=True)
class ToolRound:
    """Execute `calls` in order; pass their results to `advance_with_results`."""

    calls: tuple[ToolCall | MalformedCall, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """The conversation is complete; `messages` is the training sample."""

    messages: tuple[Message, ...]


def next_step(conversation: Conversation) -> ModelCall | ToolRound | Finished:
    """Say what `conversation` needs now."""
    step = due_call(conversation)
    if step is not None:
        return ModelCall(step)
    if conversation.exchanges[-1].finished:
        return Finished(training_sample(conversation))
    return ToolRound(conversation.exchanges[-1].turns[-1].answer.calls)


def uncalled_step(conversation: Conversation) -> UncalledStep | None:
    """Return the step that is due, where nobody is to be asked for it: a needless rewrite, or a written message.

    Asked where something has just been said; what waits for a rewrite by then gets one.
    """
    messages = conversation.brief.messages
    if needs_no_rewrite(conversation):
        return UncalledStep(Step.REWRITE, "", NOT_NEEDED)
    if messages and due_call(conversation) is Step.ASK:
        return UncalledStep(Step.ASK, messages[len(conversation.exchanges)], WRITTEN)
    return None


def needs_no_rewrite(conversation: Conversation) -> bool:
    """Tell whether a rewrite is due that nobody is to be asked for."""
    is_due = due_call(conversation) is Step.REWRITE
    return is_due and is_left_out(conversation.exchanges[-1], conversation.brief.rewrites)


def begin(brief: Brief, prompts: PromptSet, past: Past | None = None) -> Conversation:
    """Return a conversation that waits for its first call; the user's first message is in it where it is written.

    Args:
        brief: What was decided about it.
        prompts: Its words.
        past: What its timeline begins with, if it is the first of it.
    """
    conversation = Conversation(brief, prompts, past=past)
    written = uncalled_step(conversation)
    return advance_with_completion(conversation, written.text, written.finish_reason) if written else conversation


def without_review(conversation: Conversation) -> Conversation:
    """Return what a conversation is that waits for its review alone, where nobody is asked; any other as it is."""
    return replace(conversation, review=Review()) if due_call(conversation) is Step.REVIEW else conversation


def advance_with_completion(conversation: Conversation, text: str, finish_reason: str) -> Conversation:
    """Return the state after the model's answer to the call that is due.

    Raises:
        ValueError: No model call is due.
    """
    step = due_call(conversation)
    exchanges = conversation.exchanges
    if step is None:
        raise ValueError(f"conversation {conversation.brief.conversation_id} waits for no model call")
    if step is Step.ASK:
        exchanges = (*exchanges, Exchange(text if finish_reason == WRITTEN else read_question(text)))
    elif step is Step.REVIEW:
        # Whatever was recorded, somebody has been asked: what is of no use is a review without answers.
        return replace(conversation, review=read_review(text) or Review(), steps=conversation.steps + 1)
    elif step is Step.REWRITE and not text and finish_reason == NOT_NEEDED:
        exchanges = (*exchanges[:-1], leave_out(exchanges[-1]))
    elif step is Step.REWRITE:
        earlier = training_sample(replace(conversation, exchanges=exchanges[:-1]))
        is_whole = ending_of(finish_reason) is Ending.WHOLE
        rewritten = rewrite(exchanges[-1], text, is_whole=is_whole, before=[message.content for message in earlier])
        exchanges = (*exchanges[:-1], rewritten)
    else:
        turn = Turn(read_answer(conversation, text), finish_reason=finish_reason)
        exchanges = (*exchanges[:-1], replace(exchanges[-1], turns=(*exchanges[-1].turns, turn)))
    return replace(conversation, exchanges=exchanges, steps=conversation.steps + 1)


def advance_with_results(conversation: Conversation, results: Sequence[Any]) -> Conversation:
    """Return the state after the tool calls that are due.

    Raises:
        ValueError: No tool calls are due, or not so many.
    """
    exchange = conversation.exchanges[-1] if conversation.exchanges else Exchange("")
    calls = exchange.turns[-1].answer.calls if exchange.turns and not exchange.turns[-1].results else ()
    if not results or len(results) != len(calls):
        raise ValueError(
            f"conversation {conversation.brief.conversation_id}: {len(results)} tool results for {len(calls)} calls"
        )
    turns = (*exchange.turns[:-1], replace(exchange.turns[-1], results=tuple(results)))
    exchanges = (*conversation.exchanges[:-1], replace(exchange, turns=turns))
    return replace(conversation, exchanges=exchanges, steps=conversation.steps + 1)


def advance_with_originals(conversation: Conversation, places: Iterable[Place]) -> Conversation:
    """Return the state in which thoughts are as they were before they were rewritten.

    Recorded where judging has put thoughts back before the review is due, so that the reviewer reads what is saved,
    also after a crash.

    Raises:
        ValueError: Nothing is rewritten there, or no review is due.
    """
    if due_call(conversation) is not Step.REVIEW:
        raise ValueError(f"conversation {conversation.brief.conversation_id} waits for no review")
    return replace(with_originals(conversation, places), steps=conversation.steps + 1)


def rebuild(brief: Brief, prompts: PromptSet, steps: Iterable[tuple[str, str, str]]) -> Conversation:
    """Rebuild a conversation from its recorded steps.

    Args:
        brief: What was decided at its beginning.
        prompts: The prompts that it began with.
        steps: In order: the call's name, `tools` or `originals`; the model's text, the results or the places of the
            thoughts as JSON; the finish reason.

    Raises:
        ValueError: The steps do not follow from each other.
    """
    conversation = Conversation(brief, prompts)
    for kind, text, finish_reason in steps:
        if kind == "tools":
            results = json.loads(text)
            if not isinstance(results, list):
                raise ValueError(f"conversation {brief.conversation_id}: the recorded tool results are no list")
            conversation = advance_with_results(conversation, results)
        elif kind == "originals":
            conversation = advance_with_originals(conversation, [(number, index) for number, index in json.loads(text)])
        elif kind == due_call(conversation):
            conversation = advance_with_completion(conversation, text, finish_reason)
        else:
            raise ValueError(f"conversation {brief.conversation_id}: a recorded {kind!r} step does not fit its state")
    return conversation
