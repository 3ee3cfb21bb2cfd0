"""The adaptive rate, against simulated servers that count in different ways: it settles near what they permit."""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.pacing.adaptive_rate import FORGIVEN_SECONDS, AdaptiveRate, Sending

ROUNDING = 1e-6


class Server(Protocol):
    """Permits `rate` requests per second, which can change."""

    rate: float

    def seconds_early(self, at: float) -> float:
        """Count a request; 0 if it is permitted, else in how many seconds one would be."""
        ...


@dataclass(slots=True)
class StrictServer:
    """Refuses each request that comes more than 50 ms before its turn (GCRA)."""

    rate: float
    next_turn: float = 0.0

    def seconds_early(self, at: float) -> float:
        if at < self.next_turn - 0.05:
            return self.next_turn - 0.05 - at
        self.next_turn = max(self.next_turn, at) + 1 / self.rate
        return 0.0


@dataclass(slots=True)
class BucketServer:
    """Permits as many at once as its bucket holds."""

    rate: float
    size: float
    level: float = 0.0
    at: float = 0.0

    def seconds_early(self, at: float) -> float:
        self.level = min(self.size, self.level + (at - self.at) * self.rate)
        self.at = at
        if self.level < 1:
            return (1 - self.level) / self.rate
        self.level -= 1
        return 0.0


@dataclass(slots=True)
class WindowServer:
    """Permits so many in each second, or in each minute."""

    rate: float
    length: float
    window: float = -1.0
    count: int = 0

    def seconds_early(self, at: float) -> float:
        window = at // self.length
        if window != self.window:
            self.window, self.count = window, 0
        if self.count >= math.floor(self.rate * self.length + ROUNDING):
            return (window + 1) * self.length - at
        self.count += 1
        return 0.0


SERVERS: dict[str, Callable[[float], Server]] = {
    "strict": StrictServer,
    "bucket of 5": lambda rate: BucketServer(rate, 5),
    "bucket of 20": lambda rate: BucketServer(rate, 20),
    "seconds": lambda rate: WindowServer(rate, 1.0),
    "minutes": lambda rate: WindowServer(rate, 60.0),
}


@dataclass(slots=True)
class Outcome:
    """What came of a simulation."""

    permitted: float = 0.0
    sent: list[float] = field(default_factory=list)
    accepted: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    @property
    def used(self) -> float:
        return len(self.accepted) / self.permitted

    @property
    def refused_share(self) -> float:
        return 1 - len(self.accepted) / len(self.sent)


def simulate(
    server: Server,
    configured: float | None,
    true_rates: list[tuple[float, float]],
    *,
    latency: float = 2.0,
    refusal_latency: float = 0.05,
    says_when: bool = False,
    refused_by_chance: float = 0.0,
    seed: int = 0,
) -> Outcome:
    """Send all that the rate permits; `true_rates` are durations, in seconds, with the server's rate in each."""
    draw = random.Random(seed)  # noqa: S311 - no secret depends on it
    rate = AdaptiveRate(configured, jitter=draw.random)
    outcome = Outcome(permitted=sum(seconds * true_rate for seconds, true_rate in true_rates))
    answers: list[tuple[float, int, Sending, float]] = []
    number = itertools.count()
    now = end = paused_until = draw.uniform(0.1, 0.9)
    for seconds, server.rate in true_rates:
        end += seconds
        while True:
            next_turn = max(now, paused_until) + rate.wait(max(now, paused_until))
            if min(answers[0][0] if answers else math.inf, next_turn) >= end:
                break
            if answers and answers[0][0] <= next_turn:
                now, _, sending, early = heapq.heappop(answers)
                if early:
                    retry_after = float(math.ceil(early)) if says_when else None
                    paused_until = max(paused_until, now + rate.refused(sending, retry_after, now))
                else:
                    rate.accepted(sending)
                continue
            now = next_turn + draw.uniform(0, 0.002)
            sending = rate.sent(now)
            outcome.sent.append(now)
            outcome.rates.append(rate.requests_per_second or math.inf)
            early = server.seconds_early(now + draw.uniform(0.01, 0.03))
            if draw.random() < refused_by_chance:
                early = 1.0
            if not early:
                outcome.accepted.append(now)
            delay = refusal_latency if early else latency * draw.uniform(0.8, 1.2)
            heapq.heappush(answers, (now + delay, next(number), sending, early))
    return outcome


