"""`verify` finds what was done to a finished dataset, for what it is, and nothing in one that nobody touched."""

from __future__ import annotations

import json
import random
import shutil
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.config.settings import Settings
from apep_datagen.config.settings_file import load_settings
from apep_datagen.core.errors import StorageError
from apep_datagen.language.quotation import own_words
from apep_datagen.quality.novelty import SKETCH_LENGTH
from apep_datagen.quality.wording import Wording
from apep_datagen.stats.dataset import read_stats
from apep_datagen.storage.access import lock_beside
from apep_datagen.verify import fingerprints
from apep_datagen.verify.alignment import align
from apep_datagen.verify.findings import (
    CHANGED,
    DOUBLED,
    MISSING,
    MOVED,
    NO_RESULT,
    NOT_A_CONVERSATION,
    NOTE_CHANGED,
    NOTE_DELETED,
    NOTE_MISSING,
    NOTE_UNKNOWN,
    NOTES_OUT_OF_ORDER,
    UNKNOWN,
    WRONG_RESULT,
    Finding,
)
from apep_datagen.verify.fingerprints import Fingerprints
from apep_datagen.verify.report import describe_verification, verification_as_json
from apep_datagen.verify.verification import FINDINGS_STATUS, Verification, verify
from support.loopback_server import LoopbackServer, Received, Reply, hangs_at_ada_after
from support.program import Ended, Program, section
from support.scripted_people import ALIKE_IN_THOUGHT, WAYS, ScriptedPeople

MADE = 44
MIX = """[scenarios.mix]
share = 26
update = 10
forget = 8
recall = 14
connect = 6
abstain = 4
diary = 8
diary_recall = 4
smalltalk = 10
advice = 10
"""

Message = dict[str, str]
Conversation = list[Message]


def run(program: Program, server: LoopbackServer, target: int, *options: str, quality: str = "strict") -> Ended:
    program.configure(
        f'[generation]\nexchanges = [1, 2]\ntimeline_length = 9\n{MIX}[quality]\nlevel = "{quality}"\nleast_yield = 0\n'
        + ALIKE_IN_THOUGHT
        + section("endpoint", server.url("endpoint"), requests_per_second=None, max_in_flight=1)
    )
    return program.run("--providers", "endpoint", "--target", str(target), "--seed", "5", *options)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with `MADE` accepted conversations; some more were rejected, and memory was emptied on the way.

    One request after the other: so what is in it follows from the seed, and from no race.
    """
    program = Program(tmp_path_factory.mktemp("made"))
    with LoopbackServer(ScriptedPeople(program.state, tuple(WAYS.values()), share=0.3)) as server:
        for target, options in ((MADE - 8, ()), (MADE, ("--reset-tools",))):
            ended = run(program, server, target, *options)
            assert ended.status == 0, ended.said
    assert program.query("SELECT count(*) FROM conversations WHERE status = 'rejected'") != [(0,)]
    assert program.query("SELECT count(*) FROM notes WHERE deleted_in = 0") != [(0,)]
    assert program.query("SELECT count(*) FROM notes WHERE deleted_in > 0") != [(0,)]
    return program.directory


@pytest.fixture
def program(made: Path, tmp_path: Path) -> Program:
    """The program, in a copy of that directory."""
    shutil.copytree(made, tmp_path / "run")
    return Program(tmp_path / "run")


def checked(program: Program) -> Verification:
    return verify(program.output, load_settings(program.directory / "apep-datagen.toml"))


def write(program: Program, conversations: list[Conversation]) -> None:
    lines = [json.dumps({"conversations": messages}, ensure_ascii=False) for messages in conversations]
    program.output.write_text("[" + ",".join("\n" + line for line in lines) + "\n]\n", encoding="utf-8")


def edit_database(program: Program, statement: str, *values: object) -> None:
    connection = sqlite3.connect(program.state)
    assert connection.execute(statement, values).rowcount == 1
    connection.commit()
    connection.close()


def write_both(program: Program, conversations: list[Conversation], number: int) -> None:
    """Write the conversation with this number, in the file from 1, into the file and over what was recorded."""
    write(program, conversations)
    line = json.dumps({"conversations": conversations[number - 1]}, ensure_ascii=False)
    edit_database(program, "UPDATE samples SET line = ? WHERE position = ?", line, number)


def with_calls(conversations: list[Conversation], call: str) -> tuple[int, int]:
    """Return the number, from 1, of a conversation with such a call that succeeds, and the message's index."""
    return next(
        (number, index)
        for number, messages in enumerate(conversations, start=1)
        for index, message in enumerate(messages)
        if message["role"] == "assistant"
        and message["content"].count("<tool_call>") == 1
        and f"<tool_call>{call}(" in message["content"]
        and '"error"' not in messages[index + 1]["content"]
    )


