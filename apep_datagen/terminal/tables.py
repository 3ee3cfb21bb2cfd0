"""Tables of text, aligned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from apep_datagen.core.words import one_line
from apep_datagen.terminal.text import plain_text

__all__ = ["table"]


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """Return rows below the names of their columns, aligned.

    Args:
        columns: The names.
        rows: As many cells each.
        left: How many columns, from the first, hold words, which begin below each other; numbers end so.
    """
    lines = [list(columns), *([plain_text(one_line(cell)) for cell in row] for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index < left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
