"""What goes wrong at a provider: asked again where that helps; elsewhere a conversation or a provider is left out."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from support.loopback_server import InTurn, LoopbackServer, Received, Reply, well_behaved
from support.program import Program, section

ADAPTERS = ("mistral", "together", "endpoint")  # each has its own way from an exception to a class of error


def contents(received: list[Received]) -> Counter[str]:
    return Counter(request.content for request in received)


def assert_complete(program: Program, target: int) -> None:
    lines = [json.dumps(messages) for messages in program.conversations()]
    assert len(lines) == len(set(lines)) == target
    assert program.query("SELECT count(*) FROM conversations WHERE status = 'active'") == [(0,)]


# Asking again.

ONCE = {
    "HTTP 500: out of order": Reply("out of order", status=500),
    "HTTP 503: over capacity": Reply("over capacity", status=503),
    "HTTP 502": Reply(raw="<html>Bad Gateway</html>", status=502),
    "it hung up without an answer|connection reset": Reply(fault="drop"),
    "its answer ended in the middle": Reply("Half", fault="tear"),
    "its answer is not a chat completion": Reply(raw="Hello, I am no JSON."),
    "its answer is not a chat completion|its answer holds no choice": Reply(raw='{"id": "1", "choices": []}'),
    "the answer is empty": Reply(""),
    "the answer was cut off at its length limit": Reply("She told me that", finish_reason="length"),
    "no answer within 5 s": Reply(fault="hang"),
    "": Reply("slow down", status=429),
}


class EveryOther:
    """Lets each second conversation through, so that failures are not in a row."""

    def __init__(self, behaviour: InTurn) -> None:
        self.failed = behaviour.failed
        self._behaviour = behaviour
        self._asked: list[str] = []

    def __call__(self, received: Received) -> Reply:
        if received.step == "ask" and received.prompt not in self._asked:
            self._asked.append(received.prompt)
        is_even = received.step == "ask" and self._asked.index(received.prompt) % 2 == 0
        return well_behaved(received) if is_even else self._behaviour(received)


def test_what_fails_once_is_asked_again_and_the_user_is_told_what_happened(tmp_path: Path) -> None:
    """At each provider, as many conversations as there are faults meet one of them at their first request."""
    program = Program(tmp_path)
    target = 8 * len(ONCE)
    behaviour = {name: EveryOther(InTurn(*ONCE.values())) for name in ADAPTERS}
    with LoopbackServer(lambda received: behaviour[received.provider](received)) as server:
        program.configure("".join(section(name, server.url(name), timeout_seconds=5.0) for name in ADAPTERS))
        ended = program.run("--providers", ",".join(ADAPTERS), "--target", str(target))
        sent = contents(server.received)
    assert ended.status == 0, ended.said
    for name in ADAPTERS:
        failed = contents(behaviour[name].failed)
        assert len(failed) == len(ONCE)
        assert all(sent[body] == 2 for body in failed), ended.said
        for words in ONCE:
            line = rf"^{name}: [a-z -]+, asking again in [\d.]+ m?s: ({words})" if words else f"^{name}: rate limited, "
            assert re.search(line, ended.said, re.MULTILINE), (words, ended.said)
    assert_complete(program, target)
    assert program.query("SELECT count(*) FROM conversations WHERE status = 'set aside'") == [(0,)]


def test_a_rate_limit_is_waited_out_as_the_provider_asks(tmp_path: Path) -> None:
    program = Program(tmp_path)
    limited = Reply("slow down", status=429, headers={"Retry-After": "1"})
    behaviour = {name: InTurn(limited) for name in ADAPTERS}
    with LoopbackServer(lambda received: behaviour[received.provider](received)) as server:
        # One at a time, so that nothing else is on its way when the server refuses.
        program.configure("".join(section(name, server.url(name), max_in_flight=1) for name in ADAPTERS))
        ended = program.run("--providers", ",".join(ADAPTERS), "--target", "9")
        received = {name: server.of(name) for name in ADAPTERS}
    assert ended.status == 0, ended.said
    for name, (refused, *later) in received.items():
        assert re.search(
            rf"^{name}: rate limited, waiting 1(\.0)? s, then [\d.]+ requests/s$", ended.said, re.MULTILINE
        )
        # Nothing is sent within that second, by no other conversation of this provider either.
        assert min(request.at for request in later) - refused.at >= 1.0
    assert_complete(program, 9)


# Conversations that fail for good.


def test_a_conversation_that_fails_for_good_is_set_aside_and_another_takes_its_place(tmp_path: Path) -> None:
    program = Program(tmp_path)

    def forgets_one(received: Received) -> Reply:
        """Let the second conversation store two memories, and then fail whenever it wants to go on."""
        if received.step == "answer" and not asked:
            asked.append(received.body["messages"][1]["content"])
            return Reply('<tool_call>add_memory(input_text=["lost", "as well"])</tool_call>')
        if received.step == "continue" and asked[0] == received.body["messages"][1]["content"]:
            return Reply("")
        return well_behaved(received)

    asked: list[str] = []
    with LoopbackServer(forgets_one) as server:
        program.configure(section("endpoint", server.url("endpoint"), requests_per_second=40))
        ended = program.run("--providers", "endpoint", "--target", "2")
        failed = contents([request for request in server.received if request.status == 200 and not request.answer])
    assert ended.status == 0, ended.said
    assert list(failed.values()) == [3]
    assert "is set aside, continue failed: the answer has no reply" in ended.said
    assert "0 conversations were rejected, 1 set aside" in ended.said
    assert program.query("SELECT reason FROM conversations WHERE status = 'set aside'") == [
        ("continue at endpoint: the answer has no reply",)
    ]
    assert program.query("SELECT count(*) FROM notes WHERE text IN ('lost', 'as well')") == [(0,)]
    assert_complete(program, 2)


def test_a_request_that_is_refused_twice_costs_one_conversation(tmp_path: Path) -> None:
    """Refused once, it is asked for once more, of any provider: it may refuse how it is asked, and others take it."""
    program = Program(tmp_path)
    refusals = {"the prompt is too long": 400, "not this": 422}
    refused: dict[str, str] = {}

    def refuses_two(received: Received) -> Reply:
        asked = received.body["messages"][-1]["content"]
        if received.step == "answer" and len(refused) < len(refusals):
            refused.setdefault(asked, list(refusals)[len(refused)])
        words = refused.get(asked) if received.step == "answer" else None
        return Reply(words, status=refusals[words]) if words else well_behaved(received)

    with LoopbackServer(refuses_two) as server:
        program.configure("".join(section(name, server.url(name)) for name in ADAPTERS))
        ended = program.run("--providers", ",".join(ADAPTERS), "--target", "12")
        sent = Counter(
            received.prompt for received in server.received if received.step == "answer" and received.status >= 400
        )
    assert ended.status == 0, ended.said
    # Twice; more often while another one is refused as well.
    assert set(sent) == set(refused)
    assert all(2 <= times <= 6 for times in sent.values()), sent
    assert ended.stdout.count("refused, asking once more: HTTP ") >= 2
    reasons = [reason for (reason,) in program.query("SELECT reason FROM conversations WHERE status = 'set aside'")]
    told = sorted(reason.partition(": ")[2] for reason in reasons)
    assert told == sorted(f"HTTP {status}: {words}" for words, status in refusals.items())
    assert_complete(program, 12)


# Providers that are out.

OFFERS = "; it offers model-one, model-two"
OUT = {
    "key, credit, model": {
        "mistral": (Reply("Unauthorized", status=401), "it refused the API key (HTTP 401: Unauthorized)"),
        "together": (Reply("no credit left", status=402), "its credit or quota is spent (HTTP 402: no credit left)"),
        "endpoint": (
            Reply("no such model", status=404),
            f"it does not know the model (HTTP 404: no such model){OFFERS}",
        ),
    },
    "models": {
        "mistral": (
            Reply(raw='{"object": "error", "message": "Invalid model: x", "type": "invalid_model"}', status=400),
            f"it does not know the model (HTTP 400: Invalid model: x){OFFERS}",
        ),
        "together": (
            Reply(raw='{"error": {"message": "no such model", "code": "model_not_available"}}', status=404),
            f"it does not know the model (HTTP 404: no such model){OFFERS}",
        ),
    },
}


@pytest.mark.parametrize("out", OUT.values(), ids=OUT)
def test_a_provider_that_cannot_be_used_is_left_out_and_the_others_finish(
    tmp_path: Path, out: dict[str, tuple[Reply, str]]
) -> None:
    """It is out in the middle of its conversations: what it had begun goes on elsewhere."""
    program = Program(tmp_path)

    def fails_later(received: Received) -> Reply:
        is_out = received.provider in out and received.step == "rewrite"
        return out[received.provider][0] if is_out else well_behaved(received)

    with LoopbackServer(fails_later, latency=0.05) as server:
        names = [*out, "other"]
        program.configure("".join(section(name, server.url(name)) for name in names))
        ended = program.run("--providers", ",".join(names), "--target", "8")
        refused = {request.provider for request in server.received if request.status >= 400}
        answered = [request for request in server.received if request.status == 200]
    assert ended.status == 0, ended.said
    assert refused == set(out)
    for name, (_, told) in out.items():
        assert ended.said.count(f"{name} is out for the rest of this run: {told}") == 1, ended.said
    # What was refused was asked elsewhere; nothing that was answered was asked again.
    assert set(Counter(request.asked for request in answered).values()) == {1}
    assert_complete(program, 8)


def test_when_the_only_provider_is_out_the_user_is_told_and_the_same_command_goes_on(tmp_path: Path) -> None:
    program = Program(tmp_path)
    broken = True

    def fails_after_a_while(received: Received) -> Reply:
        return Reply(status=401) if broken and received.number > 4 else well_behaved(received)

    options = ("--providers", "endpoint", "--target", "3")
    with LoopbackServer(fails_after_a_while) as server:
        program.configure(section("endpoint", server.url("endpoint")))
        ended = program.run(*options)
        assert ended.status == 5
        assert "No provider is left" in ended.stderr
        assert "of 3 conversations are in" in ended.stderr
        assert "check the key" in ended.stderr
        assert "the same command then goes on" in ended.stderr
        assert "Traceback" not in ended.said
        broken = False
        resumed = program.run(*options)
        answered = contents([request for request in server.received if request.status == 200])
    assert resumed.status == 0, resumed.said
    assert set(answered.values()) == {1}
    assert_complete(program, 3)
