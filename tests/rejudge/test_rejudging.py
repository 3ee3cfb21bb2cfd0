"""Judging anew adds what passes and lists what fails; what was told stays, and everything can still be replayed."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tarfile
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from apep_datagen.config.settings import QualitySettings, Settings
from apep_datagen.config.settings_file import load_settings
from apep_datagen.conversation.prompt_set import PromptSet, load_prompts
from apep_datagen.core.errors import StorageError
from apep_datagen.core.messages import Message
from apep_datagen.core.sample_json import sample_line
from apep_datagen.people.cast import load_cast
from apep_datagen.people.scenario import Ability
from apep_datagen.quality.problem import Stage
from apep_datagen.rejudge.judging import Judging
from apep_datagen.rejudge.outcome import Rejudged, Rejudgement, Verdict
from apep_datagen.rejudge.rejudging import rejudge
from apep_datagen.rejudge.report import describe_rejudgement, rejudgement_as_json
from apep_datagen.storage.access import lock_beside, state_path
from apep_datagen.storage.opening import OpenedRun
from apep_datagen.verify.verification import verify
from support.paths import TESTS
from support.real_conversations import judge_all, real_conversations, recorded_rows
from support.real_state import CHATS, FIRST_THOUGHT, everything, query, save_otherwise, saved_messages, write_real_state

STRICT = load_settings(None)
FORM = load_settings(None, quality={"level": "form"})
REJECTED = [real.number for real in real_conversations() if real.was_rejected]
ACCEPTED = [real.number for real in real_conversations() if not real.was_rejected]
# Some that were accepted are found today to be wrong.
FAILING = frozenset(real.number for real, problem in judge_all() if problem and not real.was_rejected)
# One that passes with Ada's own thoughts alone would fail for something else as it was rewritten.
REWRITTEN = {real.number for real in real_conversations() if saved_messages()[real.number] == real.case.messages}
PASSING = [number for number in ACCEPTED if number in REWRITTEN - FAILING]
# What every second user says stands in the tester's prompt then, which is not to be in a conversation: a rule that is
# stricter than it was.
FORBIDDEN = frozenset(PASSING[::2])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_real_state(tmp_path_factory.mktemp("real"))


@pytest.fixture
def output(written: Path, tmp_path: Path) -> Path:
    """The real run, as an earlier version left it."""
    for path in (written, state_path(written)):
        shutil.copy(path, tmp_path)
    return tmp_path / written.name


def judge_anew(
    output: Path,
    settings: Settings = STRICT,
    *,
    forbidden: Collection[int] = (),
    drops: bool = False,
    is_dry_run: bool = False,
    notify: Callable[[str], None] = lambda _: None,
) -> Rejudgement:
    """Judge anew, with rules by which what the users of some conversations say is wrong."""
    texts = dict(load_prompts().texts)
    said = (real.case.messages[1].content for real in real_conversations() if real.number in forbidden)
    texts["tester_user.txt"] += "\n".join(said)
    return rejudge(output, settings, PromptSet(texts), load_cast(), drops=drops, is_dry_run=is_dry_run, notify=notify)


def elements(output: Path) -> list[Any]:
    found: list[Any] = json.loads(output.read_bytes())
    return found


def by_number(found: Rejudgement) -> dict[int, Rejudged]:
    return {judged.number: judged for judged in found.conversations}


def nothing_found(output: Path, settings: Settings = FORM) -> bool:
    found = verify(output, settings)
    assert found.findings == ()
    return found.compared is not None


# What is found.


def test_each_conversation_is_judged_as_the_benchmark_judges_it(output: Path) -> None:
    found = by_number(judge_anew(output, STRICT, is_dry_run=True))
    assert list(found) == [real.number for real in real_conversations()]
    compared = 0
    for real, problem in judge_all():
        judged = found[real.number]
        assert judged.was == (Verdict.REJECTED if real.was_rejected else Verdict.ACCEPTED)
        assert judged.now != Verdict.NOT_JUDGED
        # Whether it is new depends on the order in which they are judged.
        if Stage.NOVELTY not in (judged.stage, problem and problem.stage):
            assert (judged.stage, judged.reason) == ((problem.stage, problem.reason) if problem else ("", ""))
            compared += 1
    assert compared > 190


def test_a_dry_run_says_what_would_be_done_and_touches_nothing(output: Path) -> None:
    before = {path.name: path.read_bytes() for path in output.parent.iterdir()}
    told = judge_anew(output, FORM, is_dry_run=True)
    assert {path.name: path.read_bytes() for path in output.parent.iterdir()} == before
    done = judge_anew(output, FORM)
    assert (told.in_output, told.added) == (done.in_output, done.added) == (200, len(REJECTED))
    for one, other in zip(told.conversations, done.conversations, strict=True):
        assert (one.number, one.now, one.stage, one.reason) == (other.number, other.now, other.stage, other.reason)


# What was rejected and passes.


def test_what_passes_is_added_behind_all_others_and_stands_by_itself(output: Path) -> None:
    was = output.read_bytes()
    kept = {name: query(output, f"SELECT * FROM {name}") for name in ("notes", "timelines")}  # noqa: S608 - constants
    found = judge_anew(output, FORM)
    assert output.read_bytes().startswith(was.removesuffix(b"\n]\n"))
    added = [sample_line(real.case.messages) for real in real_conversations() if real.was_rejected]
    assert [sample_line(map_messages(element)) for element in elements(output)[len(ACCEPTED) :]] == added
    # What was there before it is kept with it; nothing else of its timeline changes.
    recorded = {row["id"]: row["notes_before"] for row in recorded_rows()}
    for number, text in query(output, "SELECT conversation_id, notes_before FROM samples WHERE notes_before NOTNULL"):
        notes = json.loads(text)
        told = {
            shelf: [{"date": note["date"], "text": note["text"]} for note in notes[shelf]]
            for shelf in ("memory", "diary")
        }
        assert told == recorded[number]
    for name, rows in kept.items():
        assert query(output, f"SELECT * FROM {name}") == rows  # noqa: S608 - constants
    # It counts as accepted from now on.
    assert query(output, "SELECT status, count(*) FROM conversations GROUP BY 1") == [("finished", 200)]
    assert query(output, "SELECT stage, sum(count) FROM verdicts GROUP BY 1") == [("", 200)]
    assert {judged.number_in_output for judged in found.conversations} == set(range(1, 201))
    assert nothing_found(output)


def test_a_second_time_there_is_nothing_to_do(output: Path) -> None:
    judge_anew(output, FORM)
    before = everything(output)
    found = judge_anew(output, FORM)
    assert found.added == 0
    assert found.counts() == {(Verdict.ACCEPTED, Verdict.ACCEPTED): 200}
    assert everything(output) == before


def test_more_that_is_accepted_lets_more_begin_alike_until_nothing_changes(tmp_path: Path) -> None:
    output = write_real_state(tmp_path, also_rejected=CHATS)
    alike = CHATS[:4]
    for number in alike:
        _change_steps(
            output,
            number,
            lambda text: text.replace("</think>", "</think>\n\nQuince jam on the sill. ") + " Quince jam.",
        )
    settings = STRICT.model_copy(update={"quality": QualitySettings(opening_share=3.4 / (173 - len(CHATS)))})
    found = judge_anew(output, settings)
    assert [by_number(found)[number].is_added for number in alike] == [True] * 4
    # The last of them was asked again, when others had been added.
    assert query(output, "SELECT conversation_id FROM samples ORDER BY position DESC LIMIT 1") == [(alike[-1],)]
    assert judge_anew(output, settings).added == 0


def test_where_nothing_is_added_each_is_judged_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = write_real_state(tmp_path, also_rejected=CHATS[:4])
    for number in CHATS[:4]:
        _change_steps(output, number, lambda text: text.replace("</think>", "</think>\n\nQuince jam on the sill. "))
    settings = STRICT.model_copy(update={"quality": QualitySettings(opening_share=0.0001)})
    judge_anew(output, settings)
    judged: Counter[int] = Counter()
    judge_rejected = Judging._judge_rejected

    def judge_and_count(self: Judging, number: int) -> bool:
        judged[number] += 1
        return judge_rejected(self, number)

    monkeypatch.setattr(Judging, "_judge_rejected", judge_and_count)
    found = judge_anew(output, settings)
    assert found.added == 0
    assert any(one.stage == Stage.NOVELTY for one in found.conversations if one.was == Verdict.REJECTED)
    assert set(judged.values()) == {1}


def test_of_two_that_are_nearly_the_same_one_is_added(tmp_path: Path) -> None:
    """What is added in the same go is accepted as well."""
    output = write_real_state(tmp_path, also_rejected=CHATS)
    one, other = CHATS[:2]
    with sqlite3.connect(state_path(output)) as connection:
        connection.execute("DELETE FROM steps WHERE conversation_id = ?", (other,))
        connection.execute(
            "INSERT INTO steps SELECT ?, number, kind, text, finish_reason, provider, model, prompt_tokens,"
            " completion_tokens, seconds, at FROM steps WHERE conversation_id = ?",
            (other, one),
        )
    connection.close()
    found = by_number(judge_anew(output, STRICT))
    assert found[one].is_added
    assert (found[other].now, found[other].stage) == (Verdict.REJECTED, Stage.NOVELTY)
    assert f"like conversation {one} " in found[other].detail


def test_why_it_is_still_rejected_is_told_by_the_rules_of_today(tmp_path: Path) -> None:
    output = write_real_state(tmp_path, also_rejected=CHATS)
    number = CHATS[0]
    found = by_number(judge_anew(output, forbidden={number}))[number]
    assert (found.now, found.stage) == (Verdict.REJECTED, Stage.VOICE)
    stored = {
        row[0]: row[1:] for row in query(output, "SELECT id, status, stage, reason, detail, quote FROM conversations")
    }
    assert stored[number] == ("rejected", "voice", found.reason, found.detail, found.quote)
    counts = Counter(row[2] for row in stored.values() if row[0] == "rejected")
    assert dict(query(output, "SELECT reason, sum(count) FROM verdicts WHERE stage != '' GROUP BY 1")) == counts
    assert counts[found.reason] == 1


def test_what_cannot_be_told_exactly_is_not_added_and_said(output: Path) -> None:
    number = next(number for number in REJECTED if recorded_rows()[number - 1]["notes_before"]["memory"])
    with sqlite3.connect(state_path(output)) as connection:
        connection.execute(
            "UPDATE notes SET text = text || ' (changed)' WHERE timeline_id ="
            " (SELECT timeline_id FROM conversations WHERE id = ?)",
            (number,),
        )
        connection.execute("DELETE FROM steps WHERE conversation_id = ? AND number = 1", (REJECTED[-1],))
    connection.close()
    found = judge_anew(output, FORM)
    judged = by_number(found)
    assert judged[number].now == judged[REJECTED[-1]].now == Verdict.NOT_JUDGED
    assert judged[number].reason == "what was in memory and diary before it is not known exactly"
    assert judged[REJECTED[-1]].reason == "it cannot be rebuilt from its steps"
    assert dict(query(output, "SELECT id, status FROM conversations"))[number] == "rejected"
    assert judged[number].reason in describe_rejudgement(found)


# What was accepted and fails.


def test_what_fails_is_listed_and_stays_without_drop(output: Path) -> None:
    was = output.read_bytes()
    found = judge_anew(output, forbidden=FORBIDDEN)
    failing = [judged for judged in found.conversations if judged.fails]
    assert {judged.number for judged in failing} >= FORBIDDEN | FAILING
    assert {judged.stage for judged in failing if judged.number in FORBIDDEN} == {Stage.VOICE}
    assert output.read_bytes().startswith(was.removesuffix(b"\n]\n"))
    assert all(elements(output)[(judged.number_in_output or 0) - 1] for judged in failing)
    said = describe_rejudgement(found)
    assert f"{len(failing)} fail (" in said
    assert f"- {failing[0].number}, {failing[0].number_in_output} in the output" in said
    assert "--drop" in said


def test_what_fails_is_taken_out_and_all_else_stays_in_its_order_and_can_be_replayed(output: Path) -> None:
    was = elements(output)
    notes = query(output, "SELECT * FROM notes")
    found = judge_anew(output, forbidden=FORBIDDEN, drops=True)
    gone = {judged.number_in_output: judged for judged in found.conversations if judged.fails}
    # Some of them wrote, or deleted, what later conversations build on.
    assert {judged.number for judged in gone.values()} >= FORBIDDEN
    assert {"share", "update", "forget", "diary"} <= {judged.ability for judged in gone.values()}
    left = [element for number, element in enumerate(was, start=1) if number not in gone]
    assert elements(output)[: len(left)] == left
    assert found.taken_out == len(gone) == len(query(output, "SELECT * FROM taken_out"))
    assert query(output, "SELECT * FROM notes") == notes
    stored = dict(query(output, "SELECT id, stage FROM conversations WHERE status = 'rejected'"))
    assert all(stored[judged.number] == judged.stage for judged in gone.values())
    counted = query(output, "SELECT sum(count) FROM verdicts GROUP BY stage = ''")
    assert counted == [(200 - found.in_output,), (found.in_output,)]
    assert nothing_found(output)
    before = everything(output)
    again = judge_anew(output, forbidden=FORBIDDEN, drops=True)
    assert (again.added, again.taken_out) == (0, 0)
    assert everything(output) == before


def test_that_many_leave_makes_nothing_fail_that_stays(output: Path) -> None:
    """How many may begin alike depends on how many there are: what has left does not count, also not at first."""
    alike = [number for number in CHATS if number not in FORBIDDEN][:5]
    for number in alike:
        _change_steps(output, number, lambda text: text.replace("</think>", "</think>\n\nQuince jam on the sill. "))
        save_otherwise(
            output, number, lambda line: line.replace("</think>\\n\\n", "</think>\\n\\nQuince jam on the sill. ")
        )
    output.unlink()
    settings = STRICT.model_copy(update={"quality": QualitySettings(opening_share=4.2 / len(ACCEPTED))})
    found = by_number(judge_anew(output, settings, forbidden=FORBIDDEN, drops=True))
    assert [found[number].fails for number in alike] == [False, False, False, True, True]
    before = everything(output)
    again = judge_anew(output, settings, forbidden=FORBIDDEN, drops=True)
    assert (again.taken_out, again.mended) == (0, 0)
    assert everything(output) == before


def test_what_was_taken_out_and_passes_again_comes_back_by_itself(output: Path) -> None:
    taken = {
        judged.number for judged in judge_anew(output, forbidden=FORBIDDEN, drops=True).conversations if judged.fails
    }
    found = judge_anew(output, FORM)
    assert found.in_output == 200
    assert {judged.number for judged in found.conversations if judged.is_added} >= taken
    assert nothing_found(output)
    # And it can be taken out again, once more without a trace.
    judge_anew(output, forbidden=FORBIDDEN, drops=True)
    assert nothing_found(output)
    assert len(query(output, "SELECT * FROM taken_out")) >= len(taken)


def test_a_whole_timeline_that_is_taken_out_can_still_be_replayed(output: Path) -> None:
    [(timeline,)] = query(output, "SELECT timeline_id FROM notes GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")
    rows = query(output, "SELECT id, timeline_id FROM conversations WHERE status = 'finished'")
    numbers = {number for number, of_timeline in rows if of_timeline == timeline}
    assert len(numbers) > 3
    judge_anew(output, forbidden=numbers, drops=True)
    assert {number for (number,) in query(output, "SELECT conversation_id FROM taken_out")} >= numbers
    assert nothing_found(output)


def test_a_thought_that_a_rewrite_has_spoiled_is_mended_in_its_place(output: Path) -> None:
    was, numbers = elements(output), PASSING[3:6]
    for number in numbers:
        save_otherwise(
            output, number, lambda line: line.replace(FIRST_THOUGHT, FIRST_THOUGHT + "As a large language model, ", 1)
        )
    output.unlink()  # it is written again from the state database
    found = by_number(judge_anew(output))
    assert [(found[number].fails, found[number].can_be_mended) for number in numbers] == [(True, True)] * 3
    assert elements(output) != was
    done = judge_anew(output, drops=True)
    assert (done.mended, done.taken_out) == (3, len(FAILING))
    left = [element for number, element in zip(ACCEPTED, was, strict=True) if number not in FAILING]
    assert elements(output)[: len(left)] == left
    assert set(numbers).isdisjoint(number for (number,) in query(output, "SELECT conversation_id FROM taken_out"))
    assert nothing_found(output)
    assert judge_anew(output, drops=True).mended == 0


def test_what_did_something_else_is_not_mended(output: Path) -> None:
    """Later conversations were built on what it did."""
    number = next(real.number for real in real_conversations() if real.case.brief.scenario.ability == Ability.SHARE)
    save_otherwise(output, number, lambda line: line.replace('=[\\"The user', '=[\\"This user'))
    output.unlink()
    found = by_number(judge_anew(output))[number]
    assert (found.fails, found.can_be_mended, found.stage) == (True, False, Stage.EXECUTION)


# What another hand has added.


@pytest.mark.parametrize("indent", [None, 1])
def test_what_another_hand_added_stays_byte_for_byte(output: Path, indent: int | None) -> None:
    ours = elements(output)
    foreign = {"conversations": [{"role": "user", "content": "Whose is this?"}], "kept": "as it is"}
    there = [foreign, *ours[:60], foreign, *ours[61:]]
    output.write_text(json.dumps(there, indent=indent) + "\n", encoding="utf-8")
    OpenedRun(output, seed=0, notify=lambda _: None).close()  # what it holds now counts
    found = judge_anew(output, forbidden=FORBIDDEN, drops=True)
    judged = by_number(found)
    assert judged[ACCEPTED[60]].now == Verdict.NOT_JUDGED
    assert judged[ACCEPTED[60]].reason == "it is not in the output as it was written"
    gone = {one.number_in_output for one in found.conversations if one.fails}
    assert gone
    assert elements(output) == [
        *(element for number, element in enumerate(there, start=1) if number not in gone),
        *elements(output)[len(there) - len(gone) :],
    ]
    assert len(elements(output)) == found.in_output
    text = output.read_text(encoding="utf-8")
    assert text.count(json.dumps(foreign, indent=indent).replace("\n", "\n" + " " * (indent or 0))) == 2
    OpenedRun(output, seed=0, notify=pytest.fail).close()
    before = everything(output)
    assert judge_anew(output, forbidden=FORBIDDEN, drops=True).taken_out == 0
    assert everything(output) == before


@pytest.mark.parametrize("change", ["in the middle", "removed", "laid out anew", "missing", "torn"])
def test_a_dry_run_says_of_what_another_hand_has_changed_what_the_other_one_does(output: Path, change: str) -> None:
    text, there = output.read_text(encoding="utf-8"), elements(output)
    changed = {
        "in the middle": text.replace("Ada", "ADA"),  # all else stays in its place
        "removed": json.dumps([*there[:5], *there[9:]]),
        "laid out anew": json.dumps(there[::-1], indent=1),
        "missing": "",
        "torn": text[: len(text) // 2],
    }
    output.write_text(changed[change], encoding="utf-8")
    if change == "missing":
        output.unlink()
    before = {path.name: path.read_bytes() for path in output.parent.iterdir()}

    def outcome(*, is_dry_run: bool) -> tuple[object, list[str]]:
        said: list[str] = []
        try:
            found = judge_anew(output, forbidden=FORBIDDEN, drops=True, is_dry_run=is_dry_run, notify=said.append)
        except StorageError as error:
            return str(error), said
        told = [replace(one, number_in_output=None) for one in found.conversations]
        return (found.in_output, found.taken_out, found.added, told), said

    rehearsed = outcome(is_dry_run=True)
    assert {path.name: path.read_bytes() for path in output.parent.iterdir()} == before
    assert rehearsed == outcome(is_dry_run=False)


def test_what_another_hand_changed_without_moving_the_rest_stays_when_the_output_is_written_anew(output: Path) -> None:
    number = next(number for number in ACCEPTED if number not in FORBIDDEN)
    place = ACCEPTED.index(number)
    lines = output.read_text(encoding="utf-8").split("\n")
    lines[place + 1] = lines[place + 1].replace("You are Ada", "YOU ARE ADA")
    mine = json.loads(lines[place + 1].rstrip(","))
    output.write_text("\n".join(lines), encoding="utf-8")
    found = judge_anew(output, forbidden=FORBIDDEN, drops=True)
    assert found.taken_out
    assert mine in elements(output)
    assert by_number(found)[number].reason == "it is not in the output as it was written"


def test_an_output_with_a_second_name_is_not_torn_from_it(output: Path) -> None:
    output.with_name("other.json").hardlink_to(output)
    before = output.read_bytes()
    for is_dry_run in (True, False):
        with pytest.raises(StorageError, match=rf"^{output}: .* another name, by a hard link"):
            judge_anew(output, forbidden=FORBIDDEN, drops=True, is_dry_run=is_dry_run)
    assert output.read_bytes() == before
    assert query(output, "SELECT count(*) FROM samples") == [(len(ACCEPTED),)]


def test_a_link_to_the_output_stays_a_link(output: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    real = output.rename(tmp_path / "elsewhere" / "real.json")
    output.symlink_to(real)
    assert judge_anew(output, forbidden=FORBIDDEN, drops=True).taken_out
    assert output.is_symlink()
    assert [path.name for path in real.parent.iterdir()] == ["real.json"]
    assert nothing_found(output)


# What it refuses, and older databases.


def test_it_refuses_while_a_process_has_the_output_open(output: Path) -> None:
    lock = lock_beside(state_path(output))
    try:
        for is_dry_run in (False, True):
            with pytest.raises(StorageError, match="another apep-datagen is working on this output"):
                judge_anew(output, FORM, is_dry_run=is_dry_run)
    finally:
        lock.release()


@pytest.mark.parametrize("is_dry_run", [False, True])
def test_without_a_state_database_nothing_is_made(tmp_path: Path, *, is_dry_run: bool) -> None:
    output = tmp_path / "out.json"
    output.write_text("[]", encoding="utf-8")
    with pytest.raises(StorageError, match=r"out\.state\.db: there is no such state database"):
        judge_anew(output, FORM, is_dry_run=is_dry_run)
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


@pytest.mark.parametrize("begun", ["itself", "schema-1", "schema-2"])
def test_of_what_an_earlier_version_made_it_says_what_it_does_not_know(tmp_path: Path, begun: str) -> None:
    with tarfile.open(TESTS / "program" / "earlier_version" / "recorded.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    output = tmp_path / "out.json"
    shutil.copy(tmp_path / begun / "begun" / "output.json", output)
    shutil.copy(tmp_path / begun / "begun" / "state.db", state_path(output))
    was = output.read_bytes()
    found = judge_anew(output, STRICT, drops=True)
    assert found.conversations
    if begun == "itself":
        return
    assert {judged.now for judged in found.conversations} == {Verdict.NOT_JUDGED}
    assert {judged.reason for judged in found.conversations} == {
        "an earlier version made it, and what it was to show is not recorded"
    }
    assert output.read_bytes() == was


# What is told.


def test_what_is_told_adds_up(output: Path) -> None:
    found = judge_anew(output, forbidden=FORBIDDEN, is_dry_run=True)
    told = rejudgement_as_json(found)
    assert len(told["conversations"]) == sum(item["count"] for item in told["counts"]) == 200
    assert Counter((item["was"], item["is"]) for item in told["conversations"]) == {
        (was.value, now.value): count for (was, now), count in found.counts().items()
    }
    said = describe_rejudgement(found)
    assert said.startswith(f"Of 200 conversations {len(ACCEPTED)} were accepted: ")
    assert f"{len(REJECTED)} were rejected: " in said
    assert "Nothing was changed (--dry-run)." in said
    assert "smalltalk" in said


def map_messages(element: Any) -> list[Message]:
    return [Message(message["role"], message["content"]) for message in element["conversations"]]


def _change_steps(output: Path, number: int, change: Callable[[str], str]) -> None:
    """Let Ada have answered something else in a conversation."""
    with sqlite3.connect(state_path(output)) as connection:
        [(text,)] = connection.execute(
            "SELECT text FROM steps WHERE conversation_id = ? AND kind = 'answer'", (number,)
        ).fetchall()
        connection.execute(
            "UPDATE steps SET text = ? WHERE conversation_id = ? AND kind = 'answer'", (change(text), number)
        )
    connection.close()
