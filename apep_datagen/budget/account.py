"""What may be spent: the most that a request can cost is reserved before it is sent, and settled after.

One `Account` keeps to any number of limits at once: a run's (requests, tokens, dollars), or that of a month's tokens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from apep_datagen.budget.amounts import NOTHING, Amount, picodollars

__all__ = ["ENDING_LIMITS", "Account", "Limit", "run_limits"]


_MAX_REQUESTS, _MAX_TOKENS = "--max-requests", "--max-tokens"
ENDING_LIMITS = frozenset({_MAX_REQUESTS, _MAX_TOKENS})
"""The names of the limits that all providers meet at once; dollars some ask for and others do not."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The most of one thing that may be spent.

    Attributes:
        name: The option or key that sets it.
        unit: Which part of an `Amount` it limits.
        most: How much.
    """

    name: str
    unit: Literal["requests", "tokens", "picodollars"]
    most: int

    def of(self, amount: Amount) -> int:
        """Return the part of an amount that is limited."""
        value: int = getattr(amount, self.unit)
        return value


def run_limits(max_requests: int | None, max_tokens: int | None, max_usd: float | None) -> list[Limit]:
    """Return the limits of a run, over all its invocations; None is no limit."""
    limits = []
    if max_requests is not None:
        limits.append(Limit(_MAX_REQUESTS, "requests", max_requests))
    if max_tokens is not None:
        limits.append(Limit(_MAX_TOKENS, "tokens", max_tokens))
    if max_usd is not None:
        limits.append(Limit("--max-usd", "picodollars", picodollars(max_usd)))
    return limits


class Account:
    """What was spent, and what requests under way may still cost.

    As long as no request costs more than what was reserved for it, `spent` is never above a limit: a reservation is
    only made where it fits together with all others.

    Args:
        limits: What may be spent.
        spent: What was spent before.

    Attributes:
        turn: Held by who waits until a reservation fits. Who came first is served first: small requests would get past
            a large one for ever otherwise.
    """

    def __init__(self, limits: Iterable[Limit] = (), spent: Amount = NOTHING) -> None:
        self.limits = tuple(limits)
        self.spent = spent
        self.reserved = NOTHING
        self.turn = asyncio.Lock()

    async def extend(self, amount: Amount) -> None:
        """Let the limits grow, if they can, so that `amount` can be reserved."""

    def obstacle(self, amount: Amount) -> str | None:
        """Return the name of a limit that `amount` does not fit into even when all reservations are given back."""
        return self._exceeded_by(self.spent + amount)

    def try_reserve(self, amount: Amount) -> bool:
        """Reserve `amount` if it fits; tell whether it did."""
        if self._exceeded_by(self.spent + self.reserved + amount):
            return False
        self.reserved += amount
        return True

    def settle(self, reserved: Amount, spent: Amount) -> None:
        """Replace a reservation by what was spent."""
        self.reserved -= reserved
        self.spent += spent

    def may_finish(self, conversations: int, requests_each: float, *, for_free: bool) -> bool:
        """Tell whether so many conversations can probably be finished, at what requests cost so far on average.

        Args:
            conversations: How many.
            requests_each: How many requests one takes.
            for_free: Whether no dollars are asked for it.
        """
        so_far = self.spent + self.reserved
        requests = conversations * requests_each
        share = requests / so_far.requests if so_far.requests else 0.0
        needed_picodollars = 0 if for_free else round(so_far.picodollars * share)
        return self.obstacle(Amount(round(requests), round(so_far.tokens * share), needed_picodollars)) is None

    def _exceeded_by(self, amount: Amount) -> str | None:
        return next((limit.name for limit in self.limits if limit.of(amount) > limit.most), None)
