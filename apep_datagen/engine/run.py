"""One invocation: open the state, resume what was begun, let the providers work, and close the books."""

from __future__ import annotations

import contextlib
import functools
import gc
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from apep_datagen.budget.account import Account
from apep_datagen.budget.amounts import Price
from apep_datagen.budget.ledger import Ledger
from apep_datagen.budget.month import MonthAccount
from apep_datagen.budget.prices import Prices
from apep_datagen.budget.purse import Treasury
from apep_datagen.config.invocation import Invocation
from apep_datagen.config.provider_settings import ProviderKind
from apep_datagen.core.errors import ProviderError, StorageError
from apep_datagen.core.messages import ModelRole
from apep_datagen.engine.availability import Availability
from apep_datagen.engine.commit import Rules
from apep_datagen.engine.context import RunContext
from apep_datagen.engine.counters import RunCounters
from apep_datagen.engine.event_log import EventLog
from apep_datagen.engine.open_files import fit_open_files
from apep_datagen.engine.outcome import Outcome, why_nothing_is_sent
from apep_datagen.engine.purpose import Purpose, making_a_dataset
from apep_datagen.engine.resumption import resume
from apep_datagen.engine.signals import work_until_stopped
from apep_datagen.engine.view import View
from apep_datagen.engine.worker import Worker
from apep_datagen.providers.base import Provider
from apep_datagen.providers.factory import create_provider
from apep_datagen.providers.rehearsal import rehearse
from apep_datagen.storage.contents import DATASET
from apep_datagen.storage.database import StateDatabase
from apep_datagen.storage.reviews import read_reviews
from apep_datagen.storage.rewrites import read_rewrites
from apep_datagen.storage.spending import tokens_by_month
from apep_datagen.storage.verdicts import most_frequent_reasons, read_verdicts

__all__ = ["run"]


async def run(invocation: Invocation, view: View, purpose: Purpose | None = None) -> Outcome:
    """Make conversations until the output holds as many as it shall, a signal comes or nothing may be sent any more.

    Args:
        invocation: What the run is told.
        view: What it is shown by.
        purpose: What it is for; to make a dataset where nothing is said.

    Raises:
        SettingsError: A budget in dollars needs a price that is not there, or the log cannot be written.
        StorageError: The output, the state database or the ledger cannot be used.
    """
    purpose = purpose or making_a_dataset(invocation)
    settings = fit_open_files(invocation.settings, invocation.providers, view.notify)
    invocation = replace(invocation, settings=settings)
    prices = Prices(invocation.settings.quote)
    if invocation.settings.budget.max_usd is not None:
        prices.require((name, model) for name in invocation.providers for model in invocation.models_of(name))
    seed = invocation.settings.generation.seed
    log = EventLog(invocation.log_file, with_text=invocation.log_text, notify=view.notify)
    try:
        state = StateDatabase(
            invocation.output,
            seed=random.SystemRandom().getrandbits(32) if seed is None else seed,
            notify=view.notify,
            contents=purpose.contents,
        )
        try:
            return await _Run(invocation, purpose, prices, state, log, view).run()
        finally:
            await state.close()
    finally:
        log.close()


