"""Each provider through its own SDK: what goes over the wire, what is made of the answers, and all of them at once."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path

import pytest
from loopback_server import LoopbackServer, Received, Reply, well_behaved
from program import KEYS, Program, section

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
    assert call["content"].startswith("<think>Hm, thought 4.1.</think>\n\n<tool_call>add_memory(")
    assert json.loads(result["content"].removeprefix("<tool_result>").removesuffix("</tool_result>"))["added"] == 1
    assert reply["content"] == "<think>Hm, thought 4.2.</think>\n\nHow nice!"
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
    assert max(begun.values()) - min(begun.values()) <= 2, begun
    requests = {name: [request.at for request in received if request.provider == name] for name in names}
    for name in names:
        first, last = requests[name][0], requests[name][-1]
        assert first - received[0].at < 0.2
        assert received[-1].at - last < 1.0
        # Each at its own rate: nobody waits for the others.
        assert len(requests[name]) / (last - first) > 15, name
    assert {provider for (provider,) in program.query("SELECT DISTINCT provider FROM steps") if provider} == set(names)


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
        options = ("--model", "endpoint=other", "--rps", "endpoint=5", "--providers", "endpoint", "--target", "1")
        ended = program.run(*options)
        received = list(server.received)
    assert ended.status == 0, ended.said
    assert {request.body["model"] for request in received} == {"other"}
    gaps = [after.at - before.at for before, after in itertools.pairwise(received)]
    assert min(gaps) > 0.15
