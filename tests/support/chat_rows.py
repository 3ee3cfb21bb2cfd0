"""Conversations as rows for chat templates."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence

from apep_datagen.core.messages import Message
from apep_datagen.core.sample_json import messages_in
from apep_datagen.formats.example import Example
from support.paths import REPOSITORY

__all__ = ["CALLING", "documented_examples", "example_of"]

CALLING = (
    Message("system", "You are Ada."),
    Message("user", "Do you still know what my sister can't eat?"),
    Message("assistant", "<think>I would rather look.</think>\n\n<tool_call>recall_memories()</tool_call>"),
    Message(
        "tool", '<tool_result>{"memories": [{"index": 1, "text": "She can\'t eat \\"hazelnuts\\"."}]}</tool_result>'
    ),
    Message(
        "assistant",
        "<think>Hazelnuts, and a wrong one to go.</think>\n\nOne moment.\n\n"
        "<tool_call>delete_memory(indices=[2])</tool_call>\n"
        '<tool_call>add_memory(input_text=["Half <b> & half \\"c\\"."])</tool_call>',
    ),
    Message("tool", '<tool_result>{"deleted": 1}</tool_result>\n<tool_result>{"added": 1}</tool_result>'),
    Message("assistant", "<think>Good.</think>\n\nHazelnuts."),
    Message("user", "Thanks!"),
    Message("assistant", "<think>They are glad.</think>\n\nAlways."),
)
"""Two exchanges; three calls, of which one has no arguments and one numbers alone; two of them at once."""


def example_of(messages: Sequence[Message], context: int = 0) -> Example:
    """Return an example."""
    return Example(tuple(messages), context)


@functools.cache
def documented_examples() -> tuple[Example, ...]:
    """Return the conversations of `docs/sample.json`."""
    elements = json.loads((REPOSITORY / "docs" / "sample.json").read_text(encoding="utf-8"))
    found = (messages_in(element) for element in elements)
    return tuple(Example(messages) for messages in found if messages is not None)