def kinds(verification: Verification) -> dict[int | None, set[str]]:
    """Return what was found of each conversation."""
    found: dict[int | None, set[str]] = {}
    for finding in verification.findings:
        found.setdefault(finding.conversation, set()).add(finding.kind)
    return found


# Nothing to find.


def test_an_untouched_dataset_has_no_findings_and_all_of_it_is_checked(program: Program) -> None:
    before = {path: path.read_bytes() for path in program.output.parent.iterdir()}
    verification = checked(program)
    assert verification.findings == ()
    assert verification.exit_status == 0
    assert verification.conversations == verification.form_checked == verification.novelty_checked == MADE
    compared = verification.compared
    assert compared is not None
    assert (compared.conversations, compared.foreign, compared.unchecked) == (MADE, 0, 0)
    [(timelines, notes)] = program.query(
        "SELECT (SELECT count(DISTINCT timeline_id) FROM conversations WHERE status = 'finished'),"
        " (SELECT count(*) FROM notes)"
    )
    assert (compared.timelines, compared.notes) == (timelines, notes)
    said = "".join(message["content"] for messages in program.conversations() for message in messages[2:])
    assert compared.calls == said.count("<tool_call>") > 0
    assert {path: path.read_bytes() for path in program.output.parent.iterdir()} == before


def test_another_layout_changes_nothing(program: Program) -> None:
    elements = json.loads(program.output.read_bytes())
    program.output.write_text(json.dumps(elements, indent=3), encoding="utf-8")
    assert checked(program).findings == ()


def test_without_a_state_database_form_and_novelty_are_checked(program: Program) -> None:
    program.state.unlink()
    verification = checked(program)
    assert verification.findings == ()
    assert verification.compared is None
    assert "there is no state database beside the file" in describe_verification(verification)


# What was done to the file.


def test_a_changed_tool_result_is_found(program: Program) -> None:
    conversations = program.conversations()
    number, index = with_calls(conversations, "add_memory")
    result = conversations[number - 1][index + 1]
    result["content"] = result["content"].replace('"indices": [', '"indices": [7', 1)
    write(program, conversations)
    verification = checked(program)
    assert verification.exit_status == FINDINGS_STATUS
    assert kinds(verification) == {number: {CHANGED, WRONG_RESULT}}
    changed, wrong = sorted(verification.findings, key=lambda finding: finding.kind == WRONG_RESULT)
    assert f"message {index + 2} (tool) differs from character" in changed.detail
    assert "add_memory: {" in wrong.detail


def test_a_changed_tool_result_is_found_also_where_the_record_was_changed_alike(program: Program) -> None:
    conversations = program.conversations()
    number, index = with_calls(conversations, "add_memory")
    result = conversations[number - 1][index + 1]
    result["content"] = result["content"].replace('"indices": [', '"indices": [7', 1)
    write_both(program, conversations, number)
    assert kinds(checked(program)) == {number: {WRONG_RESULT}}


def test_a_result_that_cannot_be_read_is_found_also_where_the_record_was_changed_alike(program: Program) -> None:
    conversations = program.conversations()
    number, index = with_calls(conversations, "add_memory")
    conversations[number - 1][index + 1]["content"] = "<tool_result>nonsense</tool_result>"
    write_both(program, conversations, number)
    assert kinds(checked(program)) == {number: {NO_RESULT, "a result is no JSON"}}