class _Run:
    """One invocation, with everything that it depends on open."""

    def __init__(  # noqa: PLR0917 - what a run depends on, once
        self,
        invocation: Invocation,
        purpose: Purpose,
        prices: Prices,
        state: StateDatabase,
        log: EventLog,
        view: View,
    ) -> None:
        self._invocation = invocation
        self._purpose = purpose
        self._settings = invocation.settings
        self._prices = prices
        self._state = state
        self._log = log
        self._view = view
        self._began = time.monotonic()
        done = state.conversations
        self._counters = RunCounters(
            target=self._settings.generation.target,
            done_before=done,
            done=done,
            is_judged=purpose.contents == DATASET,
        )
        self._ledger = Ledger(invocation.ledger, invocation.output, view.notify)

    async def run(self) -> Outcome:
        resumed = await self._state.read(
            lambda connection: resume(
                connection,
                self._invocation,
                self._purpose,
                self._prices,
                self._counters,
                notify=self._view.notify,
            )
        )
        if resumed.schedule.finished:
            return self._outcome()
        if self._has_monthly_limit():
            await self._ledger.when_free(functools.partial(self._ledger.book, resumed.tokens_by_month))
        context = RunContext(
            schedule=resumed.schedule,
            state=self._state,
            treasury=Treasury(resumed.account, self._state),
            counters=self._counters,
            roles=self._settings.roles,
            notify=self._view.notify,
            log=self._log,
            yields=resumed.yields,
            takes_any_answer=self._purpose.takes_any_answer,
            wire=self._purpose.wire,
        )
        context.tell_of_yields()
        sections = self._settings.providers
        available = {name: Availability(name, sections[name], context) for name in self._invocation.providers}
        providers: dict[str, Provider] = {}
        try:
            failures = await _start_providers(self._invocation, providers, available)
            for name in failures:
                context.schedule.remove_provider(name)
            if providers:  # else they are told once, at the end
                for name, reason in failures.items():
                    self._view.notify(f"{name} cannot be used: {reason}")
            workers = [
                self._worker(available[name], provider, context, resumed.tokens_by_month)
                for name, provider in providers.items()
            ]
            status = await self._work(workers, context)
            if context.stopping:
                self._state.hurry()
        finally:
            for provider in providers.values():
                await provider.close()
        # Not where storage failed: what the ledger is booked with then is more than was spent, until the next start.
        await self._close_books()
        verdicts = await self._state.read(read_verdicts)
        outcome = replace(
            self._outcome(status, failures, workers, context.silent_for, context.schedule.lacking),
            verdicts=verdicts,
            frequent_reasons=await self._state.read(most_frequent_reasons),
            rewrites=await self._state.read(read_rewrites),
            reviews=await self._state.read(read_reviews),
        )
        self._log.write("end", conversations=self._counters.done, exit_status=outcome.exit_status)
        return outcome

    async def _work(self, workers: list[Worker], context: RunContext) -> int:
        """Let the workers work; return the exit status of a signal that stopped them, or 0."""
        # What the SDKs brought along stays to the end; without this, each full garbage collection would look
        # through it all, and hold up the loop that paces requests: for 56 ms, measured with three SDKs loaded.
        gc.collect()
        gc.freeze()
        if not workers:
            return 0
        output, target = str(self._invocation.output), self._counters.target
        self._log.write("start", output=output, target=target, providers=[worker.name for worker in workers])
        with self._view.showing(self._counters):
            grace = self._settings.generation.grace_seconds
            return await work_until_stopped(
                workers, context, self._view, grace, patience_seconds=self._settings.generation.patience_seconds
            )

    def _worker(
        self,
        availability: Availability,
        provider: Provider,
        context: RunContext,
        tokens: Mapping[tuple[str, str], int],
    ) -> Worker:
        name = availability.name
        settings = self._settings.providers[name]
        most = settings.tokens_per_month

        def open_month(month: str) -> Account:
            assert most is not None  # noqa: S101 - else it is not called
            return MonthAccount(self._ledger, name, month, most=most, spent=tokens.get((month, name), 0))

        return Worker(
            availability,
            settings,
            provider,
            context,
            prices=self._prices_at(name),
            open_month=None if most is None else open_month,
            rules=self._rules(settings.kind),
        )

    def _prices_at(self, provider: str) -> dict[str, Price]:
        """Return what the models of a provider cost, as far as that is known."""
        models = self._settings.providers[provider].models_by_role().values()
        return {model: price for model in models if (price := self._prices.of(provider, model))}

    def _rules(self, kind: ProviderKind) -> Rules:
        """Return what decides about the conversations of a provider of this kind."""
        return Rules(
            self._purpose.ending(kind),
            self._settings.generation.timeline_length,
            self._settings.quality.least_yield,
            others_take_its_place=self._purpose.timelines is None,
        )

    def _has_monthly_limit(self) -> bool:
        providers = self._settings.providers
        return any(providers[name].tokens_per_month is not None for name in self._invocation.providers)

    async def _close_books(self) -> None:
        """Book in the ledger what was really spent."""
        tokens = await self._state.read(tokens_by_month)
        self._ledger.hurry()
        # Where no provider has a limit, the ledger is kept for one that may be set later, and not worth an error.
        with contextlib.nullcontext() if self._has_monthly_limit() else contextlib.suppress(StorageError):
            await self._ledger.when_free(functools.partial(self._ledger.book, tokens))

    def _outcome(
        self,
        status: int = 0,
        failures: Mapping[str, str] | None = None,
        workers: Sequence[Worker] = (),
        silent_for: float | None = None,
        lacking: Sequence[ModelRole] = (),
    ) -> Outcome:
        counters = self._counters
        error = None
        if counters.done < counters.target and status == 0:
            output = self._invocation.output
            error = why_nothing_is_sent(
                counters,
                output,
                failures or {},
                workers,
                silent_for=silent_for,
                lacking=lacking,
                may_be_others=self._purpose.may_be_others,
            )
        return Outcome(counters, time.monotonic() - self._began, signal_status=status, error=error)


async def _start_providers(
    invocation: Invocation, providers: dict[str, Provider], available: Mapping[str, Availability]
) -> dict[str, str]:
    """Start every provider; fill `providers`, and return why the others could not be started."""
    failures: dict[str, str] = {}
    for name, key in invocation.providers.items():
        settings = invocation.settings.providers[name]
        provider = create_provider(settings, key, available[name].learn)
        try:
            if settings.requests_per_second:
                await rehearse(settings)
            await provider.start()
        except ProviderError as error:
            failures[name] = available[name].out_because = str(error)
            await provider.close()
        else:
            providers[name] = provider
    return failures
