"""`benchmarks/reviewer.py`: what was answered is not asked again, and the agreement is that of answers and labels."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.loopback_server import LoopbackServer, Received, Reply, well_behaved
from support.paths import REPOSITORY
from support.waiting import PATIENCE_SECONDS

sys.path.insert(0, str(REPOSITORY / "benchmarks"))

from reviewer import Agreement

SCRIPT = REPOSITORY / "benchmarks" / "reviewer.py"


def run(answers: Path, *options: str) -> str:
    command = [sys.executable, str(SCRIPT), "--answers", str(answers), *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True)
    return ended.stdout


def test_it_goes_on_where_it_was_stopped_and_counts_what_there_is(tmp_path: Path) -> None:
    answers = tmp_path / "answers.jsonl"

    def behaviour(received: Received) -> Reply:
        if received.number % 3 == 0 and received.number < 40:
            return Reply("over capacity", status=503)
        return Reply("Fine.") if received.number % 10 == 1 else well_behaved(received)

    with LoopbackServer(behaviour) as server:
        endpoint = ("--base-url", server.url("endpoint"), "--model", "one")
        said = run(answers, *endpoint)
        answered = sum(received.status == 200 for received in server.received)
        assert f"{answered} of 90 are answered" in said
        assert f"{90 - answered} of 90 were not answered; the same command asks for them again" in said
        # A kill tears the last line.
        answers.write_text(answers.read_text("utf-8")[:-20], encoding="utf-8")
        before = len(server.received)
        assert "90 of 90 are answered" in run(answers, *endpoint)
        assert len(server.received) - before == 90 - answered + 1
        assert {received.step for received in server.received} == {"review"}
    assert "90 of 90 are answered" in run(answers)
    assert len({line[:40] for line in answers.read_text("utf-8").splitlines() if line.endswith("}")}) == 90


def test_it_says_how_often_both_say_so() -> None:
    found = Agreement.of([(True, True)] * 2 + [(True, False)] + [(False, True)] * 2 + [(False, False)] * 5)
    assert (found.both, found.reviewer_alone, found.readers_alone, found.neither) == (2, 1, 2, 5)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 4)
    # Observed 7 of 10; by chance 0.3 * 0.4 + 0.7 * 0.6.
    assert found.kappa == pytest.approx((0.7 - 0.54) / (1 - 0.54))


@given(st.lists(st.tuples(st.booleans(), st.booleans())))
def test_kappa_is_at_most_one_and_the_same_from_both_sides(pairs: list[tuple[bool, bool]]) -> None:
    found, turned = Agreement.of(pairs), Agreement.of((readers, reviewer) for reviewer, readers in pairs)
    assert math.isnan(found.kappa) or found.kappa == pytest.approx(turned.kappa)
    assert not found.kappa > 1 + 1e-9
    if {True, False} <= {pair[0] for pair in pairs} and all(one == other for one, other in pairs):
        assert found.kappa == pytest.approx(1)
