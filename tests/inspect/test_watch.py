"""`apep-datagen status --watch`: how a run goes, seen from another terminal, without touching anything."""

from __future__ import annotations

import functools
import itertools
import json
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from apep_datagen.core.errors import StorageError
from apep_datagen.inspect.status import RunStatus, read_status
from apep_datagen.inspect.watching import Look, Phase, Watcher
from apep_datagen.storage.access import connect, lock_beside
from apep_datagen.storage.schema import migrate
from support.loopback_server import LoopbackServer, Received, Reply, hangs_after, well_behaved
from support.program import OUTPUT, Program, killed, section
from support.terminal import Terminal, in_terminal
from support.waiting import PATIENCE_SECONDS, wait_until

OFTEN = ("status", "--watch", "--every", "0.2")


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


class Gate:
    """Lets requests of a run be answered only as far as a test wants it."""

    def __init__(self, answers: int) -> None:
        self.answers = answers

    def __call__(self, received: Received) -> Reply:
        return replace(well_behaved(received), until=lambda: received.number <= self.answers)


def configure(program: Program, server: LoopbackServer) -> None:
    program.configure(section("one", server.url("one"), requests_per_second=None, max_in_flight=2))


def ended(process: subprocess.Popen[str]) -> None:
    """Wait until a run has reached its target."""
    stdout, stderr = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, stdout + stderr


