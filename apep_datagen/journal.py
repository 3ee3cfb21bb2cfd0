"""A writer for a SQLite database, off the event loop, that commits together what arrived together.

A commit that reaches the disk takes milliseconds, and the loop that paces requests must not wait for it. Jobs are
functions of the connection; each runs in a savepoint of its own, so that one that raises takes nothing else with it.
A job's caller goes on when the commit that holds the job is on the disk.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from apep_datagen.errors import StorageError

__all__ = ["Journal"]

Result = TypeVar("Result")
_LARGEST_BATCH = 256


@dataclass(slots=True)
class _Job:
    function: Callable[[sqlite3.Connection], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class Journal:
    """The one writer of a database.

    Args:
        connection: Opened with `isolation_level=None` and `check_same_thread=False`; used by the writer's thread alone
            until `close` returns.
        name: What to call the database in messages.
        before_commit: Called in each transaction, after its jobs.
        after_commit: Called behind each commit, before the callers go on.
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
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    async def run(self, function: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run `function` in the writer's thread and return its result when it is committed.

        Raises:
            StorageError: The database or the output could not be written; nothing of the transaction is kept, or
                all of it.
            Exception: What `function` raised; nothing that it did is kept.
        """
        loop = asyncio.get_running_loop()
        job = _Job(function, loop, loop.create_future())
        self._queue.put(job)
        result: Result = await job.future
        return result

    def close(self) -> None:
        """Wait until everything handed in is written, and end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        closing = False
        while not closing:
            batch = [self._queue.get()]
            while len(batch) < _LARGEST_BATCH and not self._queue.empty():
                batch.append(self._queue.get())
            closing = None in batch
            jobs = [job for job in batch if job is not None]
            if jobs:
                self._commit(jobs)
                jobs[0].loop.call_soon_threadsafe(_resolve, jobs)

    def _commit(self, jobs: list[_Job]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for job in jobs:
                self._run_one(job)
            self._before_commit()
            self._connection.execute("COMMIT")
            self._after_commit()
        except Exception as error:  # noqa: BLE001 - handed to all callers, who would wait for ever otherwise
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            failure = _storage_error(self._name, error) if isinstance(error, sqlite3.Error) else error
            for job in jobs:
                job.error = failure

    def _run_one(self, job: _Job) -> None:
        self._connection.execute("SAVEPOINT job")
        try:
            job.result = job.function(self._connection)
        except sqlite3.Error:
            raise  # a full disk ends the transaction, savepoints and all
        except Exception as error:  # noqa: BLE001 - handed to the caller, who knows what can go wrong in its job
            self._connection.execute("ROLLBACK TO job")
            job.error = error
        self._connection.execute("RELEASE job")


def _resolve(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.done():
            continue  # its caller was cancelled
        if job.error is None:
            job.future.set_result(job.result)
        else:
            job.future.set_exception(job.error)


def _storage_error(name: str, error: sqlite3.Error) -> StorageError:
    return StorageError(f"{name}: the state database cannot be written ({error}); make room, then start again")
