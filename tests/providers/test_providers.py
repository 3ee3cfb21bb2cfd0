"""Each provider through its own SDK: what goes over the wire, what is made of the answers, and all of them at once."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from apep_datagen.config.provider_settings import ProviderKind, ProviderSettings
from apep_datagen.core.errors import FailureKind, ProviderError, TransientError
from apep_datagen.core.messages import Completion, CompletionRequest, Message, ReportedLimits, Step
from apep_datagen.providers.factory import create_provider
from support.loopback_server import LoopbackServer, Received, Reply, well_behaved
from support.program import KEYS, Program, section
from support.waiting import PATIENCE_SECONDS

PROVIDERS = {
    "mistral": ("/mistral/v1/chat/completions", "Bearer key-of-mistral"),
    "together": ("/together/v1/chat/completions", "Bearer key-of-together"),
    "huggingface": ("/huggingface/v1/chat/completions", "Bearer hf_key_of_hf"),
    "endpoint": ("/endpoint/chat/completions", "Bearer key-of-endpoint"),
}
MODELS = {"ask": "small", "answer": "large", "continue": "large", "rewrite": "middle"}
TEMPERATURES = {"ask": 1.0, "answer": 0.25, "continue": 0.25, "rewrite": 0.7}
CONFIG = """
models = {tester = "small", ada = "large", rewriter = "middle"}
[roles.ada]
temperature = 0.25
max_tokens = 777
"""


def base_url(server: LoopbackServer, provider: str) -> str:
    return server.url(provider) + ("/v1" if provider == "huggingface" else "")


def thinks_apart(received: Received) -> Reply:
    """Answer as a reasoning model does whose thinking is not part of its text; the first answer calls a tool."""
    if received.step not in ("answer", "continue"):
        return well_behaved(received)
    thinking, text = "She is <b>glad</b>.", "How nice!"
    if received.step == "answer":
        thinking, text = "I want to keep this.", '<tool_call>add_memory(input_text=["A sister"])</tool_call>'
    if received.provider == "mistral":
        parts = [{"type": "thinking", "thinking": [{"type": "text", "text": thinking}]}, {"type": "text", "text": text}]
        return Reply(text, message={"content": parts}, usage=(100, 10))
    return Reply(text, message={"reasoning_content": thinking}, usage=(100, 10))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_gets_what_its_api_asks_for_and_its_answers_are_used(tmp_path: Path, provider: str) -> None:
    path, authorization = PROVIDERS[provider]
    program = Program(tmp_path, environment={**KEYS, "ENDPOINT_API_KEY": "key-of-endpoint"})
    with LoopbackServer(thinks_apart) as server:
        program.configure(section(provider, base_url(server, provider)) + CONFIG)
        ended = program.run("--providers", provider, "--target", "1")
        received = list(server.received)
    assert ended.status == 0, ended.said

    # What the server saw.
    assert [request.step for request in received] == ["ask", "answer", "continue", "rewrite"]
    assert {request.path for request in received} == {path}
    assert {request.authorization for request in received} == {authorization}
    for request in received:
        assert request.body["model"] == MODELS[request.step]
        assert request.body["temperature"] == TEMPERATURES[request.step]
        roles = [message["role"] for message in request.body["messages"]]
        assert roles[:2] == ["system", "user"]
        assert set(roles) <= {"system", "user", "assistant"}
        assert all(isinstance(message["content"], str) for message in request.body["messages"])
    assert [request.body["max_tokens"] for request in received] == [400, 777, 777, 1500]

    # What was made of its answers: thinking that came apart is one leading block, and both thoughts are rewritten.
    [[_, question, call, result, reply]] = program.conversations()
    assert question["content"] == received[0].answer
    assert "[[1]] I want to keep this." in received[3].prompt
    assert call["content"].startswith(
        f"<think>Hm, thought {4:020}a: I want to keep this.</think>\n\n<tool_call>add_memory("
    )
    assert json.loads(result["content"].removeprefix("<tool_result>").removesuffix("</tool_result>"))["added"] == 1
    assert reply["content"] == f"<think>Hm, thought {4:020}b: She is <b>glad</b>.</think>\n\nHow nice!"
    [(prompt_tokens, completion_tokens)] = program.query(
        "SELECT sum(prompt_tokens), sum(completion_tokens) FROM steps WHERE kind IN ('answer', 'continue')"
    )
    assert (prompt_tokens, completion_tokens) == (200, 20)
    assert "4 requests (0 retries)" in ended.stdout


def test_all_providers_work_at_once_and_new_conversations_go_round(tmp_path: Path) -> None:
    program = Program(tmp_path)
    names = ("mistral", "together", "huggingface")
    with LoopbackServer(latency=0.2) as server:
        program.configure("".join(section(name, base_url(server, name), requests_per_second=20) for name in names))
        ended = program.run("--providers", ",".join(names), "--target", "30")
        received = list(server.received)
    assert ended.status == 0, ended.said
    assert len(program.conversations()) == 30
    begun = Counter(request.provider for request in received if request.step == "ask")
    assert max(begun.values()) - min(begun.values()) <= 4, begun
    # All along, from the first requests to the last ones.
    for part in (received[:15], received[len(received) // 2 :][:15], received[-30:]):
        assert {request.provider for request in part} == set(names)
    sent = Counter(request.provider for request in received)
    assert max(sent.values()) < 1.5 * min(sent.values()), sent
    assert {provider for (provider,) in program.query("SELECT DISTINCT provider FROM steps") if provider} == set(names)


def test_no_provider_waits_for_another_one(tmp_path: Path) -> None:
    """One after the other gets no answer until the others have gone on.

    That each uses its own rate is tested in virtual time (`engine/test_convergence.py`).
    """
    program = Program(tmp_path)
    names = ["mistral", "together", "huggingface"]
    waiting = list(names)
    came: Counter[str] = Counter()

    def behaviour(received: Received) -> Reply:
        came[received.provider] += 1
        if waiting and all(came[name] >= 10 for name in names if name != waiting[0]):
            del waiting[0]
            came.clear()
        return replace(well_behaved(received), until=lambda: received.provider not in waiting[:1])

    with LoopbackServer(behaviour) as server:
        program.configure("".join(section(name, base_url(server, name), max_in_flight=4) for name in names))
        ended = program.run("--providers", ",".join(names), "--target", "40")
    assert ended.status == 0, ended.said
    assert waiting == []
    assert len(program.conversations()) == 40


def test_an_endpoint_without_a_key_never_sees_the_token_of_the_user(tmp_path: Path) -> None:
    """The SDK would send the token of the environment, or the one that is saved on the machine."""
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "token").write_text("hf_saved_on_the_machine")
    program = Program(tmp_path, environment={"HF_TOKEN": "hf_of_the_environment", "HF_HOME": str(tmp_path / "hf")})
    with LoopbackServer() as server:
        program.configure(section("ollama", server.url("ollama") + "/v1"))
        ended = program.run("--providers", "ollama", "--target", "1")
        assert {request.authorization for request in server.received} == {""}
    assert ended.status == 0, ended.said


def test_an_option_names_another_model_and_another_rate(tmp_path: Path) -> None:
    program = Program(tmp_path)
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint")))
        options = ("--model", "endpoint=other", "--rps", "endpoint=5", "--providers", "endpoint", "--target", "2")
        ended = program.run(*options)
        received = list(server.received)
    assert ended.status == 0, ended.said
    assert {request.body["model"] for request in received} == {"other"}
    assert "requests, 0 tokens, 0 in flight, 0 of 5 requests/s" in ended.stdout
    # Half of the time that it takes at this rate: a busy machine makes it longer, if only the first is not late.
    assert received[-1].at - received[0].at > (len(received) - 1) / 5 / 2


# One request, without the program around it.

KINDS: tuple[ProviderKind, ...] = ("mistral", "together", "openai")
REQUEST = CompletionRequest(Step.ANSWER, (Message("system", "You are Ada."), Message("user", "Hi.")), "m", 0.5, 9, 1)


def ask(
    kind: ProviderKind, url: str, *, timeout: float = PATIENCE_SECONDS
) -> tuple[Completion | ProviderError, list[ReportedLimits]]:
    """Send one request through a provider's SDK; return what came of it, and what was said about limits."""
    reported: list[ReportedLimits] = []

    async def send() -> Completion | ProviderError:
        settings = ProviderSettings(kind=kind, model="m", base_url=url, timeout_seconds=timeout)
        provider = create_provider(settings, "key-of-nobody", reported.append)
        await provider.start()
        try:
            return await provider.complete(REQUEST)
        except ProviderError as error:
            return error
        finally:
            await provider.close()

    return asyncio.run(send()), reported


