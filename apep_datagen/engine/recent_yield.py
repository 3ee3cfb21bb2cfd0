"""A provider of whose conversations too few are accepted is found out early."""

from __future__ import annotations

from collections import Counter, deque

from apep_datagen.people.scenario import Ability
from apep_datagen.quality.problem import Problem

__all__ = ["RecentYield"]

# So many judged conversations tell a yield of 0.25 from one of 0.5 nearly always.
_LEAST_JUDGED = 24
_MOST_JUDGED = 60
_SHOWN_REASONS = 3


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
