"""An ability of which too little is accepted: it is seen at once, does not eat the money, and is accounted for."""

from __future__ import annotations

import json
import os
import pty
import signal
import termios
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyte
import pytest

from apep_datagen.people.scenario import Ability
from support.loopback_server import LoopbackServer, Received, Reply
from support.paths import REPOSITORY, SUPPORT
from support.program import Program, section
from support.scripted_people import ALIKE_IN_THOUGHT, WAYS, ScriptedPeople
from support.waiting import wait_until

KILLED = (str(SUPPORT / "killed_program.py"),)
BAD_WAYS = {Ability.DIARY: "writes no page", Ability.ADVICE: "refuses"}
MIX = {Ability.DIARY: 4, Ability.SMALLTALK: 3, Ability.ADVICE: 3}
COLUMNS, LINES = 120, 40


def bad(directory: Path, *abilities: Ability) -> ScriptedPeople:
    """Return people who never get certain abilities right."""
    ways = tuple(replace(WAYS[BAD_WAYS[one]], abilities=frozenset({one})) for one in abilities)
    return ScriptedPeople(Program(directory).state, ways, 1.0)


def program_at(server: LoopbackServer, directory: Path, *, quality: str = "", in_flight: int = 1) -> Program:
    directory.mkdir(exist_ok=True)
    program = Program(directory)
    mix = "\n".join(f"{ability.value} = {MIX.get(ability, 0)}" for ability in Ability)
    program.configure(
        f'[scenarios.mix]\n{mix}\n[quality]\nlevel = "strict"\n{ALIKE_IN_THOUGHT}{quality}\n'
        + section("endpoint", server.url("endpoint"), requests_per_second=None, max_in_flight=in_flight)
    )
    return program


def options(target: int) -> tuple[str, ...]:
    return ("--providers", "endpoint", "--target", str(target), "--seed", "5", "--log-file", "log.jsonl")


def sent(program: Program) -> dict[str, int]:
    rows = program.query("SELECT ability, count(*) FROM conversations GROUP BY ability")
    return dict(rows)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Program, str]:
    """A run in which no page is ever written, and what it said."""
    directory = tmp_path_factory.mktemp("made")
    with LoopbackServer(bad(directory, Ability.DIARY)) as server:
        program = program_at(server, directory)
        ended = program.run(*options(60))
    assert ended.status == 0, ended.said
    return program, ended.stdout


def test_it_is_told_once_and_logged(made: tuple[Program, str]) -> None:
    program, said = made
    [line] = [line for line in said.splitlines() if "least_ability_yield" in line]
    assert line.startswith("diary: only 0 of its last 7 conversations were accepted")
    assert "Most often 7 times there is no diary page about the moment (effect); apep-datagen show --rejected " in line
    events = [json.loads(line) for line in (program.directory / "log.jsonl").read_text().splitlines()]
    [event] = [event for event in events if event["event"] == "low yield"]
    assert (event["ability"], event["ended"], event["accepted"], event["held_back"]) == ("diary", 7, 0, True)
    assert event["reasons"][0]["reason"] == "there is no diary page about the moment"


def test_the_others_go_on_to_the_target_and_it_gets_no_more_than_its_share(made: tuple[Program, str]) -> None:
    program, _ = made
    counts = sent(program)
    assert counts["diary"] <= 0.4 * sum(counts.values()) + 7
    assert counts["diary"] >= 10  # it is still tried
    # Neither is ever ahead of its half by more than half the view of the draw, which is six conversations long.
    assert abs(counts["smalltalk"] - counts["advice"]) <= 6
    assert len(program.conversations()) == 60


def test_the_end_and_status_say_what_there_is_of_it(made: tuple[Program, str]) -> None:
    program, said = made
    tried = min(60, sent(program)["diary"])
    line = f"diary: 0 of the 24 wished for, held back: 0 % of its last {tried} were accepted"
    assert line in said.splitlines()
    assert line in program.run("status").stdout.splitlines()


def test_status_names_the_most_frequent_reasons_with_an_example_that_show_prints(made: tuple[Program, str]) -> None:
    program, said = made
    status = json.loads(program.run("status", "--json").stdout)
    rejected = program.query(
        "SELECT ability, stage, reason, count(*), max(id) FROM conversations WHERE status = 'rejected'"
        " GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3"
    )
    names = ("ability", "stage", "reason", "count", "example")
    assert status["frequent_reasons"] == [dict(zip(names, row, strict=True)) for row in rejected[:3]]
    ability, _, reason, count, latest = rejected[0]
    assert (ability, reason) == ("diary", "there is no diary page about the moment")
    [diary] = [item for item in status["abilities"] if item["ability"] == "diary"]
    assert diary == {"ability": "diary", "ended": min(60, sent(program)["diary"]), "accepted": 0, "held_back": True}
    for text in (said, program.run("status").stdout):
        rows = [line.split() for line in text.splitlines() if "there is no diary page about the moment" in line]
        assert [str(count), str(latest)] in [row[-2:] for row in rows]
        assert "apep-datagen show --rejected N prints such a conversation." in text
    shown = program.run("show", "--rejected", str(latest))
    assert shown.status == 0, shown.said
    assert shown.stdout == program.run("show", "--rejected").stdout
    assert f"Conversation {latest} of the run" in shown.stdout
    assert "Reason      there is no diary page about the moment" in shown.stdout


