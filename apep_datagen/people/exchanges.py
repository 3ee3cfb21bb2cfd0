"""How many exchanges conversations have: half of them the least, the others evenly any number up to the most."""

from __future__ import annotations

import random

__all__ = ["draw_exchanges", "mean_exchanges", "shares_of_exchanges"]

_SHARE_OF_LEAST = 0.5


def shares_of_exchanges(least: int, most: int) -> dict[int, float]:
    """Return which share of all conversations has how many exchanges; `least` and `most` are possible."""
    if least == most:
        return {least: 1.0}
    each = (1 - _SHARE_OF_LEAST) / (most - least)
    return {least: _SHARE_OF_LEAST} | dict.fromkeys(range(least + 1, most + 1), each)


def draw_exchanges(draw: random.Random, least: int, most: int) -> int:
    """Draw how many exchanges a conversation has."""
    shares = shares_of_exchanges(least, most)
    return draw.choices(list(shares), weights=list(shares.values()))[0]


def mean_exchanges(least: int, most: int) -> float:
    """Return how many exchanges a conversation has on average."""
    return sum(number * share for number, share in shares_of_exchanges(least, most).items())
