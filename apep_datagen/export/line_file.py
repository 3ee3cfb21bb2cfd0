"""A row a line, in one file (JSON Lines), which can go on from the rows that are there."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from apep_datagen.formats.format import Row

__all__ = ["LineFile", "WrittenLines", "row_line"]

_BLOCK = 1 << 20
_TEMPORARY = ".new"

WrittenLines = Mapping[str, str | int]
"""What a finished file was, to know it again: its `bytes`, and their `sha256` in hexadecimal."""


def row_line(row: Row) -> bytes:
    """Return a row as it stands in the file, with the line's end."""
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


class LineFile:
    """The rows of one split, written beside the file that is there.

    Args:
        path: Where the rows are to be.

    Raises:
        OSError: The directory cannot be written in.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._new = path.with_name(path.name + _TEMPORARY)
        self._file: BinaryIO = self._new.open("wb")
        self._hash = hashlib.sha256()
        self._size = 0

    @property
    def names(self) -> list[str]:
        """The file's name."""
        return [self.path.name]

    def go_on(self, earlier: WrittenLines) -> bool:
        """Begin with the rows that are there; tell whether they are what they were.

        Where they are not, nothing is taken of them.

        Raises:
            OSError: They cannot be copied.
        """
        try:
            with self.path.open("rb") as there:
                while block := there.read(_BLOCK):
                    self.write_lines(block)
        except FileNotFoundError:
            pass
        if self.written() == dict(earlier):
            return True
        self._file.seek(0)
        self._file.truncate()
        self._hash, self._size = hashlib.sha256(), 0
        return False

    def write(self, row: Row) -> None:
        """Add a row."""
        self.write_lines(row_line(row))

    def write_lines(self, lines: bytes) -> None:
        """Add rows as `row_line` spells them."""
        self._file.write(lines)
        self._hash.update(lines)
        self._size += len(lines)

    def written(self) -> WrittenLines:
        """Return what the file is so far."""
        return {"bytes": self._size, "sha256": self._hash.hexdigest()}

    def finish(self) -> list[str]:
        """Wait until all is on the disk, and let it take the place of what was there; return the file's name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._new.replace(self.path)
        return self.names

    def abandon(self) -> None:
        """Remove what was written; what was there stays."""
        try:
            self._file.close()
        finally:  # what is not written yet cannot be, where the disk is full
            self._new.unlink(missing_ok=True)
