"""`apep-datagen review` as a user runs it: killed at any moment, beside a run and between two, and in a terminal."""

from __future__ import annotations

import getpass
import json
import os
import pty
import select
import shutil
import signal
import termios
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from apep_datagen.core.errors import SettingsError
from apep_datagen.review.applying import apply, undo
from apep_datagen.review.verdicts_file import read_verdicts_file
from apep_datagen.storage.access import lock_beside, state_path
from apep_datagen.storage.opening import OpenedRun
from apep_datagen.storage.waiting_verdicts import waiting_verdicts
from support.loopback_server import LoopbackServer, Received, Reply, well_behaved
from support.paths import SUPPORT
from support.program import Program, killed_if_it_does_not_end, section
from support.real_state import everything, query, write_real_state
from support.verdicts import digests_of, write_verdicts
from support.waiting import PATIENCE_SECONDS, wait_until

KILLED = (str(SUPPORT / "killed_command.py"),)

# Killed at any moment.


def scene(directory: Path) -> Path:
    """Write an output to which another hand has added, and verdicts on some of all that is in it."""
    output = write_real_state(directory, count=60)
    OpenedRun(output, seed=0, notify=lambda _: None).close()
    elements = json.loads(output.read_bytes())
    foreign = {"conversations": [{"role": "user", "content": "Whose is this?"}]}
    output.write_text(json.dumps([foreign, *elements[:25], foreign, *elements[25:30]], indent=1), encoding="utf-8")
    OpenedRun(output, seed=0, notify=lambda _: None).close()
    digests = digests_of(output)
    write_verdicts(directory / "v.json", dict.fromkeys([digests[0], *digests[3:50:4]], "bad"), tags=["invented"])
    return output


def without_times(output: Path) -> dict[str, object]:
    """Return all that a run would go on from, and what people said."""
    tables = ("person_verdicts", "person_dependents")
    said = {name: query(output, f"SELECT * FROM {name} ORDER BY 1, 2") for name in tables}  # noqa: S608 - constants
    removed = "SELECT digest, conversation_id, line, notes_before FROM person_removed ORDER BY 1, 2"
    return {**everything(output), **said, "person_removed": query(output, removed)}


