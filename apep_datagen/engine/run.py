"""One invocation: open the state, resume what was begun, work_until_stopped the providers, and stop well."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import random
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.budget.account import (
    Account,
    BudgetLimits,
    Price,
    Spent,
    cost_so_far,
    known_prices,
    missing_price,
    picodollars,
)
from apep_datagen.budget.ledger import Ledger
from apep_datagen.budget.purse import MONTH, Allowance, Treasury
from apep_datagen.config.invocation import Invocation
from apep_datagen.config.settings import ProviderSettings
from apep_datagen.core.errors import (
    ApepError,
    BudgetReachedError,
    NoProviderLeftError,
    ProviderError,
    SettingsError,
    StorageError,
)
from apep_datagen.core.messages import ModelRole, ReportedLimits
from apep_datagen.engine.commit import Rules
from apep_datagen.engine.context import RunContext
from apep_datagen.engine.counters import RunCounters
from apep_datagen.engine.event_log import EventLog
from apep_datagen.engine.schedule import PlanSettings, Schedule
from apep_datagen.engine.signals import View, work_until_stopped
from apep_datagen.engine.worker import Worker
from apep_datagen.providers import Provider, create_provider
from apep_datagen.providers.rehearsal import rehearse
from apep_datagen.quality.judge import Judge
from apep_datagen.quality.novelty import NoveltyLimits
from apep_datagen.storage.conversations import (
    accepted_by_ability,
    active_conversations,
    last_ids,
    open_timelines,
    record_target,
    rejected_count,
    reset_tools,
    run_seed,
    set_aside_count,
)
from apep_datagen.storage.database import StateDatabase
from apep_datagen.storage.notes import count_notes
from apep_datagen.storage.spending import count_lost, spent_so_far, tokens_by_month
from apep_datagen.storage.verdicts import VerdictCount, read_verdicts

__all__ = ["Outcome", "run"]

# Ask, answer, rewrite, and a continuation where tools were used.
_REQUESTS_IN_EXCHANGE = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended.

    Attributes:
        counters: What was made.
        verdicts: How the finished conversations of the run were judged, over all invocations.
        signal_status: The exit status of the signal that stopped it, or 0.
        problem: Why it ended before the target, where no signal stopped it.
        seconds: How long it took.
    """

    counters: RunCounters
    seconds: float
    verdicts: tuple[VerdictCount, ...] = ()
    signal_status: int = 0
    problem: ApepError | None = None

    @property
    def exit_status(self) -> int:
        """What the program exits with."""
        return self.problem.exit_status if self.problem else self.signal_status


async def run(invocation: Invocation, view: View) -> Outcome:
    """Make conversations until the output holds as many as it shall, a signal comes or nothing may be sent any more.

    Raises:
        SettingsError: A budget in dollars needs a price that is not there, or the log cannot be written.
        StorageError: The output, the state database or the ledger cannot be used.
    """
    _refuse_unpriced(invocation)
    seed = invocation.settings.generation.seed
    log = EventLog(invocation.log_file, with_text=invocation.log_text, notify=view.notify)
    try:
        state = StateDatabase(
            invocation.output,
            seed=random.SystemRandom().getrandbits(32) if seed is None else seed,
            notify=view.notify,
        )
        try:
            return await _Run(invocation, state, log, view).run()
        finally:
            await state.close()
    finally:
        log.close()


def _refuse_unpriced(invocation: Invocation) -> None:
    if invocation.settings.budget.max_usd is None:
        return
    for name in invocation.providers:
        settings = invocation.settings.providers[name]
        for role in ModelRole:
            if settings.price_of(settings.model_for(role)) is None:
                raise SettingsError(missing_price(name, settings.model_for(role)))


def _rules(invocation: Invocation, provider: ProviderSettings) -> Rules:
    quality, prompts, cast = invocation.settings.quality, invocation.prompts, invocation.cast
    texts = (prompts.texts["tester_system.txt"], prompts.texts["tester_user.txt"], *cast.instruction_sources)
    limits = NoveltyLimits(similarity=quality.similarity, opening_share=quality.opening_share)
    judge = Judge(quality.level_for(provider.kind), cast.phrases, limits, texts)
    return Rules(judge, invocation.settings.generation.timeline_length, quality.least_yield)


