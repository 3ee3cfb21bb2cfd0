"""What a run makes of its limits when providers misbehave: in virtual time, with the real workers and pacers.

The servers are simulated, and the state database is in memory: its thread would not know of virtual time.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest

from apep_datagen.budget.account import Account, Limit
from apep_datagen.budget.amounts import NOTHING
from apep_datagen.budget.month import MONTH_LIMIT
from apep_datagen.budget.purse import Purse, Treasury
from apep_datagen.config.provider_settings import ProviderSettings
from apep_datagen.config.serving import Serving
from apep_datagen.config.settings import DEFAULT_MIX, RolesSettings
from apep_datagen.conversation.completions import problem_with
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.conversation.prompting import prompt
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.errors import (
    FailureKind,
    ProviderError,
    RateLimitedError,
    RequestRefusedError,
    TransientError,
    UnusableAnswerError,
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
from apep_datagen.engine.requester import Requester
from apep_datagen.engine.schedule import Schedule
from apep_datagen.engine.worker import Worker
from apep_datagen.people.cast import load_cast
from apep_datagen.quality.judge import Judge
from apep_datagen.quality.novelty import NoveltyLimits
from apep_datagen.storage.database import StateDatabase
from support.loopback_server import StrictLimit
from support.memory_database import MemoryDatabase
from support.virtual_time import run_in_virtual_time

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
    providers: Collection[str], account: Account | None = None, notify: Callable[[str], None] = lambda _: None
) -> RunContext:
    """Return what the workers of a run without an end have in common."""
    state = cast("StateDatabase", MemoryDatabase(0.001))
    return RunContext(
        schedule=Schedule(
            missing=1_000_000,
            source=BriefSource(1, (1, 1), 3, load_prompts(), load_cast(), DEFAULT_MIX, "2025-01-01", "2026-12-31"),
            timelines=(),
            active=(),
            serving=Serving.by_all(providers),
            accepted={},
            last_conversation_id=0,
            last_timeline_id=0,
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
) -> RunCounters:
    """Let the workers make conversations for so long, or to their end; return what they counted."""

    async def main() -> RunCounters:
        context = context_of(servers, account, notify)
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


@pytest.mark.parametrize("retry_after", [False, True], ids=["without Retry-After", "with Retry-After"])
@pytest.mark.parametrize(
    ("rate", "used", "refused"),
    # At one or two requests a second, five minutes are a few dozen requests: too few to find two limits in.
    [(1.0, 0.7, 0.05), (2.0, 0.8, 0.03), (3.0, 0.9, 0.03), (10.0, 0.9, 0.03), (20.0, 0.9, 0.03), (40.0, 0.9, 0.03)],
)
def test_a_limit_that_is_lower_than_configured_and_then_rises_is_used_all_along(
    rate: float,
    used: float,
    refused: float,
    retry_after: bool,  # noqa: FBT001 - a parameter
) -> None:
    server = Server(lambda at: rate * (0.4 if at < 150 else 0.8), retry_after=retry_after)
    counters = run_for(300, {"a": rate}, {"a": server})
    assert server.used(0, 300) >= used
    assert server.refused < refused
    # A 429 never uses up a conversation's attempts.
    assert counters.set_aside == 0


@pytest.mark.parametrize("rate", [0.5, 1.0, 5.0])
def test_over_a_night_a_limit_that_is_lower_than_configured_is_found_and_kept_to(rate: float) -> None:
    server = Server(lambda _: 0.6 * rate)
    run_for(6 * 3600 if rate < 5 else 3600, {"a": rate}, {"a": server})
    assert server.used(0, 3600) >= 0.93
    assert server.refused < 0.025


def test_with_a_fifth_of_faults_and_one_of_three_providers_dead_the_living_are_used() -> None:
    rates = {"a": 5.0, "b": 3.0, "c": 4.0}
    servers = {
        name: Server(lambda _, rate=rate: rate, faults=0.2, dead_from=150 if name == "c" else float("inf"))  # type: ignore[misc]
        for name, rate in rates.items()
    }
    counters = run_for(300, rates, servers)
    for name in ("a", "b"):
        assert servers[name].used(0, 300) >= 0.93
        assert servers[name].refused == 0
    assert servers["c"].used(0, 150) >= 0.93
    assert counters.providers["c"].state in {"resting", "probing"}
    # Three attempts each: of all conversations, hardly one in a hundred fails at a step for good.
    assert counters.set_aside <= 0.05 * counters.done
    assert counters.done > 500


def test_a_provider_that_comes_back_is_used_again() -> None:
    class Down(Server):
        async def complete(self, request: CompletionRequest) -> Completion:
            if 100 <= asyncio.get_running_loop().time() - START_SECONDS < 200:
                raise TransientError("HTTP 503: over capacity")
            return await super().complete(request)

    sound, frail = Server(lambda _: 5.0), Down(lambda _: 5.0)
    run_for(400, {"a": 5.0, "b": 5.0}, {"a": sound, "b": frail})
    assert sound.used(0, 400) >= 0.98
    # It rests at most as long again as it was down.
    assert frail.used(0, 100) >= 0.97
    assert frail.used(300, 400) >= 0.97


def test_every_error_of_an_adapter_is_dealt_with() -> None:
    """Whatever mix of failures comes, the run goes on and nothing is left in flight."""

    class Mixed(Server):
        async def complete(self, request: CompletionRequest) -> Completion:
            kind = self._draw.randrange(8)
            if kind == 0:
                raise RateLimitedError("slow down", self._draw.choice([None, 0.0, 0.5, 40.0]))
            if kind == 1:
                raise ProviderError("something else")
            if kind == 2:
                raise TransientError("torn", FailureKind.TORN_ANSWER, may_be_billed=True)
            return await super().complete(request)

    servers = {name: Mixed(lambda _: 50.0) for name in ("a", "b")}
    counters = run_for(600, {"a": 4.0, "b": 4.0}, cast("dict[str, Server]", servers))
    assert counters.done > 5
    assert all(provider.in_flight == 0 for provider in counters.providers.values())


def test_an_answer_that_nobody_can_read_costs_its_conversation_and_what_it_cost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing stays reserved for it: others would wait for that for ever where a budget runs low."""
    broken = "My sister visits, and breaks it."

    def read(conversation: Conversation, completion: Completion) -> UnusableAnswerError | None:
        if completion.text == broken:
            raise RecursionError("maximum recursion depth exceeded")
        return problem_with(conversation, completion)

    class Breaking(Server):
        async def complete(self, request: CompletionRequest) -> Completion:
            completion = await super().complete(request)
            is_broken = request.step is Step.ASK and request.seed % 5 == 0
            return replace(completion, text=broken) if is_broken else completion

    monkeypatch.setattr("apep_datagen.engine.requester.problem_with", read)
    account, server = Account([Limit("--max-requests", "requests", 10_000)]), Breaking(lambda _: 5.0)
    counters = run_for(300, {"a": 5.0}, {"a": server}, account=account)
    assert account.reserved == NOTHING
    assert account.spent.requests == len(server.sent)
    provider = counters.providers["a"]
    assert provider.failures[FailureKind.UNFORESEEN] > 0
    assert counters.set_aside == provider.set_aside > 0
    assert counters.done > 100


