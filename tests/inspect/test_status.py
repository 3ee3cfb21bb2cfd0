"""`apep-datagen status`: how far a run is, at any time, without touching anything."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import filelock
import pytest

from apep_datagen.core.errors import StorageError
from apep_datagen.inspect.status import _read, read_status
from apep_datagen.storage.access import connect, read_only, run_is_active
from apep_datagen.storage.schema import migrate
from support.loopback_server import LoopbackServer, Received, Reply, hangs_after, well_behaved
from support.program import OUTPUT, Program, section
from support.waiting import PATIENCE_SECONDS, wait_until

NOBODY = 65534


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def snapshot(directory: Path) -> dict[str, tuple[int, bytes]]:
    """Return when each file was changed, and what is in it."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def status_of(program: Program) -> dict[str, Any]:
    ended = program.run("status", "--json")
    assert ended.status == 0, ended.said
    assert ended.stderr == ""
    value: dict[str, Any] = json.loads(ended.stdout)
    return value


def test_it_tells_of_an_active_run_of_what_a_kill_left_and_changes_nothing(program: Program) -> None:
    began = time.time()
    with LoopbackServer(hangs_after(30)) as server:
        program.configure(section("one", server.url("one"), requests_per_second=None, max_in_flight=4))
        process = program.start("--providers", "one", "--target", "50")
        server.wait_until(lambda: server.hanging == 4)
        # The last answers may be on their way to the disk, and what is reserved ahead: half as many as are in flight.
        looks: list[dict[str, Any]] = []

        def is_recorded() -> bool:
            assert process.poll() is None
            looks.append(status_of(program))
            return bool(looks[-1]["steps"] == 30 and looks[-1]["requests_under_way"] == 6)

        wait_until(is_recorded, lambda: str(looks[-1]))
        status = looks[-1]
        before = snapshot(program.directory)
        said = program.run("status").stdout

        process.kill()
        process.communicate()
        killed = status_of(program)
        said_killed = program.run("status").stdout
        assert snapshot(program.directory) == before
    answered = [received for received in server.received if received.status == 200]
    in_progress = program.query("SELECT count(*) FROM conversations WHERE status = 'active'")[0][0]

    assert status["active"] is True
    assert status["target"] == 50
    assert 0 < status["done"] == len(program.conversations())
    assert status["missing"] == 50 - status["done"]
    assert status["in_progress"] == in_progress
    assert status["requests_under_way"] == 6
    assert status["total"]["requests"] == len(answered) == 30
    assert began < status["last_recorded_at"] < time.time()
    assert status["conversations_per_hour"] > 0
    assert status["seconds_left"] > 0
    assert "A run is active; the last step was recorded" in said
    assert "6 requests are under way or about to be sent" in said
    assert "conversations/hour" in said

    assert killed == status | {
        "active": False,
        "conversations_per_hour": killed["conversations_per_hour"],
        "seconds_left": killed["seconds_left"],
    }
    assert "No run is active" in said_killed
    assert "6 requests were under way or about to be sent when the run was killed" in said_killed
    assert "conversations/hour" not in said_killed


def test_requests_tokens_and_cost_are_those_that_the_server_saw(program: Program) -> None:
    def fails_now_and_then(received: Received) -> Reply:
        return Reply("busy", status=503) if received.number == 5 else well_behaved(received)

    with LoopbackServer(fails_now_and_then) as server:
        config = section("one", server.url("one")) + section("two", server.url("two"))
        prices = '[providers.one.prices]\n"model-one" = { input = 2.0, output = 10.0 }\n'
        program.configure(config + prices)
        ended = program.run("--providers", "one,two", "--target", "12")
        assert ended.status == 0, ended.said
        without = status_of(program)
        program.configure(config + prices + prices.replace("one.", "two."))
        with_prices = status_of(program)
        said = program.run("status").stdout

    roles = {"ask": "tester", "answer": "ada", "continue": "ada", "rewrite": "rewriter"}
    counted = {(item["provider"], item["role"]): item["requests"] for item in without["used"]}
    for (provider, role), requests in counted.items():
        assert requests == len([r for r in server.of(provider) if roles[r.step] == role])
    assert without["total"]["requests"] == len(server.received)
    assert without["steps"] == without["total"]["answers"] == len(server.received) - 1
    assert [(item["kind"], item["count"]) for item in without["failures"]] == [("unavailable", 1)]
    assert (without["done"], without["missing"], without["in_progress"]) == (12, 0, 0)
    assert without["active"] is False
    assert without["memories"] == program.query("SELECT count(*) FROM notes WHERE shelf = 'memory'")[0][0] > 0

    assert without["total"]["usd"] is None
    assert without["missing_prices"] == [{"provider": "two", "model": "model-one"}]
    tokens = program.query("SELECT sum(prompt_tokens), sum(completion_tokens) FROM steps")[0]
    assert with_prices["missing_prices"] == []
    assert with_prices["total"]["usd"] == pytest.approx((2 * tokens[0] + 10 * tokens[1]) / 1e6)
    assert with_prices["total"]["prompt_tokens"] == tokens[0]
    assert "Nothing is left to do." in said
    assert max(map(len, said.splitlines())) <= 80


