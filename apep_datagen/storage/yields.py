"""How many of the finished conversations are accepted: over the whole run, and lately at one provider."""

from __future__ import annotations

import sqlite3
from collections import Counter, deque
from dataclasses import dataclass

from apep_datagen.people.scenario import Ability
from apep_datagen.quality.problem import Problem

__all__ = ["RecentYield", "VerdictCount", "read_verdicts"]

# So many judged conversations tell a yield of 0.25 from one of 0.5 nearly always.
_LEAST_JUDGED = 24
_MOST_JUDGED = 60
_SHOWN_REASONS = 3


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


class RecentYield:
    """What became of the last conversations of a provider in this invocation."""

    def __init__(self) -> None:
        self._judged: deque[tuple[Ability, Problem | None]] = deque(maxlen=_MOST_JUDGED)

    def count(self, ability: Ability, problem: Problem | None) -> None:
        """Take note of a conversation that was judged; `problem` is why it was rejected, or None."""
        self._judged.append((ability, problem))

    def complaint(self, least: float) -> str | None:
        """Say what is wrong, if a smaller share than `least` was accepted and enough were judged to know; else None."""
        judged = len(self._judged)
        accepted = sum(problem is None for _, problem in self._judged)
        if judged < _LEAST_JUDGED or accepted >= least * judged:
            return None
        reasons = Counter(
            f"{ability.value}: {problem.reason} ({problem.stage.value})" for ability, problem in self._judged if problem
        )
        often = "; ".join(f"{count} times {reason}" for reason, count in reasons.most_common(_SHOWN_REASONS))
        return (
            f"only {accepted} of its last {judged} conversations were accepted, least_yield in [quality] is {least:g}."
            f" Most often {often}. Use a better model, --quality form, or set the share of an ability that it cannot"
            " show to 0 in [scenarios.mix]"
        )
