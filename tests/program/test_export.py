"""`export` as a user calls it: beside a run, ended at any moment, on a full disk, and with options that are wrong."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from apep_datagen.config.settings import Settings
from apep_datagen.export.exporting import export
from apep_datagen.export.plan import Plan, Target
from apep_datagen.formats.registry import FORMATS
from support.loopback_server import LoopbackServer
from support.outputs import MadeOutput, of_users
from support.paths import REPOSITORY, SUPPORT
from support.program import OUTPUT, Ended, Program, section
from support.waiting import PATIENCE_SECONDS, wait_until

MADE = 8
ALL = [option for name in FORMATS for option in ("--format", name)]
THREE = ["--format", "trl", "--format", "parquet", "--format", "traces"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which `MADE` conversations were made."""
    program = Program(tmp_path_factory.mktemp("made"))
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint")))
        ended = program.run("--providers", "endpoint", "--target", str(MADE), "--seed", "2")
    assert ended.status == 0, ended.said
    return program.directory


@pytest.fixture
def program(made: Path, tmp_path: Path) -> Iterator[Program]:
    """The program, in a copy of that directory; no export changes anything beside its folders."""
    shutil.copytree(made, tmp_path / "run")
    program = Program(tmp_path / "run")
    before = files(program.output.parent)
    yield program
    assert before.items() <= files(program.output.parent).items()


def files(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def assert_refused(ended: Ended, status: int, *told: str) -> None:
    assert ended.status == status, ended.said
    assert "Traceback" not in ended.said
    assert ended.stdout == ""
    for text in told:
        assert text in ended.stderr


# What comes of it.


def test_every_format_is_written_with_how_to_train_on_it(program: Program) -> None:
    ended = program.run("export", *ALL, "--to", "exported", "--json")
    assert ended.status == 0, ended.said
    told = json.loads(ended.stdout)
    assert [each["format"] for each in told["formats"]] == list(FORMATS)
    assert told["why_not"] is None
    for each in told["formats"]:
        folder = program.directory / each["directory"]
        assert each["conversations"] == MADE
        assert each["before"] == each["in_rows"]
        assert not each["left_out"]
        assert (folder / "README.md").stat().st_size > 300
        assert json.loads((folder / "report.json").read_bytes())["in_rows"] == each["in_rows"]
    again = program.run("export", *ALL, "--to", "exported", "--json")
    assert json.loads(again.stdout) == told
    assert files(program.directory / "exported") == files(program.directory / "exported")


def test_it_is_told_in_words(program: Program) -> None:
    ended = program.run("export", "--format", "trl,openai", "--to", "exported")
    assert ended.status == 0, ended.said
    assert f"{MADE} conversations were read" in ended.stdout
    assert ended.stdout.count("Nothing is lost.") == 2


def test_what_a_template_leaves_out_without_a_word_changes_the_exit_status(program: Program) -> None:
    template = program.directory / "short.jinja"
    template.write_text("{{ messages[-1].content }}", encoding="utf-8")
    ended = program.run("export", "--format", "openai", "--to", "exported", "--check", str(template))
    assert ended.status == 7, ended.said


def test_an_output_of_an_earlier_program_or_without_a_run_is_exported_as_far_as_it_is_known(program: Program) -> None:
    copy = program.directory / "copy.json"
    shutil.copy(program.output, copy)
    ended = program.run("export", str(copy), *THREE, "--to", "exported")
    assert ended.status == 0, ended.said
    assert "there is no state database" in ended.stdout


# Beside a run.


def synced(program: Program) -> int:
    """Return how many conversations are known to be on the disk."""
    try:
        return int(program.query("SELECT synced_position FROM run")[0][0])
    except sqlite3.OperationalError:  # it is being made
        return 0


def finished(program: Program) -> int:
    """Return how many conversations are finished."""
    return int(program.query("SELECT count(*) FROM samples")[0][0])


def stands_between_appends(program: Program, running: subprocess.Popen[str]) -> bool:
    """Stop the process; let it go on where the output does not hold all that is finished, and tell which it was."""
    running.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, running.pid, os.WSTOPPED)
    with contextlib.suppress(json.JSONDecodeError):
        if len(program.conversations()) == finished(program):
            return True
    running.send_signal(signal.SIGCONT)
    return False


def test_beside_a_run_what_is_known_to_be_on_the_disk_is_taken(tmp_path: Path) -> None:
    program = Program(tmp_path)
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint")))
        running = program.start("--providers", "endpoint", "--target", "5000", "--seed", "2")
        try:
            wait_until(lambda: synced(program) >= 2, lambda: "nothing was made")
            wait_until(lambda: stands_between_appends(program, running), lambda: "the output is not up to date")
            with program.output.open("r+b") as file:  # as in the middle of the next append
                file.seek(-3, 2)
                file.write(b',\n{"conversations": [{"role": "user", "con')
            ended = program.run("export", *THREE, "--to", "exported", "--json")
            known, target = synced(program), finished(program) + 2
        finally:
            running.kill()
            running.communicate(timeout=PATIENCE_SECONDS)
    assert ended.status == 0, ended.said
    for each in json.loads(ended.stdout)["formats"]:
        assert each["conversations"] == known
    # Nobody works on it now, and its end is torn off.
    assert_refused(program.run("export", *THREE, "--to", "exported"), 4, str(OUTPUT), "the next one mends its end")
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint")))
        resumed = program.run("--providers", "endpoint", "--target", str(target), "--seed", "2")
    assert resumed.status == 0, resumed.said
    assert program.run("export", *THREE, "--to", "exported").status == 0
    assert program.run("export", *THREE, "--to", "fresh").status == 0
    assert files(tmp_path / "exported") == files(tmp_path / "fresh")


