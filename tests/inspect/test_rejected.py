"""`show --rejected`: a conversation that was not accepted, why, and the words that were its undoing, marked."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import re
import sqlite3
import termios
from dataclasses import replace
from pathlib import Path

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.errors import StorageError
from apep_datagen.inspect.readable import Text, print_texts
from apep_datagen.inspect.rejected import show_rejected
from apep_datagen.people.scenario import Ability
from apep_datagen.storage.access import state_path
from support.loopback_server import LoopbackServer, Received, Reply, hangs_at_ada_after
from support.program import QUICKLY, Program, section
from support.real_state import write_real_state
from support.scripted_people import ALIKE_IN_THOUGHT, WAYS, ScriptedPeople
from support.waiting import PATIENCE_SECONDS, wait_until

COLUMNS, LINES = 100, 200
OPTIONS = ("--providers", "endpoint", "--target", "45", "--seed", "5")


def configure(program: Program, server: LoopbackServer, *, in_flight: int) -> None:
    program.configure(
        f'[quality]\nlevel = "strict"\n{ALIKE_IN_THOUGHT}[scenarios.mix]\nconnect = 0\nforget = 30\nrecall = 20\n'
        + section("endpoint", server.url("endpoint"), requests_per_second=None, max_in_flight=in_flight)
    )


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A run in which some conversations are rejected, and one is set aside.

    One request after the other: so what is rejected follows from the seed, and from no race.
    """
    program = Program(tmp_path_factory.mktemp("run"))
    people = ScriptedPeople(program.state, (WAYS["does not forget"], WAYS["rewriter drops the reason"]), share=0.5)
    refused: list[str] = []

    def behaviour(received: Received) -> Reply:
        reply = people(received)
        if received.step == "continue" and received.number > 60 and not refused:
            refused.append(received.asked)
        return Reply("flagged", status=422) if received.asked in refused else reply

    with LoopbackServer(behaviour) as server:
        configure(program, server, in_flight=1)
        ended = program.run(*OPTIONS, command=QUICKLY)
    assert ended.status == 0, ended.said
    return program


def number_of(program: Program, reason: str) -> int:
    [(number,)] = program.query(f"SELECT max(id) FROM conversations WHERE reason = '{reason}'")  # noqa: S608 - constant
    assert number is not None
    return int(number)


def change(program: Program, number: int, **values: str) -> None:
    with contextlib.closing(sqlite3.connect(program.state)) as connection, connection:
        for column, value in values.items():
            connection.execute(f"UPDATE conversations SET {column} = ? WHERE id = ?", (value, number))  # noqa: S608 - constant


def shown(program: Program, *arguments: str) -> str:
    ended = program.run("show", "--rejected", *arguments)
    assert (ended.status, ended.stderr) == (0, ""), ended.said
    return ended.stdout


def test_it_says_why_what_was_planned_what_she_knew_and_what_was_said(program: Program) -> None:
    number = number_of(program, "what was to be forgotten is still in memory")
    [(detail, plan_at, timeline)] = program.query(
        f"SELECT detail, json_extract(plan, '$.at'), timeline_id FROM conversations WHERE id = {number}"  # noqa: S608
    )
    text = shown(program, str(number))
    assert text.startswith(
        f"Conversation {number} of the run for data/trainingData/generatedTrainingData.json, rejected\n"
        "Stage       effect\nReason      what was to be forgotten is still in memory\n"
        f"Detail      {detail}\nWords       {detail}\n\nUser  "
    )
    assert f"When        {plan_at.replace('T', ' ')}\nAbility     forget\n" in text
    assert re.search(r"Plan        You no longer want Ada to keep", text)
    assert f"Timeline    {timeline}\n" in text
    before = text.partition("Memory before it\n")[2].partition("\n\n")[0]
    assert detail in before
    assert re.match(r"  1\. \d{4}-\d\d-\d\d: ", before)
    [(question,)] = program.query(f"SELECT text FROM steps WHERE conversation_id = {number} AND number = 1")  # noqa: S608
    assert f"User\n  {question}\n" in text


def test_a_thought_that_was_rewritten_stands_beside_the_original(program: Program) -> None:
    text = shown(program, str(number_of(program, "what was to be forgotten is still in memory")))
    assert re.search(r"Ada thinks\n  .+\nAda thought, before it was rewritten\n  .+\nAda\n", text)


def test_notes_of_later_conversations_are_not_shown_and_deleted_ones_are(program: Program) -> None:
    for number, timeline in program.query("SELECT id, timeline_id FROM conversations WHERE status = 'rejected'"):
        notes = program.query(
            f"SELECT text FROM notes WHERE timeline_id = {timeline} AND added_in < {number} AND shelf = 'memory'"  # noqa: S608
            f" AND (deleted_in IS NULL OR deleted_in > {number}) ORDER BY id"
        )
        text = shown(program, str(number)).partition("Memory before it")[2].partition("Diary before it")[0]
        text = text.replace("»", "").replace("«", "")
        assert [line.split(": ", 1)[1] for line in text.splitlines() if line.startswith("  ")] == [t for (t,) in notes]


