"""What people said is counted, with what follows for all, and can be had as labels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from apep_datagen.core.intervals import wilson
from apep_datagen.review.applying import apply
from apep_datagen.review.labels import read_labels, write_labels
from apep_datagen.review.status import LookedAt, read_review_status
from apep_datagen.review.status_report import describe_review_status, review_status_as_json
from apep_datagen.review.verdicts_file import read_verdicts_file, spelled, split_tags
from apep_datagen.storage.opening import OpenedRun
from support.real_state import write_real_state
from support.verdicts import digests_of, write_verdicts


@pytest.fixture
def output(tmp_path: Path) -> Path:
    output = write_real_state(tmp_path, count=60)
    OpenedRun(output, seed=0, notify=lambda _: None).close()
    return output


def say(output: Path, word: str, *digests: str, tags: tuple[str, ...] = (), note: str = "") -> None:
    source = write_verdicts(output.parent / "v.json", dict.fromkeys(digests, word), tags=tags, note=note)
    apply(output, source, read_verdicts_file(source), name="Ann", with_dependents=False, notify=lambda _: None)


def test_the_interval_is_that_of_wilson() -> None:
    # As in the literature: Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    for count, of, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        found = wilson(count / of, of)
        assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    interval = LookedAt("", good=191, bad=9, unsure=0).interval
    assert f"{100 * interval.low:.1f} to {100 * interval.high:.1f} %" == "2.4 to 8.3 %"


def test_status_counts_what_was_looked_at_and_says_what_follows(output: Path) -> None:
    nothing = read_review_status(output)
    assert "Nobody has looked at" in describe_review_status(nothing)
    assert review_status_as_json(nothing)["bad_share"] is None
    digests = digests_of(output)
    say(output, "bad", *digests[:3], tags=("tone", "invented"))
    say(output, "bad", digests[3])
    say(output, "good", *digests[4:10])
    say(output, "unsure", digests[10])
    found = read_review_status(output)
    whole = found.whole
    assert (whole.count, whole.good, whole.bad, whole.unsure) == (11, 6, 4, 1)
    assert {tag.reason: tag.count for tag in found.tags} == {"tone": 3, "invented": 3, "": 1}
    assert sum(group.count for group in found.by_ability) == 11
    assert [(group.name, group.bad) for group in found.by_provider] == [("oracle", 4)]
    assert found.in_output == len(digests) - 4
    there = {path.name: path.read_bytes() for path in output.parent.iterdir()}
    assert read_review_status(output) == found
    assert {path.name: path.read_bytes() for path in output.parent.iterdir()} == there
    told = describe_review_status(found)
    assert "Of 11 looked at, 4 bad: 15.2 to 64.6 % of all" in told
    assert "What people reject, and the judge lets pass:" in told
    judged = {item.reason for item in found.judged}
    assert judged
    assert all(reason in told for reason in judged)
    assert json.loads(json.dumps(review_status_as_json(found)))["bad"] == 4


def test_labels_are_those_of_the_tests_of_judging(output: Path) -> None:
    digests = digests_of(output)
    messages = json.loads(output.read_bytes())[5]["conversations"]
    words = messages[1]["content"][:30].strip()
    say(output, "bad", digests[0], tags=("tone", "invented"), note="No.")
    say(output, "unsure", digests[5], tags=("leak",), note=words)
    say(output, "good", digests[7])
    labels = read_labels(output)
    short = [{key: label[key] for key in ("position", "kind", "quote", "verdict", "note")} for label in labels]
    assert short == [
        {"position": 5, "kind": "leak", "quote": words, "verdict": "unsure", "note": words},
        {"position": 7, "kind": "", "quote": "", "verdict": "good", "note": ""},
        {"position": None, "kind": "tone", "quote": "", "verdict": "bad", "note": "No."},
        {"position": None, "kind": "invented", "quote": "", "verdict": "bad", "note": "No."},
    ]
    assert {label["digest"] for label in labels} == {digests[0], digests[5], digests[7]}
    write_labels(output.parent / "labels.jsonl", labels)
    lines = (output.parent / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == list(labels)


def test_what_is_written_is_what_is_read(output: Path, tmp_path: Path) -> None:
    source = write_verdicts(
        tmp_path / "v.json", {digests_of(output)[0]: "bad"}, tags=["a  b", "a b", ""], note=" \ud800 "
    )
    file = read_verdicts_file(source)
    assert [(said.tags, said.note) for said in file.said] == [(("a b",), "?")]
    again = tmp_path / "again.json"
    again.write_bytes(spelled(output, file.said, name="Ann", with_dependents=True))
    read = read_verdicts_file(again)
    assert (read.said, read.name, read.with_dependents) == (file.said, "Ann", True)


def test_tags_stand_between_commas_and_a_note_behind_a_semicolon() -> None:
    assert split_tags("tone, too long; She, of all; shouts.\n") == (("tone", "too long"), "She, of all; shouts.")
    assert split_tags("\n") == ((), "")
    assert split_tags("; only this") == ((), "only this")
