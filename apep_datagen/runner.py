"""One invocation: open the state, resume what was begun, drive the providers, and stop well."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import gc
import random
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from apep_datagen.counters import RunCounters
from apep_datagen.dispatch import Dispatcher, Shared
from apep_datagen.errors import NoProviderLeftError, ProviderError
from apep_datagen.memory import count_notes
from apep_datagen.prompts import PromptSet
from apep_datagen.providers import Provider, create_provider
from apep_datagen.providers.rehearsal import rehearse
from apep_datagen.records import (
    active_conversations,
    last_ids,
    open_timelines,
    reset_tools,
    run_seed,
    set_aside_count,
    tokens_since,
)
from apep_datagen.schedule import PlanSettings, Schedule
from apep_datagen.settings import ProviderSettings, Settings
from apep_datagen.state import StateDatabase

__all__ = ["Outcome", "RunPlan", "View", "run"]

# After a first signal, what is in flight (and paid for) may still come in for so long.
_GRACE_SECONDS = 30.0
_SIGNAL_STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}


class View(Protocol):
    """Shows a run to a person; decides nothing."""

    def notify(self, message: str) -> None:
        """Show a sentence."""

    def showing(self, counters: RunCounters) -> contextlib.AbstractContextManager[None]:
        """Show the counters, as they change, inside the context."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What an invocation is to do.

    Attributes:
        settings: Configuration and options.
        providers: Names of the providers to use, with their API keys (None for one that needs none).
        output: The output file.
        prompts: The words for new conversations.
        reset_tools: Whether to empty memory and diary first.
    """

    settings: Settings
    providers: Mapping[str, str | None]
    output: Path
    prompts: PromptSet
    reset_tools: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended; `exit_status` is 0, or that of the signal which stopped it."""

    counters: RunCounters
    exit_status: int
    seconds: float


async def run(plan: RunPlan, view: View) -> Outcome:
    """Make conversations until the output holds as many as it shall, or a signal comes.

    Raises:
        StorageError: The output or the state database cannot be used.
        NoProviderLeftError: Every provider is out.
    """
    seed = plan.settings.generation.seed
    state = StateDatabase(
        plan.output,
        seed=random.SystemRandom().getrandbits(32) if seed is None else seed,
        notify=view.notify,
    )
    try:
        return await _run(plan, state, view)
    finally:
        await state.close()


async def _run(plan: RunPlan, state: StateDatabase, view: View) -> Outcome:
    began = time.monotonic()
    target = plan.settings.generation.target
    done = state.output.count
    counters = RunCounters(target=target, done_before=done, done=done)

    def prepare(connection: sqlite3.Connection) -> tuple[Schedule, dict[str, int]]:
        if plan.reset_tools:
            reset_tools(connection)
        counters.memories, counters.diary_pages = count_notes(connection)
        schedule = _schedule(plan, connection, missing=target - done)
        counters.set_aside = set_aside_count(connection)
        month = datetime.datetime.now().astimezone().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return schedule, {name: tokens_since(connection, name, month.timestamp()) for name in _with_month(plan)}

    schedule, spent = await state.run(prepare)
    if schedule.finished:
        return Outcome(counters, 0, time.monotonic() - began)
    shared = Shared(
        schedule=schedule,
        state=state,
        counters=counters,
        roles=plan.settings.roles,
        notify=view.notify,
        work_changed=asyncio.Event(),
    )
    providers: dict[str, Provider] = {}
    try:
        failures = await _start_providers(plan, providers)
        if providers:  # else they are told once, at the end
            for name, reason in failures.items():
                view.notify(f"{name} cannot be used: {reason}")
        dispatchers = [
            Dispatcher(
                name,
                plan.settings.providers[name],
                provider,
                shared,
                tokens_left=_tokens_left(plan.settings.providers[name], spent.get(name, 0)),
            )
            for name, provider in providers.items()
        ]
        # What the SDKs brought along stays to the end; without this, each full garbage collection would look through it
        # all, and hold up the loop that paces requests: for 56 ms, measured with three SDKs loaded.
        gc.collect()
        gc.freeze()
        status = 0
        if dispatchers:
            with view.showing(counters):
                status = await _drive(dispatchers, shared, view.notify)
    finally:
        for provider in providers.values():
            await provider.close()
    if not schedule.finished and status == 0:
        failures |= {dispatcher.name: dispatcher.unusable for dispatcher in dispatchers if dispatcher.unusable}
        reasons = "\n".join(f"  {name}: {reason}" for name, reason in failures.items())
        raise NoProviderLeftError(
            f"No provider is left. {counters.done} of {target} conversations are in {plan.output}; nothing is lost.\n"
            f"{reasons}\nMend this, or name other providers with --providers; the same command then goes on."
        )
    return Outcome(counters, status, time.monotonic() - began)


