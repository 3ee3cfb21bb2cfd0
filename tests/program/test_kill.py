"""Killed with SIGKILL at any step, the same command carries on: nothing is asked twice, nothing is lost or doubled."""

from __future__ import annotations

import json
import signal
from collections import Counter
from pathlib import Path

import pytest

from support.loopback_server import LoopbackServer
from support.paths import SUPPORT
from support.program import Program, section

KILLED = (str(SUPPORT / "killed_program.py"),)
TARGET = 6
OPTIONS = ("--providers", "endpoint", "--target", str(TARGET), "--exchanges", "1-2", "--seed", "8")

POINTS = [
    ("ask", 2),
    ("answer", 2),
    ("tools", 1),
    ("tools", 2),
    ("continue", 1),
    ("rewrite", 3),
    ("in-flight", 7),
    ("finish", 1),
    ("finish", 3),
    ("torn", 1),
    ("torn", 2),
    ("appended", 2),
]


@pytest.mark.parametrize(("point", "number"), POINTS)
def test_a_killed_run_carries_on_without_asking_again(tmp_path: Path, point: str, number: int) -> None:
    program = Program(tmp_path)
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint"), requests_per_second=40))
        killed = program.run(point, str(number), *OPTIONS, command=KILLED)
        assert killed.status == -signal.SIGKILL, killed.said
        _assert_died_where_intended(program, point, number)
        recorded = {text for (text,) in program.query("SELECT text FROM steps WHERE kind != 'tools'")}
        before = len(server.received)
        resumed = program.run(*OPTIONS)
    assert resumed.status == 0, resumed.said

    # No request was sent again whose answer had been recorded; what was in flight at the kill was.
    sent = Counter(received.content for received in server.received)
    for received in server.received[:before]:
        if sent[received.content] > 1:
            assert received.answer not in recorded
    _assert_complete(program)


def _assert_died_where_intended(program: Program, point: str, number: int) -> None:
    """The database and the output are in the state that only this point leaves."""
    finished = program.query("SELECT count(*) FROM samples")[0][0]
    text = program.output.read_text(encoding="utf-8")
    if point == "torn":
        with pytest.raises(json.JSONDecodeError):
            json.loads(text)
        return
    in_output = len(json.loads(text))  # at every other instant the output is a valid array
    if point == "finish":
        assert finished >= number
        assert in_output < finished
    elif point == "appended":
        assert in_output == finished >= number
    elif point != "in-flight":
        assert [kind for (kind,) in program.query("SELECT kind FROM steps")].count(point) >= number


def _assert_complete(program: Program) -> None:
    conversations = program.conversations()
    assert len(conversations) == TARGET
    assert len({json.dumps(messages) for messages in conversations}) == TARGET
    lines = program.query("SELECT line FROM samples ORDER BY position")
    assert conversations == [json.loads(line)["conversations"] for (line,) in lines]
    assert program.query("SELECT count(*) FROM conversations WHERE status != 'finished'") == [(0,)]
    # Every tool call took effect exactly once: the notes are those that the saved results speak of, no more.
    added = [
        json.loads(result.removeprefix("<tool_result>").removesuffix("</tool_result>"))["added"]
        for messages in conversations
        for message in messages
        if message["role"] == "tool"
        for result in message["content"].split("\n")
    ]
    notes = [text for (text,) in program.query("SELECT text FROM notes WHERE deleted_in IS NULL AND added_in > 0")]
    assert len(notes) == sum(added) > 0
    told = [text for text in notes if text.startswith("The user told")]
    assert len(told) == len(set(told)) == len(added)
