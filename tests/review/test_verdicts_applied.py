"""What people call bad leaves the output, comes back when that is undone, and all can still be replayed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from apep_datagen.config.settings_file import load_settings
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.core.errors import SettingsError, StorageError
from apep_datagen.people.cast import load_cast
from apep_datagen.rejudge.outcome import Rejudgement
from apep_datagen.rejudge.rejudging import rejudge
from apep_datagen.review.applying import apply, rehearse, undo
from apep_datagen.review.outcome import Applied
from apep_datagen.review.report import applied_as_json, describe_applied, describe_undone, undone_as_json
from apep_datagen.review.verdicts_file import read_verdicts_file
from apep_datagen.storage.access import state_path
from apep_datagen.storage.opening import OpenedRun
from apep_datagen.verify.verification import verify
from support.real_state import everything, query, write_real_state
from support.verdicts import digests_of, write_verdicts

FORM = load_settings(None, quality={"level": "form"})
COUNT = 80
# One that has deleted what another one has stored, behind that one; both are accepted.
ONE_THAT_DELETED = (
    "SELECT added_in, deleted_in FROM notes WHERE deleted_in > added_in AND added_in > 0"
    " AND added_in IN (SELECT conversation_id FROM samples) AND deleted_in IN (SELECT conversation_id FROM samples)"
    " ORDER BY id LIMIT 1"
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real run, of today's schema, with the keys by which similar texts are found."""
    output = write_real_state(tmp_path_factory.mktemp("real"), count=COUNT)
    judge_anew(output)
    return output


@pytest.fixture
def output(written: Path, tmp_path: Path) -> Path:
    for path in (written, state_path(written)):
        shutil.copy(path, tmp_path)
    return tmp_path / written.name


def judge_anew(output: Path, *, drops: bool = False) -> Rejudgement:
    return rejudge(output, FORM, load_prompts(), load_cast(), drops=drops, is_dry_run=False, notify=lambda _: None)


def say(
    output: Path, verdicts: Mapping[str, str], *, with_dependents: bool = False, tags: tuple[str, ...] = ("invented",)
) -> Applied:
    source = write_verdicts(output.parent / "verdicts.json", verdicts, tags=tags, note="She never said so.")
    found = apply(
        output,
        source,
        read_verdicts_file(source),
        name="Ann",
        with_dependents=with_dependents,
        notify=lambda _: None,
    )
    assert isinstance(found, Applied)
    return found


def elements(output: Path) -> list[Any]:
    found: list[Any] = json.loads(output.read_bytes())
    return found


def is_well(output: Path) -> bool:
    """Check that nothing is wrong with an output and its database, and that these agree."""
    assert verify(output, FORM).findings == ()
    in_output = len(elements(output))
    base_count, base_position = query(output, "SELECT base_count, base_position FROM run")[0]
    samples = query(output, "SELECT count(*) FROM samples")[0][0]
    assert in_output == base_count + samples - base_position
    statuses = dict(query(output, "SELECT status, count(*) FROM conversations GROUP BY 1"))
    assert statuses.get("finished", 0) == samples
    counted = query(
        output, "SELECT coalesce(stage, ''), coalesce(reason, ''), count(*) FROM conversations GROUP BY 1, 2"
    )
    assert sorted(query(output, "SELECT stage, reason, sum(count) FROM verdicts GROUP BY 1, 2")) == sorted(counted)
    # New conversations are compared with what is there, and nothing else.
    remembered = {number for (number,) in query(output, "SELECT DISTINCT conversation_id FROM near")}
    assert remembered <= {number for (number,) in query(output, "SELECT conversation_id FROM samples")}
    return True


def test_bad_ones_leave_and_stay_in_the_database_with_who_and_why(output: Path) -> None:
    was, digests = elements(output), digests_of(output)
    found = say(output, {digests[3]: "bad", digests[10]: "bad", digests[4]: "good", digests[5]: "unsure"})
    assert [moved.number for moved in found.left] == [4, 11]
    assert elements(output) == [element for place, element in enumerate(was) if place not in (3, 10)]
    assert found.in_output == COUNT - 2
    rejected = query(output, "SELECT id, reason, detail FROM conversations WHERE stage = 'person' ORDER BY id")
    assert [row[0] for row in rejected] == sorted(moved.conversation_id or 0 for moved in found.left)
    assert {row[1:] for row in rejected} == {("invented", "said by Ann: She never said so.")}
    assert len(query(output, "SELECT * FROM person_verdicts")) == 4
    assert is_well(output)
    assert "invented" in describe_applied(found)
    assert applied_as_json(found)["bad"] == 2


