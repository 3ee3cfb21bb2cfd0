"""Waiting that can be ended from outside, and only waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from apep_datagen.budget.obstacles import NotNowError

__all__ = ["Interruption"]

Result = TypeVar("Result")


class Interruption:
    """Ends all that is waited for through it.

    What is waited for runs in a task of its own, and that task alone is cancelled. So nothing that waits is ever
    cancelled itself, and no cancellation has to be told from another one. What came in the very moment of the
    interruption is returned, not lost.
    """

    def __init__(self) -> None:
        self._waits: set[asyncio.Task[Any]] = set()

    def end_waits(self) -> None:
        """End what is waited for now."""
        for wait in self._waits:
            wait.cancel()

    async def wait_for(self, waiting: Coroutine[Any, Any, Result]) -> Result:
        """Return the result of `waiting`.

        Raises:
            NotNowError: `end_waits` came first.
        """
        wait = asyncio.create_task(waiting)
        self._waits.add(wait)
        try:
            await asyncio.wait({wait})
        finally:
            self._waits.discard(wait)
            wait.cancel()
        if wait.cancelled():
            raise NotNowError
        return wait.result()
