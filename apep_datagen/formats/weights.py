"""What tells a trainer which messages of a row it is to learn: a field of a message, such as `weight`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apep_datagen.formats.chat import context_of, read_chat
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import Row
from apep_datagen.formats.shape import Shape

__all__ = ["Weight"]


@dataclass(frozen=True, slots=True)
class Weight:
    """A field that says whether a message is trained on.

    Attributes:
        field: Its name.
        trained: What stands there of a message that is.
        masked: What stands there of a message that is not.
        is_on_all: Whether messages of all roles have it, or Ada's alone.
    """

    field: str
    trained: int | bool
    masked: int | bool
    is_on_all: bool = False

    def put(self, messages: Sequence[Row], example: Example, shape: Shape) -> list[Row]:
        """Return messages with this field, where the shape asks for it or some of them are context.

        Args:
            messages: What `chat_messages` made of the example.
            example: From which they were made.
            shape: The shape of the row.
        """
        if not shape.marks_messages:
            return list(messages)
        context = context_of(example, shape)
        return [
            {**message, self.field: self.trained if index >= context and _is_adas(message) else self.masked}
            if self.is_on_all or _is_adas(message)
            else message
            for index, message in enumerate(messages)
        ]

    def read(self, row: Row) -> Example:
        """Return the example that a row of `messages` is.

        Raises:
            ValueError: It is none.
        """
        messages = row.get("messages")
        if not isinstance(messages, list):
            raise ValueError("a row has no messages")  # noqa: TRY004 - what is wrong is a value in a file
        return read_chat(messages)

    def is_in(self, messages: Any, *, of_others: bool = False) -> bool:
        """Tell whether some message of Ada's (or of somebody else's) has this field."""
        return isinstance(messages, Sequence) and any(
            isinstance(message, Mapping) and message.get(self.field) is not None and _is_adas(message) is not of_others
            for message in messages
        )


def _is_adas(message: Mapping[str, Any]) -> bool:
    return message.get("role") == "assistant"
