"""Which file a path names: one file by two names is found out, and what can be no file is told."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.errors import SettingsError
from apep_datagen.core.paths import NamedFile, check_files


def refusal(*files: NamedFile) -> str:
    with pytest.raises(SettingsError) as caught:
        check_files(files)
    return str(caught.value)


def written(path: Path, what: str = "the log") -> NamedFile:
    return NamedFile(path, what, is_written=True)


def link_to_missing(directory: Path) -> tuple[Path, Path]:
    (directory / "link").symlink_to("missing")
    return directory / "link", directory / "missing"


def hard_link(directory: Path) -> tuple[Path, Path]:
    (directory / "file").write_bytes(b"")
    (directory / "link").hardlink_to(directory / "file")
    return directory / "link", directory / "file"


def linked_directory(directory: Path) -> tuple[Path, Path]:
    (directory / "real").mkdir()
    (directory / "link").symlink_to("real")
    return directory / "link/deep/missing", directory / "real/deep/missing"


def way_around(directory: Path) -> tuple[Path, Path]:
    (directory / "real").mkdir()
    return directory / "real/../missing", directory / "missing"


def relative(directory: Path) -> tuple[Path, Path]:
    return Path("missing"), directory / "missing"


@pytest.mark.parametrize("make", [link_to_missing, hard_link, linked_directory, way_around, relative])
def test_one_file_by_two_names_is_found_out_also_where_it_is_not_there_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], tuple[Path, Path]]
) -> None:
    monkeypatch.chdir(tmp_path)
    one, other = make(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    message = refusal(NamedFile(one, "the prompt"), written(other))
    assert message == f"{other}: the log would be the same file as the prompt, {one}; name another file"
    assert refusal(written(one), NamedFile(other, "the prompt")).startswith(f"{other}: the prompt would be the same")
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_only_read_may_be_one_file_by_two_names(tmp_path: Path) -> None:
    one, other = hard_link(tmp_path)
    check_files([NamedFile(one, "a prompt"), NamedFile(other, "another prompt")])


def test_files_that_differ_are_let_through(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "directory").mkdir()
    check_files(
        [
            written(tmp_path / "file", "the output"),
            written(tmp_path / "missing"),
            NamedFile(tmp_path / "directory", "the prompts", is_directory=True),
            written(tmp_path / "directory/missing"),
            written(tmp_path / "deep/missing"),
        ]
    )


NAMES = st.lists(st.sampled_from(["a", "b", "..", "."]), min_size=1, max_size=5).map("/".join)


@given(NAMES, NAMES)
def test_two_paths_are_the_same_file_where_the_system_says_so(
    tmp_path_factory: pytest.TempPathFactory, one: str, other: str
) -> None:
    """`a` is a directory with a link to it in it, and `b` is missing wherever it stands."""
    root = tmp_path_factory.mktemp("any", numbered=True)
    (root / "a").mkdir()
    (root / "a" / "a").symlink_to(root / "a")
    paths = [root / "a" / name / "file" for name in (one, other)]
    is_same = len({os.path.realpath(path) for path in paths}) == 1
    with pytest.raises(SettingsError) if is_same else contextlib.nullcontext():
        check_files([written(path) for path in paths])


def pipe(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        # The path of a socket is short.
        before = Path.cwd()
        os.chdir(path.parent)
        try:
            listening.bind(path.name)
        finally:
            os.chdir(before)


def link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (pipe, "has to be a file, and this is a pipe"),
        (a_socket, "has to be a file, and this is a socket"),
        (link_to_a_device, "has to be a file, and this is a device"),
        (Path.mkdir, "has to be a file, and this is a directory"),
        (link_to_itself, "cannot be there ("),
    ],
)
def test_what_is_no_file_is_told_and_not_waited_for(tmp_path: Path, make: Callable[[Path], None], told: str) -> None:
    make(tmp_path / "name")
    for file in (written(tmp_path / "name"), NamedFile(tmp_path / "name", "the prompt")):
        assert refusal(file).startswith(f"{tmp_path / 'name'}: {file.what} {told}")


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "name").write_bytes(b"")
    message = refusal(NamedFile(tmp_path / "name", "the directory of prompts", is_directory=True))
    assert "has to be a directory, and this is a file" in message


@pytest.mark.parametrize("path", ["x" * 256, f"missing/{'x' * 300}/file", f"missing/{'ä' * 130}", "nul\0character"])
def test_a_name_that_no_file_can_have_is_told_before_its_directories_are_made(tmp_path: Path, path: str) -> None:
    assert "the log cannot be there (" in refusal(written(tmp_path / path))
    assert list(tmp_path.iterdir()) == []


def test_a_path_of_too_many_characters_is_told(tmp_path: Path) -> None:
    assert "cannot be there (File name too long)" in refusal(written(tmp_path.joinpath(*["deep"] * 2_000)))


def test_what_is_written_has_a_path_in_utf8_and_what_is_read_any(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9") / "file"
    assert "the path of the log is not UTF-8" in refusal(written(path))
    check_files([NamedFile(path, "the configuration")])