NO_CHOICE = {
    "id": "1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [],
    "usage": {"prompt_tokens": 9, "completion_tokens": 0, "total_tokens": 9},
}
LIMITS = {
    "mistral": (
        {"X-RateLimit-Limit-Req-Minute": "720", "X-RateLimit-Remaining-Tokens-Minute": "4999911"},
        ReportedLimits(requests_per_second=12.0, tokens_left=4_999_911),
    ),
    "together": (
        {"X-RateLimit-Limit": "10", "X-RateLimit-Reset": "1", "X-TokenLimit-Limit": "3000"},
        ReportedLimits(requests_per_second=10.0, tokens_per_minute=180_000, requests_reset_seconds=1.0),
    ),
    "openai": (
        {"X-RateLimit-Limit": "7", "X-RateLimit-Limit-Requests": "600", "X-RateLimit-Reset-Tokens": "6m0s"},
        ReportedLimits(requests_per_second=10.0, tokens_reset_seconds=360.0),
    ),
}


@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
@pytest.mark.parametrize("kind", KINDS)
def test_what_any_answer_says_about_limits_is_passed_on(kind: ProviderKind, status: int) -> None:
    headers, limits = LIMITS[kind]
    with LoopbackServer(lambda _: Reply("Hello.", status=status, headers=headers)) as server:
        outcome, reported = ask(kind, server.url(kind))
    assert isinstance(outcome, Completion) == (status == 200)
    assert reported == [limits]


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_says_nothing_about_limits_is_passed_over(kind: ProviderKind) -> None:
    with LoopbackServer(lambda _: Reply("Hello.", headers={"X-RateLimit-Limit-Requests": "many"})) as server:
        outcome, reported = ask(kind, server.url(kind))
    assert isinstance(outcome, Completion)
    assert reported == []


