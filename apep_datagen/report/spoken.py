"""A conversation as the page draws it: messages taken apart, so that the page parses nothing that a model wrote.

Names are short, because there are thousands of each. Pure functions on values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from apep_datagen.core.calls import MalformedCall, ToolCall, render_call, texts_in
from apep_datagen.core.markup import Answer, parse_answer, read_results, render_answer
from apep_datagen.core.messages import Message
from apep_datagen.core.notebook import ShelfName
from apep_datagen.core.words import opening, words

__all__ = [
    "NOT_UNDERSTOOD",
    "Call",
    "Change",
    "SpokenMessage",
    "SystemLines",
    "Traits",
    "changes_of",
    "spoken",
    "traits_of",
    "user_messages",
]

NOT_UNDERSTOOD = "(not understood)"
"""What stands in place of a tool's name where a call could not be read."""


class Call(TypedDict):
    """A call, with its result where one follows.

    Keys: `n` the tool's name; `x` the call as it is spelled; `v` the result, a JSON value; `e` whether it is an error.
    """

    n: str
    x: str
    v: NotRequired[Any]
    e: NotRequired[bool]


class SpokenMessage(TypedDict):
    """A message as the page draws it.

    Keys: `r` its role; `t` its text: what the user sees of it; `k` what Ada thinks; `o` what she thought before it was
    rewritten, where that is something else; `c` her calls; `w` the message as it is saved, where the parts do not say
    all of it.
    """

    r: str
    t: NotRequired[str]
    k: NotRequired[str]
    o: NotRequired[str]
    c: NotRequired[list[Call]]
    w: NotRequired[str]


def spoken(messages: Sequence[Message], originals: Iterable[str] = ()) -> list[SpokenMessage]:
    """Return the messages of a conversation without its system prompt, each call with its result.

    Args:
        messages: As they are saved.
        originals: What Ada thought in each of hers before it was rewritten, where that is known.
    """
    thoughts = iter(originals)
    told: list[SpokenMessage] = []
    for place, message in enumerate(messages):
        if message.role == "system" and place == 0:
            continue
        if message.role == "assistant":
            told.append(_answer(message.content, next(thoughts, "")))
        elif message.role != "tool" or not _give_results(told, message.content):
            told.append({"r": message.role, "t": message.content})
    return told


def _answer(content: str, original: str) -> SpokenMessage:
    answer = parse_answer(content)
    told: SpokenMessage = {"r": "assistant"}
    if answer.reply:
        told["t"] = answer.reply
    if answer.thinking:
        told["k"] = answer.thinking
    if original and original.split() != answer.thinking.split():
        told["o"] = original
    if answer.calls:
        told["c"] = [_call(call) for call in answer.calls]
    if not _says_all(answer, content):
        told["w"] = content
    return told


def _says_all(answer: Answer, content: str) -> bool:
    return _without_space(render_answer(answer.thinking, answer.reply, answer.calls)) == _without_space(content)


def _without_space(text: str) -> str:
    return "".join(text.split())


def _call(call: ToolCall | MalformedCall) -> Call:
    if isinstance(call, ToolCall):
        return {"n": call.name, "x": render_call(call)}
    return {"n": NOT_UNDERSTOOD, "x": call.text}


def _give_results(told: Sequence[SpokenMessage], content: str) -> bool:
    """Give the calls of the last message their results; False where they are not its own, one for each."""
    calls = told[-1].get("c", []) if told else []
    results = list(read_results(content))
    if not results or len(results) != len(calls) or any("v" in call for call in calls):
        return False
    for call, (value, failed) in zip(calls, results, strict=True):
        call["v"] = value
        if failed:
            call["e"] = True
    return True


# What is to be known of a conversation.


@dataclass(frozen=True, slots=True)
class Traits:
    """What a conversation can be found by.

    Attributes:
        title: How it begins: the first message of the user.
        exchanges: Messages of the user.
        words: Words of all messages but the system prompt and results.
        tools: The tools that are called, in alphabetical order.
        has_errors: Whether a result is an error.
        has_rewrites: Whether a thought is not as Ada thought it.
    """

    title: str
    exchanges: int
    words: int
    tools: tuple[str, ...]
    has_errors: bool
    has_rewrites: bool


