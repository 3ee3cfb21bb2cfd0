"""Rows as `datasets` reads them: its newest version, and 4.0.0, which makes objects with different keys one type."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from apep_datagen.formats.format import Format
from apep_datagen.formats.registry import FORMATS
from apep_datagen.formats.shape import Shape
from support.sample_rows import sample_rows

# In a process of its own: the library reads its environment when it is imported, and keeps it.
_READ = """
import json, sys, datasets
directory, cache, *names = sys.argv[1:]
for name in names:
    rows = datasets.load_dataset("json", data_files=f"{directory}/{name}.jsonl", split="train", cache_dir=cache)
    print(json.dumps([name, list(rows)]))
"""
# Offline, with what is in the cache of uv alone: a test reaches for no registry.
_OLD = (
    *("uv", "run", "--quiet", "--offline", "--no-project", "--python", sys.executable),
    *("--with", "datasets==4.0.0", "python"),
)

_LINES = [form for form in FORMATS.values() if form.container == "lines"]
_CASES: dict[str, tuple[Format, Shape]] = {form.name: (form, form.default) for form in _LINES} | {
    f"{form.name} native": (form, Shape(rows=form.default.rows, calls="native"))
    for form in _LINES
    if "native" in form.calls and form.default.calls != "native"
}
# Its content is a text here and a list of parts there; mistral-finetune reads the lines itself.
_CASES_FOR_OLD = [name for name in _CASES if name != "mistral native"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the rows of every form that has them in lines."""
    directory = tmp_path_factory.mktemp("rows")
    for name, (form, shape) in _CASES.items():
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for _, row in sample_rows(form, shape))
        (directory / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    return directory


def _read(python: Sequence[str], files: Path, cache: Path, names: Iterable[str]) -> dict[str, list[Any]]:
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(cache),
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    }
    command = [*python, "-c", _READ, str(files), str(cache), *names]
    read = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert read.returncode == 0, read.stderr
    return dict(map(json.loads, read.stdout.splitlines()))


@pytest.fixture(scope="module")
def newest(files: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """The rows as the newest version reads them, by the names of their files."""
    return _read([sys.executable], files, tmp_path_factory.mktemp("newest"), _CASES)


@pytest.fixture(scope="module")
def old(files: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """The rows as version 4.0.0 reads them, by the names of their files."""
    if shutil.which("uv") is None or subprocess.run([*_OLD, "-c", ""], capture_output=True, check=False).returncode:
        pytest.skip("uv has no datasets 4.0.0: `uv run --no-project --with datasets==4.0.0 python -c ''` gets it")
    return _read(_OLD, files, tmp_path_factory.mktemp("old"), _CASES_FOR_OLD)


def _without_nulls(value: Any) -> Any:
    """Return a value without what stands for a key that is not there."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", _CASES)
def test_the_newest_version_reads_every_row_as_it_was_written(name: str, newest: dict[str, list[Any]]) -> None:
    assert [_without_nulls(row) for row in newest[name]] == [row for _, row in sample_rows(*_CASES[name])]


@pytest.mark.parametrize("name", _CASES_FOR_OLD)
def test_version_4_0_0_reads_every_row_as_it_was_written(name: str, old: dict[str, list[Any]]) -> None:
    form, shape = _CASES[name]
    written = sample_rows(form, shape)
    assert [_without_nulls(row) for row in old[name]] == [row for _, row in written]
    assert [form.read(row) for row in old[name]] == [example for example, _ in written]


def test_only_an_old_version_gives_a_call_for_trl_the_arguments_of_all_tools(
    newest: dict[str, list[Any]], old: dict[str, list[Any]]
) -> None:
    assert '"indices": null' in json.dumps(old["trl native"])
    assert "null" not in json.dumps(newest["trl native"])