def test_swapped_messages_of_a_conversation_are_found(program: Program) -> None:
    conversations = program.conversations()
    conversations[4][1:3] = conversations[4][2:0:-1]
    write(program, conversations)
    verification = checked(program)
    assert kinds(verification) == {5: {CHANGED, "roles do not alternate"}}
    assert any("message 2 is of role assistant instead of user" in finding.detail for finding in verification.findings)


def test_messages_swapped_between_conversations_are_found(program: Program) -> None:
    conversations = program.conversations()
    conversations[3][1], conversations[8][1] = conversations[8][1], conversations[3][1]
    write(program, conversations)
    assert kinds(checked(program)) == {4: {CHANGED}, 9: {CHANGED}}


def drop_call(messages: Conversation, index: int) -> None:
    """Take the first call out of a message, with its result; or the whole turn if there is no other."""
    before, _, calls = messages[index]["content"].partition("\n\n<tool_call>")
    _, more, rest = calls.partition("\n<tool_call>")
    if not more:
        del messages[index : index + 2]
        return
    messages[index]["content"] = f"{before}\n\n<tool_call>{rest}"
    messages[index + 1]["content"] = messages[index + 1]["content"].partition("\n")[2]


def test_a_dropped_call_is_found(program: Program) -> None:
    conversations = program.conversations()
    number, index = with_calls(conversations, "add_memory")
    drop_call(conversations[number - 1], index)
    write(program, conversations)
    assert kinds(checked(program)) == {number: {CHANGED}}


def test_a_dropped_call_is_found_also_where_the_record_was_changed_alike(program: Program) -> None:
    conversations = program.conversations()
    number, index = with_calls(conversations, "add_memory")
    texts = json.loads(conversations[number - 1][index]["content"].partition("input_text=")[2].partition(")</tool")[0])
    drop_call(conversations[number - 1], index)
    write_both(program, conversations, number)
    verification = checked(program)
    found = kinds(verification)
    # What later conversations of the timeline were told of it shows too.
    assert found.pop(number) == {NOTE_UNKNOWN}
    assert all(kind in {WRONG_RESULT, NOTE_CHANGED, NOTE_DELETED, NOTE_MISSING} for of in found.values() for kind in of)
    assert any(texts[0] in finding.detail for finding in verification.findings if finding.kind == NOTE_UNKNOWN)


@pytest.mark.parametrize("at", [1, 20, MADE])
def test_a_doubled_conversation_is_found(program: Program, at: int) -> None:
    conversations = program.conversations()
    conversations.insert(at, conversations[0])
    write(program, conversations)
    verification = checked(program)
    assert verification.findings == (Finding(at + 1, DOUBLED, "the same as conversation 1"),)
    program.state.unlink()
    assert checked(program).findings == verification.findings


def test_missing_conversations_are_found_and_those_after_them_are_still_checked(program: Program) -> None:
    conversations = program.conversations()
    number, index = with_calls(conversations[20:], "add_memory")
    result = conversations[number + 19][index + 1]
    result["content"] = result["content"].replace('"indices": [', '"indices": [7', 1)
    del conversations[7], conversations[2]
    write(program, conversations)
    verification = checked(program)
    assert kinds(verification) == {number + 18: {CHANGED, WRONG_RESULT}, None: {MISSING}}
    [(third,), (eighth,)] = program.query("SELECT conversation_id FROM samples WHERE position IN (3, 8)")
    missing = [finding.detail for finding in verification.findings if finding.kind == MISSING]
    assert missing == [
        f"conversation {third} of the run, behind conversation 2 of the file",
        f"conversation {eighth} of the run, behind conversation 6 of the file",
    ]


def test_what_a_crash_kept_from_being_written_is_missing_until_the_next_run(program: Program) -> None:
    write(program, program.conversations()[:-1])
    edit_database(program, "UPDATE run SET synced_position = ?", MADE - 1)
    [finding] = checked(program).findings
    assert finding.kind == MISSING
    assert "the next run for this output writes it" in finding.detail


