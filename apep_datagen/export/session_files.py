"""Rows that are a file each: sessions, below a folder of their split.

    train/3/user-00017.jsonl

A session's folder and name follow from the session alone, so they stay as they are when a run goes on. A folder has a
sixteenth of them: the hub wants no more than 10,000 files in one
(https://huggingface.co/docs/hub/repositories-recommendations).
"""

from __future__ import annotations

import re
import shutil
from hashlib import blake2b
from pathlib import Path

from apep_datagen.core.durable import sync_directory, sync_file
from apep_datagen.formats.format import Row
from apep_datagen.formats.traces import session_lines, session_name

__all__ = ["SessionFiles"]

_UNFIT = re.compile(r"[^A-Za-z0-9._-]")


class SessionFiles:
    """The sessions of one split: a `RowFile` that is a folder.

    All are written into a folder beside the old one, which takes its place as a whole.

    Args:
        directory: Where the folder of the split is; it is there.
        split: What it is called.
    """

    def __init__(self, directory: Path, split: str) -> None:
        self._folder = directory / split
        self._part = directory / f"{split}.part"
        self._replaced = directory / f"{split}.replaced"
        for leftover in (self._part, self._replaced):
            shutil.rmtree(leftover, ignore_errors=True)
        self._part.mkdir()

    @property
    def names(self) -> list[str]:
        """The folder's name, with a slash."""
        return [f"{self._folder.name}/"]

    def write(self, row: Row) -> None:
        """Add a session.

        Raises:
            OSError: It cannot be written.
            FileExistsError: There is one by this name.
        """
        name = session_name(row)
        folder = self._part / blake2b(name.encode(), digest_size=1).hexdigest()[0]
        folder.mkdir(exist_ok=True)
        with (folder / f"{_UNFIT.sub('_', name)}.jsonl").open("x", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in session_lines(row))

    def finish(self) -> list[str]:
        """Wait until all is on the disk, and let it take the place of what was there; return the folder's name.

        Between the old folder and the new one there is none for a moment, and nothing is lost where it ends there:
        the same export writes it again.

        Raises:
            OSError: It cannot be written.
        """
        for path in sorted(self._part.rglob("*")):  # together, which takes a twentieth of the time
            (sync_directory if path.is_dir() else sync_file)(path)
        sync_directory(self._part)
        if self._folder.exists():
            self._folder.rename(self._replaced)
        self._part.rename(self._folder)
        sync_directory(self._folder.parent)
        shutil.rmtree(self._replaced, ignore_errors=True)
        return self.names

    def abandon(self) -> None:
        """Remove what was written; what was there stays."""
        shutil.rmtree(self._part, ignore_errors=True)
