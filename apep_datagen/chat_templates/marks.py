"""Marks of letters in the messages of a row, by which what a template keeps of them is known.

A template may trim a text, escape it, spell a call in another way, or move a result into the turn of the user. So what
is left of a row is not looked for by its words, which can also stand elsewhere in it: each thought, call, result and
reply that is new gets marks of its own, and what is kept is that whose marks are all in the text. Letters come through
every spelling. Marks are put in and nothing is taken away; so without its marks, the text of the marked row is that of
the row, or the template did something else because of them, which can be told by comparing the two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from apep_datagen.core.markup import Answer, parse_answer
from apep_datagen.core.messages import Message
from apep_datagen.formats.example import Counts, Example
from apep_datagen.formats.format import Kind, Row

__all__ = ["Item", "Marked", "mark"]

_OPEN_THINK = re.compile(r"<think(?:ing)?>", re.IGNORECASE)
_CLOSE_THINK = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_OPEN_CALL = re.compile(r"<tool_call>", re.IGNORECASE)
_CALL = re.compile(r"(?<=<tool_call>).*?(?=</tool_call>)", re.IGNORECASE | re.DOTALL)
_RESULT = re.compile(r"(?<=<tool_result>).*?(?=</tool_result>)", re.DOTALL)
# A mark is the stem and a number, whose digits are letters: as many as a row can need, and as few as can be.
_STEM = "qzjx"
_DIGITS = "abcdefghijklmnop"
_PLACES = 5


@dataclass(frozen=True, slots=True)
class Item:
    """A part of a row that is new in it.

    Attributes:
        kind: What it is; `messages` is what somebody says: a system prompt, a user's message, a reply.
        message: Which of the example's messages it stands in.
        marks: The numbers of its marks; empty where it is not in the row at all.
        number: How many of its kind it is: several calls in one tag are kept or lost together.
        is_adas: Whether Ada wrote it, so that it is to be learnt.
        is_name: Whether it is a call's name alone, which a template may write again beside the result.
    """

    kind: Kind
    message: int
    marks: range
    number: int = 1
    is_adas: bool = False
    is_name: bool = False


@dataclass(frozen=True, slots=True)
class Marked:
    """A row with its marks.

    Attributes:
        messages: With marks in them.
        items: What is marked, in the order of the row.
        before: What there is of each kind, of the new messages.
        pattern: What finds a mark.
    """

    messages: Sequence[Row]
    items: Sequence[Item]
    before: Counts
    pattern: re.Pattern[str]

    def numbers(self, text: str) -> list[tuple[int, int]]:
        """Return the number of each mark in a text, and where it stands, in order."""
        return [(_number(found[1]), found.start()) for found in self.pattern.finditer(text)]

    def without_marks(self, text: str) -> str:
        """Return a text without the marks in it."""
        return self.pattern.sub("", text)


def mark(messages: Sequence[Row], example: Example, source: str = "") -> Marked:
    """Put marks into a row.

    Args:
        messages: What a template is to render, as `formats.chat.chat_messages` makes it of the example.
        example: What the row teaches.
        source: The text of the template: no mark is in it, nor in the example.
    """
    stem = _STEM
    while any(stem in text for text in (source, *(message.content for message in example.messages))):
        stem += "q"
    marker = _Marker(stem)
    rows: list[Row] = []
    for index, message in enumerate(example.messages):
        size = _rows_of(message, messages, len(rows))
        made_of_it = messages[len(rows) : len(rows) + size]
        if index < example.context:
            rows.extend(made_of_it)
        else:
            rows.extend(marker.mark(row, message, index) for row in made_of_it)
    numbers = dict.fromkeys(("thoughts", "calls", "results"), 0)
    for item in marker.items:
        if item.kind in numbers:
            numbers[item.kind] += item.number
    pattern = re.compile(rf"{stem}([{_DIGITS[0]}-{_DIGITS[-1]}]{{{_PLACES}}})")
    return Marked(rows, marker.items, Counts(messages=len(example.new), **numbers), pattern)


def _rows_of(message: Message, rows: Sequence[Row], place: int) -> int:
    """Return how many messages of the row are made of one: as a field, each result has one."""
    if message.role == "tool" and "tool_call_id" in rows[place]:
        return len(_RESULT.findall(message.content))
    return 1


@lru_cache(maxsize=4096)
def _digits(number: int) -> str:
    digits = ""
    for _ in range(_PLACES):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits


@lru_cache(maxsize=4096)
def _number(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    return number


def _is_jumbled(text: str) -> bool:
    """Tell whether Ada's thinking stands elsewhere than in one block at the beginning."""
    openings = list(_OPEN_THINK.finditer(text))
    return len(openings) > 1 or bool(openings and text[: openings[0].start()].strip())