def test_without_a_limit_it_goes_on_as_ever(tmp_path: Path) -> None:
    """All that is owed of it is sent, until the provider's yield is too low."""
    with LoopbackServer(bad(tmp_path, Ability.DIARY)) as server:
        program = program_at(server, tmp_path, quality="least_ability_yield = 0")
        ended = program.run(*options(60))
    assert ended.status == 5, ended.said
    assert "least_ability_yield" not in ended.said
    assert "held back" not in ended.said


def test_where_every_ability_is_bad_the_provider_leaves(tmp_path: Path) -> None:
    people = ScriptedPeople(Program(tmp_path).state, (replace(WAYS["refuses"], abilities=frozenset(Ability)),), 1.0)
    with LoopbackServer(people) as server:
        program = program_at(server, tmp_path)
        ended = program.run(*options(60))
    assert ended.status == 5, ended.said
    assert "endpoint is out for the rest of this run: only 0 of its last 24 conversations" in ended.stdout


def test_one_that_recovers_is_made_up_for(tmp_path: Path) -> None:
    people = bad(tmp_path, Ability.DIARY)
    with LoopbackServer(people) as server:
        program = program_at(server, tmp_path)
        assert program.run(*options(20)).status == 0
        people.ways = ()
        ended = program.run(*options(90))
    assert ended.status == 0, ended.said
    # It is told of in each invocation, at its beginning.
    assert [line for line in ended.stdout.splitlines() if line.startswith("diary: only 0 of its last")]
    assert "wished for, held back:" not in ended.stdout
    assert (
        program.query("SELECT count(*) FROM conversations WHERE status = 'finished' AND ability = 'diary'")[0][0] >= 30
    )


def test_the_same_is_held_back_after_a_kill(tmp_path: Path) -> None:
    def plans(directory: Path, *kills: tuple[str, str]) -> list[tuple[Any, ...]]:
        with LoopbackServer(bad(directory, Ability.DIARY)) as server:
            program = program_at(server, directory)
            for kill in kills:
                killed = program.run(*options(40), command=(*KILLED, *kill))
                assert killed.status == -signal.SIGKILL, killed.said
            assert program.run(*options(40)).status == 0
        return program.query("SELECT id, plan, status, reason FROM conversations ORDER BY id")

    undisturbed = plans(tmp_path / "undisturbed")
    assert plans(tmp_path / "killed", ("in-flight", "30"), ("finish", "12"), ("in-flight", "9")) == undisturbed


def test_another_prompt_gives_it_another_chance(tmp_path: Path) -> None:
    people = bad(tmp_path, Ability.DIARY)
    with LoopbackServer(people) as server:
        program = program_at(server, tmp_path)
        assert program.run(*options(20)).status == 0
        (tmp_path / "prompts").mkdir()
        own = (REPOSITORY / "systemprompts" / "ada_system.txt").read_text(encoding="utf-8")
        (tmp_path / "prompts" / "ada_system.txt").write_text(f"{own}\nKeep what you are told.\n", encoding="utf-8")
        people.ways = ()
        ended = program.run(*options(40), "--prompts", "prompts")
    assert ended.status == 0, ended.said
    assert "least_ability_yield" not in ended.stdout


def test_the_live_view_shows_the_worst_abilities_with_their_main_reason(tmp_path: Path) -> None:
    people, is_seen = bad(tmp_path, Ability.DIARY), False

    def behaviour(received: Received) -> Reply:
        """Hold the run up when it has something to show."""
        return replace(people(received), until=lambda: is_seen or people.used.total() < 12)

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (LINES, COLUMNS))
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    with LoopbackServer(behaviour) as server:
        program = program_at(server, tmp_path)
        program.environment |= {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
        process = program.start(*options(40), stdout=theirs, stderr=theirs)
        os.close(theirs)
        os.set_blocking(ours, False)

        def shows(text: str) -> bool:
            try:
                while piece := os.read(ours, 65536):
                    stream.feed(piece)
            except OSError:  # nothing more for now, or ever
                pass
            return any(text in line for line in screen.display)

        told = "Accepted least: diary 0 % of 1"
        wait_until(lambda: shows(told), lambda: "\n".join(screen.display))
        assert shows("(there is no diary page about the moment), held back")
        is_seen = True
        wait_until(
            lambda: shows("40 of 40 conversations are in") and process.poll() is not None,
            lambda: "\n".join(screen.display),
        )
    os.close(ours)
    assert process.wait() == 0
