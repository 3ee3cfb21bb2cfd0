"""What each provider was used for in each month, over all outputs: a small database of its own beside the keys.

A run that keeps to `tokens_per_month` takes tokens out of the ledger a portion at a time, before it spends them. So
several runs at once never spend more than the month permits together, and few requests wait for the ledger. What a
run did not use it gives back at its end; what a crash kept, the next invocation for the same output gives back.
"""

from __future__ import annotations

import asyncio
import datetime
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from apep_datagen.storage.checked import integer
from apep_datagen.storage.faults import StoredFile
from apep_datagen.storage.patience import Patience

__all__ = ["Ledger", "this_month"]

Result = TypeVar("Result")

# Other runs hold the ledger for some milliseconds; who holds it for longer is waited for by `Ledger.when_free`.
_SECONDS_TO_WAIT_FOR_OTHERS = 0.5
# A portion of a month's tokens is large enough to be rare, and small enough not to matter to another run.
_PORTIONS_OF_A_MONTH = 50
_LARGEST_PORTION = 200_000


def this_month() -> str:
    """Return the month in local time, as `2026-01`."""
    return datetime.datetime.now().astimezone().strftime("%Y-%m")


class Ledger:
    """The ledger, as one run sees it.

    Args:
        path: The file; it is made where it is missing.
        output: The output of this run, by which its share is known.
        notify: Is told, in a sentence, where another program's lock is waited for.
    """

    def __init__(self, path: Path, output: Path, notify: Callable[[str], None] = lambda _: None) -> None:
        self.path = path
        self._file = StoredFile(
            path, "the ledger of the tokens of each month", "move it away, and the months begin anew"
        )
        self._output = str(output.resolve())
        self._patience = Patience(path, notify)

    async def when_free(self, function: Callable[[], Result]) -> Result:
        """Return what a method of this ledger returns, in a thread; as long as another program has it locked, wait.

        Raises:
            StorageError: As `function` does.
        """
        return await self._patience.until_free(lambda: asyncio.to_thread(function))

    def hurry(self) -> None:
        """Wait no longer than a moment for another program's lock from now on."""
        self._patience.hurry()

    def book(self, tokens: Mapping[tuple[str, str], int]) -> None:
        """Replace what this run is booked with by what it spent, by month and provider.

        Raises:
            StorageError: The ledger cannot be read or written, or another program has it locked.
        """
        with self._transaction() as connection:
            connection.execute("DELETE FROM usage WHERE output = ?", (self._output,))
            connection.executemany(
                "INSERT INTO usage (month, provider, output, tokens) VALUES (?, ?, ?, ?)",
                [(month, provider, self._output, count) for (month, provider), count in tokens.items() if count],
            )

    def grant(self, month: str, provider: str, needed: int, limit: int) -> int:
        """Book tokens for this run before it spends them.

        Args:
            month: Which month, as `2026-01`.
            provider: Whose tokens.
            needed: How many this run needs in this month, those that it has spent included.
            limit: How many all runs together may spend in the month.

        Returns:
            How many this run may spend in this month: `needed` and some more; fewer where the month has no more.

        Raises:
            StorageError: The ledger cannot be read or written, or another program has it locked.
        """
        with self._transaction() as connection:
            (others,) = connection.execute(
                "SELECT coalesce(sum(tokens), 0) FROM usage WHERE month = ? AND provider = ? AND output != ?",
                (month, provider, self._output),
            ).fetchone()
            left = max(0, limit - integer(others))
            granted = min(left, needed + min(_LARGEST_PORTION, limit // _PORTIONS_OF_A_MONTH))
            connection.execute(
                "INSERT INTO usage (month, provider, output, tokens) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET tokens = max(tokens, excluded.tokens)",
                (month, provider, self._output, granted),
            )
            return granted

    def booked_by_others(self, month: str) -> dict[str, int]:
        """Return the tokens that other outputs are booked with in a month, by provider; no file is made or changed.

        Raises:
            StorageError: The ledger cannot be read.
        """
        if not self.path.exists():
            return {}
        with self._file.reading():
            connection = sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True)
            try:
                rows = connection.execute(
                    "SELECT provider, sum(tokens) FROM usage WHERE month = ? AND output != ? GROUP BY provider",
                    (month, self._output),
                )
                return {str(provider): integer(tokens) for provider, tokens in rows}
            finally:
                connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._file.reading("used"):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self.path.absolute(), isolation_level=None, timeout=_SECONDS_TO_WAIT_FOR_OTHERS
            )
            try:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS usage (month TEXT, provider TEXT, output TEXT,"
                    " tokens INTEGER NOT NULL, PRIMARY KEY (month, provider, output)) WITHOUT ROWID"
                )
                yield connection
                connection.execute("COMMIT")
            finally:
                connection.close()
