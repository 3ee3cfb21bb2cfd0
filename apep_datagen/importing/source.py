"""The files of a dataset that is to be imported, and what each of them is, told by its first bytes."""

from __future__ import annotations

import codecs
import enum
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.core.errors import StorageError
from apep_datagen.core.paths import is_there, kind_of_file
from apep_datagen.storage.faults import StoredFile

__all__ = ["LONGEST_ROW", "REPORT", "DataFile", "Kind", "Source", "dataset_file", "find_source"]

REPORT = "report.json"
"""What an export says of itself, beside its rows."""
LONGEST_ROW = 1 << 25
"""Bytes of the longest row that is read; one is in memory as a whole."""
_SUFFIXES = (".jsonl", ".parquet")
_SPLITS = ("train", "validation", "test")
_BEGINNING = 1 << 16
_NOT_READ = {
    b"\x1f\x8b": "compressed (gzip): unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed (zstd): unpack it first",
    b"PK\x03\x04": "a zip archive: unpack it first",
    codecs.BOM_UTF16_LE: "a text in UTF-16: save it as UTF-8",
    codecs.BOM_UTF16_BE: "a text in UTF-16: save it as UTF-8",
    b"SQLite format 3\x00": "a database: name the dataset beside it",
}


class Kind(enum.Enum):
    """How rows lie in a file."""

    ARRAY = "a JSON array"
    LINES = "JSON Lines"
    OBJECT = "one JSON object, over several lines"
    SESSION = "one session, an event a line"
    PARQUET = "Parquet"


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of rows.

    Attributes:
        path: Where it is.
        name: What to call it beside the number of a row; empty where it is the only one.
        kind: How rows lie in it.
    """

    path: Path
    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Source:
    """A dataset that is to be imported.

    Attributes:
        path: As the user names it: a file or a directory.
        files: Its files, in the order in which they are read.
        report: What an export says of it, where there is such a file.
    """

    path: Path
    files: tuple[DataFile, ...]
    report: Path


def dataset_file(path: Path) -> StoredFile:
    """Return how to speak of a file of a dataset."""
    return StoredFile(path, "the dataset", "name another one")


def find_source(path: Path, form: str | None = None) -> Source:
    """Return the files of a dataset.

    Args:
        path: A file, or a directory that `export` wrote: all of its splits are one dataset.
        form: Of which form its rows are to be, where the user says so: a directory can hold exports of several.

    Raises:
        StorageError: It is not there, cannot be read, or is no dataset.
    """
    if not is_there(path):
        raise StorageError(f"{path}: there is no such file; name the dataset that is to be imported")
    if not path.is_dir():
        if kind := kind_of_file(path.stat().st_mode):  # one that could be waited for without an end
            raise StorageError(f"{path}: the dataset has to be a file or a directory, and this is {kind}; name another")
        return Source(path, (DataFile(path, "", _kind_of(path)),), path.with_name(REPORT))
    try:
        directory = _directory_of_export(path, form)
        paths = sorted(_files_below(directory), key=lambda file: _place(directory, file))
        paths = [file for file in paths if file.is_file() and file.stat().st_size]
    except OSError as error:
        raise dataset_file(path).refused(error, "read") from error
    if not paths:
        raise StorageError(f"{path}: no rows are in this directory ({' or '.join(_SUFFIXES)}); name a file, or another")
    files = tuple(DataFile(file, file.relative_to(directory).as_posix(), _kind_of(file)) for file in paths)
    return Source(path, files, directory / REPORT)


def _begins_session(text: bytes) -> bool:
    """Tell whether the first line of a file is that of a session, as `formats.traces` has it."""
    try:
        value = json.loads(text.partition(b"\n")[0])
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.get("type") == "session"


def _is_spread(text: bytes) -> bool:
    """Tell whether a file begins as an object over several lines: neither of the first two is JSON by itself."""
    lines = text.split(b"\n", 2)
    return text.startswith(b"{") and len(lines) > 1 and not any(map(_is_json, lines[:2]))


def _is_object(path: Path) -> bool:
    """Tell whether a file is one object.

    Raises:
        StorageError: It is too long to look at, or cannot be read.
    """
    try:
        if path.stat().st_size > LONGEST_ROW:
            raise StorageError(
                f"{path}: no dataset: one JSON object over several lines, longer than {LONGEST_ROW >> 20} MiB; if a"
                " list of rows is in it, write that into a file of its own"
            )
        return _is_json(path.read_bytes())
    except OSError as error:
        raise dataset_file(path).refused(error, "read") from error


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)  # of bytes it passes over a byte order mark
    except (ValueError, RecursionError):
        return False
    return True


def _directory_of_export(path: Path, form: str | None) -> Path:
    """Return the directory of one form's rows: this one, or the one in it."""
    if (path / REPORT).exists():
        return path
    exports = sorted(file.parent for file in path.glob(f"*/{REPORT}"))
    named = [export for export in exports if export.name == form]
    if len(named or exports) > 1:
        names = ", ".join(export.name for export in exports)
        raise StorageError(
            f"{path}: holds the same conversations in several forms ({names}); name one, such as {exports[0]}"
        )
    return (named or exports or [path])[0]


def _files_below(directory: Path) -> Iterator[Path]:
    for parent, directories, names in os.walk(directory):
        # Those of an export that is going on, or was killed, have an ending.
        directories[:] = [name for name in directories if "." not in name]
        yield from (Path(parent, name) for name in names if name.endswith(_SUFFIXES) and not name.startswith("."))


def _place(directory: Path, file: Path) -> tuple[int, str]:
    """Return by what files are put in order: the split that a part of its path begins with, then its name."""
    name = file.relative_to(directory).as_posix()
    splits = (
        number for number, split in enumerate(_SPLITS) if any(part.startswith(split) for part in Path(name).parts)
    )
    return next(splits, len(_SPLITS)), name


def _kind_of(path: Path) -> Kind:
    """Return how rows lie in a file.

    Raises:
        StorageError: It cannot be read, is empty, or is none that is known.
    """
    try:
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING)
    except OSError as error:
        raise dataset_file(path).refused(error, "read") from error
    text = beginning.removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n")
    if beginning.startswith(b"PAR1"):
        return Kind.PARQUET
    if text.startswith(b"["):
        return Kind.ARRAY
    if _begins_session(text):
        return Kind.SESSION
    if _is_spread(text) and _is_object(path):
        return Kind.OBJECT
    if text.startswith(b"{") or (path.suffix == ".jsonl" and text and b"\x00" not in text):
        return Kind.LINES
    if not text and len(beginning) < _BEGINNING:
        raise StorageError(f"{path}: the dataset is empty; name another one")
    what = next((what for magic, what in _NOT_READ.items() if beginning.startswith(magic)), None)
    raise StorageError(f"{path}: " + (what or "no dataset: it has to be JSON Lines, a JSON array or Parquet"))