def test_a_price_that_is_missing_is_named_and_its_cost_is_unknown(program: Program) -> None:
    make_state(program.state, used=["one"])
    program.configure(section("one", "http://127.0.0.1:1"))
    said = program.run("status").stdout
    assert "unknown" in said
    assert "$0" not in said
    assert '[providers.one.prices]\n  "model-one" = {' in said


def test_a_run_goes_on_undisturbed_while_it_is_looked_at(program: Program) -> None:
    done: list[int] = []

    def waits_for_looks(received: Received) -> Reply:
        """Let no more than two conversations go by between two looks."""
        return replace(well_behaved(received), until=lambda: len(done) > received.number / 10)

    with LoopbackServer(waits_for_looks) as server:
        program.configure(section("one", server.url("one"), requests_per_second=None, max_in_flight=4))
        process = program.start("--providers", "one", "--target", "60")
        server.wait_until(lambda: server.received)
        while process.poll() is None:
            status = read_status(program.output, time.time())
            assert status.made <= sum(item.answers for item in status.uses)
            done.append(status.done)
        stdout, stderr = process.communicate()
    assert process.returncode == 0, stdout + stderr
    assert len(done) > 10
    assert done == sorted(done)
    assert read_status(program.output, time.time()).done == 60


def test_whether_a_run_is_active_is_told_by_its_lock_without_taking_it(tmp_path: Path) -> None:
    path = tmp_path / "a.state.db"
    assert run_is_active(path) is False
    lock = filelock.FileLock(path.with_suffix(".lock"), timeout=0)
    with lock:
        assert run_is_active(path) is True
    assert run_is_active(path) is False


# Files that cannot be read as they are.


def test_where_no_run_has_begun_it_says_so_and_makes_nothing(program: Program) -> None:
    ended = program.run("status")
    assert ended.status == 4
    assert f"{OUTPUT.with_suffix('.state.db')}: there is no such file, so no run has begun" in ended.stderr
    assert "--output" in ended.stderr
    assert list(program.directory.iterdir()) == []


@pytest.fixture
def readable_directory() -> Iterator[Path]:
    """Return a directory that every user can read, which those of pytest are not."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    for directory in (path, *path.rglob("*")):
        if directory.is_dir():
            directory.chmod(0o755)
    shutil.rmtree(path)


@contextlib.contextmanager
def as_somebody_who_may_not_write() -> Iterator[None]:
    """Be another user than root, who may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("killed", [False, True], ids=["ended", "killed"])
def test_it_reads_a_directory_that_cannot_be_written(readable_directory: Path, *, killed: bool) -> None:
    program = Program(readable_directory)
    with LoopbackServer(hangs_after(8) if killed else well_behaved) as server:
        program.configure(section("one", server.url("one")))
        process = program.start("--providers", "one", "--target", "3")
        if killed:
            server.wait_until(lambda: server.hanging)
            process.kill()
        process.communicate()
    for path in [*readable_directory.rglob("*"), readable_directory]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = snapshot(readable_directory)
    with as_somebody_who_may_not_write():
        status = read_status(program.output, time.time())
    assert (status.done < 3) is killed
    assert sum(item.answers for item in status.uses) > 3
    assert snapshot(readable_directory) == before


