"""`apep-datagen rejudge` or `review`, killing itself with SIGKILL at a chosen point.

    python killed_command.py POINT COMMAND [options of the command]

POINT is a number: before the statement of that number that is sent to the state database; `copying`: when the new
output has been begun; `written`: when it is whole, beside the old one; `replaced`: when it has taken its place, before
that is recorded; `torn`: in the middle of the first write to the output; `appended`: behind it. `stopped` is a Ctrl-C
at the first conversation that was rejected. With the number 0 it is not killed, and says as the last line on the
standard error how many statements there were.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path

from apep_datagen.cli.app import main
from apep_datagen.rejudge.judging import Judging
from apep_datagen.storage import opening, replacement
from apep_datagen.storage.access import connect
from apep_datagen.storage.output import OutputFile

POINT = sys.argv[1]
SENT = [0]


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def stop(*_: object) -> None:
    signal.raise_signal(signal.SIGINT)


def count_and_die(_statement: str) -> None:
    SENT[0] += 1
    if str(SENT[0]) == POINT:
        die()


original_connect, original_write = connect, OutputFile._write


def connect_and_count(path: Path) -> sqlite3.Connection:
    connection = original_connect(path)
    connection.set_trace_callback(count_and_die)
    return connection


def write_and_die(self: OutputFile, content: bytes, offset: int) -> None:
    if POINT == "torn":
        original_write(self, content[: len(content) // 2], offset)
        die()
    original_write(self, content, offset)
    if POINT == "appended":
        die()


vars(opening)["connect"] = connect_and_count
if POINT == "copying":
    vars(replacement)["_copy"] = die
elif POINT == "written":
    vars(shutil)["copymode"] = die
elif POINT == "replaced":
    vars(replacement)["sync_directory"] = die
elif POINT == "stopped":
    Judging._judge_rejected = stop  # type: ignore[assignment, method-assign]
elif POINT in {"torn", "appended"}:
    OutputFile._write = write_and_die  # type: ignore[method-assign]
del sys.argv[1]
try:
    main()
finally:
    if POINT == "0":
        os.write(2, f"{SENT[0]}\n".encode())
