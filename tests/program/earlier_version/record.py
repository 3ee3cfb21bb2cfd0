"""Record how a version of the program goes on with what was begun; README.md says when and how.

    CHECKOUT/.venv/bin/python record.py CHECKOUT --schema-1 CHECKOUT --schema-2 CHECKOUT

The checkout's own tests have the server and the people that answer. One conversation is made after the other, so what
is recorded depends on the requests and their answers alone. It is written to `recorded.tar.xz` beside this file.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import shutil
import signal
import sqlite3
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TARGET = 34
SEED = "2"

# What the scripted people do wrong; the last two are mended.
WAYS = (
    "fails a call", "forgetful", "keeps the old value", "does not forget", "does not look up", "refuses",
    "stops in the middle", "repeats herself", "rewriter drops the reason", "does not tell", "mends a call",
    "stray tags",
)  # fmt: skip

Fault = tuple[int, str, dict[str, Any]]
# What goes wrong at the server: after how many requests, at which step, and how it answers. A repeated request is
# answered well.
BEFORE: list[Fault] = [
    (10, "answer", {"text": ""}),
    (13, "continue", {"text": "not this", "status": 422}),
    (40, "ask", {"text": "over capacity", "status": 503}),
]
AFTER: list[Fault] = [
    (8, "rewrite", {"text": "over capacity", "status": 503}),
    (30, "answer", {"text": "She told me that", "finish_reason": "length"}),
    (70, "continue", {"text": "not this", "status": 422}),
]


class Checkout:
    """A checkout of the program, with the modules of its tests."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        tests = self.path / "tests"
        # They were beside the tests once, and are in a package now.
        self.support = tests / "support" if (tests / "support").is_dir() else tests
        self._package = "support." if self.support != tests else ""

    def module(self, name: str) -> Any:
        return import_module(self._package + name)

    def program(self, directory: Path, base_url: str, *, config: str | None = None) -> Any:
        """Return the program of this checkout in a directory of its own."""
        directory.mkdir(exist_ok=True)
        text = config or (HERE / "apep-datagen.toml").read_text(encoding="utf-8")
        (directory / "apep-datagen.toml").write_text(text.replace("BASE_URL", base_url), encoding="utf-8")
        # Its module `program` starts what PYTHONPATH names.
        return self.module("program").Program(directory, {"PYTHONPATH": str(self.path)})


class People:
    """Answers every request as the scripted people do, or as `faults` say, and keeps both."""

    def __init__(self, checkout: Checkout, ways: Iterable[str] = (), faults: Iterable[Fault] = ()) -> None:
        self._scripted = checkout.module("scripted_people")
        self._reply = checkout.module("loopback_server").Reply
        self._people = self._scripted.ScriptedPeople(tuple(map(self._scripted.WAYS.get, ways)), share=0.4)
        self.faults = [*faults]
        self.received: list[dict[str, Any]] = []

    def __call__(self, received: Any) -> Any:
        reply = self._fault(len(self.received) + 1, received.step) or self._answer(received)
        if reply.status == 200:
            # As many tokens as the server of that version would have counted.
            reply.usage = (
                sum(len(message["content"]) for message in received.body["messages"]) // 4,
                len(reply.text) // 4,
            )
        names = ("text", "status", "finish_reason", "usage")
        self.received.append({"body": received.body, "reply": {name: getattr(reply, name) for name in names}})
        return reply

    def _fault(self, number: int, step: str) -> Any:
        for fault in self.faults:
            after, at, values = fault
            if number > after and step == at:
                self.faults.remove(fault)
                return self._reply(**values)
        return None

    def _answer(self, received: Any) -> Any:
        """Let the scripted people answer; they know of first exchanges only, so later ones are small talk."""
        messages = received.body["messages"]
        asked = [one for one in messages if one["role"] == "user" and "<tool_result>" not in one["content"]]
        if received.step == "answer" and len(asked) > 1:
            draw = random.Random(json.dumps(received.body))  # noqa: S311 - no secret depends on it
            return self._reply(self._scripted._thinks("They go on, and so do I.", self._scripted._reply(draw)))
        return self._people(received)


def run(program: Any, target: int, *options: str, **settings: Any) -> Any:
    return program.run("--providers", "endpoint", "--prompts", "prompts", "--target", str(target), *options, **settings)


def run_and_kill(checkout: Checkout, program: Any, target: int, number: int, *options: str) -> None:
    """Let the program kill itself when so many answers have come, before the last one is recorded."""
    command = (str(checkout.support / "killed_program.py"), "in-flight", str(number))
    ended = run(program, target, *options, command=command)
    assert ended.status == -signal.SIGKILL, ended.said


def begin(checkout: Checkout, prompts: Path, directory: Path, server: Any) -> tuple[Any, People]:
    """Let the version itself begin; killed in a second exchange after tools were used, with a request under way."""
    for number in range(90, 150):
        server.behaviour = people = People(checkout, WAYS, BEFORE)
        shutil.rmtree(directory, ignore_errors=True)
        program = checkout.program(directory, server.url("endpoint"))
        shutil.copytree(prompts, directory / "prompts")
        run_and_kill(checkout, program, TARGET, 24, "--seed", SEED)
        run_and_kill(checkout, program, TARGET, number)
        [[active, reserved, steps]] = program.query(
            "SELECT (SELECT count(*) FROM conversations WHERE status = 'active'), (SELECT count(*) FROM reservations),"
            " (SELECT group_concat(kind) FROM steps JOIN conversations ON id = conversation_id WHERE status = 'active')"
        )
        if active == reserved == 1 and "tools" in steps and "rewrite" in steps:
            tell("begun by itself", program, people)
            return program, people
    raise AssertionError("there is no such point; change SEED")