def test_without_a_number_it_is_the_latest_and_others_count_from_it(program: Program) -> None:
    numbers = [
        number for (number,) in program.query("SELECT id FROM conversations WHERE status = 'rejected' ORDER BY id")
    ]
    assert len(numbers) >= 3
    for arguments, number in ((), numbers[-1]), (("-1",), numbers[-1]), (("-3",), numbers[-3]):
        assert shown(program, *arguments).startswith(f"Conversation {number} of the run")
    output = str(program.output)
    assert shown(program, output, "-2").startswith(f"Conversation {numbers[-2]} of the run for {output}")


def test_what_was_set_aside_is_shown_as_far_as_it_came(program: Program) -> None:
    [(number, reason)] = program.query("SELECT id, reason FROM conversations WHERE status = 'set aside'")
    text = shown(program, str(number))
    assert f"Conversation {number} of the run" in text
    assert ", set aside\n" in text
    assert f"Reason      {reason}\n" in text
    assert "User\n" in text


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT id FROM conversations WHERE status = 'finished' LIMIT 1 OFFSET 4", "was accepted: it is number"),
        ("SELECT 100000", "there is no conversation 100000; its numbers go to"),
        ("SELECT -100000", "conversations were rejected"),
    ],
)
def test_what_was_not_rejected_or_is_not_there_is_an_error_that_says_so(
    program: Program, query: str, told: str
) -> None:
    [(number,)] = program.query(query)
    ended = program.run("show", "--rejected", str(number))
    assert ended.status == 2
    assert told in ended.stderr
    assert str(program.state.name) in ended.stderr
    if "number" in told and number > 0 and "accepted" in told:
        [place] = re.findall(r"it is number (\d+)", ended.stderr)
        [(question,)] = program.query(f"SELECT text FROM steps WHERE conversation_id = {number} AND number = 1")  # noqa: S608
        assert program.conversations()[int(place) - 1][1]["content"] == question


def test_while_a_run_goes_on_what_is_in_progress_is_told_from_what_was_rejected(tmp_path: Path) -> None:
    program = Program(tmp_path)
    people = ScriptedPeople(program.state, (replace(WAYS["refuses"], abilities=frozenset(Ability)),), share=1.0)
    with LoopbackServer(hangs_at_ada_after(30, people)) as server:
        configure(program, server, in_flight=2)
        process = program.start(*OPTIONS)
        server.wait_until(lambda: server.hanging == 2)
        wait_until(
            lambda: bool(program.query("SELECT 1 FROM conversations WHERE status = 'active'")),
            lambda: str(program.query("SELECT id, status FROM conversations")),
        )
        [(active,), *_] = program.query("SELECT id FROM conversations WHERE status = 'active'")
        ended = program.run("show", "--rejected", str(active))
        assert ended.status == 2
        assert f"conversation {active} is still in progress" in ended.stderr
        assert "\nReason      " in shown(program)
        process.kill()
        process.communicate()
    assert "\nReason      " in shown(program)


def test_where_no_run_has_begun_or_nothing_was_rejected_it_says_so(tmp_path: Path) -> None:
    program = Program(tmp_path)
    ended = program.run("show", "--rejected")
    assert ended.status == 4
    assert "no run has begun for this output" in ended.stderr
    with LoopbackServer() as server:
        program.configure(section("one", server.url("one")))
        assert program.run("--providers", "one", "--target", "1").status == 0
    ended = program.run("show", "--rejected")
    assert ended.status == 2
    assert "no conversation was rejected" in ended.stderr
    assert "Traceback" not in ended.said


def test_what_cannot_be_put_together_any_more_is_shown_as_it_was_recorded(tmp_path: Path, program: Program) -> None:
    number = number_of(program, "what was to be forgotten is still in memory")
    broken = Program(tmp_path)
    broken.output.parent.mkdir(parents=True)
    broken.state.write_bytes(program.state.read_bytes())
    change(broken, number, plan="{}")
    text = shown(broken, str(number))
    assert "Reason      what was to be forgotten is still in memory" in text
    assert "User\n  " in text
    assert "Ability" not in text


# What is marked.


