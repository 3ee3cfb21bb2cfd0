"""A conversation as a state machine of plain values.

`next_step` says what a conversation needs (a model call, a round of tool calls, or to be finished); `advance_*` return
the state after it. None of them does I/O, reads a clock or draws a random number, so a conversation is rebuilt after a
crash by folding the outcomes that were recorded (`replay`).

    ask → answer → (tools → continue)* → rewrite → … the next exchange … → finished
"""

from __future__ import annotations

import datetime
import functools
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from apep_datagen.conversation.prompts import PromptSet
from apep_datagen.core.markup import (
    Answer,
    MalformedCall,
    ToolCall,
    parse_answer,
    render_answer,
    result_block,
    strip_tags,
    visible_text,
)
from apep_datagen.core.messages import Completion, Message, Step
from apep_datagen.core.tools import canonical_call, describe_tools
from apep_datagen.people.scenario import Scenario, User

__all__ = [
    "Conversation",
    "Exchange",
    "Finished",
    "ModelCall",
    "Plan",
    "QuestionAnswer",
    "ToolRound",
    "Turn",
    "advance_with_completion",
    "advance_with_results",
    "next_step",
    "problem_with",
    "prompt",
    "replay",
    "sample_line",
]


@dataclass(frozen=True, slots=True)
class QuestionAnswer:
    """What the user wrote and what Ada replied, without thinking and calls."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is decided about a conversation before its first call.

    Attributes:
        conversation_id: Number of the conversation in its run, from 1.
        timeline_id: The simulated user whose memory and diary it works on.
        exchanges: How many exchanges it has.
        max_tool_rounds: How often Ada may use tools in an exchange.
        at: When it takes place, as an ISO date and time to the minute, e.g. `2026-03-14T19:40`.
        user: Who the tester plays.
        scenario: What it is about; the tester is told, Ada is not.
        previous: The last exchange of the same timeline, if there is one.
        seed: Number from which the seeds of its model calls follow.
    """

    conversation_id: int
    timeline_id: int
    exchanges: int
    max_tool_rounds: int
    at: str
    user: User
    scenario: Scenario
    previous: QuestionAnswer | None
    seed: int

    @property
    def date(self) -> str:
        """The day it takes place, as an ISO date."""
        return self.at[:10]


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer of Ada's and, if it has calls, their results (JSON values, in order; empty until they are run)."""

    answer: Answer
    results: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A user message and Ada's full answer to it.

    Attributes:
        question: The user's message.
        turns: Ada's turns; all but the last have calls.
        rewritten: Her thinking in each turn that has any, as the rewriter wrote it, or as it was where that cannot be
            used; None until the rewrite is done.
    """

    question: str
    turns: tuple[Turn, ...] = ()
    rewritten: tuple[str, ...] | None = None

    @property
    def thoughts(self) -> tuple[str, ...]:
        """Her original thinking, in each turn that has any."""
        return tuple(turn.answer.thinking for turn in self.turns if turn.answer.thinking)

    @property
    def answered(self) -> bool:
        """Whether Ada has given her final reply."""
        return bool(self.turns) and not self.turns[-1].answer.calls

    @property
    def finished(self) -> bool:
        """Whether nothing more is to be done for this exchange."""
        return self.answered and (self.rewritten is not None or not self.thoughts)

    @property
    def question_answer(self) -> QuestionAnswer:
        """What both said aloud."""
        return QuestionAnswer(self.question, "\n\n".join(turn.answer.reply for turn in self.turns if turn.answer.reply))


@dataclass(frozen=True, slots=True)
class Conversation:
    """The state of one conversation. `steps` counts the outcomes that led to it."""

    plan: Plan
    prompts: PromptSet
    exchanges: tuple[Exchange, ...] = ()
    steps: int = 0


@dataclass(frozen=True, slots=True)
class ModelCall:
    """Call the model for `step` with `prompt(conversation)`; pass the answer to `advance_with_completion`."""

    step: Step


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
    step = _pending_step(conversation)
    if step is not None:
        return ModelCall(step)
    if conversation.exchanges[-1].finished:
        return Finished(tuple(_system_message(conversation) + _sample_messages(conversation)))
    return ToolRound(conversation.exchanges[-1].turns[-1].answer.calls)


def _pending_step(conversation: Conversation) -> Step | None:
    """Return the model call that is due, or None where there are tools to run or nothing is left to do."""
    exchange = conversation.exchanges[-1] if conversation.exchanges else None
    if exchange is None or (exchange.finished and len(conversation.exchanges) < conversation.plan.exchanges):
        return Step.ASK
    if exchange.finished:
        return None
    if not exchange.turns:
        return Step.ANSWER
    if exchange.answered:
        return Step.REWRITE
    return Step.CONTINUE if exchange.turns[-1].results else None


def problem_with(conversation: Conversation, completion: Completion) -> str | None:
    """Say why `completion` cannot be used as the answer to the call that is due, or None where it can.

    A rewrite is never refused: where it cannot be used, the original thinking stays.
    """
    step = _pending_step(conversation)
    if step is None or step is Step.REWRITE:
        return None
    if completion.finish_reason == "length":
        return f"the answer was cut off at its length limit (max_tokens in [roles.{step.model_role}] sets it)"
    if step is Step.ASK:
        return None if _question(completion.text) else "the answer is empty"
    answer = _answer(conversation, completion.text)
    if not answer.reply and not answer.calls:
        return "the answer has no reply"
    return None


def advance_with_completion(conversation: Conversation, text: str, finish_reason: str) -> Conversation:
    """Return the state after the model's answer to the call that is due.

    Raises:
        ValueError: No model call is due.
    """
    step = _pending_step(conversation)
    exchanges = conversation.exchanges
    if step is None:
        raise ValueError(f"conversation {conversation.plan.conversation_id} waits for no model call")
    if step is Step.ASK:
        exchanges = (*exchanges, Exchange(_question(text)))
    elif step is Step.REWRITE:
        thoughts = exchanges[-1].thoughts
        rewritten = _rewritten_thoughts(thoughts, text) if finish_reason != "length" else None
        exchanges = (*exchanges[:-1], replace(exchanges[-1], rewritten=rewritten or thoughts))
    else:
        turn = Turn(_answer(conversation, text))
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
            f"conversation {conversation.plan.conversation_id}: {len(results)} tool results for {len(calls)} calls"
        )
    turns = (*exchange.turns[:-1], replace(exchange.turns[-1], results=tuple(results)))
    exchanges = (*conversation.exchanges[:-1], replace(exchange, turns=turns))
    return replace(conversation, exchanges=exchanges, steps=conversation.steps + 1)


def replay(plan: Plan, prompts: PromptSet, outcomes: Iterable[tuple[str, str, str]]) -> Conversation:
    """Rebuild a conversation from its recorded outcomes.

    Args:
        plan: What was decided at its beginning.
        prompts: The prompts that it began with.
        outcomes: In order: the step's name or `tools`, the model's text or the results as JSON, the finish reason.

    Raises:
        ValueError: The outcomes do not follow from each other.
    """
    conversation = Conversation(plan, prompts)
    for kind, text, finish_reason in outcomes:
        if kind == "tools":
            results = json.loads(text)
            if not isinstance(results, list):
                raise ValueError(f"conversation {plan.conversation_id}: the recorded tool results are no list")
            conversation = advance_with_results(conversation, results)
        elif kind == _pending_step(conversation):
            conversation = advance_with_completion(conversation, text, finish_reason)
        else:
            raise ValueError(f"conversation {plan.conversation_id}: a recorded {kind!r} step does not fit its state")
    return conversation


def sample_line(messages: Iterable[Message]) -> str:
    """Return a training sample as the output file holds it: one line of JSON, without the line's end."""
    return json.dumps({"conversations": [message.as_dict() for message in messages]}, ensure_ascii=False)


