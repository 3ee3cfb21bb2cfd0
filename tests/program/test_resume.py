"""Going on: with a larger target, with other providers or prompts, and with an output that somebody has touched."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from support.loopback_server import LoopbackServer, Received, Reply, well_behaved
from support.program import OUTPUT, Ended, Program, section

MADE = 4


def run(program: Program, server: LoopbackServer, target: int, *options: str, provider: str = "endpoint") -> Ended:
    program.configure(section(provider, server.url(provider)))
    return program.run("--providers", provider, "--target", str(target), *options)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which `MADE` conversations were made."""
    directory = tmp_path_factory.mktemp("made")
    with LoopbackServer() as server:
        ended = run(Program(directory), server, MADE, "--seed", "3")
    assert ended.status == 0, ended.said
    return directory


@pytest.fixture
def program(made: Path, tmp_path: Path) -> Program:
    """The program, in a copy of that directory."""
    shutil.copytree(made, tmp_path / "run")
    return Program(tmp_path / "run")


# Targets.


def test_a_larger_target_continues_the_output(program: Program) -> None:
    before = program.output.read_bytes()
    with LoopbackServer() as server:
        ended = run(program, server, MADE + 2)
    assert ended.status == 0, ended.said
    assert "2 conversations made" in ended.stdout
    assert program.output.read_bytes().startswith(before.removesuffix(b"\n]\n"))
    lines = [json.dumps(messages) for messages in program.conversations()]
    assert len(lines) == len(set(lines)) == MADE + 2


def test_a_target_that_is_reached_says_so_and_asks_nothing(program: Program) -> None:
    before = program.output.read_bytes()
    with LoopbackServer() as server:
        ended = run(program, server, MADE - 1)
        assert server.received == []
    assert ended.status == 0
    assert f"Nothing to do: {MADE} of {MADE - 1} conversations are there already" in ended.stdout
    assert program.output.read_bytes() == before


# What was begun.


def interrupt_while_answering(program: Program, server: LoopbackServer, target: int, *options: str) -> None:
    """Leave `target` conversations that were begun, each waiting for the answer to its question."""
    program.configure(section("endpoint", server.url("endpoint")))
    running = program.watch("--providers", "endpoint", "--target", str(target), *options)
    server.wait_until(lambda: sum(request.step == "answer" for request in server.received) == target)
    running.process.send_signal(signal.SIGINT)
    running.wait_for("once more to stop at once")
    running.process.send_signal(signal.SIGINT)
    assert running.end().status == 130, running.said
    assert program.query("SELECT count(*) FROM conversations WHERE status = 'active'") == [(target,)]


def hangs_at_the_answer(received: Received) -> Reply:
    return (
        Reply(fault="hang") if received.provider == "endpoint" and received.step == "answer" else well_behaved(received)
    )


def test_a_conversation_in_progress_goes_on_at_another_provider_with_the_prompts_it_began_with(tmp_path: Path) -> None:
    program = Program(tmp_path)
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ada_system.txt").write_text(
            f"You are Ada, by the {name} prompts. {{{{ tool_instructions }}}}"
        )
    with LoopbackServer(hangs_at_the_answer) as server:
        interrupt_while_answering(program, server, 2, "--prompts", "first")
        ended = run(program, server, 3, "--prompts", "second", provider="other")
        received = server.of("other")
    assert ended.status == 0, ended.said
    assert Counter(request.step for request in received)["ask"] == 1
    systems = Counter(str(messages[0]["content"]).partition(" prompts")[0] for messages in program.conversations())
    assert systems == {"You are Ada, by the first": 2, "You are Ada, by the second": 1}
    sent = {
        request.body["messages"][0]["content"].partition(" prompts")[0]
        for request in received
        if request.step in ("answer", "continue")
    }
    assert sent == set(systems)


def test_a_target_below_what_was_begun_is_not_overshot_and_what_is_left_waits_for_a_larger_one(tmp_path: Path) -> None:
    program = Program(tmp_path)
    with LoopbackServer(hangs_at_the_answer) as server:
        interrupt_while_answering(program, server, 5)
        smaller = run(program, server, 2, provider="other")
        assert smaller.status == 0, smaller.said
        assert len(program.conversations()) == 2
        assert program.query("SELECT count(*) FROM conversations WHERE status = 'active'") == [(3,)]
        larger = run(program, server, 6, provider="other")
        answered = [request for request in server.received if request.status == 200]
    assert larger.status == 0, larger.said
    assert len(program.conversations()) == 6
    assert Counter(request.step for request in answered)["ask"] == 6
    assert set(Counter(request.asked for request in answered).values()) == {1}


def test_reset_tools_empties_memory_and_diary_and_begins_new_timelines(program: Program) -> None:
    def recalls(received: Received) -> Reply:
        if received.step == "answer":
            return Reply("<tool_call>recall_memories()</tool_call>\n<tool_call>recall_diary()</tool_call>")
        return well_behaved(received)

    with LoopbackServer(recalls) as server:
        kept = run(program, server, MADE + 1)
        emptied = run(program, server, MADE + 2, "--reset-tools")
    assert kept.status == emptied.status == 0, kept.said + emptied.said
    after, before = program.query("SELECT timeline_id FROM conversations ORDER BY id DESC LIMIT 2")
    assert before != after
    # What is there, is what the new timeline began with.
    there = program.query("SELECT DISTINCT timeline_id FROM notes WHERE deleted_in IS NULL")
    assert there in ([], [after])
    assert program.query("SELECT count(*) FROM notes WHERE deleted_in IS NOT NULL") != [(0,)]


