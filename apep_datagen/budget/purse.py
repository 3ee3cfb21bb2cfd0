"""Paying for requests: what every budget must permit before a request is sent, and what is booked when it is over.

    reserve (in the account of the month and in the run's, and as a row in the state database) → send → settle

The row is committed before the request goes out, so that a crash cannot make it forgotten.
"""

from __future__ import annotations

import asyncio
import functools
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from apep_datagen.budget.account import Account
from apep_datagen.budget.amounts import NOTHING, Amount, Price, worst_case
from apep_datagen.budget.ledger import this_month
from apep_datagen.budget.obstacles import BudgetSpentError, NotNowError
from apep_datagen.core.errors import FailureKind
from apep_datagen.core.messages import CompletionRequest, Usage
from apep_datagen.storage.database import StateDatabase
from apep_datagen.storage.spending import record_reservation, record_settlement

__all__ = ["Purse", "Reservation", "Treasury"]

Job = Callable[[sqlite3.Connection], None]


@dataclass(frozen=True, slots=True)
class Reservation:
    """The right to send one request.

    Attributes:
        number: Of the row in the state database.
        model: The model that will be asked.
        usage: The most that it can cost, in tokens.
        amount: The same, as accounts count it.
        accounts: Where it is reserved.
    """

    number: int
    model: str
    usage: Usage
    amount: Amount
    accounts: tuple[Account, ...]


class Treasury:
    """What all providers of a run spend from.

    Args:
        account: The run's budgets.
        state: Where reservations are recorded.
    """

    def __init__(self, account: Account, state: StateDatabase) -> None:
        self.account = account
        self.state = state
        self._settled = asyncio.Event()

    async def wait_for_settlement(self) -> None:
        """Wait until some reservation is settled."""
        await self._settled.wait()

    def note_settlement(self) -> None:
        """Let everybody who waits look again."""
        self._settled.set()
        self._settled = asyncio.Event()


class Purse:
    """What one provider pays from.

    Args:
        provider: The provider's name.
        prices: By model; a model without one is free.
        treasury: What all providers spend from.
        open_month: Opens the account of the provider's tokens of a month, e.g. of `2026-01`; None for no limit.
        is_over: Tells whether nothing is to be sent any more.
    """

    def __init__(
        self,
        provider: str,
        prices: Mapping[str, Price],
        treasury: Treasury,
        open_month: Callable[[str], Account] | None,
        is_over: Callable[[], bool],
    ) -> None:
        self._provider = provider
        self._prices = prices
        self._treasury = treasury
        self._account_of_month = functools.cache(open_month) if open_month else None
        self._is_over = is_over

    def amount(self, model: str, usage: Usage, requests: int = 1) -> Amount:
        """Return what requests to a model amount to."""
        return Amount.of(requests, usage, self._prices.get(model))

    def has_price(self, model: str) -> bool:
        """Tell whether anybody knows what a model costs."""
        return model in self._prices

    async def reserve(self, request: CompletionRequest) -> Reservation:
        """Wait until the most that a request can cost fits into all budgets, and record that it is about to be sent.

        Raises:
            BudgetSpentError: It does not fit, whatever the requests under way will cost.
            NotNowError: Nothing is to be sent any more.
            StorageError: It could not be recorded.
        """
        usage, month = worst_case(request), this_month()
        amount = self.amount(request.model, usage)
        accounts = [self._account_of_month(month)] if self._account_of_month else []
        accounts.append(self._treasury.account)
        reserved: list[Account] = []
        try:
            for account in accounts:
                await self._reserve_in(account, amount)
                reserved.append(account)
            number = await self._treasury.state.run(
                functools.partial(
                    record_reservation,
                    month=month,
                    provider=self._provider,
                    model=request.model,
                    role=request.step.model_role,
                    most=usage,
                )
            )
        except BaseException:
            for account in reserved:
                account.settle(amount, NOTHING)
            self._treasury.note_settlement()
            raise
        return Reservation(number, request.model, usage, amount, tuple(accounts))

    def settle(
        self,
        reservation: Reservation,
        usage: Usage | None,
        *,
        requests: int = 1,
        answers: int = 0,
        seconds: float = 0.0,
        failure: FailureKind | None = None,
    ) -> Job:
        """Book what a request cost; return the job that records it.

        Args:
            reservation: What `reserve` returned.
            usage: What it cost; None where nobody knows: it counts as the most that it can have cost.
            requests: 1, or 0 for a request that was never sent.
            answers: 1 for an answer that is used, else 0.
            seconds: How long the answer took.
            failure: What went wrong, if something did.
        """
        spent = reservation.usage if usage is None else usage
        amount = self.amount(reservation.model, spent, requests)
        for account in reservation.accounts:
            account.settle(reservation.amount, amount)
        self._treasury.note_settlement()
        return functools.partial(
            record_settlement,
            reservation=reservation.number,
            usage=spent,
            requests=requests,
            answers=answers,
            seconds=seconds,
            failure=failure,
        )

    async def _reserve_in(self, account: Account, amount: Amount) -> None:
        async with account.turn:
            while self._is_over() or not await self._try_reserve(account, amount):
                if self._is_over():
                    raise NotNowError
                await self._treasury.wait_for_settlement()

    async def _try_reserve(self, account: Account, amount: Amount) -> bool:
        await account.extend(amount)
        if limit := account.obstacle(amount):
            raise BudgetSpentError(limit)
        return account.try_reserve(amount)
