"""A provider that fails altogether rests for a growing while and comes back by itself; meanwhile others take over."""

from __future__ import annotations

import itertools
import json
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.pacing.breaker import FAILURES_TO_OPEN, CircuitBreaker
from support.loopback_server import LoopbackServer, Received, Reply, well_behaved
from support.program import QUICKLY, SLOWLY, Program, section

LONGEST_REST = 300


def opened(breaker: CircuitBreaker, now: float) -> float:
    """Let a breaker rest, and return when it is over."""
    while not breaker.failed(now):
        pass
    return now + breaker.rests_for(now)


def test_it_rests_after_failures_in_a_row_and_an_answer_between_them_counts_from_the_beginning() -> None:
    breaker = CircuitBreaker()
    for _ in range(3):
        assert not any(breaker.failed(0) for _ in range(FAILURES_TO_OPEN - 1))
        assert breaker.rests_for(0) <= 0
        breaker.answered()
    assert [breaker.failed(0) for _ in range(FAILURES_TO_OPEN)] == [False] * (FAILURES_TO_OPEN - 1) + [True]
    assert 1.5 < breaker.rests_for(0) <= 2


def test_after_a_rest_one_failure_makes_the_next_rest_longer_and_one_answer_ends_it() -> None:
    breaker, now, rests = CircuitBreaker(), 0.0, []
    breaker.answered()
    for _ in range(12):
        end = opened(breaker, now)
        rests.append(end - now)
        now = end + 0.001
        assert breaker.rests_for(now) <= 0
        assert not breaker.is_closed
    assert all(2 * 0.9 * earlier <= later * 1.12 for earlier, later in itertools.pairwise(rests[:7]))
    assert 0.9 * LONGEST_REST <= rests[-1] <= LONGEST_REST
    breaker.answered()
    assert breaker.is_closed
    assert not breaker.failed(now)


def test_requests_that_were_under_way_do_not_prolong_a_rest() -> None:
    breaker = CircuitBreaker()
    end = opened(breaker, 10)
    assert not any(breaker.failed(10.5) for _ in range(100))
    assert 10.5 + breaker.rests_for(10.5) == end


def test_what_has_never_answered_does_not_come_back_and_what_has_always_may() -> None:
    for has_answered in (False, True):
        breaker, now = CircuitBreaker(), 0.0
        if has_answered:
            breaker.answered()
        for _ in range(10):
            now = opened(breaker, now) + 0.001
        assert breaker.never_comes_back is not has_answered


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 400)), max_size=200))
def test_whatever_happens_a_rest_is_never_longer_than_five_minutes(events: list[tuple[bool, float]]) -> None:
    breaker, now = CircuitBreaker(), 0.0
    for is_answer, seconds in events:
        now += seconds
        if is_answer:
            breaker.answered()
        else:
            breaker.failed(now)
        assert breaker.rests_for(now) <= LONGEST_REST


# The program.


def test_a_provider_that_is_down_for_a_while_is_relieved_by_the_other_and_comes_back(tmp_path: Path) -> None:
    program = Program(tmp_path)
    came: Counter[str] = Counter()
    healed: list[Received] = []
    is_back = False
    sound_may = 0

    def behaviour(received: Received) -> Reply:
        """Let the frail one fail from its tenth request on. Meanwhile the sound one is held, so that work is left."""
        came[received.provider] += 1
        number = came[received.provider]
        if received.provider == "sound":
            free = came["frail"] <= 10
            return replace(well_behaved(received), until=lambda: free or number <= sound_may or len(healed) > 10)
        if number > 10 and not is_back:
            return Reply("over capacity", status=503)
        if number > 10:
            healed.append(received)
        return well_behaved(received)

    with LoopbackServer(behaviour) as server:
        # One request at a time, so that nothing is on its way when the rest begins.
        program.configure(
            section("frail", server.url("frail"), requests_per_second=None, max_in_flight=1)
            + section("sound", server.url("sound"), requests_per_second=None, max_in_flight=2)
        )
        options = ("--providers", "frail,sound", "--target", "70", "--log-file", "log.jsonl")
        running = program.watch(*options, command=QUICKLY)
        running.wait_for("frail: 5 failures in a row, the last one: HTTP 503: over capacity; resting for")
        sound_may = came["sound"] + 20
        server.wait_until(lambda: came["sound"] > sound_may)  # the other one has taken over
        is_back = True
        ended = running.end()
        answered = Counter(item.asked for item in server.received if item.status == 200)
    assert ended.status == 0, ended.said
    assert set(answered.values()) == {1}
    assert len(program.conversations()) == 70
    assert program.query("SELECT count(*) FROM conversations WHERE status = 'set aside'") == [(0,)]
    events = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    of_frail = [event for event in events if event.get("provider") == "frail"]
    happened = [event.get("state", event["event"]) for event in of_frail]
    since, working, rests = happened.index("resting"), happened.index("working"), happened.count("resting")
    # While it rests nothing goes there, and then a probe. What a request leads to is logged before the request.
    assert happened[since:working] == ["resting", "request", "probing"] * rests
    assert set(happened[working + 1 :]) == {"request"}
    assert len(happened[working + 1 :]) > 10


def test_when_all_are_down_the_run_waits_and_goes_on_by_itself(tmp_path: Path) -> None:
    program = Program(tmp_path)
    down = True

    def behaviour(received: Received) -> Reply:
        return Reply(fault="drop") if down and received.number > 6 else well_behaved(received)

    with LoopbackServer(behaviour) as server:
        program.configure(section("endpoint", server.url("endpoint"), max_in_flight=1))  # so failures come one by one
        running = program.watch("--providers", "endpoint", "--target", "10", command=QUICKLY)
        running.wait_for("endpoint: 5 failures in a row")
        running.wait_for("endpoint: 6 failures in a row")  # the probe
        down = False
        ended = running.end()
    assert ended.status == 0, ended.said
    assert len(program.conversations()) == 10
    assert program.query("SELECT count(*) FROM conversations WHERE status = 'set aside'") == [(0,)]


def test_a_signal_ends_a_rest_at_once(tmp_path: Path) -> None:
    program = Program(tmp_path)
    with LoopbackServer(lambda _: Reply(status=503)) as server:
        program.configure(section("endpoint", server.url("endpoint"), requests_per_second=None, max_in_flight=10))
        running = program.watch("--providers", "endpoint", "--target", "10", command=SLOWLY)
        running.wait_for("resting for")
        running.process.send_signal(signal.SIGINT)
        ended = running.end()
    assert ended.status == 130, ended.said
    assert "Traceback" not in ended.said


def test_a_request_that_fails_by_itself_costs_one_conversation_and_not_the_provider(tmp_path: Path) -> None:
    """Also where several fail in a row, because all others wait for nothing but them."""
    program = Program(tmp_path)
    poison: list[str] = []

    def behaviour(received: Received) -> Reply:
        if received.step == "answer" and not poison:
            poison.append(received.prompt)
        is_poison = received.step == "answer" and received.prompt in poison
        return Reply("out of order", status=500) if is_poison else well_behaved(received)

    with LoopbackServer(behaviour) as server:
        program.configure(section("endpoint", server.url("endpoint")))
        ended = program.run("--providers", "endpoint", "--target", "12", command=QUICKLY)
    assert ended.status == 0, ended.said
    assert "is set aside, answer failed: HTTP 500" in ended.said or "resting" in ended.said
    assert len(program.conversations()) == 12
