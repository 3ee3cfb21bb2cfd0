"""How the finished conversations of a run were judged, over all its invocations."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

__all__ = ["VerdictCount", "read_verdicts"]


@dataclass(frozen=True, slots=True)
class VerdictCount:
    """How many conversations were judged alike.

    Attributes:
        provider: Who made their last call.
        ability: What they were to show.
        stage: The stage that rejected them; empty where they were accepted.
        reason: Why; empty where they were accepted.
        count: How many.
    """

    provider: str
    ability: str
    stage: str
    reason: str
    count: int


def read_verdicts(connection: sqlite3.Connection) -> tuple[VerdictCount, ...]:
    """Return how the conversations of a run were judged."""
    rows = connection.execute(
        "SELECT provider, ability, stage, reason, count FROM verdicts ORDER BY provider, ability, stage, reason"
    )
    return tuple(VerdictCount(*row) for row in rows)
