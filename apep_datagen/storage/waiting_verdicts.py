"""Verdicts that wait beside a state database until somebody may change it: a file for each time they were handed in.

A file is written whole under another name, and gets its own when it is on the disk; it is removed when what it says has
been applied. Applying it once more changes nothing, so a kill between the two does no harm.
"""

from __future__ import annotations

import datetime
import json
import os
import secrets
from pathlib import Path

from apep_datagen.core.durable import sync_directory, write_whole
from apep_datagen.storage.access import state_path
from apep_datagen.storage.faults import StoredFile

__all__ = ["count_waiting", "new_waiting_path", "remove_waiting", "waiting_verdicts", "write_waiting"]

_ENDING = ".json"


def waiting_verdicts(output: Path) -> list[Path]:
    """Return the files that wait beside the state database of an output, in the order in which they were begun."""
    beginning = _beginning(output)
    directory = output.parent
    try:
        names = os.listdir(directory)  # noqa: PTH208 - names alone are needed
    except OSError:  # whoever opens the database says so
        return []
    return [directory / name for name in sorted(names) if name.startswith(beginning) and name.endswith(_ENDING)]


def count_waiting(output: Path) -> int:
    """Return of how many conversations verdicts wait, as far as their files can be read."""
    digests: set[str] = set()
    for path in waiting_verdicts(output):
        try:
            verdicts = json.loads(path.read_bytes()).get("verdicts")
        except (OSError, ValueError, RecursionError, AttributeError):  # who applies them says so
            continue
        for verdict in verdicts if isinstance(verdicts, list) else ():
            if isinstance(verdict, dict) and isinstance(verdict.get("digest"), str):
                digests.add(verdict["digest"])
    return len(digests)


def new_waiting_path(output: Path) -> Path:
    """Return where the next verdicts may wait; nobody else gets the same name."""
    now = datetime.datetime.now(datetime.UTC)
    return output.parent / f"{_beginning(output)}{now:%Y%m%dT%H%M%S.%f}-{secrets.token_hex(4)}{_ENDING}"


def write_waiting(path: Path, content: bytes) -> None:
    """Write verdicts that wait, or write them anew; they are there whole, or as they were before.

    Raises:
        StorageError: The disk refuses.
    """
    try:
        write_whole(path, content)
    except OSError as error:
        raise _file(path).refused(error, "written") from error


def remove_waiting(path: Path) -> None:
    """Remove what has been applied.

    Raises:
        StorageError: The disk refuses.
    """
    try:
        path.unlink(missing_ok=True)
        sync_directory(path.parent)
    except OSError as error:
        raise _file(path).refused(error, "written") from error


def _beginning(output: Path) -> str:
    return state_path(output).with_suffix(".verdicts-").name


def _file(path: Path) -> StoredFile:
    return StoredFile(path, "the file of waiting verdicts", "remove it")
