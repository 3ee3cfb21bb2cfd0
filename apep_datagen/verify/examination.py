"""What is found out about each element of the file by itself, in the processes that share the work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from apep_datagen.core.calls import MalformedCall, ToolCall
from apep_datagen.core.markup import parse_answer, read_result
from apep_datagen.core.messages import Message
from apep_datagen.core.sample_json import parse_messages, sample_bytes
from apep_datagen.core.tools import canonical_call
from apep_datagen.quality import form
from apep_datagen.quality.sample import Sample, read_sample
from apep_datagen.quality.wording import wording_of
from apep_datagen.verify.findings import NOT_A_CONVERSATION, Finding
from apep_datagen.verify.fingerprints import Fingerprints, number_for

__all__ = ["Examination", "SavedCall", "calls_of", "calls_of_sample", "examine"]


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
class Examination:
    """What was found out about some elements that follow each other in the file. It is small, and travels.

    Attributes:
        number: Of the first one in the file, from 1.
        findings: What is wrong with their form.
        fingerprints: By which they are compared with others.
        calls: The calls of those that have any, with their number in the file.
    """

    number: int
    findings: list[Finding] = field(default_factory=list)
    fingerprints: Fingerprints = field(default_factory=Fingerprints)
    calls: dict[int, tuple[SavedCall, ...]] = field(default_factory=dict)


def examine(number: int, elements: Sequence[bytes]) -> Examination:
    """Look at elements by themselves.

    Args:
        number: Of the first one in the file, from 1.
        elements: As they stand in the file.
    """
    found = Examination(number)
    for place, element in enumerate(elements, start=number):
        messages = parse_messages(element)
        if messages is None:
            found.findings.append(Finding(place, NOT_A_CONVERSATION, element[:60].decode(errors="replace")))
            found.fingerprints.append(number_for(element), None)
            continue
        sample = read_sample(messages)
        problem = form.check(sample) if isinstance(sample, Sample) else sample
        if problem is not None:
            found.findings.append(Finding(place, problem.reason, problem.detail))
        if calls := calls_of_sample(sample) if isinstance(sample, Sample) else calls_of(messages):
            found.calls[place] = calls
        # Another layout of the same messages is the same.
        content = number_for(sample_bytes(messages))
        found.fingerprints.append(content, wording_of(messages) if isinstance(sample, Sample) else None)
    return found


def calls_of_sample(sample: Sample) -> tuple[SavedCall, ...]:
    """Return the calls of a conversation that has been read: what `calls_of` finds in its messages."""
    turns = (turn for exchange in sample.exchanges for turn in exchange.turns)
    return tuple(
        SavedCall(call, (result,)) for turn in turns for call, result in zip(turn.calls, turn.results, strict=True)
    )


def calls_of(messages: Sequence[Message]) -> tuple[SavedCall, ...]:
    """Return the calls of a conversation with their results, also where its form is wrong."""
    saved: list[SavedCall] = []
    for index, message in enumerate(messages):
        if message.role != "assistant" or "<tool_call>" not in message.content:
            continue
        following = messages[index + 1] if index + 1 < len(messages) else None
        blocks = following.content.split("\n") if following is not None and following.role == "tool" else []
        results = [_results(block) for block in blocks]
        for place, call in enumerate(parse_answer(message.content).calls):
            saved.append(SavedCall(canonical_call(call), results[place] if place < len(results) else ()))
    return tuple(saved)


def _results(block: str) -> tuple[Any, ...]:
    try:
        return (read_result(block),)
    except ValueError:
        return ()
