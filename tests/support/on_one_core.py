"""The program, believing that the machine has a single core.

The threads of the embedded model wait for one another without letting go of their cores. Where something else wants to
run as well, as it does beside tests, an answer takes many times as long with two threads as with one.
"""

from __future__ import annotations

import os

from apep_datagen.cli.app import main


def one_core() -> int:
    """Return how many cores there are."""
    return 1


vars(os)["cpu_count"] = one_core
main()