# Ended at any moment.


def ended_everywhere(tmp_path: Path, number: str, *options: str) -> list[int]:
    """End an export at each moment; return the exit status of each."""
    done = subprocess.run(
        [sys.executable, str(SUPPORT / "ended_export.py"), number, str(tmp_path / "places"), "export", *options],
        check=True, capture_output=True, text=True, timeout=PATIENCE_SECONDS,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin"},
    )  # fmt: skip
    return [int(line) for line in done.stdout.split()]


def names_of_unfinished(directory: Path) -> list[str]:
    return [path.name for path in directory.rglob("*") if path.name.endswith((".new", ".part", ".replaced"))]


@pytest.mark.parametrize("began", ["anew", "from an earlier one"])
@pytest.mark.parametrize("name", ["trl", "parquet", "traces"])
def test_killed_at_any_moment_it_leaves_old_files_whole_and_the_next_one_makes_all_good(
    tmp_path: Path, name: str, began: str
) -> None:
    output = MadeOutput(tmp_path / "out.json")
    output.append(of_users(6, 3))
    program, places = Program(tmp_path), tmp_path / "places"
    places.mkdir()
    if began != "anew":
        ended = program.run("export", "out.json", "--format", name, "--split", "0.5/0.5", "--to", "places/before")
        assert ended.status == 0, ended.said
        output.append(of_users(2, 3, first=7))
    assert program.run("export", "out.json", "--format", name, "--to", "fresh").status == 0
    fresh = files(tmp_path / "fresh")
    before = files(places / "before") if began != "anew" else {}
    *killed, last = ended_everywhere(tmp_path, "SIGKILL", str(output.path), "--format", name, "--to", "TO")
    assert len(killed) >= 5
    assert set(killed) == {-signal.SIGKILL}
    assert last == 0
    for number in range(1, len(killed) + 2):
        place = places / str(number)
        for file, content in files(place).items():
            if not any(part.endswith((".new", ".part", ".replaced")) for part in file.split("/")):
                assert content in (before.get(file), fresh.get(file)) or file.endswith("report.json"), (number, file)
                assert not file.endswith("report.json") or json.loads(content)["program"] == "apep-datagen"
    for number in range(1, len(killed) + 2):
        export(output.path, Plan((Target(name, FORMATS[name].default),)), places / str(number), Settings())
        assert files(places / str(number)) == fresh, number
        assert not names_of_unfinished(places / str(number))


def test_interrupted_at_any_moment_it_says_so_and_leaves_nothing_unfinished(tmp_path: Path) -> None:
    output = MadeOutput(tmp_path / "out.json")
    output.append(of_users(6, 3))
    (tmp_path / "places").mkdir()
    *interrupted, last = ended_everywhere(tmp_path, "SIGINT", str(output.path), *THREE, "--to", "TO")
    assert len(interrupted) >= 10
    assert set(interrupted) == {130}
    assert last == 0
    for number in range(1, len(interrupted) + 1):
        assert not names_of_unfinished(tmp_path / "places" / str(number))


# Where it cannot be written.


@pytest.mark.parametrize("name", ["trl", "parquet", "traces"])
def test_on_a_full_disk_what_was_there_stays_and_the_rest_is_told(program: Program, name: str) -> None:
    options = ("export", "--format", name, "--to", "exported")
    size = {"trl": 20_000, "parquet": 5_000, "traces": 2_000}[name]
    assert_refused(program.run_on_a_full_disk(size, *options), 4, "exported", "ulimit")
    assert not (program.directory / "exported").exists()
    assert program.run(*options).status == 0
    before = files(program.directory / "exported")
    assert_refused(program.run_on_a_full_disk(size, *options, "--thoughts", "last"), 4, "exported")
    assert files(program.directory / "exported") == before


def test_places_that_cannot_be_written_are_told_and_left(program: Program) -> None:
    place = program.directory / "place"
    place.write_text("mine", encoding="utf-8")
    (program.directory / "holds").mkdir()
    (program.directory / "holds" / "trl").write_text("mine", encoding="utf-8")
    (program.directory / "other" / "trl").mkdir(parents=True)
    (program.directory / "other" / "trl" / "train.jsonl").write_text("mine", encoding="utf-8")
    (program.directory / "dangling").symlink_to("/proc/nowhere")
    before = files(program.directory)
    for to, status in (
        ("place", 2), ("place/below", 4), ("holds", 2), ("other", 2), (str(OUTPUT), 2), (f"{OUTPUT}/below", 4),
        ("/proc/nowhere", 4), ("dangling", 4), ("x" * 300, 2), ("/dev/null", 2),
    ):  # fmt: skip
        ended = program.run("export", "--format", "trl", "--to", to)
        assert_refused(ended, status)
        assert to in ended.stderr
    assert files(program.directory) == before


