"""Where a share is that was told from a part: the interval of Wilson (1927), at 95 %."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Interval", "Z", "wilson"]

Z = 1.959964
"""How many standard errors there are to each side of what many independent ones tell."""


@dataclass(frozen=True, slots=True)
class Interval:
    """From where to where something is, in 95 of 100 cases."""

    low: float
    high: float


def wilson(value: float, count: float, z: float = Z) -> Interval:
    """Return where a share is, from 0 to 1.

    Args:
        value: The share of those that were looked at.
        count: As many independent ones as these are as good as.
        z: How many standard errors there are to each side.
    """
    centre = (value + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * math.sqrt(value * (1 - value) / count + z**2 / (4 * count**2))
    # Where all or none is right, an end of it is the share itself, but for rounding.
    low = 0.0 if value == 0 else max(0.0, centre - half)
    high = 1.0 if value == 1 else min(1.0, centre + half)
    return Interval(low, high)
