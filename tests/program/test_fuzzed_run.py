"""A run whose providers answer whatever comes to mind, every so often, reaches its target and buys nothing twice."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from support.loopback_server import LoopbackServer, Received, Reply, well_behaved
from support.odd_replies import odd_reply
from support.program import QUICKLY, Program, section

PROVIDERS = ("mistral", "together", "huggingface", "endpoint")
TARGET = 40


@pytest.mark.parametrize("seed", [1, 2])
def test_odd_answers_cost_what_they_are_and_nothing_else(tmp_path: Path, seed: int) -> None:
    program = Program(tmp_path)
    good: Counter[str] = Counter()

    def behaviour(received: Received) -> Reply:
        draw = random.Random(f"{seed}/{received.number}")  # noqa: S311 - a test's draw
        if draw.random() < 0.25:
            # What asks for a pause of years would be given it.
            reply = odd_reply(draw)
            reply.headers.pop("Retry-After", None)
            reply.headers.pop("X-RateLimit-Reset", None)
            return reply
        good[received.asked] += 1
        return well_behaved(received)

    with LoopbackServer(behaviour) as server:
        program.configure("".join(section(name, server.url(name), max_in_flight=4) for name in PROVIDERS))
        ended = program.run("--providers", ",".join(PROVIDERS), "--target", str(TARGET), command=QUICKLY)
        sent = len(server.received)
    assert ended.status == 0, ended.said
    assert "Traceback" not in ended.said
    assert len({str(conversation) for conversation in program.conversations()}) == TARGET
    assert sum(good.values()) < sent
    # A good answer is used, and never asked for again.
    assert set(good.values()) == {1}
    [(recorded,)] = program.query("SELECT count(*) FROM steps WHERE kind != 'tools'")
    assert recorded >= len(good)
    assert program.query("SELECT count(*) FROM reservations") == [(0,)]
