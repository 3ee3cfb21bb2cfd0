"""What a run is shown by; `terminal.progress` has views of three kinds."""

from __future__ import annotations

import contextlib
from typing import Protocol

from apep_datagen.engine.counters import RunCounters

__all__ = ["View"]


class View(Protocol):
    """Shows a run to a person; decides nothing."""

    def notify(self, message: str) -> None:
        """Show a sentence."""

    def showing(self, counters: RunCounters) -> contextlib.AbstractContextManager[None]:
        """Show the counters, as they change, inside the context."""
