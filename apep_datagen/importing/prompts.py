"""What a system prompt tells of the tools: put back as it was before an export told it otherwise."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apep_datagen.core.messages import Message

__all__ = ["Section", "put_back", "read_sections", "teaches_text_form"]

# A call in Ada's spelling, and not one in JSON, as Hermes tells of it.
_CALL = re.compile(r"<tool_call>\s*[A-Za-z_]\w*\(")
_LARGEST_REPORT = 1 << 26


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a system prompt.

    Attributes:
        text: As the output has it.
        told: As the rows have it.
    """

    text: str
    told: str


def read_sections(report: Path) -> tuple[Section, ...]:
    """Return what the report of an export says about the prompts of its rows.

    A report that is missing, or of another program, says nothing: `teaches_text_form` tells what lacks then.
    """
    try:
        if not report.is_file() or report.stat().st_size > _LARGEST_REPORT:
            return ()
        value: Any = json.loads(report.read_bytes())
    except (OSError, ValueError, RecursionError):
        return ()
    sections = value.get("prompt_sections") if isinstance(value, dict) else None
    return tuple(
        Section(section["text"], section["told"])
        for section in (sections if isinstance(sections, list) else ())
        if isinstance(section, dict)
        and isinstance(section.get("text"), str)
        and isinstance(section.get("told"), str)
        and section["told"]
    )


def put_back(messages: Sequence[Message], sections: Sequence[Section]) -> tuple[Message, ...]:
    """Return messages whose system prompts tell of the tools as the output does, as far as the sections say."""
    return tuple(
        Message("system", _put_back(message.content, sections)) if message.role == "system" else message
        for message in messages
    )


def _put_back(prompt: str, sections: Sequence[Section]) -> str:
    for section in sections:
        if section.told in prompt and section.text not in prompt:
            return prompt.replace(section.told, section.text, 1)
    return prompt


def teaches_text_form(messages: Sequence[Message]) -> bool:
    """Tell whether a system prompt shows how Ada writes calls."""
    return any(message.role == "system" and _CALL.search(message.content) for message in messages)