def test_a_call_goes_on_where_what_failed_of_it_is_forgotten_meanwhile() -> None:
    """As where another provider, which failed its conversation as well, turns out to be of no use to anybody."""

    async def main() -> Completion:
        context = context_of(["a"])

        class FailingOnce(Server):
            async def complete(self, request: CompletionRequest) -> Completion:
                if not self.sent:
                    self.sent.append((0.0, True))
                    asyncio.get_running_loop().call_soon(context.tries.clear)
                    raise TransientError("HTTP 503: over capacity")
                return await super().complete(request)

        settings = ProviderSettings(kind="openai", model="m")
        availability = Availability("a", settings, context)
        purse = Purse("a", {}, context.treasury, None, availability.is_over)
        conversation = context.schedule.take("a")
        assert conversation is not None
        request = CompletionRequest(Step.ASK, prompt(conversation), "m", 1.0, 16, 1)
        requester = Requester(FailingOnce(lambda _: 1.0), availability, purse, context)
        return (await requester.ask(conversation, request, lambda: None)).completion

    assert run_in_virtual_time(main(), oversleep=0.001).text == "My sister visits."


class Refusing(Server):
    """Refuses some requests for what they say, at once, long before the others are answered."""

    async def complete(self, request: CompletionRequest) -> Completion:
        if request.seed % 20 == 0:
            self.sent.append((asyncio.get_running_loop().time() - START_SECONDS, True))
            await asyncio.sleep(0.1)
            raise RequestRefusedError("HTTP 400: content management policy")
        return await super().complete(request)


