"""Killed at random again and again, by a server that answers badly: every answer is paid for and used exactly once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.loopback_server import FAULTS
from support.tortured_program import Tortured, prove, torture

# Two runs at a time, because most of their time is the start of the program, over and over.
RUNS = {20: ("mistral", "one"), 21: ("together", "one")}


def test_whatever_fails_and_whenever_it_is_killed_everything_happens_exactly_once(tmp_path: Path) -> None:
    def run(seed: int) -> Tortured:
        directory = tmp_path / str(seed)
        directory.mkdir()
        return torture(directory, seed=seed, kills=26, conversations=110, providers=RUNS[seed])

    with ThreadPoolExecutor() as pool:
        runs = list(pool.map(run, RUNS))
    for tortured in runs:
        prove(tortured)

    # It was a torture: every kind of fault, and kills in every phase.
    assert {request.drawn for tortured in runs for request in tortured.received} == {"", *FAULTS}
    kills = [(tortured, kill) for tortured in runs for kill in tortured.kills]
    assert len(kills) >= 50
    assert any(not tortured.of_life[kill.life] for tortured, kill in kills)  # before the first request
    assert any(tortured.unanswered_at(kill) for tortured, kill in kills)  # while an answer was waited for
    assert any(tortured.in_flight_at(kill) - tortured.unanswered_at(kill) for tortured, kill in kills)  # just after it


def test_without_a_kill_nothing_is_paid_for_twice_whatever_fails(tmp_path: Path) -> None:
    tortured = torture(tmp_path, seed=21, kills=0, conversations=60, providers=("one", "two"))
    prove(tortured)
    assert not tortured.in_flight
    assert tortured.answered_twice == 0
