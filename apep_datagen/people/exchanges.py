"""How many exchanges conversations have: half of them the least, the others evenly any number up to the most."""

from __future__ import annotations

import random

__all__ = ["draw_exchanges", "mean_exchanges", "shares_of_exchanges"]


def _tickets(least: int, most: int) -> tuple[int, ...]:
    """Return numbers of exchanges, each as often as it is to be drawn."""
    larger = range(least + 1, most + 1)
    return (least,) * max(1, len(larger)) + tuple(larger)


def draw_exchanges(draw: random.Random, least: int, most: int) -> int:
    """Draw how many exchanges a conversation has."""
    return draw.choice(_tickets(least, most))


def shares_of_exchanges(least: int, most: int) -> dict[int, float]:
    """Return which share of all conversations has how many exchanges, the least first."""
    tickets = _tickets(least, most)
    return {number: tickets.count(number) / len(tickets) for number in range(least, most + 1)}


def mean_exchanges(least: int, most: int) -> float:
    """Return how many exchanges a conversation has on average."""
    tickets = _tickets(least, most)
    return sum(tickets) / len(tickets)