def lower_then_higher(configured: float) -> list[tuple[float, float]]:
    return [(150, 0.4 * configured), (150, 0.8 * configured)]


@pytest.mark.parametrize("latency", [0.2, 2.0])
@pytest.mark.parametrize("configured", [5.0, 10.0, 20.0, 50.0])
@pytest.mark.parametrize("kind", ["strict", "bucket of 5", "bucket of 20"])
def test_a_true_rate_that_is_lower_and_changes_is_found_and_used(kind: str, configured: float, latency: float) -> None:
    outcomes = [
        simulate(SERVERS[kind](1), configured, lower_then_higher(configured), latency=latency, seed=seed)
        for seed in range(3)
    ]
    assert sum(outcome.used for outcome in outcomes) / 3 >= 0.9
    assert max(outcome.refused_share for outcome in outcomes) < 0.03


@pytest.mark.parametrize(
    ("kind", "configured", "options", "used", "refused"),
    [
        # At one or two requests a second there are too few to find a limit at so small a price.
        ("strict", 1.0, {}, 0.6, 0.06),
        ("strict", 2.0, {}, 0.8, 0.04),
        ("bucket of 5", 2.0, {}, 0.85, 0.04),
        # What a server asks to wait, in whole seconds, is lost whenever the limit is tried.
        ("strict", 10.0, {"says_when": True}, 0.83, 0.03),
        ("strict", 50.0, {"says_when": True}, 0.86, 0.03),
        ("bucket of 20", 20.0, {"says_when": True}, 0.9, 0.03),
        # What is sent until the first refusal arrives is refused as well.
        ("strict", 20.0, {"refusal_latency": 2.0}, 0.85, 0.03),
        ("bucket of 5", 20.0, {"refusal_latency": 2.0, "says_when": True}, 0.7, 0.03),
        ("strict", 20.0, {"latency": 10.0}, 0.9, 0.03),
        ("strict", 20.0, {"latency": 10.0, "refusal_latency": 10.0}, 0.6, 0.08),
        # Servers with windows.
        ("seconds", 10.0, {}, 0.88, 0.03),
        ("seconds", 10.0, {"says_when": True}, 0.8, 0.03),
        ("minutes", 1.0, {}, 0.6, 0.09),
        ("minutes", 1.0, {"says_when": True}, 0.8, 0.03),
        ("minutes", 10.0, {}, 0.85, 0.03),
        ("minutes", 10.0, {"says_when": True}, 0.9, 0.01),
    ],
)
def test_what_servers_that_are_hard_to_find_out_about_cost(
    kind: str, configured: float, options: dict[str, float], used: float, refused: float
) -> None:
    outcomes = [
        simulate(SERVERS[kind](1), configured, lower_then_higher(configured), seed=seed, **options)  # type: ignore[arg-type]
        for seed in range(2)
    ]
    assert sum(outcome.used for outcome in outcomes) / 2 >= used
    assert sum(outcome.refused_share for outcome in outcomes) / 2 < refused


def test_a_rate_that_is_true_is_kept_from_the_first_request_on() -> None:
    outcome = simulate(StrictServer(20), 20.0, [(300, 20.0)])
    assert outcome.used >= 0.99
    assert set(outcome.rates) == {20.0}


@pytest.mark.parametrize("true_rate", [2.0, 20.0, 200.0])
def test_without_a_ceiling_the_rate_begins_where_it_was_refused_and_grows_with_the_limit(true_rate: float) -> None:
    # Whoever sends without a rate is bound by what is in flight; here, by a rate that is far too high.
    rate = AdaptiveRate(None)
    assert rate.requests_per_second is None
    sendings = [rate.sent(0.002 * number) for number in range(32)]
    for sending in sendings:
        assert rate.wait(sending.at) == 0
    rate.refused(sendings[5], None, 0.1)
    assert rate.requests_per_second is not None
    assert 10 < rate.requests_per_second < 32
    server, now, accepted = StrictServer(true_rate), 1.0, 0
    while now < 241:
        now += rate.wait(now)
        sending = rate.sent(now)
        if server.seconds_early(now):
            now += rate.refused(sending, None, now + 0.01)
        else:
            rate.accepted(sending)
            accepted += now > 121
    assert accepted >= 0.85 * 120 * true_rate