@pytest.mark.parametrize(
    ("reply", "failure", "may_be_billed"),
    [
        (Reply("out of order", status=503), FailureKind.UNAVAILABLE, False),
        (Reply("slow down", status=429), FailureKind.RATE_LIMITED, False),
        (Reply("insufficient_quota", status=429), FailureKind.QUOTA_SPENT, False),
        (Reply("no such key", status=401), FailureKind.KEY_REFUSED, False),
        (Reply("no such model", status=404), FailureKind.MODEL_UNKNOWN, False),
        (Reply("too long", status=400), FailureKind.REFUSED, False),
        (Reply(fault="hang"), FailureKind.TIME_OUT, True),
        (Reply(fault="drop"), FailureKind.CONNECTION_LOST, True),
        (Reply("Half", fault="tear"), FailureKind.TORN_ANSWER, True),
        (Reply(raw="Hello, I am no JSON."), FailureKind.NO_COMPLETION, True),
        (Reply(raw=""), FailureKind.NO_COMPLETION, True),
        (Reply(raw='{"error": {"code": 502, "message": "upstream"}}'), FailureKind.UNAVAILABLE, True),
        (Reply(raw='{"id": "1", "choices": []}'), FailureKind.NO_COMPLETION, True),
        (Reply(raw=json.dumps(NO_CHOICE)), FailureKind.NO_COMPLETION, True),
        (Reply(raw=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}), FailureKind.NO_COMPLETION, True),
        (Reply(raw="<html>", headers={"Content-Type": "text/html"}), FailureKind.NO_COMPLETION, True),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_goes_wrong_is_counted_as_what_it_was(
    kind: ProviderKind, reply: Reply, failure: FailureKind, *, may_be_billed: bool
) -> None:
    with LoopbackServer(lambda _: reply) as server:
        outcome, _ = ask(kind, server.url(kind), timeout=2.0 if reply.fault == "hang" else PATIENCE_SECONDS)
    assert isinstance(outcome, ProviderError)
    assert (outcome.kind, outcome.may_be_billed) == (failure, may_be_billed), outcome


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_is_not_there_was_not_reached(kind: ProviderKind) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        outcome, _ = ask(kind, f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert isinstance(outcome, TransientError)
    assert (outcome.kind, outcome.may_be_billed) == (FailureKind.NOT_REACHED, False), outcome


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_takes_no_more_connections_was_not_reached(kind: ProviderKind) -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)  # one connection may wait to be accepted; the next are left without an answer
        for waiting in (first, second):
            waiting.settimeout(0)  # does not wait itself
            waiting.connect_ex(full.getsockname())
        outcome, _ = ask(kind, f"http://127.0.0.1:{full.getsockname()[1]}", timeout=4.0)
    assert isinstance(outcome, TransientError)
    assert str(outcome) == "no connection could be made in time"
    assert (outcome.kind, outcome.may_be_billed) == (FailureKind.NOT_REACHED, False), outcome


SAYS_FIVE_A_SECOND = {
    "mistral": {"x-ratelimit-limit-req-minute": "300"},
    "together": {"x-ratelimit-limit": "5"},
    "endpoint": {"x-ratelimit-limit-requests": "300", "x-ratelimit-reset-requests": "200ms"},
}


@pytest.mark.parametrize("name", SAYS_FIVE_A_SECOND)
def test_a_limit_that_the_headers_tell_is_kept_to_from_the_first_answer_on(tmp_path: Path, name: str) -> None:
    program = Program(tmp_path)

    def tells(received: Received) -> Reply:
        reply = well_behaved(received)
        reply.headers = SAYS_FIVE_A_SECOND[name]
        return reply

    with LoopbackServer(tells) as server:
        program.configure(section(name, server.url(name), requests_per_second=20))
        ended = program.run("--providers", name, "--target", "5")
        # What was on its way before the first answer told may come too early.
        at = [request.at for request in server.received][3:]
    assert ended.status == 0, ended.said
    # A busy machine makes them fewer; more than five a second only if the first of them is late. Configured are 20.
    assert (len(at) - 1) / (at[-1] - at[0]) < 1.5 * 5
