"""The state database's file: its lock, its tables, and how an older one is brought up to date."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import filelock

from apep_datagen.core.errors import StorageError

__all__ = ["connect", "holds_run", "lock_beside", "migrate", "read_only", "run_is_active"]

Result = TypeVar("Result")

_ATTEMPTS_TO_READ = 10
_SECONDS_BETWEEN_ATTEMPTS = 0.03

_APPLICATION_ID = 0x41504550  # "APEP"

# Numbered migrations: the database's `user_version` says how many of them it has had.
_MIGRATIONS = (
    """
    CREATE TABLE run (
        seed INTEGER NOT NULL,
        output_name TEXT NOT NULL,                 -- without its directory
        base_count INTEGER NOT NULL DEFAULT 0,     -- conversations in the output that are not in `samples`
        base_end INTEGER NOT NULL DEFAULT 1,       -- byte offset behind the last of them
        base_position INTEGER NOT NULL DEFAULT 0,  -- samples up to here are among them
        synced_position INTEGER NOT NULL DEFAULT 0 -- samples up to here are known to be on the disk
    );
    CREATE TABLE prompt_sets (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, texts TEXT NOT NULL);
    CREATE TABLE timelines (
        id INTEGER PRIMARY KEY,
        conversations INTEGER NOT NULL DEFAULT 0,  -- finished ones
        closed INTEGER NOT NULL DEFAULT 0,
        last_question TEXT,
        last_answer TEXT
    );
    CREATE INDEX open_timelines ON timelines (id) WHERE NOT closed;
    CREATE TABLE conversations (
        id INTEGER PRIMARY KEY,
        timeline_id INTEGER NOT NULL REFERENCES timelines,
        prompt_set_id INTEGER NOT NULL REFERENCES prompt_sets,
        plan TEXT NOT NULL,
        provider TEXT NOT NULL,
        status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'finished', 'set aside')),
        reason TEXT,
        started_at REAL NOT NULL,
        ended_at REAL
    );
    CREATE INDEX active_conversations ON conversations (id) WHERE status = 'active';
    CREATE INDEX conversations_set_aside ON conversations (id) WHERE status = 'set aside';
    CREATE TABLE steps (
        conversation_id INTEGER NOT NULL REFERENCES conversations,
        number INTEGER NOT NULL,                   -- from 1
        kind TEXT NOT NULL,                        -- ask, answer, continue, rewrite or tools
        text TEXT NOT NULL,                        -- the model's words, or the results as a JSON array
        finish_reason TEXT NOT NULL DEFAULT '',
        provider TEXT,
        model TEXT,
        prompt_tokens INTEGER,
        completion_tokens INTEGER,
        seconds REAL,
        at REAL NOT NULL,
        PRIMARY KEY (conversation_id, number)
    );
    CREATE TABLE notes (
        id INTEGER PRIMARY KEY,
        timeline_id INTEGER NOT NULL,
        shelf TEXT NOT NULL CHECK (shelf IN ('memory', 'diary')),
        date TEXT NOT NULL,
        text TEXT NOT NULL,
        added_in INTEGER NOT NULL,                 -- conversation
        deleted_in INTEGER                         -- conversation, or null while the note is there
    );
    CREATE INDEX notes_of_timeline ON notes (timeline_id, shelf, id);
    CREATE INDEX notes_added_in ON notes (added_in);
    CREATE INDEX notes_deleted_in ON notes (deleted_in) WHERE deleted_in IS NOT NULL;
    CREATE TABLE samples (
        position INTEGER PRIMARY KEY,              -- in the order of finishing, from 1
        conversation_id INTEGER NOT NULL UNIQUE REFERENCES conversations,
        line TEXT NOT NULL,
        end INTEGER NOT NULL                       -- byte offset behind it in the output
    );
    """,
    """
    ALTER TABLE run ADD COLUMN target INTEGER;     -- of the last invocation
    CREATE TABLE reservations (                    -- requests under way, with the most that they can cost
        id INTEGER PRIMARY KEY,
        month TEXT NOT NULL,                       -- as 2026-01
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        role TEXT NOT NULL,                        -- tester, ada or rewriter
        prompt_tokens INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL
    );
    CREATE TABLE spending (
        month TEXT NOT NULL,
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        role TEXT NOT NULL,
        requests INTEGER NOT NULL DEFAULT 0,       -- sent
        answers INTEGER NOT NULL DEFAULT 0,        -- that are used
        lost INTEGER NOT NULL DEFAULT 0,           -- under way at a crash, counted with the most that they can cost
        prompt_tokens INTEGER NOT NULL DEFAULT 0,
        completion_tokens INTEGER NOT NULL DEFAULT 0,
        seconds REAL NOT NULL DEFAULT 0,           -- that the used answers took, together
        PRIMARY KEY (month, provider, model, role)
    ) WITHOUT ROWID;
    CREATE TABLE failures (
        provider TEXT NOT NULL,
        kind TEXT NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (provider, kind)
    ) WITHOUT ROWID;
    INSERT INTO spending (month, provider, model, role, requests, answers, prompt_tokens, completion_tokens, seconds)
        SELECT strftime('%Y-%m', at, 'unixepoch', 'localtime'), provider, model,
            CASE kind WHEN 'ask' THEN 'tester' WHEN 'rewrite' THEN 'rewriter' ELSE 'ada' END,
            count(*), count(*), total(prompt_tokens), total(completion_tokens), total(seconds)
        FROM steps WHERE provider IS NOT NULL GROUP BY 1, 2, 3, 4;
    """,
    """
    ALTER TABLE timelines ADD COLUMN story TEXT;   -- who the user is and what Ada knows, as JSON
    ALTER TABLE timelines ADD COLUMN rejected_in_a_row INTEGER NOT NULL DEFAULT 0;
    UPDATE timelines SET closed = 1;               -- they have no user
    CREATE TABLE conversations_with_verdict (
        id INTEGER PRIMARY KEY,
        timeline_id INTEGER NOT NULL REFERENCES timelines,
        prompt_set_id INTEGER NOT NULL REFERENCES prompt_sets,
        plan TEXT NOT NULL,
        provider TEXT NOT NULL,
        status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'finished', 'rejected', 'set aside')),
        stage TEXT,                                -- that rejected it
        reason TEXT,
        detail TEXT,
        started_at REAL NOT NULL,
        ended_at REAL
    );
    INSERT INTO conversations_with_verdict
        SELECT id, timeline_id, prompt_set_id, plan, provider, status, NULL, reason, NULL, started_at, ended_at
        FROM conversations;
    DROP TABLE conversations;
    ALTER TABLE conversations_with_verdict RENAME TO conversations;
    CREATE INDEX active_conversations ON conversations (id) WHERE status = 'active';
    CREATE INDEX conversations_set_aside ON conversations (id) WHERE status = 'set aside';
    CREATE TABLE verdicts (
        provider TEXT NOT NULL,
        ability TEXT NOT NULL,
        stage TEXT NOT NULL,                       -- empty for what was accepted
        reason TEXT NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (provider, ability, stage, reason)
    ) WITHOUT ROWID;
    CREATE TABLE near (                            -- which accepted texts may be nearly the same
        key INTEGER,                               -- one for each band of a text
        conversation_id INTEGER,
        PRIMARY KEY (key, conversation_id)
    ) WITHOUT ROWID;
    CREATE TABLE openings (
        part TEXT,                                 -- question or reply
        opening TEXT,                              -- its first words
        count INTEGER NOT NULL,                    -- accepted conversations that begin so
        PRIMARY KEY (part, opening)
    ) WITHOUT ROWID;
    """,
)


def holds_run(path: Path) -> bool:
    """Tell whether there is a state database that was set up completely."""
    if not path.exists() or path.stat().st_size == 0:
        return False
    connection = sqlite3.connect(path)
    try:
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
        lock = filelock.FileLock(path.with_suffix(".lock"), timeout=0)
        lock.acquire()
    except filelock.Timeout as error:
        raise StorageError(
            f"{path}: another apep-datagen is working on this output; wait for it, or name another --output"
        ) from error
    except OSError as error:
        raise StorageError(f"{path.parent}: cannot be written ({error.strerror or error})") from error
    return lock


def connect(path: Path) -> sqlite3.Connection:
    """Open the database; transactions are begun and ended by the caller.

    Raises:
        StorageError: It is another program's, or a newer version's; it is left as it was.
        sqlite3.Error: It is no database, or cannot be read or written.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        _refuse_foreign(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL: a commit that returned survives a power cut, not only a crash of the process.
        connection.execute("PRAGMA synchronous = FULL")
    except (sqlite3.Error, StorageError):
        connection.close()
        raise
    return connection


def read_only(path: Path, query: Callable[[sqlite3.Connection], Result]) -> Result:
    """Return what `query` reads, in one transaction, without making or changing any file.

    While a process has the database open, or after it was killed, the newest transactions are in the `-wal` file, and
    `-shm` says where; both are shared, and nobody waits for anybody. Without these files nobody has it open, and all
    is in the database itself. SQLite would make them, which fails in a directory that cannot be written, so it is told
    that the file does not change. (Where a run ends in the very moment of opening, an empty `-wal` can stay behind.)

    Raises:
        StorageError: There is no run in it, or it is another program's or another version's, or cannot be read.
    """
    if not path.is_file():
        raise StorageError(f"{path}: there is no such file, so no run has begun for this output; check --output")
    for attempt in range(1, _ATTEMPTS_TO_READ + 1):
        try:
            return _read_once(path, query)
        except sqlite3.OperationalError as error:
            # The files beside it come and go when a run begins and ends.
            if attempt == _ATTEMPTS_TO_READ:
                raise _unreadable(path, error) from error
            time.sleep(_SECONDS_BETWEEN_ATTEMPTS)
        except (sqlite3.Error, OSError) as error:
            raise _unreadable(path, error) from error
    raise AssertionError  # the last attempt returns or raises


def _unreadable(path: Path, error: Exception) -> StorageError:
    return StorageError(f"{path}: the state database cannot be read ({error})")


def _read_once(path: Path, query: Callable[[sqlite3.Connection], Result]) -> Result:
    index, log = path.with_name(path.name + "-shm"), path.with_name(path.name + "-wal")
    if not index.exists():
        if log.exists() and log.stat().st_size:
            raise sqlite3.OperationalError(
                f"{index.name} is missing beside it; the next run for this output mends this"
            )
        result = _query(path, "immutable=1", query)
        if not index.exists():
            return result
        # A run has begun meanwhile, and the file may have changed while it was read.
    return _query(path, "mode=ro&readonly_shm=1", query)


def _query(path: Path, options: str, query: Callable[[sqlite3.Connection], Result]) -> Result:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?{options}", uri=True, isolation_level=None)
    try:
        connection.execute("BEGIN")
        _refuse_foreign(connection, path)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version < len(_MIGRATIONS):
            raise StorageError(
                f"{path}: not set up completely, or by an older apep-datagen; the next run for this output brings it"
                " up to date"
            )
        return query(connection)
    finally:
        connection.close()


def run_is_active(path: Path) -> bool | None:
    """Tell whether a process works on the database; None where the system does not say.

    The lock is not tried: whoever had it for a moment would make a run that starts in this moment fail. Linux lists
    all locks, with the inode of the file. The device is not compared: it is spelled otherwise than `stat` does on
    some file systems.
    """
    try:
        inode = str(path.with_suffix(".lock").stat().st_ino)
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
    if application != _APPLICATION_ID and tables:
        raise StorageError(f"{path}: a database of another program; name another --output")
    if version > len(_MIGRATIONS):
        raise StorageError(f"{path}: written by a newer apep-datagen; upgrade the program, or name another --output")


def migrate(connection: sqlite3.Connection, *, seed: int, output_name: str, base_count: int, base_end: int) -> None:
    """Make the tables, or bring those of an older version up to date.

    Args:
        connection: The open database.
        seed: What a new run draws its decisions from.
        output_name: The name of the output file.
        base_count: How many conversations the output of a new run holds already.
        base_end: Byte offset behind the last of them in the output.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number, statements in enumerate(_MIGRATIONS[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        for statement in statements.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {number}")
        if number == 1:
            connection.execute(
                "INSERT INTO run (seed, output_name, base_count, base_end) VALUES (?, ?, ?, ?)",
                (seed, output_name, base_count, base_end),
            )
        connection.execute("COMMIT")
