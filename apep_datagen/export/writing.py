"""The files of one form: rows as they come, and at the end all that stands beside them."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from apep_datagen.export.line_file import LineFile
from apep_datagen.export.making import MadeOfTarget
from apep_datagen.export.parquet_file import ParquetFile
from apep_datagen.export.plan import Plan, Target
from apep_datagen.export.record import Continuation, read_continuation
from apep_datagen.export.row_file import RowFile
from apep_datagen.export.session_files import SessionFiles
from apep_datagen.formats.parquet import COLUMNS
from apep_datagen.formats.registry import FORMATS
from apep_datagen.storage.faults import StoredFile

__all__ = ["Digest", "TargetWriter", "continuation_of", "export_folder", "hash_range"]

_BLOCK = 1 << 20


class Digest(Protocol):
    """What `hashlib` makes."""

    def update(self, data: bytes, /) -> None:
        """Add bytes."""

    def hexdigest(self) -> str:
        """Return the digest of all of them, in hexadecimal."""


def export_folder(path: Path) -> StoredFile:
    """Return how to speak of a folder, or a file in it, that an export writes."""
    return StoredFile(path, "the export", "move it away, or name another --to")


class TargetWriter:
    """The data files of one form, written beside those that are there until `finish`.

    Args:
        directory: The folder of the form; it is made where it is missing.
        target: The form.
        plan: What belongs into its rows.
        digest: The same for exports that make the same rows of the same conversations.

    Attributes:
        made: What became of the conversations, and what was measured of the rows.

    Raises:
        StorageError: The folder cannot be written in.
    """

    def __init__(self, directory: Path, target: Target, plan: Plan, digest: str) -> None:
        self.directory = directory
        self.target = target
        self.digest = digest
        self.made = MadeOfTarget()
        self._container = FORMATS[target.name].container
        self._files: dict[str, RowFile] = {}
        with self._telling_errors():
            directory.mkdir(parents=True, exist_ok=True)
            for split in plan.splits.names:
                self._files[split] = self._open(split)

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Remove what was written and not finished."""
        for file in self._files.values():
            with contextlib.suppress(OSError):
                file.abandon()

    def _open(self, split: str) -> RowFile:
        if self._container == "parquet":
            return ParquetFile(self.directory, split, COLUMNS)
        if self._container == "sessions":
            return SessionFiles(self.directory, split)
        return LineFile(self.directory / f"{split}.jsonl")

    def go_on(self, continuation: Continuation) -> bool:
        """Begin with the rows that are there; tell whether they are what they were.

        Raises:
            StorageError: They cannot be copied.
        """
        files = {split: file for split, file in self._files.items() if isinstance(file, LineFile)}
        if len(files) < len(self._files) or files.keys() != continuation.files.keys():
            return False
        try:
            self.made = MadeOfTarget.from_json(continuation.made)
        except ValueError:
            return False
        with self._telling_errors():
            return all(file.go_on(continuation.files[split]) for split, file in files.items())

    def begin_anew(self) -> None:
        """Forget what was written."""
        self.made = MadeOfTarget()
        with self._telling_errors():
            for split, file in self._files.items():
                file.abandon()
                self._files[split] = self._open(split)

    def take(self, made: MadeOfTarget) -> None:
        """Write rows, and count what they are of.

        Raises:
            StorageError: They cannot be written.
        """
        self.made.add(made)
        with self._telling_errors():
            for split, lines in made.lines.items():
                file = self._files[split]
                assert isinstance(file, LineFile)  # noqa: S101 - the form has a row a line
                file.write_lines(bytes(lines))
            for split, rows in made.rows.items():
                for row in rows:
                    self._files[split].write(row)

    def finish(self) -> tuple[dict[str, list[str]], dict[str, dict[str, str | int]]]:
        """Let what was written take the place of what was there.

        Returns:
            The names of the data files, by split, and what each is, to be known again, where rows are lines.

        Raises:
            StorageError: It cannot be written.
        """
        with self._telling_errors():
            written = {split: dict(file.written()) for split, file in self._files.items() if isinstance(file, LineFile)}
            names = {split: file.finish() for split, file in self._files.items()}
        self._files = {}
        return names, written

    @contextlib.contextmanager
    def _telling_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise export_folder(self.directory).refused(error, "written") from error


def continuation_of(writers: Sequence[TargetWriter], source: Path) -> tuple[Continuation | None, Digest]:
    """Return from where all of these can go on, with the digest of the source up to there; None where they cannot.

    Raises:
        StorageError: A file cannot be read.
    """
    digest = hashlib.sha256()
    found = [read_continuation(writer.directory) for writer in writers]
    first = found[0] if found else None
    if first is None or not first.conversations:
        return None, digest
    for writer, each in zip(writers, found, strict=True):
        if each is None or each.digest != writer.digest:
            return None, digest
        if (each.conversations, each.end, each.source_sha256) != (first.conversations, first.end, first.source_sha256):
            return None, digest
    hash_range(digest, source, 0, first.end)
    if digest.hexdigest() != first.source_sha256:
        return None, hashlib.sha256()
    if all(writer.go_on(each) for writer, each in zip(writers, found, strict=True) if each is not None):
        return first, digest
    for writer in writers:
        writer.begin_anew()
    return None, hashlib.sha256()


def hash_range(digest: Digest, path: Path, start: int, stop: int) -> None:
    """Add the bytes of a file from one offset to another to a digest.

    Raises:
        StorageError: They cannot be read.
    """
    try:
        with path.open("rb") as file:
            file.seek(start)
            while (left := stop - file.tell()) > 0 and (block := file.read(min(left, _BLOCK))):
                digest.update(block)
    except OSError as error:
        raise export_folder(path).refused(error, "read") from error
