"""Which examples a conversation becomes, and with which thoughts."""

from __future__ import annotations

from collections.abc import Iterator

from apep_datagen.core.markup import parse_answer, render_answer
from apep_datagen.core.messages import Message
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import CannotHoldError
from apep_datagen.formats.native import checked_answer
from apep_datagen.formats.shape import Rows, Thoughts

__all__ = ["examples_of", "with_thoughts"]


def examples_of(messages: tuple[Message, ...], rows: Rows) -> Iterator[Example]:
    """Yield the examples that a conversation becomes, in order; together they teach each message once."""
    context = 0
    for end in dict.fromkeys((*_breaks(messages, rows), len(messages))):
        yield Example(messages[:end], context)
        context = end


def _breaks(messages: tuple[Message, ...], rows: Rows) -> list[int]:
    """Return before which messages a new example begins.

    Behind an answer that is an example by itself nothing stands: a trainer that learns all of a completion would learn
    that, too. What nobody answers is then an example without an answer.
    """
    match rows:
        case "conversation":
            return []
        case "exchange":
            return [index for index, message in enumerate(messages) if message.role == "user"][1:]
        case "answer":
            return [index + 1 for index, message in enumerate(messages) if message.role == "assistant"]


def with_thoughts(example: Example, thoughts: Thoughts) -> Example:
    """Return an example that has no other thoughts than these.

    Raises:
        CannotHoldError: A message holds something beside thoughts, a reply and calls, which would go with a thought; or
            nothing beside a thought.
    """
    if thoughts == "keep":
        return example
    last = max((index for index, message in enumerate(example.messages) if message.role == "user"), default=0)
    stop = last if thoughts == "last" else len(example.messages)
    return Example(
        tuple(_without_thought(message) if index < stop else message for index, message in enumerate(example.messages)),
        example.context,
    )


def _without_thought(message: Message) -> Message:
    if message.role != "assistant":
        return message
    if not parse_answer(message.content).thinking:
        return message
    answer = checked_answer(message)
    if not answer.reply and not answer.calls:
        raise CannotHoldError("an answer is a thought alone, of which nothing is left without it")
    return Message("assistant", render_answer("", answer.reply, answer.calls))
