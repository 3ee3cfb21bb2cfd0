"""A model that is evaluated as it was trained: the whole program, with a server that calls as an API does."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from support.loopback_server import LoopbackServer, Received, Reply
from support.program import Program, section

LOOK = {"id": "c1", "type": "function", "function": {"name": "recall_memories", "arguments": "{}"}}
BROKEN = {"id": "c1", "type": "function", "function": {"name": "add_memory", "arguments": "{"}}


def calling(received: Received) -> Reply:
    """Look, or call in a way that nobody understands, or say nothing; after results, reply."""
    if received.step == "continue":
        return Reply("<think>There.</think>\n\nSo it is.")
    seed = received.body["seed"] % 3
    if seed == 0:
        return Reply("<think>Nothing but this.</think>")
    return Reply(
        message={"content": "<think>I look.</think>", "tool_calls": [LOOK if seed == 1 else BROKEN]},
        finish_reason="tool_calls",
    )


def evaluated(tmp_path: Path, form: str) -> tuple[list[dict[str, Any]], list[Any]]:
    """Return the bodies that were sent, and what the log has of requests."""
    program = Program(tmp_path)
    with LoopbackServer(calling) as server:
        program.configure(section("mine", server.url("mine")))
        arguments = ("--ada", "mine", "--users", "3", "--days", "4", "--as-trained", form, "--log-file", "log.jsonl")
        ended = program.run("evaluate", *arguments, "--log-text")
        bodies = [received.body for received in server.received]
    assert ended.status == 0, ended.said
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert not [event for event in log if event["event"] in ("unforeseen", "set aside")]
    return bodies, [event for event in log if event["event"] == "request"]


def in_any_order(said: Iterable[Any]) -> list[str]:
    return sorted(json.dumps(each, sort_keys=True) for each in said)


@pytest.mark.parametrize("form", ["trl", "hermes", "mistral"])
def test_she_is_asked_in_the_form_and_goes_on_whatever_she_answers(tmp_path: Path, form: str) -> None:
    bodies, log = evaluated(tmp_path, form)
    assert len(bodies) == len(log) > 12
    assert in_any_order(event["messages"] for event in log) == in_any_order(body["messages"] for body in bodies)
    for body in bodies:
        assert "tools" not in body
        system, *others = body["messages"]
        assert ("<tools>" in system["content"]) is (form == "hermes")
        assert not any("cannot use any more tools" in each["content"] for each in others)
        assert {each["role"] for each in others} <= {"user", "assistant", "tool"}


def test_with_native_calls_the_tools_are_offered_and_results_have_the_ids_of_their_calls(tmp_path: Path) -> None:
    directory = tmp_path / "trained"
    directory.mkdir()
    shape = {"rows": "conversation", "thoughts": "keep", "tool_role": "tool", "calls": "native", "weights": False}
    report = {"program": "apep-datagen", "format": "axolotl", "shape": shape}
    (directory / "report.json").write_text(json.dumps(report), encoding="utf-8")
    bodies, log = evaluated(tmp_path, "trained")
    assert all(len(body["tools"]) == 6 for body in bodies)
    assert in_any_order(event["tools"] for event in log) == in_any_order(body["tools"] for body in bodies)
    results = [each for body in bodies for each in body["messages"] if each["role"] == "tool"]
    assert {each["tool_call_id"] for each in results} == {"call00001"}
    assert {each["name"] for each in results} == {"recall_memories"}
    # What nobody understood went on as text.
    texts = [each["content"] for body in bodies for each in body["messages"] if each["role"] == "user"]
    assert any(text.startswith('<tool_result>{"error": ') for text in texts)
