"""Whatever the standard streams do, a run goes on and a report that got lost is no success; and all text is clean."""

from __future__ import annotations

import functools
import json
import os
import pty
import re
import signal
import sqlite3
import termios
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from apep_datagen.storage.schema import migrate
from support.loopback_server import LoopbackServer, Received, Reply, well_behaved
from support.program import QUICKLY, Ended, Program, killed_if_it_does_not_end, section
from support.waiting import PATIENCE_SECONDS

OBEYED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
HOSTILE = "\x1b[2Jred\x9b31m \x7f\u202eevil\u2066[/bold] :boom: \x07\nNo provider is left.\r\nDone"


def _close(*numbers: int) -> None:
    for number in numbers:
        os.close(number)


def _gone() -> int:
    """Return a pipe of which the reader has gone."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


STREAMS: dict[str, Callable[[], dict[str, Any]]] = {
    "no output": lambda: {"preexec_fn": functools.partial(_close, 1)},
    "no errors": lambda: {"preexec_fn": functools.partial(_close, 2)},
    "nothing at all": lambda: {"preexec_fn": functools.partial(_close, 0, 1, 2)},
    "full": lambda: {"stdout": os.open("/dev/full", os.O_WRONLY), "stderr": os.open("/dev/full", os.O_WRONLY)},
    "without a reader": lambda: {"stdout": _gone(), "stderr": _gone()},
    "for reading": lambda: {"stdout": os.open("/dev/null", os.O_RDONLY)},
}


@pytest.mark.parametrize("quiet", [(), ("--quiet",)], ids=["", "quiet"])
@pytest.mark.parametrize("streams", STREAMS.values(), ids=STREAMS)
def test_whatever_the_streams_do_a_run_goes_on_and_its_status_is_its_own(
    tmp_path: Path, streams: Callable[[], dict[str, Any]], quiet: tuple[str, ...]
) -> None:
    program = Program(tmp_path)

    def fails_once(received: Received) -> Reply:
        return Reply("busy", status=503) if received.number == 2 else well_behaved(received)

    with LoopbackServer(fails_once) as server:
        program.configure(section("endpoint", server.url("endpoint")))
        ended = program.run("--providers", "endpoint", "--target", "3", *quiet, **streams())
        assert ended.status == 0
        limited = program.run("--providers", "endpoint", "--target", "9", "--max-requests", "1", *quiet, **streams())
    assert limited.status == 6
    for said in (ended.stdout, ended.stderr, limited.stderr):
        assert "Traceback" not in said
        assert "Exception ignored" not in said
    # No file of the program's got the number of a stream, to which it then printed.
    assert len(program.conversations()) == 3
    assert program.query("PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("environment", [{}, {"TERM": "dumb"}], ids=["drawn", "lines"])
@pytest.mark.parametrize("quiet", [(), ("--quiet",)], ids=["", "quiet"])
def test_a_terminal_that_is_stopped_stops_no_run_and_holds_up_no_signal(
    tmp_path: Path, environment: dict[str, str], quiet: tuple[str, ...]
) -> None:
    program = Program(tmp_path)
    program.environment |= environment
    terminal, its_end = pty.openpty()
    is_stopped = False

    def fails_now_and_then(received: Received) -> Reply:
        good = replace(well_behaved(received), until=lambda: is_stopped or received.number < 6)
        return Reply("busy", status=503) if received.number % 10 == 0 else good

    with LoopbackServer(fails_now_and_then) as server:
        program.configure(section("endpoint", server.url("endpoint")))
        options = ("--providers", "endpoint", "--target", "5000", *quiet)
        running = program.start(*options, stdin=its_end, stdout=its_end, stderr=its_end, command=QUICKLY)
        server.wait_until(lambda: len(server.received) >= 6)
        termios.tcflow(its_end, termios.TCOOFF)  # Ctrl-S
        is_stopped = True
        # Until some are at their end: so there is something to find.
        server.wait_until(
            lambda: (
                len(server.received) > 100 and sum(one.step == "rewrite" and one.usable for one in server.received) > 20
            )
        )
        running.send_signal(signal.SIGTERM)
        with killed_if_it_does_not_end(running):
            assert running.wait(PATIENCE_SECONDS) == 143
    os.close(terminal)
    os.close(its_end)
    assert program.conversations()


REPORTS = ("status", "status --json", "stats", "stats --json", "verify", "show", "plan --providers endpoint", "--help")


@pytest.mark.parametrize("command", REPORTS)
def test_a_report_that_could_not_be_written_is_no_success_but_a_reader_may_go_away(made: Program, command: str) -> None:
    for name, lost in {
        "full": "No space left on device",
        "for reading": "Bad file descriptor",
        "no output": "Bad file descriptor",
    }.items():
        streams = {key: value for key, value in STREAMS[name]().items() if key != "stderr"}
        ended = made.run(*command.split(), **streams)
        assert ended.status == 4
        assert ended.stderr == f"The standard output cannot be written ({lost}); what was printed is not whole.\n"
    ended = made.run(*command.split(), stdout=_gone())
    assert (ended.status, ended.stderr) == (0, "")


def test_a_status_of_its_own_stays_where_the_report_gets_lost(made: Program) -> None:
    file = made.directory / "other.json"
    file.write_text('[{"conversations": []}]', encoding="utf-8")
    ended = made.run("verify", str(file), **STREAMS["no output"]())
    assert ended.status == 7


def test_a_stream_that_another_program_has_left_not_waiting_gets_everything(tmp_path: Path) -> None:
    program = Program(tmp_path)
    text = "\n".join(f"line {number}" for number in range(50_000))  # more than a pipe holds
    file = tmp_path / "one.json"
    file.write_text(json.dumps([{"conversations": [{"role": "user", "content": text}]}]), encoding="utf-8")
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    showing = program.start("show", str(file), stdout=writing)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        assert len(re.findall("^  line ", pipe.read(), re.MULTILINE)) == 50_000
    assert showing.wait(PATIENCE_SECONDS) == 0
    showing.communicate()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A run that has made two conversations."""
    program = Program(tmp_path_factory.mktemp("made"))
    with LoopbackServer() as server:
        program.configure(section("endpoint", server.url("endpoint")))
        assert program.run("--providers", "endpoint", "--target", "2").status == 0
    return program


