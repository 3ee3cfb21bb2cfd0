"""What a run makes of its limits when each role has providers of its own: in virtual time, with the real workers."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import pytest

from apep_datagen.config.serving import Serving
from apep_datagen.core.errors import TransientError
from apep_datagen.core.messages import Completion, CompletionRequest, ModelRole, Step, Usage
from apep_datagen.engine.context import RunContext
from apep_datagen.engine.counters import RunCounters
from support.simulated_run import START_SECONDS, Server, run_for

ROLES = {"t": ModelRole.TESTER, "a": ModelRole.ADA, "r": ModelRole.REWRITER}
NEEDED = (ModelRole.TESTER, ModelRole.ADA, ModelRole.REWRITER)


@dataclass(slots=True)
class Talking(Server):
    """Uses a tool in a third of Ada's answers, and remembers who was asked what."""

    steps: Counter[Step] = field(default_factory=Counter)

    async def complete(self, request: CompletionRequest) -> Completion:
        completion = await Server.complete(self, request)
        self.steps[request.step] += 1
        if request.step is Step.ANSWER and request.seed % 3 == 0:
            return Completion("<think>I look.</think>\n\n<tool_call>recall_memories()</tool_call>", "stop", Usage(9, 9))
        return completion


def serving(**names: str) -> Serving:
    """Return who serves whom, by the first letters of the roles: `t="x", a="xy"`."""
    return Serving(NEEDED, {role: tuple(names[letter]) for letter, role in ROLES.items()})


@dataclass(slots=True)
class Watched:
    """The largest number of conversations in progress, and those at the end."""

    most: int = 0
    context: RunContext | None = None

    def __call__(self, context: RunContext) -> None:
        self.context = context
        self._look()

    def _look(self) -> None:
        assert self.context is not None
        self.most = max(self.most, self.context.schedule.in_progress)
        if not self.context.stopping:
            asyncio.get_running_loop().call_later(0.05, self._look)


def run(
    seconds: float,
    rates: dict[str, float],
    who: Serving,
    *,
    latency: dict[str, tuple[float, float]] | None = None,
    exchanges: tuple[int, int] = (1, 1),
) -> tuple[dict[str, Talking], RunCounters, int]:
    latency = latency or {}
    servers = {
        name: Talking(lambda _, rate=rate: rate, latency=latency.get(name, (0.5, 3.0)))  # type: ignore[misc]
        for name, rate in rates.items()
    }
    watched = Watched()
    counters = run_for(
        seconds, rates, dict(servers), watch=watched, serving=who, exchanges=exchanges, rewrites="always"
    )
    return servers, counters, watched.most


@pytest.mark.parametrize(
    ("slowest", "rates"),
    [
        ("t", {"t": 2.0, "a": 20.0, "r": 20.0}),
        ("a", {"t": 20.0, "a": 2.0, "r": 20.0}),
        ("r", {"t": 20.0, "a": 20.0, "r": 2.0}),
    ],
)
def test_the_slowest_role_sets_the_pace_and_little_waits_for_it(slowest: str, rates: dict[str, float]) -> None:
    servers, _, most = run(200, rates, serving(t="t", a="a", r="r"), exchanges=(1, 4))
    assert servers[slowest].used(20, 200) >= 0.97
    # In flight are 20 to 30 at once where nothing piles up.
    assert most < 100


def test_where_the_rates_fit_all_of_them_are_used() -> None:
    servers, _, _ = run(150, {"t": 7.5, "a": 10.0, "r": 7.5}, serving(t="t", a="a", r="r"))
    assert all(server.used(20, 150) >= 0.95 for server in servers.values())


def test_a_fast_tester_begins_no_thousands_for_a_slow_ada() -> None:
    servers, _, most = run(100, {"t": 100.0, "a": 1.0, "r": 20.0}, serving(t="t", a="a", r="r"))
    assert servers["a"].used(10, 100) >= 0.97
    assert most < 60


def test_answers_that_take_long_are_on_their_way_in_time() -> None:
    slow = {"t": (10.0, 30.0)}
    servers, _, most = run(300, {"t": 20.0, "a": 4.0, "r": 20.0}, serving(t="t", a="a", r="r"), latency=slow)
    assert servers["a"].used(150, 300) >= 0.9
    # 20 seconds of 4 requests are on their way, and no more than that again waits.
    assert most < 200


def test_who_can_do_all_leaves_to_others_what_they_can_do() -> None:
    servers, _, _ = run(150, {"p": 10.0, "q": 5.0}, serving(t="p", a="pq", r="p"))
    assert all(server.used(20, 150) >= 0.95 for server in servers.values())
    assert set(servers["q"].steps) == {Step.ANSWER, Step.CONTINUE}


def test_when_ada_rests_the_others_do_not_pile_up_work_and_go_on_when_she_is_back() -> None:
    class Down(Talking):
        async def complete(self, request: CompletionRequest) -> Completion:
            if 50 <= asyncio.get_running_loop().time() - START_SECONDS < 100:
                raise TransientError("HTTP 503: over capacity")
            return await Talking.complete(self, request)

    servers = {"t": Talking(lambda _: 20.0), "a": Down(lambda _: 5.0)}
    watched, who = (
        Watched(),
        Serving(NEEDED[:2], {role: ("a" if role is ModelRole.ADA else "t",) for role in ModelRole}),
    )
    run_for(250, {"t": 20.0, "a": 5.0}, dict(servers), watch=watched, serving=who, rewrites="never")
    assert watched.most < 100
    # It rests at most as long again as it was down.
    assert servers["a"].used(170, 250) >= 0.95
