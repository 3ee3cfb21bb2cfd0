"""Calls of Ada's tools that stand in no tag, as they come from a model whose marks its server takes away.

On lines of their own, perhaps in a code fence, they are calls (`bare_calls`): Llama 3 and xLAM write JSON; Llama 4,
ToolACE and Gemini Python, Gemini with `default_api.` before it and `print` around it; prompts after ReAct `Action:`.
Anywhere else they are markup that went astray (`spelled_call`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from apep_datagen.core.calls import ToolCall, parse_calls
from apep_datagen.core.literals import call_span
from apep_datagen.core.tools import tool_names

__all__ = ["bare_calls", "spelled_call"]

_NAMES = "|".join(tool_names())
_BEGINNING = re.compile(
    rf"""
    ^[ \t]*+(?:```[\w-]*+[ \t]*+\n[ \t]*+)?
    (?P<call>
        (?:\[[ \t]*+)?(?:print[ \t]*+\()?(?:default_api\.|functions\.)?(?:{_NAMES})\s*+[({{（]
      | [\[{{]\s*+(?:{{\s*+)?["'“](?:name|tool_name|function|type|id|tool_calls|{_NAMES})["'”]\s*+:
      | Action:[ \t]*+(?:{_NAMES})\b
      | (?:{_NAMES})[ \t]*+$
      | <(?:{_NAMES})>
    )
    """,  # noqa: RUF001 - the bracket of wide scripts
    re.MULTILINE | re.VERBOSE,
)
_BEHIND = re.compile(r"[ \t]*+(?:\n\s*+|\Z)(?:```[ \t]*+(?:\n\s*+|\Z))?")
_SPELLED = re.compile(
    rf"\b(?:{_NAMES})\s*+[(（]"  # noqa: RUF001 - the bracket of wide scripts
    rf"|[\"'“](?:name|tool_name|function|tool|action)[\"'”]\s*+:\s*+[\"'“](?:{_NAMES})[\"'”]"
    rf"|\bAction:\s*+(?:{_NAMES})\b"
)


def bare_calls(text: str) -> Iterator[tuple[int, int]]:
    """Yield where calls begin and end, from the first on that stands on lines of its own, as long as they follow it."""
    found = _BEGINNING.search(text)
    while found:
        start, end = call_span(text, found.start("call"))
        behind = _BEHIND.match(text, end)
        if behind is None or not _are_calls(text[start:end]):
            return
        yield found.start(), behind.end()
        found = _BEGINNING.match(text, behind.end())


def _are_calls(body: str) -> bool:
    return all(isinstance(call, ToolCall) and call.name in tool_names() for call in parse_calls(body))


def spelled_call(text: str) -> str:
    """Return the beginning of the first call in a text, in Python, JSON or the words of ReAct, or an empty text."""
    found = _SPELLED.search(text)
    return found[0] if found else ""
