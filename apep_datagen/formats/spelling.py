"""A row as the body of a request has it: what its trainer renders, in the fields of OpenAI's chat completions.

Nothing is made anew here: each text is the row's, so a model that is asked reads what one that is trained reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from apep_datagen.core.messages import Spelled

__all__ = ["called", "spell_chat", "tools_in"]

# What is none of these tells a trainer which messages it is to learn.
_FIELDS = ("role", "content", "reasoning_content", "tool_calls", "tool_call_id", "name")


def spell_chat(row: Mapping[str, Any]) -> Spelled:
    """Return a row of messages of `role` and `content`, or of a prompt and its completion that are such."""
    messages = next((row[name] for name in ("messages", "conversations") if name in row), None)
    if messages is None:
        messages = [*row["prompt"], *row["completion"]]
    return Spelled(tuple(map(_message, messages)), tools_in(row))


def _message(message: Mapping[str, Any]) -> Mapping[str, Any]:
    spelled = {name: message[name] for name in _FIELDS if name in message}
    if "tool_calls" in spelled:
        functions = [(call["id"], call["function"]) for call in spelled["tool_calls"]]
        spelled["tool_calls"] = [_call(identity, function) for identity, function in functions]
    return spelled


def called(content: str, functions: Iterable[Mapping[str, Any]], identities: Sequence[str]) -> Mapping[str, Any]:
    """Return a message of Ada's with calls.

    Args:
        content: What stands before them.
        functions: `name` and `arguments` of each.
        identities: The id of each.
    """
    calls = [_call(identity, function) for identity, function in zip(identities, functions, strict=True)]
    return {"role": "assistant", "content": content, "tool_calls": calls}


def _call(identity: str, function: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a call with its arguments as JSON in a text, as the API has them; in a row they can be an object."""
    arguments = function["arguments"]
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    return {"id": identity, "type": "function", "function": {"name": function["name"], "arguments": arguments}}


def tools_in(row: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Return the schemas of the tools that stand beside the messages of a row, as a list or as JSON in a text."""
    tools = row.get("tools", ())
    return tuple(json.loads(tools) if isinstance(tools, str) else tools)
