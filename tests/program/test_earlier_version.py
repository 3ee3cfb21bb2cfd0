"""What an earlier version of the program began is continued exactly as that version would have continued it.

Judged is as it was judged then: rules of judging change. `earlier_version/` holds what that version left behind when it
was killed, and what it did when it went on: the requests that it sent, with their answers, the output, the state
database, and what its commands print. README.md there says more. What comes after the conversations that were under way
is drawn from another world since then: it is made to the target, with tables and prompts of then or with the program's
own, and everything fits together.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import shutil
import sqlite3
import tarfile
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from apep_datagen.core.errors import StorageError
from apep_datagen.people.cast import load_cast
from support.loopback_server import LoopbackServer, Received, Reply
from support.paths import SUPPORT, TESTS
from support.program import Program
from support.scripted_people import ALIKE_IN_THOUGHT, ScriptedPeople

EARLIER_VERSION = TESTS / "program" / "earlier_version"
COMPARED = tomllib.loads((EARLIER_VERSION / "compared.toml").read_text(encoding="utf-8"))
SHOWN_CHARACTERS = 80
MOST_SHOWN = 10
# So long were timelines then; the one that was under way goes on beyond it.
LENGTH, LONGER = 13, 20

# What `status --json` says of the time at which it is asked and of how fast the machine was.
NOT_COMPARED = re.compile(
    r'(?<="active": )[^,\n]+|(?<="last_recorded_at": )[^,\n]+|(?<="seconds": )[^,\n]+|(?<="seconds_left": )[^,\n]+'
    r'|(?<="conversations_per_hour": )[^,\n]+'
)
# What is told since then: how many conversations have ended, how many of them could not be judged, what the stages that
# there were not yet have found, examples, what the abilities yield, what became of rewrites and reviews, what an
# accepted conversation took, and what people say.
NOT_TOLD_THEN = re.compile(
    r'"(?:frequent_reasons|abilities)": \[[^\]]*\],\s*|"per_accepted": (?:null|\{[^{}]*\}),\s*'
    r'|"(?:rewrites|reviews)": \{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\},\s*'
    r'|,\s*"(?:review|person|verdicts_waiting)": \d+'
    r'|"(?:ended|set_aside|notes|knowledge|time)": \d+,?\s*|\{[^{}]*"stage": "set aside"[^{}]*\},?\s*'
)


def differences(recorded: Any, now: Any, where: str) -> Iterator[str]:
    """Yield where two values differ, and how. The order of keys counts, and so does 1 or 1.0."""
    match recorded, now:
        case dict(), dict() if list(recorded) == list(now):
            for key, value in recorded.items():
                yield from differences(value, now[key], f"{where}, {key}")
        case dict(), dict():
            yield f"{where}: {', '.join(recorded)} were recorded, {', '.join(now)} are there now"
        case list(), list():
            for number, (one, other) in enumerate(zip(recorded, now, strict=False), start=1):
                yield from differences(one, other, f"{where}, {number}")
            if len(recorded) != len(now):
                yield f"{where}: {len(recorded)} were recorded, {len(now)} are there now"
        case str(), str() if recorded != now:
            pairs = enumerate(zip(recorded, now, strict=False))
            at = next((place for place, (one, other) in pairs if one != other), min(len(recorded), len(now)))
            before, after = recorded[at : at + SHOWN_CHARACTERS], now[at : at + SHOWN_CHARACTERS]
            yield f"{where}: from character {at} on, {before!r} was recorded, {after!r} is there now"
        case _ if type(recorded) is not type(now) or recorded != now:
            yield f"{where}: {recorded!r} was recorded, {now!r} is there now"


def assert_same(recorded: Any, now: Any, where: str, said: str = "") -> None:
    found = list(itertools.islice(differences(recorded, now, where), MOST_SHOWN))
    if found:
        pytest.fail("\n".join([*found, said]))


class RecordedServer:
    """Answers what was under way as it was answered then, as long as it is asked the same in the same order.

    Attributes:
        difference: Where a request was another one, or None.
    """

    def __init__(self, requests: list[dict[str, Any]], then: Callable[[Received], Reply]) -> None:
        self.difference: str | None = None
        self._requests = requests
        self._then = then

    def __call__(self, received: Received) -> Reply:
        if self.difference is None and received.number <= len(self._requests):
            request = self._requests[received.number - 1]
            self.difference = next(differences(request["body"], received.body, f"request {received.number}"), None)
            if self.difference is None:
                reply = request["reply"]
                return Reply(**{**reply, "usage": reply["usage"] and tuple(reply["usage"])})
        if self.difference is not None:
            return Reply("this is not what was recorded", status=401)  # so the program ends at once
        return self._then(received)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of everything that was recorded."""
    directory = tmp_path_factory.mktemp("recorded")
    with tarfile.open(EARLIER_VERSION / "recorded.tar.xz") as archive:
        archive.extractall(directory, filter="data")
    return directory


