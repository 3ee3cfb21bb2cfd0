"""Waiting for another process or thread, the one way in which tests do it."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["PATIENCE_SECONDS", "wait_until"]

# For how long a test waits before it fails. It says nothing of the program: a busy machine takes some seconds for what
# takes some milliseconds on an idle one, and no test may fail for that.
PATIENCE_SECONDS = 300.0


def wait_until(condition: Callable[[], object], otherwise: Callable[[], str], *, look_every: float = 0.005) -> None:
    """Wait until `condition` holds, which may raise where it never will.

    Args:
        condition: What is waited for.
        otherwise: Says what there is instead, when the wait is given up.
        look_every: Seconds between two looks.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS:g} s; {otherwise()}"
        time.sleep(look_every)
