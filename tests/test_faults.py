"""What goes wrong at a provider: asked again where that helps; elsewhere a conversation or a provider is left out."""

from __future__ import annotations

import json
import re
import socket
from collections import Counter
from pathlib import Path

import pytest
from loopback_server import InTurn, LoopbackServer, Received, Reply, well_behaved
from program import Program, section

ADAPTERS = ("mistral", "together", "endpoint")  # each has its own way from an exception to a class of error


def bodies(received: list[Received]) -> Counter[str]:
    return Counter(json.dumps(request.body, sort_keys=True) for request in received)


def prompts(received: list[Received]) -> Counter[str]:
    """Count requests by what was asked, whatever the provider's spelling of everything else."""
    return Counter(json.dumps(request.body["messages"]) for request in received)


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
    "no answer within 1 s": Reply(fault="hang"),
}


@pytest.mark.parametrize("provider", ADAPTERS)
def test_what_fails_once_is_asked_again_and_the_user_is_told_what_happened(tmp_path: Path, provider: str) -> None:
    """Each of as many conversations as there are faults meets one of them at its first request."""
    program = Program(tmp_path)
    behaviour = InTurn(*ONCE.values())
    with LoopbackServer(behaviour) as server:
        program.configure(section(provider, server.url(provider), timeout_seconds=1.0))
        ended = program.run("--providers", provider, "--target", str(len(ONCE)))
        sent = bodies(server.received)
    assert ended.status == 0, ended.said
    assert len(behaviour.failed) == len(ONCE)
    assert all(count == 2 for body, count in sent.items() if body in bodies(behaviour.failed)), ended.said
    for words in ONCE:
        kind = "unusable answer" if words.startswith("the answer") else "unavailable"
        line = rf"^{provider}: {kind} \(attempt 1/3\), waiting [\d.]+ s: ({words})"
        assert re.search(line, ended.said, re.MULTILINE), (words, ended.said)
    assert_complete(program, len(ONCE))
    assert program.query("SELECT count(*) FROM conversations WHERE status = 'set aside'") == [(0,)]


@pytest.mark.parametrize("provider", ADAPTERS)
def test_a_rate_limit_is_waited_out_as_the_provider_asks(tmp_path: Path, provider: str) -> None:
    program = Program(tmp_path)
    limited = Reply("slow down", status=429, headers={"Retry-After": "1"})
    with LoopbackServer(InTurn(limited)) as server:
        program.configure(section(provider, server.url(provider), requests_per_second=10))
        ended = program.run("--providers", provider, "--target", "3")
        refused, *received = server.received
    assert ended.status == 0, ended.said
    assert f"{provider}: rate limited (attempt 1/3), waiting 1 s\n" in ended.said
    # Nothing is sent within that second, by no other conversation either.
    assert min(request.at for request in received) - refused.at >= 1.0
    assert_complete(program, 3)


def test_a_rate_limit_without_retry_after_is_waited_out_ever_longer(tmp_path: Path) -> None:
    program = Program(tmp_path)

    def limited_twice(received: Received) -> Reply:
        return Reply(status=429) if received.number <= 2 else well_behaved(received)

    with LoopbackServer(limited_twice) as server:
        program.configure(section("endpoint", server.url("endpoint")))
        ended = program.run("--providers", "endpoint", "--target", "1")
        first, second, third = (request.at for request in server.received[:3])
    assert ended.status == 0, ended.said
    waits = re.findall(r"endpoint: rate limited \(attempt (\d)/3\), waiting ([\d.]+) s", ended.said)
    assert [attempt for attempt, _ in waits] == ["1", "2"]
    assert second - first >= 0.5
    assert third - second >= 1.0


# Conversations that fail for good.


def test_a_conversation_that_fails_for_good_is_set_aside_and_another_takes_its_place(tmp_path: Path) -> None:
    program = Program(tmp_path)

    def forgets_one(received: Received) -> Reply:
        """Let the second conversation store two memories, and then fail whenever it wants to go on."""
        if received.step == "answer" and not asked:
            asked.append(received.body["messages"][1]["content"])
            return Reply('<tool_call>add_memory(input_text=["lost", "as well"])</tool_call>')
        if received.step == "continue" and asked[0] == received.body["messages"][1]["content"]:
            return Reply("out of order", status=500)
        return well_behaved(received)

    asked: list[str] = []
    with LoopbackServer(forgets_one) as server:
        program.configure(section("endpoint", server.url("endpoint"), requests_per_second=40))
        ended = program.run("--providers", "endpoint", "--target", "2")
        failed = bodies([request for request in server.received if request.status == 500])
    assert ended.status == 0, ended.said
    assert list(failed.values()) == [3]
    assert "is set aside, continue failed: HTTP 500: out of order" in ended.said
    assert "1 conversations were set aside" in ended.said
    assert program.query("SELECT reason FROM conversations WHERE status = 'set aside'") == [
        ("continue at endpoint: HTTP 500: out of order",)
    ]
    assert program.query("SELECT count(*) FROM notes WHERE text IN ('lost', 'as well')") == [(0,)]
    assert_complete(program, 2)


