"""The program, on an event loop whose clock runs faster or slower than time does.

    python other_speed.py FACTOR [options of the program]

All that it waits for by itself (rests, pauses, back-offs, time-outs, the pace of its requests) takes the FACTORth part
of the time. With 20, nobody has to sit through a rest of half a minute; with 0.002, a rest of two seconds does not end
before the test does, however slow the machine is.
"""

from __future__ import annotations

import asyncio
import selectors
import sys
import time

from apep_datagen.cli.app import main

FACTOR = float(sys.argv.pop(1))
# What takes longer is waited for again; the operating system takes no number of milliseconds above 2**31.
LONGEST_SECONDS = 3_600.0


class _Selector(selectors.DefaultSelector):
    """Waits for the FACTORth part of what it is asked to."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(None if timeout is None else min(timeout / FACTOR, LONGEST_SECONDS))


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        super().__init__(_Selector())

    def time(self) -> float:
        return time.monotonic() * FACTOR


vars(asyncio.events)["new_event_loop"] = _Loop
main()