def quote_of(program: Program, number: int) -> str:
    """Return some words of the middle of the user's message."""
    [(question,)] = program.query(f"SELECT text FROM steps WHERE conversation_id = {number} AND number = 1")  # noqa: S608
    return " ".join(question.split()[3:9])


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE steps SET text = x'00'",
        "UPDATE notes SET text = x'ff', date = 5",
        "UPDATE conversations SET detail = x'ff'",
    ],
)
def test_a_damaged_state_database_is_shown_or_told_in_a_sentence(tmp_path: Path, damage: str) -> None:
    output = write_real_state(tmp_path, count=60)
    with contextlib.closing(sqlite3.connect(state_path(output), isolation_level=None)) as connection:
        numbers = [number for (number,) in connection.execute("SELECT id FROM conversations WHERE status = 'rejected'")]
        connection.execute(damage)
    assert numbers
    said = []
    for number in numbers:
        try:
            show_rejected(output, number)
        except StorageError as error:
            said.append(str(error))
    assert said
    assert all(text.startswith(f"{state_path(output)}: the state database is damaged") for text in said)


def test_the_words_that_were_its_undoing_are_marked(program: Program) -> None:
    number = number_of(program, "what was to be forgotten is still in memory")
    quote = quote_of(program, number)
    change(program, number, quote=quote.replace(" ", " \n "))
    text = shown(program, str(number))
    assert f"»{quote}«" in text.partition("\nUser\n")[2]
    change(program, number, quote="what nobody said")
    text = shown(program, str(number))
    assert "»" not in text
    assert "Words       what nobody said\n" in text


def test_in_a_terminal_they_are_highlighted(program: Program) -> None:
    number = number_of(program, "what was to be forgotten is still in memory")
    quote = quote_of(program, number)
    change(program, number, quote=quote)
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (LINES, COLUMNS))
    program.environment |= {"TERM": "xterm-256color"}
    process = program.start("show", "--rejected", str(number), stdout=theirs, stderr=theirs)
    os.close(theirs)
    screen = pyte.Screen(COLUMNS, LINES)
    with contextlib.suppress(OSError):  # how a terminal says that the other side has closed it
        while piece := os.read(ours, 65536):
            pyte.ByteStream(screen).feed(piece)
    os.close(ours)
    assert process.wait(PATIENCE_SECONDS) == 0
    reverse = [
        "".join(screen.buffer[line][column].data for column in range(COLUMNS) if screen.buffer[line][column].reverse)
        for line in range(LINES)
    ]
    assert " ".join(" ".join(reverse).split()) == quote
    assert "»" not in "".join(screen.display)


@pytest.mark.parametrize(
    ("said", "marked", "printed"),
    [
        ("I never told you.", "never told", "I »never told« you."),
        ("I never\n\ntold you.", "never told", "I »never\n\ntold« you."),
        ("An art, to start with art.", "art", "An »art«, to start with »art«."),
        ("It would start.", "tart", "It would s»tart«."),
        ("(Oh.) And (Oh.)!", "(Oh.)", "»(Oh.)« And »(Oh.)«!"),
        ("A\x1btab\there.", "tab here", "A»tab    here«."),
        ("Nothing.", "", "Nothing."),
        ("Nothing.", " \n", "Nothing."),
    ],
)
def test_words_are_found_however_they_are_spaced(
    said: str, marked: str, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_texts([Text(marked), Text(said, is_said=True)], marked=marked)
    assert capsys.readouterr().out.partition("\n" if "\n" not in marked else " \n\n")[2] == f"{printed}\n"


@given(st.text(), st.text())
def test_whatever_is_marked_nothing_of_the_text_is_lost(said: str, marked: str) -> None:
    plain, with_marks = io.StringIO(), io.StringIO()
    for stream, words in ((plain, ""), (with_marks, marked)):
        with contextlib.redirect_stdout(stream):
            print_texts([Text(said.replace("»", "").replace("«", ""), is_said=True)], marked=words)
    assert with_marks.getvalue().replace("»", "").replace("«", "") == plain.getvalue()


def test_every_query_goes_by_an_index(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the first of a hundred thousand conversations as of the last."""
    statements: list[str] = []
    original = sqlite3.connect

    def traced(*arguments: object, **options: object) -> sqlite3.Connection:
        connection = original(*arguments, **options)  # type: ignore[call-overload]
        connection.set_trace_callback(statements.append)
        return connection  # type: ignore[no-any-return]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("apep_datagen.storage.access.sqlite3.connect", traced)
        show_rejected(program.output, number_of(program, "what was to be forgotten is still in memory"))
    assert "Reason" in capsys.readouterr().out
    with contextlib.closing(sqlite3.connect(program.state)) as connection:
        selects = [statement for statement in statements if statement.startswith("SELECT") and "FROM" in statement]
        plans = [row[-1] for one in selects for row in connection.execute(f"EXPLAIN QUERY PLAN {one}")]
    large = ("SCAN steps", "SCAN conversations", "SCAN notes")
    assert len(selects) > 5
    assert [plan for plan in plans if plan.startswith(large)] == []