def test_refusals_by_chance_do_not_let_the_rate_sink() -> None:
    for seed in range(3):
        outcome = simulate(StrictServer(20), 20.0, [(3_600, 20.0)], refused_by_chance=0.015, seed=seed)
        assert outcome.used >= 0.5
        assert min(outcome.rates) > 2


def test_a_server_with_windows_is_asked_evenly_soon() -> None:
    outcome = simulate(WindowServer(24 / 60, 60.0), 1.0, [(1_200, 24 / 60)], says_when=True)
    busy_minutes = [sum(minute * 60 <= at < minute * 60 + 60 for at in outcome.sent) for minute in range(2, 20)]
    assert min(busy_minutes) >= 20
    assert max(busy_minutes) <= 28
    # No minute's requests all come at its beginning.
    late = sum(at % 60 >= 30 for at in outcome.accepted if at >= 120)
    assert late >= 0.4 * sum(at >= 120 for at in outcome.accepted)


def test_one_episode_of_refusals_cuts_once() -> None:
    rate = AdaptiveRate(10.0, jitter=lambda: 0.0)
    sendings = [rate.sent(0.1 * number) for number in range(10)]
    assert rate.refused(sendings[8], None, 1.0) > 0
    after_the_first = rate.requests_per_second
    assert rate.refused(sendings[9], None, 1.0) == 0
    pauses = [rate.refused(rate.sent(second), None, second + 0.1) for second in (1.2, 1.5, 2.1, 3.3)]
    assert rate.requests_per_second == after_the_first
    assert [round(later / earlier) for earlier, later in itertools.pairwise(pauses)] == [2, 2, 2]


def test_refusals_lower_the_rate_to_what_was_let_through() -> None:
    rate = AdaptiveRate(50.0)
    sendings = [rate.sent(0.02 * number) for number in range(500)]
    for sending in sendings:
        if sending.number % 5 in {0, 1, 3}:  # three fifths, each answered 10 s later
            rate.refused(sending, None, sending.at + 10)
    assert rate.requests_per_second == pytest.approx(20, rel=0.1)


def test_retry_after_is_used_as_it_is_and_0_is_one_interval() -> None:
    rate = AdaptiveRate(10.0)
    rate.sent(0.0)
    assert rate.refused(rate.sent(0.1), 17.5, 0.2) == 17.5
    in_force = rate.requests_per_second
    assert in_force is not None
    assert rate.refused(rate.sent(18.0), 0.0, 18.1) >= 1 / in_force


def cut_at_ten(refusal_delay: float = 0.1) -> AdaptiveRate:
    """Return a rate that was refused at 10/s, at second 2, and may grow to 100/s."""
    rate = AdaptiveRate(10.0)
    rate.sent(1.9 - refusal_delay)
    rate.refused(rate.sent(2 - refusal_delay), None, 2.0)
    rate.set_ceiling(100.0)
    return rate


def send_evenly(rate: AdaptiveRate, since: float, requests: int, *, answered: bool) -> float:
    """Send at each turn, and return when the last one was."""
    now = since
    for _ in range(requests):
        now += rate.wait(now)
        sending = rate.sent(now)
        if answered:
            rate.accepted(sending)
    return now


def test_a_rate_that_is_not_answered_does_not_grow_far() -> None:
    rate = cut_at_ten()
    send_evenly(rate, 3.0, 5_000, answered=False)
    assert 10 < (rate.requests_per_second or 0) < 20
    rate = cut_at_ten()
    send_evenly(rate, 3.0, 5_000, answered=True)
    assert rate.requests_per_second == 100.0


def test_a_rate_that_is_not_used_does_not_grow() -> None:
    rate = cut_at_ten()
    before = rate.requests_per_second
    for second in range(3, 1_000):
        rate.accepted(rate.sent(float(second)))
    assert rate.requests_per_second == before


