"""The program, ending itself by a signal at each moment of an export, one after the other.

    python ended_export.py SIGNAL DIR [options of the program, for a DIR that is called TO]

DIR holds `before`, what was exported before. For each time that the export opens a file to write, or makes, renames or
removes one below its directory, it is begun anew in a copy of `before`, called 1, 2, …, and SIGNAL is sent when it is
about to do that. It prints the exit status of each.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from apep_datagen.cli import app

_CHANGES = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate"}


def end_at(number: int, place: Path) -> None:
    """Send the signal when the next but so many changes is about to be made below a directory."""
    left = [number]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _CHANGES or not str(arguments[0]).startswith(str(place)):
            return
        if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
            return
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), SIGNAL)

    sys.addaudithook(hook)


def export_at(number: int, place: Path, options: list[str]) -> int:
    """Export in a process of its own that ends at that moment; return how it ended, as `os.waitstatus_to_exitcode`."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    sys.argv[1:] = [str(place) if option == "TO" else option for option in options]
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    end_at(number, place)
    app.main()
    os._exit(0)


if __name__ == "__main__":
    SIGNAL = signal.Signals[sys.argv[1]]
    directory, options = Path(sys.argv[2]).resolve(), sys.argv[3:]
    for number in range(1, 1_000):
        place = directory / str(number)
        if (directory / "before").exists():
            shutil.copytree(directory / "before", place)
        status = export_at(number, place, options)
        sys.stdout.write(f"{status}\n")
        sys.stdout.flush()
        if status == 0:
            break
