"""The files of an invocation: none is taken for another, and what can be no file is refused before anything is made."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.loopback_server import LoopbackServer, Received, Reply, well_behaved
from support.program import Program, section
from support.waiting import wait_until

SECRETS = json.dumps({"mistral_api_key": "s3cret-K3y", "enabled_providers": ["mistral"]})


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """A program with each of its files there, but for those of a run."""
    program = Program(tmp_path, environment={})
    (tmp_path / "data").mkdir()
    (tmp_path / "data/secrets.json").write_text(SECRETS, encoding="utf-8")
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/ada_system.txt").write_text("You are Ada. {{ tool_instructions }}", encoding="utf-8")
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    program.configure('[providers.mistral]\nbase_url = "http://127.0.0.1:9"\n[providers.local]\nmodel = "model.gguf"\n')
    return program


def contents(directory: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in directory.rglob("*")}


def refused(program: Program, *options: str) -> str:
    before = contents(program.directory)
    ended = program.run("--prompts", "prompts", "--target", "1", *options)
    assert ended.status == 2, ended.said
    assert "Traceback" not in ended.said
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert contents(program.directory) == before
    return ended.stderr


OTHERS = {
    "out.json": "the output (--output)",
    "out.state.db": "the state database",
    "out.state.db-wal": "the state database",
    "out.state.db-shm": "the state database",
    "out.state.lock": "the lock",
    "data/secrets.json": "the file of secrets (--secrets)",
    "data/ledger.db": "the ledger",
    "apep-datagen.toml": "the configuration (--config)",
    "prompts/ada_system.txt": "the prompt ada_system.txt",
    "model.gguf": "the model of local",
}


@pytest.mark.parametrize(("other", "what"), OTHERS.items())
def test_a_log_that_is_another_file_of_the_run_is_refused_by_naming_both(
    program: Program, other: str, what: str
) -> None:
    message = refused(program, "--output", "out.json", "--log-file", other)
    assert "the log (--log-file) would be the same file as" in message
    assert what in message


@pytest.mark.parametrize("other", [other for other in OTHERS if not other.startswith("out")])
def test_an_output_that_is_another_file_of_the_run_is_refused_by_naming_both(program: Program, other: str) -> None:
    (program.directory / "link.json").symlink_to(other)
    for output in (other, "link.json"):
        message = refused(program, "--output", output)
        assert "would be the same file as" in message
        assert "the output (--output)" in message
        assert OTHERS[other] in message


@pytest.mark.parametrize("command", [(), ("plan",)])
def test_a_file_that_the_first_start_would_make_is_one_as_well(tmp_path: Path, command: tuple[str, ...]) -> None:
    ended = Program(tmp_path, environment={}).run(*command, "--secrets", "keys.json", "--log-file", "keys.json")
    assert ended.status == 2, ended.said
    assert "keys.json: the log (--log-file) would be the same file as the file of secrets" in ended.stderr
    assert list(tmp_path.iterdir()) == []


LONG = "n" * 300


@pytest.mark.parametrize("name", [LONG, os.fsdecode(b"\xffile"), "pipe", "directory"])
@pytest.mark.parametrize("option", ["--output", "--log-file", "--secrets", "--config"])
def test_what_can_be_no_file_is_refused_and_nothing_is_made(tmp_path: Path, option: str, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "directory").mkdir()
    before = contents(tmp_path)
    ended = Program(tmp_path).run("--target", "1", "--providers", "mistral", option, name)
    assert ended.status == 2, ended.said
    assert "Traceback" not in ended.said
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["tester_system.txt", "scenarios.toml"])
def test_a_prompt_that_is_no_file_is_refused_and_not_replaced_by_the_programs_own(program: Program, name: str) -> None:
    path = program.directory / "prompts" / name
    os.mkfifo(path)
    assert f"the prompt {name} has to be a file, and this is a pipe" in refused(program)
    path.unlink()
    path.symlink_to("missing")
    assert f"prompts/{name}: " in refused(program)


@pytest.mark.parametrize("name", [LONG, "pipe", os.fsdecode(b"\xff.json")])
@pytest.mark.parametrize("command", [("status", "--output"), ("verify",), ("stats",), ("show",)])
def test_a_command_that_looks_at_a_dataset_refuses_what_is_none(
    tmp_path: Path, command: tuple[str, ...], name: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    ended = Program(tmp_path).run(*command, name)
    assert ended.status in (2, 4), ended.said
    assert "Traceback" not in ended.said
    assert len(ended.stderr.splitlines()) == 1, ended.stderr


def test_a_run_whose_files_all_differ_goes_its_way(program: Program) -> None:
    with LoopbackServer() as server:
        program.configure(section("mistral", server.url("mistral")))
        ended = program.run("--prompts", "prompts", "--target", "1", "--log-file", "data/secrets.jsonl")
    assert ended.status == 0, ended.said
    assert len(program.conversations()) == 1


@pytest.mark.parametrize("command", ["verify", "stats", "show"])
def test_a_dataset_beside_which_no_state_database_can_be_is_looked_at_as_one_without(
    tmp_path: Path, command: str
) -> None:
    """Its name is as long as a name can be, and that of a state database would be longer."""
    path = tmp_path / ("n" * 250 + ".json")
    path.write_text(json.dumps([{"conversations": [{"role": "user", "content": "Hello."}]}]), encoding="utf-8")
    ended = Program(tmp_path).run(command, path.name)
    assert ended.status in (0, 7), ended.said
    assert "Traceback" not in ended.said


@pytest.mark.parametrize("number", ["9" * 30, "-" + "9" * 30, "9" * 5_000])
def test_a_number_that_no_conversation_has_is_told(tmp_path: Path, number: str) -> None:
    with LoopbackServer() as server:
        program = Program(tmp_path)
        program.configure(section("mistral", server.url("mistral")))
        assert program.run("--providers", "mistral", "--target", "1").status == 0
    for arguments in ((number,), (str(program.output), number)):
        ended = program.run("show", *arguments)
        assert ended.status in (2, 4), ended.said
        assert "Traceback" not in ended.said


def _move(path: Path) -> None:
    path.rename(path.with_name("moved"))


def _put_another_there(path: Path) -> None:
    shutil.copy(path, path.with_name("other"))
    path.with_name("other").replace(path)


def _save_what_an_editor_has_shown(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8")[:-3].rpartition("\n")[0].rstrip(",") + "\n]\n", encoding="utf-8")


OTHER_HANDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "deleted": (Path.unlink, "moved, deleted or replaced"),
    "moved": (_move, "moved, deleted or replaced"),
    "replaced": (_put_another_there, "moved, deleted or replaced"),
    "emptied": (lambda path: path.write_bytes(b""), "changed"),
    "saved in an editor": (_save_what_an_editor_has_shown, "changed"),
}


@pytest.mark.parametrize(("do", "what"), OTHER_HANDS.values(), ids=OTHER_HANDS)
def test_an_output_that_another_hand_changes_meanwhile_is_told_and_the_next_start_goes_on_from_what_is_there(
    tmp_path: Path, do: Callable[[Path], object], what: str
) -> None:
    program = Program(tmp_path)
    options = ("--providers", "endpoint", "--target", "6")
    is_changed = False

    def waits_for_the_other_hand(received: Received) -> Reply:
        return replace(well_behaved(received), until=lambda: is_changed or received.number <= 12)

    with LoopbackServer(waits_for_the_other_hand) as server:
        program.configure(section("endpoint", server.url("endpoint"), max_in_flight=1))
        running = program.watch(*options)
        server.wait_until(lambda: len(server.received) > 12)
        wait_until(lambda: len(program.conversations()) >= 2, lambda: "nothing was written")
        do(program.output)
        is_changed = True
        ended = running.end()
        assert ended.status == 4, ended.said
        assert f"the output was {what} by another hand" in ended.said
        assert "Traceback" not in ended.said
        again = program.run(*options)
    assert again.status == 0, again.said
    assert len(program.conversations()) == 6
    assert len({json.dumps(conversation) for conversation in program.conversations()}) == 6
    assert program.run("verify").status in (0, 7)


def test_a_state_database_that_is_taken_away_meanwhile_ends_the_run_and_is_gone_on_with_when_it_is_back(
    tmp_path: Path,
) -> None:
    program = Program(tmp_path)
    options = ("--providers", "endpoint", "--target", "3")
    away = program.state.with_name("away")

    def takes_it_away(received: Received) -> Reply:
        if received.number == 5:
            program.state.rename(away)
        return well_behaved(received)

    with LoopbackServer(takes_it_away) as server:
        program.configure(section("endpoint", server.url("endpoint")))
        ended = program.run(*options)
        assert ended.status == 4, ended.said
        assert f"{program.state.name}: the state database was moved, deleted or replaced" in ended.stderr
        away.rename(program.state)
        assert program.run(*options).status == 0
    assert len(program.conversations()) == 3


@pytest.mark.parametrize(
    ("name", "what"),
    {
        "out.json": "the output (--output)",
        "run.jsonl": "the log (--log-file)",
        "out.state.lock": "the lock beside the output",
    }.items(),
)
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_stream_that_goes_into_a_file_of_the_run_is_refused_and_does_not_spoil_it(
    program: Program, stream: str, name: str, what: str
) -> None:
    options = ("--target", "1", "--output", "out.json", "--log-file", "run.jsonl")
    path = program.directory / name
    with path.open("a", encoding="utf-8") as file:
        streams: dict[str, Any] = {stream: file}
        ended = program.run(*options, **streams)
    assert ended.status == 2
    said = path.read_text(encoding="utf-8") + ended.said
    printed = "standard output" if stream == "stdout" else "standard error output"
    assert said == f"{name}: {what} would be the same file as the {printed}; print to another one\n"


@pytest.mark.parametrize("command", [(), ("plan",), ("status",), ("verify",), ("stats",), ("show",)])
def test_a_working_directory_that_is_gone_is_told(tmp_path: Path, command: tuple[str, ...]) -> None:
    def lose_the_directory() -> None:
        (tmp_path / "gone").mkdir()
        os.chdir(tmp_path / "gone")
        (tmp_path / "gone").rmdir()

    ended = Program(tmp_path).run(*command, preexec_fn=lose_the_directory)
    assert (ended.status, ended.stdout) == (2, "")
    assert ended.stderr.startswith("the working directory cannot be used (No such file or directory)")


def test_a_name_that_sqlite_can_take_for_an_address_is_a_name(program: Program) -> None:
    with LoopbackServer() as server:
        program.configure(section("mistral", server.url("mistral"), tokens_per_month=1_000_000))
        (program.directory / "file:keys").mkdir()
        shutil.copy(program.directory / "data/secrets.json", program.directory / "file:keys/secrets.json")
        ended = program.run("--target", "1", "--output", "file:out.json", "--secrets", "file:keys/secrets.json")
    assert ended.status == 0, ended.said
    assert program.directory.joinpath("file:out.state.db").exists()
    assert program.directory.joinpath("file:keys/ledger.db").exists()
    assert not program.directory.joinpath("out.state.db").exists()
