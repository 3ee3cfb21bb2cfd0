"""A prompt and its completion: what is there to be read, and what Ada does with it."""

from __future__ import annotations

from typing import Any

from apep_datagen.formats.chat import chat_messages, context_of, read_chat
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import CannotHoldError, Row
from apep_datagen.formats.shape import Shape

__all__ = ["is_prompt_row", "prompt_row", "read_prompt_row"]


def prompt_row(example: Example, shape: Shape) -> Row:
    """Return an example as lists of messages: `prompt`, and from Ada's first new message on `completion`.

    Raises:
        CannotHoldError: She says nothing in it that is new, or a call or a result cannot be a field.
    """
    messages = chat_messages(example, shape)
    asked = context_of(Example(example.messages, _first_answer(example)), shape)
    return {"prompt": messages[:asked], "completion": messages[asked:]}


def _first_answer(example: Example) -> int:
    for index, message in enumerate(example.new, start=example.context):
        if message.role == "assistant":
            return index
    raise CannotHoldError("there is no answer of Ada's to be learnt")


def read_prompt_row(row: Row) -> Example:
    """Return the example that such a row is; what comes after Ada's last message in the prompt is new.

    Raises:
        ValueError: It is no such row.
    """
    if not is_prompt_row(row):
        raise ValueError("a row has no messages as its prompt and its completion")
    prompt: list[Any] = row["prompt"]
    answered = [place for place, message in enumerate(prompt, start=1) if _is_answer(message)]
    return read_chat([*prompt, *row["completion"]], max(answered, default=0))


def is_prompt_row(row: Row) -> bool:
    """Tell whether a row has messages as its prompt, and as its completion."""
    return isinstance(row.get("prompt"), list) and isinstance(row.get("completion"), list)


def _is_answer(message: Any) -> bool:
    return isinstance(message, dict) and message.get("role") == "assistant"
