"""Files of rows, written whole or not at all."""

from __future__ import annotations

from typing import Protocol

from apep_datagen.formats.format import Row

__all__ = ["RowFile"]


class RowFile(Protocol):
    """The rows of one split, being written beside what is there; readers see the old ones until `finish`."""

    @property
    def names(self) -> list[str]:
        """The names of the files that there are after `finish`, if no further row is written."""

    def write(self, row: Row) -> None:
        """Add a row."""

    def finish(self) -> list[str]:
        """Wait until all is on the disk, and let it take the place of what was there; return the files' names."""

    def abandon(self) -> None:
        """Remove what was written; what was there stays."""
