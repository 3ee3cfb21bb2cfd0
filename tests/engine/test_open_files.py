"""The files that a run may have open: the limit is raised, and where it still is too low, fewer requests are sent."""

from __future__ import annotations

import functools
import math
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.engine.open_files import share_connections
from support.loopback_server import LoopbackServer, Received, Reply, well_behaved
from support.program import Ended, Program, section


def run_with(program: Program, soft: int, hard: int, *options: str) -> Ended:
    limit = functools.partial(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
    return program.run("--providers", "endpoint", *options, preexec_fn=limit)


def test_the_limit_is_raised_as_far_as_the_system_permits(tmp_path: Path) -> None:
    """Fifty requests are in flight, where only forty files might be open at first."""
    program = Program(tmp_path)

    def waits_for_all(received: Received) -> Reply:
        reply = well_behaved(received)
        reply.until = lambda: len(server.received) >= 50
        return reply

    with LoopbackServer(waits_for_all) as server:
        program.configure(section("endpoint", server.url("endpoint"), requests_per_second=1000, max_in_flight=50))
        ended = run_with(program, 40, 500, "--target", "50")
    assert ended.status == 0, ended.said
    assert "may be open" not in ended.said


def test_fewer_requests_are_in_flight_where_no_more_files_may_be_open_and_that_is_told(tmp_path: Path) -> None:
    program = Program(tmp_path)
    most = 0

    def notes_how_many(received: Received) -> Reply:
        nonlocal most
        most = max(most, sum(request.status == 0 for request in server.received))
        reply = well_behaved(received)
        reply.delay = 0.05
        return reply

    with LoopbackServer(notes_how_many) as server:
        program.configure(section("endpoint", server.url("endpoint"), requests_per_second=1000, max_in_flight=200))
        ended = run_with(program, 20, 80, "--target", "60")
    assert ended.status == 0, ended.said
    assert (
        ended.said.count("endpoint: its requests in flight are limited to 16, because only 80 files may be open") == 1
    )
    assert "(0 retries)" in ended.said
    assert 1 < most <= 16


def test_a_limit_that_leaves_no_room_is_told_before_anything_is_made(tmp_path: Path) -> None:
    program = Program(tmp_path)
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint")))
        there = list(tmp_path.rglob("*"))
        ended = run_with(program, 30, 30, "--target", "1")
        assert server.received == []
    assert ended.status == 2, ended.said
    assert "only 30 files may be open" in ended.stderr
    assert "ulimit -n" in ended.stderr
    assert list(tmp_path.rglob("*")) == there


NEEDS = st.one_of(st.integers(1, 10_000), st.floats(1, 1e6), st.just(math.inf))


@given(st.integers(-5, 5_000), st.dictionaries(st.text(min_size=1), NEEDS, min_size=1, max_size=6))
def test_connections_are_shared_so_that_none_is_without_and_none_has_more_than_it_needs(
    connections: int, needs: dict[str, float]
) -> None:
    shares = share_connections(connections, needs)
    assert shares.keys() == needs.keys()
    for name, share in shares.items():
        assert 1 <= share <= math.ceil(min(needs[name], 1e9))
    assert sum(shares.values()) <= max(connections, len(needs)) + len(needs)  # a need is rounded up
    short = [share for name, share in shares.items() if share < needs[name]]
    assert not short or max(short) - min(short) <= 1
    assert not short or min(short) >= max(
        share for share in shares.values() if share not in short or share <= min(short)
    )


@pytest.mark.parametrize(
    ("connections", "needs", "shares"),
    [
        (100, {"slow": 4, "fast": 1000}, {"slow": 4, "fast": 96}),
        (100, {"a": math.inf, "b": 300.5, "c": 10}, {"a": 45, "b": 45, "c": 10}),
        (100, {"a": 20, "b": 30.5}, {"a": 20, "b": 31}),
        (0, {"a": 7, "b": 1}, {"a": 1, "b": 1}),
    ],
)
def test_who_needs_few_connections_gets_them_and_the_others_share_the_rest(
    connections: int, needs: dict[str, float], shares: dict[str, int]
) -> None:
    assert share_connections(connections, needs) == shares
