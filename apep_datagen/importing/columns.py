"""What of a row has no place in a conversation: columns, and fields of its messages, that nobody reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cache
from itertools import product
from typing import Any

from apep_datagen.core.calls import ToolCall
from apep_datagen.core.markup import render_answer, result_block
from apep_datagen.core.messages import Message
from apep_datagen.core.tools import tool_names
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import CannotHoldError, Format, Row
from apep_datagen.formats.native import FIELDS_BESIDE_TEXT, is_empty, is_usual_mark, role_of
from apep_datagen.formats.shape import Shape

__all__ = ["columns_of", "columns_without_place"]

# What the forms read of any message.
_FIELDS = frozenset({"role", "from", "content", "value"})
# What they read of those of a role beside that, as sessions spell it, too; and what follows from the order of messages.
_FIELDS_OF_ROLE = {
    "assistant": frozenset({*FIELDS_BESIDE_TEXT, "reasoningContent", "toolCalls"}),
    "tool": frozenset({"tool_call_id", "toolCallId", "name"}),
}
_TOOLS = ("tools", "functions")


def columns_without_place(row: Row, read: AbstractSet[str]) -> Iterator[str]:
    """Yield the columns of a row that have no place in a conversation, and the fields of its messages: `column.field`.

    What is empty is passed over, and so is what describes Ada's own tools.

    Args:
        row: The row.
        read: The columns that a conversation was read from.
    """
    for column, value in row.items():
        if column in _TOOLS:  # a form may have them; a conversation has not
            if not is_empty(value) and not _describes_ada(value):
                yield column
        elif column not in read:
            if not is_empty(value):
                yield column
        elif isinstance(value, list):
            found = dict.fromkeys(
                name for message in value if isinstance(message, Mapping) for name in _fields_without_place(message)
            )
            yield from (f"{column}.{name}" for name in found)


def _fields_without_place(message: Mapping[str, Any]) -> Iterator[str]:
    role = role_of(message) or ""
    known = _FIELDS | _FIELDS_OF_ROLE.get(role, frozenset())
    for name, value in message.items():
        if name not in known and not is_empty(value) and not is_usual_mark(message, name):
            yield name


def _describes_ada(tools: Any) -> bool:
    """Tell whether schemas, which can be texts, alone or in a list, are those of Ada's own tools."""
    schemas = _parsed(tools)
    return set(map(_name, schemas if isinstance(schemas, list) else [schemas])) <= set(tool_names())


def _name(schema: Any) -> str:
    tool = _parsed(schema)
    function = tool.get("function", tool) if isinstance(tool, Mapping) else None
    return str(function.get("name")) if isinstance(function, Mapping) else ""


def _parsed(value: Any) -> Any:
    """Return a value of JSON; one that is spelled as a text is read."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


@cache
def columns_of(form: Format) -> frozenset[str]:
    """Return the columns of rows of a form, as the form itself writes them, but for those that tell their origin."""
    return frozenset(column for row in _rows_of(form) for column in row)


def _rows_of(form: Format) -> Iterator[Row]:
    """Yield a row of each shape that holds all that a row can hold."""
    for rows, role, calls, weights in product(form.rows, form.tool_roles, form.calls, (False, True)):
        shape = Shape(rows=rows, tool_role=role, calls=calls, weights=weights)
        for context in (0,) if rows == "conversation" else (0, 3):
            try:
                yield form.write(Example(_PROBE, context), shape)
            except CannotHoldError:
                continue


_PROBE = (
    Message("system", "You are Ada."),
    Message("user", "Hello."),
    Message("assistant", render_answer("A thought.", "Hello.")),
    Message("user", "Do you remember?"),
    Message("assistant", render_answer("A thought.", "", [ToolCall("recall_memories", {})])),
    Message("tool", result_block({"memories": []})),
    Message("assistant", render_answer("A thought.", "No.")),
)
