"""What is sent for the call that is due, and the training sample that a conversation becomes.

What is sent does not grow with how often Ada looks: of her memory and of her diary the latest list alone is sent whole,
however many exchanges there are, and in place of each earlier one that it is listed again below; so it is for the
reviewer. The sample has all.
"""

from __future__ import annotations

import datetime
import functools
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

from apep_datagen.conversation.prompt_set import PromptSet, load_prompts
from apep_datagen.conversation.state import Conversation, Turn, due_call
from apep_datagen.core.calls import ToolCall, render_call
from apep_datagen.core.markup import render_answer, result_block
from apep_datagen.core.messages import Message, Spelled, Step
from apep_datagen.core.tags import strip_tags
from apep_datagen.core.tools import LISTING_TOOLS, describe_tools, tool_schemas, tool_signatures
from apep_datagen.formats.wire import Wire
from apep_datagen.people.scenario import Scenario

__all__ = [
    "SpellingOfCalls",
    "ada_system_prompt",
    "prompt",
    "prompt_as_trained",
    "retold_instructions",
    "spoken_time",
    "tool_instructions",
    "training_sample",
]

SpellingOfCalls = Literal["text", "native", "hermes"]
"""How Ada is told to spell calls: in her markup, as an API's fields, or in that of Hermes."""


def prompt(conversation: Conversation) -> tuple[Message, ...]:
    """Return the messages to send for the model call that is due; roles are `system`, `user` and `assistant` only."""
    step = due_call(conversation)
    if step is Step.ASK:
        return tuple(_tester_prompt(conversation))
    if step is Step.REWRITE:
        return tuple(_rewriter_prompt(conversation))
    if step is Step.REVIEW:
        return tuple(_reviewer_prompt(conversation))
    return tuple(_ada_prompt(conversation))


def training_sample(conversation: Conversation) -> tuple[Message, ...]:
    """Return the messages of a conversation as they are saved."""
    return (*_system_message(conversation), *_sample_messages(conversation))


def prompt_as_trained(conversation: Conversation, wire: Wire) -> Spelled:
    """Return what is sent for a call of Ada's that is due, where she was trained on an export.

    It is what a row of that export has in front of her answer, of the sample that the conversation becomes: all lists
    whole, results as they came, and no word beside them. What no such row can have, such as a call that was not
    understood, is sent as text.

    Args:
        conversation: In which an answer of Ada's is due.
        wire: How the rows of the export were built.

    Raises:
        UnusablePromptError: The prompt cannot be rendered.
    """
    return wire.spell_what_happened((*_system_message(conversation, wire.calls), *_sample_messages(conversation)))


def _system_message(conversation: Conversation, calls: SpellingOfCalls = "text") -> list[Message]:
    brief = conversation.brief
    return [Message("system", ada_system_prompt(conversation.prompts, brief.at, brief.max_tool_rounds, calls))]


@functools.lru_cache(maxsize=256)
def ada_system_prompt(prompts: PromptSet, at: str, max_tool_rounds: int, calls: SpellingOfCalls = "text") -> str:
    """Return Ada's system prompt.

    Args:
        prompts: Whose words they are.
        at: When the conversation begins, an ISO date with hour and minute.
        max_tool_rounds: How often she may use tools in an exchange.
        calls: As for `retold_instructions`.

    Raises:
        UnusablePromptError: The prompt cannot be rendered.
    """
    instructions = retold_instructions(prompts, max_tool_rounds, calls)
    return prompts.render("ada_system.txt", **_when(at), tool_instructions=instructions)


def tool_instructions(prompts: PromptSet, max_tool_rounds: int, calls: SpellingOfCalls = "text") -> str:
    """Return the section of Ada's system prompt that tells of her tools.

    Args:
        prompts: Whose words they are.
        max_tool_rounds: How often she may use tools in an exchange.
        calls: How calls are spelled. A prompt that knows of no other way than text tells of that.

    Raises:
        UnusablePromptError: The prompt cannot be rendered.
    """
    return prompts.render(
        "tool_instructions.txt",
        tools=describe_tools(),
        signatures=tool_signatures(),
        schemas="\n".join(json.dumps(schema) for schema in tool_schemas()) if calls == "hermes" else "",
        max_tool_rounds=max_tool_rounds,
        calls=calls,
    )


def retold_instructions(prompts: PromptSet, max_tool_rounds: int, calls: SpellingOfCalls) -> str:
    """Return what stands in the system prompt of rows in which calls are spelled so.

    Args:
        prompts: Whose words they are; where these know of no other way than text, those of the program are taken.
        max_tool_rounds: How often she may use tools in an exchange.
        calls: How calls are spelled.

    Raises:
        UnusablePromptError: The prompt cannot be rendered.
    """
    told = tool_instructions(prompts, max_tool_rounds, calls)
    if calls == "text" or told != tool_instructions(prompts, max_tool_rounds):
        return told
    return tool_instructions(_own_prompts(), max_tool_rounds, calls)


@functools.cache
def _own_prompts() -> PromptSet:
    return load_prompts()


