"""The tags of Ada's markup, found in any text: `<think>`, `<tool_call>` and `<tool_result>`."""

from __future__ import annotations

import re

__all__ = ["escape_tags", "strip_tags"]

_TAG_NAME = r"(?:think|thinking|tool_call|tool_result)"
_ANY_TAG = re.compile(rf"</?{_TAG_NAME}>", re.IGNORECASE)
_PIECE = re.compile(r"[<>]|[^<>]+")
_LONGEST_TAG = len("</tool_result>")


def strip_tags(text: str) -> str:
    """Return `text` without any of the markup's tags, and without white space around it.

    Taking out a tag can join its surroundings to a new one, as in `<thi<think>nk>`, which goes as well. It takes time
    in proportion to the length of the text.
    """
    if not _ANY_TAG.search(text):
        return text.strip()
    # What was read, in parts of which each but the first begins with a `<` that no tag has taken away yet. So a `>` has
    # only to be looked at with the last part, and tags that join are found without reading anything again.
    parts: list[list[str]] = [[]]
    for piece in _PIECE.findall(text):
        if piece == "<":
            parts.append([piece])
            continue
        parts[-1].append(piece)
        if piece == ">" and len(parts) > 1 and _is_tag(parts[-1]):
            parts.pop()
    return "".join(piece for part in parts for piece in part).strip()


def _is_tag(pieces: list[str]) -> bool:
    # Two pieces that no tag stood between are one, so that a tag has at most as many as it has characters.
    if len(pieces) > _LONGEST_TAG or sum(map(len, pieces)) > _LONGEST_TAG:
        return False
    return _ANY_TAG.fullmatch("".join(pieces)) is not None


def escape_tags(spelled: str) -> str:
    r"""Spell the `<` of a tag inside a string literal as `\u003c`, which Python and JSON both read back as `<`."""
    return _ANY_TAG.sub(lambda match: "\\u003c" + match[0][1:], spelled)
