"""`apep-datagen rejudge` as a user runs it: killed at any moment, between two runs, and beside one."""

from __future__ import annotations

import json
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.storage.access import lock_beside, state_path
from apep_datagen.storage.opening import OpenedRun
from support.loopback_server import LoopbackServer
from support.paths import SUPPORT
from support.program import Program, section
from support.real_conversations import real_conversations
from support.real_state import CHATS, FIRST_THOUGHT, everything, save_otherwise, write_real_state
from support.scripted_people import ALIKE_IN_THOUGHT, WAYS, ScriptedPeople

KILLED = (str(SUPPORT / "killed_command.py"),)
REPLACED = ("copying", "written", "replaced")
APPENDED = ("torn", "appended")

# Killed at any moment.


def scene(directory: Path, *, has_base: bool) -> Path:
    """Write an output of which something is to be added, to be taken out and to be mended; return it.

    Args:
        directory: Where to.
        has_base: Whether another hand has laid out the output anew, and added to it.
    """
    output = write_real_state(directory, also_rejected=CHATS[:6], count=80)
    accepted = [real for real in real_conversations()[:80] if not real.was_rejected and real.number not in CHATS]
    for real in accepted[10:13]:
        save_otherwise(
            output, real.number, lambda line: line.replace(FIRST_THOUGHT, FIRST_THOUGHT + "As an AI language model, ")
        )
    output.unlink()
    OpenedRun(output, seed=0, notify=lambda _: None).close()  # written again, and of today's schema
    if has_base:
        elements = json.loads(output.read_bytes())
        foreign = {"conversations": [{"role": "user", "content": "Whose is this?"}]}
        output.write_text(json.dumps([foreign, *elements[:40], foreign], indent=1), encoding="utf-8")
        OpenedRun(output, seed=0, notify=lambda _: None).close()
    prompts = directory / "prompts"
    prompts.mkdir()
    said = [real.case.messages[1].content for real in accepted[1:30:3]]
    text = load_prompts().texts["tester_user.txt"] + "\n".join(said)
    (prompts / "tester_user.txt").write_text(text, encoding="utf-8")
    return output