def test_a_conversation_that_was_moved_is_found_alone(program: Program) -> None:
    for source, target in ((MADE - 1, 0), (0, MADE - 1), (5, 6)):
        conversations = json.loads(json.dumps(program.conversations()))
        before = program.output.read_bytes()
        conversations.insert(target, conversations.pop(source))
        write(program, conversations)
        found = kinds(checked(program))
        assert list(found.values()) == [{MOVED}]
        assert set(found) <= {target + 1, source + 1}
        program.output.write_bytes(before)


def test_a_conversation_of_somebody_else_is_found(program: Program) -> None:
    conversations = program.conversations()
    conversations.insert(10, [{"role": "user", "content": "Hi"}])
    write(program, conversations)
    assert kinds(checked(program)) == {11: {UNKNOWN, "the first message is not the system prompt"}}


def test_a_changed_reply_is_found_where_it_differs(program: Program) -> None:
    conversations = program.conversations()
    reply = conversations[12][-1]
    reply["content"] += " Really?"
    write(program, conversations)
    [finding] = checked(program).findings
    assert (finding.conversation, finding.kind) == (13, CHANGED)
    assert f"message {len(conversations[12])} (assistant) differs from character" in finding.detail
    assert "Really?" in finding.detail


def test_an_element_that_is_no_conversation_is_one_finding_among_others(program: Program) -> None:
    content = program.output.read_bytes()
    for element in (b'{"text": 1}', b'{"conversations": nonsense}', b'"\xff"'):
        lines = content.split(b",\n")
        lines.insert(3, element)
        program.output.write_bytes(b",\n".join(lines))
        assert kinds(checked(program)) == {4: {UNKNOWN, NOT_A_CONVERSATION}}
        lines[4:5] = []
        program.output.write_bytes(b",\n".join(lines))
        assert kinds(checked(program)) == {4: {CHANGED, NOT_A_CONVERSATION}}


@pytest.mark.parametrize(
    "content", [None, b"", b'[\n{"conversations": [', b"{}"], ids=["no file", "empty", "torn", "{}"]
)
def test_a_file_that_is_no_array_is_told_as_a_whole(program: Program, content: bytes | None) -> None:
    program.output.unlink()
    if content is not None:
        program.output.write_bytes(content)
    with pytest.raises(StorageError, match=program.output.name):
        checked(program)


# What was done to memory and diary.

INSERTED = (
    "INSERT INTO notes (added_in, deleted_in, date, shelf, timeline_id, text)"
    " SELECT added_in, deleted_in, date, shelf, timeline_id, text FROM notes"
)


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE notes SET text = text || ' (or so)'", NOTE_CHANGED),
        ("UPDATE notes SET date = '1999-01-01'", NOTE_CHANGED),
        ("UPDATE notes SET shelf = iif(shelf = 'diary', 'memory', 'diary')", NOTE_MISSING),
        ("UPDATE notes SET deleted_in = iif(deleted_in, NULL, added_in)", NOTE_DELETED),
        ("DELETE FROM notes", NOTE_MISSING),
        (INSERTED.replace(" text FROM", " 'Something else' FROM"), NOTE_UNKNOWN),
        (INSERTED.replace(" timeline_id, text FROM", " 999, text FROM"), NOTE_UNKNOWN),
    ],
)
@pytest.mark.parametrize("shelf", ["memory", "diary"])
def test_an_edited_memory_is_found(program: Program, statement: str, kind: str, shelf: str) -> None:
    notes = program.query("SELECT shelf, id, text, added_in FROM notes WHERE added_in > 0 ORDER BY id")
    note, text, conversation = next(row[1:] for row in notes if row[0] == shelf)
    [(position,)] = program.query(f"SELECT position FROM samples WHERE conversation_id = {conversation}")  # noqa: S608 - a number
    edit_database(program, f"{statement} WHERE id = {note}")
    verification = checked(program)
    assert kind in kinds(verification)[position]
    assert {finding.kind for finding in verification.findings} <= {kind, NOTE_UNKNOWN}
    assert any(text[:40] in finding.detail or "Something else" in finding.detail for finding in verification.findings)


