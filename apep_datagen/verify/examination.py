"""What is found out about each conversation of an output by itself, in the processes that share the work.

What is returned is small, so that the conversations of a whole output can be compared with each other in one process.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from apep_datagen.core.calls import MalformedCall, ToolCall
from apep_datagen.core.markup import parse_answer, read_result
from apep_datagen.core.messages import Message
from apep_datagen.core.samples import messages_of, sample_line
from apep_datagen.core.tools import canonical_call
from apep_datagen.quality import form
from apep_datagen.quality.novelty import BANDS, PARTS, SKETCH_LENGTH, band_keys, opening, sketch
from apep_datagen.quality.problem import Problem
from apep_datagen.quality.sample import Sample, read_sample, spoken

__all__ = [
    "NOT_A_CONVERSATION",
    "Examined",
    "Finding",
    "SavedCall",
    "calls_of",
    "content_of_line",
    "examine",
]

NOT_A_CONVERSATION = "the element is no conversation"


@dataclass(frozen=True, slots=True)
class SavedCall:
    """A call as it is saved.

    Attributes:
        call: The call.
        results: Its result as a JSON value, alone in a tuple; empty where there is none that can be read.
    """

    call: ToolCall | MalformedCall
    results: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        conversation: Its number in the file, from 1; None where it is about none that is there.
        kind: A sentence that is the same for all findings of its kind.
        detail: What it is here.
    """

    conversation: int | None
    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Examined:
    """Some conversations that follow each other in the file.

    Attributes:
        number: Of the first one in the file, from 1.
        problems: What is wrong with their form.
        contents: For each a number that is the same for the same messages.
        keys: For each `BANDS` keys for each of `PARTS`, by which similar texts are found; 0 where there is none.
        sketches: For each `SKETCH_LENGTH` bytes for each of `PARTS`; zeros where there is none.
        openings: For each a number for the first words of each of `PARTS`; 0 where there are none.
        calls: The calls of those that have any, with their number in the file.
    """

    number: int
    problems: tuple[Finding, ...]
    contents: array[int]
    keys: array[int]
    sketches: bytes
    openings: array[int]
    calls: dict[int, tuple[SavedCall, ...]]


def examine(number: int, elements: Sequence[bytes]) -> Examined:
    """Look at conversations by themselves.

    Args:
        number: Of the first one in the file, from 1.
        elements: As they stand in the file.
    """
    problems: list[Finding] = []
    contents, keys, openings = array("q"), array("q"), array("q")
    sketches = bytearray()
    calls: dict[int, tuple[SavedCall, ...]] = {}
    for place, element in enumerate(elements, start=number):
        messages = messages_of(element)
        sample = None if messages is None else read_sample(messages)
        texts = ("", "")
        if messages is None:
            problems.append(Finding(place, NOT_A_CONVERSATION, element[:60].decode(errors="replace")))
            contents.append(_number(element))
        else:
            contents.append(content_of_line(sample_line(messages).encode(errors="surrogatepass")))
            if saved := calls_of(messages, sample):
                calls[place] = saved
        problem = form.check(sample) if isinstance(sample, Sample) else sample
        if isinstance(sample, Sample):
            texts = spoken(messages or ())
        if problem is not None:
            problems.append(Finding(place, problem.reason, problem.detail))
        for part, text in zip(PARTS, texts, strict=True):
            keys.extend(band_keys(part, text) or _NO_KEYS)
            sketches += sketch(text) or _NO_SKETCH
            begins = opening(text)
            openings.append(_number(begins.encode()) if begins else 0)
    return Examined(number, tuple(problems), contents, keys, bytes(sketches), openings, calls)


_NO_KEYS = (0,) * BANDS
_NO_SKETCH = bytes(SKETCH_LENGTH)


def content_of_line(line: bytes) -> int:
    """Return a number for a conversation as the program writes it; the same for the same messages."""
    return _number(line)


def _number(content: bytes) -> int:
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little", signed=True)


def calls_of(messages: Sequence[Message], sample: Sample | Problem | None = None) -> tuple[SavedCall, ...]:
    """Return the calls of a conversation with their results, also where its form is wrong.

    Args:
        messages: The conversation.
        sample: What `read_sample` says of it, if it was asked.
    """
    if isinstance(sample, Sample):
        return tuple(
            SavedCall(call, (result,))
            for exchange in sample.exchanges
            for turn in exchange.turns
            for call, result in zip(turn.calls, turn.results, strict=True)
        )
    saved: list[SavedCall] = []
    for index, message in enumerate(messages):
        if message.role != "assistant" or "<tool_call>" not in message.content:
            continue
        following = messages[index + 1] if index + 1 < len(messages) else None
        lines = following.content.split("\n") if following is not None and following.role == "tool" else []
        results = [_result(line) for line in lines]
        for place, call in enumerate(parse_answer(message.content).calls):
            saved.append(SavedCall(canonical_call(call), results[place] if place < len(results) else ()))
    return tuple(saved)


def _result(line: str) -> tuple[Any, ...]:
    try:
        return (read_result(line),)
    except ValueError:
        return ()