@pytest.mark.parametrize(("drops", "has_base"), [(False, False), (True, True)])
def test_killed_at_any_moment_nothing_has_happened_or_all_of_it(tmp_path: Path, *, drops: bool, has_base: bool) -> None:
    made = tmp_path / "made"
    made.mkdir()
    output = scene(made, has_base=has_base)
    before = everything(output)
    options = ("out.json", "--prompts", "prompts", *(["--drop"] if drops else []))

    def copy(name: str) -> Program:
        shutil.copytree(made, tmp_path / name)
        return Program(tmp_path / name)

    undisturbed = copy("undisturbed")
    ended = undisturbed.run("0", "rejudge", *options, command=KILLED)
    assert ended.status == 0, ended.said
    after = everything(undisturbed.directory / "out.json")
    assert after != before
    statements = int(ended.stderr.split()[-1])
    # Some in the middle, and each of the last, in which what was found is made to last.
    points = [1, statements // 3, *range(statements - 5, statements + 1)]

    def kill_at(point: str) -> None:
        program = copy(f"killed {point}")
        output = program.directory / "out.json"
        killed = program.run(point, "rejudge", *options, command=KILLED)
        assert killed.status == -signal.SIGKILL, killed.said
        if point != "torn":
            assert output.read_bytes() in (before["output"], after["output"])
        # What comes next, whatever it is, finds database and output together again.
        said: list[str] = []
        OpenedRun(output, seed=0, notify=said.append).close()
        assert everything(output) in (before, after), (point, said)
        assert not (program.directory / "out.state.new").exists()
        again = program.run("rejudge", *options)
        assert again.status == 0, again.said
        assert everything(output) == after, point
        shutil.rmtree(program.directory)

    with ThreadPoolExecutor(2) as pool:  # most of their time is the start of the program
        list(pool.map(kill_at, (*map(str, points), *(REPLACED if drops else APPENDED))))


def test_stopped_by_ctrl_c_nothing_has_happened(tmp_path: Path) -> None:
    output = scene(tmp_path, has_base=False)
    before = everything(output)
    program = Program(tmp_path)
    ended = program.run("rejudge", "out.json", "--drop", "--prompts", "prompts", command=(*KILLED, "stopped"))
    assert (ended.status, ended.stderr) == (130, "Stopped.\n")
    assert everything(output) == before


# Between two runs.


@pytest.mark.parametrize("level", ["form", "off"])
def test_a_run_goes_on_with_what_was_added_and_makes_fewer(tmp_path: Path, level: str) -> None:
    """What was rejected counts as accepted from then on, and nothing that comes later is disturbed by it."""
    names = ("forgetful", "only deletes", "keeps the old value", "does not forget", "refuses", "stores something else")
    people = ScriptedPeople(Program(tmp_path).state, tuple(WAYS[name] for name in names), share=0.6)
    mix = "[scenarios.mix]\nshare = 30\nupdate = 20\nforget = 14\nrecall = 14\nsmalltalk = 12\nadvice = 10\n"
    with LoopbackServer(people) as server:
        program = Program(tmp_path)
        program.configure(
            f"[generation]\ntimeline_length = 18\n{mix}[quality]\nleast_yield = 0\n{ALIKE_IN_THOUGHT}"
            + section("endpoint", server.url("endpoint"), requests_per_second=None, max_in_flight=2)
        )
        made = ("--providers", "endpoint", "--seed", "5")
        assert program.run(*made, "--target", "30").status == 0
        rejected = program.query("SELECT count(*) FROM conversations WHERE status = 'rejected'")[0][0]
        assert rejected > 8
        told = program.run("rejudge", "--json", "--quality", level, "--dry-run")
        found = program.run("rejudge", "--json", "--quality", level)
        assert found.status == 0, found.said
        assert {**json.loads(told.stdout), "dry_run": False, "conversations": []} == {
            **json.loads(found.stdout),
            "conversations": [],
        }
        assert json.loads(found.stdout)["added"] == rejected
        assert len(program.conversations()) == 30 + rejected
        assert "Nothing was found." in program.run("verify").stdout
        asked = len(server.received)
        assert program.run(*made, "--target", str(30 + rejected)).status == 0
        assert len(server.received) == asked  # nothing is left to make
        ended = program.run(*made, "--target", str(50 + rejected))
        assert ended.status == 0, ended.said
    assert len(program.conversations()) == 50 + rejected
    verified = program.run("verify")
    assert "Nothing was found." in verified.stdout, verified.said
    # Taken out by the rules of then, all of them leave, wherever they stand.
    dropped = program.run("rejudge", "--json", "--quality", "strict", "--drop")
    assert json.loads(dropped.stdout)["taken_out"] == rejected, dropped.said
    assert len(program.conversations()) == 50
    assert "Nothing was found." in program.run("verify").stdout
    wrong = [question for question, way in people.way_of.items() if way is not None and way.stage is not None]
    assert {messages[1]["content"] for messages in program.conversations()}.isdisjoint(wrong)


def test_beside_a_process_that_works_on_the_output_it_is_refused(tmp_path: Path) -> None:
    output = write_real_state(tmp_path, count=5)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    lock = lock_beside(state_path(output))
    try:
        ended = [Program(tmp_path).run("rejudge", "out.json", *options) for options in ((), ("--dry-run",))]
    finally:
        lock.release()
    for one in ended:
        assert (one.status, one.stdout) == (4, "")
        assert "another apep-datagen is working on this output; wait for it" in one.stderr
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


# What the other commands say of it.


def test_the_other_commands_understand_what_stands_by_itself(tmp_path: Path) -> None:
    write_real_state(tmp_path)
    program = Program(tmp_path)
    program.environment["NO_COLOR"] = "1"
    assert program.run("rejudge", "out.json", "--quality", "form").status == 0
    last = program.run("show", "out.json", "-1").stdout
    assert ", by itself\n" in last
    stats = json.loads(program.run("stats", "out.json", "--json").stdout)
    assert stats["run"]["accepted"] == 200
    timelines = stats["run"]["timeline_length"]
    assert timelines["count"] * timelines["mean"] == pytest.approx(200)
    status = json.loads(program.run("status", "--output", "out.json", "--json").stdout)
    quality = status["quality"]
    assert (status["done"], quality["accepted"], quality["rejected"], quality["rejections"]) == (200, 200, 0, [])
