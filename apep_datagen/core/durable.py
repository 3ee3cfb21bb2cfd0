"""Writing files whole, and waiting until what was written is on the disk."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from pathlib import Path

__all__ = ["sync_directory", "sync_file", "write_whole"]


def sync_file(path: Path) -> None:
    """Wait until what a file holds is on the disk.

    Raises:
        OSError: It is not: the disk is full or broken.
    """
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_directory(path: Path) -> None:
    """Wait until what was made, renamed or removed in a directory is on the disk.

    Raises:
        OSError: As above.
    """
    if sys.platform == "win32":  # which opens no directories, and renames through its journal
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, which is there whole and on the disk when this returns, or as it was before.

    It is written beside its place, as NAME.new, and then takes it in one step; who may read it stays as it was.

    Raises:
        OSError: It cannot be written.
    """
    new = path.with_name(path.name + ".new")
    try:
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, new)
        new.replace(path)
        sync_directory(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        raise
