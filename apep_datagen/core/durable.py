"""Waiting until what was written is on the disk."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["sync_directory", "sync_file"]


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
