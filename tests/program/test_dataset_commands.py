"""`verify`, `stats` and `show`, as a user calls them, on an output of the program."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.loopback_server import LoopbackServer
from support.program import Program, section

MADE = 8


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    program = Program(tmp_path_factory.mktemp("run"))
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint")))
        ended = program.run("--providers", "endpoint", "--target", str(MADE), "--seed", "2")
    assert ended.status == 0, ended.said
    yield program
    # None of the commands changes anything, or leaves anything behind.
    assert sorted(path.name for path in program.output.parent.iterdir()) == [
        "generatedTrainingData.json",
        "generatedTrainingData.state.db",
        "generatedTrainingData.state.lock",
    ]


def test_an_untouched_dataset_is_verified(program: Program) -> None:
    ended = program.run("verify")
    assert ended.status == 0, ended.said
    assert "Nothing was found." in ended.stdout
    assert "calls" in ended.stdout


def test_what_is_found_is_told_and_changes_the_exit_status(program: Program, tmp_path: Path) -> None:
    copy = tmp_path / "copy.json"
    conversations = json.loads(program.output.read_text(encoding="utf-8"))
    conversations[2]["conversations"][-1]["content"] = "No thinking at all."
    copy.write_text(json.dumps(conversations), encoding="utf-8")
    ended = program.run("verify", str(copy))
    assert ended.status == 7
    assert "conversation 3: " in ended.stdout
    assert "there is no state database" in ended.stdout
    found = json.loads(program.run("verify", str(copy), "--json").stdout)
    assert any(finding["conversation"] == 3 for finding in found["findings"])


def test_stats_tell_what_is_there(program: Program) -> None:
    told = program.run("stats")
    assert told.status == 0, told.said
    assert f"{MADE} conversations" in told.stdout
    as_json = json.loads(program.run("stats", "--json").stdout)
    assert as_json["conversations"] == MADE


@pytest.mark.parametrize("options", [(), ("-1",), (str(MADE),), ("data/trainingData/generatedTrainingData.json", "-1")])
def test_show_prints_the_last_one_however_it_is_named(program: Program, options: tuple[str, ...]) -> None:
    ended = program.run("show", *options)
    assert ended.status == 0, ended.said
    assert ended.stdout.startswith(f"Conversation {MADE} of ")
    assert program.conversations()[-1][1]["content"].split(":")[0] in ended.stdout


def test_the_system_prompt_is_shown_when_it_is_asked_for(program: Program) -> None:
    line = program.conversations()[0][0]["content"].splitlines()[-1][:60]
    assert line not in program.run("show", "1").stdout
    assert line in program.run("show", "1", "--system").stdout.replace("\n  ", " ")


@pytest.mark.parametrize("command", ["verify", "stats", "show"])
def test_a_file_that_is_not_there_or_is_no_dataset_is_told(program: Program, tmp_path: Path, command: str) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"a": 1}', encoding="utf-8")
    for path in (tmp_path / "nothing.json", broken):
        ended = program.run(command, str(path))
        assert ended.status == 4, ended.said
        assert str(path) in ended.stderr
        assert "Traceback" not in ended.said


@pytest.mark.parametrize("number", ["0", str(MADE + 1), f"-{MADE + 1}"])
def test_a_conversation_that_is_not_there_is_told(program: Program, number: str) -> None:
    ended = program.run("show", number)
    assert ended.status == 2, ended.said
    assert "they go from 1" in ended.stderr or f"its numbers go from 1 to {MADE}" in ended.stderr
