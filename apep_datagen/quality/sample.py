"""A saved training sample, read back from its messages alone.

Reading is strict: a sample is in the one spelling in which `core.markup` writes it, or it is refused with the
reason. Nothing that a file can hold raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from apep_datagen.core.calls import MalformedCall, ToolCall, texts_in
from apep_datagen.core.markup import parse_answer, read_result, render_answer, result_block
from apep_datagen.core.messages import Message, storable_text
from apep_datagen.core.tags import strip_tags
from apep_datagen.core.tools import canonical_call
from apep_datagen.core.words import ISO_DAY
from apep_datagen.quality.problem import Problem, Stage

__all__ = ["Sample", "SavedExchange", "SavedTurn", "read_sample", "told_in"]

_LONGEST_DETAIL = 120
_THINK_TAG = re.compile(r"</?think(?:ing)?>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SavedTurn:
    """One assistant message and, if it has calls, their results.

    Attributes:
        thinking: The text of the `<think>` block; empty only where thoughts are not read.
        reply: What the user sees; may be empty where there are calls.
        calls: The calls, in order. One that was not understood stands there as it was written.
        results: The results as JSON values, one for each call.
    """

    thinking: str
    reply: str
    calls: tuple[ToolCall | MalformedCall, ...] = ()
    results: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class SavedExchange:
    """A user's message and Ada's turns; all but the last have calls."""

    question: str
    turns: tuple[SavedTurn, ...]

    @property
    def reply(self) -> str:
        """All that the user sees of the answer."""
        return "\n\n".join(turn.reply for turn in self.turns if turn.reply)


@dataclass(frozen=True, slots=True)
class Sample:
    """A training sample: Ada's system prompt and one or more exchanges."""

    system: str
    exchanges: tuple[SavedExchange, ...]


def told_in(results: Iterable[Any]) -> Iterator[str]:
    """Yield the texts in results, without the dates of notes: when a note was written is nothing that it tells."""
    yield from (text for text in texts_in(list(results)) if not ISO_DAY.fullmatch(text))


def read_sample(messages: Sequence[Message], *, with_thoughts: bool = True) -> Sample | Problem:
    """Read the messages of a saved sample, or say why they are none. Never raises.

    Roles are `system`, then `user`, `assistant` and as often as there are calls `tool`, `assistant`, for each
    exchange. Whether a call did what its result says is not asked here.

    Args:
        messages: The sample.
        with_thoughts: Whether each of Ada's messages has to begin with a thought; if not, thoughts are not looked at,
            and none is in what is returned.
    """
    try:
        return _read(messages, with_thoughts=with_thoughts)
    except _NotASampleError as error:
        return error.problem


class _NotASampleError(ValueError):
    """The messages are no sample; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.reason)
        self.problem = problem


def _refuse(reason: str, detail: str = "") -> NoReturn:
    excerpt = detail if len(detail) <= _LONGEST_DETAIL else detail[:_LONGEST_DETAIL] + "…"
    raise _NotASampleError(Problem(Stage.FORM, reason, excerpt))


def _read(messages: Sequence[Message], *, with_thoughts: bool) -> Sample:
    if not messages or messages[0].role != "system":
        _refuse("the first message is not the system prompt")
    system = messages[0].content
    if not system.strip():
        _refuse("the system prompt is empty")
    for message in messages:
        if storable_text(message.content) != message.content:
            _refuse("a message holds characters that cannot be stored", f"role {message.role}")
    exchanges = []
    position = 1
    while position < len(messages):
        exchange, position = _read_exchange(messages, position, with_thoughts=with_thoughts)
        exchanges.append(exchange)
    if not exchanges:
        _refuse("there is no exchange")
    return Sample(system, tuple(exchanges))


def _read_exchange(messages: Sequence[Message], position: int, *, with_thoughts: bool) -> tuple[SavedExchange, int]:
    """Return the exchange that begins at `position`, and the position behind it."""
    question = _content(messages, position, "user")
    if not question.strip():
        _refuse("a user's message is empty")
    if strip_tags(question) != question:
        _refuse("a user's message holds tags, or white space around it", question)
    turns: list[SavedTurn] = []
    position += 1
    while True:
        turn = _read_answer(_content(messages, position, "assistant"), with_thoughts=with_thoughts)
        position += 1
        results_follow = position < len(messages) and messages[position].role == "tool"
        if not turn.calls:
            if results_follow:
                _refuse("results follow an assistant message that has no call", turn.reply)
            if not turn.reply:
                _refuse("the last answer of an exchange has no reply", turn.thinking)
            return SavedExchange(question, (*turns, turn)), position
        if not results_follow:
            _refuse("an assistant message has calls but no results follow")
        results = _read_results(messages[position].content)
        if len(results) != len(turn.calls):
            _refuse("there are not as many results as calls", f"{len(results)} for {len(turn.calls)}")
        turns.append(SavedTurn(turn.thinking, turn.reply, turn.calls, results))
        position += 1


def _content(messages: Sequence[Message], position: int, role: str) -> str:
    """Return the content of the message at `position`, which is of this role."""
    if position >= len(messages):
        _refuse("the sample ends in the middle of an exchange")
    message = messages[position]
    if message.role != role:
        _refuse("roles do not alternate", f"message {position + 1} is of {message.role}, not of {role}")
    return message.content


def _read_answer(content: str, *, with_thoughts: bool) -> SavedTurn:
    if with_thoughts:
        _check_thought(content)
    answer = parse_answer(content)
    if with_thoughts and not answer.thinking:
        _refuse("a <think> block is empty", content)
    calls = tuple(canonical_call(call) for call in answer.calls)
    if render_answer(answer.thinking, answer.reply, calls) != content:
        before_calls = render_answer(answer.thinking, answer.reply) + "\n\n"
        if calls and content.startswith(before_calls):
            _refuse("a call is not in canonical form", content[len(before_calls) :])
        _refuse("an assistant message holds stray tags or white space", content)
    return SavedTurn(answer.thinking if with_thoughts else "", answer.reply, calls)


def _check_thought(content: str) -> None:
    if not content.startswith("<think>"):
        _refuse("an assistant message has no leading <think> block", content)
    if _THINK_TAG.findall(content) != ["<think>", "</think>"]:
        _refuse("an assistant message has not exactly one <think> block", content)


def _read_results(content: str) -> tuple[Any, ...]:
    """Read result blocks, one a line: a line break inside a result is escaped."""
    results = []
    for line in content.split("\n"):
        if not (line.startswith("<tool_result>") and line.endswith("</tool_result>")):
            _refuse("a tool message holds something else than results", line)
        try:
            value = read_result(line, is_strict=True)
            written = result_block(value)
        except (ValueError, RecursionError):
            _refuse("a result is no JSON", line)
        if written != line:
            _refuse("a result is not in canonical form", line)
        results.append(value)
    return tuple(results)
