"""Which examples a conversation becomes."""

from __future__ import annotations

from collections.abc import Iterator

from apep_datagen.core.messages import Message
from apep_datagen.formats.example import Example
from apep_datagen.formats.shape import Rows

__all__ = ["examples_of"]


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
