"""The state database in memory, without the thread that commits: for event loops whose time is virtual."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from apep_datagen.storage.schema import migrate

__all__ = ["MemoryDatabase"]

Result = TypeVar("Result")


class MemoryDatabase:
    """Stands for a `StateDatabase`; each job is a transaction that takes a while to begin, and to be committed.

    Args:
        seconds: How long each of the two takes.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self._seconds = seconds
        migrate(self.connection, seed=1, output_name="x", base_count=0, base_end=1)

    async def run(self, function: Callable[[sqlite3.Connection], Result]) -> Result:
        await asyncio.sleep(self._seconds)
        self.connection.execute("BEGIN")
        result = function(self.connection)
        self.connection.execute("COMMIT")
        await asyncio.sleep(self._seconds)
        return result
