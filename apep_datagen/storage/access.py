"""Opening the state database: to write, by one process at a time; to read, by anybody, without touching a file."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import filelock

from apep_datagen.core.errors import StorageError
from apep_datagen.core.paths import is_there
from apep_datagen.storage.consistency import what_is_wrong
from apep_datagen.storage.faults import concerns_file, is_lock, output_file, state_database
from apep_datagen.storage.schema import APPLICATION_ID, NEWEST_VERSION, migrate

if sys.platform != "win32":
    import fcntl

__all__ = [
    "InUseError",
    "connect",
    "copy_database",
    "holds_run",
    "in_use",
    "lock_beside",
    "lock_file",
    "lock_path",
    "other_output",
    "read_only",
    "run_is_active",
    "state_path",
    "wait_no_longer",
]

Result = TypeVar("Result")

# What another program does with the database is over by then, or is not soon.
_SECONDS_TO_WAIT_FOR_OTHERS = 5.0
_ATTEMPTS_TO_READ = 10
_SECONDS_BETWEEN_ATTEMPTS = 0.03


def state_path(output: Path) -> Path:
    """Return where the state database of an output is."""
    return output.parent / (output.stem + ".state.db")


def lock_path(path: Path) -> Path:
    """Return the file whose lock says that a process works on a state database."""
    return path.with_suffix(".lock")


def holds_run(path: Path) -> bool:
    """Tell whether there is a state database that was set up completely.

    Raises:
        StorageError: It is another program's, or a newer version's; it is left as it was.
        sqlite3.Error: It is no database, or cannot be read.
    """
    if not is_there(path) or path.stat().st_size == 0:
        return False
    connection = sqlite3.connect(path.absolute(), timeout=_SECONDS_TO_WAIT_FOR_OTHERS)
    try:
        _refuse_foreign(connection, path)
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return bool(tables)
    finally:
        connection.close()


def lock_beside(path: Path) -> filelock.BaseFileLock:
    """Take the lock that says that this process works on `path`; it ends with the process.

    Raises:
        StorageError: Another process has it, or the directory cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = lock_path(path)
        # The library takes some files that cannot be opened for locked ones.
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o644))
        lock = filelock.FileLock(file, timeout=0)
        lock.acquire()
    except filelock.Timeout as error:
        raise in_use(path) from error
    except OSError as error:
        raise state_database(path).refused(error, "written") from error
    return lock


class InUseError(StorageError):
    """Another process works on the output."""


def in_use(path: Path) -> InUseError:
    """Return what to tell where another process works on the state database at `path`."""
    return InUseError(f"{path}: another apep-datagen is working on this output; wait for it, or name another --output")


@contextlib.contextmanager
def lock_file(path: Path) -> Iterator[None]:
    """Hold the lock of a file itself, which is made where it is missing.

    A file can have several names, by links, and each name has a lock of its own beside it. This one goes with the file,
    and ends with the process. Nothing in the file is changed.

    Raises:
        StorageError: Another process has it, or the file cannot be written.
    """
    with contextlib.ExitStack() as opened:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            opened.callback(os.close, descriptor)
            if sys.platform != "win32":
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StorageError(
                f"{path}: under another name, another apep-datagen is working on this output; wait for it, or name"
                " another --output"
            ) from error
        except OSError as error:
            raise output_file(path).refused(error, "written") from error
        yield


