"""The tags of Ada's markup, found in any text: `<think>`, `<tool_call>` and `<tool_result>`."""

from __future__ import annotations

import re

__all__ = ["escape_tags", "strip_tags"]

_TAG_NAME = r"(?:think|thinking|tool_call|tool_result)"
_ANY_TAG = re.compile(rf"</?{_TAG_NAME}>", re.IGNORECASE)


def strip_tags(text: str) -> str:
    """Return `text` without any of the markup's tags, and without white space around it."""
    # Taking out a tag can join its surroundings to a new one: "<thi<think>nk>".
    while (stripped := _ANY_TAG.sub("", text)) != text:
        text = stripped
    return text.strip()


def escape_tags(spelled: str) -> str:
    r"""Spell the `<` of a tag inside a string literal as `\u003c`, which Python and JSON both read back as `<`."""
    return _ANY_TAG.sub(lambda match: "\\u003c" + match[0][1:], spelled)
