"""Text for a person: printed, and cleaned of what a terminal would obey."""

from __future__ import annotations

import json
import unicodedata

__all__ = ["plain_text", "say", "say_json", "say_json_line"]

# Emoji and some scripts are put together with these, which move nothing.
_JOINERS = frozenset("\u200c\u200d")
_SPACES = frozenset("\t\u2028\u2029")


def say(message: str) -> None:
    """Print a text on the standard output at once."""
    print(plain_text(message), flush=True)  # noqa: T201 - this is the view


def say_json(value: object) -> None:
    """Print a value as JSON in ASCII, so that nothing in it is a control character for whoever looks at it."""
    say(_as_json(value, indent=2))


def say_json_line(value: object) -> None:
    """Print the same in one line."""
    say(_as_json(value, indent=None))


def _as_json(value: object, indent: int | None) -> str:
    return json.dumps(value, indent=indent, allow_nan=False).replace("\x7f", "\\u007f")


def plain_text(text: str) -> str:
    """Return `text` without what a terminal obeys, line breaks excepted: models and servers can send any.

    These are control characters, and format characters that turn the direction of what follows or cannot be seen.
    """
    if text.isprintable():
        return text
    return "\n".join(line if line.isprintable() else "".join(map(_plain, line)) for line in text.split("\n"))


def _plain(character: str) -> str:
    if character in _SPACES:
        return " "
    match unicodedata.category(character):
        case "Cc":
            return ""
        case "Cf":
            return character if character in _JOINERS else ""
        case "Cs":
            return "\ufffd"
        case _:
            return character
