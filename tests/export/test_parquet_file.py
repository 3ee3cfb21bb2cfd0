"""Parquet shards: the same bytes for the same rows, types that never follow from what is there, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.messages import Message
from apep_datagen.export.parquet_file import ParquetFile
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import Row
from apep_datagen.formats.origin import Origin
from apep_datagen.formats.parquet import COLUMNS, PARQUET
from apep_datagen.formats.shape import Shape


def _row(number: int, origin: Origin | None = None) -> Row:
    example = Example((Message("user", f"question {number}"), Message("assistant", f"answer {number}")))
    return {**PARQUET.write(example, Shape()), **PARQUET.columns(origin or Origin(numbers=(number,)))}


_FULL = Origin(
    (1,), (1,), "u", "Ada", ("2026-01-04T07:30",), ("recall",), ("plain",), ("t",), "p", ("m",), 1, 2, 3, level="form"
)


def _write(directory: Path, rows: Iterable[Row], split: str = "train", rows_of_shard: int = 10) -> list[str]:
    file = ParquetFile(directory, split, COLUMNS, rows_of_shard=rows_of_shard)
    for row in rows:
        file.write(row)
    return file.finish()


def _bytes(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def _loaded(directory: Path, cache: Path) -> list[dict[str, Any]]:
    files = sorted(map(str, directory.glob("train-*.parquet")))
    return list(load_dataset("parquet", data_files={"train": files}, split="train", cache_dir=str(cache)))


@pytest.mark.parametrize("count", [1, 9, 10, 11, 20, 25])
def test_rows_are_loaded_as_they_were_written(tmp_path: Path, count: int) -> None:
    directory = tmp_path / "rows"
    directory.mkdir()
    rows = [_row(number, _FULL if number % 2 else None) for number in range(count)]
    names = _write(directory, rows)
    assert names == [f"train-{number:05d}.parquet" for number in range(-(-count // 10))]
    assert sorted(_bytes(directory)) == names
    assert _loaded(directory, tmp_path / "cache") == rows


def test_the_same_rows_are_the_same_bytes_and_further_ones_change_the_last_shard_alone(tmp_path: Path) -> None:
    for name, count in (("a", 25), ("b", 25), ("longer", 37)):
        (tmp_path / name).mkdir()
        _write(tmp_path / name, map(_row, range(count)))
    first, second, longer = (_bytes(tmp_path / name) for name in ("a", "b", "longer"))
    assert first == second
    kept = ["train-00000.parquet", "train-00001.parquet"]
    assert [longer[name] for name in kept] == [first[name] for name in kept]
    assert longer["train-00002.parquet"] != first["train-00002.parquet"]
    assert list(longer) == [*first, "train-00003.parquet"]


def test_types_do_not_follow_from_what_is_there(tmp_path: Path) -> None:
    for name, origin in (("null", Origin()), ("full", _FULL)):
        (tmp_path / name).mkdir()
        _write(tmp_path / name, [_row(1, origin)])
    files = [str(tmp_path / name / "train-00000.parquet") for name in ("null", "full")]
    mixed = load_dataset("parquet", data_files={"train": files}, split="train", cache_dir=str(tmp_path / "cache"))
    assert mixed["seed"][:] == [None, 3]
    assert mixed["checked"][:] == [[], ["form"]]


def test_a_smaller_dataset_leaves_no_shard_of_a_larger_one_and_no_other_file_is_touched(tmp_path: Path) -> None:
    _write(tmp_path, map(_row, range(35)))
    _write(tmp_path, map(_row, range(15)), split="train-of-another")
    (tmp_path / "train-notes.parquet").write_bytes(b"mine")
    _write(tmp_path, map(_row, range(5)))
    assert sorted(_bytes(tmp_path)) == [
        "train-00000.parquet",
        "train-notes.parquet",
        "train-of-another-00000.parquet",
        "train-of-another-00001.parquet",
    ]


def test_a_split_without_rows_has_no_file(tmp_path: Path) -> None:
    _write(tmp_path, map(_row, range(3)))
    assert _write(tmp_path, []) == []
    assert _bytes(tmp_path) == {}


def test_until_it_is_finished_what_was_there_stays(tmp_path: Path) -> None:
    _write(tmp_path, map(_row, range(12)))
    before = _bytes(tmp_path)
    file = ParquetFile(tmp_path, "train", COLUMNS, rows_of_shard=1)
    for number in range(3):
        file.write(_row(100 + number))
    assert {name: content for name, content in _bytes(tmp_path).items() if not name.endswith(".part")} == before
    file.abandon()
    assert _bytes(tmp_path) == before


def test_what_a_killed_export_left_is_removed_by_the_next(tmp_path: Path) -> None:
    killed = ParquetFile(tmp_path, "train", COLUMNS, rows_of_shard=1)
    for number in range(3):
        killed.write(_row(number))
    (tmp_path / "train-00007.parquet.part").write_bytes(b"")
    _write(tmp_path, [_row(1)])
    assert list(_bytes(tmp_path)) == ["train-00000.parquet"]


_TEXTS = st.text(alphabet=st.characters(codec="utf-8"))


@given(
    st.lists(st.tuples(_TEXTS, st.lists(_TEXTS, max_size=3), st.none() | st.integers(-(2**63), 2**63 - 1)), max_size=25)
)
def test_any_text_and_number_comes_back(
    tmp_path_factory: pytest.TempPathFactory, values: list[tuple[str, list[str], int | None]]
) -> None:
    from pyarrow import parquet as pq

    directory = tmp_path_factory.mktemp("rows")
    rows = [
        {**_row(1), "messages": [{"role": "user", "content": text}], "models": texts, "seed": number}
        for text, texts, number in values
    ]
    names = _write(directory, rows)
    read = [row for name in names for row in pq.read_table(directory / name).to_pylist()]
    assert read == rows
