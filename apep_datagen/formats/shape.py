"""How a row is to be built: what the options of an export say, resolved for one form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Calls", "Rows", "Shape", "Thoughts", "ToolRole"]

Rows = Literal["conversation", "exchange", "answer"]
"""What is a row: a whole conversation, each exchange of it, or each message of Ada's, with all before as context."""
Thoughts = Literal["keep", "last", "drop"]
"""Which thoughts a row has: all, those of its last exchange, or none."""
ToolRole = Literal["tool", "user"]
"""The role in which results of tools stand, where calls are text."""
Calls = Literal["text", "native"]
"""How calls are spelled: as text in Ada's message, or as fields of it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a row is to be built.

    Attributes:
        rows: What is a row.
        thoughts: Which thoughts it has.
        tool_role: The role of results; with native calls it is always `tool`.
        calls: How calls are spelled.
        weights: Whether it says of each message whether it is trained on, in the trainer's own way, also where all of
            Ada's are; of context it always does. Only in forms that have a place for that.
    """

    rows: Rows = "conversation"
    thoughts: Thoughts = "keep"
    tool_role: ToolRole = "tool"
    calls: Calls = "text"
    weights: bool = False

    @property
    def marks_messages(self) -> bool:
        """Whether a row says of its messages which are trained on: where that is asked for, or some are context."""
        return self.weights or self.rows != "conversation"