@pytest.mark.parametrize("command", ["apply", "undo"])
def test_killed_at_any_moment_nothing_has_happened_or_all_of_it(tmp_path: Path, command: str) -> None:
    made = tmp_path / "made"
    made.mkdir()
    output = scene(made)
    applying = ("review", "apply", "v.json", "out.json", "--with-dependents")
    options = applying if command == "apply" else ("review", "undo", "out.json")
    if command == "undo":
        assert Program(made).run(*applying).status == 0
    before = without_times(output)

    def copy(name: str) -> Program:
        shutil.copytree(made, tmp_path / name)
        return Program(tmp_path / name)

    undisturbed = copy("undisturbed")
    ended = undisturbed.run("0", *options, command=KILLED)
    assert ended.status == 0, ended.said
    after = without_times(undisturbed.directory / "out.json")
    assert after != before
    statements = int(ended.stderr.split()[-1])
    points = [1, statements // 2, statements - 1, statements]

    def kill_at(point: str) -> None:
        program = copy(f"killed {point}")
        output = program.directory / "out.json"
        killed = program.run(point, *options, command=KILLED)
        assert killed.status == -signal.SIGKILL, killed.said
        assert output.read_bytes() in (before["output"], after["output"])
        OpenedRun(output, seed=0, notify=lambda _: None).close()  # what comes next, whatever it is
        there = without_times(output)
        assert there in (before, after), point
        assert not (program.directory / "out.state.new").exists()
        if command == "undo" and there == before:
            undo(output, lambda _: None)
        elif command == "apply":
            source = program.directory / "v.json"
            said = read_verdicts_file(source)
            apply(output, source, said, name=getpass.getuser(), with_dependents=True, notify=lambda _: None)
        assert without_times(output) == after, point
        shutil.rmtree(program.directory)

    with ThreadPoolExecutor(2) as pool:  # most of their time is the start of the program
        list(pool.map(kill_at, (*map(str, points), "copying", "written", "replaced")))


# Beside a run, and between two.


class Held:
    """A server's behaviour that holds back what comes behind some conversations, until it is let go.

    Args:
        conversations: So many are finished at once.
    """

    def __init__(self, conversations: int) -> None:
        self.let_go = threading.Event()
        self._left = conversations

    def __call__(self, received: Received) -> Reply:
        reply = well_behaved(received)
        if received.step == "ask":
            self._left -= 1
        return reply if self._left >= 0 else replace(reply, until=self.let_go.is_set)


def holds(program: Program, count: int) -> bool:
    """Tell whether an output that is being written holds so many conversations."""
    return program.output.exists() and program.output.read_text(encoding="utf-8").count('"conversations"') == count


def made(directory: Path, server: LoopbackServer) -> Program:
    program = Program(directory)
    program.configure(section("endpoint", server.url("endpoint"), max_in_flight=1))
    return program


RUN = ("--providers", "endpoint", "--seed", "3", "--exchanges", "1-1", "--target")


def test_the_next_run_makes_others_in_the_place_of_what_left(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        program = made(tmp_path, server)
        assert program.run(*RUN, "6").status == 0
        bad = digests_of(program.output)[1:4]
        verdicts = write_verdicts(tmp_path / "v.json", dict.fromkeys(bad, "bad"), tags=["dull"])
        said = program.run("review", "apply", "v.json", "--by", "Ann")
        assert said.status == 0, said.said
        assert len(program.conversations()) == 3
        status = json.loads(program.run("status", "--json").stdout)
        assert (status["done"], status["missing"]) == (3, 3)
        assert status["quality"]["by_provider"]["endpoint"]["rejected_by_stage"]["person"] == 3
        assert "dull" in program.run("show", "--rejected").stdout
        again = program.run(*RUN, "6")
        assert (again.status, len(program.conversations())) == (0, 6)
        assert "3 conversations made" in again.stdout
    assert set(bad).isdisjoint(digests_of(program.output))
    assert "Nothing was found." in program.run("verify").stdout
    assert "3 verdicts had been applied before" in program.run("review", "apply", str(verdicts)).stdout
    # What is undone then is more than was asked for, and nothing is lost.
    assert program.run("review", "undo").status == 0
    assert len(program.conversations()) == 9
    assert "Nothing was found." in program.run("verify").stdout


def test_an_export_that_is_made_again_is_without_what_left(tmp_path: Path) -> None:
    program = Program(tmp_path)
    output = write_real_state(tmp_path, count=20)
    elements = json.loads(output.read_bytes())
    export = ("export", "out.json", "--format", "trl", "--rows", "conversation", "--to", "exported")

    def exported() -> list[str]:
        ended = program.run(*export)
        assert ended.status == 0, ended.said
        rows = (tmp_path / "exported/trl/train.jsonl").read_text(encoding="utf-8").splitlines()
        return [next(part["content"] for part in json.loads(row)["messages"] if part["role"] == "user") for row in rows]

    asked = [element["conversations"][1]["content"] for element in elements]
    assert exported() == asked
    write_verdicts(tmp_path / "v.json", dict.fromkeys([digests_of(output)[place] for place in (0, 7)], "bad"))
    assert program.run("review", "apply", "v.json", "out.json").status == 0
    assert exported() == [*asked[1:7], *asked[8:]]
    assert program.run("review", "undo", "out.json").status == 0
    assert sorted(exported()) == sorted(asked)


def test_a_run_takes_note_of_verdicts_and_goes_on_until_its_target_is_reached(tmp_path: Path) -> None:
    held = Held(4)
    with LoopbackServer(held) as server:
        program = made(tmp_path, server)
        watched = program.watch(*RUN, "6")
        wait_until(lambda: holds(program, 4), lambda: watched.said)
        bad = digests_of(program.output)[:2]
        write_verdicts(tmp_path / "v.json", dict.fromkeys(bad, "bad"))
        write_verdicts(tmp_path / "another.json", {"0" * 32: "bad"})
        assert program.run("review", "apply", "another.json").status == 2
        waits = program.run("review", "apply", "v.json", "--by", "Ann")
        assert (waits.status, "2 verdicts of v.json wait" in waits.stdout) == (0, True), waits.said
        assert len(digests_of(program.output)) == 4
        assert len(waiting_verdicts(program.output)) == 1
        assert program.run("review", "apply", "v.json", "--by", "Ann").status == 0  # once more changes nothing
        assert json.loads(program.run("status", "--json").stdout)["verdicts_waiting"] == 2
        assert "wait to be applied: 2" in program.run("status").stdout
        assert "to apply them: 2" in program.run("review", "status").stdout
        assert program.run("review", "undo").status == 4
        held.let_go.set()
        ended = watched.end()
    assert ended.status == 0, ended.said
    assert "2 verdicts that waited were applied: 2 conversations left the output" in ended.said
    assert "2 conversations made" in ended.said
    assert len(digests_of(program.output)) == 6
    assert set(bad).isdisjoint(digests_of(program.output))
    assert waiting_verdicts(program.output) == []
    assert query(program.output, "SELECT name FROM person_batches") == [("Ann",)]
    assert "Nothing was found." in program.run("verify").stdout


def test_where_a_run_is_stopped_verdicts_wait_for_the_next_start(tmp_path: Path) -> None:
    held = Held(3)
    with LoopbackServer(held) as server:
        program = made(tmp_path, server)
        watched = program.watch(*RUN, "5", "--grace-seconds", "0")
        wait_until(lambda: holds(program, 3), lambda: watched.said)
        bad = digests_of(program.output)[1]
        write_verdicts(tmp_path / "v.json", {bad: "bad"})
        assert program.run("review", "apply", "v.json").status == 0
        watched.process.send_signal(signal.SIGTERM)
        assert watched.end().status == 143
        assert bad in digests_of(program.output)
        assert len(waiting_verdicts(program.output)) == 1
        # What cannot be used is told, and stays; what a kill has left in the middle of writing is nothing.
        broken = program.output.with_name(waiting_verdicts(program.output)[0].name.replace(".json", "x.json"))
        broken.write_text("{", encoding="utf-8")
        broken.with_name(broken.name + ".new").write_text("{", encoding="utf-8")
        held.let_go.set()
        ended = program.run(*RUN, "5")
    assert ended.status == 0, ended.said
    assert f"{broken}: no file of verdicts that can be used" in ended.said.replace("data/", f"{tmp_path}/data/")
    assert waiting_verdicts(program.output) == [broken]
    assert bad not in digests_of(program.output)
    assert len(digests_of(program.output)) == 5


# What is refused.


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        ("{", "no valid JSON"),
        ("[]", "it has no"),
        ('{"apep_datagen": "verdicts", "version": 2, "verdicts": []}', "its version is 2"),
        ('{"apep_datagen": "verdicts", "version": true, "verdicts": []}', "its version is true"),
        ('{"apep_datagen": "verdicts", "version": 1}', "its verdicts are no array"),
        ('{"apep_datagen": "verdicts", "version": 1, "verdicts": [7]}', "verdict 1 is no object"),
        ('{"apep_datagen": "verdicts", "version": 1, "verdicts": [{"digest": "00"}]}', "the digest of verdict 1"),
        ("[" * 100_000, "no valid JSON"),
        ("\x00", "no valid JSON"),
    ],
)
def test_what_is_no_file_of_verdicts_is_refused_in_a_sentence(tmp_path: Path, content: str, finding: str) -> None:
    path = tmp_path / "v.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=finding) as raised:
        read_verdicts_file(path)
    assert str(path) in str(raised.value)


