"""Sessions as files: where each is follows from its name, and the folder is replaced as a whole."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from datasets import load_dataset

from apep_datagen.core.messages import Message
from apep_datagen.export.session_files import SessionFiles
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import Row
from apep_datagen.formats.origin import Origin
from apep_datagen.formats.traces import TRACES, read_session


def _row(user: str, said: str = "Hi") -> Row:
    messages = (Message("system", "Ada"), Message("user", said), Message("assistant", "<think>Oh.</think>\n\nHello"))
    origin = Origin(numbers=(1,), user=user, days=("2026-01-04T07:30",))
    return {**TRACES.columns(origin), **TRACES.write(Example(messages), TRACES.default)}


def _write(directory: Path, rows: Iterable[Row]) -> list[str]:
    files = SessionFiles(directory, "train")
    for row in rows:
        files.write(row)
    return files.finish()


def _files(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def test_each_session_is_a_file_that_is_read_back(tmp_path: Path) -> None:
    rows = [_row(f"user-{number:05d}") for number in range(40)]
    assert _write(tmp_path, rows) == ["train/"]
    read = [read_session(content.decode().splitlines()) for content in _files(tmp_path).values()]
    assert sorted(row["session"]["id"] for row in read) == [row["session"]["id"] for row in rows]
    assert TRACES.read(read[0]) == TRACES.read(rows[0])


def test_the_hub_s_loader_reads_them(tmp_path: Path) -> None:
    _write(tmp_path, [_row(f"user-{number:05d}") for number in range(3)])
    files = sorted(map(str, (tmp_path / "train").rglob("*.jsonl")))
    lines = load_dataset(
        "json", data_files={"train": files}, split="train", cache_dir=str(tmp_path / "cache"), parse_agent_traces=False
    )
    assert len(lines) == 3 * 4
    assert [line["type"] for line in lines][:2] == ["session", "message"]


def test_a_run_that_goes_on_moves_no_session_and_changes_only_those_with_something_new(tmp_path: Path) -> None:
    _write(tmp_path, [_row(f"user-{number}") for number in range(30)])
    before = _files(tmp_path)
    _write(tmp_path, [_row(f"user-{number}", "Hi" if number else "Hello again") for number in range(40)])
    after = _files(tmp_path)
    assert before.keys() <= after.keys()
    assert [name for name in before if before[name] != after[name]] == [
        name for name in before if name.endswith("/user-0.jsonl")
    ]


def test_sessions_are_spread_over_sixteen_folders(tmp_path: Path) -> None:
    _write(tmp_path, [_row(f"user-{number:05d}") for number in range(800)])
    sizes = Counter(name.split("/")[1] for name in _files(tmp_path))
    assert len(sizes) == 16
    assert max(sizes.values()) < 3 * 800 / 16


def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    _write(tmp_path / "in", [_row("../../out/é\n")])
    [name] = _files(tmp_path)
    assert name.startswith("in/train/")
    assert name.endswith("/.._.._out___.jsonl")


def test_who_left_the_dataset_has_no_file(tmp_path: Path) -> None:
    _write(tmp_path, [_row("a"), _row("b")])
    _write(tmp_path, [_row("b")])
    assert [name.rsplit("/")[-1] for name in _files(tmp_path)] == ["b.jsonl"]


def test_until_it_is_finished_what_was_there_stays(tmp_path: Path) -> None:
    _write(tmp_path, [_row("a")])
    before = _files(tmp_path / "train")
    files = SessionFiles(tmp_path, "train")
    files.write(_row("b"))
    assert _files(tmp_path / "train") == before
    files.abandon()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train"]
    killed = SessionFiles(tmp_path, "train")
    killed.write(_row("c"))
    _write(tmp_path, [_row("b")])
    assert [json.loads(content.splitlines()[0])["id"] for content in _files(tmp_path).values()] == ["b"]


def test_two_sessions_of_one_name_are_not_taken_for_one(tmp_path: Path) -> None:
    files = SessionFiles(tmp_path, "train")
    files.write(_row("a"))
    with pytest.raises(FileExistsError):
        files.write(_row("a"))
