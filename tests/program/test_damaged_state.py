# ruff: noqa: S608 - the damage is written here
"""A state database that SQLite can read and that is wrong inside: a sentence, and nothing that was accepted is lost."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import sqlite3
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from apep_datagen.cli.app import app
from support.loopback_server import LoopbackServer
from support.program import OUTPUT, Program, section

REPORTS = ("status", "status --json", "stats", "stats --json", "verify --json", "show -1", "show 2")
RUN = ("--providers", "endpoint", "--target", "9", "--exchanges", "1-3", "--quiet")


@pytest.fixture(scope="module")
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        yield server


@pytest.fixture(scope="module")
def good(server: LoopbackServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a run that was stopped: with accepted conversations, and one in progress."""
    program = Program(tmp_path_factory.mktemp("good"))
    # One request at a time, so that what is in progress does not depend on which answer comes first; and several
    # timelines all the same, of which all but the last are over.
    one_at_a_time = section("endpoint", server.url("endpoint"), requests_per_second=None, max_in_flight=1)
    program.configure(f"[generation]\ntimeline_length = 3\n{one_at_a_time}")
    options = (*RUN, "--seed", "3")
    assert program.run(*options, "--max-requests", "38").status == 6
    assert program.query("SELECT count(*) FROM conversations WHERE status = 'active'") == [(1,)]
    assert len(program.conversations()) >= 4
    return program.directory


def copy(good: Path, tmp_path: Path) -> Program:
    shutil.copytree(good, tmp_path, dirs_exist_ok=True)
    return Program(tmp_path)


