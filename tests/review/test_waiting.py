"""Verdicts that wait are counted once, whatever the number of files, and told where they changed something."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from apep_datagen.review.applying import apply_waiting
from apep_datagen.storage.waiting_verdicts import count_waiting, new_waiting_path, waiting_verdicts
from support.real_state import write_real_state
from support.verdicts import digests_of, write_verdicts


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return write_real_state(tmp_path, count=12)


def test_what_is_handed_in_twice_waits_once_and_is_told_once(output: Path) -> None:
    first, second, third, *_ = digests_of(output)
    source = write_verdicts(output.with_name("v.json"), {first: "bad", second: "good"})
    for _ in range(2):
        shutil.copy(source, new_waiting_path(output))
    assert count_waiting(output) == 2
    write_verdicts(new_waiting_path(output), {second: "unsure", third: "good"})
    assert count_waiting(output) == 3
    told: list[str] = []
    assert apply_waiting(output, told.append) == 1
    assert [each for each in told if "waited" in each] == [
        "2 verdicts that waited were applied: 1 conversation left the output, 0 came back",
        "2 verdicts that waited were applied: 0 conversations left the output, 0 came back",
    ]
    assert (count_waiting(output), waiting_verdicts(output)) == (0, [])


def test_one_that_waited_is_told_as_one(output: Path) -> None:
    write_verdicts(new_waiting_path(output), {digests_of(output)[3]: "bad"})
    told: list[str] = []
    apply_waiting(output, told.append)
    assert told[-1] == "1 verdict that waited was applied: 1 conversation left the output, 0 came back"


@pytest.mark.parametrize("content", ["[]", '{"verdicts": 5}', '{"verdicts": [5, null, {"digest": []}, {}]}', "{"])
def test_what_is_no_verdict_is_not_counted(output: Path, content: str) -> None:
    new_waiting_path(output).write_text(content, encoding="utf-8")
    assert count_waiting(output) == 0
