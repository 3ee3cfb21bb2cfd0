"""A training example: messages, and which of them are new."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from apep_datagen.core.markup import parse_answer, read_results
from apep_datagen.core.messages import Message

__all__ = ["NOTHING", "Counts", "Example", "count"]


@dataclass(frozen=True, slots=True)
class Example:
    """What one row of a dataset teaches.

    Attributes:
        messages: As the output has them: calls and results as text in their tags, results in the role `tool`.
        context: How many of them, at the beginning, are there to be read alone: an earlier row teaches them.
    """

    messages: tuple[Message, ...]
    context: int = 0

    @property
    def new(self) -> tuple[Message, ...]:
        """The messages that no earlier row has; a system prompt in front of context is none of them."""
        return self.messages[self.context :]


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is of what a dataset teaches.

    Attributes:
        messages: Of all roles.
        thoughts: Of Ada's messages, those that begin with a thought.
        calls: Tool calls.
        results: What came back of them.
    """

    messages: int = 0
    thoughts: int = 0
    calls: int = 0
    results: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Return both together."""
        return Counts(
            self.messages + other.messages,
            self.thoughts + other.thoughts,
            self.calls + other.calls,
            self.results + other.results,
        )

    def __sub__(self, other: Counts) -> Counts:
        """Return what is here and not there."""
        return Counts(
            self.messages - other.messages,
            self.thoughts - other.thoughts,
            self.calls - other.calls,
            self.results - other.results,
        )


NOTHING = Counts()
"""None of anything."""


def count(messages: Iterable[Message]) -> Counts:
    """Count what messages hold."""
    number = thoughts = calls = results = 0
    for message in messages:
        number += 1
        if message.role == "assistant":
            thought, called = _in_answer(message.content)
            thoughts += thought
            calls += called
        elif message.role == "tool":
            results += _results_in(message.content)
    return Counts(number, thoughts, calls, results)


# The same messages are counted before, between and behind, and as context of later rows.
@lru_cache(maxsize=512)
def _in_answer(content: str) -> tuple[bool, int]:
    answer = parse_answer(content)
    return bool(answer.thinking), len(answer.calls)


@lru_cache(maxsize=512)
def _results_in(content: str) -> int:
    return sum(1 for _ in read_results(content))