@pytest.mark.parametrize("rate", [2.0, 20.0])
def test_refusals_that_overtake_answers_are_no_row(rate: float) -> None:
    server = Refusing(lambda _: rate, latency=(20.0, 30.0))
    counters = run_for(300, {"a": rate}, {"a": server})
    assert counters.providers["a"].state == ""
    assert counters.set_aside > 0
    assert server.used(0, 300) >= 0.9


# Tokens of a month.

TOKENS_OF_A_MONTH = 200_000


@pytest.fixture
def month_turns_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let another month begin so many seconds after the beginning, on every calendar that is looked at."""

    def arrange(seconds: float) -> None:
        def this_month() -> str:
            return "2026-01" if asyncio.get_running_loop().time() - START_SECONDS < seconds else "2026-02"

        for module in ("engine.availability", "budget.purse"):
            monkeypatch.setattr(f"apep_datagen.{module}.this_month", this_month)

    return arrange


def limited_month(_: str) -> Account:
    return Account([Limit(MONTH_LIMIT, "tokens", TOKENS_OF_A_MONTH)])


def test_a_provider_whose_month_is_spent_comes_back_when_the_month_turns(
    month_turns_after: Callable[[float], None],
) -> None:
    month_turns_after(3_000)
    servers, told = {name: Server(lambda _: 2.0) for name in ("limited", "free")}, list[str]()
    counters = run_for(
        4_000,
        dict.fromkeys(servers, 2.0),
        servers,
        open_month={"limited": limited_month},
        notify=told.append,
    )
    times = [at for at, _ in servers["limited"].sent]
    assert [at for at in times if at < 1_000]
    assert not [at for at in times if 1_000 <= at < 3_000]
    back = [at for at in times if at >= 3_000]
    # It is looked once a minute whether the month has turned.
    assert 3_000 <= back[0] < 3_070
    assert servers["free"].used(0, 4_000) >= 0.95
    assert [message for message in told if "it comes back when the month turns" in message] == [
        "limited: its tokens_per_month are spent; it comes back when the month turns"
    ] * 2
    assert counters.set_aside == 0


def test_a_run_in_which_only_the_next_month_could_help_ends(month_turns_after: Callable[[float], None]) -> None:
    month_turns_after(1_000_000)
    servers = {name: Server(lambda _: 2.0) for name in ("a", "b")}
    counters = run_for(900_000, dict.fromkeys(servers, 2.0), servers, open_month=dict.fromkeys(servers, limited_month))
    assert max(at for server in servers.values() for at, _ in server.sent) < 5_000
    assert {provider.state for provider in counters.providers.values()} == {"out"}


# Refusals without end.


def test_a_provider_that_answers_nothing_but_429_for_minutes_is_named_once() -> None:
    class Overused(Server):
        async def complete(self, request: CompletionRequest) -> Completion:
            if 100 <= asyncio.get_running_loop().time() - START_SECONDS < 2_000:
                raise RateLimitedError("slow down", 5.0)
            return await super().complete(request)

    told: list[str] = []
    server = Overused(lambda _: 5.0)
    run_for(3_000, {"a": 5.0}, {"a": server}, notify=told.append)
    [named] = [message for message in told if "nothing but 429" in message]
    assert named.startswith("a: it has answered nothing but 429 (too many requests) for 5 min.")
    assert "--patience" in named
    assert server.used(2_500, 3_000) >= 0.9


def test_an_overloaded_server_is_left_alone_for_as_long_as_it_says() -> None:
    class Overloaded(Server):
        refused_at: float | None = None
        next_at: float | None = None

        async def complete(self, request: CompletionRequest) -> Completion:
            now = asyncio.get_running_loop().time()
            if self.refused_at is None and now - START_SECONDS >= 100:
                self.refused_at = now
                raise TransientError("HTTP 503: over capacity", retry_after=120.0)
            if self.refused_at is not None and self.next_at is None and now > self.refused_at + 5:
                self.next_at = now
            return await super().complete(request)

    server, told = Overloaded(lambda _: 5.0), list[str]()
    run_for(400, {"a": 5.0}, {"a": server}, notify=told.append)
    assert server.refused_at is not None
    assert server.next_at is not None
    assert 119 <= server.next_at - server.refused_at < 135
    assert any("HTTP 503: over capacity, waiting 120 s" in message for message in told)