def _schedule(plan: RunPlan, connection: sqlite3.Connection, *, missing: int) -> Schedule:
    generation = plan.settings.generation
    active = list(active_conversations(connection))
    last_conversation_id, last_timeline_id = last_ids(connection)
    return Schedule(
        missing=missing,
        settings=PlanSettings(
            seed=run_seed(connection) if generation.seed is None else generation.seed,
            exchanges=generation.exchanges,
            max_tool_rounds=generation.max_tool_rounds,
            timeline_length=generation.timeline_length,
            date=datetime.datetime.now().astimezone().date().isoformat(),
            prompts=plan.prompts,
        ),
        timelines=open_timelines(connection),
        active=active,
        providers=plan.providers,
        last_conversation_id=last_conversation_id,
        last_timeline_id=last_timeline_id,
    )


def _with_month(plan: RunPlan) -> list[str]:
    return [name for name in plan.providers if plan.settings.providers[name].tokens_per_month is not None]


def _tokens_left(settings: ProviderSettings, spent: int) -> int | None:
    return None if settings.tokens_per_month is None else settings.tokens_per_month - spent


async def _start_providers(plan: RunPlan, providers: dict[str, Provider]) -> dict[str, str]:
    """Start every provider; fill `providers`, and return why the others could not be started."""
    failures: dict[str, str] = {}
    for name, key in plan.providers.items():
        settings = plan.settings.providers[name]
        provider = create_provider(settings, key)
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


async def _drive(dispatchers: list[Dispatcher], shared: Shared, notify: Callable[[str], None]) -> int:
    """Run all dispatchers to their end; return 0, or the exit status of the signal that stopped them."""
    status = 0
    stop = asyncio.Event()
    hurry = asyncio.Event()

    def on_signal(number: int) -> None:
        nonlocal status
        if stop.is_set():
            hurry.set()
            return
        status = _SIGNAL_STATUS[signal.Signals(number)]
        stop.set()
        shared.stopping = True
        in_flight = sum(counters.in_flight for counters in shared.counters.providers.values())
        notify(f"Stopping: {in_flight} requests are in flight and may still come in; once more to stop at once.")
        for dispatcher in dispatchers:
            dispatcher.interrupt()
        shared.wake()

    with _handling_signals(on_signal):
        work = asyncio.create_task(_run_all(dispatchers))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([work, stopping], return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                hurrying = asyncio.create_task(hurry.wait())
                await asyncio.wait([work, hurrying], timeout=_GRACE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                hurrying.cancel()
            if not work.done():
                work.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await work
            else:
                _result_of(work)
        finally:
            stopping.cancel()
            work.cancel()
    return status


async def _run_all(dispatchers: list[Dispatcher]) -> None:
    async with asyncio.TaskGroup() as group:
        for dispatcher in dispatchers:
            group.create_task(dispatcher.run())


def _result_of(work: asyncio.Task[None]) -> None:
    """Raise what a dispatcher raised, taken out of the groups that task groups wrap around it."""
    error = work.exception()
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if error is not None:
        raise error


@contextlib.contextmanager
def _handling_signals(handler: Callable[[int], None]) -> Iterator[None]:
    """Call `handler` in the event loop when a signal to stop comes."""
    loop = asyncio.get_running_loop()
    before = {
        number: signal.signal(number, lambda received, _frame: loop.call_soon_threadsafe(handler, received))
        for number in _SIGNAL_STATUS
    }
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