class _Marker:
    """Puts marks into messages, and notes the items that they belong to."""

    def __init__(self, stem: str) -> None:
        self.items: list[Item] = []
        self._stem = stem
        self._count = 0

    def mark(self, row: Row, message: Message, index: int) -> Row:
        """Return a message of the row with marks; `index` is that of the example's message which it was made of."""
        if message.role == "assistant":
            return self._answer(row, parse_answer(message.content), index)
        content = row["content"]
        if message.role != "tool":
            return {**row, "content": self._text(content, "messages", index)} if content.strip() else row
        if "tool_call_id" in row:
            return {**row, "content": self._text(content, "results", index)}
        return {**row, "content": _RESULT.sub(lambda found: self._text(found[0], "results", index), content)}

    def _answer(self, row: Row, answer: Answer, index: int) -> Row:
        content = row.get("content") or ""
        if "tool_calls" not in row and _is_jumbled(content):
            return {**row, "content": self._together(content, answer, index)}
        marked = dict(row)
        if answer.thinking and row.get("reasoning_content"):
            marked["reasoning_content"] = self._text(row["reasoning_content"], "thoughts", index, is_adas=True)
            said, calls = self._reply(content, 0, answer, index)
        else:
            thought, end = self._thought(content, answer, index)
            said, calls = self._reply(content, end, answer, index)
            said = thought + said
        if "tool_calls" not in row:
            marked["content"] = said + self._written_calls(calls, len(answer.calls), index)
            return marked
        marked["content"] = said + calls
        marked["tool_calls"] = [self._call(call, index) for call in row["tool_calls"]]
        self._missing("calls", len(answer.calls) - len(row["tool_calls"]), index)
        return marked

    def _together(self, text: str, answer: Answer, index: int) -> str:
        """Return a message with marks at its ends, whose parts nobody could mark one by one."""
        before = self._count
        marked = self._around(text)
        parts: tuple[tuple[Kind, int], ...] = (
            ("thoughts", bool(answer.thinking)), ("messages", bool(answer.reply)), ("calls", len(answer.calls)),
        )  # fmt: skip
        marks = range(before, self._count)
        self.items += [Item(kind, index, marks, number, is_adas=True) for kind, number in parts if number]
        return marked

    def _thought(self, text: str, answer: Answer, index: int) -> tuple[str, int]:
        """Return the thought at the beginning of a text, with marks inside its tags, and where the text goes on."""
        opening, closing = _OPEN_THINK.search(text), _CLOSE_THINK.search(text)
        if not answer.thinking or not (opening or closing):
            self._missing("thoughts", bool(answer.thinking), index)
            return "", 0
        start = opening.end() if opening else 0
        end = closing.start() if closing else len(text)
        behind = closing.end() if closing else len(text)
        return text[:start] + self._text(text[start:end], "thoughts", index, is_adas=True) + text[end:behind], behind

    def _reply(self, text: str, start: int, answer: Answer, index: int) -> tuple[str, str]:
        """Return what Ada says before her calls, with marks, and the calls."""
        first_call = _OPEN_CALL.search(text, start)
        end = first_call.start() if first_call else len(text)
        reply = text[start:end]
        if answer.reply and reply.strip():
            reply = self._text(reply, "messages", index, is_adas=True)
        return reply, text[end:]

    def _written_calls(self, text: str, number: int, index: int) -> str:
        """Return calls in their tags, with marks."""
        if not text or not number:
            self._missing("calls", number, index)
            return text
        if len(_CALL.findall(text)) == number:
            return _CALL.sub(lambda found: self._text(found[0], "calls", index, is_adas=True), text)
        # Several in one tag, or a tag that is not closed: they go together.
        tag = _OPEN_CALL.match(text)
        start = tag.end() if tag else 0
        return text[:start] + self._text(text[start:], "calls", index, is_adas=True, number=number)

    def _call(self, call: Row, index: int) -> Row:
        """Return a call as a field, with a mark in its name and in each of its arguments."""
        function = call["function"]
        before = self._count
        name = self._next() + function["name"]
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            marked: Any = json.dumps(self._arguments(json.loads(arguments)), ensure_ascii=False)
        else:
            marked = self._arguments(arguments or {})
        is_name = self._count == before + 1
        self.items.append(Item("calls", index, range(before, self._count), is_adas=True, is_name=is_name))
        return {**call, "function": {**function, "name": name, "arguments": marked}}

    def _arguments(self, arguments: Row) -> Row:
        marked: Row = {}
        for name, value in arguments.items():
            before = self._count
            marked_value = self._value(value)
            # What is no text, such as numbers, has its mark behind its name.
            marked[name if self._count > before else name + self._next()] = marked_value
        return marked

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._around(value)
        if isinstance(value, list):
            return [self._value(each) for each in value]
        if isinstance(value, dict):
            return {name: self._value(each) for name, each in value.items()}
        return value

    def _text(self, text: str, kind: Kind, index: int, *, is_adas: bool = False, number: int = 1) -> str:
        before = self._count
        marked = self._around(text)
        self.items.append(Item(kind, index, range(before, self._count), number, is_adas))
        return marked

    def _missing(self, kind: Kind, number: int, index: int) -> None:
        """Note what the example has and the row has not."""
        if number > 0:
            self.items.append(Item(kind, index, range(0), number, is_adas=True))

    def _around(self, text: str) -> str:
        """Return a text with a mark at each end, inside the white space around it, which a template may trim."""
        inner = text.strip()
        start = len(text) - len(text.lstrip()) if inner else 0
        return f"{text[:start]}{self._next()}{inner}{self._next()}{text[start + len(inner) :]}"

    def _next(self) -> str:
        self._count += 1
        return self._stem + _digits(self._count - 1)
