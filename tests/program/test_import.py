"""`apep-datagen import` as a user runs it: killed at any moment, between two runs, beside one, and on a full disk."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apep_datagen.formats.origin import Origin
from apep_datagen.formats.registry import FORMATS
from apep_datagen.storage.access import lock_beside, state_path
from apep_datagen.storage.opening import OpenedRun
from support.loopback_server import LoopbackServer
from support.paths import SUPPORT
from support.program import Ended, Program, section

KILLED = (str(SUPPORT / "killed_import.py"),)
MADE = 4


def row(number: int) -> dict[str, Any]:
    return {
        "messages": [{"role": "user", "content": f"Hello {number}"}, {"role": "assistant", "content": f"Hi {number}!"}]
    }


def write_rows(path: Path, numbers: range) -> None:
    path.write_text("".join(json.dumps(row(number)) + "\n" for number in numbers), encoding="utf-8")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Program, LoopbackServer]]:
    """A run that has reached its target, and the server that it asked."""
    program = Program(tmp_path_factory.mktemp("run"))
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint")))
        ended = program.run("--providers", "endpoint", "--target", str(MADE), "--seed", "2")
        assert ended.status == 0, ended.said
        write_rows(program.directory / "in.jsonl", range(3))
        yield program, server


def copy_of(made: tuple[Program, LoopbackServer], tmp_path: Path) -> Program:
    shutil.copytree(made[0].directory, tmp_path / "copy")
    return Program(tmp_path / "copy")


def go_on(program: Program, target: int) -> Ended:
    return program.run("--providers", "endpoint", "--target", str(target))


def shown(program: Program) -> str:
    """Return what `show` says of the second conversation, but for how many its user has: a run gives them more."""
    return re.sub(r"(conversation \d+) of \d+", r"\1", program.run("show", "2").stdout)


# With a run.


def test_a_run_goes_on_behind_what_was_imported(made: tuple[Program, LoopbackServer], tmp_path: Path) -> None:
    program = copy_of(made, tmp_path)
    before = program.conversations()
    ended = program.run("import", "in.jsonl")
    assert ended.status == 0, ended.said
    assert "3 conversations were added." in ended.stdout
    status = json.loads(program.run("status", "--json").stdout)
    assert status["done"] == MADE + 3
    ended = go_on(program, MADE + 5)
    assert ended.status == 0, ended.said
    assert "changed" not in ended.said
    after = program.conversations()
    assert after[: MADE + 3] == [*before, *(row(number)["messages"] for number in range(3))]
    assert len(after) == MADE + 5
    # What the run made is known as before: who the user is, and what it was to be about.
    assert shown(program) == shown(made[0])
    again = program.run("import", "in.jsonl", "--json")
    assert (again.status, json.loads(again.stdout)["added"]) == (0, 0)
    assert program.conversations() == after


@pytest.mark.parametrize(
    ("point", "has_run"),
    [
        *((point, True) for point in ("read", "1", "3", "written", "replaced", "told")),
        *((point, False) for point in ("2", "replaced")),
    ],
)
def test_killed_at_any_moment_nothing_has_happened_or_all_of_it(
    made: tuple[Program, LoopbackServer], tmp_path: Path, point: str, *, has_run: bool
) -> None:
    program = copy_of(made, tmp_path)
    if not has_run:
        program.state.unlink()
    before = program.output.read_bytes()
    conversations = program.conversations()
    killed = program.run(point, "in.jsonl", command=KILLED)
    assert killed.status == -signal.SIGKILL, killed.said
    is_done = point in {"replaced", "told"}
    imported = [row(number)["messages"] for number in range(3)]
    assert program.conversations() == conversations + imported * is_done
    if not is_done:
        assert program.output.read_bytes() == before
    # Whatever comes next finds output and state database together.
    said: list[str] = []
    OpenedRun(program.output, seed=0, notify=said.append).close()
    assert program.conversations() == conversations + imported * is_done
    assert not list(program.output.parent.glob("*.new"))
    ended = program.run("import", "in.jsonl")
    assert ended.status == 0, ended.said
    assert program.conversations() == conversations + imported


def test_stopped_by_ctrl_c_nothing_has_happened(made: tuple[Program, LoopbackServer], tmp_path: Path) -> None:
    program = copy_of(made, tmp_path)
    before = contents(program.output.parent)
    ended = program.run("stopped", "in.jsonl", command=KILLED)
    assert (ended.status, ended.said) == (130, "Stopped.\n")
    assert contents(program.output.parent) == before


def test_beside_a_run_that_is_active_it_is_refused(made: tuple[Program, LoopbackServer], tmp_path: Path) -> None:
    program = copy_of(made, tmp_path)
    before = program.output.read_bytes()
    lock = lock_beside(state_path(program.output))
    try:
        for options in ((), ("--dry-run",)):
            ended = program.run("import", "in.jsonl", *options)
            assert ended.status == 4
            assert "another apep-datagen is working on this output" in ended.stderr
    finally:
        lock.release()
    assert program.output.read_bytes() == before


# Into a new output, and what cannot be.


def test_rows_that_cannot_be_taken_are_told_with_their_numbers_and_change_the_status(tmp_path: Path) -> None:
    program = Program(tmp_path)
    lines = [json.dumps(row(1)), '{"text": "x"}', "{", json.dumps({**row(2), "id": 5})]
    (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    ended = program.run("import", "in.jsonl", "--output", "out.json", "--dry-run")
    assert (ended.status, ended.stderr) == (7, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl"]
    assert "2 conversations would be added. out.json would hold 2." in ended.stdout
    ended = program.run("import", "in.jsonl", "--output", "out.json")
    assert ended.status == 7
    said = " ".join(ended.stdout.split())
    assert "4 rows of in.jsonl were read, as trl (2)." in said
    assert "it is of no form that is known 2 1" in said
    assert "it is no valid JSON 3 1" in said
    assert "left out: id (1)" in said
    assert "2 conversations were added. out.json holds 2." in said
    found = json.loads(program.run("import", "in.jsonl", "--output", "out.json", "--json").stdout)
    assert (found["added"], found["there_already"], found["in_output"]) == (0, 2, 2)
    assert found["before"] == found["after"] == {"messages": 4, "thoughts": 0, "calls": 0, "results": 0}


def test_what_an_export_wrote_is_imported_into_another_output(
    made: tuple[Program, LoopbackServer], tmp_path: Path
) -> None:
    program = copy_of(made, tmp_path)
    ended = program.run("export", "--format", ",".join(FORMATS), "--to", "exported")
    assert ended.status == 0, ended.said
    wanted = sorted(map(json.dumps, program.conversations()))
    for name, form in FORMATS.items():
        output = program.directory / f"{name}.json"
        ended = program.run("import", f"exported/{name}", "--output", output.name, "--json")
        assert ended.status == 0, ended.said
        found = json.loads(ended.stdout)
        assert (found["added"], found["without_text_form"]) == (MADE, 0), name
        there = [json.dumps(element["conversations"]) for element in json.loads(output.read_text(encoding="utf-8"))]
        assert sorted(there) == wanted, name
        assert bool(found["columns"]) == bool(form.columns(Origin()) or name == "traces"), name
    ended = program.run("import", "exported")
    assert (ended.status, ended.stdout) == (4, "")
    assert f"several forms ({', '.join(sorted(FORMATS))})" in ended.stderr
    # Into the output that it came from, nothing is added.
    ended = program.run("import", "exported", "--format", "trl")
    assert f"0 conversations were added; {MADE} are there already." in ended.stdout


def contents(directory: Path) -> dict[str, bytes]:
    """Return what the files of a directory hold, but for locks."""
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file() and path.suffix != ".lock"}


def scene(directory: Path) -> None:
    write_rows(directory / "in.jsonl", range(3))
    (directory / "directory").mkdir()
    (directory / "link.json").symlink_to("in.jsonl")
    os.mkfifo(directory / "pipe")
    (directory / "empty.jsonl").touch()
    (directory / "binary").write_bytes(b"\x00\x01\x02")
    sqlite3.connect(directory / "other.state.db").execute("CREATE TABLE a (b)").connection.close()
    (directory / "other.json").write_text("{}", encoding="utf-8")
    (directory / "theirs.json").write_text('[{"text": "x"}]', encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "status", "what"),
    [
        (("missing.jsonl",), 4, "there is no such file"),
        (("in.jsonl", "--output", "in.jsonl"), 2, "would be the same file"),
        (("in.jsonl", "--output", "link.json"), 2, "would be the same file"),
        (("in.jsonl", "--output", "directory"), 2, "has to be a file, and this is a directory"),
        (("directory",), 4, "no rows are in this directory"),
        (("pipe",), 4, "this is a pipe"),
        (("empty.jsonl",), 4, "the dataset is empty"),
        (("binary",), 4, "no dataset"),
        (("in.jsonl", "--format", "word"), 2, "there is no such format"),
        (("in.jsonl", "--output", "other.json"), 4, "a database of another program"),
        (("in.jsonl", "--output", "theirs.json"), 4, "element 1 is no conversation"),
        (("in.jsonl", "--output", "binary"), 4, "no JSON array"),
        (("in.jsonl", "--output", "x" * 300), 2, "cannot be there"),
        (("in.jsonl", "--output", "in.jsonl/out.json"), 4, "cannot be written"),
        ((), 2, "Missing argument"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence_and_changes_nothing(
    tmp_path: Path, options: tuple[str, ...], status: int, what: str
) -> None:
    scene(tmp_path)
    before = contents(tmp_path)
    ended = Program(tmp_path).run("import", *options)
    assert (ended.status, ended.stdout) == (status, ""), ended.said
    assert what in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr
    assert contents(tmp_path) == before


def test_on_a_full_disk_the_output_is_as_it_was(tmp_path: Path) -> None:
    program = Program(tmp_path)
    write_rows(tmp_path / "first.jsonl", range(5))
    write_rows(tmp_path / "in.jsonl", range(5, 2_000))
    assert program.run("import", "first.jsonl", "--output", "out.json").status == 0
    before = (tmp_path / "out.json").read_bytes()
    ended = program.run_on_a_full_disk(50_000, "import", "in.jsonl", "--output", "out.json")
    assert (ended.status, ended.stdout) == (4, "")
    assert "out.json: the output cannot be written" in ended.stderr
    assert (tmp_path / "out.json").read_bytes() == before
    assert not (tmp_path / "out.state.new").exists()
