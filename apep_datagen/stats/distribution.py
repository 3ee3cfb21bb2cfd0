"""How numbers and texts are distributed, told by a few figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Distribution", "Spread", "most_frequent"]

_MOST_FREQUENT = 5


@dataclass(frozen=True, slots=True)
class Distribution:
    """How a number is distributed; percentiles are values that occur (nearest rank).

    Attributes:
        count: How many values there are; where there are none, all others are 0.
        mean: Their mean.
        median: Half of them are at most this.
        p05: 5 % of them are at most this.
        p95: 95 % of them are at most this.
        largest: None is larger.
    """

    count: int
    mean: float
    median: int
    p05: int
    p95: int
    largest: int

    @classmethod
    def of(cls, histogram: Mapping[int, int]) -> Distribution:
        """Return the distribution of values that occur so often."""
        count = sum(histogram.values())
        mean = sum(value * times for value, times in histogram.items()) / count if count else 0.0
        p05, median, p95, largest = (_percentile(histogram, share * count) for share in (0.05, 0.5, 0.95, 1))
        return cls(count, mean, median, p05, p95, largest)


@dataclass(frozen=True, slots=True)
class Spread:
    """Between which values a number lies; quartiles are values that occur (nearest rank).

    Attributes:
        count: How many values there are; where there are none, all others are 0.
        smallest: None is smaller.
        lower_quartile: A quarter of them are at most this.
        median: Half of them are at most this.
        upper_quartile: Three quarters of them are at most this.
        largest: None is larger.
    """

    count: int
    smallest: int
    lower_quartile: int
    median: int
    upper_quartile: int
    largest: int

    @classmethod
    def of(cls, histogram: Mapping[int, int]) -> Spread:
        """Return the spread of values that occur so often."""
        there = {value: times for value, times in histogram.items() if times}
        count = sum(there.values())
        lower, median, upper = (_percentile(there, share * count) for share in (0.25, 0.5, 0.75))
        return cls(count, min(there, default=0), lower, median, upper, max(there, default=0))


def _percentile(histogram: Mapping[int, int], rank: float) -> int:
    seen = 0
    for value in sorted(histogram):
        seen += histogram[value]
        if seen >= rank:
            return value
    return 0


def most_frequent(counts: Counter[str], most: int = _MOST_FREQUENT) -> tuple[tuple[str, int], ...]:
    """Return the most frequent texts; equally frequent ones in alphabetical order, in whatever order they came."""
    least = min((times for _, times in counts.most_common(most)), default=0)
    candidates = [(text, times) for text, times in counts.items() if times >= least]
    return tuple(sorted(candidates, key=lambda item: (-item[1], item[0]))[:most])