@pytest.mark.parametrize("content", [None, b"", b"{}", b'[\n{"conversations": [', b"\x89PNG\r\n\x1a\n", b"[" * 50_000])
def test_an_output_that_is_missing_or_none_is_told(program: Program, content: bytes | None) -> None:
    path = program.directory / "other.json"
    if content is not None:
        path.write_bytes(content)
    assert_refused(program.run("export", "other.json", "--format", "trl", "--to", "exported"), 4, "other.json")
    assert not (program.directory / "exported").exists()


@pytest.mark.parametrize("content", [b"another program's", b"SQLite format 3\0" + b"\0" * 5_000])
def test_a_state_database_that_is_none_is_told(program: Program, content: bytes) -> None:
    copy = program.directory / "copy.json"
    shutil.copy(program.output, copy)
    copy.with_name("copy.state.db").write_bytes(content)
    assert_refused(program.run("export", "copy.json", "--format", "trl", "--to", "exported"), 4, "copy.state.db")
    assert not (program.directory / "exported").exists()


# Options.


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--format", "nothing"], "nothing"),
        (["--format", ""], "there is no such format"),
        (["--format", "trl,"], "there is no such format"),
        ([], "--format"),
        (["--format", "parquet", "--rows", "exchange"], "--rows exchange"),
        (["--format", "parquet", "--calls", "native"], "--calls native"),
        (["--format", "trl", "--calls", "native", "--tool-role", "user"], "--tool-role user"),
        (["--format", "trl", "--rows", "message"], "message"),
        (["--format", "trl", "--thoughts", "some"], "some"),
        (["--format", "trl", "--split", "0.9"], "--split"),
        (["--format", "trl", "--split", "1/0"], "above 0"),
        (["--format", "trl", "--split", "0.9/-0.1"], "--split"),
        (["--format", "trl", "--split", "nan/inf"], "--split"),
        (["--format", "trl", "--split", "1/1/1/1"], "--split"),
        (["--format", "trl", "--include", "ability"], "--include"),
        (["--format", "trl", "--include", "ability="], "--include"),
        (["--format", "trl", "--include", "ability=juggle"], "juggle"),
        (["--format", "trl", "--exclude", "user=3"], "--exclude"),
        (["--format", "trl", "--exclude", "tokens=5"], "tokens"),
        (["--format", "trl", "--include", "tokens=1-9"], "--tokenizer"),
        (["--format", "trl", "--megachat", "0-3"], "--megachat"),
        (["--format", "trl", "--megachat", "5-3"], "--megachat"),
        (["--format", "trl", "--megachat", "many"], "--megachat"),
        (["--format", "trl", "--max-tokens", "0"], "--max-tokens"),
        (["--format", "trl", "--max-tokens", "100"], "--tokenizer"),
        (["--format", "trl", "--tokenizer", "nowhere.json"], "nowhere.json"),
        (["--format", "trl", "--check", "nothing"], "nothing"),
        (["--format", "trl", "--check", "nowhere.jinja"], "nowhere.jinja"),
        (["--format", "trl", "--prompts", "nowhere"], "nowhere"),
        (["--format", "trl", "--config", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_options_that_are_wrong_are_told_before_anything_is_made(
    program: Program, options: list[str], told: str
) -> None:
    ended = program.run("export", *options, "--to", "exported")
    assert_refused(ended, 2, told)
    assert not (program.directory / "exported").exists()


def test_a_directory_has_to_be_named(program: Program) -> None:
    assert_refused(program.run("export", "--format", "trl"), 2, "--to")
    for nothing in ("", " "):  # which is not the directory that one is in
        assert_refused(program.run("export", "--format", "trl", "--to", nothing), 2, "name a directory")
    assert not (program.directory / "trl").exists()


def test_options_that_are_right_are_taken(program: Program) -> None:
    ended = program.run(
        "export", "--format", "trl", "--format", "trl", "--rows", "conversation", "--calls", "native", "--weights",
        "--split", " 90 / 5 / 5 ", "--include", "provider=endpoint", "--exclude", "ability=recall, share",
        "--megachat", "2", "--thoughts", "last", "--check", "qwen3", "--to", "exported", "--json",
    )  # fmt: skip
    assert ended.status in (0, 7), ended.said
    (told,) = json.loads(ended.stdout)["formats"]
    assert list(told["rows"]) == ["train", "validation", "test"]
    assert told["shape"] == {
        "rows": "conversation", "thoughts": "last", "tool_role": "tool", "calls": "native", "weights": False
    }  # fmt: skip