def begin_with_earlier(earlier: Checkout, checkout: Checkout, prompts: Path, directory: Path, server: Any) -> Any:
    """Let a version with an earlier schema begin, with its own prompts and well-behaved people."""
    lines = (HERE / "apep-datagen.toml").read_text(encoding="utf-8").split("\n\n")
    known = ("[generation]\n", "[roles", "[providers.endpoint]", "[providers.endpoint.models]")
    config = "\n\n".join(line for line in lines if line.startswith(known)).replace("grace_seconds = 30.0", "")
    program = checkout.program(directory, server.url("endpoint"), config=config)
    program.environment["PYTHONPATH"] = str(earlier.path)
    shutil.copytree(earlier.path / "systemprompts", directory / "prompts")
    run_and_kill(earlier, program, 5, 17, "--seed", SEED)
    shutil.rmtree(directory / "prompts")
    shutil.copytree(prompts, directory / "prompts")
    return checkout.program(directory, server.url("endpoint"))


def snapshot(program: Any, directory: Path) -> None:
    """Copy the output and the state database, which becomes one file."""
    directory.mkdir(parents=True)
    shutil.copy(program.output, directory / "output.json")
    source, copy = sqlite3.connect(program.state), sqlite3.connect(directory / "state.db")
    source.backup(copy)
    # Another process has nothing to read but the one file.
    copy.execute("PRAGMA journal_mode = DELETE")
    copy.close()
    source.close()


def printed(program: Any, commands: Iterable[list[str]]) -> dict[str, Any]:
    """Return what commands print, and their exit statuses."""
    ended = {" ".join(command): program.run(*command) for command in commands}
    return {name: {"exit_status": one.status, "printed": one.stdout} for name, one in ended.items()}


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")


def go_on(program: Any, target: int, people: People, directory: Path) -> None:
    """Record what is there, let the version go on, and record what it does."""
    compared = tomllib.loads((HERE / "compared.toml").read_text(encoding="utf-8"))
    snapshot(program, directory / "begun")
    before = printed(program, compared["commands"]["before"])
    people.received.clear()
    ended = run(program, target)
    assert ended.status == 0, ended.said
    write_json(directory / "requests.json", people.received)
    shutil.copy(program.output, directory / "output.json")
    write_json(directory / "tables.json", {name: program.query(sql) for name, sql in compared["tables"].items()})
    after = printed(program, compared["commands"]["after"])
    write_json(directory / "printed.json", {"target": target, "before": before, "after": after})
    tell(f"continued {directory.name}", program, people)


def tell(what: str, program: Any, people: People) -> None:
    """Say what was made, for whoever has to see that it is enough of everything."""
    rows = program.query(
        "SELECT status, coalesce(plan ->> '$.scenario.ability', ''), coalesce(stage, ''), count(*) FROM conversations"
        " GROUP BY 1, 2, 3"
    )
    lines = [f"{what}: {len(people.received)} requests", *("  {3:2} {0} {1} {2}".format(*row) for row in rows)]
    sys.stdout.write("\n".join(lines) + "\n")


def assert_has_everything(checkout: Checkout, program: Any) -> None:
    """Every ability was accepted, every stage has rejected, and something was set aside."""
    abilities = {ability for (ability,) in program.query("SELECT ability FROM verdicts WHERE stage = ''")}
    stages = {stage for (stage,) in program.query("SELECT stage FROM verdicts WHERE stage != ''")}
    assert abilities == {ability.value for ability in checkout.module("scripted_people").Ability}
    assert stages == {"form", "execution", "effect", "voice", "novelty"}
    assert program.query("SELECT count(*) FROM conversations WHERE status = 'set aside'") != [(0,)]


def pack(directory: Path, path: Path) -> None:
    """Put a directory into an archive that says nothing of this machine, and is the same each time."""

    def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = member.mtime = 0
        member.uname = member.gname = ""
        member.mode = 0o755 if member.isdir() else 0o644
        return member

    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:xz", preset=9) as archive:
        for child in sorted(directory.iterdir()):
            archive.add(child, child.name, filter=anonymous)
    path.write_bytes(content.getvalue())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--schema-1", type=Path, required=True, help="a checkout of a version with this schema")
    parser.add_argument("--schema-2", type=Path, required=True)
    options = parser.parse_args()
    checkout = Checkout(options.checkout)
    sys.path[:0] = [str(checkout.path), str(checkout.path / "tests")]
    server_module = checkout.module("loopback_server")
    with tempfile.TemporaryDirectory() as temporary:
        recorded, work = Path(temporary) / "recorded", Path(temporary) / "work"
        work.mkdir()
        prompts = recorded / "prompts"
        shutil.copytree(checkout.path / "systemprompts", prompts)
        with server_module.LoopbackServer() as server:
            program, people = begin(checkout, prompts, work / "itself", server)
            people.faults = [*AFTER]
            go_on(program, TARGET, people, recorded / "itself")
            assert_has_everything(checkout, program)
        for name, path in (("schema-1", options.schema_1), ("schema-2", options.schema_2)):
            with server_module.LoopbackServer() as server:
                program = begin_with_earlier(Checkout(path), checkout, prompts, work / name, server)
                server.behaviour = people = People(checkout)
                go_on(program, 8, people, recorded / name)
        pack(recorded, HERE / "recorded.tar.xz")


if __name__ == "__main__":
    main()
