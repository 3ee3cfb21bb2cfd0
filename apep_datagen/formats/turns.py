"""Whose turn it is: what trainers expect that take messages in pairs, a question and its answer."""

from __future__ import annotations

from collections.abc import Sequence

from apep_datagen.core.messages import Message
from apep_datagen.formats.format import CannotHoldError

__all__ = ["check_ending", "check_turns"]


def check_ending(messages: Sequence[Message]) -> None:
    """See that Ada has the last word, as trainers want it that learn it.

    Raises:
        CannotHoldError: She has not.
    """
    if not messages or messages[-1].role != "assistant":
        raise CannotHoldError("the last message is not Ada's")


def check_turns(messages: Sequence[Message]) -> None:
    """See that messages take turns: what is asked or comes back of a tool, then an answer of Ada's, to the end.

    A system prompt may stand in front. Trainers that take messages in pairs pass other rows over or join what follows
    each other, with at most a warning.

    Raises:
        CannotHoldError: They do not.
    """
    turns = messages[1:] if messages and messages[0].role == "system" else messages
    check_ending(turns)
    for index, message in enumerate(turns):
        if message.role == "system":
            raise CannotHoldError("a system prompt stands between other messages")
        if (message.role == "assistant") is (index % 2 == 0):
            raise CannotHoldError("two messages of the same side follow each other")
