"""Waiting for another program that holds a lock on a database: off the loop, told once, for however long it takes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from apep_datagen.storage.faults import LockedError

__all__ = ["Patience"]

Result = TypeVar("Result")

_SECONDS_BEFORE_TELLING = 1.0
_FIRST_PAUSE_SECONDS = 0.002
_LONGEST_PAUSE_SECONDS = 0.1
# What another program does for a moment is over by then.
_SECONDS_IN_A_HURRY = 2.0


class Patience:
    """Tries again what another program's lock prevents.

    Args:
        path: The database.
        notify: Is told, in a sentence, once for each wait that is not over in a moment.
    """

    def __init__(self, path: Path, notify: Callable[[str], None]) -> None:
        self._path = path
        self._notify = notify
        self._in_a_hurry = False
        self._waits = 0
        self._over_at = 0.0

    @property
    def held_up_until(self) -> float:
        """Until when a lock was waited for, on the loop's clock: now where one is; 0 where none was."""
        return asyncio.get_running_loop().time() if self._waits else self._over_at

    def hurry(self) -> None:
        """Let waits be over after a moment from now on, those under way as well."""
        self._in_a_hurry = True

    async def until_free(self, attempt: Callable[[], Awaitable[Result]]) -> Result:
        """Return what an attempt comes to, which is made again as long as it is refused by a lock.

        Raises:
            LockedError: There is a hurry, and the lock is still held after a moment.
            Exception: What else the attempt raises.
        """
        with contextlib.suppress(LockedError):
            return await attempt()
        self._waits += 1
        try:
            return await self._try_again(attempt)
        finally:
            self._waits -= 1
            self._over_at = asyncio.get_running_loop().time()

    async def _try_again(self, attempt: Callable[[], Awaitable[Result]]) -> Result:
        loop = asyncio.get_running_loop()
        began = loop.time()
        has_told, pause, hurried_at = False, _FIRST_PAUSE_SECONDS, None
        while True:
            try:
                return await attempt()
            except LockedError:
                now = loop.time()
                if self._in_a_hurry:
                    hurried_at = now if hurried_at is None else hurried_at
                    if now - hurried_at >= _SECONDS_IN_A_HURRY:
                        raise
            if not has_told and now - began >= _SECONDS_BEFORE_TELLING:
                has_told = True
                self._notify(
                    f"{self._path}: another program holds a lock on it, such as a browser for SQLite; close that one,"
                    " the run waits for it and then goes on"
                )
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
