"""How often what is planned repeats itself: facts from user to user, and topics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from apep_datagen.stats.distribution import most_frequent

__all__ = ["FactCounts", "Repeats"]


@dataclass(frozen=True, slots=True)
class Repeats:
    """How often planned things repeat.

    Attributes:
        count: How many there are.
        distinct: How many different ones.
        most_frequent: The most frequent ones, and how often each is there.
    """

    count: int
    distinct: int
    most_frequent: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, counts: Counter[str]) -> Repeats:
        """Make it of how often each is there."""
        return cls(sum(counts.values()), len(counts), most_frequent(counts))


@dataclass(slots=True)
class FactCounts:
    """In how many users' lives a fact has a value.

    Who tells it, is asked for it and has it forgotten is one user, and counts once. So timelines come one after the
    other, or all of them are remembered.

    Attributes:
        users: By fact and value, e.g. `dog_name: Bello`.
    """

    users: Counter[str] = field(default_factory=Counter)
    _seen: dict[int, set[str]] = field(default_factory=dict)

    def count(self, timeline: int, facts: Iterable[tuple[str, str]]) -> None:
        """Count the facts of one conversation, as slots and values; one without a value is none."""
        seen = self._seen.setdefault(timeline, set())
        for slot, value in facts:
            if value and (name := f"{slot}: {value}") not in seen:
                seen.add(name)
                self.users[name] += 1

    def end(self, timeline: int) -> None:
        """Forget what a timeline has had, which is over."""
        self._seen.pop(timeline, None)

    def repeats(self) -> Repeats:
        """Return how often they repeat."""
        return Repeats.of(self.users)
