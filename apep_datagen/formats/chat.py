"""An example as the list of messages that chat templates take (`apply_chat_template` of transformers)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

from apep_datagen.core.messages import Message, MessageRole
from apep_datagen.core.tools import tool_schemas
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import Row
from apep_datagen.formats.native import masked, native_messages, result_texts, text_messages
from apep_datagen.formats.shape import Shape

__all__ = ["chat_messages", "context_of", "read_chat", "role_in", "schemas_as_text"]


def chat_messages(
    example: Example,
    shape: Shape,
    *,
    arguments: Literal["object", "text"] = "object",
    thoughts: Literal["content", "reasoning_content"] = "content",
) -> list[Row]:
    """Return an example as messages of `role` and `content`, and with native calls `tool_calls`.

    Args:
        example: What is to be written.
        shape: How calls are spelled, and in which role results stand.
        arguments: With native calls, as for `native_messages`.
        thoughts: With native calls, as for `native_messages`.

    Raises:
        CannotHoldError: A call or a result cannot be a field, or a message of the role `tool` is none of results.
    """
    if shape.calls == "native":
        return native_messages(example.messages, arguments=arguments, thoughts=thoughts)
    return [{"role": role_in(message, shape), "content": message.content} for message in example.messages]


def role_in(message: Message, shape: Shape) -> MessageRole:
    """Return the role that a message has in a row in which calls are text.

    Raises:
        CannotHoldError: One of the role `tool` holds something else than results in their tags: as the user's, nobody
            could tell it from what the user says, and read back it would be another one.
    """
    if message.role != "tool":
        return message.role
    result_texts(message)
    return shape.tool_role


def context_of(example: Example, shape: Shape) -> int:
    """Return how many of the messages that `chat_messages` makes are context."""
    return len(chat_messages(Example(example.messages[: example.context]), shape))


def read_chat(rows: Sequence[Any], context: int | None = None) -> Example:
    """Return the example that messages are; the way back from `chat_messages`.

    Args:
        rows: The messages.
        context: How many of them are context; None where they say it: all up to the last of Ada's that is marked as not
            to be trained on.

    Raises:
        ValueError: They are no messages.
    """
    messages: tuple[Message, ...] = text_messages(rows)
    if not messages:
        raise ValueError("there are no messages")
    return Example(messages, len(text_messages(rows[: masked(rows) if context is None else context])))


@cache
def schemas_as_text() -> str:
    """Return the schemas of Ada's tools as JSON: `datasets` makes objects with different keys one type."""
    return json.dumps(tool_schemas(), ensure_ascii=False)