def traits_of(messages: Sequence[SpokenMessage]) -> Traits:
    """Return what a conversation can be found by."""
    asked = list(user_messages(messages))
    calls = [call for message in messages for call in message.get("c", [])]
    return Traits(
        title=asked[0] if asked else "",
        exchanges=len(asked),
        words=sum(len(f"{message.get('t', '')} {message.get('k', '')}".split()) for message in messages),
        tools=tuple(sorted({call["n"] for call in calls})),
        has_errors=any(call.get("e", False) for call in calls),
        has_rewrites=any("o" in message for message in messages),
    )


def user_messages(messages: Iterable[SpokenMessage]) -> Iterator[str]:
    """Yield what the user says."""
    return (message.get("t", "") for message in messages if message["r"] == "user")


def openings_of(messages: Sequence[SpokenMessage]) -> Iterator[tuple[str, str]]:
    """Yield how each message of the user, reply and thought begins, with its kind as `stats` names it."""
    is_replied = follows_results = False
    for message in messages:
        text, thought = message.get("t", ""), message.get("k", "")
        if message["r"] == "user":
            is_replied = follows_results = False
            yield "user_messages", opening(words(text))
        elif message["r"] == "assistant":
            yield "later_thoughts" if follows_results else "first_thoughts", opening(words(thought))
            if text and not is_replied:
                is_replied = True
                yield "replies", opening(words(text))
            follows_results = "c" in message


@dataclass(frozen=True, slots=True)
class Change:
    """What a call has done to memory or diary.

    Attributes:
        shelf: `memory` or `diary`.
        is_added: Whether the note was written, else deleted.
        text: The note; empty where it is not known which one it was.
    """

    shelf: ShelfName
    is_added: bool
    text: str


def changes_of(messages: Iterable[Message]) -> Iterator[Change]:
    """Yield what calls have written and deleted; which note a number means, the latest list before it says."""
    lists: dict[ShelfName, dict[int, str]] = {"memory": {}, "diary": {}}
    called: tuple[ToolCall | MalformedCall, ...] = ()
    for message in messages:
        if message.role == "assistant":
            called = parse_answer(message.content).calls
        elif message.role == "tool":
            for call, (value, failed) in zip(called, read_results(message.content), strict=False):
                shelf: ShelfName = "diary" if isinstance(call, ToolCall) and "diary" in call.name else "memory"
                if isinstance(call, ToolCall) and not failed:
                    lists[shelf].update(_listed(value))
                    yield from _changes(call, shelf, lists[shelf])


def _changes(call: ToolCall, shelf: ShelfName, known: Mapping[int, str]) -> Iterator[Change]:
    if call.name.startswith("add_"):
        yield from (Change(shelf, is_added=True, text=text) for text in texts_in([call.arguments, call.positional]))
    elif call.name.startswith("delete_"):
        for value in (*call.arguments.values(), *call.positional):
            for number in value if isinstance(value, list) else [value]:
                yield Change(shelf, is_added=False, text=known.get(number, "") if isinstance(number, int) else "")


def _listed(value: object) -> Iterator[tuple[int, str]]:
    """Yield the notes of a list with their numbers."""
    for items in value.values() if isinstance(value, dict) else ():
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and isinstance(item.get("index"), int) and isinstance(item.get("text"), str):
                yield item["index"], item["text"]


# System prompts.


class SystemLines:
    """Keeps the lines of system prompts once: they differ in a line or two, of hundreds.

    A line that comes for the first time stands where it is; from then on its number does.

    Attributes:
        lines: Those that came more than once, in the order of their numbers.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._numbers: dict[str, int | None] = {}

    def spell(self, text: str) -> list[int | str]:
        """Return a text as its lines, each spelled out or as its number."""
        return [self._line(line) for line in text.split("\n")]

    def _line(self, line: str) -> int | str:
        if line not in self._numbers:
            self._numbers[line] = None
            return line
        number = self._numbers[line]
        if number is None:
            number = self._numbers[line] = len(self.lines)
            self.lines.append(line)
        return number