# Hours at which a part of the day ends, and its name. Spelled out, as `strftime` speaks the language of the machine.
_PARTS_OF_DAY = ((5, "night"), (12, "morning"), (18, "afternoon"), (22, "evening"), (24, "night"))
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def spoken_time(at: str) -> str:
    """Return a time, an ISO date with hour, as prompts speak of it, e.g. `Friday, 2025-06-27, 17:34 (afternoon)`."""
    return "{weekday}, {date}, {time} ({time_of_day})".format_map(_when(at))


def _when(at: str) -> dict[str, str]:
    """Return what the prompts say about a time: `date`, `weekday`, `time` and `time_of_day`."""
    moment = datetime.datetime.fromisoformat(at)
    time_of_day = next(name for end, name in _PARTS_OF_DAY if moment.hour < end)
    return {"date": at[:10], "weekday": _WEEKDAYS[moment.weekday()], "time": at[11:16], "time_of_day": time_of_day}


_LISTED_AGAIN = {"message": "Listed again below."}


def _with_latest_lists(conversation: Conversation) -> Conversation:
    """Return a conversation in which of the lists of each kind that Ada was shown the latest alone is left."""
    shown: set[str] = set()
    exchanges = []
    for exchange in reversed(conversation.exchanges):
        turns = [_without_lists(turn, shown) for turn in reversed(exchange.turns)]
        exchanges.append(replace(exchange, turns=tuple(reversed(turns))))
    return replace(conversation, exchanges=tuple(reversed(exchanges)))


def _without_lists(turn: Turn, shown: set[str]) -> Turn:
    """Return a turn without the lists that are shown behind it, and note in `shown` those that it shows."""
    results = list(turn.results)
    for place in reversed(range(len(results))):
        call = turn.answer.calls[place]
        if not isinstance(call, ToolCall) or call.name not in LISTING_TOOLS or not _is_list(results[place]):
            continue
        if call.name in shown:
            results[place] = _LISTED_AGAIN
        shown.add(call.name)
    return replace(turn, results=tuple(results))


def _is_list(result: Any) -> bool:
    """Tell whether the result of a call lists something; not that there is nothing, or that the call has failed."""
    return isinstance(result, dict) and any(isinstance(notes, list) and notes for notes in result.values())


def _sample_messages(conversation: Conversation) -> list[Message]:
    """Return all exchanges as they are saved; one whose rewrite is not done has its original thinking."""
    messages = []
    for exchange in conversation.exchanges:
        messages.append(Message("user", exchange.question))
        thoughts = iter(exchange.saved_thoughts)
        for turn in exchange.turns:
            answer = turn.answer
            thinking = next(thoughts) if answer.thinking else ""
            messages.append(Message("assistant", render_answer(thinking, answer.reply, answer.calls)))
            if turn.results:
                messages.append(Message("tool", "\n".join(map(result_block, turn.results))))
    return messages


def _ada_prompt(conversation: Conversation) -> list[Message]:
    rounds = sum(bool(turn.results) for turn in conversation.exchanges[-1].turns)
    last_round = rounds >= conversation.brief.max_tool_rounds
    messages = _system_message(conversation)
    sample = _sample_messages(_with_latest_lists(conversation))
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
    brief, prompts = conversation.brief, conversation.prompts
    history = [(exchange.question, exchange.question_answer.answer) for exchange in conversation.exchanges]
    user = prompts.render(
        "tester_user.txt",
        history=history,
        previous=brief.previous,
        topic=brief.scenario.topic,
        instruction=_instruction(brief.scenario, len(conversation.exchanges)),
        **_when(brief.at),
    )
    return [Message("system", prompts.render("tester_system.txt", user=brief.user)), Message("user", user)]


def _instruction(scenario: Scenario, before: int) -> str:
    """Return what the tester is told for the next message; empty for a follow-up of the general kind.

    Args:
        scenario: What the conversation is about.
        before: How many exchanges there were.
    """
    if before < len(scenario.course):
        return scenario.course[before]
    return "" if before else scenario.instruction


def _rewriter_prompt(conversation: Conversation) -> list[Message]:
    exchange, prompts = conversation.exchanges[-1], conversation.prompts
    user = prompts.render(
        "rewriter_user.txt",
        question=exchange.question,
        thoughts=list(exchange.thoughts),
        way_of_thinking=conversation.brief.way_of_thinking,
    )
    return [Message("system", prompts.render("rewriter_system.txt")), Message("user", user)]


def _reviewer_prompt(conversation: Conversation) -> list[Message]:
    prompts = conversation.prompts
    parts = list(_parts(_with_latest_lists(conversation)))
    user = prompts.render("reviewer_user.txt", conversation=parts, **_when(conversation.brief.at))
    return [Message("system", prompts.render("reviewer_system.txt")), Message("user", user)]


def _parts(
    conversation: Conversation,
) -> Iterator[tuple[Literal["message", "thought", "call", "result", "reply"], str]]:
    """Yield what is in a conversation as it is saved, piece by piece, with what each is."""
    for exchange in conversation.exchanges:
        yield "message", exchange.question
        thoughts = iter(exchange.saved_thoughts)
        for turn in exchange.turns:
            if turn.answer.thinking:
                yield "thought", next(thoughts)
            if turn.answer.reply:
                yield "reply", turn.answer.reply
            for call in turn.answer.calls:
                yield "call", render_call(call) if isinstance(call, ToolCall) else strip_tags(call.text)
            for result in turn.results:
                yield "result", json.dumps(result, ensure_ascii=False)
