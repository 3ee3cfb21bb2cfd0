"""Markdown of texts that anybody can have written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from apep_datagen.terminal.text import plain_text

__all__ = ["cell", "fenced", "table"]

_RUN_OF_BACKTICKS = re.compile("`+")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """Return a table; its cells are Markdown, e.g. made by `cell`.

    Args:
        columns: Their names.
        rows: As many cells each.
        left: How many columns, from the first, hold words; numbers stand at the right.
    """
    rule = ["---" if index < left else "---:" for index in range(len(columns))]
    return "\n".join(f"| {' | '.join(line)} |" for line in [columns, rule, *rows])


def cell(text: str) -> str:
    """Return a text that means nothing but itself, in one line."""
    shown = " ".join(plain_text(text).split())
    return re.sub(r"([\\`*_\[\]<>|&~#$])", r"\\\1", shown)


def fenced(text: str) -> str:
    """Return a text as it is, in a block that nothing in it can end."""
    longest = max((len(run) for run in _RUN_OF_BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
