"""The folder of one form: whose it is, who writes in it, and what an export that was killed left in it.

Before a file is written, the record in the folder tells its name. So whatever is there belongs to an export as far as
the record says so, also where one was killed, and nothing else is ever removed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from apep_datagen.core.errors import StorageError
from apep_datagen.export.record import PROGRAM, RECORD, read_record, write_text
from apep_datagen.export.splits import SPLIT_NAMES
from apep_datagen.storage.faults import StoredFile

if sys.platform != "win32":
    import fcntl

__all__ = ["claim", "export_folder", "is_ours", "opened_folder", "remove_unwanted", "write_record"]

_SPLIT = f"(?:{'|'.join(SPLIT_NAMES)})"
_UNFINISHED_DATA = re.compile(rf"{_SPLIT}(?:\.jsonl\.new|-\d{{5,}}\.parquet\.part|\.part)")
_REPLACED = re.compile(rf"({_SPLIT})\.replaced")
_UNFINISHED_TEXT = ".new"
_CLAIM: Mapping[str, Any] = MappingProxyType({"program": PROGRAM, "written": []})
"""The record of a folder in which nothing is yet."""


def export_folder(path: Path) -> StoredFile:
    """Return how to speak of a folder, or a file in it, that an export writes."""
    return StoredFile(path, "the export", "move it away, or name another --to")


def is_ours(directory: Path) -> bool:
    """Tell whether a directory holds an export, or nothing that is not one: missing and empty ones do.

    Raises:
        StorageError: It cannot be read.
    """
    try:
        names = {path.name for path in directory.iterdir()}
    except FileNotFoundError:
        return True
    except OSError as error:
        raise export_folder(directory).refused(error, "read") from error
    # Where an export was killed before it had said that the folder is one.
    if not names - {f"{RECORD}{_UNFINISHED_TEXT}"}:
        return True
    record = read_record(directory)
    return record is not None and record.get("program") == PROGRAM


@contextlib.contextmanager
def opened_folder(directory: Path) -> Iterator[None]:
    """Make a folder where it is missing, keep other exports out of it, and remove what was begun in it and not ended.

    Where an error ends the export before there is anything in the folder, there is none afterwards.

    Raises:
        StorageError: Another export writes in it, or it cannot be written in.
    """
    made = [path for path in (directory, *directory.parents) if not path.exists()]
    with contextlib.ExitStack() as opened:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            opened.enter_context(_locked(directory))
            claim(directory, ())
            _remove_unfinished(directory)
        except OSError as error:
            _unmake(directory, made)
            raise export_folder(directory).refused(error, "written") from error
        try:
            yield
        except BaseException:
            _unmake(directory, made)
            raise


def _unmake(directory: Path, made: Iterable[Path]) -> None:
    """Remove directories that were made and hold nothing."""
    with contextlib.suppress(OSError):
        # A record of files that came to be is of a form.
        if [path.name for path in directory.iterdir()] == [RECORD] and "format" not in (read_record(directory) or {}):
            (directory / RECORD).unlink()
        for path in made:
            path.rmdir()


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    if sys.platform == "win32":
        yield
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise StorageError(
            f"{directory}: another apep-datagen exports into it; wait for it, or name another --to"
        ) from error
    except OSError:
        pass  # some file systems lock no directories; an export is not worth less on them
    try:
        yield
    finally:
        os.close(descriptor)


def claim(directory: Path, names: Iterable[str]) -> None:
    """Let the record in a folder tell of files before they are there.

    Raises:
        OSError: It cannot be written.
    """
    record = read_record(directory) or _CLAIM
    written = sorted({*_names(record), *names})
    if record.get("written") != written or not (directory / RECORD).exists():
        write_record(directory, {**record, "written": written})


def write_record(directory: Path, record: dict[str, Any]) -> None:
    """Write the record of a folder.

    Raises:
        OSError: It cannot be written.
    """
    write_text(directory / RECORD, json.dumps(record, ensure_ascii=False, indent=1) + "\n")


def remove_unwanted(directory: Path, wanted: Iterable[str]) -> None:
    """Remove what an earlier export has written, but for these.

    Raises:
        OSError: It cannot be removed.
    """
    unwanted = _names(read_record(directory) or {}) - {*wanted, RECORD}
    for path in list(directory.iterdir()):  # so no name leads anywhere else
        if path.name in unwanted:
            _remove(path)


def _names(record: Mapping[str, Any]) -> set[str]:
    names = record.get("written")
    return {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()


def _remove_unfinished(directory: Path) -> None:
    texts = {f"{name}{_UNFINISHED_TEXT}" for name in (*_names(read_record(directory) or {}), RECORD)}
    for path in list(directory.iterdir()):
        if replaced := _REPLACED.fullmatch(path.name):
            # Between the old folder and the new one there was none.
            if not (directory / replaced[1]).exists():
                path.rename(directory / replaced[1])
            else:
                _remove(path)
        elif path.name in texts or _UNFINISHED_DATA.fullmatch(path.name):
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
