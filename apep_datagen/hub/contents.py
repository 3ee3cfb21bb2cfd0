"""What a dataset's directory holds, what the hub has of it, and what is to be changed there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.hub.marker import MARKER

__all__ = [
    "CARD",
    "FOLDERS",
    "Changes",
    "LocalFile",
    "RemoteFile",
    "changes_between",
    "digest_of_data",
    "is_of_dataset",
    "read_directory",
    "read_file",
    "stages",
]

CARD = "README.md"
FOLDERS = ("parquet", "traces")
"""The folders of a dataset, by the forms that are in them."""

# What `upload_folder` of huggingface_hub 2.4 begins with; the hub may be too slow for a commit of more.
_FILES_OF_COMMIT = 250
_BLOCK = 1 << 20
_DATA_FILE = re.compile(
    r"(?:parquet|traces)/(?:train|validation|test)-\d{5,}\.parquet|traces/(?:train|validation|test)/[0-9a-f]/[^/]+\.jsonl"
)


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of a dataset.

    Attributes:
        path: Where it is.
        size: In bytes.
        sha256: Of its content, as hexadecimal digits; by it the hub knows a large file.
        blob: Git's hash of its content, by which the hub knows a small one.
    """

    path: Path
    size: int
    sha256: str
    blob: str


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file on the hub: its SHA-256 where it is a large one, and Git's hash of it where it is not."""

    sha256: str | None
    blob: str | None

    def is_as(self, file: LocalFile) -> bool:
        """Tell whether it holds what a local file holds."""
        return file.sha256 == self.sha256 if self.sha256 is not None else file.blob == self.blob


@dataclass(frozen=True, slots=True)
class Changes:
    """What makes the hub's files those of a directory: the names of files to be written, and to be removed."""

    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether there is anything to do."""
        return bool(self.written or self.removed)


def is_of_dataset(name: str) -> bool:
    """Tell whether a file is written by `push`; what else there is, is somebody else's."""
    return name in (CARD, MARKER) or _DATA_FILE.fullmatch(name) is not None


def read_directory(directory: Path) -> dict[str, LocalFile]:
    """Return the files of a dataset, by name, with `/` between folders.

    Raises:
        OSError: One cannot be read.
    """
    names = sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())
    return {name: read_file(directory / name) for name in names if is_of_dataset(name)}


def read_file(path: Path) -> LocalFile:
    """Return what a file of a dataset is.

    Raises:
        OSError: It cannot be read.
    """
    size = path.stat().st_size
    sha256 = hashlib.sha256()
    blob = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            sha256.update(block)
            blob.update(block)
    return LocalFile(path, size, sha256.hexdigest(), blob.hexdigest())


def changes_between(local: Mapping[str, LocalFile], remote: Mapping[str, RemoteFile]) -> Changes:
    """Return what has to be changed on the hub; a file that is none of a dataset's is never removed."""
    return Changes(
        written=tuple(name for name, file in local.items() if name not in remote or not remote[name].is_as(file)),
        removed=tuple(sorted(name for name in remote if is_of_dataset(name) and name not in local)),
    )


def stages(changes: Changes) -> Iterator[Changes]:
    """Yield changes as the commits in which they are made, in order: one, unless there are many files.

    Then sessions, which are many, come first, and rows and card in the last commit, together: at no time does the card
    tell of other rows than there are. The marker is in the first commit, so that a dataset is known from then on.
    """
    names = [(name, True) for name in changes.written] + [(name, False) for name in changes.removed]
    if len(names) <= _FILES_OF_COMMIT:
        if names:
            yield changes
        return
    many = [item for item in names if item[0].endswith(".jsonl")]
    few = [item for item in names if item not in set(many) and item[0] != MARKER]
    many[:0] = [item for item in names if item[0] == MARKER]
    for start in range(0, len(many), _FILES_OF_COMMIT):
        yield _together(many[start : start + _FILES_OF_COMMIT])
    if few:
        yield _together(few)


def _together(names: Sequence[tuple[str, bool]]) -> Changes:
    return Changes(
        tuple(name for name, is_written in names if is_written),
        tuple(name for name, is_written in names if not is_written),
    )


def digest_of_data(files: Mapping[str, LocalFile]) -> str:
    """Return eight digits that stand for all rows and sessions, whatever the card says of them."""
    digest = hashlib.blake2b(digest_size=4)
    for name in sorted(files):
        if name not in (CARD, MARKER):
            digest.update(f"{name}\0{files[name].sha256}\n".encode())
    return digest.hexdigest()
