"""The log: every request once, every pause, every change of a provider's state; no words unless asked for."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from pathlib import Path
from typing import Any

from apep_datagen.engine.event_log import EventLog
from support.loopback_server import InTurn, LoopbackServer, Received, Reply, well_behaved
from support.program import Program, section


def events(path: Path, kind: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [event for event in lines if event["event"] == kind]


def test_every_request_and_every_pause_is_logged_once_without_words(tmp_path: Path) -> None:
    program = Program(tmp_path)
    limited = Reply("slow down", status=429, headers={"Retry-After": "1"})
    refused: set[str] = set()
    in_turn = InTurn(limited, Reply("over capacity", status=503), Reply(""), Reply("no", status=422), step="answer")

    def behaviour(received: Received) -> Reply:
        """Fail in every way, once; what is refused is refused again."""
        reply = Reply("no", status=422) if received.content in refused else in_turn(received)
        if reply.status == 422:
            refused.add(received.content)
        return reply

    with LoopbackServer(behaviour, latency=0.05) as server:
        program.configure(section("endpoint", server.url("endpoint"), requests_per_second=20))
        ended = program.run("--providers", "endpoint", "--target", "8", "--log-file", "logs/run.jsonl")
        received = list(server.received)
    assert ended.status == 0, ended.said
    path = tmp_path / "logs/run.jsonl"
    requests = events(path, "request")
    assert Counter(event["outcome"] for event in requests) == {
        "answer": len(received) - 5,
        "rate limited": 1,
        "unavailable": 1,
        "empty answer": 1,
        "refused": 2,
    }
    for event in requests:
        assert datetime.datetime.fromisoformat(event["at"]).tzinfo is not None
        assert event["provider"] == "endpoint"
        assert event["model"] == "model-one"
        assert event["role"] == {"ask": "tester", "rewrite": "rewriter"}.get(event["step"], "ada")
        assert event["conversation"] >= 1
        assert event["attempt"] in {1, 2}
        assert event["seconds"] >= (0.04 if event["outcome"] == "answer" else 0)
        assert ("prompt_tokens" in event) == (event["outcome"] in {"answer", "empty answer"})
    [pause] = events(path, "pause")
    assert pause["retry_after"] == 1.0
    assert 0.5 < pause["seconds"] <= 1  # what is left of it, when that is looked at
    assert pause["requests_per_second"] < 20
    assert [event["outcome"] for event in requests].index("rate limited") < len(requests) - 1
    [set_aside] = events(path, "set aside")
    assert "answer at endpoint: HTTP 422: no" in set_aside["reason"]
    assert events(path, "start")[0]["target"] == 8
    assert events(path, "end")[0]["exit_status"] == 0
    text = path.read_text(encoding="utf-8")
    assert "sister" not in text
    assert "companion" not in text


def test_words_are_logged_where_they_are_asked_for_and_a_second_run_appends(tmp_path: Path) -> None:
    program = Program(tmp_path)
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint"), requests_per_second=50))
        for target in ("1", "2"):
            ended = program.run("--providers", "endpoint", "--target", target, "--log-file", "run.jsonl", "--log-text")
            assert ended.status == 0, ended.said
        received = list(server.received)
    logged = events(tmp_path / "run.jsonl", "request")
    assert [event["messages"] for event in logged] == [request.body["messages"] for request in received]
    assert [event["answer"] for event in logged] == [request.answer for request in received]


def test_a_change_of_a_provider_s_state_is_logged(tmp_path: Path) -> None:
    program = Program(tmp_path)

    def refuses(received: Received) -> Reply:
        return Reply(status=401) if received.provider == "shut" else well_behaved(received)

    with LoopbackServer(refuses) as server:
        program.configure(section("shut", server.url("shut")) + section("open", server.url("open")))
        ended = program.run("--providers", "shut,open", "--target", "2", "--log-file", "run.jsonl")
    assert ended.status == 0, ended.said
    [change] = events(tmp_path / "run.jsonl", "provider")
    assert (change["provider"], change["state"]) == ("shut", "out")
    assert "refused the API key" in change["reason"]


def test_a_log_that_cannot_be_opened_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    program = Program(tmp_path)
    (tmp_path / "a-file").write_text("in the way")
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint")))
        ended = program.run("--providers", "endpoint", "--target", "1", "--log-file", "a-file/run.jsonl")
        assert server.received == []
    assert ended.status == 2, ended.said
    assert "--log-file a-file/run.jsonl: it cannot be written" in ended.stderr
    assert "Traceback" not in ended.said


def test_a_log_on_a_full_disk_is_told_once_and_does_not_stop_the_run(tmp_path: Path) -> None:
    program = Program(tmp_path)
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint")))
        # The log has all the room that there is for a file already, and the run's other files stay far below.
        with (tmp_path / "log.jsonl").open("wb") as log:
            log.truncate(5_000_000)
        ended = program.run_on_a_full_disk(
            5_000_000, "--providers", "endpoint", "--target", "3", "--log-file", "log.jsonl"
        )
    assert ended.status == 0, ended.said
    assert ended.said.count("log.jsonl: the log cannot be written (File too large)") == 1
    assert len(program.conversations()) == 3


def test_what_cannot_be_spelled_in_utf8_is_logged_all_the_same(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "log", with_text=True, notify=print)
    log.write("request", answer="half of a pair: \ud800, an end of line: \n")
    log.close()
    log.write("request", answer="too late")
    [event] = events(tmp_path / "log", "request")
    assert event["answer"] == "half of a pair: \ufffd, an end of line: \n"