def begun_program(directory: Path, recorded: Path, begun: str, base_url: str) -> Program:
    """Return the program in a directory with what was begun, and with the configuration and prompts of then."""
    program = Program(directory)
    configuration = (EARLIER_VERSION / "apep-datagen.toml").read_text(encoding="utf-8")
    configuration = configuration.replace("BASE_URL", base_url)
    configuration = configuration.replace(f"timeline_length = {LENGTH}", f"timeline_length = {LONGER}")
    program.configure(configuration.replace("[quality]\n", f"[quality]\n{ALIKE_IN_THOUGHT}"))
    shutil.copytree(recorded / "prompts", directory / "prompts")
    program.output.parent.mkdir(parents=True)
    shutil.copy(recorded / begun / "begun" / "output.json", program.output)
    shutil.copy(recorded / begun / "begun" / "state.db", program.state)
    return program


def comparable(printed: str) -> str:
    """Return what a command has printed, as far as it is the same whenever and wherever it is asked."""
    return NOT_TOLD_THEN.sub("", NOT_COMPARED.sub("…", printed))


def assert_prints(program: Program, recorded: dict[str, dict[str, Any]], commands: list[list[str]]) -> None:
    """The commands print what they printed, but for what is not compared, and have the same exit status.

    A state database of an earlier schema, which that version refused to read, is read now.
    """
    assert list(recorded) == [" ".join(command) for command in commands]
    with ThreadPoolExecutor(2) as pool:  # most of their time is the start of the program
        all_ended = list(pool.map(lambda command: program.run(*command), commands))
    for ended, (name, before) in zip(all_ended, recorded.items(), strict=True):
        if before["exit_status"] == StorageError.exit_status:
            assert ended.status == 0, ended.said
            continue
        assert_same(comparable(before["printed"]), comparable(ended.stdout), name, ended.said)
        assert ended.status == before["exit_status"], ended.said


class Then:
    """What was recorded of one beginning, as far as it is of the conversations that had begun.

    Attributes:
        last: The number of the last of them.
        requests: What was sent for the one that was under way, with the answers.
        tables: What stood in the state database of them in the end.
        output: The output up to the end of the last of them that is in it.
        printed: What the commands printed before it went on.
        target: To how many conversations it went on.
    """

    def __init__(self, recorded: Path, begun: str) -> None:
        requests, tables, printed = (
            json.loads((recorded / begun / f"{name}.json").read_text(encoding="utf-8"))
            for name in ("requests", "tables", "printed")
        )
        with contextlib.closing(sqlite3.connect(recorded / begun / "begun" / "state.db")) as connection:
            (self.last,) = connection.execute("SELECT max(id) FROM conversations").fetchone()
            (before,) = connection.execute("SELECT count(*) FROM steps WHERE kind != 'tools'").fetchone()
        self.tables = {name: self.until_then(name, rows) for name, rows in tables.items()}
        # Each step but the calls of tools is one request: none of these was answered with a failure.
        calls = sum(row[2] != "tools" for row in self.tables["steps"])
        self.requests = requests[: calls - before]
        assert all(request["reply"]["status"] == HTTPStatus.OK for request in self.requests)
        end = max(end for *_, end in self.tables["samples"])
        self.output = (recorded / begun / "output.json").read_bytes()[:end].decode()
        self.printed, self.target = printed["before"], printed["target"]

    def until_then(self, table: str, rows: list[list[Any]]) -> list[list[Any]]:
        """Return what stood in a table when the last of these conversations had ended."""
        match table:
            case "run":  # how far it is, and how far it is to go, has changed
                return [row[:5] for row in rows]
            case "prompt_sets":
                return [row for row in rows if row[0] == 1]
            case "conversations" | "steps":
                return [row for row in rows if row[0] <= self.last]
            case "samples":
                return [row for row in rows if row[1] <= self.last]
            case "notes":
                there = [row for row in rows if 0 < row[5] <= self.last]
                return [[*row[:6], row[6] if row[6] and row[6] <= self.last else None] for row in there]
        return rows


def assert_tables_of_then(program: Program, then: Then) -> None:
    """Each table says of these conversations what it said then."""
    all_now = {name: json.loads(json.dumps(program.query(sql))) for name, sql in COMPARED["tables"].items()}
    goes_on = {row[1] for row in all_now["conversations"] if row[0] > then.last}
    begun = {row[1] for row in then.tables["conversations"]}
    for name, rows in all_now.items():
        recorded, now = then.tables[name], then.until_then(name, rows)
        if name == "timelines":
            recorded, now = ([row for row in side if row[0] in begun - goes_on] for side in (recorded, now))
        assert_same(recorded, now, name)


