"""Paying for requests: what every budget must permit before a request is sent, and what is booked when it is over.

    reserve (budgets of the run, tokens of the month, a row in the state database) → send → settle

The row is committed before the request goes out, so that a crash cannot make it forgotten.
"""

from __future__ import annotations

import asyncio
import functools
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from apep_datagen.budget.account import Account, Amount, Price, worst_case
from apep_datagen.budget.ledger import Ledger, this_month
from apep_datagen.core.errors import FailureKind
from apep_datagen.core.messages import CompletionRequest, Usage
from apep_datagen.storage.database import StateDatabase
from apep_datagen.storage.spending import Charge, reserve, settle

__all__ = ["MONTH", "Allowance", "BudgetSpentError", "OverError", "Purse", "Reservation", "Treasury"]

MONTH = "tokens_per_month"
Job = Callable[[sqlite3.Connection], None]


class BudgetSpentError(Exception):
    """A request does not fit into what is left of a budget, whatever the requests under way will cost.

    Args:
        budget: The option or key that sets it.
    """

    def __init__(self, budget: str) -> None:
        super().__init__(budget)
        self.budget = budget


class OverError(Exception):
    """Nothing is to be sent any more."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """The right to send one request.

    Attributes:
        number: Of the row in the state database.
        month: Which month's tokens it takes.
        usage: The most that it can cost, in tokens.
        amount: The same, as budgets count it.
    """

    number: int
    month: str
    usage: Usage
    amount: Amount


class Treasury:
    """What all providers of a run spend from.

    Args:
        account: The run's budgets.
        state: Where reservations are recorded.
    """

    def __init__(self, account: Account, state: StateDatabase) -> None:
        self.account = account
        self.state = state
        # Who came first is served first: small requests would get past a large one for ever otherwise.
        self.turn = asyncio.Lock()
        self._settled = asyncio.Event()

    async def wait_for_settlement(self) -> None:
        """Wait until some reservation is settled."""
        await self._settled.wait()

    def note_settlement(self) -> None:
        """Let everybody who waits look again."""
        self._settled.set()
        self._settled = asyncio.Event()


class Allowance:
    """The tokens that one provider may use in a month, over all runs.

    Args:
        ledger: Where they are booked.
        provider: Whose tokens.
        limit: `tokens_per_month`.
        spent: What this run spent so far, by month.
    """

    def __init__(self, ledger: Ledger, provider: str, limit: int, spent: Mapping[str, int]) -> None:
        self._ledger = ledger
        self._provider = provider
        self._limit = limit
        self._used = Counter(spent)
        self._reserved: Counter[str] = Counter()
        self._granted: Counter[str] = Counter()

    async def try_reserve(self, month: str, tokens: int) -> bool:
        """Reserve tokens if they fit; tell whether they did.

        Raises:
            BudgetSpentError: They do not fit, whatever the requests under way will cost.
            StorageError: The ledger cannot be used.
        """
        if self._needed(month, tokens) > self._granted[month]:
            self._granted[month] = await asyncio.to_thread(
                self._ledger.grant, month, self._provider, self._needed(month, tokens), self._limit
            )
        if self._used[month] + tokens > self._granted[month]:
            raise BudgetSpentError(MONTH)
        if self._needed(month, tokens) > self._granted[month]:
            return False
        self._reserved[month] += tokens
        return True

    def _needed(self, month: str, tokens: int) -> int:
        return self._used[month] + self._reserved[month] + tokens

    def settle(self, month: str, reserved: int, spent: int) -> None:
        """Replace a reservation by what was spent."""
        self._reserved[month] -= reserved
        self._used[month] += spent


class Purse:
    """What one provider pays from.

    Args:
        provider: The provider's name.
        prices: By model; a model without one is free.
        treasury: What all providers spend from.
        allowance: The provider's tokens of the month, or None for no limit.
        is_over: Tells whether nothing is to be sent any more.
    """

    def __init__(
        self,
        provider: str,
        prices: Mapping[str, Price],
        treasury: Treasury,
        allowance: Allowance | None,
        is_over: Callable[[], bool],
    ) -> None:
        self._is_over = is_over
        self._provider = provider
        self._prices = prices
        self._treasury = treasury
        self._allowance = allowance
        self._turn = asyncio.Lock()

    async def reserve(self, request: CompletionRequest) -> Reservation:
        """Wait until the most that a request can cost fits into all budgets, and record that it is about to be sent.

        Raises:
            BudgetSpentError: It does not fit, whatever the requests under way will cost.
            OverError: Nothing is to be sent any more.
            StorageError: It could not be recorded.
        """
        usage = worst_case(request)
        price = self._prices.get(request.model)
        amount = Amount(1, usage.total_tokens, price.of(usage) if price else 0)
        month = this_month()
        treasury = self._treasury
        if allowance := self._allowance:
            await self._when_it_fits(self._turn, lambda: allowance.try_reserve(month, amount.tokens))
        try:
            await self._when_it_fits(treasury.turn, lambda: self._reserve_in_account(amount))
            try:
                charge = Charge(month, self._provider, request.model, request.step.model_role)
                number = await treasury.state.run(lambda connection: reserve(connection, charge, usage))
            except BaseException:
                treasury.account.settle(amount, Amount())
                raise
        except BaseException:
            if allowance:
                allowance.settle(month, amount.tokens, 0)
            raise
        return Reservation(number, month, usage, amount)

    def settle(
        self,
        reservation: Reservation,
        usage: Usage | None,
        *,
        model: str,
        requests: int = 1,
        answers: int = 0,
        seconds: float = 0.0,
        failure: FailureKind | None = None,
    ) -> Job:
        """Book what a request cost; return the job that records it.

        Args:
            reservation: What `reserve` returned.
            usage: What it cost; None where nobody knows: it counts as the most that it can have cost.
            model: The model that was asked.
            requests: 1, or 0 for a request that was never sent.
            answers: 1 for an answer that is used, else 0.
            seconds: How long the answer took.
            failure: What went wrong, if something did.
        """
        spent = reservation.usage if usage is None else usage
        price = self._prices.get(model)
        amount = Amount(requests, spent.total_tokens, price.of(spent) if price else 0)
        self._treasury.account.settle(reservation.amount, amount)
        if self._allowance:
            self._allowance.settle(reservation.month, reservation.amount.tokens, amount.tokens)
        self._treasury.note_settlement()
        return functools.partial(
            settle,
            reservation=reservation.number,
            usage=spent,
            requests=requests,
            answers=answers,
            seconds=seconds,
            failure=failure,
        )

    async def _reserve_in_account(self, amount: Amount) -> bool:
        account = self._treasury.account
        if obstacle := account.obstacle(amount):
            raise BudgetSpentError(obstacle)
        return account.try_reserve(amount)

    async def _when_it_fits(self, turn: asyncio.Lock, try_reserve: Callable[[], Awaitable[bool]]) -> None:
        async with turn:
            while self._is_over() or not await try_reserve():
                if self._is_over():
                    raise OverError
                await self._treasury.wait_for_settlement()
