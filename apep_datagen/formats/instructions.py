"""What a system prompt tells of the tools: the section that has to be another one where calls are spelled otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from apep_datagen.formats.format import CannotHoldError

__all__ = ["Retelling", "retelling_of"]


@dataclass(frozen=True, slots=True)
class Retelling:
    """A section of system prompts, and what is to stand there instead.

    Attributes:
        pattern: A regular expression that finds the section; in it, `.` stands for line ends too.
        instead: What is to stand there.
    """

    pattern: str
    instead: str


def retelling_of(system: str, retellings: Iterable[Retelling]) -> tuple[str, str] | None:
    """Return what a system prompt tells of the tools, and what is to stand there instead.

    Args:
        system: The prompt.
        retellings: What prompts can tell; the first that it has is taken.

    Returns:
        The section as it stands there, and the other one; None where it tells nothing of calls as text.

    Raises:
        CannotHoldError: It tells of calls as text in words that are none of these.
    """
    for retelling in retellings:
        if found := re.search(retelling.pattern, system, re.DOTALL):
            return found[0], retelling.instead
    if "<tool_call>" in system:
        raise CannotHoldError(
            "the system prompt tells of calls as text, in words that are not those of the run's prompts (name the"
            " directory that holds its tool_instructions.txt with --prompts)"
        )
    return None