@pytest.mark.parametrize("provider", ADAPTERS)
def test_a_refused_request_is_not_sent_again_and_costs_one_conversation(tmp_path: Path, provider: str) -> None:
    program = Program(tmp_path)
    refusals = (Reply("the prompt is too long", status=400), Reply("not this", status=422))
    behaviour = InTurn(*refusals, step="answer")
    with LoopbackServer(behaviour) as server:
        program.configure(section(provider, server.url(provider)))
        ended = program.run("--providers", provider, "--target", "2")
        sent = bodies(server.received)
    assert ended.status == 0, ended.said
    assert [sent[body] for body in bodies(behaviour.failed)] == [1, 1]
    reasons = {reason for (reason,) in program.query("SELECT reason FROM conversations WHERE status = 'set aside'")}
    assert reasons == {
        f"answer at {provider}: HTTP 400: the prompt is too long",
        f"answer at {provider}: HTTP 422: not this",
    }
    assert_complete(program, 2)


# Providers that are out.

OUT = [
    ("mistral", Reply("Unauthorized", status=401), "it refused the API key (HTTP 401: Unauthorized)"),
    ("together", Reply("no credit left", status=402), "its credit or quota is spent (HTTP 402: no credit left)"),
    (
        "mistral",
        Reply(raw='{"object": "error", "message": "Invalid model: x", "type": "invalid_model"}', status=400),
        "it does not know the model (HTTP 400: Invalid model: x); it offers model-one, model-two",
    ),
    (
        "together",
        Reply(raw='{"error": {"message": "no such model", "code": "model_not_available"}}', status=404),
        "it does not know the model (HTTP 404: no such model); it offers model-one, model-two",
    ),
    (
        "endpoint",
        Reply("model not found", status=404),
        "it does not know the model (HTTP 404: model not found); it offers model-one, model-two",
    ),
]
OUT_IDS = [f"{provider} {reply.status}" for provider, reply, _ in OUT]


@pytest.mark.parametrize(("provider", "reply", "told"), OUT, ids=OUT_IDS)
def test_a_provider_that_cannot_be_used_is_left_out_and_the_others_finish(
    tmp_path: Path, provider: str, reply: Reply, told: str
) -> None:
    """It is out in the middle of its conversations: what it had begun goes on elsewhere."""
    program = Program(tmp_path)

    def fails_later(received: Received) -> Reply:
        return reply if received.provider == provider and received.step == "rewrite" else well_behaved(received)

    with LoopbackServer(fails_later, latency=0.05) as server:
        program.configure("".join(section(name, server.url(name)) for name in (provider, "other")))
        ended = program.run("--providers", f"{provider},other", "--target", "4")
        refused = [request for request in server.received if request.status == reply.status]
        answered = [request for request in server.received if request.status == 200]
    assert ended.status == 0, ended.said
    assert ended.said.count(f"{provider} is out for the rest of this run: {told}") == 1
    assert_complete(program, 4)
    # What was refused was asked elsewhere; nothing that was answered was asked again.
    assert refused
    assert set(prompts(answered).values()) == {1}


@pytest.mark.parametrize(
    ("status", "told"), [(401, "check the key"), (404, "it offers model-one")], ids=["key refused", "unknown model"]
)
def test_when_the_only_provider_is_out_the_user_is_told_and_the_same_command_goes_on(
    tmp_path: Path, status: int, told: str
) -> None:
    program = Program(tmp_path)
    broken = True

    def fails_after_a_while(received: Received) -> Reply:
        return Reply(status=status) if broken and received.number > 4 else well_behaved(received)

    options = ("--providers", "endpoint", "--target", "3")
    with LoopbackServer(fails_after_a_while) as server:
        program.configure(section("endpoint", server.url("endpoint")))
        ended = program.run(*options)
        assert ended.status == 5
        assert "No provider is left" in ended.stderr
        assert "of 3 conversations are in" in ended.stderr
        assert told in ended.stderr
        assert "the same command then goes on" in ended.stderr
        assert "Traceback" not in ended.said
        broken = False
        resumed = program.run(*options)
        answered = bodies([request for request in server.received if request.status == 200])
    assert resumed.status == 0, resumed.said
    assert set(answered.values()) == {1}
    assert_complete(program, 3)


def test_a_provider_that_never_answers_is_left_out_before_it_costs_many_conversations(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and does not listen
        program = Program(tmp_path)
        program.configure(section("endpoint", f"http://127.0.0.1:{unused.getsockname()[1]}/v1"))
        ended = program.run("--providers", "endpoint", "--target", "40")
    assert ended.status == 5, ended.said
    assert "connection refused" in ended.stderr
    assert "Traceback" not in ended.said
    [(set_aside,)] = program.query("SELECT count(*) FROM conversations WHERE status = 'set aside'")
    assert set_aside <= 10
    assert json.loads(program.output.read_text()) == []