# Clean text.


def test_what_a_server_says_is_text_and_fakes_no_line(tmp_path: Path) -> None:
    program = Program(tmp_path)

    def hostile(received: Received) -> Reply:
        """Be overloaded once, refuse one conversation for good, and then the key."""
        if received.number == 1:
            return Reply(HOSTILE, status=503)
        refused.append(received.prompt)
        return Reply(HOSTILE, status=400 if refused.count(refused[0]) < 3 and received.prompt == refused[0] else 401)

    refused: list[str] = []
    with LoopbackServer(hostile) as server:
        program.configure(section("endpoint", server.url("endpoint"), max_in_flight=1))
        ended = program.run("--providers", "endpoint", "--target", "3")
        checked = program.run("providers", "--providers", "endpoint")
        as_json = program.run("providers", "--providers", "endpoint", "--json")
    assert ended.status == 5, ended.said
    assert checked.status == as_json.status == 5
    for each in (ended, checked, as_json, program.run("status"), program.run("status", "--json")):
        assert not OBEYED.search(each.said)
        assert "Traceback" not in each.said
        assert "evil" in each.said
        assert [line for line in each.said.splitlines() if line.startswith(("No provider is left", "Done"))] == (
            [line for line in ended.stderr.splitlines() if line.startswith("No provider is left. 0 of 3")]
            if each is ended
            else []
        )
    json.loads(as_json.stdout)


def test_what_a_state_database_of_somebody_else_holds_is_text_and_fakes_no_line(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.output.parent.mkdir(parents=True)
    program.output.write_text("[]", encoding="utf-8")
    connection = sqlite3.connect(program.state, isolation_level=None)
    migrate(connection, seed=1, output_name=program.output.name, base_count=0, base_end=1)
    connection.execute("INSERT INTO prompt_sets (id, digest, texts) VALUES (1, '', '{}')")
    connection.execute("INSERT INTO timelines (id, conversations, story) VALUES (1, 1, ?)", (_story(),))
    connection.execute(
        "INSERT INTO conversations (id, timeline_id, prompt_set_id, plan, provider, status, reason, started_at)"
        " VALUES (1, 1, 1, '{}', ?, 'set aside', ?, 0)",
        (HOSTILE, HOSTILE),
    )
    connection.execute(
        "INSERT INTO spending (month, provider, model, role) VALUES ('2026-01', ?, ?, 'ada')", (HOSTILE, HOSTILE)
    )
    connection.execute("INSERT INTO failures VALUES (?, ?, 1)", (HOSTILE, HOSTILE))
    connection.execute("INSERT INTO verdicts VALUES (?, 'share', 'voice', ?, 1)", (HOSTILE, HOSTILE))
    connection.close()
    commands = ("status", "status --json", "stats", "stats --json", "plan --providers mistral")
    said = {command: program.run(*command.split()) for command in commands}
    for command, ended in said.items():
        assert ended.status == 0, ended.said
        assert not OBEYED.search(ended.said), command
        assert not re.search("^(No provider is left|Done)", ended.said, re.MULTILINE), command
    assert json.loads(said["status --json"].stdout)["failures"][0]["provider"] == HOSTILE


def _story() -> str:
    return json.dumps({"user": {"name": HOSTILE}})


def test_an_error_is_told_without_what_a_terminal_obeys(tmp_path: Path) -> None:
    ended: Ended = Program(tmp_path).run("status", "--output", "a\x1b[2J\u202eb\x9b.json")
    assert ended.status == 4
    assert "ab.state.db: there is no such file" in ended.stderr
    assert not OBEYED.search(ended.stderr)
