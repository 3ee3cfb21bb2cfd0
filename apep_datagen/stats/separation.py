"""How well a simple rule tells two kinds of conversations apart: pure measures, by which shortcuts are found.

The two kinds are those in which something is there and those in which it is not. A rule's balanced accuracy is the mean
of the shares of both kinds that it guesses rightly: 0.5 is chance, however many there are of each, and 1 is a perfect
shortcut.

A rule that is chosen among many by how well it does is praised for what it has memorised. So rules on words are made of
one half of the conversations and tried on the other, and the other way round: each conversation is guessed once, by a
rule that has not seen it. A threshold has one number to choose, and is told with what the best one reaches by chance.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Generic, TypeVar

__all__ = [
    "CHANCE",
    "LEAST_OF_EACH",
    "Accuracy",
    "Halves",
    "Threshold",
    "best_single_word",
    "best_threshold",
    "guessed_by_value",
    "half_of",
]

CHANCE = 0.5
LEAST_OF_EACH = 30
"""Of fewer conversations of either kind nothing is said."""

# Two samples of one distribution are further apart than this, times the square root of 1/n + 1/m, 1 time in 20
# (the asymptotic distribution of Kolmogorov's statistic; Smirnov 1948).
_DISTANCE_BY_CHANCE = 1.358

Value = TypeVar("Value", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How well a rule guesses whether it is there.

    Attributes:
        there: Conversations in which it is.
        missing: Conversations in which it is not.
        balanced: The balanced accuracy, from 0 to 1.
    """

    there: int
    missing: int
    balanced: float

    @property
    def is_known(self) -> bool:
        """Whether there are enough conversations of both kinds to say so."""
        return min(self.there, self.missing) >= LEAST_OF_EACH


@dataclass(frozen=True, slots=True)
class Threshold:
    """The best of all rules that compare a number with a threshold (a decision stump).

    Attributes:
        accuracy: How well it guesses.
        at_least: The threshold; 0 where none is better than chance.
        there_from: Whether it guesses "there" from the threshold on; else below it.
    """

    accuracy: Accuracy
    at_least: int
    there_from: bool

    @property
    def distance(self) -> float:
        """The Kolmogorov-Smirnov distance of the two distributions, from 0 to 1.

        It is the largest difference of the shares up to a number, so the best threshold is where it is, and guesses
        rightly by half of it more than by chance.
        """
        return 2 * (self.accuracy.balanced - CHANCE)

    @property
    def by_chance(self) -> float:
        """The balanced accuracy that the best threshold exceeds 1 time in 20 where both kinds are alike."""
        there, missing = self.accuracy.there, self.accuracy.missing
        if not there or not missing:
            return 1.0
        return min(1.0, CHANCE + _DISTANCE_BY_CHANCE * math.sqrt(1 / there + 1 / missing) / 2)


def best_threshold(there: Mapping[int, int], missing: Mapping[int, int]) -> Threshold:
    """Return the best of all thresholds in both directions.

    Args:
        there: How often each number occurs where it is there.
        missing: How often where it is not.
    """
    whole_there, whole_missing = sum(there.values()), sum(missing.values())
    best, at_least = 0.0, 0
    if whole_there and whole_missing:
        seen_there = seen_missing = 0
        for number in sorted({*there, *missing}):
            # The shares below `number`.
            difference = seen_missing / whole_missing - seen_there / whole_there
            if abs(difference) > abs(best):
                best, at_least = difference, number
            seen_there += there.get(number, 0)
            seen_missing += missing.get(number, 0)
    return Threshold(Accuracy(whole_there, whole_missing, CHANCE + abs(best) / 2), at_least, best >= 0)


def half_of(number: int) -> int:
    """Return the half, 0 or 1, in which the conversation with this number is."""
    return blake2b(str(number).encode(), digest_size=1).digest()[0] & 1


@dataclass(slots=True)
class Halves(Generic[Value]):
    """What was seen in the conversations of one kind, by half.

    Attributes:
        sizes: How many conversations each half has.
        counts: In how many of them each value was seen.
    """

    sizes: list[int] = field(default_factory=lambda: [0, 0])
    counts: tuple[Counter[Value], Counter[Value]] = field(default_factory=lambda: (Counter(), Counter()))

    def count(self, number: int, values: Iterable[Value]) -> None:
        """Count the conversation with this number, and what was seen in it: each value once."""
        half = half_of(number)
        self.sizes[half] += 1
        self.counts[half].update(values)

    def add(self, other: Halves[Value]) -> None:
        """Count what another one has counted."""
        for half in (0, 1):
            self.sizes[half] += other.sizes[half]
            self.counts[half].update(other.counts[half])

    def share(self, half: int, value: Value) -> float:
        """Return in which share of the half's conversations a value was seen."""
        return self.counts[half][value] / self.sizes[half] if self.sizes[half] else 0.0


def guessed_by_value(there: Halves[Value], missing: Halves[Value]) -> Accuracy:
    """Tell how well a value that each conversation has, such as its first word, tells whether it is there.

    For each value it is guessed what was more frequent with it in the other half; for one that is new, nothing, which
    counts as half a right guess.
    """
    right_there = right_missing = 0.0
    for half in (0, 1):
        for value in {*there.counts[half], *missing.counts[half]}:
            learned = there.share(1 - half, value) - missing.share(1 - half, value)
            says_there = (learned > 0) + CHANCE * (learned == 0)
            right_there += says_there * there.counts[half][value]
            right_missing += (1 - says_there) * missing.counts[half][value]
    return _accuracy(there, missing, right_there, right_missing)


def best_single_word(there: Halves[str], missing: Halves[str]) -> tuple[Accuracy, str]:
    """Tell how well the best single word, by being there or not, tells whether the answer is.

    Returns:
        How well the best word of each half guesses the other half, and the word that is best in both halves together.
    """
    right_there = right_missing = 0.0
    for half in (0, 1):
        word, learned = _best_word(there, missing, (1 - half,))
        in_there, in_missing = there.counts[half][word], missing.counts[half][word]
        without_there, without_missing = there.sizes[half] - in_there, missing.sizes[half] - in_missing
        if not learned:
            right_there += CHANCE * there.sizes[half]
            right_missing += CHANCE * missing.sizes[half]
        else:
            right_there += in_there if learned > 0 else without_there
            right_missing += without_missing if learned > 0 else in_missing
    return _accuracy(there, missing, right_there, right_missing), _best_word(there, missing, (0, 1))[0]


def _best_word(there: Halves[str], missing: Halves[str], halves: tuple[int, ...]) -> tuple[str, float]:
    """Return the word whose share differs most, and by how much there are more with it where it is there."""
    words = sorted({word for half in halves for kind in (there, missing) for word in kind.counts[half]})

    def difference(word: str) -> float:
        of_there, of_missing = (
            sum(kind.counts[half][word] for half in halves) / max(1, sum(kind.sizes[half] for half in halves))
            for kind in (there, missing)
        )
        return of_there - of_missing

    best = max(words, key=lambda word: abs(difference(word)), default="")
    return best, difference(best)


def _accuracy(there: Halves[Value], missing: Halves[Value], right_there: float, right_missing: float) -> Accuracy:
    whole_there, whole_missing = sum(there.sizes), sum(missing.sizes)
    if not whole_there or not whole_missing:
        return Accuracy(whole_there, whole_missing, CHANCE)
    return Accuracy(whole_there, whole_missing, (right_there / whole_there + right_missing / whole_missing) / 2)