def connect(path: Path) -> sqlite3.Connection:
    """Open the database; transactions are begun and ended by the caller.

    While another program holds a lock on it, each statement waits for some seconds, until `wait_no_longer`.

    Raises:
        StorageError: It is another program's, or a newer version's; it is left as it was.
        sqlite3.Error: It is no database, or cannot be read or written.
    """
    # Some builds of SQLite take a name that begins with `file:` for an address; a whole path is none.
    connection = sqlite3.connect(
        path.absolute(), timeout=_SECONDS_TO_WAIT_FOR_OTHERS, isolation_level=None, check_same_thread=False
    )
    try:
        _refuse_foreign(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL: a commit that returned survives a power cut, not only a crash of the process.
        connection.execute("PRAGMA synchronous = FULL")
        # Who cannot write is told so at once, and not when something is to be recorded.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
    except (sqlite3.Error, StorageError):
        connection.close()
        raise
    return connection


def wait_no_longer(connection: sqlite3.Connection) -> None:
    """Let a lock of another program be an error at once: waiting inside SQLite would hold up the event loop."""
    connection.execute("PRAGMA busy_timeout = 0")


class _IncompleteError(StorageError):
    """One of the files beside the database is missing."""


def read_only(path: Path, query: Callable[[sqlite3.Connection], Result]) -> Result:
    """Return what `query` reads, in one transaction, without making or changing any file.

    While a process has the database open, or after it was killed, the newest transactions are in the `-wal` file, and
    `-shm` says where; both are shared, and nobody waits for anybody. Without these files nobody has it open, and all
    is in the database itself. SQLite would make them, which fails in a directory that cannot be written, so it is told
    that the file does not change. (Where a run ends in the very moment of opening, an empty `-wal` can stay behind.)

    A database of an earlier version is copied, and the copy brought up to date: `query` meets the newest tables alone.

    Raises:
        StorageError: There is no run in it, or it is another program's or a newer version's, or cannot be read, or
            `query` could make no sense of what it holds.
    """
    if not is_there(path) or not path.is_file():
        raise StorageError(f"{path}: there is no such file, so no run has begun for this output; check --output")
    with state_database(path).reading():
        for attempt in range(1, _ATTEMPTS_TO_READ + 1):
            try:
                return _read_once(path, query)
            except (_IncompleteError, sqlite3.OperationalError) as error:
                # The files beside it come and go when a run begins and ends. A lock was waited for, and what is wrong
                # inside remains so.
                may_pass = isinstance(error, _IncompleteError) or (concerns_file(error) and not is_lock(error))
                if attempt == _ATTEMPTS_TO_READ or not may_pass:
                    raise
                time.sleep(_SECONDS_BETWEEN_ATTEMPTS)
    raise AssertionError  # the last attempt returns or raises


def copy_database(path: Path, target: Path) -> None:
    """Copy a state database of this version or an older one, without making or changing any other file.

    Raises:
        StorageError: As for `read_only`; or the copy cannot be written.
    """

    def copy(connection: sqlite3.Connection) -> None:
        try:
            with contextlib.closing(sqlite3.connect(target)) as copied:
                connection.backup(copied)
        except sqlite3.Error as error:
            if is_lock(error) or not concerns_file(error):
                raise
            raise state_database(target).refused(error, "written") from error

    read_only(path, copy)


def _read_once(path: Path, query: Callable[[sqlite3.Connection], Result]) -> Result:
    index, log = path.with_name(path.name + "-shm"), path.with_name(path.name + "-wal")
    if not index.exists():
        if log.exists() and log.stat().st_size:
            raise _IncompleteError(
                f"{path}: the state database cannot be read ({index.name} is missing beside it); the next run for this"
                " output mends this"
            )
        result = _query(path, "immutable=1", query)
        if not index.exists():
            return result
        # A run has begun meanwhile, and the file may have changed while it was read.
    return _query(path, "mode=ro&readonly_shm=1", query)


def _query(path: Path, options: str, query: Callable[[sqlite3.Connection], Result]) -> Result:
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?{options}", timeout=_SECONDS_TO_WAIT_FOR_OTHERS, uri=True, isolation_level=None
    )
    try:
        connection.execute("BEGIN")
        _refuse_foreign(connection, path)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            raise StorageError(f"{path}: not set up completely; the next run for this output mends this")
        if version == NEWEST_VERSION:
            return _checked(connection, path, query)
        with _brought_up_to_date(connection, path) as copy:
            return _checked(copy, path, query)
    finally:
        connection.close()


@contextlib.contextmanager
def _brought_up_to_date(connection: sqlite3.Connection, path: Path) -> Iterator[sqlite3.Connection]:
    """Give a copy, as of this moment, of a database of an earlier version, with the newest tables.

    A database without a name is SQLite's own: in memory while it is small, else in a temporary file that nobody sees.
    """
    with contextlib.closing(sqlite3.connect("", isolation_level=None)) as copy:
        try:
            connection.backup(copy)
            migrate(copy, seed=0, output_name="", base_count=0, base_end=1)
        except sqlite3.Error as error:
            if is_lock(error) or not concerns_file(error):
                raise
            raise StorageError(
                f"{path}: written by an older apep-datagen, and the copy of it that is to be read cannot be made"
                f" ({error}); make room for temporary files, or let the next run for this output bring it up to date"
            ) from error
        yield copy


def _checked(connection: sqlite3.Connection, path: Path, query: Callable[[sqlite3.Connection], Result]) -> Result:
    if finding := what_is_wrong(connection):
        raise state_database(path).damaged(finding)
    return query(connection)


def other_output(connection: sqlite3.Connection, output: Path) -> Path | None:
    """Return whose a state database is, where that is another output which is there, as of `a.json` and `a.jsonl`."""
    (name,) = connection.execute("SELECT output_name FROM run").fetchone()
    other = output.with_name(name)
    return other if name != output.name and other.exists() else None


def run_is_active(path: Path) -> bool | None:
    """Tell whether a process works on the database; None where the system does not say.

    The lock is not tried: whoever had it for a moment would make a run that starts in this moment fail. Linux lists
    all locks, with the inode of the file. The device is not compared: it is spelled otherwise than `stat` does on
    some file systems.
    """
    try:
        inode = str(lock_path(path).stat().st_ino)
    except OSError:
        return False
    try:
        locks = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    # Such as `3: FLOCK  ADVISORY  WRITE 7238 fe:00:2157438 0 EOF`.
    fields = (line.split() for line in locks)
    return any(words[1] == "FLOCK" and words[-3].rpartition(":")[2] == inode for words in fields)


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and tables:
        raise StorageError(f"{path}: a database of another program; name another --output")
    if version < 0:
        raise state_database(path).damaged(f"its version is {version}")
    if version > NEWEST_VERSION:
        raise StorageError(f"{path}: written by a newer apep-datagen; upgrade the program, or name another --output")
