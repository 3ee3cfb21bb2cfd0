"""What each provider was used for in each month, over all outputs: a small database of its own beside the keys.

A run that keeps to `tokens_per_month` takes tokens out of the ledger a portion at a time, before it spends them. So
several runs at once never spend more than the month permits together, and few requests wait for the ledger. What a
run did not use it gives back at its end; what a crash kept, the next invocation for the same output gives back.
"""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from apep_datagen.core.errors import StorageError

__all__ = ["Ledger", "this_month"]

_SECONDS_TO_WAIT_FOR_OTHERS = 30.0
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
    """

    def __init__(self, path: Path, output: Path) -> None:
        self.path = path
        self._output = str(output.resolve())

    def book(self, tokens: Mapping[tuple[str, str], int]) -> None:
        """Replace what this run is booked with by what it spent, by month and provider.

        Raises:
            StorageError: The ledger cannot be read or written.
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
            StorageError: The ledger cannot be read or written.
        """
        with self._transaction() as connection:
            (others,) = connection.execute(
                "SELECT coalesce(sum(tokens), 0) FROM usage WHERE month = ? AND provider = ? AND output != ?",
                (month, provider, self._output),
            ).fetchone()
            left = max(0, limit - int(others))
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
        try:
            connection = sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True)
            try:
                rows = connection.execute(
                    "SELECT provider, sum(tokens) FROM usage WHERE month = ? AND output != ? GROUP BY provider",
                    (month, self._output),
                )
                return dict(rows.fetchall())
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise StorageError(
                f"{self.path}: the ledger of the tokens of each month cannot be read ({error})"
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, isolation_level=None, timeout=_SECONDS_TO_WAIT_FOR_OTHERS)
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
        except (sqlite3.Error, OSError) as error:
            raise StorageError(
                f"{self.path}: the ledger of the tokens of each month cannot be used ({error}); make it writable,"
                " or name secrets in a directory that is: the ledger is beside them"
            ) from error
