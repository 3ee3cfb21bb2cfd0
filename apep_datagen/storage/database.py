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

from apep_datagen.storage.access import wait_no_longer
from apep_datagen.storage.contents import DATASET, Contents
from apep_datagen.storage.journal import Journal
from apep_datagen.storage.opening import OpenedRun

__all__ = ["StateDatabase"]

Result = TypeVar("Result")


class StateDatabase:
    """The state database and the output, open for one run.

    Args:
        output: The output file.
        seed: What a new run draws its decisions from.
        notify: Is told, in a sentence, what was found and mended.
        contents: What the output holds.

    Raises:
        StorageError: As for `OpenedRun`.
    """

    def __init__(self, output: Path, *, seed: int, notify: Callable[[str], None], contents: Contents = DATASET) -> None:
        self._opened = OpenedRun(output, seed=seed, notify=notify, contents=contents)
        wait_no_longer(self._opened.connection)
        self._journal = Journal(
            self._opened.connection,
            self._opened.file,
            notify,
            before_commit=self._opened.before_commit,
            after_commit=self._opened.projection.bring_up_to_date,
        )

    @property
    def conversations(self) -> int:
        """How many conversations the output holds."""
        return self._opened.projection.output.count

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
            with self._opened.file.reading():
                return function(connection)

        return await self._journal.run(guarded)

    def hurry(self) -> None:
        """Wait no longer for another program that holds a lock, because the run is ending; see `Journal.hurry`."""
        self._journal.hurry()

    async def close(self) -> None:
        """Write what is still to be written, and let another process have the output.

        Raises:
            StorageError: Another program holds a lock on the database, and what was handed in is not committed.
        """
        try:
            await self._journal.close()
            # A full disk was reported where it was met; the next start checks a little more for this.
            with contextlib.suppress(sqlite3.Error):
                if not self._opened.connection.in_transaction:
                    self._opened.projection.note_synced()
        finally:
            self._opened.close()
