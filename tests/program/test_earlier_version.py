"""What an earlier version of the program began is continued exactly as that version would have continued it.

Judged is as it was judged then: rules of judging change. `earlier_version/` holds what that version left behind when it
was killed, and what it did when it went on: the requests that it sent, with their answers, the output, the state
database, and what its commands print. README.md there says more.
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
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from apep_datagen.core.errors import StorageError
from support.loopback_server import LoopbackServer, Received, Reply
from support.paths import SUPPORT, TESTS
from support.program import Program

EARLIER_VERSION = TESTS / "program" / "earlier_version"
COMPARED = tomllib.loads((EARLIER_VERSION / "compared.toml").read_text(encoding="utf-8"))
SHOWN_CHARACTERS = 80
MOST_SHOWN = 10

# What `status --json` says of the time at which it is asked and of how fast the machine was.
NOT_COMPARED = re.compile(
    r'(?<="active": )[^,\n]+|(?<="last_recorded_at": )[^,\n]+|(?<="seconds": )[^,\n]+|(?<="seconds_left": )[^,\n]+'
    r'|(?<="conversations_per_hour": )[^,\n]+'
    # What was refused is asked for once more since then.
    r'|(?<="requests": )[^,\n]+|(?<="kind": "refused",\n      "count": )[^,\n]+'
)
# What is told since then: how many conversations have ended, how many of them could not be judged, what the stages that
# there were not yet have found, examples, what the abilities yield, what became of rewrites, and what an accepted
# conversation took.
NOT_TOLD_THEN = re.compile(
    r'"(?:frequent_reasons|abilities)": \[[^\]]*\],\s*|"per_accepted": (?:null|\{[^{}]*\}),\s*'
    r'|"rewrites": \{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\},\s*'
    r'|"(?:ended|set_aside|notes|knowledge|time)": \d+,?\s*|\{[^{}]*"stage": "set aside"[^{}]*\},?\s*'
)
# Why a conversation of an earlier schema cannot be resumed was told in words of a library, which differed from one to
# the other; now in a sentence that is the same for all, so that they are counted together.
NOT_RESUMED = re.compile(r'\{\s+"reason": "cannot be resumed: (?:[^"\\]|\\.)*",\s+"count": (\d+)\s+\},?\s*')


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
    """Answers as the earlier version was answered, as long as it is asked the same in the same order.

    What that version was refused, it did not ask for again. Now it is asked for once more, and refused once more.

    Attributes:
        difference: Where a request was another one, or None.
        refused_again: How many requests were refused a second time.
    """

    def __init__(self, requests: list[dict[str, Any]]) -> None:
        self.difference: str | None = None
        self.refused_again = 0
        self._requests = requests
        self._last: dict[str, Any] | None = None

    def __call__(self, received: Received) -> Reply:
        last, self._last = self._last, None
        if last is not None and last["reply"]["status"] == 422 and last["body"] == received.body:
            self.refused_again += 1
            return self._reply(last)
        if self.difference is None:
            self.difference = self._difference(received)
        if self.difference is not None:
            return Reply("this is not what was recorded", status=401)  # so the program ends at once
        self._last = self._requests[received.number - self.refused_again - 1]
        return self._reply(self._last)

    @staticmethod
    def _reply(request: dict[str, Any]) -> Reply:
        reply = request["reply"]
        return Reply(**{**reply, "usage": reply["usage"] and tuple(reply["usage"])})

    def _difference(self, received: Received) -> str | None:
        number = received.number - self.refused_again
        if number > len(self._requests):
            return f"after the {len(self._requests)} requests that were recorded comes another one: {received.body}"
        return next(differences(self._requests[number - 1]["body"], received.body, f"request {number}"), None)


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
    program.configure((EARLIER_VERSION / "apep-datagen.toml").read_text(encoding="utf-8").replace("BASE_URL", base_url))
    shutil.copytree(recorded / "prompts", directory / "prompts")
    program.output.parent.mkdir(parents=True)
    shutil.copy(recorded / begun / "begun" / "output.json", program.output)
    shutil.copy(recorded / begun / "begun" / "state.db", program.state)
    return program


def comparable(printed: str) -> str:
    """Return what a command has printed, as far as it is the same whenever and wherever it is asked."""
    not_resumed = sum(map(int, NOT_RESUMED.findall(printed)))
    printed = NOT_TOLD_THEN.sub("", NOT_COMPARED.sub("…", printed))
    return f"{NOT_RESUMED.sub('', printed)}, {not_resumed} not resumed"


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
        # What `stats` tells has grown, and quotations are left out of its measures.
        if not name.startswith("stats"):
            printed, was_printed = map(comparable, (ended.stdout, before["printed"]))
            assert_same(was_printed, printed, name, ended.said)
        assert ended.status == before["exit_status"], ended.said


def _without_what_is_new(table: str, rows: list[list[Any]]) -> list[list[Any]]:
    """Leave out how many requests and refusals there were: one that was refused is sent twice now.

    Nor were openings of thoughts counted.
    """
    if table == "spending":
        return [[*row[:3], *row[4:]] for row in rows]
    if table == "near":
        return []  # what a reply quotes is left out of its keys now
    if table == "openings":
        return [row for row in rows if not row[0].endswith(" thought")]
    return [row for row in rows if row[1] != "refused"] if table == "failures" else rows


@pytest.mark.parametrize("begun", ["itself", "schema-1", "schema-2"])
def test_what_an_earlier_version_began_is_continued_as_that_version_would_have(
    recorded: Path, tmp_path: Path, begun: str
) -> None:
    requests, tables, printed = (
        json.loads((recorded / begun / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("requests", "tables", "printed")
    )
    behaviour = RecordedServer(requests)
    with LoopbackServer(behaviour) as server:
        program = begun_program(tmp_path, recorded, begun, server.url("endpoint"))
        assert_prints(program, printed["before"], COMPARED["commands"]["before"])
        verdicts = tmp_path / "verdicts.json"
        verdicts.write_text(json.dumps({row[0]: row[6] and row[6:9] for row in tables["conversations"]}), "utf-8")
        ended = program.run(
            "--providers", "endpoint", "--prompts", "prompts", "--target", str(printed["target"]),
            command=(str(SUPPORT / "judged_as_then.py"), str(verdicts)),
        )  # fmt: skip
    assert behaviour.difference is None, f"{behaviour.difference}\n{ended.said}"
    assert ended.status == 0, ended.said
    assert len(server.received) - behaviour.refused_again == len(requests)
    assert_same(
        (recorded / begun / "output.json").read_bytes().decode(), program.output.read_bytes().decode(), "output"
    )
    assert list(tables) == list(COMPARED["tables"])
    for name, rows in tables.items():
        there = json.loads(json.dumps(program.query(COMPARED["tables"][name])))
        assert_same(_without_what_is_new(name, rows), _without_what_is_new(name, there), name)
    assert_prints(program, printed["after"], COMPARED["commands"]["after"])


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
