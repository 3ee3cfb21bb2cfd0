"""The file in which a chat keeps Ada's memory and diary."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import filelock
from pydantic import BaseModel, ConfigDict

from apep_datagen.core.durable import sync_directory
from apep_datagen.core.errors import SettingsError, StorageError
from apep_datagen.core.files import read_text, validate
from apep_datagen.core.notebook import Note, Notes

__all__ = ["NotesFile"]


class _StoredNote(BaseModel):
    model_config = ConfigDict(extra="forbid")
    date: str
    text: str


class _StoredNotes(BaseModel):
    model_config = ConfigDict(extra="forbid")
    memory: tuple[_StoredNote, ...] = ()
    diary: tuple[_StoredNote, ...] = ()


@dataclass(frozen=True, slots=True)
class NotesFile:
    """A file that holds a memory and a diary, as JSON that a person can read and change.

    Attributes:
        path: Where it is; links are followed.
    """

    path: Path

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep every other chat from it.

        Raises:
            StorageError: Another chat has it, or its directory cannot be written.
        """
        lock = filelock.FileLock(f"{self.path}.lock", timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise StorageError(f"{self.path}: another chat uses these notes; end it, or name other --notes") from error
        except OSError as error:
            raise StorageError(
                f"{self.path}: its lock cannot be taken ({error.strerror}); name other --notes"
            ) from error
        try:
            yield
        finally:
            lock.release()

    def read(self) -> Notes:
        """Return what it holds; nothing where it is not there.

        Raises:
            SettingsError: It cannot be read, or holds something else.
        """
        if not os.path.lexists(self.path):
            return Notes()
        try:
            values = json.loads(read_text(self.path, "the notes"))
        except (ValueError, RecursionError) as error:
            raise SettingsError(
                f"{self.path}: these are no notes: no valid JSON; mend it, or name other --notes"
            ) from error
        stored = validate(_StoredNotes, values, str(self.path))
        return Notes(*(_numbered(shelf) for shelf in (stored.memory, stored.diary)))

    def write(self, notes: Notes) -> None:
        """Put these notes in place of what it holds, all at once and on the disk.

        Raises:
            StorageError: That could not be done; it holds what it held before.
        """
        shelves = {"memory": notes.memory, "diary": notes.diary}
        stored = {name: [{"date": note.date, "text": note.text} for note in shelf] for name, shelf in shelves.items()}
        path = self.path.resolve()
        new = path.with_name(f"{path.name}.new")
        try:
            # What a person tells a friend is nobody else's to read.
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123 - of a descriptor
                file.write(json.dumps(stored, ensure_ascii=False, indent=2) + "\n")
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
            sync_directory(path.parent)
        except OSError as error:
            raise StorageError(f"{path}: the notes could not be written ({error.strerror})") from error


def _numbered(stored: tuple[_StoredNote, ...]) -> tuple[Note, ...]:
    return tuple(Note(index, note.date, note.text) for index, note in enumerate(stored, start=1))
