"""A provider of whose conversations too few are accepted is found out early."""

from __future__ import annotations

from collections import Counter, deque

from apep_datagen.people.scenario import Ability

__all__ = ["RecentYield"]

# So many conversations tell a yield of 0.25 from one of 0.5 nearly always.
_LEAST_ENDED = 24
_MOST_ENDED = 60
_SHOWN_REASONS = 3


class RecentYield:
    """What became of the last conversations of a provider in this invocation."""

    def __init__(self) -> None:
        self._ended: deque[tuple[Ability, str | None]] = deque(maxlen=_MOST_ENDED)

    def count(self, ability: Ability, why: str | None) -> None:
        """Take note of a conversation that has ended; `why` says why it was rejected or set aside, or None."""
        self._ended.append((ability, why))

    def complaint(self, least: float) -> str | None:
        """Say what is wrong, if a smaller share than `least` was accepted and there were enough to know; else None."""
        ended = len(self._ended)
        accepted = sum(why is None for _, why in self._ended)
        if ended < _LEAST_ENDED or accepted >= least * ended:
            return None
        reasons = Counter(f"{ability.value}: {why}" for ability, why in self._ended if why)
        often = "; ".join(f"{count} times {reason}" for reason, count in reasons.most_common(_SHOWN_REASONS))
        return (
            f"only {accepted} of its last {ended} conversations were accepted, least_yield in [quality] is {least:g}."
            f" Most often {often}. Use a better model, --quality form, or set the share of an ability that it cannot"
            " show to 0 in [scenarios.mix]"
        )
