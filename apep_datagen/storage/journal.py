"""A writer for a SQLite database that commits together what arrived together.

A commit that reaches the disk takes milliseconds, and the loop that paces requests must not wait for it. So jobs
(functions of the connection) run on the loop, where they cost some microseconds and contend with nobody for the
interpreter; the commit behind them runs in a thread. What arrives meanwhile is the next batch. A job's caller goes on
when the commit that holds the job is on the disk.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from apep_datagen.core.errors import StorageError

__all__ = ["Journal"]

Result = TypeVar("Result")


@dataclass(slots=True)
class _Job:
    function: Callable[[sqlite3.Connection], Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class Journal:
    """The one writer of a database.

    Args:
        connection: Opened with `isolation_level=None` and `check_same_thread=False`; it is the journal's alone until
            `close` returns, and never used by two threads at once.
        name: What to call the database in messages.
        before_commit: Called in each transaction, after its jobs.
        after_commit: Called in the thread behind each commit, before the callers go on.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        name: str,
        *,
        before_commit: Callable[[], None],
        after_commit: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._name = name
        self._before_commit = before_commit
        self._after_commit = after_commit
        self._arrived: list[_Job] = []
        self._writing: asyncio.Task[None] | None = None
        self._disk = concurrent.futures.ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")

    async def run(self, function: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run `function` in a transaction and return its result when it is committed.

        Raises:
            StorageError: The database or the output could not be written.
            Exception: What `function` raised; nothing that it did is kept.
        """
        job = _Job(function, asyncio.get_running_loop().create_future())
        self._arrived.append(job)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        result: Result = await job.future
        return result

    async def close(self) -> None:
        """Wait until everything handed in is written, and end the thread."""
        if self._writing is not None:
            await self._writing
        self._disk.shutdown()

    async def _write(self) -> None:
        """Write batch after batch until nothing is left."""
        try:
            while self._arrived:
                jobs, self._arrived = self._arrived, []
                await self._write_batch(jobs)
                for job in jobs:
                    if job.future.done():
                        continue  # its caller was cancelled
                    if job.error is None:
                        job.future.set_result(job.result)
                    else:
                        job.future.set_exception(job.error)
        finally:
            self._writing = None

    async def _write_batch(self, jobs: list[_Job]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for job in jobs:
                self._run_job(job)
            self._before_commit()
            await asyncio.get_running_loop().run_in_executor(self._disk, self._commit)
        except Exception as error:  # noqa: BLE001 - handed to all callers, who would wait for ever otherwise
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            failure = _storage_error(self._name, error) if isinstance(error, sqlite3.Error) else error
            for job in jobs:
                job.error = failure

    def _run_job(self, job: _Job) -> None:
        """Run a job in a savepoint of its own, so that one that raises takes nothing else with it."""
        self._connection.execute("SAVEPOINT job")
        try:
            job.result = job.function(self._connection)
        except sqlite3.Error:
            raise  # a full disk ends the transaction, savepoints and all
        except Exception as error:  # noqa: BLE001 - handed to the caller, who knows what can go wrong in its job
            self._connection.execute("ROLLBACK TO job")
            job.error = error
        self._connection.execute("RELEASE job")

    def _commit(self) -> None:
        self._connection.execute("COMMIT")
        self._after_commit()


def _storage_error(name: str, error: sqlite3.Error) -> StorageError:
    return StorageError(f"{name}: the state database cannot be written ({error}); make room, then start again")
