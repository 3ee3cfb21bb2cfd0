"""The sample of the documentation as rows of a form: real conversations, as whoever reads the files gets them."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from apep_datagen.core.messages import Message
from apep_datagen.export.examples import examples_of
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import Format
from apep_datagen.formats.shape import Calls, Shape

__all__ = ["answers_in", "as_json", "sample_rows", "shapes_of"]

_SAMPLE = Path(__file__).parents[2] / "docs" / "sample.json"


@functools.cache
def _conversations() -> tuple[tuple[Message, ...], ...]:
    return tuple(
        tuple(Message(message["role"], message["content"]) for message in each["conversations"])
        for each in json.loads(_SAMPLE.read_text(encoding="utf-8"))
    )


def as_json(row: Any) -> Any:
    """Return a row as whoever reads the file gets it."""
    return json.loads(json.dumps(row, ensure_ascii=False))


def sample_rows(form: Format, shape: Shape) -> list[tuple[Example, Any]]:
    """Return each example of the sample with its row; the system prompts stay as they are."""
    return [
        (example, as_json(form.write(example, shape)))
        for messages in _conversations()
        for example in examples_of(messages, shape.rows)
    ]


def shapes_of(form: Format, calls: Iterable[Calls] | None = None) -> list[Shape]:
    """Return every shape that a form has, or those with these ways to spell calls."""
    return [
        Shape(rows=rows, tool_role=tool_role, calls=spelling, weights=weights)
        for rows, tool_role, spelling, weights in itertools.product(
            form.rows, form.tool_roles, calls or form.calls, (False, True)
        )
    ]


def answers_in(example: Example) -> list[bool]:
    """Return of each message of Ada's whether it is new."""
    return [index >= example.context for index, message in enumerate(example.messages) if message.role == "assistant"]
