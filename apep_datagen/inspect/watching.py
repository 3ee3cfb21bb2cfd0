"""A run that is watched from outside: looks at its state database, until it has ended. Nothing is touched.

A run is waited for where none has begun. While one is active whatever cannot be read is waited for too: a database
that is being made, or was moved away. `watch_report` puts a look into words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from apep_datagen.core.errors import StorageError
from apep_datagen.core.paths import is_there
from apep_datagen.inspect.status import RunStatus, read_status
from apep_datagen.storage.access import run_is_active, state_path

__all__ = ["Look", "Phase", "Watcher"]


class Phase(StrEnum):
    """What a run that is watched does."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one moment.

    Attributes:
        phase: What the run does: it is waited for, goes on, or has ended.
        status: How far it is; as it was last read, where it cannot be read now; None where it never could be.
        problem: Why it cannot be read now; empty where it can.
    """

    phase: Phase
    status: RunStatus | None
    problem: str = ""


class Watcher:
    """Looks at the run of an output.

    Args:
        output: The output.
        read: Reads how far its run is, as `read_status` does.
    """

    def __init__(self, output: Path, read: Callable[[Path, float], RunStatus] = read_status) -> None:
        self._output = output
        self._read = read
        self._status: RunStatus | None = None
        self._was_active = False
        self._failed_before = False

    def look(self, now: float) -> Look:
        """Look at it; `now` in seconds since 1970.

        A run has ended where one was seen and is active no more, or where nothing is left to do.

        Raises:
            StorageError: No run is active, and what is there cannot be read.
        """
        try:
            status = self._read(self._output, now)
        except StorageError as error:
            return self._without_status(error)
        self._status = status
        self._failed_before = False
        self._was_active = self._was_active or status.active is True
        if status.active is not True and (status.missing == 0 or (status.active is False and self._was_active)):
            return Look(Phase.ENDED, status)
        return Look(Phase.WAITING if status.active is False else Phase.RUNNING, status)

    def _without_status(self, error: StorageError) -> Look:
        path = state_path(self._output)
        active = run_is_active(path)
        is_awaited = not self._was_active and not is_there(path)
        # A run may have begun, or ended, between two looks at its files: what is wrong with them is so still then.
        if active is False and not is_awaited and self._failed_before:
            raise error
        self._failed_before = True
        self._was_active = self._was_active or active is True
        return Look(Phase.RUNNING if active else Phase.WAITING, self._status, str(error))
