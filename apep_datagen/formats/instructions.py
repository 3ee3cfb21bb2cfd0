"""What a system prompt tells of the tools: the section that has to be another one where calls are spelled otherwise."""

from __future__ import annotations

from collections.abc import Iterable

from apep_datagen.core.messages import Message
from apep_datagen.formats.format import CannotHoldError

__all__ = ["retold"]


def retold(messages: tuple[Message, ...], sections: Iterable[tuple[str, str]]) -> tuple[Message, ...]:
    """Return messages whose system prompt tells of the tools in other words.

    Args:
        messages: As the output has them.
        sections: What a prompt can tell, and what is to stand there instead; the first that it has is taken.

    Raises:
        CannotHoldError: The prompt tells of calls in words that are none of these.
    """
    if not messages or messages[0].role != "system":
        return messages
    system = messages[0].content
    for told, instead in sections:
        if told and told in system:
            return (Message("system", system.replace(told, instead, 1)), *messages[1:])
    if "<tool_call>" in system:
        raise CannotHoldError(
            "the system prompt tells of calls as text, in words that are not those of a run's prompts; name the"
            " directory that holds its tool_instructions.txt with --prompts"
        )
    return messages
