"""The files of one form: rows as they come, and at the end all that stands beside them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from apep_datagen.core.errors import StorageError
from apep_datagen.export.folder import claim, export_folder
from apep_datagen.export.line_file import LineFile
from apep_datagen.export.making import MadeOfTarget
from apep_datagen.export.parquet_file import ParquetFile
from apep_datagen.export.plan import Plan, Target
from apep_datagen.export.record import Continuation, read_continuation
from apep_datagen.export.row_file import RowFile
from apep_datagen.export.session_files import SessionFiles
from apep_datagen.export.source import SourceDigest
from apep_datagen.formats.parquet import COLUMNS
from apep_datagen.formats.registry import FORMATS

__all__ = ["TargetWriter", "go_on"]


class TargetWriter:
    """The data files of one form, written beside those that are there until `finish`.

    Args:
        directory: The folder of the form, opened by `opened_folder`.
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
        try:
            with self._telling_errors():
                for split in plan.splits.names:
                    self._files[split] = self._open(split)
        except StorageError:
            self._abandon()
            raise

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Remove what was written and not finished."""
        self._abandon()

    def _abandon(self) -> None:
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
            claim(self.directory, (name.rstrip("/") for file in self._files.values() for name in file.names))
            names = {split: file.finish() for split, file in self._files.items()}
        self._files = {}
        return names, written

    @contextlib.contextmanager
    def _telling_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise export_folder(self.directory).refused(error, "written") from error


def go_on(writers: Sequence[TargetWriter], source: Path) -> SourceDigest:
    """Let all of these begin with the rows that are there, where these are still those of the source's beginning.

    Returns:
        What was read of the source to make these rows; nothing where one of them has to begin anew, and so all have.
    """
    found = [read_continuation(writer.directory) for writer in writers]
    first = found[0] if found else None
    if first is None or not first.conversations:
        return SourceDigest()
    for writer, each in zip(writers, found, strict=True):
        if each is None or each.digest != writer.digest or each.place != first.place:
            return SourceDigest()
    digest = SourceDigest.of(source, first.conversations)
    if digest is None or (digest.conversations, digest.end, digest.hexdigest()) != first.place:
        return SourceDigest()
    if all(writer.go_on(each) for writer, each in zip(writers, found, strict=True) if each is not None):
        return digest
    for writer in writers:
        writer.begin_anew()
    return SourceDigest()