def _answer(conversation: Conversation, text: str) -> Answer:
    """Read Ada's answer; beyond the last permitted round of tools, calls beside a reply are dropped."""
    answer = parse_answer(text)
    rounds = sum(bool(turn.answer.calls) for turn in conversation.exchanges[-1].turns)
    if rounds >= conversation.plan.max_tool_rounds:
        return replace(answer, calls=())
    return replace(answer, calls=tuple(canonical_call(call) for call in answer.calls))


_LABEL = re.compile(r"\A(?:user|you|me|human|person|message)\s*:\s*", re.IGNORECASE)
_QUOTES = {'"': '"', "“": "”", "«": "»"}


def _question(text: str) -> str:
    """Return the user's message that the tester wrote, without a label in front or quotation marks around it."""
    question = _LABEL.sub("", visible_text(text))
    closing = _QUOTES.get(question[:1])
    if closing and question.endswith(closing) and closing not in question[1:-1]:
        question = question[1:-1].strip()
    return question


# A rewrite several times as long as the thought is no rewrite; a short thought may be unfolded a little.
_LONGEST_REWRITE_FACTOR = 3
_ALWAYS_PERMITTED_LENGTH = 200
_MARK = re.compile(r"^[ \t]*\[\[(\d+)\]\]", re.MULTILINE)