def files(directory: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(directory)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_a_run_is_waited_for_drawn_as_it_goes_and_its_last_status_stays(program: Program) -> None:
    gate = Gate(20)
    with LoopbackServer(gate) as server, in_terminal(program, *OFTEN) as terminal:
        configure(program, server)
        terminal.wait_for("Waiting for a run to begin.", "no run has begun", "q or Ctrl-C ends it")
        program.environment.pop("TERM")
        run = program.start("--providers", "one", "--target", "9")
        terminal.wait_for(" of 9 conversations are in", "A run is active", "Accepted ")
        is_alternate = terminal.output.count(b"\x1b[?1049h") - terminal.output.count(b"\x1b[?1049l")
        gate.answers = 1_000
        ended(run)
        status = terminal.end()
    assert status == 0
    assert is_alternate == 1
    assert terminal.output.count(b"\x1b[?1049l") == 1
    assert terminal.output.rfind(b"\x1b[?25h") > terminal.output.rfind(b"\x1b[?25l")
    last = terminal.output.decode().rpartition("\x1b[?1049l")[2]
    assert "9 of 9 conversations are in" in last
    assert last.rstrip().endswith("The run has ended.")
    assert "Waiting" not in last
    assert "Traceback" not in terminal.output.decode()


@pytest.mark.parametrize("how", ["q", "Ctrl-C", "SIGTERM", "hung up"])
def test_whoever_ends_it_the_terminal_is_left_as_it_was_and_the_run_goes_on(program: Program, how: str) -> None:
    gate = Gate(20)
    with LoopbackServer(gate) as server:
        configure(program, server)
        run = program.start("--providers", "one", "--target", "9")
        with killed(run), in_terminal(program, *OFTEN) as terminal:
            before = terminal.mode()
            terminal.wait_for("A run is active")
            match how:
                case "q":
                    terminal.press("xq")
                case "Ctrl-C":
                    terminal.press("\x03")
                case "SIGTERM":
                    terminal.process.send_signal(signal.SIGTERM)
                case _:
                    terminal.process.send_signal(signal.SIGHUP)
            assert terminal.end() == {"SIGTERM": 143, "hung up": 129}.get(how, 0)
            assert terminal.mode() == before
            assert terminal.output.rfind(b"\x1b[?1049l") > terminal.output.rfind(b"\x1b[?1049h")
            assert terminal.output.rfind(b"\x1b[?25h") > terminal.output.rfind(b"\x1b[?25l")
            assert "Traceback" not in terminal.output.decode()
            assert run.poll() is None
            gate.answers = 1_000
            ended(run)


def test_a_terminal_of_any_size_shows_the_most_important_and_nothing_scrolls(program: Program) -> None:
    with LoopbackServer(hangs_after(20)) as server:
        configure(program, server)
        run = program.start("--providers", "one", "--target", "1000")
        with killed(run):
            wait_until(lambda: answers_recorded(program) == 20, lambda: str(answers_recorded(program)))
            with in_terminal(program, "status", "--watch", "--every", "1000", columns=100, lines=60) as terminal:
                terminal.wait_for("Left: ", "rewriter", "q or Ctrl-C ends it")
                for columns, lines in ((60, 12), (24, 6), (140, 5), (30, 40), (80, 24)):
                    terminal.resize(columns, lines)
                    # Drawn at once, and not at the next look.
                    terminal.wait_until(functools.partial(is_drawn, terminal, columns, lines))
                assert terminal.lines[-1].startswith("apep-datagen status --watch, every 1000 s")
                assert terminal.lines[4].startswith("Left: ")
                assert "rewriter" not in terminal.shown
                assert terminal.output.rpartition(b"\x1b[H")[2].count(b"\n") == 23
                terminal.press("q")
                assert terminal.end() == 0


def answers_recorded(program: Program) -> int:
    """Return how many answers the state database holds, if there is one."""
    try:
        return sum(use.answers for use in read_status(program.output, 0.0).uses)
    except StorageError:
        return 0


def is_drawn(terminal: Terminal, columns: int, lines: int) -> bool:
    """Tell whether the page fits a terminal of this size."""
    shown = terminal.lines
    return (
        len(shown) == lines
        and " of 1,000" in shown[0]
        and "A run is active" in " ".join(shown)
        and shown[-1].startswith("apep-datagen status --wa") is (lines >= 8)
        and all(len(line) <= columns for line in shown)
    )


def test_without_a_terminal_there_is_a_line_for_each_change_and_an_object_with_json(program: Program) -> None:
    gate = Gate(0)
    with LoopbackServer(gate) as server:
        configure(program, server)
        plain = program.watch(*OFTEN)
        as_json = program.start(*OFTEN, "--json")
        plain.wait_for("no run has begun")
        with killed(as_json):
            run = program.start("--providers", "one", "--target", "9")
            plain.wait_for("0 of 9 conversations, ")
            gate.answers = 20
            plain.wait_for(" set aside; ")
            gate.answers = 1_000
            ended(run)
            said = plain.end()
            objects = [json.loads(line) for line in as_json.communicate()[0].splitlines()]
            assert as_json.returncode == 0
    assert said.status == 0
    lines = said.stdout.splitlines()
    assert lines[0].startswith("Waiting for a run to begin; ")
    assert lines[-1] == "The run has ended; 9 of 9 conversations, 0 in progress, 0 rejected, 0 set aside"
    assert "\x1b" not in said.stdout
    for one, next_one in itertools.pairwise(lines):
        assert one.partition("conversations/hour")[0] != next_one
    assert objects[0]["phase"] == "waiting"
    assert objects[-1]["phase"] == "ended"
    assert objects[-1]["done"] == 9
    assert len(objects) == len({json.dumps(item) for item in objects})
    done = [item["done"] for item in objects if "done" in item]
    assert done == sorted(done)
    assert "running" in {item["phase"] for item in objects}


def test_a_killed_run_has_ended_and_a_later_watch_waits_for_the_next(program: Program) -> None:
    with LoopbackServer(hangs_after(20)) as server:
        configure(program, server)
        run = program.start("--providers", "one", "--target", "9")
        with killed(run):
            watched = program.watch(*OFTEN)
            watched.wait_for(" of 9 conversations, ")
            run.kill()
            run.communicate()
            said = watched.end()
    assert said.status == 0
    assert said.stdout.splitlines()[-1].startswith("The run has ended; ")
    watched = program.watch(*OFTEN)
    watched.wait_for("Waiting for a run to begin; ")
    with LoopbackServer() as server:
        configure(program, server)
        run = program.start("--providers", "one", "--target", "9")
        ended(run)
    said = watched.end()
    assert said.stdout.splitlines()[-1].startswith("The run has ended; 9 of 9")


def test_a_run_that_has_ended_before_is_told_and_nothing_is_touched(program: Program) -> None:
    with LoopbackServer() as server:
        configure(program, server)
        assert program.run("--providers", "one", "--target", "3").status == 0
    before = files(program.directory)
    said = program.run(*OFTEN)
    assert said.status == 0
    assert said.stdout == "The run has ended; 3 of 3 conversations, 0 in progress, 0 rejected, 0 set aside\n"
    with in_terminal(program, *OFTEN) as terminal:
        assert terminal.end() == 0
    assert "Nothing is left to do." in terminal.shown
    assert terminal.lines[-2] == "The run has ended."
    assert files(program.directory) == before


def test_who_has_seen_enough_of_it_may_go(program: Program) -> None:
    watching = program.start(*OFTEN)
    assert watching.stdout is not None
    assert watching.stdout.readline().startswith("Waiting")
    watching.stdout.close()
    with LoopbackServer(hangs_after(20)) as server:  # so that there is something to print
        configure(program, server)
        run = program.start("--providers", "one", "--target", "9")
        with killed(run):
            assert watching.wait(PATIENCE_SECONDS) == 0
            assert run.poll() is None
    watching.communicate()


@pytest.mark.parametrize("command", ["status --every 3", "status --watch --every 0"])
def test_an_option_that_says_nothing_is_refused(program: Program, command: str) -> None:
    said = program.run(*command.split())
    assert said.status == 2
    assert "--every" in said.stderr


# A database that cannot be read.


def test_a_database_that_is_moved_away_and_back_is_waited_for_while_the_run_is_active(program: Program) -> None:
    with LoopbackServer() as server:
        configure(program, server)
        assert program.run("--providers", "one", "--target", "3").status == 0
    away = program.state.with_name("away")
    lock = lock_beside(program.state)  # as a run has it
    with in_terminal(program, *OFTEN) as terminal:
        terminal.wait_for("A run is active", "Accepted ")
        program.state.rename(away)
        terminal.wait_for("What follows was so before; now it cannot be read: ", "is no such file", "Accepted ")
        away.rename(program.state)
        terminal.wait_until(lambda: "cannot be read" not in terminal.shown and "A run is active" in terminal.shown)
        program.state.rename(away)
        terminal.wait_for("cannot be read")
        lock.release()
        assert terminal.end() == 4
    # The terminal is itself again, and says what is wrong.
    assert "there is no such file" in terminal.output.decode().rpartition("\x1b[?1049l")[2]


def test_what_is_no_state_database_is_an_error_where_no_run_makes_it(program: Program) -> None:
    program.state.parent.mkdir(parents=True)
    program.state.write_bytes(b"no database" * 100)
    said = program.run(*OFTEN)
    assert said.status == 4
    assert "cannot be read" in said.stderr
    with lock_beside(program.state):  # as a run does, before it makes the database
        watched = program.watch(*OFTEN)
        watched.wait_for("cannot be read")
        program.state.unlink()
        watched.wait_for("there is no such file")
        migrate_state(program.state)
        watched.wait_for("0 conversations, 0 in progress")
    assert watched.end().status == 0
    assert watched.said.splitlines()[-1].startswith("The run has ended; 0 conversations")


def migrate_state(path: Path) -> None:
    """Make a state database as a run does, in one step at the end."""
    new = path.with_name("new")
    connection = connect(new)
    migrate(connection, seed=1, output_name=OUTPUT.name, base_count=0, base_end=1)
    connection.close()
    new.rename(path)


@pytest.mark.parametrize("active", [True, False, None])
def test_a_moment_in_which_it_cannot_be_read_is_no_error(
    program: Program, monkeypatch: pytest.MonkeyPatch, *, active: bool | None
) -> None:
    program.state.parent.mkdir(parents=True)
    program.state.write_bytes(b"")
    monkeypatch.setattr("apep_datagen.inspect.watching.run_is_active", lambda _path: active)

    def fails(_output: Path, _now: float) -> RunStatus:
        raise StorageError("half of it")

    watcher = Watcher(program.output, fails)
    phase = Phase.RUNNING if active else Phase.WAITING
    assert watcher.look(0.0) == Look(phase, None, "half of it")
    if active is False:
        with pytest.raises(StorageError, match="half of it"):
            watcher.look(1.0)
    else:
        assert watcher.look(1.0) == Look(phase, None, "half of it")
