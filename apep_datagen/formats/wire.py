"""What is sent to a model that was trained on a form: the row, up to where its answer begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from apep_datagen.core.messages import Message, Spelled
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import Format, Instructions
from apep_datagen.formats.registry import FORMATS
from apep_datagen.formats.shape import Shape, Thoughts, ToolRole
from apep_datagen.formats.thoughts import with_thoughts

__all__ = ["Wire", "plain_wire"]

_ANSWER: Final = Message("assistant", "So it is.")
"""Stands where the model's answer will: a row ends with one."""


@dataclass(frozen=True, slots=True)
class Wire:
    """How messages are spelled: as the rows were that the model was trained on.

    Attributes:
        form: The name of the form.
        shape: How its rows were built; which messages a row has, and which of them are learnt, is nothing to the wire.
    """

    form: str
    shape: Shape

    @property
    def calls(self) -> Instructions:
        """Which way of calling tools the system prompt tells of."""
        return self._format.instructions(self.shape)

    def spell(self, messages: tuple[Message, ...]) -> Spelled:
        """Return what is sent where these messages have been said, and the model's answer is due.

        It is what stands before that answer in a row that ends with it, written by the function that writes rows: so
        thoughts, calls and results are where its trainer had them.

        Args:
            messages: As the output has them, with the system prompt that tells of `calls`.

        Raises:
            CannotHoldError: No row of this form can have these messages, such as a call that was not understood.
        """
        answered = with_thoughts(Example((*messages, _ANSWER), len(messages)), self.shape.thoughts)
        row = self._format.spell(self._format.write(answered, self.shape))
        return Spelled(row.messages[:-1], row.tools)

    @property
    def _format(self) -> Format:
        return FORMATS[self.form]


# The forms that hold whatever the API does: in their rows, nothing that can be sent is refused.
_PLAIN: Mapping[Instructions, str] = {"text": "axolotl", "native": "axolotl", "hermes": "hermes"}


def plain_wire(calls: Instructions = "text", tool_role: ToolRole = "user", thoughts: Thoughts = "keep") -> Wire:
    """Return how messages are spelled where no more is known of the rows than this.

    Args:
        calls: How calls are spelled: as text in Ada's markup, as an API's fields, or as Hermes has them.
        tool_role: The role of results, where calls are text.
        thoughts: Which thoughts of Ada's she sees again.
    """
    role: ToolRole = tool_role if calls == "text" else "tool"
    return Wire(_PLAIN[calls], Shape(tool_role=role, calls="text" if calls == "text" else "native", thoughts=thoughts))