def test_notes_in_another_order_are_found(program: Program) -> None:
    [(first, second), *_] = program.query(
        "SELECT min(id), max(id) FROM notes WHERE shelf = 'memory' AND added_in > 0"
        " GROUP BY timeline_id HAVING count(*) > 1"
    )
    for source, target in ((first, -1), (second, first), (-1, second)):
        edit_database(program, "UPDATE notes SET id = ? WHERE id = ?", target, source)
    assert list(kinds(checked(program)).values()) == [{NOTES_OUT_OF_ORDER}]


def test_a_past_that_is_not_as_it_was_shown_is_found(program: Program) -> None:
    # Of the user whom it was shown to: another one can have a note of the same words.
    shown = program.query(
        "SELECT notes.id FROM notes JOIN conversations USING (timeline_id)"
        " JOIN samples ON samples.conversation_id = conversations.id JOIN steps USING (conversation_id)"
        " WHERE added_in = 0 AND shelf = 'memory' AND kind = 'tools' AND instr(steps.text, notes.text)"
        " ORDER BY notes.id"
    )
    [note] = shown[0]
    edit_database(program, "UPDATE notes SET text = text || ' (or so)' WHERE id = ?", note)
    assert {kind for found in kinds(checked(program)).values() for kind in found} == {WRONG_RESULT}


def test_notes_that_are_forgotten_by_reset_tools_count_as_being_there(program: Program) -> None:
    [(note,), *_] = program.query("SELECT id FROM notes WHERE deleted_in = 0")
    edit_database(program, "UPDATE notes SET deleted_in = NULL WHERE id = ?", note)
    assert checked(program).findings == ()


# What is alike.


def rewritten(program: Program, number: int, index: int, change: Callable[[str], str]) -> None:
    """Change a message of a conversation, in the file from 1, and forget that it was written otherwise."""
    conversations = program.conversations()
    message = conversations[number - 1][index]
    message["content"] = change(message["content"])
    write(program, conversations)
    program.state.unlink(missing_ok=True)


def test_a_message_that_is_nearly_the_same_as_an_earlier_one_is_found(program: Program) -> None:
    conversations = program.conversations()
    earlier, later = [
        number
        for number, messages in enumerate(conversations, start=1)
        if sum(message["role"] == "user" for message in messages) == 1
    ][:2]
    question = max("I walked along the river until it was dark", conversations[earlier - 1][1]["content"], key=len)
    rewritten(program, earlier, 1, lambda _: question)
    rewritten(program, later, 1, lambda _: question.replace(" ", " well ", 1))
    found = [finding for finding in checked(program).findings if "nearly" in finding.kind]
    assert [(finding.conversation, finding.kind) for finding in found] == [
        (later, "the user's message is nearly the same as an earlier one")
    ]
    assert found[0].detail.startswith(f"like conversation {earlier} (0.")


def test_all_that_share_a_band_are_compared_and_those_with_a_similar_sketch_word_by_word() -> None:
    compared = Fingerprints()
    for number, kind in enumerate((1, 2, 3, 1)):
        compared.append(number, None)
        for band, keys in enumerate(compared.keys["question"]):
            keys[number] = 5 if band == 7 else 100 * number + band + 10  # one band of the user's messages is shared
        compared.sketches["question"][-SKETCH_LENGTH:] = bytes([kind]) * SKETCH_LENGTH
    asked: list[int] = []

    def words_of(number: int) -> Wording:
        asked.append(number)
        return Wording(own_words("all of these words are the same"), own_words(""))

    found = list(compared.nearly_the_same(bytes([1, 1, 1, 1]), 0.6, words_of))
    assert found == [
        Finding(4, "the user's message is nearly the same as an earlier one", "like conversation 1 (1.00)")
    ]
    assert sorted(asked) == [1, 4]
    assert list(compared.nearly_the_same(bytes([1, 1, 1, 0]), 0.6, words_of)) == []
    assert list(compared.nearly_the_same(bytes([1, 1, 1, 1]), 0.6, lambda _: None)) == []


