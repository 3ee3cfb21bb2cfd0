"""A run against simulated servers, in virtual time, with the real workers and pacers.

The state database is in memory: its thread would not know of virtual time.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from apep_datagen.budget.account import Account
from apep_datagen.budget.purse import Treasury
from apep_datagen.config.provider_settings import ProviderSettings
from apep_datagen.config.serving import Serving
from apep_datagen.config.settings import DEFAULT_MIX, RolesSettings
from apep_datagen.conversation.brief import Rewrites
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.core.errors import (
    FailureKind,
    RateLimitedError,
    TransientError,
)
from apep_datagen.core.messages import Completion, CompletionRequest, Step, Usage
from apep_datagen.engine.ability_yields import AbilityYields
from apep_datagen.engine.availability import Availability
from apep_datagen.engine.briefs import BriefSource
from apep_datagen.engine.commit import Rules
from apep_datagen.engine.context import RunContext
from apep_datagen.engine.counters import RunCounters
from apep_datagen.engine.ending import JudgedEnding
from apep_datagen.engine.event_log import EventLog
from apep_datagen.engine.schedule import Schedule
from apep_datagen.engine.worker import Worker
from apep_datagen.people.cast import load_cast
from apep_datagen.quality.judge import Judge
from apep_datagen.quality.novelty import NoveltyLimits
from apep_datagen.storage.database import StateDatabase
from support.loopback_server import StrictLimit
from support.memory_database import MemoryDatabase
from support.virtual_time import run_in_virtual_time

__all__ = ["START_SECONDS", "Server", "context_of", "run_for"]

START_SECONDS = 1_000.0  # of the virtual clock


@dataclass(slots=True)
class Server:
    """A provider's server: what it permits, how long it takes, and how often it fails.

    Attributes:
        permits: The true limit in requests per second, at so many seconds after the beginning.
        latency: Least and most seconds of an answer.
        faults: Share of the requests that fail transiently.
        dead_from: When it stops to accept connections, in seconds after the beginning.
        retry_after: Whether it says how long to wait after a 429.
    """

    permits: Callable[[float], float]
    latency: tuple[float, float] = (0.5, 3.0)
    faults: float = 0.0
    dead_from: float = float("inf")
    retry_after: bool = False
    sent: list[tuple[float, bool]] = field(default_factory=list)
    _limit: StrictLimit = field(default_factory=lambda: StrictLimit(1))
    _draw: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - no secret depends on it
    _began: float = -1.0

    async def complete(self, request: CompletionRequest) -> Completion:
        now = asyncio.get_running_loop().time()
        if self._began < 0:
            self._began = now
        if now - self._began >= self.dead_from:
            raise TransientError("connection refused", FailureKind.NOT_REACHED)
        self._limit.requests_per_second = self.permits(now - self._began)
        is_permitted = self._limit.permits(now)
        self.sent.append((now - self._began, is_permitted))
        if not is_permitted:
            await asyncio.sleep(0.1)
            raise RateLimitedError("slow down", 1.0 if self.retry_after else None)
        if self._draw.random() < self.faults:
            return await self._fail()
        await asyncio.sleep(self._draw.uniform(*self.latency))
        text = {Step.ASK: "My sister visits.", Step.REWRITE: "Hm, how nice."}.get(request.step)
        return Completion(text or "<think>Nice.</think>\n\nHow nice!", "stop", Usage(400, 50))

    async def _fail(self) -> Completion:
        fault = self._draw.randrange(6)
        if fault == 0:
            await asyncio.sleep(20)
            raise TransientError("no answer within 20 s", FailureKind.TIME_OUT, may_be_billed=True)
        await asyncio.sleep(self._draw.uniform(0.05, 1))
        if fault < 4:
            raise TransientError("HTTP 503: over capacity")
        return Completion("" if fault == 4 else "She told me", "stop" if fault == 4 else "length", Usage(400, 0))

    def used(self, begin: float, end: float) -> float:
        """Return which share of the requests that were permitted in a span of time was sent."""
        permitted = sum(self.permits(second) for second in range(round(begin), round(end)))
        return sum(begin <= at < end and is_permitted for at, is_permitted in self.sent) / permitted

    @property
    def refused(self) -> float:
        """Which share of all requests got a 429."""
        return sum(not is_permitted for _, is_permitted in self.sent) / len(self.sent)

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def list_models(self) -> list[str]:
        return []


def context_of(
    providers: Collection[str],
    account: Account | None = None,
    notify: Callable[[str], None] = lambda _: None,
    *,
    serving: Serving | None = None,
    exchanges: tuple[int, int] = (1, 1),
    rewrites: Rewrites = "needed",
) -> RunContext:
    """Return what the workers of a run without an end have in common."""
    days = ("2025-01-01", "2026-12-31")
    state = cast("StateDatabase", MemoryDatabase(0.001))
    return RunContext(
        schedule=Schedule(
            missing=1_000_000,
            source=BriefSource(1, exchanges, 3, load_prompts(), load_cast(), DEFAULT_MIX, *days, rewrites),
            timelines=(),
            active=(),
            serving=serving or Serving.by_all(providers),
            accepted={},
            last_conversation_id=0,
            new_timelines=itertools.count(1),
        ),
        state=state,
        treasury=Treasury(account or Account(), state),
        counters=RunCounters(target=1_000_000, done_before=0, done=0),
        roles=RolesSettings(),
        notify=notify,
        log=EventLog(None, with_text=False, notify=lambda _: None),
        yields=AbilityYields((), DEFAULT_MIX, 0, prompts="", output=Path("output.json")),
    )


def run_for(
    seconds: float,
    rates: dict[str, float],
    servers: dict[str, Server],
    *,
    open_month: Mapping[str, Callable[[str], Account]] | None = None,
    account: Account | None = None,
    notify: Callable[[str], None] = lambda _: None,
    watch: Callable[[RunContext], None] = lambda _: None,
    **common: Any,
) -> RunCounters:
    """Let the workers make conversations for so long, or to their end; return what they counted.

    `watch` is told of the context before they begin; further arguments are those of `context_of`.
    """

    async def main() -> RunCounters:
        context = context_of(servers, account, notify, **common)
        watch(context)
        workers = []
        for name, server in servers.items():
            provider = ProviderSettings(kind="openai", model="m", requests_per_second=rates[name])
            workers.append(
                Worker(
                    Availability(name, provider, context),
                    provider,
                    server,
                    context,
                    prices={},
                    open_month=(open_month or {}).get(name),
                    rules=Rules(JudgedEnding(Judge("off", load_cast().phrases, NoveltyLimits(), ())), 12, 0.0),
                )
            )

        def stop() -> None:
            context.stopping = True
            for worker in workers:
                worker.availability.interrupt()

        stopping = asyncio.get_running_loop().call_later(seconds, stop)
        await asyncio.gather(*(worker.run() for worker in workers))
        stopping.cancel()
        return context.counters

    random.seed(3)  # the jitter of back-offs
    return run_in_virtual_time(main(), oversleep=0.001)