def test_the_same_seed_draws_the_same_users_days_and_scenarios(program: Program, tmp_path: Path) -> None:
    plans = "SELECT plan ->> 'user', plan ->> 'at', plan ->> 'scenario' FROM conversations ORDER BY id"
    again = Program(tmp_path / "again")
    again.directory.mkdir()
    with LoopbackServer() as server:
        assert run(again, server, MADE, "--seed", "3").status == 0
    assert again.query(plans) == program.query(plans)
    assert len(set(again.query(plans))) == MADE


# The output, touched.


def test_a_deleted_output_is_written_again_from_the_state_database(program: Program) -> None:
    before = program.output.read_bytes()
    program.output.unlink()
    with LoopbackServer() as server:
        ended = run(program, server, MADE)
        assert server.received == []
    assert ended.status == 0, ended.said
    assert "written again from the state database" in ended.said
    assert program.output.read_bytes() == before


def test_an_output_edited_by_hand_is_kept_and_continued(program: Program) -> None:
    elements = json.loads(program.output.read_text(encoding="utf-8"))
    del elements[1]
    elements[0]["conversations"][1]["content"] = "Edited by hand."
    edited = json.dumps(elements, indent=2).encode()
    program.output.write_bytes(edited)
    with LoopbackServer() as server:
        ended = run(program, server, MADE)
    assert ended.status == 0, ended.said
    assert f"its {MADE - 1} conversations are kept" in ended.said
    assert program.output.read_bytes().startswith(edited.removesuffix(b"\n]"))
    assert json.loads(program.output.read_bytes())[: MADE - 1] == elements
    assert len(program.conversations()) == MADE
    with LoopbackServer() as server:
        again = run(program, server, MADE + 1)
    assert again.status == 0, again.said
    assert "changed" not in again.said
    assert len(program.conversations()) == MADE + 1


FOREIGN = (
    b'[\n  {"conversations": [{"role": "user", "content": "Hi"}]},'
    b'{"conversations":[{"role":"user","content":"\xc3\x9c"}]}\n\n ]'
)


def test_an_output_of_another_program_is_kept_to_the_byte_and_continued(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.output.parent.mkdir(parents=True)
    program.output.write_bytes(FOREIGN)
    with LoopbackServer() as server:
        ended = run(program, server, 3)
    assert ended.status == 0, ended.said
    assert "2 conversations are there already; they are kept" in ended.said
    assert "1 conversations made" in ended.said
    assert program.output.read_bytes().startswith(FOREIGN.removesuffix(b"\n\n ]"))
    assert len(program.conversations()) == 3


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'[{"conversations": [', "no valid JSON"),
        (b'{"conversations": []}', "holds no JSON array"),
        (b'[{"conversations": [{"role": "user", "content": "Hi"}]}, {"text": "Hi"}]', "element 2 is no conversation"),
        (b"\xff\xfe", "no valid JSON"),
    ],
    ids=["torn", "no array", "other elements", "no text"],
)
def test_an_output_that_is_no_array_of_conversations_is_refused_untouched(
    tmp_path: Path, content: bytes, told: str
) -> None:
    program = Program(tmp_path)
    program.output.parent.mkdir(parents=True)
    program.output.write_bytes(content)
    ended = program.run("--target", "3", "--providers", "mistral")
    assert_refused(ended, str(OUTPUT), told, "--output")
    assert program.output.read_bytes() == content
    assert not program.state.exists()


def assert_refused(ended: Ended, *told: str) -> None:
    assert ended.status == 4, ended.said
    for words in told:
        assert words in ended.stderr
    assert "Traceback" not in ended.said


def text_file(path: Path) -> None:
    path.write_text("I am no database. " * 100)


def database_of_another(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE run (seed)")
    connection.close()


def database_of_a_newer_version(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE run (seed)")
    connection.execute("PRAGMA application_id = 0x41504550")
    connection.execute("PRAGMA user_version = 999")
    connection.close()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (text_file, "not a database"),
        (database_of_another, "a database of another program"),
        (database_of_a_newer_version, "a newer apep-datagen"),
    ],
)
def test_a_state_database_that_is_not_this_programs_is_refused_untouched(tmp_path: Path, make: Any, told: str) -> None:
    program = Program(tmp_path)
    program.state.parent.mkdir(parents=True)
    make(program.state)
    before = program.state.read_bytes()
    ended = program.run("--target", "3", "--providers", "mistral")
    assert_refused(ended, program.state.name, told)
    assert program.state.read_bytes() == before
    assert not program.output.exists()


def test_two_outputs_that_would_share_a_state_database_are_kept_apart_and_a_renamed_one_is_found(
    program: Program,
) -> None:
    before = program.output.read_bytes()
    with LoopbackServer() as server:
        other = OUTPUT.with_suffix(".jsonl")
        refused = run(program, server, MADE + 1, "--output", str(other))
        assert refused.status == 4, refused.said
        assert str(OUTPUT) in refused.stderr
        assert program.output.read_bytes() == before
        program.output.rename(program.directory / other)
        continued = run(program, server, MADE + 1, "--output", str(other))
    assert continued.status == 0, continued.said
    assert "1 conversations made" in continued.stdout
