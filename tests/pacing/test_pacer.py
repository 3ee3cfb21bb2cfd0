"""The pacer, in virtual time: no limit is ever exceeded, and none is left unused."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apep_datagen.core.messages import ReportedLimits
from apep_datagen.pacing.pacer import Pacer, Permit
from apep_datagen.pacing.token_window import TokenWindow
from support.virtual_time import run_in_virtual_time

FORGIVEN_SECONDS = 0.05  # what servers forgive
ROUNDING = 1e-6


@dataclass(slots=True)
class Traffic:
    """What a server saw: when each request came and was answered, with its tokens, and how many were there at once."""

    sent: list[tuple[float, int]] = field(default_factory=list)
    answered: list[tuple[float, int]] = field(default_factory=list)
    most_in_flight: int = 0

    @property
    def times(self) -> list[float]:
        return [at for at, _ in self.sent]


def now() -> float:
    return asyncio.get_running_loop().time()


async def send_for(
    seconds: float, pacer: Pacer, *, latency: Callable[[], float], tokens: Callable[[], int] = lambda: 0
) -> Traffic:
    """Send as many requests as the pacer permits, as a worker does."""
    traffic = Traffic()
    end = now() + seconds
    in_flight = 0

    async def answer(permit: Permit, cost: int) -> None:
        nonlocal in_flight
        await asyncio.sleep(latency())
        in_flight -= 1
        traffic.answered.append((now(), cost))
        pacer.release(permit, cost)

    async with asyncio.TaskGroup() as requests:
        while now() < end:
            permit = await pacer.acquire()
            cost = tokens()
            traffic.sent.append((now(), cost))
            in_flight += 1
            traffic.most_in_flight = max(traffic.most_in_flight, in_flight)
            assert pacer.in_flight == in_flight
            requests.create_task(answer(permit, cost))
            await asyncio.sleep(0)
    assert pacer.in_flight == 0
    return traffic


def refused_by_a_strict_server(times: list[float], rate: float) -> list[float]:
    """Return the requests that a generic cell rate algorithm would refuse.

    https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
    """
    refused = []
    expected = -float("inf")
    for at in times:
        if at < expected - FORGIVEN_SECONDS - ROUNDING:
            refused.append(at)
        else:
            expected = max(at, expected) + 1 / rate
    return refused


def most_tokens_in_a_minute(events: list[tuple[float, int]]) -> int:
    window: deque[tuple[float, int]] = deque()
    total = most = 0
    for at, tokens in sorted(events):
        window.append((at, tokens))
        total += tokens
        while window[0][0] <= at - 60 + ROUNDING:
            total -= window.popleft()[1]
        most = max(most, total)
    return most


# Requests per second.


@pytest.mark.parametrize("oversleep", [0.0, 0.002, 0.015])
@pytest.mark.parametrize("rate", [0.5, 1.0, 3.0, 10.0, 100.0])
def test_the_rate_is_kept_and_used(rate: float, oversleep: float) -> None:
    seconds = max(60.0, 200 / rate)

    async def main() -> Traffic:
        return await send_for(seconds, Pacer(requests_per_second=rate), latency=lambda: 2.0)

    times = run_in_virtual_time(main(), oversleep=oversleep).times
    assert refused_by_a_strict_server(times, rate) == []
    assert len(times) >= 0.99 * rate * seconds
    assert len(times) <= rate * (seconds + FORGIVEN_SECONDS) + 2


def test_after_an_idle_time_there_is_no_burst() -> None:
    async def main() -> list[float]:
        pacer = Pacer(requests_per_second=10)
        before = await send_for(5, pacer, latency=lambda: 1.0)
        await asyncio.sleep(600)
        after = await send_for(5, pacer, latency=lambda: 1.0)
        return before.times + after.times

    assert refused_by_a_strict_server(run_in_virtual_time(main()), 10) == []


def test_the_rate_is_used_whatever_the_latency() -> None:
    async def main() -> Traffic:
        return await send_for(300, Pacer(requests_per_second=5), latency=lambda: 40.0)

    traffic = run_in_virtual_time(main())
    assert len(traffic.sent) >= 0.99 * 5 * 300
    assert traffic.most_in_flight >= 0.99 * 5 * 40


def test_without_limits_nothing_waits() -> None:
    async def main() -> float:
        pacer, began = Pacer(), now()
        for _ in range(1_000):
            await pacer.acquire()
        return now() - began

    assert run_in_virtual_time(main()) < 0.01


# Tokens per minute.

LIMIT = 60_000


def mixed_costs() -> Iterator[int]:
    """Yield costs that differ; the highest comes so often that it is remembered."""
    draw = random.Random(1)  # noqa: S311 - no secret depends on it
    for number in itertools.count():
        yield 1_500 if number % 20 == 0 else draw.randint(500, 1_500)


@pytest.mark.parametrize("longest_latency", [0.2, 5.0])
@pytest.mark.parametrize("costs", ["equal", "mixed"])
def test_no_minute_holds_more_tokens_than_permitted_and_most_of_them_are_used(
    longest_latency: float, costs: str
) -> None:
    draw = random.Random(0)  # noqa: S311 - no secret depends on it
    tokens = itertools.repeat(1_000) if costs == "equal" else mixed_costs()

    async def main() -> Traffic:
        return await send_for(
            1_200,
            Pacer(tokens_per_minute=LIMIT, requests_per_second=20),
            latency=lambda: draw.uniform(0.1, longest_latency),
            tokens=lambda: next(tokens),
        )

    traffic = run_in_virtual_time(main())
    assert most_tokens_in_a_minute(traffic.sent) <= LIMIT
    assert most_tokens_in_a_minute(traffic.answered) <= LIMIT
    # The first minutes belong to learning what a request costs.
    began = traffic.sent[0][0]
    used = sum(tokens for at, tokens in traffic.sent if began + 120 <= at < began + 1_200)
    assert used >= 0.9 * LIMIT * 1_080 / 60


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(0.01, 90), st.integers(0, 4_000)), min_size=1, max_size=60), st.integers(1, 40))
def test_whatever_requests_take_and_cost_no_minute_holds_more(requests: list[tuple[float, int]], waiting: int) -> None:
    """Many wait at once, as after an outage; costs stay below what is assumed at first, and the highest comes first."""
    requests.sort(key=lambda request: -request[1])
    limit = 12_000
    traffic = Traffic()

    async def send(pacer: Pacer, queue: deque[tuple[float, int]]) -> None:
        while queue:
            permit = await pacer.acquire()
            if not queue:
                pacer.release(permit, 0)
                return
            latency, cost = queue.popleft()
            traffic.sent.append((now(), cost))
            await asyncio.sleep(latency)
            traffic.answered.append((now(), cost))
            pacer.release(permit, cost)

    async def main() -> None:
        pacer, queue = Pacer(tokens_per_minute=limit), deque(requests)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(waiting):
                tasks.create_task(send(pacer, queue))

    run_in_virtual_time(main())
    assert len(traffic.answered) == len(requests)
    assert most_tokens_in_a_minute(traffic.sent) <= limit
    assert most_tokens_in_a_minute(traffic.answered) <= limit


def test_a_request_larger_than_the_limit_goes_out_alone() -> None:
    async def main() -> Traffic:
        return await send_for(600, Pacer(tokens_per_minute=1_000), latency=lambda: 3.0, tokens=lambda: 5_000)

    traffic = run_in_virtual_time(main())
    began = traffic.times[0]
    assert [round(at - began) for at in traffic.times[:4]] == [0, 63, 126, 189]
    assert traffic.most_in_flight == 1


def test_a_refused_request_costs_no_tokens() -> None:
    async def main() -> float:
        pacer, began = Pacer(tokens_per_minute=4_000), now()
        for _ in range(50):
            pacer.release(await pacer.acquire(), 0)
        return now() - began

    assert run_in_virtual_time(main()) < 0.01


def test_a_request_of_unknown_cost_keeps_what_it_was_assumed_to_cost() -> None:
    async def main() -> float:
        pacer, began = Pacer(tokens_per_minute=4_000), now()
        pacer.release(await pacer.acquire(), None)
        await pacer.acquire()
        return now() - began

    assert run_in_virtual_time(main()) == pytest.approx(60)


# Pauses and requests in flight.


def test_nothing_is_sent_in_a_pause_and_the_rate_goes_on_behind_it() -> None:
    async def main() -> tuple[float, Traffic]:
        pacer, began = Pacer(requests_per_second=10), now()
        asyncio.get_running_loop().call_later(5, pacer.pause, 30)
        asyncio.get_running_loop().call_later(6, pacer.pause, 1)  # a shorter pause changes nothing
        traffic = await send_for(60, pacer, latency=lambda: 1.0)
        return began, traffic

    began, traffic = run_in_virtual_time(main())
    times = [at - began for at in traffic.times]
    assert not [at for at in times if 5 + ROUNDING < at < 35 - ROUNDING]
    assert min(at for at in times if at > 5 + ROUNDING) == pytest.approx(35)
    assert len(times) >= 0.98 * 10 * 30
    assert refused_by_a_strict_server(traffic.times, 10) == []


def test_a_pause_that_is_prolonged_holds_whoever_waits_for_it() -> None:
    async def main() -> float:
        pacer, began = Pacer(), now()
        pacer.pause(10)
        asyncio.get_running_loop().call_later(9, pacer.pause, 20)
        await pacer.acquire()
        assert pacer.paused_for <= 0
        return now() - began

    assert run_in_virtual_time(main()) == pytest.approx(29)


def test_no_more_are_in_flight_than_permitted() -> None:
    async def main() -> Traffic:
        return await send_for(100, Pacer(max_in_flight=4), latency=lambda: 2.0)

    traffic = run_in_virtual_time(main())
    assert traffic.most_in_flight == 4
    assert len(traffic.sent) >= 4 * 100 / 2


@settings(max_examples=60)
@given(
    st.lists(st.floats(0, 200), min_size=1, max_size=20),
    st.sampled_from([{"max_in_flight": 2}, {"tokens_per_minute": 8_000}, {"requests_per_second": 1}, {}]),
    st.floats(0, 100),
)
def test_an_acquire_that_is_cancelled_leaves_nothing_behind(
    moments: list[float], bound: dict[str, int], pause: float
) -> None:
    async def acquire_and_hold(pacer: Pacer) -> None:
        permit = await pacer.acquire()
        try:
            await asyncio.sleep(30)
        finally:
            pacer.release(permit, 4_000)

    async def main() -> None:
        pacer = Pacer(**{"max_in_flight": 3, "tokens_per_minute": 12_000, "requests_per_second": 2, **bound})
        pacer.pause(pause)
        tasks = [asyncio.create_task(acquire_and_hold(pacer)) for _ in moments]
        for task, moment in zip(tasks, moments, strict=True):
            asyncio.get_running_loop().call_later(moment, task.cancel)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert pacer.in_flight == 0
        await asyncio.sleep(200)
        # All that is permitted at once can be had at once, but for the rate.
        began = now()
        free = min(bound.get("max_in_flight", 3), bound.get("tokens_per_minute", 12_000) // 4_000)
        for _ in range(free):
            await pacer.acquire()
        assert now() - began <= free / bound.get("requests_per_second", 2)

    run_in_virtual_time(main())


def test_a_cancelled_permit_goes_to_who_waits_for_it() -> None:
    async def main() -> float:
        pacer, began = Pacer(max_in_flight=1), now()
        pacer.pause(50)
        first = asyncio.create_task(pacer.acquire())
        second = asyncio.create_task(pacer.acquire())
        await asyncio.sleep(10)
        first.cancel()
        await second
        return now() - began

    assert run_in_virtual_time(main()) == pytest.approx(50)


# What the provider answers.


@dataclass(slots=True)
class StrictServer:
    """Refuses each request that comes more than is forgiven before its turn, and notes what it saw."""

    rate: float
    times: list[float] = field(default_factory=list)
    refused: int = 0
    next_turn: float = 0.0

    def permits(self) -> bool:
        self.times.append(now())
        if now() < self.next_turn - FORGIVEN_SECONDS:
            self.refused += 1
            return False
        self.next_turn = max(self.next_turn, now()) + 1 / self.rate
        return True


async def send_to(server: StrictServer, pacer: Pacer, seconds: float, *, latency: float, senders: int = 1) -> None:
    """Send as many requests as the pacer permits; `senders` wait for permits at once."""
    end = now() + seconds

    async def answer(permit: Permit) -> None:
        if server.permits():
            await asyncio.sleep(latency)
            pacer.accepted(permit)
            pacer.release(permit, 100)
        else:
            await asyncio.sleep(min(latency, 0.05))
            assert pacer.rate_limited(permit, None) >= 0
            pacer.release(permit, 0)

    async def send(requests: asyncio.TaskGroup) -> None:
        while now() < end:
            requests.create_task(answer(await pacer.acquire()))
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as requests:
        for _ in range(senders):
            requests.create_task(send(requests))
    assert pacer.in_flight == 0


@pytest.mark.parametrize("oversleep", [0.0, 0.002])
@pytest.mark.parametrize("senders", [1, 5])
@pytest.mark.parametrize("configured", [10.0, 50.0, None])
def test_a_rate_above_the_true_one_finds_it_and_follows_it(
    configured: float | None, senders: int, oversleep: float
) -> None:
    async def main() -> tuple[StrictServer, float]:
        if configured is None:
            pacer, server = Pacer(max_in_flight=30), StrictServer(4.0)
        else:
            pacer, server = Pacer(requests_per_second=configured), StrictServer(0.4 * configured)
        began, first = now(), server.rate
        await send_to(server, pacer, 150, latency=2.0, senders=senders)
        server.rate *= 2
        await send_to(server, pacer, 150, latency=2.0, senders=senders)
        return server, 3 * first * (now() - began) / 2

    server, permitted = run_in_virtual_time(main(), oversleep=oversleep)
    # Without a rate, all that may be in flight goes out at first.
    assert server.refused < 0.03 * len(server.times) + (0 if configured else 30)
    assert len(server.times) - server.refused >= 0.9 * permitted


def test_a_429_pauses_as_long_as_it_asks_and_lowers_the_rate() -> None:
    async def main() -> None:
        pacer = Pacer(requests_per_second=10)
        first, second = await pacer.acquire(), await pacer.acquire()
        assert pacer.rate_limited(second, 7.0) == pytest.approx(7.0)
        assert pacer.rate_limited(first, 3.0) == pytest.approx(7.0, abs=0.001)  # the longer one is in force
        pacer.release(first, 0)
        pacer.release(second, 0)
        rate = pacer.requests_per_second
        assert rate is not None
        assert rate < 10
        began = now()
        times = []
        for _ in range(3):
            await pacer.acquire()
            times.append(now() - began)
        assert times[0] == pytest.approx(7.0, abs=0.001)
        assert times[1] - times[0] >= 1 / rate - FORGIVEN_SECONDS

    run_in_virtual_time(main())


@pytest.mark.parametrize("answered", [True, False])
def test_the_rate_grows_far_only_if_requests_are_answered(*, answered: bool) -> None:
    async def main() -> float | None:
        pacer = Pacer()
        first = await pacer.acquire()
        pacer.rate_limited(first, None)
        pacer.release(first, 0)
        for _ in range(500):
            permit = await pacer.acquire()
            if answered:
                pacer.accepted(permit)
            pacer.release(permit, None)
        return pacer.requests_per_second

    rate = run_in_virtual_time(main())
    assert rate is not None
    assert (rate > 10) == answered


def test_after_a_pause_and_a_raise_of_the_rate_there_is_no_burst() -> None:
    async def main() -> list[float]:
        pacer = Pacer(requests_per_second=20)
        pacer.learn(ReportedLimits(requests_per_second=1.0))
        times = (await send_for(5, pacer, latency=lambda: 1.0)).times
        pacer.pause(20)
        pacer.learn(ReportedLimits(requests_per_second=1_000.0))
        await asyncio.sleep(10)
        return times + (await send_for(20, pacer, latency=lambda: 1.0)).times

    times = run_in_virtual_time(main())
    assert refused_by_a_strict_server(times, 20) == []
    assert len(times) == pytest.approx(5 + 20 * 10, abs=6)  # the last at the old rate went out before the end


@pytest.mark.parametrize(
    ("configured", "reported", "rate"),
    [
        (10.0, [4.0], 4.0),
        (10.0, [40.0], 10.0),
        (10.0, [4.0, 8.0], 8.0),
        (10.0, [4.0, 40.0], 10.0),
        (None, [4.0], 4.0),
        (None, [4.0, 8.0], 8.0),
        (10.0, [4.0, 0.0, -1.0, float("nan"), float("inf")], 4.0),
        (None, [0.0], None),
    ],
)
def test_the_rate_that_a_provider_reports_is_kept_and_never_more_than_configured(
    configured: float | None, reported: list[float], rate: float | None
) -> None:
    async def main() -> tuple[float | None, Traffic]:
        pacer = Pacer(requests_per_second=configured, max_in_flight=100)
        for value in reported:
            pacer.learn(ReportedLimits(requests_per_second=value))
        return pacer.requests_per_second, await send_for(60, pacer, latency=lambda: 2.0)

    in_force, traffic = run_in_virtual_time(main())
    assert in_force == rate
    if rate is not None:
        assert refused_by_a_strict_server(traffic.times, rate) == []
        assert len(traffic.times) == pytest.approx(60 * rate, rel=0.02)


@pytest.mark.parametrize(
    ("configured", "reported", "limit"),
    [
        (60_000, [6_000], 6_000),
        (60_000, [600_000], 60_000),
        (60_000, [6_000, 30_000], 30_000),
        (60_000, [6_000, 600_000, 0, -5], 60_000),
        (None, [6_000], 6_000),
        (None, [6_000, 30_000], 30_000),
    ],
)
def test_the_tokens_that_a_provider_reports_are_kept_and_never_more_than_configured(
    configured: int | None, reported: list[int], limit: int
) -> None:
    async def main() -> Traffic:
        pacer = Pacer(tokens_per_minute=configured, max_in_flight=20)
        before = await pacer.acquire()  # a window that is made meanwhile knows nothing of it
        for value in reported:
            pacer.learn(ReportedLimits(tokens_per_minute=value))
        pacer.accepted(before)
        pacer.release(before, 1_000)
        await asyncio.sleep(61)
        return await send_for(600, pacer, latency=lambda: 1.0, tokens=lambda: 1_000)

    traffic = run_in_virtual_time(main())
    assert most_tokens_in_a_minute(traffic.sent) <= limit
    assert sum(tokens for _, tokens in traffic.sent) >= 0.85 * 10 * limit


def test_who_waits_for_tokens_goes_on_when_the_limit_is_raised() -> None:
    async def main() -> float:
        pacer, began = Pacer(tokens_per_minute=10_000), now()
        pacer.learn(ReportedLimits(tokens_per_minute=4_000))
        await pacer.acquire()
        asyncio.get_running_loop().call_later(10, pacer.learn, ReportedLimits(tokens_per_minute=10_000))
        await pacer.acquire()
        return now() - began

    assert run_in_virtual_time(main()) == pytest.approx(10)


@pytest.mark.parametrize(
    ("reported", "pause"),
    [
        (ReportedLimits(requests_left=0, requests_reset_seconds=5.0), 5.0),
        (ReportedLimits(requests_left=0, requests_reset_seconds=25_200.0), 25_200.0),
        (ReportedLimits(requests_left=0, requests_reset_seconds=float("inf")), 0.0),
        (ReportedLimits(requests_left=0, requests_reset_seconds=float("nan")), 0.0),
        (ReportedLimits(requests_left=0, requests_reset_seconds=-5.0), 0.0),
        (ReportedLimits(requests_left=0), 0.0),
        (ReportedLimits(requests_left=1, requests_reset_seconds=5.0), 0.0),
        (ReportedLimits(tokens_left=500, tokens_reset_seconds=5.0), 5.0),
        (ReportedLimits(tokens_left=500, tokens_reset_seconds=500.0), 500.0),
        (ReportedLimits(tokens_left=500), 0.0),
        (ReportedLimits(tokens_left=50_000, tokens_reset_seconds=5.0), 0.0),
        (ReportedLimits(tokens_per_minute=400, tokens_left=400, tokens_reset_seconds=5.0), 0.0),
        (ReportedLimits(tokens_per_minute=400, tokens_left=399, tokens_reset_seconds=5.0), 5.0),
        (ReportedLimits(), 0.0),
    ],
)
def test_what_a_provider_reports_as_spent_is_waited_for_however_long_it_takes(
    reported: ReportedLimits, pause: float
) -> None:
    async def main() -> float:
        pacer, began = Pacer(), now()
        pacer.learn(reported)
        await pacer.acquire()
        return now() - began

    assert run_in_virtual_time(main()) == pytest.approx(pause, abs=0.001)


@settings(max_examples=40)
@given(st.lists(st.floats(0, 30), min_size=1, max_size=15), st.floats(0.05, 3), st.floats(0, 10))
def test_a_turn_that_is_cancelled_goes_to_who_is_next(moments: list[float], rate: float, pause: float) -> None:
    async def main() -> tuple[int, list[float]]:
        pacer = Pacer(requests_per_second=10)
        pacer.learn(ReportedLimits(requests_per_second=rate))
        pacer.pause(pause)
        permitted: list[tuple[int, float]] = []

        async def acquire(number: int) -> None:
            await pacer.acquire()
            permitted.append((number, now()))

        tasks = [asyncio.create_task(acquire(number)) for number in range(len(moments))]
        for task, moment in zip(tasks, moments, strict=True):
            asyncio.get_running_loop().call_later(moment, task.cancel)
        await asyncio.gather(*tasks, return_exceptions=True)
        await acquire(len(moments))
        assert [number for number, _ in permitted] == sorted(number for number, _ in permitted)
        return pacer.in_flight, [at for _, at in permitted]

    in_flight, times = run_in_virtual_time(main())
    assert in_flight == len(times)
    assert refused_by_a_strict_server(times, rate) == []


@pytest.mark.parametrize("turns", range(6))
def test_who_waits_for_tokens_can_be_told_not_to_whenever_that_is(turns: int) -> None:
    async def main() -> None:
        window = TokenWindow(1)
        window.settle(await window.acquire(), 1)
        waiting = asyncio.create_task(window.acquire())
        for _ in range(5):
            await asyncio.sleep(0)
        window.set_limit(1)  # something has changed, and there is no room all the same
        for _ in range(turns):
            await asyncio.sleep(0)
        waiting.cancel()
        for _ in range(5):
            await asyncio.sleep(0)
        assert waiting.cancelled()

    asyncio.run(main())
