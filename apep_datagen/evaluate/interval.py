"""How sure a share is, and a difference of two: 95 % intervals for conversations of which some are of the same user.

Conversations of one user are not independent: they are about one memory, and what was not written down is missing
several times; tries of one question are less so still. So many conversations say as much as fewer independent ones: as
many fewer as the variance between users is larger than chance would make it (the design effect). It is estimated from
the conversations themselves, never below 1, and the interval is that of so many independent ones, with Student's t for
the number of users (Korn and Graubard 1998 for shares of clustered samples; with Wilson's interval in the place of
Clopper and Pearson's, as Dean and Pagano 2015 recommend).

What the interval covers: the share for all users that the tables can make, of the same mix of abilities, forms and
sizes of memory; not for people who live, nor for other questions.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from apep_datagen.core.intervals import Interval, Z, wilson

__all__ = ["Difference", "Interval", "Share", "difference_of", "share_of"]


@dataclass(frozen=True, slots=True)
class Share:
    """A share, with how sure it is.

    Attributes:
        value: The share, from 0 to 1; 0 where there is nothing to count.
        interval: Where the share of all users is.
    """

    value: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of two shares, with how sure it is.

    Attributes:
        value: The first less the second, from -1 to 1; 0 where there is nothing to compare.
        interval: Where the difference for all users is.
    """

    value: float
    interval: Interval

    @property
    def is_more_than_chance(self) -> bool:
        """Whether no difference is outside the interval: so it is in 1 of 20 comparisons of equals, by chance."""
        return self.interval.low > 0 or self.interval.high < 0


def share_of(outcomes: Iterable[tuple[Hashable, bool]]) -> Share:
    """Return which share of some outcomes is right (Wilson 1927, for as many as are as good as independent).

    Args:
        outcomes: Of each whose it is (its user), and whether it is right.
    """
    clusters = _clusters((user, float(is_right)) for user, is_right in outcomes)
    count = sum(map(len, clusters))
    if not count:
        return Share(0.0, Interval(0.0, 1.0))
    value = sum(map(sum, clusters)) / count
    effective, z = _as_good_as_independent(clusters, value, value * (1 - value))
    return Share(value, wilson(value, effective, z))


def difference_of(pairs: Iterable[tuple[Hashable, bool, bool]]) -> Difference:
    """Return by how much the first of two is right more often, asked the same.

    The interval is that of Bonett and Price (2012) for paired shares, for as many pairs as are as good as independent.

    Args:
        pairs: Of each question whose it is (its user), whether the first got it right, and whether the second did.
    """
    clusters = _clusters((user, float(first) - float(second)) for user, first, second in pairs)
    count = sum(map(len, clusters))
    if not count:
        return Difference(0.0, Interval(-1.0, 1.0))
    values = [value for cluster in clusters for value in cluster]
    mean = sum(values) / count
    effective, z = _as_good_as_independent(clusters, mean, sum(value**2 for value in values) / count - mean**2)
    better = (sum(value > 0 for value in values) / count * effective + 1) / (effective + 2)
    worse = (sum(value < 0 for value in values) / count * effective + 1) / (effective + 2)
    half = z * math.sqrt((better + worse - (better - worse) ** 2) / (effective + 2))
    middle = better - worse
    return Difference(mean, Interval(max(-1.0, middle - half), min(1.0, middle + half)))


def _clusters(values: Iterable[tuple[Hashable, float]]) -> list[list[float]]:
    found: defaultdict[Hashable, list[float]] = defaultdict(list)
    for user, value in values:
        found[user].append(value)
    return list(found.values())


def _as_good_as_independent(clusters: Sequence[Sequence[float]], mean: float, variance: float) -> tuple[float, float]:
    """Return how many independent values say as much, and how many standard errors there are to each side.

    Args:
        clusters: The values, by user.
        mean: Their mean.
        variance: Of one value, as if all were independent.
    """
    count, users = sum(map(len, clusters)), len(clusters)
    # As if all of a user's were one value: more alike than that nothing is. Where all values are the same, nothing
    # tells how alike they are.
    most = sum(len(cluster) ** 2 for cluster in clusters) / count
    if most == 1 or users == 1 or variance <= 0:
        return count / most, Z
    between = sum((sum(cluster) - len(cluster) * mean) ** 2 for cluster in clusters)
    effect = between * users / (users - 1) / (count * variance)
    return count / min(max(effect, 1.0), most), _t(users - 1)


def _t(freedom: int) -> float:
    """Return how many standard errors 95 % need at so many degrees of freedom (Fisher's expansion; exact below 3)."""
    if freedom <= len(_FEW):
        return _FEW[freedom - 1]
    z = Z
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )


_FEW = (12.706, 4.303)