def change(program: Program, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(program.state, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


# Kinds of damage, with what is said of it.

NEEDED = {
    "no row about the run": ("DELETE FROM run", "the table run holds no row"),
    "two rows about the run": ("INSERT INTO run SELECT * FROM run", "the table run holds more than one row"),
    "a number that is a text": ("UPDATE run SET base_end = 'far'", "base_end in the table run is 'far'"),
    "a number below nothing": ("UPDATE run SET base_position = -3", "base_position in the table run is -3"),
    "a position ahead": ("UPDATE run SET synced_position = 99", "accepted conversations are missing"),
    "no samples": ("DELETE FROM samples", "accepted conversations are missing"),
    "a gap among the samples": ("DELETE FROM samples WHERE position = 2", "accepted conversations are missing"),
    "a table that is missing": ("DROP TABLE notes", "the table notes is missing"),
    "a column that is missing": ("ALTER TABLE steps DROP COLUMN seconds", "the table steps has no column seconds"),
    "an older version": ("PRAGMA user_version = 1", "it is damaged, or another program's"),
    "a version that never was": ("PRAGMA user_version = -7", "its version is -7"),
    "an ability that nobody knows": (
        "UPDATE OR REPLACE verdicts SET ability = 'flying'",
        "'flying' is not a valid Ability",
    ),
    "tokens that are a text": ("UPDATE spending SET prompt_tokens = 'many'", "is damaged"),
    "a cost below nothing": ("UPDATE spending SET completion_tokens = -1", "is less than nothing"),
    "seconds without end": ("UPDATE spending SET seconds = 9e999", "Input should be a finite number"),
}


@pytest.mark.parametrize(("statement", "said"), NEEDED.values(), ids=NEEDED)
def test_what_a_run_cannot_do_without_is_told_before_anything_is_sent(
    server: LoopbackServer, good: Path, tmp_path: Path, statement: str, said: str
) -> None:
    program = copy(good, tmp_path)
    change(program, statement)
    sent, before = len(server.received), program.output.read_bytes()
    ended = program.run(*RUN)
    assert ended.status == 4, ended.said
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith(f"{OUTPUT.with_suffix('.state.db')}: the state database ")
    assert said in ended.stderr
    assert "put a copy of it back, or move it away" in ended.stderr
    assert "make room" not in ended.stderr
    assert len(server.received) == sent
    assert program.output.read_bytes() == before
    # As the sentence says: without it, the run begins anew behind what is there.
    for path in program.output.parent.glob(f"{program.state.name}*"):
        path.unlink()
    assert program.run(*RUN).status == 0
    assert program.conversations()[: len(json.loads(before))] == [item["conversations"] for item in json.loads(before)]


ALONE = {
    "its plan": "UPDATE conversations SET plan = '{\"at\": 5}' WHERE status = 'active'",
    "the plan of another one": "UPDATE conversations SET plan = (SELECT plan FROM conversations WHERE id = 1)"
    " WHERE status = 'active'",
    "its day": "UPDATE conversations SET plan = json_set(plan, '$.at', 'someday') WHERE status = 'active'",
    "its prompts": "UPDATE prompt_sets SET texts = '[1]'",
    "a prompt that renders no more": 'UPDATE prompt_sets SET texts = \'{"ada_system.txt": "{{ 1 / 0 }}"}\'',
    "its prompts, which are gone": "DELETE FROM prompt_sets",
    "its steps, which are gone": "DELETE FROM steps",
    "its first step, which is gone": "DELETE FROM steps WHERE number = 1",
    "a step that is no text": "UPDATE steps SET text = CAST(x'ff' AS TEXT)",
    "a note that is no text": "INSERT INTO notes (timeline_id, shelf, date, text, added_in)"
    " SELECT timeline_id, 'memory', '2026-01-01', CAST(x'fffe' AS TEXT), 0 FROM conversations WHERE status = 'active'",
    "its timeline, which is gone": "DELETE FROM timelines WHERE id ="
    " (SELECT timeline_id FROM conversations WHERE status = 'active')",
    "its story": "UPDATE timelines SET story = '{}' WHERE id ="
    " (SELECT timeline_id FROM conversations WHERE status = 'active')",
}


@pytest.mark.parametrize("statement", ALONE.values(), ids=ALONE)
def test_a_conversation_that_alone_is_broken_is_set_aside_and_the_run_goes_on(
    good: Path, tmp_path: Path, statement: str
) -> None:
    program = copy(good, tmp_path)
    change(program, statement)
    ended = program.run(*RUN)
    assert ended.status == 0, ended.said
    assert "is set aside, it cannot be resumed: " in ended.stderr
    assert len(program.conversations()) == 9
    assert program.query("SELECT count(*) FROM conversations WHERE status = 'set aside'") == [(1,)]


def test_a_timeline_that_alone_is_broken_is_over_and_the_run_goes_on(good: Path, tmp_path: Path) -> None:
    program = copy(good, tmp_path)
    ((idle,),) = program.query(
        "SELECT min(id) FROM timelines WHERE id NOT IN (SELECT timeline_id FROM conversations WHERE status = 'active')"
    )
    change(program, f"UPDATE timelines SET story = json_set(story, '$.at', 'someday'), closed = 0 WHERE id = {idle}")
    ended = program.run(*RUN)
    assert ended.status == 0, ended.said
    assert f"timeline {idle} is over, it cannot be read: Invalid isoformat string: 'someday'" in ended.stderr
    assert program.query(f"SELECT closed FROM timelines WHERE id = {idle}") == [(1,)]


def test_timelines_whose_notes_are_broken_are_over_before_anything_is_sent(good: Path, tmp_path: Path) -> None:
    program = copy(good, tmp_path)
    change(program, "UPDATE timelines SET closed = 0", "UPDATE notes SET text = CAST(x'fffe' AS TEXT)")
    ended = program.run(*RUN)
    assert ended.status == 0, ended.said
    assert "is over, it cannot be read: " in ended.stderr
    assert len(program.conversations()) == 9


def test_a_torn_output_is_not_cut_where_the_database_is_wrong_about_it(good: Path, tmp_path: Path) -> None:
    """What was there before the run is not known line by line, so where it ends is checked before anything is cut."""
    program = Program(tmp_path)
    shutil.copy(good / "apep-datagen.toml", tmp_path)
    program.output.parent.mkdir(parents=True)
    lines = [json.dumps({"conversations": [{"role": "user", "content": str(number)}]}) for number in range(3)]
    program.output.write_text(f"[\n{','.join(lines)}\n]\n", encoding="utf-8")
    assert program.run("--providers", "endpoint", "--target", "3").status == 0
    change(program, f"UPDATE run SET base_end = {2 + len(lines[0])}")
    torn = program.output.read_bytes()[:-2]
    program.output.write_bytes(torn)
    ended = program.run("--providers", "endpoint", "--target", "4")
    assert ended.status == 4, ended.said
    assert "what it says of the output does not fit it" in ended.stderr
    assert program.output.read_bytes() == torn


# Any damage.

VALUES = (
    None, "x", "", b"\xff", -1, 0, 1, 7, 2**62, float("inf"), 1.5, "{}", "[]", "null", "two\nlines", "2026-13-45T99:99"
)  # fmt: skip


def damage(connection: sqlite3.Connection, draw: random.Random) -> str:
    """Damage a database in a random way; return how."""
    table = draw.choice([name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")])
    columns = connection.execute(f"SELECT name FROM pragma_table_info('{table}')").fetchall()
    column = draw.choice(columns)[0]
    count = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    some = (
        f"WHERE ({columns[0][0]}) IN (SELECT {columns[0][0]} FROM {table} LIMIT 1 OFFSET {draw.randrange(count + 1)})"
    )
    where = draw.choice(["", some])
    value = draw.choice(VALUES)
    statement = draw.choice(
        [
            f"DELETE FROM {table} {where}",
            *[f"UPDATE OR IGNORE {table} SET {column} = ? {where}"] * 4,
            f"UPDATE OR IGNORE {table} SET {column} = CAST(x'fffe' AS TEXT) {where}",
            f"UPDATE OR IGNORE {table} SET {column} = (SELECT {column} FROM {table} ORDER BY {column} DESC)",
            f"INSERT OR IGNORE INTO {table} SELECT * FROM {table}",
            f"DROP TABLE {table}",
            f"ALTER TABLE {table} DROP COLUMN {column}",
            f"PRAGMA user_version = {draw.randint(-1, 4)}",
        ]
    )
    with contextlib.suppress(sqlite3.IntegrityError, sqlite3.OperationalError):  # what SQLite itself does not permit
        connection.execute(statement, (value,) if "?" in statement else ())
    return f"{statement} [{value!r}]"


def damage_output(path: Path, draw: random.Random) -> list[Any]:
    """Damage the output in some cases; return the conversations that are in it all the same."""
    there: list[Any] = json.loads(path.read_bytes())
    match draw.choice(["not", "not", "missing", "torn", "longer"]):
        case "missing":
            path.unlink()
            return []
        case "torn":
            path.write_bytes(path.read_bytes()[: -draw.randint(1, 400)])
            return []
        case "longer":
            there.append(there[0])
            path.write_text(json.dumps(there, indent=1), encoding="utf-8")
    return there


def invoke(*arguments: str) -> tuple[int, str]:
    """Run the program in this process; return its status and standard output."""
    result = CliRunner().invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), "".join(
        traceback.format_exception(result.exception)
    )
    assert result.exit_code in {0, 4, 7} or (arguments[0] == "show" and result.exit_code == 2), result.output
    assert result.exit_code == 0 or result.output.strip()
    return result.exit_code, result.stdout


@settings(max_examples=40)  # each starts the program some times
@given(st.integers(0, 2**32))
def test_whatever_is_wrong_in_it_there_is_a_sentence_and_the_output_keeps_what_was_accepted(
    server: LoopbackServer, good: Path, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    draw = random.Random(seed)  # noqa: S311 - of damage
    program = copy(good, tmp_path_factory.mktemp("damaged"))
    with contextlib.closing(sqlite3.connect(program.state, isolation_level=None)) as connection:
        for _ in range(draw.choice([1, 1, 2, 3])):
            note(damage(connection, draw))
    there = damage_output(program.output, draw)
    with contextlib.chdir(program.directory):
        for command in (*REPORTS, "plan --providers endpoint"):
            status, said = invoke(*command.split())
            if command.endswith("--json") and status != 4:
                json.loads(said, parse_constant=pytest.fail)
        sent = len(server.received)
        status, _ = invoke(*RUN)
    if status == 4:
        assert len(server.received) == sent
    else:
        assert len(json.loads(program.output.read_bytes())) >= 9
    if there:
        after = json.loads(program.output.read_bytes())
        assert [item for item in there if item not in after] == []
