"""What is wrong with a file is told by its kind, which its error code says, with what to do; never by words."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import pytest

from apep_datagen.core.errors import SettingsError, StorageError
from apep_datagen.storage.faults import LockedError, output_file, state_database

FILE = Path("out.state.db")


def sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("whatever it says, such as database is locked, or disk full")
    error.sqlite_errorcode = code
    return error


def os_error(code: int) -> OSError:
    return OSError(code, os.strerror(code))


ROOM, RIGHTS, LOCK = "; make room, then start again", "that you may write there", "another program holds a lock"
DISK, DAMAGED, LOCKS = "the disk refuses", "put a copy of it back", "does not lock files"


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (sqlite_error(sqlite3.SQLITE_FULL), ROOM),
        (os_error(errno.ENOSPC), ROOM),
        (os_error(errno.EDQUOT), ROOM),
        (sqlite_error(sqlite3.SQLITE_READONLY_DIRECTORY), RIGHTS),
        (sqlite_error(sqlite3.SQLITE_CANTOPEN_ISDIR), RIGHTS),
        (os_error(errno.EROFS), RIGHTS),
        (os_error(errno.EACCES), RIGHTS),
        (sqlite_error(sqlite3.SQLITE_IOERR_FSYNC), DISK),
        (os_error(errno.EIO), DISK),
        (os_error(errno.EMFILE), "ulimit -n"),
        (os_error(errno.ENOLCK), LOCKS),
        (os_error(errno.EOPNOTSUPP), LOCKS),
        (sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), LOCK),
        (sqlite_error(sqlite3.SQLITE_LOCKED_SHAREDCACHE), LOCK),
        (sqlite_error(sqlite3.SQLITE_CORRUPT_VTAB), DAMAGED),
        (sqlite_error(sqlite3.SQLITE_NOTADB), DAMAGED),
        (sqlite_error(sqlite3.SQLITE_CONSTRAINT_UNIQUE), DAMAGED),
        (sqlite3.OperationalError("Could not decode to UTF-8 column"), DAMAGED),
        (sqlite_error(sqlite3.SQLITE_NOMEM), "report it"),
    ],
)
def test_each_kind_of_error_has_its_own_words_of_what_to_do(error: sqlite3.Error | OSError, remedy: str) -> None:
    told = state_database(FILE).refused(error, "written")
    assert str(told).startswith("out.state.db: the state database cannot be written (")
    remedies = (ROOM, RIGHTS, LOCK, DISK, DAMAGED, LOCKS, "ulimit -n", "report it")
    assert [other for other in remedies if other in str(told)] == [remedy]
    assert isinstance(told, LockedError) == (remedy is LOCK)


@pytest.mark.parametrize(
    "error",
    [KeyError("x"), TypeError("y"), OverflowError("z"), sqlite_error(sqlite3.SQLITE_MISMATCH), RecursionError()],
)
def test_whatever_comes_of_reading_what_makes_no_sense_is_a_sentence(error: Exception) -> None:
    with (
        pytest.raises(StorageError, match=r"^out\.json: the output .*; .*move it away"),
        output_file(Path("out.json")).reading(),
    ):
        raise error


def test_what_is_a_sentence_already_stays_as_it_is() -> None:
    with pytest.raises(SettingsError, match=r"^there is no price$"), state_database(FILE).reading():
        raise SettingsError("there is no price")