def unalike(count: int, opening: str = "") -> list[Conversation]:
    """Return conversations of random words, the replies with the same first words."""
    draw = random.Random(3)  # noqa: S311 - no secret
    vocabulary = ["".join(draw.choices("abcdefghij", k=6)) for _ in range(5_000)]

    def text() -> str:
        return " ".join(draw.choices(vocabulary, k=12)) + "."

    return [
        [
            {"role": "system", "content": "You are Ada."},
            {"role": "user", "content": text()},
            {"role": "assistant", "content": f"<think>{text()}</think>\n\n{opening}{text()}"},
        ]
        for _ in range(count)
    ]


def test_what_is_new_is_new_and_larger_files_are_shared_out(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.output.parent.mkdir(parents=True)
    conversations = unalike(900)
    write(program, conversations)
    assert verify(program.output, Settings()).findings == ()
    conversations[700][1] = conversations[3][1]
    conversations[800] = conversations[4]
    conversations[850] = [{"role": "user", "content": "Hi"}]
    write(program, conversations)
    verification = verify(program.output, Settings())
    assert kinds(verification) == {
        701: {"the user's message is nearly the same as an earlier one"},
        801: {DOUBLED},
        851: {"the first message is not the system prompt"},
    }
    assert verification.findings[0].detail == "like conversation 4 (1.00)"


@pytest.mark.parametrize(("count", "most"), [(3, 3), (4, 3), (200, 4), (201, 4)])
def test_openings_that_are_used_too_often_are_found(tmp_path: Path, count: int, most: int) -> None:
    program = Program(tmp_path)
    program.output.parent.mkdir(parents=True)
    alike = count if count < 10 else most + (count % 2)
    write(program, [*unalike(alike, "Well, this is quite something: "), *unalike(2 * count)[alike:count]])
    findings = verify(program.output, Settings()).findings
    if alike <= most:
        assert findings == ()
        return
    [finding] = findings
    assert (finding.conversation, finding.kind) == (most + 1, "the reply begins as too many others do")
    assert finding.detail == f'"well this is quite something" begins {alike} conversations; {most} may begin so'


def test_only_what_was_judged_so_is_to_have_the_form_and_to_be_new(tmp_path: Path) -> None:
    program = Program(tmp_path)
    people = ScriptedPeople(program.state, (WAYS["no think block"],), share=0.9)
    same = "How nice! Tell me more about it, I want to hear all of it."

    def repeats_herself(received: Received) -> Reply:
        draw = received.body.get("seed", 0) % 4
        if received.step != "answer" or draw == 3:
            return people(received)
        return Reply(f"<think>I listen.</think>\n\n{same}" if draw else same)

    with LoopbackServer(repeats_herself) as server:
        assert run(program, server, 16, "--exchanges", "1", quality="off").status == 0
    found: dict[str, set[str]] = {}
    for level in ("off", "form", "strict"):
        settings = load_settings(program.directory / "apep-datagen.toml", quality={"level": level})
        verification = verify(program.output, settings)
        found[level] = {finding.kind for finding in verification.findings}
        assert verification.form_checked == (0 if level == "off" else 16)
        assert verification.novelty_checked == (16 if level == "strict" else 0)
    no_block = "an assistant message has no leading <think> block"
    assert found["off"] == set()
    assert found["form"] == {no_block}
    assert {no_block, "the reply is nearly the same as an earlier one"} <= found["strict"]
    (program.directory / "apep-datagen.toml").write_text("")
    of_unknown = checked(program)
    assert of_unknown.novelty_checked == 16
    connection = sqlite3.connect(program.state)
    connection.execute("UPDATE conversations SET provider = 'local'")
    connection.commit()
    connection.close()
    by_form = checked(program)
    assert (by_form.form_checked, by_form.novelty_checked) == (16, 0)
    assert "16 are new: their form alone was judged" in describe_verification(by_form)
    program.configure("")
    conversations = program.conversations()
    write(program, [*conversations, conversations[-1]])
    assert [(finding.conversation, finding.kind) for finding in checked(program).findings] == [(17, DOUBLED)]
    program.state.unlink()  # nobody knows any more how they were judged
    assert checked(program).novelty_checked == 17


# Runs that are not finished, and outputs that somebody else began.


def test_a_run_that_is_active_can_be_checked_meanwhile(program: Program) -> None:
    with LoopbackServer(hangs_at_ada_after(40, ScriptedPeople(program.state))) as server:
        program.configure(
            f'{MIX}[quality]\nlevel = "strict"\n{ALIKE_IN_THOUGHT}'
            + section("endpoint", server.url("endpoint"), requests_per_second=None, max_in_flight=3)
        )
        running = program.watch("--providers", "endpoint", "--target", str(MADE + 30), "--grace-seconds", "0")
        # All that are in flight: so nothing is written any more while it is looked at.
        server.wait_until(lambda: server.hanging == 3)
        verification = checked(program)
        # What comes after what the database knew is not looked at, be it torn.
        with program.output.open("ab") as file:
            file.write(b"\x00")
        again = checked(program)
        running.process.send_signal(signal.SIGINT)
        running.end()
    for one in (verification, again):
        assert one.findings == ()
        assert one.compared is not None
        assert one.compared.active
        assert one.compared.unchecked >= 1
        assert one.conversations >= MADE
    assert "a run is active" in describe_verification(verification)


def test_what_an_active_run_may_not_have_written_yet_is_not_missed(program: Program) -> None:
    write(program, program.conversations()[:-1])
    edit_database(program, "UPDATE run SET synced_position = ?", MADE - 1)
    lock = lock_beside(program.state)
    try:
        verification = checked(program)
    finally:
        lock.release()
    assert verification.findings == ()
    assert verification.compared is not None
    assert (verification.compared.conversations, verification.compared.unchecked) == (MADE - 1, 1)
    assert [finding.kind for finding in checked(program).findings] == [MISSING]


def test_a_foreign_beginning_is_checked_for_form_and_novelty_alone(tmp_path: Path) -> None:
    foreign = unalike(2)
    other = Program(tmp_path)
    other.output.parent.mkdir(parents=True)
    write(other, foreign)
    with LoopbackServer(ScriptedPeople(other.state)) as server:
        assert run(other, server, 20).status == 0
    verification = checked(other)
    assert verification.findings == ()
    assert verification.compared is not None
    assert (verification.compared.foreign, verification.compared.conversations) == (2, 18)
    conversations = other.conversations()
    conversations[0][2]["content"] = "No thought."
    number, index = with_calls(conversations, "add_memory")
    conversations[number - 1][index + 1]["content"] = '<tool_result>{"added": 9, "indices": [9]}</tool_result>'
    write(other, conversations)
    assert kinds(checked(other)) == {
        1: {"an assistant message has no leading <think> block"},
        number: {CHANGED, WRONG_RESULT},
    }


def test_what_was_changed_by_hand_and_taken_over_is_alone_not_compared_and_its_timelines_go_on(
    program: Program,
) -> None:
    conversations = program.conversations()
    del conversations[1]
    conversations[0][-1]["content"] += " Edited by hand."
    write(program, conversations)
    with LoopbackServer(ScriptedPeople(program.state)) as server:
        ended = run(program, server, MADE + 6)
    assert "its 43 conversations are kept" in ended.said
    verification = checked(program)
    assert verification.findings == ()
    assert verification.compared is not None
    assert (verification.compared.foreign, verification.compared.conversations) == (1, MADE - 2 + 7)


def test_beside_what_was_imported_all_that_the_run_made_is_compared_as_before(program: Program) -> None:
    before = checked(program)
    assert before.compared is not None
    conversations = program.conversations()
    said = [{"role": "user", "content": "What is a fjord?"}, {"role": "assistant", "content": "An arm of the sea."}]
    (program.directory / "theirs.jsonl").write_text(json.dumps({"messages": said}) + "\n", encoding="utf-8")
    assert program.run("import", "theirs.jsonl").status == 0
    verification = checked(program)
    assert verification.compared == replace(before.compared, foreign=1)
    assert {finding.conversation for finding in verification.findings} == {MADE + 1}
    described = describe_verification(verification)
    assert "the calls of 1: they were there before the run, were imported, or were changed by hand" in described
    assert program.conversations() == [*conversations, said]
    shares = Settings().scenarios.shares
    stats = read_stats(program.output, shares)
    assert stats.run is not None
    assert (stats.run.foreign, stats.run.accepted) == (1, MADE)
    # In another layout, and with one changed by hand.
    conversations[4][-1]["content"] += " By hand."
    write(program, [*conversations, said])
    assert program.run("import", "theirs.jsonl").status == 0
    stats = read_stats(program.output, shares)
    assert stats.run is not None
    assert stats.run.foreign == 2
    compared = checked(program).compared
    assert compared == replace(before.compared, foreign=2, conversations=MADE - 1)


# Aligning.


@given(st.lists(st.integers(0, 30), max_size=12), st.lists(st.integers(0, 30), max_size=12))
def test_everything_is_aligned_once(there: list[int], written: list[int]) -> None:
    found = align(there, written)
    unchanged = found.in_place | found.moved
    assert all(there[index] == written[place] for index, place in unchanged.items())
    assert sorted([*unchanged, *found.changed, *found.unknown]) == list(range(len(there)))
    places = [*unchanged.values(), *found.changed.values(), *found.missing]
    assert sorted(places) == list(range(len(written)))
    assert list(found.in_place.values()) == sorted(found.in_place.values())
    common = Counter(there) & Counter(written)
    assert len(unchanged) == common.total()


@given(st.lists(st.integers(), max_size=12, unique=True), st.data())
def test_one_edit_is_recognised(written: list[int], data: st.DataObject) -> None:
    assert align(written, written).in_place == {place: place for place in range(len(written))}
    at = data.draw(st.integers(0, len(written)))
    stranger = max(written, default=0) + 1
    assert align([*written[:at], stranger, *written[at:]], written).unknown == [at]
    if at < len(written):
        assert align([*written[:at], *written[at + 1 :]], written).missing == [at]
        assert align([*written[:at], stranger, *written[at + 1 :]], written).changed == {at: at}


# Telling.


def test_the_report_tells_the_first_findings_and_counts_all(program: Program) -> None:
    verification = checked(program)
    told = describe_verification(verification)
    assert told.startswith(f"{MADE} conversations are in {program.output}\n\nChecked:\n")
    assert told.endswith("Nothing was found.")
    findings = tuple(Finding(number, CHANGED, f"detail {number}") for number in range(1, 1_001))
    counts = ((CHANGED, 1_500), (DOUBLED, 2))
    told = describe_verification(replace(verification, findings=findings, counts=counts))
    assert "1,502 findings:" in told
    assert told.count(CHANGED) == 21
    assert "- conversation 20: the conversation is not as it was written (detail 20)" in told
    assert "… and 1,482 more (--json tells the first 1,000)" in told
    assert told.endswith(f"\n\n1,500  {CHANGED}\n    2  {DOUBLED}")


def test_json_tells_all_in_names_that_stay(program: Program) -> None:
    rewritten(program, 2, 0, lambda _: "")
    verification = checked(program)
    value: dict[str, Any] = json.loads(json.dumps(verification_as_json(verification)))
    assert value == {
        "output": str(program.output),
        "conversations": MADE,
        "form_checked": MADE,
        "novelty_checked": MADE,
        "compared": None,
        "total": 1,
        "counts": [{"kind": "the system prompt is empty", "count": 1}],
        "findings": [{"conversation": 2, "kind": "the system prompt is empty", "detail": ""}],
    }


def test_no_more_than_a_thousand_findings_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprints, "_MOST_CANDIDATES", 1)
    program = Program(tmp_path)
    program.output.parent.mkdir(parents=True)
    write(program, unalike(1) * 1_200)
    verification = verify(program.output, Settings())
    assert len(verification.findings) == 1_000
    assert verification.counts == ((DOUBLED, 1_199),)
    assert verification.total == 1_199