@dataclass(frozen=True, slots=True)
class _Resumed:
    """What the state database says at a start."""

    schedule: Schedule
    account: Account
    tokens_by_month: dict[tuple[str, str], int]


class _Run:
    """One invocation, with everything that it depends on open."""

    def __init__(self, invocation: Invocation, state: StateDatabase, log: EventLog, view: View) -> None:
        self._invocation = invocation
        self._state = state
        self._log = log
        self._view = view
        self._began = time.monotonic()
        done = state.output.count
        self._counters = RunCounters(target=invocation.settings.generation.target, done_before=done, done=done)
        self._ledger = Ledger(invocation.ledger, invocation.output)

    async def run(self) -> Outcome:
        counters = self._counters
        resumed = await self._state.run(self._resume)
        if resumed.schedule.finished:
            return self._outcome()
        treasury = Treasury(resumed.account, self._state)
        if self._has_allowance():
            await asyncio.to_thread(self._ledger.book, resumed.tokens_by_month)
        context = RunContext(
            schedule=resumed.schedule,
            state=self._state,
            treasury=treasury,
            counters=counters,
            roles=self._invocation.settings.roles,
            notify=self._view.notify,
            log=self._log,
        )
        failures: dict[str, str] = {}
        workers: dict[str, Worker] = {}
        providers: dict[str, Provider] = {}
        status = 0
        try:
            failures = await _start_providers(
                self._invocation, providers, lambda name, reported: workers[name].learn(reported)
            )
            if providers:  # else they are told once, at the end
                for name, reason in failures.items():
                    self._view.notify(f"{name} cannot be used: {reason}")
            for name, provider in providers.items():
                workers[name] = self._worker(name, provider, context, resumed.tokens_by_month)
            # What the SDKs brought along stays to the end; without this, each full garbage collection would look
            # through it all, and hold up the loop that paces requests: for 56 ms, measured with three SDKs loaded.
            gc.collect()
            gc.freeze()
            if workers:
                self._log.write(
                    "start", output=str(self._invocation.output), target=counters.target, providers=[*providers]
                )
                with self._view.showing(counters):
                    grace = self._invocation.settings.generation.grace_seconds
                    status = await work_until_stopped([*workers.values()], context, self._view, grace)
        finally:
            for provider in providers.values():
                await provider.close()
        # Not where storage failed: what the ledger is booked with then is more than was spent, until the next start.
        await self._close_books()
        verdicts = await self._state.run(read_verdicts)
        outcome = self._outcome(status, failures, [*workers.values()], verdicts)
        self._log.write("end", conversations=counters.done, exit_status=outcome.exit_status)
        return outcome

    def _resume(self, connection: sqlite3.Connection) -> _Resumed:
        """Read what there is, in one transaction, and count what a crash left behind."""
        counters = self._counters
        if self._invocation.reset_tools:
            reset_tools(connection)
        count_lost(connection)
        account = self._account(tuple(spent_so_far(connection)))
        schedule = self._schedule(connection, account)
        counters.memories, counters.diary_pages = count_notes(connection)
        counters.set_aside = set_aside_count(connection)
        counters.rejected = rejected_count(connection)
        record_target(connection, counters.target)
        return _Resumed(schedule, account, tokens_by_month(connection))

    def _schedule(self, connection: sqlite3.Connection, account: Account) -> Schedule:
        generation, scenarios = self._invocation.settings.generation, self._invocation.settings.scenarios
        active = list(active_conversations(connection))
        free = {
            name: not any(price.input or price.output for price in self._prices(name).values())
            for name in self._invocation.providers
        }
        last_conversation_id, last_timeline_id = last_ids(connection)
        return Schedule(
            missing=self._counters.target - self._counters.done,
            settings=PlanSettings(
                seed=run_seed(connection) if generation.seed is None else generation.seed,
                exchanges=generation.exchanges,
                max_tool_rounds=generation.max_tool_rounds,
                prompts=self._invocation.prompts,
                cast=self._invocation.cast,
                mix=scenarios.shares,
                first_day=scenarios.first_day.isoformat(),
                last_day=scenarios.last_day.isoformat(),
            ),
            timelines=open_timelines(connection),
            active=active,
            providers=self._invocation.providers,
            may_finish=lambda provider, conversations: account.may_finish(
                conversations,
                _REQUESTS_IN_EXCHANGE * sum(generation.exchanges) / 2,
                for_free=free[provider],
            ),
            accepted=accepted_by_ability(connection),
            last_conversation_id=last_conversation_id,
            last_timeline_id=last_timeline_id,
        )

    def _account(self, spent: tuple[Spent, ...]) -> Account:
        budget, settings = self._invocation.settings.budget, self._invocation.settings
        limits = BudgetLimits(
            budget.max_requests, budget.max_tokens, None if budget.max_usd is None else picodollars(budget.max_usd)
        )
        used = ((item.provider, item.model) for item in spent)
        prices = known_prices(settings, used)
        return Account(limits, cost_so_far(spent, prices, needs_prices=limits.picodollars is not None))

    def _has_allowance(self) -> bool:
        settings = self._invocation.settings.providers
        return any(settings[name].tokens_per_month is not None for name in self._invocation.providers)

    def _worker(
        self, name: str, provider: Provider, context: RunContext, tokens: Mapping[tuple[str, str], int]
    ) -> Worker:
        settings = self._invocation.settings.providers[name]
        allowance = None
        if settings.tokens_per_month is not None:
            spent = {month: count for (month, user), count in tokens.items() if user == name}
            allowance = Allowance(self._ledger, name, settings.tokens_per_month, spent)
        prices, rules = self._prices(name), _rules(self._invocation, settings)
        return Worker(name, settings, provider, context, prices=prices, allowance=allowance, rules=rules)

    def _prices(self, name: str) -> dict[str, Price]:
        """Return what the models of a provider cost, as far as that is known."""
        settings = self._invocation.settings.providers[name]
        models = {settings.model_for(role) for role in ModelRole}
        known = known_prices(self._invocation.settings, ((name, model) for model in models))
        return {model: price for (_, model), price in known.items()}

    async def _close_books(self) -> None:
        """Book in the ledger what was really spent."""
        tokens = await self._state.run(tokens_by_month)
        # Where no provider has a limit, the ledger is kept for one that may be set later, and not worth an error.
        with contextlib.nullcontext() if self._has_allowance() else contextlib.suppress(StorageError):
            await asyncio.to_thread(self._ledger.book, tokens)

    def _outcome(
        self,
        status: int = 0,
        failures: Mapping[str, str] | None = None,
        workers: Sequence[Worker] = (),
        verdicts: tuple[VerdictCount, ...] = (),
    ) -> Outcome:
        counters = self._counters
        problem = None
        if counters.done < counters.target and status == 0:
            problem = _problem(counters, self._invocation.output, failures or {}, workers)
        return Outcome(counters, time.monotonic() - self._began, verdicts, status, problem)


