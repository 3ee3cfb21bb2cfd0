"""What became of the last conversations of each ability, and which abilities are held back because of it.

All of it is a function of how conversations ended, as the state database knows it: no clock, no chance, nothing that a
restart would forget.
"""

from __future__ import annotations

import bisect
import functools
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from apep_datagen.people.scenario import Ability

__all__ = ["MOST_VERDICTS", "AbilityYield", "Reason", "Verdict", "held_back"]

MOST_VERDICTS = 60
"""So many of an ability's conversations, the latest, say what it yields now."""
# A yield is known to be low where one that is good would come to so little by chance this seldom.
_CHANCE = 0.01
# So many of the latest show that an ability is good again, whatever was before.
_LATEST = 12


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a conversation.

    Attributes:
        number: The conversation's.
        stage: The stage that rejected it, or that it was set aside; empty where it was accepted.
        reason: Why it was rejected, else empty.
    """

    number: int
    stage: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why conversations were not accepted.

    Attributes:
        stage: As of a verdict.
        reason: As of a verdict.
        count: How often.
        example: The number of the latest of them.
    """

    stage: str
    reason: str
    count: int
    example: int

    def __str__(self) -> str:
        return f"{self.reason} ({self.stage})" if self.reason else self.stage


@dataclass(frozen=True, slots=True)
class AbilityYield:
    """What became of the last conversations of an ability.

    Attributes:
        ability: Which one.
        verdicts: One each, by their numbers, `MOST_VERDICTS` at most.
    """

    ability: Ability
    verdicts: tuple[Verdict, ...] = ()

    def with_verdict(self, verdict: Verdict) -> AbilityYield:
        """Return the same with one more; the one with the lowest number goes where they are too many."""
        verdicts = list(self.verdicts)
        bisect.insort(verdicts, verdict, key=lambda item: item.number)
        return AbilityYield(self.ability, tuple(verdicts[-MOST_VERDICTS:]))

    @property
    def ended(self) -> int:
        """How many they are."""
        return len(self.verdicts)

    @property
    def accepted(self) -> int:
        """How many of them were accepted."""
        return _accepted(self.verdicts)

    @property
    def reasons(self) -> list[Reason]:
        """Why the others were not, the most frequent reason first; of equal ones the latest."""
        counts = Counter((item.stage, item.reason) for item in self.verdicts if item.stage)
        latest = {(item.stage, item.reason): item.number for item in self.verdicts}
        reasons = [Reason(*why, count, latest[why]) for why, count in counts.items()]
        return sorted(reasons, key=lambda reason: (-reason.count, -reason.example))

    def is_low(self, least: float) -> bool:
        """Tell whether a smaller share than `least` is accepted, there are enough to know, and it is so still."""
        if self.accepted >= least * self.ended:
            return False
        good = math.sqrt(least)
        latest = self.verdicts[-_LATEST:]
        if _accepted(latest) >= good * _LATEST:
            return False
        return _chance_of_so_few(self.accepted, self.ended, good) < _CHANCE

    def is_good(self, least: float) -> bool:
        """Tell whether so much is accepted that it is no matter of chance whether it is low."""
        return self.accepted >= math.sqrt(least) * self.ended


def held_back(yields: Iterable[AbilityYield], mix: Mapping[Ability, float], least: float) -> frozenset[Ability]:
    """Return the abilities of which no more is to be sent than their share: those whose yield is low.

    Where that is all that is wished for, none is: what to do then is a question of the provider.

    Args:
        yields: Of the abilities.
        mix: The wished shares.
        least: The least share that is to be accepted of an ability's conversations.
    """
    wished = {ability for ability, share in mix.items() if share > 0}
    low = frozenset(item.ability for item in yields if item.ability in wished and item.is_low(least))
    return frozenset() if low == wished else low


def _accepted(verdicts: Iterable[Verdict]) -> int:
    return sum(not item.stage for item in verdicts)


@functools.lru_cache(maxsize=2 * MOST_VERDICTS)
def _chance_of_so_few(accepted: int, ended: int, good: float) -> float:
    """Return how probable it is that no more than so many are accepted, each with the probability `good`."""
    return sum(math.comb(ended, count) * good**count * (1 - good) ** (ended - count) for count in range(accepted + 1))