@pytest.mark.parametrize("tables", ["then", "now"])
@pytest.mark.parametrize("begun", ["itself", "schema-1", "schema-2"])
def test_what_was_under_way_ends_as_it_would_have_and_new_conversations_come_after_it(
    recorded: Path, tmp_path: Path, begun: str, tables: str
) -> None:
    then = Then(recorded, begun)
    prompts = recorded / "prompts" if tables == "then" else None
    behaviour = RecordedServer(then.requests, ScriptedPeople(Program(tmp_path).state, cast=load_cast(prompts)))
    with LoopbackServer(behaviour) as server:
        program = begun_program(tmp_path, recorded, begun, server.url("endpoint"))
        assert_prints(program, then.printed, COMPARED["commands"]["before"])
        before = program.output.read_bytes().decode()
        verdicts = tmp_path / "verdicts.json"
        verdicts.write_text(json.dumps({row[0]: row[6] and row[6:9] for row in then.tables["conversations"]}), "utf-8")
        ended = program.run(
            "--providers", "endpoint", "--target", str(then.target), *(["--prompts", "prompts"] if prompts else []),
            command=(str(SUPPORT / "judged_as_then.py"), str(verdicts)),
        )  # fmt: skip
    assert behaviour.difference is None, f"{behaviour.difference}\n{ended.said}"
    assert ended.status == 0, ended.said
    output = program.output.read_bytes().decode()
    assert output.startswith(before.removesuffix("\n]\n"))
    assert_same(then.output, output[: len(then.output)], "output", ended.said)
    assert len(program.conversations()) == then.target
    assert_tables_of_then(program, then)

    # The story of then goes on: in the same timeline there are new conversations.
    if begun == "itself":
        assert (2, LONGER) in program.query("SELECT id, conversations FROM timelines")
    with ThreadPoolExecutor(2) as pool:
        commands = COMPARED["commands"]["after"]
        printed = list(pool.map(lambda command: program.run(*command), commands))
    for command_ended in printed:
        assert (command_ended.status, command_ended.stderr) == (0, ""), command_ended.said
    status, stats, verified, *_ = printed
    assert json.loads(status.stdout)["done"] == json.loads(stats.stdout)["conversations"] == then.target
    assert json.loads(verified.stdout)["findings"] == []


@pytest.mark.parametrize("begun", ["itself", "schema-1", "schema-2"])
@pytest.mark.parametrize("killed", [False, True], ids=["ended", "killed"])
def test_what_an_earlier_version_left_is_read_by_every_command_and_stays_as_it_was(
    recorded: Path, tmp_path: Path, begun: str, *, killed: bool
) -> None:
    program = begun_program(tmp_path, recorded, begun, "http://127.0.0.1:1")
    with contextlib.closing(sqlite3.connect(program.state)) as connection:
        # As where a process that was killed has left its newest transaction beside the database.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if killed:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(
                "INSERT INTO conversations (timeline_id, prompt_set_id, plan, provider, status, reason, started_at)"
                " VALUES (1, 1, '{}', 'endpoint', 'set aside', 'beside the database', 1)"
            )
            connection.commit()
            left = {path.name: path.read_bytes() for path in program.output.parent.iterdir()}
    if killed:
        for name, content in left.items():
            program.output.with_name(name).write_bytes(content)
    before = {path.name: path.read_bytes() for path in program.output.parent.iterdir()}
    assert len(before) == (4 if killed else 2)

    done = len(program.conversations())
    commands = [["status", "--json"], ["stats", "--json"], ["verify"], ["show", "1"], ["show", "-1"]]
    with ThreadPoolExecutor(2) as pool:
        status, stats, verify, *shown = pool.map(lambda command: program.run(*command), commands)
    for ended in (status, stats, verify, *shown):
        assert (ended.status, ended.stderr) == (0, ""), ended.said
    assert json.loads(status.stdout)["done"] == json.loads(stats.stdout)["conversations"] == done
    assert ("beside the database" in status.stdout) is killed
    assert "with what the calls lead to" in verify.stdout
    for ended in shown:
        assert "Timeline" in ended.stdout
    if rejected := json.loads(status.stdout)["quality"]["rejected"]:
        ended = program.run("show", "--rejected")
        assert ended.status == 0, ended.said
        assert "Reason  " in ended.stdout
    assert (begun == "itself") is bool(rejected)
    assert {path.name: path.read_bytes() for path in program.output.parent.iterdir()} == before