def make_state(path: Path, *, used: list[str] | None = None, reasons: list[str] | None = None) -> None:
    """Make a state database with what was spent at some providers, and conversations that were set aside."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = connect(path)
    migrate(connection, seed=1, output_name=OUTPUT.name, base_count=0, base_end=1)
    connection.execute("INSERT INTO prompt_sets VALUES (1, 'd', '{}')")
    connection.execute("INSERT INTO timelines (id) VALUES (1)")
    for provider in used or []:
        connection.execute(
            "INSERT INTO spending VALUES ('2026-01', ?, 'model-one', 'ada', 3, 3, 0, 100, 10, 1.5)", (provider,)
        )
    for reason in reasons or []:
        connection.execute(
            "INSERT INTO conversations (timeline_id, prompt_set_id, plan, provider, status, reason, started_at,"
            " ended_at) VALUES (1, 1, '{}', 'one', 'set aside', ?, 1, 2)",
            (reason,),
        )
    connection.close()


def spoil(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(sql)
    connection.close()


@pytest.mark.parametrize(
    ("spoiling", "told"),
    [
        ("PRAGMA application_id = 7", "a database of another program"),
        ("PRAGMA user_version = 99", "written by a newer apep-datagen"),
        ("PRAGMA user_version = 0", "not set up completely; the next run for this output mends this"),
        ("PRAGMA user_version = 1", "the state database cannot be read (duplicate column name: target)"),
    ],
    ids=["foreign", "newer", "unfinished", "of no version"],
)
def test_a_database_of_another_program_or_version_is_refused(program: Program, spoiling: str, told: str) -> None:
    make_state(program.state)
    spoil(program.state, spoiling)
    before = snapshot(program.directory)
    ended = program.run("status")
    assert ended.status == 4
    assert told in ended.stderr
    assert str(OUTPUT.with_suffix(".state.db")) in ended.stderr
    assert "Traceback" not in ended.said
    assert snapshot(program.directory) == before


def test_where_no_copy_of_an_earlier_version_can_be_made_it_says_what_to_do(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_state(program.state)
    spoil(program.state, "PRAGMA user_version = 1")

    def finds_no_room(*_: object, **__: object) -> None:
        with contextlib.closing(sqlite3.connect("", isolation_level=None)) as small:
            small.execute("PRAGMA max_page_count = 1")
            small.execute("CREATE TABLE large (text)")

    monkeypatch.setattr("apep_datagen.storage.access.migrate", finds_no_room)
    with pytest.raises(
        StorageError, match=r"older apep-datagen.+\(database or disk is full\); make room for temporary"
    ):
        read_status(program.output, time.time())


def test_a_file_that_is_no_database_is_refused(program: Program) -> None:
    program.state.parent.mkdir(parents=True)
    program.state.write_bytes(b"no database" * 100)
    ended = program.run("status")
    assert ended.status == 4
    assert "cannot be read" in ended.stderr


def test_a_copy_without_its_index_is_refused_because_its_newest_steps_cannot_be_read(program: Program) -> None:
    make_state(program.state)
    program.state.with_name(program.state.name + "-wal").write_bytes(b"x" * 100)
    ended = program.run("status")
    assert ended.status == 4
    assert "-shm is missing beside it" in ended.stderr


def test_files_that_come_and_go_when_a_run_begins_or_ends_are_waited_for(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_state(program.state, used=["one"])
    log = program.state.with_name(program.state.name + "-wal")
    log.write_bytes(b"x" * 100)
    monkeypatch.setattr("apep_datagen.storage.access.time.sleep", lambda _seconds: log.unlink())
    assert sum(item.answers for item in read_status(program.output, time.time()).uses) == 3


# What is shown.


def test_reasons_are_grouped_the_most_frequent_first_and_shown_without_control_characters(program: Program) -> None:
    rare = [f"ask at one: HTTP 400: number {number}" for number in range(15)]
    often = "answer at one: \x1b[2Jrefused\x07 " + "x" * 200
    make_state(program.state, reasons=[*rare, often, often])
    status = status_of(program)
    assert status["set_aside"][0] == {"reason": often, "count": 2}
    assert len(status["set_aside"]) == 16
    ended = program.run("status")
    assert "17 set aside" in ended.stdout
    assert "\x1b" not in ended.stdout
    assert "\x07" not in ended.stdout
    lines = ended.stdout.partition("Set aside:\n")[2].partition("\n\n")[0].splitlines()
    assert lines[0].startswith("2  answer at one: [2Jrefused xxx")
    assert len(lines) == 11
    assert lines[-1] == "6  for 6 other reasons (see --json)"
    assert max(map(len, lines)) <= 80


def test_every_query_goes_by_an_index_or_over_a_small_table(program: Program) -> None:
    with LoopbackServer() as server:
        program.configure(section("one", server.url("one")))
        assert program.run("--providers", "one", "--target", "3").status == 0
    statements: list[str] = []

    def read(connection: sqlite3.Connection) -> list[str]:
        connection.set_trace_callback(statements.append)
        _read(connection, program.output, active=False, now=time.time())
        connection.set_trace_callback(None)
        rows = (connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall() for statement in statements)
        return [step[-1] for plan in rows for step in plan]

    steps = read_only(program.state, read)
    assert len(statements) > 8
    assert any(step.startswith("SEARCH samples") for step in steps)
    large = ("SCAN steps", "SCAN samples", "SCAN conversations")
    assert [step for step in steps if step.startswith(large) and "USING" not in step] == []


def test_the_pace_is_that_of_the_last_hour(program: Program) -> None:
    with LoopbackServer() as server:
        program.configure(section("one", server.url("one")))
        assert program.run("--providers", "one", "--target", "6").status == 0
    # The first four long ago, the others half an hour and a quarter of an hour ago.
    now = time.time()
    ages = [90_000, 80_000, 7_300, 3_601, 1_800, 900]
    for position, age in enumerate(ages, start=1):
        spoil(
            program.state,
            f"UPDATE conversations SET ended_at = {now - age} WHERE id ="  # noqa: S608 - numbers
            f" (SELECT conversation_id FROM samples WHERE position = {position})",
        )
    assert read_status(program.output, now).conversations_per_hour == pytest.approx(2)
    assert read_status(program.output, now + 2_000).conversations_per_hour is None


def test_an_output_that_was_there_before_counts(program: Program) -> None:
    program.output.parent.mkdir(parents=True)
    element = {"conversations": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]}
    program.output.write_text(json.dumps([element] * 4))
    with LoopbackServer() as server:
        program.configure(section("one", server.url("one")))
        assert program.run("--providers", "one", "--target", "6").status == 0
    status = status_of(program)
    assert (status["done"], status["missing"]) == (6, 0)


def test_what_has_read_its_output_may_be_gone(program: Program) -> None:
    make_state(program.state, used=["one"])
    process = program.start("status", stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(PATIENCE_SECONDS) == 0
