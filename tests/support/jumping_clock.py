"""The program, with a clock that jumps a day forward and back again every few times that it is read."""

from __future__ import annotations

import itertools
import time

from apep_datagen.cli.app import main

_real_time = time.time
_reads = itertools.count()
_DAY = 86_400.0


def jumping_time() -> float:
    """Return the time, or the time of the next day."""
    return _real_time() + _DAY * (next(_reads) // 5 % 2)


time.time = jumping_time
main()
