"""`apep-datagen import`, killing itself with SIGKILL at a chosen point.

    python killed_import.py POINT [options of the command]

POINT is `read`: when the output has been read, before anything is written; a number: behind so many conversations that
were written beside it; `written`: when the new output is whole, beside the old one; `replaced`: when it has taken its
place, before the state database is told; `told`: behind that. `stopped` is a Ctrl-C behind the second conversation.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys

from apep_datagen.cli.app import main
from apep_datagen.storage import addition
from apep_datagen.storage.projection import Projection

POINT = sys.argv[1]
ADDED = [0]


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


original_add, original_take_over = addition.Addition.add, Projection.take_over


def add_and_die(self: addition.Addition, line: str) -> None:
    if POINT == "read":
        die()
    original_add(self, line)
    ADDED[0] += 1
    if POINT == "stopped" and ADDED[0] == 2:
        signal.raise_signal(signal.SIGINT)
    if str(ADDED[0]) == POINT:
        assert self._file is not None
        self._file.flush()
        die()


def take_over_and_die(self: Projection, count: int, end: int) -> None:
    original_take_over(self, count, end)
    die()


addition.Addition.add = add_and_die  # type: ignore[method-assign]
if POINT == "written":
    vars(shutil)["copymode"] = die
elif POINT == "replaced":
    vars(addition)["sync_directory"] = die
elif POINT == "told":
    Projection.take_over = take_over_and_die  # type: ignore[method-assign]
sys.argv[1:] = ["import", *sys.argv[2:]]
main()
