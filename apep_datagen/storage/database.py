"""The state database: the truth about a run, of which the output is a projection.

One SQLite file beside the output. Guarantees, and why they hold:

- A step's record, its effects on memory and diary, and the conversation's new state are one transaction
  (`StateDatabase.run`), so no call is executed twice and none is lost.
- Each finished conversation is in the output exactly once (`projection`).
- A second process on the same output is refused by two locks, which end with the process: one on a file beside the
  state database, and one on the output itself, by whatever name it is opened.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from apep_datagen.core.errors import StorageError
from apep_datagen.core.paths import is_at
from apep_datagen.storage.access import (
    connect,
    holds_run,
    lock_beside,
    lock_file,
    state_path,
    wait_no_longer,
)
from apep_datagen.storage.consistency import what_is_wrong
from apep_datagen.storage.faults import state_database
from apep_datagen.storage.journal import Journal
from apep_datagen.storage.output import inspect_output
from apep_datagen.storage.projection import Projection
from apep_datagen.storage.schema import migrate

__all__ = ["StateDatabase"]

Result = TypeVar("Result")


class StateDatabase:
    """The state database and the output, open for one run.

    Args:
        output: The output file.
        seed: What a new run draws its decisions from.
        notify: Is told, in a sentence, what was found and mended.

    Raises:
        StorageError: Another process has it open, it is not this program's, or it or the output cannot be used. The
            output is then as it was.
    """

    def __init__(self, output: Path, *, seed: int, notify: Callable[[str], None]) -> None:
        self._file = state_database(state_path(output))
        path = self._file.path
        with contextlib.ExitStack() as opened:
            opened.callback(lock_beside(path).release)
            with self._file.reading("used"):
                # An output that cannot be continued is refused before a database is made beside it; what it holds
                # becomes part of the run in the same transaction that makes the run.
                has_run = holds_run(path)
                opened.enter_context(lock_file(output))
                foreign = None if has_run else inspect_output(output)
                base_count, base_end = (len(foreign.elements), foreign.end) if foreign else (0, 1)
                self._connection = connect(path)
                opened.callback(self._connection.close)
                migrate(self._connection, seed=seed, output_name=output.name, base_count=base_count, base_end=base_end)
                if finding := what_is_wrong(self._connection):
                    raise self._file.damaged(finding)
                _check_name(self._connection, output)
                if base_count:
                    notify(f"{output}: {base_count} conversations are there already; they are kept")
                self._projection = Projection(self._connection, output, notify)
                wait_no_longer(self._connection)
                self._status = path.stat()
            self._opened = opened.pop_all()
        self._journal = Journal(
            self._connection,
            self._file,
            notify,
            before_commit=self._before_commit,
            after_commit=self._projection.bring_up_to_date,
        )

    @property
    def conversations(self) -> int:
        """How many conversations the output holds."""
        return self._projection.output.count

    @property
    def held_up_until(self) -> float:
        """Until when another program's lock held up all that is recorded; see `Patience.held_up_until`."""
        return self._journal.held_up_until

    async def run(self, function: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run `function` in a transaction of the writer's; see `Journal.run`."""
        return await self._journal.run(function)

    async def read(self, function: Callable[[sqlite3.Connection], Result]) -> Result:
        """Do the same with a function that the run cannot do without: whatever it raises of what it reads is told.

        Raises:
            StorageError: As for `run`, or the database holds what makes no sense.
        """

        def guarded(connection: sqlite3.Connection) -> Result:
            with self._file.reading():
                return function(connection)

        return await self._journal.run(guarded)

    def hurry(self) -> None:
        """Wait no longer for another program that holds a lock, because the run is ending; see `Journal.hurry`."""
        self._journal.hurry()

    def _before_commit(self) -> None:
        if not is_at(self._file.path, self._status):  # SQLite would go on in the file that nobody finds any more
            raise StorageError(
                f"{self._file.path}: the state database was moved, deleted or replaced by another hand while this run"
                " went on; put it back, if it is there, then start again"
            )
        self._projection.note_synced()

    async def close(self) -> None:
        """Write what is still to be written, and let another process have the output.

        Raises:
            StorageError: Another program holds a lock on the database, and what was handed in is not committed.
        """
        try:
            await self._journal.close()
            # A full disk was reported where it was met; the next start checks a little more for this.
            with contextlib.suppress(sqlite3.Error):
                if not self._connection.in_transaction:
                    self._projection.note_synced()
        finally:
            self._projection.output.close()
            self._opened.close()


def _check_name(connection: sqlite3.Connection, output: Path) -> None:
    """Refuse an output that shares its state's name with another, as `a.json` and `a.jsonl` do."""
    (name,) = connection.execute("SELECT output_name FROM run").fetchone()
    if name != output.name:
        if output.with_name(name).exists():
            raise StorageError(
                f"{state_path(output)}: belongs to {output.with_name(name)}; name another --output than {output}"
            )
        connection.execute("UPDATE run SET output_name = ?", (output.name,))  # it was renamed
