"""The program on a disk that becomes full, as SQLite and the operating system say it: no limit of a process says so.

    python full_disk.py WHAT [options of the program]

WHAT meets the end of the disk: `state`, the state database, or `output`.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from pathlib import Path

from apep_datagen.cli.app import main
from apep_datagen.storage import access, opening
from apep_datagen.storage.output import OutputFile

original_connect, original_write = access.connect, OutputFile._write


def connect_to_little(path: Path) -> sqlite3.Connection:
    connection = original_connect(path)
    connection.execute("PRAGMA max_page_count = 60")
    return connection


def write_little(self: OutputFile, content: bytes, offset: int) -> None:
    if offset > 1_000 and len(content) > 10:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    original_write(self, content, offset)


if sys.argv[1] == "state":
    vars(opening)["connect"] = connect_to_little
else:
    OutputFile._write = write_little  # type: ignore[method-assign]
sys.argv[1:] = sys.argv[2:]
main()
