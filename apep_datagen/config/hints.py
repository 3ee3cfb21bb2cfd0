"""What to type next, as messages say it."""

from __future__ import annotations

import shlex
from pathlib import Path

from apep_datagen.config.settings import DEFAULT_OUTPUT

__all__ = ["show_rejected"]


def show_rejected(output: Path, number: int | None = None) -> str:
    """Return the command that prints a conversation of a run that was rejected; `N` stands for a number not given."""
    file = "" if output == DEFAULT_OUTPUT else f"{shlex.quote(str(output))} "
    return f"apep-datagen show {file}--rejected {'N' if number is None else number}"
