"""The tokens that one provider may use in a month, over all runs."""

from __future__ import annotations

import functools

from apep_datagen.budget.account import Account, Limit
from apep_datagen.budget.amounts import Amount
from apep_datagen.budget.ledger import Ledger

__all__ = ["MONTH_LIMIT", "MonthAccount"]

MONTH_LIMIT = "tokens_per_month"
"""The key that sets the limit."""


class MonthAccount(Account):
    """What this run may spend of a month's tokens: what the ledger grants, a portion at a time.

    Args:
        ledger: Where the tokens of all runs are booked.
        provider: Whose tokens.
        month: Which month, as `2026-01`.
        most: How many tokens all runs together may use in it.
        spent: How many this run has used so far.
    """

    def __init__(self, ledger: Ledger, provider: str, month: str, *, most: int, spent: int) -> None:
        super().__init__([Limit(MONTH_LIMIT, "tokens", 0)], Amount(tokens=spent))
        self._ledger = ledger
        self._provider = provider
        self._month = month
        self._most = most

    async def extend(self, amount: Amount) -> None:
        """Have the ledger grant what is needed, if that is more than it has granted; wait while it is locked.

        Raises:
            StorageError: The ledger cannot be used.
        """
        needed = (self.spent + self.reserved + amount).tokens
        if needed > self.limits[0].most:
            grant = functools.partial(self._ledger.grant, self._month, self._provider, needed, self._most)
            granted = await self._ledger.when_free(grant)
            self.limits = (Limit(MONTH_LIMIT, "tokens", granted),)