def _problem(counters: RunCounters, output: Path, failures: Mapping[str, str], workers: Sequence[Worker]) -> ApepError:
    """Say why nothing can be sent any more, and how to go on."""
    there = f"{counters.done} of {counters.target} conversations are in {output}; nothing is lost."
    budgets = {worker.spent_budget for worker in workers if worker.spent_budget}
    if run_budgets := sorted(budgets - {MONTH}):
        return BudgetReachedError(
            f"The budget {' and '.join(run_budgets)} is reached. {there}\n"
            "It counts all invocations for this output; with a larger one, the same command goes on."
        )
    reasons = dict(failures) | {worker.name: worker.unusable for worker in workers if worker.unusable}
    lines = "\n".join(f"  {name}: {reason}" for name, reason in reasons.items())
    kind = BudgetReachedError if budgets else NoProviderLeftError
    return kind(
        f"No provider is left. {there}\n"
        f"{lines}\nMend this, or name other providers with --providers; the same command then goes on."
    )


async def _start_providers(
    invocation: Invocation, providers: dict[str, Provider], on_limits: Callable[[str, ReportedLimits], None]
) -> dict[str, str]:
    """Start every provider; fill `providers`, and return why the others could not be started."""
    failures: dict[str, str] = {}
    for name, key in invocation.providers.items():
        settings = invocation.settings.providers[name]
        provider = create_provider(settings, key, functools.partial(on_limits, name))
        try:
            if settings.requests_per_second:
                await rehearse(settings)
            await provider.start()
        except ProviderError as error:
            failures[name] = str(error)
            await provider.close()
        else:
            providers[name] = provider
    return failures
