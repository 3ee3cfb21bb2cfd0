"""Text for a person: printed, cleaned of what a terminal would obey, and times spelled."""

from __future__ import annotations

import os
import sys
import unicodedata

__all__ = ["plain_text", "say", "shorten", "spell_duration"]


def say(message: str) -> None:
    """Print a sentence; where what has read the output is gone (a pager), the program goes on without it."""
    try:
        print(plain_text(message), flush=True)  # noqa: T201 - this is the view
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def plain_text(text: str) -> str:
    """Return `text` without control characters, line breaks excepted: models and servers can send any."""
    return "".join(
        character for character in text if character == "\n" or not unicodedata.category(character).startswith("C")
    )


def shorten(text: str, longest: int) -> str:
    """Return a text of at most `longest` characters: its end is left out where it has more."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def spell_duration(seconds: float) -> str:
    """Spell a time span for a person, e.g. `2 h 05 min`."""
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{whole} s"
    if whole < 3600:  # noqa: PLR2004 - seconds in an hour
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
