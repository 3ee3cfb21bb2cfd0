"""What the checks with trainers' own code find, and that none of their environments is for a GPU."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from apep_datagen.core.messages import Message
from apep_datagen.export.examples import examples_of
from apep_datagen.formats.trl import TRL
from support.paths import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "benchmarks"))
sys.path.insert(0, str(REPOSITORY / "benchmarks" / "trainers"))
from lessons import Learnt, check

from environments import cuda_builds

_CONVERSATION = (
    Message("system", "You are Ada."),
    Message("user", "Do you remember my dog?"),
    Message("assistant", "<think>I look.</think>\n\n<tool_call>recall_memories()</tool_call>"),
    Message("tool", '<tool_result>{"memories": [{"text": "The user has a dog called Bim."}]}</tool_result>'),
    Message("assistant", "<think>Bim it is.</think>\n\nBim, of course."),
)
_CALLING, _ANSWERING = (message.content + "<|end|>" for message in _CONVERSATION if message.role == "assistant")
_WHOLE = "".join(message.content for message in _CONVERSATION)
_LEARNT = (Learnt(_WHOLE, [_CALLING]), Learnt(_WHOLE, [_ANSWERING]))


def _check(place: Path, *learnt: Learnt, rows: list[int] | None = None) -> int:
    """Check with some of the rows, by their numbers; all of them unless it is said."""
    written = [TRL.write(example, TRL.default) for example in examples_of(_CONVERSATION, "answer")]
    chosen = [written[number] for number in (rows or [0, 1])]
    (place / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in chosen), encoding="utf-8")
    source = place / "output.json"
    source.write_text(
        json.dumps([{"conversations": [message.as_dict() for message in _CONVERSATION]}]), encoding="utf-8"
    )
    return check(TRL, place, source, learnt, scaffold=["<|end|>"], ends=["<|end|>"])


def test_what_is_learnt_as_it_should_be_has_no_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _check(tmp_path, *_LEARNT) == 0
    told = capsys.readouterr()
    assert told.out == (
        "trl: 2 rows of 1 conversations with 5 messages, 2 thoughts, 1 calls, 1 results:"
        " all of it is learnt or read, and nothing else is learnt\n"
    )
    assert not told.err


@pytest.mark.parametrize(
    ("calling", "answering", "fault"),
    [
        (_LEARNT[0], Learnt(_WHOLE, ["Bim, of course.<|end|>"]), "row 2: a thought is not learnt"),
        (_LEARNT[0], Learnt(_WHOLE, ["<think>Bim it is.</think><|end|>"]), "row 2: a reply is not learnt"),
        (Learnt(_WHOLE, ["<think>I look.</think><|end|>"]), _LEARNT[1], "row 1: a call is not learnt"),
        (
            Learnt(_WHOLE, ["<tool_call>recall_memories()</tool_call><think>I look.</think><|end|>"]),
            _LEARNT[1],
            "row 1: a call stands before what it comes after",
        ),
        (_LEARNT[0], Learnt(_WHOLE.replace("Bim.", ""), [_ANSWERING]), "row 2: a result cannot be read"),
        (_LEARNT[0], Learnt(_WHOLE, ["You are Ada.", _ANSWERING]), "row 2: something else is learnt: 'YouareAda.'"),
        (
            _LEARNT[0],
            Learnt(_WHOLE, [_CONVERSATION[3].content, _ANSWERING]),
            "row 2: words of the role tool are learnt",
        ),
        (_LEARNT[0], Learnt(_WHOLE, [_ANSWERING.removesuffix("<|end|>")]), "row 2: the end of an answer is not learnt"),
    ],
)
def test_each_fault_is_found(
    calling: Learnt, answering: Learnt, fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _check(tmp_path, calling, answering) == 1
    assert fault in capsys.readouterr().err


def test_rows_that_are_missing_and_rows_that_are_there_twice_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _check(tmp_path, _LEARNT[1], rows=[1]) == 1
    assert "of the output, 1 calls are in no row" in capsys.readouterr().err
    assert _check(tmp_path, *_LEARNT, _LEARNT[1], rows=[0, 1, 1]) == 1
    assert "1 results are new in two rows" in capsys.readouterr().err
    assert _check(tmp_path, _LEARNT[0]) == 1
    assert "the trainer has 1 of 2 rows" in capsys.readouterr().err


def test_what_a_trainer_learns_is_told_by_its_labels() -> None:
    learnt = Learnt.of_labels(lambda ids: "".join(map(chr, ids)), list(b"abcdef"), [-100, 98, 99, -100, -100, 102])
    assert learnt == Learnt("abcdef", ["bc", "f"])


def test_builds_for_a_gpu_are_seen_before_they_are_fetched() -> None:
    def report(*packages: Mapping[str, object]) -> str:
        return json.dumps({"install": [{"metadata": package} for package in packages]})

    cpu = {"name": "torch", "version": "2.13.0+cpu", "requires_dist": ["filelock", "sympy>=1.13.3"]}
    gpu = {"name": "torch", "version": "2.13.0", "requires_dist": ["nvidia-cublas==13.1; platform_system == 'Linux'"]}
    assert cuda_builds(report(cpu, {"name": "trl", "version": "1.16.0"})) == []
    assert cuda_builds(report(gpu)) == ["nvidia-cublas==13.1"]
    assert cuda_builds(report({"name": "triton", "version": "3.9.0"})) == ["triton"]


def test_every_check_says_what_it_needs() -> None:
    folder = REPOSITORY / "benchmarks" / "trainers"
    names = {path.stem.removeprefix("check_") for path in folder.glob("check_*.py")}
    assert names
    assert names <= {path.stem for path in (folder / "requirements").glob("*.txt")}
