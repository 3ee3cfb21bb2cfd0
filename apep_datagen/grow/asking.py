"""Asking providers one after the other: what one answer may cost is reserved, its turn is waited for, and it is booked.

    reservation → permit → request → cost

It is as in a run, with the same accounts, paces and ledger, but one request at a time and without a state database:
what a killed process had reserved of a month's tokens stays booked.
"""

from __future__ import annotations

import asyncio
import functools
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from apep_datagen.budget.account import Account
from apep_datagen.budget.amounts import NOTHING, Amount, worst_case
from apep_datagen.budget.ledger import Ledger, this_month
from apep_datagen.budget.month import MonthAccount
from apep_datagen.budget.prices import Prices
from apep_datagen.config.settings import Settings
from apep_datagen.core.errors import (
    BudgetReachedError,
    FailureKind,
    ProviderError,
    RateLimitedError,
    RetryableError,
    StorageError,
    TransientError,
    UnusableAnswerError,
)
from apep_datagen.core.messages import Completion, CompletionRequest, Message, ModelRole, Step, Usage
from apep_datagen.pacing.pacer import Pacer
from apep_datagen.providers.base import Provider
from apep_datagen.providers.factory import create_provider

__all__ = ["Asker", "Books"]

# Four kinds of fact are some 3,000 tokens long.
_LEAST_TOKENS = 4000
# Failures in a row, of which each is waited for twice as long as for the one before.
_MOST_FAILURES = 5
_FIRST_BACKOFF_SECONDS, _LONGEST_BACKOFF_SECONDS = 1.0, 30.0
# So many refusals for the rate in a row, each waited for, and it is no matter of pace any more.
_MOST_REFUSALS = 10


class Books:
    """What an invocation spends, and the ledger that all runs share.

    Attributes:
        account: What it may spend, and has spent.
        is_priced: Whether it is known what that is in dollars.

    Args:
        account: What it may spend.
        ledger: The file of the ledger.
        grown: The file that grows, under whose name and an own mark the tokens are booked.
        notify: Is told, in a sentence, where another program's lock is waited for.
    """

    def __init__(self, account: Account, ledger: Path, grown: Path, notify: Callable[[str], None]) -> None:
        self.account = account
        self.is_priced = True
        # What one invocation is booked with replaces nothing of another's.
        mark = f"{grown.name} {time.strftime('%Y-%m-%dT%H-%M-%S')} {os.getpid()}"
        self._ledger = Ledger(ledger, grown.with_name(mark), notify)
        self._tokens: Counter[tuple[str, str]] = Counter()
        self._has_limit = False

    def open_month(self, provider: str, most: int, month: str) -> MonthAccount:
        """Open the account of a provider's tokens of a month."""
        self._has_limit = True
        return MonthAccount(self._ledger, provider, month, most=most, spent=self._tokens[month, provider])

    def book(self, provider: str, month: str, tokens: int, *, is_priced: bool) -> None:
        """Take note of what a request cost, and whether it is known what that is in dollars."""
        self._tokens[month, provider] += tokens
        self.is_priced = self.is_priced and (is_priced or not tokens)

    async def close(self) -> None:
        """Book in the ledger what was really spent.

        Raises:
            StorageError: It cannot be written, and a provider has a limit that it keeps.
        """
        if not self._tokens:
            return
        self._ledger.hurry()
        try:
            await self._ledger.when_free(functools.partial(self._ledger.book, dict(self._tokens)))
        except StorageError:
            # Where no provider has a limit, the ledger is kept for one that may be set later.
            if self._has_limit:
                raise


class Asker:
    """Asks one provider, with Ada's model, which is the most capable where roles have models of their own.

    Args:
        name: Its name.
        settings: The configuration.
        key: Its API key, or None.
        books: What is spent from.
        notify: Is told, in a sentence, what is waited for.
    """

    def __init__(
        self, name: str, settings: Settings, key: str | None, books: Books, notify: Callable[[str], None]
    ) -> None:
        section, role = settings.providers[name], settings.roles.ada
        self.name = name
        self._model = section.model_for(ModelRole.ADA)
        self._temperature, self._max_tokens = role.temperature, max(role.max_tokens, _LEAST_TOKENS)
        self._price = Prices(settings.quote).of(name, self._model)
        self._books = books
        self._notify = notify
        self._pacer = Pacer(
            requests_per_second=section.requests_per_second, tokens_per_minute=section.tokens_per_minute
        )
        self._provider: Provider = create_provider(section, key, self._pacer.learn)
        most = section.tokens_per_month
        self._month = None if most is None else functools.cache(functools.partial(books.open_month, name, most))

    async def start(self) -> None:
        """Start the adapter.

        Raises:
            ProviderError: It cannot be used.
        """
        await self._provider.start()

    async def close(self) -> None:
        """Free what `start` took."""
        await self._provider.close()

    async def ask(self, messages: tuple[Message, ...], seed: int) -> str:
        """Send a prompt until it is answered; return the answer.

        Args:
            messages: The prompt.
            seed: For providers that can sample reproducibly.

        Raises:
            BudgetReachedError: A budget does not permit it.
            ProviderError: Asking again does not help, or has not helped often enough.
            StorageError: The ledger cannot be used.
        """
        request = CompletionRequest(
            step=Step.ANSWER,
            messages=messages,
            model=self._model,
            temperature=self._temperature,
            max_tokens=self._max_tokens,
            seed=seed,
        )
        failures = refusals = 0
        while True:
            try:
                return (await self._send(request)).text
            except RateLimitedError:
                refusals += 1
                if refusals >= _MOST_REFUSALS:
                    raise
                self._notify(f"{self.name}: it refuses for the rate; asking again when it may be asked")
            except RetryableError as error:
                failures += 1
                if isinstance(error, UnusableAnswerError) or failures >= _MOST_FAILURES:
                    raise
                self._notify(f"{self.name}: {error.kind.value}, asking again: {error}")
                await asyncio.sleep(min(_LONGEST_BACKOFF_SECONDS, _FIRST_BACKOFF_SECONDS * 2.0 ** (failures - 1)))

    async def _send(self, request: CompletionRequest) -> Completion:
        most, month = worst_case(request), this_month()
        amount = Amount.of(1, most, self._price)
        accounts = [self._month(month)] if self._month else []
        for account in [*accounts, self._books.account]:
            await account.extend(amount)
            if limit := account.obstacle(amount):
                raise BudgetReachedError(
                    f"{self.name}: one more request could exceed {limit}, so nothing more is asked; with a larger one,"
                    " the same command adds more"
                )
        permit = await self._pacer.acquire()
        # Who is stopped while an answer is under way has paid for it, for all that is known.
        spent, requests = most, 1
        tokens: int | None = None
        try:
            completion = await self._provider.complete(request)
            self._pacer.accepted(permit)
        except ProviderError as error:
            if not error.may_be_billed:
                spent, tokens = Usage(), 0
            if error.kind in (FailureKind.NOT_REACHED, FailureKind.NOT_SENT):
                requests = 0
            if isinstance(error, RateLimitedError):
                self._pacer.rate_limited(permit, error.retry_after)
            elif isinstance(error, TransientError) and error.retry_after:
                self._pacer.pause(error.retry_after)
            raise
        else:
            spent = completion.usage if completion.usage.total_tokens else most
            tokens = spent.total_tokens
            return completion
        finally:
            self._pacer.release(permit, tokens)
            for account in [*accounts, self._books.account]:
                account.settle(NOTHING, Amount.of(requests, spent, self._price))
            self._books.book(self.name, month, spent.total_tokens, is_priced=self._price is not None)