def test_the_rate_does_not_grow_while_refusals_may_be_under_way() -> None:
    rate = cut_at_ten(refusal_delay=5.0)
    before = rate.requests_per_second
    assert before is not None
    end = send_evenly(rate, 2.5, int(4 * before), answered=True)
    assert end < 7
    assert rate.requests_per_second == before
    send_evenly(rate, 7.0, 50, answered=True)
    assert rate.requests_per_second > before


def test_behind_a_pause_that_was_too_short_one_request_tries_whether_it_is_over() -> None:
    rate = cut_at_ten(refusal_delay=5.0)
    rate.refused(rate.sent(10.0), None, 15.0)
    rate.sent(20.0)
    assert rate.wait(20.0) >= 5
    rate.sent(26.0)
    assert rate.wait(26.0) < 1


def test_a_refusal_that_took_very_long_does_not_hold_the_rate_as_long() -> None:
    rate = cut_at_ten(refusal_delay=1.0)
    rate.refused(rate.sent(10.0), None, 310.0)
    rate.sent(320.0)
    assert rate.wait(320.0) < 20


def test_backing_off_ends_at_a_minute() -> None:
    rate, now = AdaptiveRate(10.0), 0.0
    for _ in range(50):
        pause = rate.refused(rate.sent(now), None, now + 0.1)
        assert pause <= 60
        now += pause + 0.1
    assert pause == 60


def test_a_ceiling_that_changes_takes_a_rate_that_was_at_it_along() -> None:
    rate = AdaptiveRate(None)
    for ceiling in (5.0, 2.0, 8.0):
        rate.set_ceiling(ceiling)
        assert rate.requests_per_second == ceiling
    rate.sent(0.0)
    rate.refused(rate.sent(0.1), None, 0.2)
    cut = rate.requests_per_second
    rate.set_ceiling(100.0)
    assert rate.requests_per_second == cut
    rate.set_ceiling(1.0)
    assert rate.requests_per_second == 1.0


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.floats(0, 100)),
        st.tuples(st.just("send at once"), st.just(0.0)),
        st.tuples(st.just("accept"), st.integers(0, 10)),
        st.tuples(st.just("refuse"), st.tuples(st.integers(0, 10), st.none() | st.floats(0, 90_000))),
        st.tuples(st.just("ceiling"), st.floats(0.001, 1_000)),
    ),
    max_size=150,
)


@given(st.none() | st.floats(0.001, 10_000), EVENTS)
def test_whatever_happens_the_rate_is_between_floor_and_ceiling_and_turns_keep_it(
    ceiling: float | None, events: list[tuple[str, object]]
) -> None:
    rate, now, paused_until, sendings = AdaptiveRate(ceiling), 0.0, 0.0, [AdaptiveRate(ceiling).sent(0.0)]
    sendings = [rate.sent(0.0)]
    first_floor = 0.02 * ceiling if ceiling else 0.0
    for what, value in events:
        if isinstance(value, float) and what.startswith("send"):
            for _ in range(8 if what == "send at once" else 1):
                now = max(now + value, paused_until)
                now += rate.wait(now)
                assert rate.wait(now) <= ROUNDING * max(1.0, now)
                before = rate.requests_per_second
                sendings.append(rate.sent(now))
                after = rate.requests_per_second
                if before and after:
                    # The next turn is a whole interval later, but for what is forgiven.
                    assert rate.wait(now) >= 1 / after - 2 * FORGIVEN_SECONDS - ROUNDING * max(1.0, now)
        elif isinstance(value, int):
            rate.accepted(sendings[-1 - value % len(sendings)])
        elif isinstance(value, tuple):
            index, retry_after = value
            pause = rate.refused(sendings[-1 - index % len(sendings)], retry_after, now)
            assert 0 <= pause <= max(60, retry_after or 0)
            paused_until = now + pause
        elif isinstance(value, float):
            ceiling = value
            first_floor = 0.02 * ceiling
            rate.set_ceiling(ceiling)
        in_force = rate.requests_per_second
        if in_force is not None:
            assert math.isfinite(in_force)
            assert in_force > 0
            assert first_floor * (1 - ROUNDING) <= in_force <= (ceiling or 1_000.0)
    assert rate.requests_per_second is not None or ceiling is None
