"""Text for a person: printed, and cleaned of what a terminal would obey."""

from __future__ import annotations

import os
import sys
import unicodedata

__all__ = ["plain_text", "say"]


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