def test_undoing_brings_all_of_it_back(output: Path) -> None:
    was, digests = elements(output), digests_of(output)
    indices = {name: query(output, f"SELECT * FROM {name}") for name in ("near", "openings", "phrases", "verdicts")}  # noqa: S608 - constants
    notes = query(output, "SELECT * FROM notes")
    say(output, dict.fromkeys(digests[:30], "bad"), with_dependents=True)
    [last] = [digest for digest in digests if digest in digests_of(output)][-1:]
    say(output, {last: "bad"})
    assert len(elements(output)) < COUNT - 30
    undone = undo(output, lambda _: None)
    assert (len(undone.back), undone.batches_left) == (1, 1)
    assert is_well(output)
    undone = undo(output, lambda _: None)
    assert undone.batch is not None
    assert undone.batch.name == "Ann"
    assert sorted(map(json.dumps, elements(output))) == sorted(map(json.dumps, was))
    assert elements(output)[moved_to(undone_as_json(undone), digests, output)] in was
    assert is_well(output)
    for name, rows in indices.items():
        assert sorted(query(output, f"SELECT * FROM {name}")) == sorted(rows)  # noqa: S608 - constants
    assert query(output, "SELECT * FROM notes") == notes
    assert undo(output, lambda _: None).batch is None
    assert "Nothing to undo" in describe_undone(undo(output, lambda _: None))


def moved_to(told: dict[str, Any], digests: list[str], output: Path) -> int:
    """Check that each is where it is told to be; return the place of the last one."""
    now = digests_of(output)
    numbers = [moved["number"] for moved in told["back"]]
    assert {now[number - 1] for number in numbers} <= set(digests)
    assert numbers[-1] == COUNT
    return int(numbers[-1]) - 1


def test_applying_twice_is_applying_once(output: Path) -> None:
    digests = digests_of(output)
    verdicts = {digests[2]: "bad", digests[5]: "good", digests[9]: "unsure"}
    say(output, verdicts, with_dependents=True)
    before = everything(output)
    again = say(output, verdicts, with_dependents=True)
    assert (again.said, again.unchanged, again.left) == ((), 3, ())
    assert everything(output) == before
    assert query(output, "SELECT count(*) FROM person_batches") == [(1,)]


def test_a_later_verdict_takes_the_place_of_an_earlier_one(output: Path) -> None:
    digests = digests_of(output)
    say(output, {digests[2]: "bad"})
    found = say(output, {digests[2]: "good"})
    assert len(found.back) == 1
    assert digests_of(output) == [*digests[:2], *digests[3:], digests[2]]
    assert is_well(output)
    assert len(undo(output, lambda _: None).left) == 1
    assert digests[2] not in digests_of(output)
    # Said otherwise, it is out for another reason.
    say(output, {digests[2]: "bad"}, tags=("tone", "too long"))
    assert query(output, "SELECT reason, detail FROM conversations WHERE stage = 'person'") == [
        ("tone", "said by Ann; also too long: She never said so.")
    ]
    assert is_well(output)


def test_what_used_what_a_bad_one_stored_is_named_and_leaves_where_it_is_asked_for(output: Path) -> None:
    was, digests = elements(output), digests_of(output)
    [(source, user)] = query(output, ONE_THAT_DELETED)
    places = dict(query(output, "SELECT conversation_id, position - 1 FROM samples"))
    stored = {text for (text,) in query(output, f"SELECT text FROM notes WHERE added_in = {source}")}  # noqa: S608 - a number
    verdicts = {digests[places[source]]: "bad"}
    named = say(output, verdicts)
    assert digests[places[user]] in digests_of(output)
    [dependent] = [one for one in named.dependents if one.conversation_id == user]
    assert (dependent.note in stored, dependent.source, dependent.left) == (True, source, False)
    assert elements(output)[dependent.number - 1] == was[places[user]]
    assert "--with-dependents" in describe_applied(named)
    left = say(output, verdicts, with_dependents=True)
    assert {one.conversation_id for one in left.dependents} == {moved.conversation_id for moved in left.left}
    assert {one.conversation_id for one in named.dependents} == {one.conversation_id for one in left.dependents}
    assert all(moved.is_dependent for moved in left.left)
    assert is_well(output)
    # When the one is good after all, they come back with it; the other way round, nothing does.
    back = say(output, {digests[places[source]]: "good"})
    assert len(back.back) == 1 + len(left.left)
    assert is_well(output)
    undo(output, lambda _: None)
    undo(output, lambda _: None)
    assert digests[places[user]] in digests_of(output)
    assert digests[places[source]] not in digests_of(output)


def test_one_that_is_called_good_stays_though_it_used_what_a_bad_one_stored(output: Path) -> None:
    digests = digests_of(output)
    [(source, user)] = query(output, ONE_THAT_DELETED)
    places = dict(query(output, "SELECT conversation_id, position - 1 FROM samples"))
    found = say(output, {digests[places[source]]: "bad", digests[places[user]]: "good"}, with_dependents=True)
    assert digests[places[user]] in digests_of(output)
    [dependent] = [one for one in found.dependents if one.conversation_id == user]
    assert dependent.is_called_good