def test_files_that_cannot_be_used_end_with_2_and_nothing_is_changed(tmp_path: Path) -> None:
    output = write_real_state(tmp_path, count=5)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    program = Program(tmp_path)
    (tmp_path / "folder").mkdir()
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(1 << 27)
    for name in ("missing.json", "folder", "huge.json", "out.json"):
        ended = program.run("review", "apply", name, "out.json")
        assert (ended.status, ended.stdout) == (2, ""), name
        assert name in ended.stderr
        assert "Traceback" not in ended.stderr
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    no_terminal = program.run("review", "next", "out.json")
    assert (no_terminal.status, "needs a terminal" in no_terminal.stderr) == (2, True)
    assert output.exists()


# In a terminal.


class Reviewer:
    """`review next` in a terminal, with somebody who presses keys when they are asked to."""

    def __init__(self, program: Program, *options: str) -> None:
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (50, 100))
        program.environment |= {"TERM": "xterm-256color", "NO_COLOR": "1"}
        self.process = program.start("review", "next", *options, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        self.shown = ""

    def press(self, *keys: str) -> None:
        """Press keys, each when it is waited for."""
        for key in keys:
            self.wait_for("q quit" if len(key) == 1 else "semicolon: ")
            self.type(key)

    def type(self, text: str) -> None:
        """Press keys without waiting for anything."""
        os.write(self._ours, text.encode())

    def wait_for(self, text: str) -> None:
        """Wait until a text is shown, and forget what was shown up to it."""
        while text not in self.shown:
            try:
                assert select.select([self._ours], [], [], PATIENCE_SECONDS)[0], f"{text!r} was not shown: {self.shown}"
                self.shown += os.read(self._ours, 65536).decode(errors="replace")
            except OSError as error:
                raise AssertionError(f"{text!r} was not shown: {self.shown}") from error
        self.shown = self.shown.partition(text)[2]

    def end(self) -> int:
        """Return the status with which it ends."""
        while select.select([self._ours], [], [], PATIENCE_SECONDS)[0]:
            try:
                if not (more := os.read(self._ours, 65536)):
                    break
            except OSError:  # how a terminal says that the other side has closed it
                break
            self.shown += more.decode(errors="replace")
        os.close(self._ours)
        with killed_if_it_does_not_end(self.process):
            return self.process.wait(PATIENCE_SECONDS)


def test_in_a_terminal_each_conversation_gets_a_key(tmp_path: Path) -> None:
    output = write_real_state(tmp_path, count=12)
    program = Program(tmp_path)
    in_order = sorted(digests_of(output))
    reviewer = Reviewer(program, "out.json", "--by", "Ann")
    reviewer.press("g", "2", "tone, too long; She shouts.\n", "u", "s", "1", "q")
    assert reviewer.end() == 0
    assert "4 verdicts that waited were applied: 1 conversation left" in reviewer.shown
    said = query(output, "SELECT digest, word, tags, note FROM person_verdicts")
    expected = [
        (in_order[0], "good", "[]", ""),
        (in_order[1], "bad", '["tone","too long"]', "She shouts."),
        (in_order[2], "unsure", "[]", ""),
        (in_order[4], "good", "[]", ""),
    ]
    assert sorted(said) == sorted(expected)
    assert in_order[1] not in digests_of(output)
    # The next time, what was skipped comes first. A key of no meaning is waited over, and none is lost that is early.
    again = Reviewer(program, "out.json")
    again.type("xg")
    again.wait_for("good; kept")
    again.press("q")
    assert again.end() == 0
    assert (in_order[3], "good") in query(output, "SELECT digest, word FROM person_verdicts")


def test_in_a_terminal_a_slip_is_taken_back(tmp_path: Path) -> None:
    output = write_real_state(tmp_path, count=12)
    program = Program(tmp_path)
    in_order = sorted(digests_of(output))
    reviewer = Reviewer(program, "out.json")
    # There is nothing before the first one; what was skipped is gone back over as well.
    reviewer.press("k", "2", "tone\n", "k", "1", "s", "2", "tone\n")
    reviewer.wait_for("q quit")
    assert len(waiting_verdicts(output)) == 1
    reviewer.type("k")
    reviewer.press("k", "k", "q")
    assert reviewer.end() == 0
    assert waiting_verdicts(output) == []
    again = Reviewer(program, "out.json")
    again.press("2", "tone\n", "k", "1", "3", "q")
    assert again.end() == 0
    assert words(output) == {in_order[0]: "good", in_order[1]: "unsure"}


@pytest.mark.parametrize("how", ["killed", "Ctrl-C", "beside a run"])
def test_a_verdict_is_kept_at_once(tmp_path: Path, how: str) -> None:
    output = write_real_state(tmp_path, count=12)
    program = Program(tmp_path)
    in_order = sorted(digests_of(output))
    lock = lock_beside(state_path(output)) if how == "beside a run" else None
    reviewer = Reviewer(program, "out.json")
    reviewer.press("b", "tone\n", "g")
    reviewer.wait_for("q quit")
    if how == "killed":
        reviewer.process.kill()
        assert reviewer.end() == -signal.SIGKILL
    elif how == "Ctrl-C":
        reviewer.process.send_signal(signal.SIGINT)
        assert reviewer.end() == 130
        assert "2 verdicts wait" in reviewer.shown
    else:
        reviewer.type("q")
        assert reviewer.end() == 0
        assert "2 verdicts wait" in reviewer.shown
    if lock:
        lock.release()
    assert len(digests_of(output)) == len(in_order)
    # The next one does not ask for these again, and has them applied.
    again = Reviewer(program, "out.json")
    again.press("q")
    assert again.end() == 0
    assert in_order[0] not in digests_of(output)
    assert words(output) == {in_order[0]: "bad", in_order[1]: "good"}


def words(output: Path) -> dict[str, str]:
    rows: Iterable[tuple[str, str]] = query(output, "SELECT digest, word FROM person_verdicts")
    return dict(rows)
