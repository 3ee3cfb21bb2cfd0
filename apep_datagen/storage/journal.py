"""A writer for a SQLite database that commits together what arrived together.

A commit that reaches the disk takes milliseconds, and the loop that paces requests must not wait for it. So jobs
(functions of the connection) run on the loop, where they cost some microseconds and contend with nobody for the
interpreter; the commit behind them runs in a thread. What arrives meanwhile is the next batch. A job's caller goes on
when the commit that holds the job is on the disk.

Another program that holds a lock on the database delays a batch, and nothing else: the loop does not wait in SQLite.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from apep_datagen.storage.faults import LockedError, StoredFile, concerns_file
from apep_datagen.storage.patience import Patience

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
        connection: Opened with `isolation_level=None` and `check_same_thread=False`, and not waiting for locks; it is
            the journal's alone until `close` returns, and never used by two threads at once.
        file: What messages call the database.
        notify: Is told, in a sentence, where another program's lock is waited for.
        before_commit: Called in each transaction, after its jobs.
        after_commit: Called in the thread behind each commit, before the callers go on.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        file: StoredFile,
        notify: Callable[[str], None],
        *,
        before_commit: Callable[[], None],
        after_commit: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._file = file
        self._patience = Patience(file.path, notify)
        self._before_commit = before_commit
        self._after_commit = after_commit
        self._arrived: list[_Job] = []
        self._writing: asyncio.Task[None] | None = None
        self._left_behind: LockedError | None = None
        self._disk = concurrent.futures.ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")

    async def run(self, function: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run `function` in a transaction and return its result when it is committed.

        Raises:
            StorageError: The database or the output could not be written.
            Exception: What `function` raised; nothing that it did is kept, and other jobs are not touched.
        """
        job = _Job(function, asyncio.get_running_loop().create_future())
        self._arrived.append(job)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        result: Result = await job.future
        return result

    @property
    def held_up_until(self) -> float:
        """Until when another program's lock held it up; see `Patience.held_up_until`."""
        return self._patience.held_up_until

    def hurry(self) -> None:
        """Wait no longer than a moment for another program's lock from now on; what it delays then fails."""
        self._patience.hurry()

    async def close(self) -> None:
        """Wait until everything handed in is written, and end the thread.

        Raises:
            StorageError: Another program held a lock to the end; what was handed in is not committed.
        """
        self.hurry()
        try:
            if self._writing is not None:
                await self._writing
        finally:
            self._disk.shutdown()
        if self._left_behind is not None:
            raise self._left_behind

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
            await self._patience.until_free(self._begin)
            for job in jobs:
                self._run_job(job)
            self._before_commit()
            await self._patience.until_free(self._commit_in_thread)
        except Exception as error:  # noqa: BLE001 - handed to all callers, who would wait for ever otherwise
            if self._connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):  # the next batch meets what this one met
                    self._connection.execute("ROLLBACK")
            failure = self._file.refused(error, "written") if isinstance(error, sqlite3.Error) else error
            for job in jobs:
                job.error = failure
            if isinstance(failure, LockedError):
                self._left_behind = failure

    async def _begin(self) -> None:
        with self._file.reading("written"):
            self._connection.execute("BEGIN IMMEDIATE")

    def _run_job(self, job: _Job) -> None:
        """Run a job in a savepoint of its own, so that one that raises takes nothing else with it."""
        self._connection.execute("SAVEPOINT job")
        try:
            job.result = job.function(self._connection)
        except Exception as error:
            if not self._connection.in_transaction:
                raise  # a full disk, for instance, has ended the transaction, savepoints and all
            self._connection.execute("ROLLBACK TO job")
            if isinstance(error, sqlite3.Error) and concerns_file(error):
                job.error = self._file.refused(error, "written")
            else:
                job.error = error  # its caller knows what can go wrong in its job
        self._connection.execute("RELEASE job")

    async def _commit_in_thread(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._disk, self._commit)

    def _commit(self) -> None:
        with self._file.reading("written"):
            if self._connection.in_transaction:  # else a lock came in between, and this is the next attempt
                self._connection.execute("COMMIT")
            self._after_commit()
