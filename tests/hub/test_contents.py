"""What is sent, what is removed, and in which commits: nothing that is somebody else's, no card without its rows."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.hub.contents import (
    CARD,
    Changes,
    LocalFile,
    RemoteFile,
    changes_between,
    digest_of_data,
    is_of_dataset,
    read_directory,
    read_file,
    stages,
)
from apep_datagen.hub.marker import MARKER

ROWS, TRACES = "parquet/train-00000.parquet", "traces/train-00000.parquet"


def _session(number: int) -> str:
    return f"traces/train/{number % 16:x}/user-{number:05d}.jsonl"


def _local(content: str) -> LocalFile:
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    return LocalFile(Path("there"), len(content), sha256, f"blob of {content}")


def test_a_file_is_known_as_git_and_the_hub_know_it(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"some\ncontent" * 200_000)
    found = read_file(path)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    blob = subprocess.run(["git", "hash-object", str(path)], check=True, capture_output=True, text=True)  # noqa: S607 - git is on the path
    assert found.blob == blob.stdout.strip()
    assert found.size == path.stat().st_size


@pytest.mark.parametrize("name", [CARD, MARKER, ROWS, TRACES, _session(3), "parquet/test-100000.parquet"])
def test_what_a_push_writes_is_of_the_dataset(name: str) -> None:
    assert is_of_dataset(name)


@pytest.mark.parametrize(
    "name",
    [
        "LICENSE",
        ".gitattributes",
        "parquet/notes.md",
        "parquet/mine-00000.parquet",
        "traces/train/notes.jsonl",
        "traces/train/3/deeper/user.jsonl",
        "data/train-00000.parquet",
        "sub/README.md",
    ],
)
def test_what_others_write_is_not(name: str) -> None:
    assert not is_of_dataset(name)


def test_only_what_is_of_the_dataset_is_read(tmp_path: Path) -> None:
    for name in (CARD, ROWS, _session(1), "LICENSE", "parquet/README.md", "forms.part/parquet/train-00000.parquet"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    assert list(read_directory(tmp_path)) == [CARD, ROWS, _session(1)]


def test_what_is_as_it_was_is_not_sent_and_what_is_others_is_not_removed() -> None:
    local = {CARD: _local("card"), ROWS: _local("rows"), _session(1): _local("one"), _session(2): _local("two")}
    remote = {
        CARD: RemoteFile(None, local[CARD].blob),
        ROWS: RemoteFile(local[ROWS].sha256, "of a pointer"),
        _session(1): RemoteFile(None, "another blob"),
        _session(3): RemoteFile(None, "gone"),
        "LICENSE": RemoteFile(None, "theirs"),
        "parquet/notes.md": RemoteFile(None, "theirs"),
    }
    changes = changes_between(local, remote)
    assert changes == Changes(written=(_session(1), _session(2)), removed=(_session(3),))
    assert changes
    assert not changes_between(local, {name: RemoteFile(None, file.blob) for name, file in local.items()})


def test_a_few_files_are_one_commit() -> None:
    changes = Changes((CARD, MARKER, ROWS, *map(_session, range(200))), ("traces/train-00001.parquet",))
    assert list(stages(changes)) == [changes]
    assert list(stages(Changes())) == []


@given(
    st.integers(240, 1100),
    st.integers(0, 300),
    st.sets(st.sampled_from([CARD, MARKER, ROWS, TRACES, "parquet/train-00001.parquet"])),
)
def test_of_many_files_rows_and_card_come_last_and_together(written: int, gone: int, others: set[str]) -> None:
    sessions = tuple(map(_session, range(written + gone)))
    changes = Changes((*sorted(others), *sessions[:written]), sessions[written:])
    made = list(stages(changes))
    assert sorted(name for stage in made for name in stage.written) == sorted(changes.written)
    assert sorted(name for stage in made for name in stage.removed) == sorted(changes.removed)
    assert all(len(stage.written) + len(stage.removed) <= 250 for stage in made)
    assert all(made)
    if MARKER in others:
        assert MARKER in made[0].written
    for name in others - {MARKER}:
        assert name in made[-1].written


def test_the_digest_is_of_the_data_whatever_the_card_says() -> None:
    data = {ROWS: _local("rows"), _session(1): _local("one")}
    digest = digest_of_data({**data, CARD: _local("card"), MARKER: _local("marker")})
    assert digest == digest_of_data({CARD: _local("another"), **dict(reversed(data.items()))})
    assert digest != digest_of_data({**data, ROWS: _local("other rows")})
    assert digest != digest_of_data({ROWS: _local("rows"), _session(2): _local("one")})
