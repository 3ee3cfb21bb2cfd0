"""An example as the services that fine-tune models take it in a file: OpenAI, Together, Mistral."""

from __future__ import annotations

from typing import Literal

from apep_datagen.core.tools import tool_schemas
from apep_datagen.formats.chat import chat_messages
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import Row
from apep_datagen.formats.shape import Shape
from apep_datagen.formats.turns import check_ending
from apep_datagen.formats.weights import Weight

__all__ = ["api_messages", "api_row", "told_of_context"]


def api_messages(
    example: Example, shape: Shape, *, thoughts: Literal["content", "reasoning_content"] = "content"
) -> list[Row]:
    """Return an example as messages with the fields that these services know, and no others.

    A result has no name beside the id of its call, and a message that is calls alone has no content.

    Args:
        example: What is to be written.
        shape: How calls are spelled, and in which role results stand.
        thoughts: With native calls, as for `native_messages`.

    Raises:
        CannotHoldError: A call or a result cannot be a field, or the last message is not Ada's: these services refuse
            a file with such a row in it.
    """
    check_ending(example.messages)
    messages = chat_messages(example, shape, arguments="text", thoughts=thoughts)
    return [
        {
            name: value
            for name, value in message.items()
            if not (name == "name" and message["role"] == "tool")
            and not (name == "content" and not value and "tool_calls" in message)
        }
        for message in messages
    ]


def api_row(messages: list[Row], example: Example, shape: Shape, weight: Weight) -> Row:
    """Return a row of messages, with what tells which of them are trained on, and the tools where calls are native."""
    row: Row = {"messages": weight.put(messages, example, shape)}
    if shape.calls == "native":
        row["tools"] = tool_schemas()
    return row


def told_of_context(shape: Shape) -> str:
    """Return what a guide tells of rows that have context, as a paragraph; empty where they have none."""
    if shape.rows == "conversation":
        return ""
    what = "one message of Ada's" if shape.rows == "answer" else "an exchange"
    return f"""
Each row is {what}, with all that stands before it as context: her messages there have
`weight: 0`, and are not trained on again.
"""
