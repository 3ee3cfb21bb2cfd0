"""Strings and brackets in calls as models write them: where they end, and how they are mended.

Models forget to escape, take typographic quotation marks for straight ones, and write brackets of wide scripts. All of
it is read from the left, each character once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto

__all__ = ["call_span", "leading_call", "mend_strings"]

# What closes a string, by what opens it. A straight mark is closed by itself alone: “these” may stand inside.
_DOUBLE, _SINGLE = '"“”„‟＂', "'‘’‚‛＇"  # noqa: RUF001 - the marks that models confuse
_CLOSING = {'"': '"', "'": "'", **dict.fromkeys(_DOUBLE[1:], _DOUBLE), **dict.fromkeys(_SINGLE[1:], _SINGLE)}
# The punctuation of a call in wide scripts.
_NARROW = dict(zip("（）［］｛｝，：＝", "()[]{},:=", strict=True))  # noqa: RUF001 - as above
_AFTER_STRING = re.compile(r"\s*(?:[,:)\]}，：）］｝]|\Z)")  # noqa: RUF001 - as above
_BRACKETS = {**dict.fromkeys("([{（［｛", 1), **dict.fromkeys(")]}）］｝", -1)}  # noqa: RUF001 - as above


class _Place(Enum):
    OUTSIDE = auto()
    INSIDE = auto()
    EDGE = auto()
    """A quotation mark that opens a string, or closes it."""


def _scan(text: str, start: int = 0) -> Iterator[tuple[int, str, _Place]]:
    """Yield each character with its index, and where it is."""
    closing = ""
    escaped = False
    for index in range(start, len(text)):
        character = text[index]
        if not closing:
            closing = _CLOSING.get(character, "")
            yield index, character, _Place.EDGE if closing else _Place.OUTSIDE
        elif not escaped and character in closing and _closes_string(text, index):
            closing = ""
            yield index, character, _Place.EDGE
        else:
            escaped = character == "\\" and not escaped
            yield index, character, _Place.INSIDE


def _closes_string(text: str, index: int) -> bool:
    """Tell whether the quotation mark at `index` can end a string: only `,`, `:` or a bracket may follow, or the end.

    Models write `['User's cat']`: the first apostrophe after `User` is followed by a letter and cannot be the end.
    """
    return _AFTER_STRING.match(text, index + 1) is not None


def mend_strings(text: str) -> str:
    """Return a call with its strings in straight quotation marks and its punctuation narrow.

    Escaped is what a model forgot to escape inside strings: line breaks, and quotation marks that cannot end them.
    """
    mended: list[str] = []
    delimiter = ""
    escaped = False
    for _, character, place in _scan(text):
        if place is _Place.OUTSIDE:
            mended.append(_NARROW.get(character, character))
        elif place is _Place.EDGE:
            opened = delimiter
            delimiter = "" if opened else ("'" if character in _SINGLE else '"')
            mended.append(opened or delimiter)
        elif not escaped and character == "\n":
            mended.append("\\n")
        else:
            mended.append("\\" + character if character == delimiter and not escaped else character)
            escaped = character == "\\" and not escaped
    return "".join(mended)


# Before the bracket that a call is in: a tool's name in any wrapping, or a code fence.
_HEAD = re.compile(
    r"""
    \s*+(?:```\w{0,20}[ ]*+\n\s*+)?
    (?P<call>
        (?:function\s*+<[^<>]{1,40}>\s*+)?                                         # DeepSeek V3
        (?:Action:\s*+|call:)?
        [\w.-]{0,80}+(?::\d{1,4})?\s*+                                             # functions.add_memory:0
        (?:(?:<[^<>]{1,60}>|\[[A-Z_]{4,20}\](?:\w{1,40}(?=\[))?)\s*+){0,4}         # between name and arguments
        (?:Action\ Input:\s*+)?
        (?:```\w{0,20}\s*+)?
        (?P<bracket>[(\[{（［｛])
    )
    """,  # noqa: RUF001 - the brackets of wide scripts
    re.VERBOSE,
)
_ELEMENT = re.compile(r"\s*+(?:```\w{0,20}[ ]*+\n\s*+)?(?:[\w.-]{1,80}+\s*+)?<(?P<name>[A-Za-z_]\w{0,80})")
_BARE_NAME = re.compile(r"\s*+([A-Za-z_]\w*+)[ \t]*+(?:\n|\Z)", re.ASCII)


def call_span(text: str, position: int = 0) -> tuple[int, int]:
    """Return where the call begins and ends that stands at `position`; all the rest where that cannot be told."""
    if head := _HEAD.match(text, position):
        depth = 0
        for index, character, place in _scan(text, head.start("bracket")):
            if place is _Place.OUTSIDE:
                depth += _BRACKETS.get(character, 0)
                if depth == 0:
                    return head.start("call"), index + 1
    elif element := _ELEMENT.match(text, position):
        closings = [f"</{name}>" for name in (element["name"], "arg_value")]
        end = max(text.rfind(closing, position) + len(closing) for closing in closings)
        if end > element.end():
            return position, end
    elif name := _BARE_NAME.match(text, position):
        return name.span(1)
    return position, len(text)


def leading_call(body: str) -> str:
    """Return the call that `body` begins with, where no closing tag says how far it goes."""
    start, end = call_span(body)
    return body[start:end]
