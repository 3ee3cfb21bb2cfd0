"""What is wrong with a file, in a sentence: what happened, to which file, and what to do.

Whatever SQLite or the operating system says, its error code decides, and `StoredFile.refused` makes the sentence of it.
What can be read and still makes no sense is told by `StoredFile.damaged`; `StoredFile.reading` does both.
"""

from __future__ import annotations

import contextlib
import enum
import errno
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from apep_datagen.core.errors import ApepError, StorageError
from apep_datagen.core.words import shorten

__all__ = [
    "LockedError",
    "StoredFile",
    "concerns_file",
    "is_about_content",
    "is_lock",
    "output_file",
    "spell_finding",
    "state_database",
]


class LockedError(StorageError):
    """Another program holds a lock on the file, so that it cannot be used for now."""


class _Fault(enum.Enum):
    """What can be wrong with a file; the value says what to do."""

    LOCKED = "another program holds a lock on it, such as a browser for SQLite: close that one, then start again"
    FULL = "make room, then start again"
    FORBIDDEN = (
        "see that it and its directory are there, that you may write there, and that the disk is not read-only; then"
        " start again"
    )
    TOO_LARGE = "the system permits no larger file here: lift the limit (ulimit -f), then start again"
    TOO_MANY = "too many files are open: close some programs or lift the limit (ulimit -n), then start again"
    DISK = (
        "the disk refuses: see that it is well and connected, and that no quota or limit (ulimit -f) is reached; then"
        " start again"
    )
    NO_LOCKS = (
        "this file system does not lock files, so that two runs could not be kept apart: choose a place on another,"
        " such as a local disk"
    )
    DAMAGED = "it is damaged, or another program's"
    OTHER = "start again; if it comes back, please report it as a mistake of this program"