def test_judging_anew_does_not_take_back_what_a_person_said(output: Path) -> None:
    digests = digests_of(output)
    say(output, dict.fromkeys(digests[:5], "bad"))
    before = everything(output)
    found = judge_anew(output)
    assert (found.added, len(found.conversations)) == (0, COUNT - 5)
    assert everything(output) == before
    judge_anew(output, drops=True)
    assert len(undo(output, lambda _: None).back) == 5
    assert is_well(output)


def test_what_the_run_did_not_make_leaves_and_comes_back_too(output: Path) -> None:
    foreign = [{"conversations": [{"role": "user", "content": f"Whose is {name}?"}]} for name in ("this", "that")]
    mixed = [foreign[0], *elements(output)[:40], foreign[1]]
    output.write_text(json.dumps(mixed, indent=1), encoding="utf-8")
    OpenedRun(output, seed=0, notify=lambda _: None).close()
    digests = digests_of(output)
    found = say(output, {digests[0]: "bad", digests[1]: "bad", digests[7]: "bad"})
    assert [moved.number for moved in found.left] == [1, 2, 8]
    assert [moved.conversation_id is None for moved in found.left] == [True, False, False]
    assert elements(output) == [*mixed[2:7], *mixed[8:]]
    # Said about the same text, in whichever layout, it is the same.
    assert say(output, {digests[0]: "bad", digests[1]: "bad", digests[7]: "bad"}).unchanged == 3
    undone = undo(output, lambda _: None)
    assert sorted(map(json.dumps, elements(output))) == sorted(map(json.dumps, mixed))
    assert [elements(output)[moved.number - 1] for moved in undone.back] == [mixed[0], mixed[1], mixed[7]]
    OpenedRun(output, seed=0, notify=pytest.fail).close()


def test_all_can_leave_and_come_back(output: Path) -> None:
    was, digests = elements(output), digests_of(output)
    say(output, dict.fromkeys(digests, "bad"))
    assert elements(output) == []
    assert is_well(output)
    undo(output, lambda _: None)
    assert elements(output) == was
    assert is_well(output)


def test_a_dry_run_tells_what_would_be_and_touches_nothing(output: Path) -> None:
    digests = digests_of(output)
    source = write_verdicts(output.parent / "v.json", dict.fromkeys(digests[:9], "bad"))
    before = {path.name: path.read_bytes() for path in output.parent.iterdir()}
    said = read_verdicts_file(source)
    told = rehearse(output, source, said, name="Ann", with_dependents=True)
    assert {path.name: path.read_bytes() for path in output.parent.iterdir()} == before
    done = apply(output, source, said, name="Ann", with_dependents=True, notify=lambda _: None)
    assert isinstance(done, Applied)
    assert applied_as_json(told) == {**applied_as_json(done), "dry_run": True}


def test_verdicts_about_what_the_judge_rejected_are_kept(tmp_path: Path) -> None:
    output = write_real_state(tmp_path, count=COUNT)
    OpenedRun(output, seed=0, notify=lambda _: None).close()
    whole = write_real_state_accepted(tmp_path / "whole")
    rejected = [digest for digest in digests_of(whole) if digest not in digests_of(output)]
    assert rejected
    found = say(output, dict.fromkeys(rejected, "bad"))
    assert (found.left, found.unknown, len(found.said)) == ((), (), len(rejected))
    # Nor does judging anew add what somebody has called bad.
    assert judge_anew(output).added == 0
    undo(output, lambda _: None)
    assert judge_anew(output).added == len(rejected)


def write_real_state_accepted(directory: Path) -> Path:
    """Return an output in which those are that were rejected, as they would be saved."""
    directory.mkdir()
    output = write_real_state(directory, count=COUNT)
    judge_anew(output)
    return output


def test_verdicts_on_another_output_are_refused_and_single_ones_left(output: Path) -> None:
    before = everything(output)
    with pytest.raises(SettingsError, match="another output's"):
        say(output, {"0" * 32: "bad"})
    assert everything(output) == before
    found = say(output, {"0" * 32: "bad", digests_of(output)[0]: "bad"})
    assert (len(found.unknown), len(found.left)) == (1, 1)
    assert "0" * 32 in describe_applied(found)


def test_without_a_state_database_there_is_no_place_for_verdicts(output: Path) -> None:
    digests = digests_of(output)
    state_path(output).unlink()
    with pytest.raises(StorageError, match="no such state database"):
        say(output, {digests[0]: "bad"})
    with pytest.raises(StorageError, match="no such state database"):
        undo(output, lambda _: None)
    assert not state_path(output).exists()