def _rewritten_thoughts(thoughts: Sequence[str], text: str) -> tuple[str, ...] | None:
    """Read the rewriter's answer; None if it cannot stand for `thoughts`."""
    text = _outside_own_thinking(text)
    marks = list(_MARK.finditer(text))
    if marks:
        expected = [str(number) for number in range(1, len(marks) + 1)]
        if [mark[1] for mark in marks] != expected or text[: marks[0].start()].strip():
            return None
        ends = [mark.start() for mark in marks[1:]] + [len(text)]
        parts = [text[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=True)]
    else:
        parts = [text.strip()]
    if len(parts) != len(thoughts):
        return None
    for thought, part in zip(thoughts, parts, strict=True):
        longest = max(_LONGEST_REWRITE_FACTOR * len(thought), _ALWAYS_PERMITTED_LENGTH)
        if not part or part != strip_tags(part) or len(part) > longest:
            return None
    return tuple(parts)


def _outside_own_thinking(text: str) -> str:
    """Drop the thinking that a reasoning model does about the rewriting itself: a leading `<think>` block."""
    return re.sub(r"\A\s*<think>.*?</think>", "", text, count=1, flags=re.DOTALL)


def _system_message(conversation: Conversation) -> list[Message]:
    plan = conversation.plan
    return [Message("system", _ada_system_prompt(conversation.prompts, plan.at, plan.max_tool_rounds))]


@functools.lru_cache(maxsize=256)
def _ada_system_prompt(prompts: PromptSet, at: str, max_tool_rounds: int) -> str:
    instructions = prompts.render("tool_instructions.txt", tools=describe_tools(), max_tool_rounds=max_tool_rounds)
    return prompts.render("ada_system.txt", **_when(at), tool_instructions=instructions)


# Hours at which a part of the day ends, and its name. Spelled out, as `strftime` speaks the language of the machine.
_PARTS_OF_DAY = ((5, "night"), (12, "morning"), (18, "afternoon"), (22, "evening"), (24, "night"))
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _when(at: str) -> dict[str, str]:
    """Return what the prompts say about a time: `date`, `weekday`, `time` and `time_of_day`."""
    moment = datetime.datetime.fromisoformat(at)
    time_of_day = next(name for end, name in _PARTS_OF_DAY if moment.hour < end)
    return {"date": at[:10], "weekday": _WEEKDAYS[moment.weekday()], "time": at[11:16], "time_of_day": time_of_day}


def _sample_messages(conversation: Conversation) -> list[Message]:
    """Return all exchanges as they are saved; one whose rewrite is not done has its original thinking."""
    messages = []
    for exchange in conversation.exchanges:
        messages.append(Message("user", exchange.question))
        thoughts = iter(exchange.thoughts if exchange.rewritten is None else exchange.rewritten)
        for turn in exchange.turns:
            answer = turn.answer
            thinking = next(thoughts) if answer.thinking else ""
            messages.append(Message("assistant", render_answer(thinking, answer.reply, answer.calls)))
            if turn.results:
                messages.append(Message("tool", "\n".join(result_block(result) for result in turn.results)))
    return messages


def prompt(conversation: Conversation) -> tuple[Message, ...]:
    """Return the messages to send for the model call that is due; roles are `system`, `user` and `assistant` only."""
    step = _pending_step(conversation)
    if step is Step.ASK:
        return tuple(_tester_prompt(conversation))
    if step is Step.REWRITE:
        return tuple(_rewriter_prompt(conversation))
    return tuple(_ada_prompt(conversation))


def _ada_prompt(conversation: Conversation) -> list[Message]:
    rounds = sum(bool(turn.results) for turn in conversation.exchanges[-1].turns)
    last_round = rounds >= conversation.plan.max_tool_rounds
    messages = _system_message(conversation)
    sample = _sample_messages(conversation)
    for index, message in enumerate(sample):
        if message.role == "tool":
            # Chat APIs refuse a `tool` message without a native tool-call id, so results travel as the user's.
            is_last = last_round and index == len(sample) - 1
            results = conversation.prompts.render("tool_results.txt", results=message.content, last_round=is_last)
            messages.append(Message("user", results))
        else:
            messages.append(message)
    return messages


def _tester_prompt(conversation: Conversation) -> list[Message]:
    plan, prompts = conversation.plan, conversation.prompts
    history = [(exchange.question, exchange.question_answer.answer) for exchange in conversation.exchanges]
    user = prompts.render(
        "tester_user.txt",
        history=history,
        previous=plan.previous,
        topic=plan.scenario.topic,
        instruction=plan.scenario.instruction,
        **_when(plan.at),
    )
    return [Message("system", prompts.render("tester_system.txt", user=plan.user)), Message("user", user)]


def _rewriter_prompt(conversation: Conversation) -> list[Message]:
    exchange, prompts = conversation.exchanges[-1], conversation.prompts
    user = prompts.render("rewriter_user.txt", question=exchange.question, thoughts=list(exchange.thoughts))
    return [Message("system", prompts.render("rewriter_system.txt")), Message("user", user)]