_FAULT_OF_ERRNO = {
    errno.ENOSPC: _Fault.FULL,
    getattr(errno, "EDQUOT", errno.ENOSPC): _Fault.FULL,
    errno.EFBIG: _Fault.TOO_LARGE,
    errno.EMFILE: _Fault.TOO_MANY,
    errno.ENFILE: _Fault.TOO_MANY,
    errno.EIO: _Fault.DISK,
    **dict.fromkeys((errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP), _Fault.NO_LOCKS),
    **dict.fromkeys(
        (
            errno.EACCES,
            errno.EPERM,
            errno.EROFS,
            errno.ENOENT,
            errno.ENOTDIR,
            errno.EISDIR,
            errno.EEXIST,
            errno.ENAMETOOLONG,
            errno.ELOOP,
        ),
        _Fault.FORBIDDEN,
    ),
}
_FAULT_OF_SQLITE = {
    sqlite3.SQLITE_BUSY: _Fault.LOCKED,
    sqlite3.SQLITE_LOCKED: _Fault.LOCKED,
    sqlite3.SQLITE_FULL: _Fault.FULL,
    sqlite3.SQLITE_PERM: _Fault.FORBIDDEN,
    sqlite3.SQLITE_READONLY: _Fault.FORBIDDEN,
    sqlite3.SQLITE_CANTOPEN: _Fault.FORBIDDEN,
    sqlite3.SQLITE_AUTH: _Fault.FORBIDDEN,
    sqlite3.SQLITE_IOERR: _Fault.DISK,
    sqlite3.SQLITE_PROTOCOL: _Fault.DISK,
    sqlite3.SQLITE_NOLFS: _Fault.TOO_LARGE,
    # Tables and columns that are not there, and rows that cannot be, are met only where another hand was.
    sqlite3.SQLITE_ERROR: _Fault.DAMAGED,
    sqlite3.SQLITE_CORRUPT: _Fault.DAMAGED,
    sqlite3.SQLITE_NOTADB: _Fault.DAMAGED,
    sqlite3.SQLITE_FORMAT: _Fault.DAMAGED,
    sqlite3.SQLITE_SCHEMA: _Fault.DAMAGED,
    sqlite3.SQLITE_CONSTRAINT: _Fault.DAMAGED,
    sqlite3.SQLITE_MISMATCH: _Fault.DAMAGED,
}
# Faults of a file or its disk; the others may be of one statement alone.
_FAULTS_OF_FILE = {
    _Fault.LOCKED,
    _Fault.FULL,
    _Fault.FORBIDDEN,
    _Fault.TOO_LARGE,
    _Fault.TOO_MANY,
    _Fault.DISK,
}
_LONGEST_DETAIL = 200


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that the program keeps, as sentences speak of it.

    Attributes:
        path: Where it is.
        what: What it is, e.g. `the output`.
        if_damaged: What to do where it cannot be made sense of.
    """

    path: Path
    what: str
    if_damaged: str

    def refused(self, error: sqlite3.Error | OSError, what_not: str) -> StorageError:
        """Return what to tell of an error.

        Args:
            error: What SQLite or the operating system said.
            what_not: What cannot be done: `read`, `written` or `used`.
        """
        fault = _fault_of(error, self.path)
        detail = _one_line((error.strerror or str(error)) if isinstance(error, OSError) else str(error))
        remedy = fault.value if fault is not _Fault.DAMAGED else f"{fault.value}: {self.if_damaged}"
        kind = LockedError if fault is _Fault.LOCKED else StorageError
        return kind(f"{self.path}: {self.what} cannot be {what_not} ({detail}); {remedy}")

    def damaged(self, finding: str) -> StorageError:
        """Return what to tell where the file can be read and does not hold what it should."""
        return StorageError(
            f"{self.path}: {self.what} is damaged, or another hand has changed it: {finding}; {self.if_damaged}"
        )

    @contextlib.contextmanager
    def reading(self, what_not: str = "read") -> Iterator[None]:
        """Let every error that arises from what the file holds be a sentence.

        Args:
            what_not: As for `refused`.

        Raises:
            StorageError: The file cannot be read, or what was read makes no sense, in whatever way that showed.
        """
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise self.refused(error, what_not) from error
        except Exception as error:
            if not is_about_content(error):
                raise
            raise self.damaged(spell_finding(error)) from error


def state_database(path: Path) -> StoredFile:
    """Return how to speak of the state database at `path`."""
    return StoredFile(
        path,
        "the state database",
        "put a copy of it back, or move it away with what else begins with its name; the same command then begins anew"
        " behind the conversations that the output holds",
    )


def output_file(path: Path) -> StoredFile:
    """Return how to speak of the output at `path`."""
    return StoredFile(path, "the output", "move it away, or name another --output")


def concerns_file(error: sqlite3.Error) -> bool:
    """Tell whether an error is one of the file or its disk, and not of a single statement."""
    return _fault_of(error, None) in _FAULTS_OF_FILE


def is_lock(error: sqlite3.Error) -> bool:
    """Tell whether an error says that another program holds a lock."""
    return _fault_of(error, None) is _Fault.LOCKED


def _fault_of(error: sqlite3.Error | OSError, path: Path | None) -> _Fault:
    if isinstance(error, OSError):
        return _FAULT_OF_ERRNO.get(error.errno or 0, _Fault.OTHER)
    code: int | None = getattr(error, "sqlite_errorcode", None)
    if code is None:  # found by Python: a text that is no UTF-8, or a value that no column can hold
        return _Fault.DAMAGED if isinstance(error, sqlite3.OperationalError) else _Fault.OTHER
    fault = _FAULT_OF_SQLITE.get(code & 0xFF, _Fault.OTHER)
    # Of a disk that is full SQLite says so only where it writes the database; of what stands beside it, that it failed.
    if fault is _Fault.DISK and path is not None and _is_full(path):
        return _Fault.FULL
    return fault


def _is_full(path: Path) -> bool:
    try:
        disk = os.statvfs(path.parent)
    except (AttributeError, OSError):  # not on Windows
        return False
    return disk.f_blocks > 0 and disk.f_bavail == 0


def is_about_content(error: Exception) -> bool:
    """Tell whether an error says that what was read makes no sense, and not that it cannot be read."""
    if isinstance(error, sqlite3.Error):
        return not hasattr(error, "sqlite_errorcode")  # SQLite had no complaint
    return not isinstance(error, OSError | MemoryError | ApepError)


def spell_finding(error: Exception) -> str:
    """Say in a line what of a content makes no sense, where this error came of it."""
    if isinstance(error, ValidationError):
        mistake = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in mistake["loc"])
        text = f"{error.title} {place}: {mistake['msg']}"
    else:
        # What this program says itself is a sentence; what Python says needs its kind, such as KeyError.
        text = str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"
    return _one_line(text)


def _one_line(text: str) -> str:
    return shorten(" ".join(text.split()), _LONGEST_DETAIL)
