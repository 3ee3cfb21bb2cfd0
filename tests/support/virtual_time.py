"""An event loop whose clock is virtual: where it would sleep, it moves its clock on. Nothing waits, hours pass."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["VirtualTimeLoop", "run_in_virtual_time"]

Result = TypeVar("Result")


# What a round of the loop takes. Without it, who waits for a moment that rounding puts before now would do so for ever.
_ROUND_SECONDS = 1e-7


class _Selector(selectors.DefaultSelector):
    """Answers at once, and tells the loop how long it would have waited."""

    def __init__(self, oversleep: float) -> None:
        super().__init__()
        self.skipped = 0.0
        self._oversleep = oversleep

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everything waits, and nothing will ever happen")
        self.skipped += timeout + self._oversleep if timeout > 0 else _ROUND_SECONDS
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Runs at once what would take hours; `oversleep` seconds are lost at every wait, as on a busy machine."""

    def __init__(self, *, start: float = 1_000.0, oversleep: float = 0.0) -> None:
        self._virtual_selector = _Selector(oversleep)
        self._start = start
        super().__init__(self._virtual_selector)

    def time(self) -> float:
        return self._start + self._virtual_selector.skipped


def run_in_virtual_time(main: Coroutine[Any, Any, Result], *, oversleep: float = 0.0) -> Result:
    """Run `main` to its end in a loop of its own."""
    with asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(oversleep=oversleep)) as runner:
        return runner.run(main)
