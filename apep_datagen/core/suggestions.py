"""Helping a user who misspelled a name, without repeating what was written: it may be a key in the wrong place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["ask_for_nearest"]


def ask_for_nearest(written: str, known: Iterable[str]) -> str:
    """Ask whether the known name that is nearest to what was written is meant; nothing where none is near.

    Returns:
        What goes behind a word, e.g. ` (did you mean mistral?)`, or an empty text.
    """
    return "".join(f" (did you mean {near}?)" for near in difflib.get_close_matches(written, list(known), n=1))
