"""In which form a trained model is asked: a form's name, or the directory of a real export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from apep_datagen.config.as_trained import as_trained
from apep_datagen.core.errors import SettingsError
from apep_datagen.formats.registry import FORMATS
from apep_datagen.formats.shape import Shape
from apep_datagen.formats.wire import Wire
from apep_datagen.formats.wish import Wish
from support.paths import REPOSITORY
from support.program import Program

TRAINED = sorted(set(FORMATS) - {"traces"})


@pytest.mark.parametrize("name", TRAINED)
def test_the_name_of_a_form_stands_for_its_default_shape(name: str) -> None:
    assert as_trained(name) == Wire(name, FORMATS[name].default)


@pytest.mark.parametrize(
    ("form", "options", "expected"),
    [
        ("trl", (), FORMATS["trl"].default),
        ("trl", ("--tool-role", "tool", "--thoughts", "last", "--rows", "conversation"), Shape(thoughts="last")),
        ("axolotl", ("--calls", "native", "--thoughts", "drop"), Shape("conversation", "drop", "tool", "native")),
        ("hermes", (), FORMATS["hermes"].default),
    ],
)
def test_the_directory_of_an_export_says_how_its_rows_were_built(
    tmp_path: Path, form: str, options: tuple[str, ...], expected: Shape
) -> None:
    directory = exported(tmp_path, form, *options)
    assert as_trained(str(directory)) == Wire(form, expected)


def exported(tmp_path: Path, form: str, *options: str) -> Path:
    sample = str(REPOSITORY / "docs" / "sample.json")
    program = Program(tmp_path)
    ended = program.run("export", sample, "--format", form, "--to", str(tmp_path / "out"), *options)
    assert ended.status == 0, ended
    [report] = (tmp_path / "out").rglob("report.json")
    return report.parent


def test_what_is_known_to_have_been_otherwise_is_heeded() -> None:
    wire = as_trained("trl", Wish(calls="native", thoughts="last"))
    assert wire.shape == Shape("answer", "last", "tool", "native")
    assert as_trained("trl", Wish(tool_role="tool")).shape.tool_role == "tool"
    with pytest.raises(SettingsError, match="--calls native: the format unsloth has --calls text only"):
        as_trained("unsloth", Wish(calls="native"))
    with pytest.raises(SettingsError, match="with --calls native the role of results is tool"):
        as_trained("trl", Wish(calls="native", tool_role="user"))


def report_in(directory: Path, report: Any) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "report.json").write_text(
        report if isinstance(report, str) else json.dumps({"program": "apep-datagen", **report}), encoding="utf-8"
    )
    return directory


def test_calls_as_text_have_the_results_where_the_form_has_them(tmp_path: Path) -> None:
    shape = {"rows": "answer", "thoughts": "keep", "tool_role": "tool", "calls": "native", "weights": False}
    directory = report_in(tmp_path, {"format": "mistral", "shape": shape})
    assert as_trained(str(directory), Wish(calls="text")).shape == Shape("answer", "keep", "user", "text")


SHAPE = {"rows": "conversation", "thoughts": "keep", "tool_role": "user", "calls": "text", "weights": False}


@pytest.mark.parametrize(
    ("report", "words"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "is none of a finished export"),
        ({"written": []}, "is none of a finished export"),
        ({"format": "tlr", "shape": SHAPE}, "is of a format that this version does not know"),
        ({"format": ["trl"], "shape": SHAPE}, "is of a format that this version does not know"),
        ({"format": "trl"}, "does not say how the rows were built"),
        ({"format": "trl", "shape": {}}, "does not say how the rows were built"),
        ({"format": "trl", "shape": {**SHAPE, "thoughts": "some"}}, "does not say how the rows were built"),
        ({"format": "unsloth", "shape": {**SHAPE, "calls": "native"}}, "does not say how the rows were built"),
        ({"format": "traces", "shape": {**SHAPE, "calls": "native"}}, "no model is trained on them"),
    ],
)
def test_a_report_that_says_nothing_of_use_is_refused_in_a_sentence(tmp_path: Path, report: Any, words: str) -> None:
    directory = report_in(tmp_path, report)
    with pytest.raises(SettingsError, match=words) as refused:
        as_trained(str(directory))
    assert str(refused.value).startswith(f"--as-trained {directory}: ")
    assert len(str(refused.value).splitlines()) == 1


def test_what_is_no_form_and_no_export_is_refused_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match=r"there is no such format \(did you mean axolotl\?\) and no such directory"
    ):
        as_trained("axolot")
    with pytest.raises(SettingsError, match=r"there is no report.json in it$"):
        as_trained(str(tmp_path))
    report_in(tmp_path / "trl", {"format": "trl", "shape": SHAPE})
    with pytest.raises(SettingsError, match="it holds exports: name one of trl"):
        as_trained(str(tmp_path))
    with pytest.raises(SettingsError, match="this is a file; name the directory"):
        as_trained(str(tmp_path / "trl" / "report.json"))
    with pytest.raises(SettingsError, match="no model is trained on them"):
        as_trained("traces")
    (tmp_path / "trl" / "report.json").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="it is not UTF-8"):
        as_trained(str(tmp_path / "trl"))
