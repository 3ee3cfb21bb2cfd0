"""Which thoughts of Ada's an example has."""

from __future__ import annotations

from apep_datagen.core.markup import parse_answer, render_answer
from apep_datagen.core.messages import Message
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import CannotHoldError
from apep_datagen.formats.native import checked_answer
from apep_datagen.formats.shape import Thoughts

__all__ = ["with_thoughts"]


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
