"""How texts begin: a few beginnings that come again and again are what a model learns first."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from apep_datagen.stats.distribution import most_frequent

__all__ = ["Beginnings", "Openings"]

_MOST = 10


@dataclass(frozen=True, slots=True)
class Openings:
    """How often texts begin with the same words.

    Attributes:
        count: How many texts there are.
        distinct: How many different openings they have.
        entropy: The entropy of the openings in bits: 0 where all are the same, `log2(count)` where none is.
        most_frequent: The ten most frequent, and how many texts have each.
    """

    count: int
    distinct: int
    entropy: float
    most_frequent: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, counts: Counter[str]) -> Openings:
        """Make it of how many texts have each."""
        whole = sum(counts.values())
        entropy = math.fsum(times * math.log2(whole / times) for times in counts.values()) / whole if whole else 0.0
        return cls(whole, len(counts), entropy, most_frequent(counts, _MOST))

    @property
    def largest_share(self) -> float:
        """The share of the texts that have the most frequent one, from 0 to 1."""
        return self.most_frequent[0][1] / self.count if self.most_frequent else 0.0


@dataclass(frozen=True, slots=True)
class Beginnings:
    """The first word and the first two words of texts."""

    first_word: Openings
    first_pair: Openings

    @classmethod
    def of(cls, first_words: Counter[str], first_pairs: Counter[str]) -> Beginnings:
        """Make it of how many texts have each."""
        return cls(Openings.of(first_words), Openings.of(first_pairs))
