"""Adding conversations that another program made to an output, all in one step.

The new output, which is the old one with them behind, is written beside it, and takes its place whole (`os.replace`).
So whenever the process is killed, a reader finds the old output or the new one. What was there stays, byte for byte, up
to the closing bracket. A state database is told right behind that step; where a kill prevents it, the next start finds
an output to which another hand has added, and takes that over.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from apep_datagen.core.durable import sync_directory
from apep_datagen.core.errors import StorageError
from apep_datagen.core.paths import is_there
from apep_datagen.core.sample_json import parse_messages
from apep_datagen.storage.access import holds_run, in_use, lock_beside, lock_file, run_is_active, state_path
from apep_datagen.storage.faults import output_file, state_database
from apep_datagen.storage.known_conversations import KnownConversations
from apep_datagen.storage.opening import OpenedRun
from apep_datagen.storage.output import CLOSING, element_bytes
from apep_datagen.storage.output_reader import read_elements
from apep_datagen.storage.replacement import refuse_second_name, replacement_path

__all__ = ["Addition", "adding_to", "looking_at"]

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class _Present:
    """What of an output is there.

    Attributes:
        count: Conversations in it.
        end: Byte offset behind the last of them; 0 where there is none.
        seen: Inode, size and time of the last change, by which a change is noticed; None where there is no file.
    """

    count: int
    end: int
    seen: tuple[int, int, int] | None


class Addition:
    """An output to which conversations are added; nothing of it is changed until `finish`.

    Args:
        output: The output; there need not be one.
        known: Learns what is in it.

    Attributes:
        added: How many conversations were added.

    Raises:
        StorageError: The output cannot be read, or is no array of conversations.
    """

    def __init__(self, output: Path, known: KnownConversations) -> None:
        self.added = 0
        self._output = output
        self._new = replacement_path(output)
        self._file: BinaryIO | None = None
        self._there = _learn(output, known)

    @property
    def count(self) -> int:
        """How many conversations the output holds with those that were added."""
        return self._there.count + self.added

    def add(self, line: str) -> None:
        """Add a conversation, as one line of JSON.

        Raises:
            StorageError: The disk refuses.
        """
        with self._telling_errors():
            if self._file is None:
                self._file = self._begin()
            self._file.write(element_bytes(line, first=self.count == 0))
        self.added += 1

    def finish(self) -> int:
        """Let the new output take the place of the old one, when all of it is on the disk, if anything was added.

        Returns:
            The byte offset in it behind the last conversation; 0 if nothing was added.

        Raises:
            StorageError: The disk refuses, or another hand has changed the old output meanwhile. That is as it was.
        """
        if self._file is None:
            return 0
        with self._telling_errors():
            end = self._file.tell()
            self._file.write(CLOSING)
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            if _seen(self._output) != self._there.seen:
                raise StorageError(
                    f"{self._output}: the output was changed by another hand meanwhile; nothing was added to it. Start"
                    " again"
                )
            if self._there.seen is not None and self._there.seen[1]:
                shutil.copymode(self._output, self._new)
            self._new.replace(os.path.realpath(self._output))
            sync_directory(self._new.parent)
        return end

    def close(self) -> None:
        """Remove what was begun and not finished."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # a full disk refuses what is in the buffer once more
                self._file.close()
            with contextlib.suppress(OSError):  # what is left is taken away by whoever is next
                self._new.unlink(missing_ok=True)

    def _begin(self) -> BinaryIO:
        """Begin the new output with what is in the old one, but for the closing bracket."""
        file = self._new.open("wb", buffering=_BLOCK)
        if not self._there.count:
            file.write(b"[")
            return file
        with self._output.open("rb") as old:
            while (left := self._there.end - old.tell()) > 0 and (block := old.read(min(left, _BLOCK))):
                file.write(block)
        return file

    @contextlib.contextmanager
    def _telling_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise output_file(self._output).refused(error, "written") from error


@contextlib.contextmanager
def adding_to(output: Path, known: KnownConversations, notify: Callable[[str], None]) -> Iterator[Addition]:
    """Open an output, for this process alone, to add conversations to it; they are there when this ends without error.

    Args:
        output: The output; it and its directory are made if they are missing and anything is added.
        known: Learns what is in it.
        notify: Is told, in a sentence, what was found and mended.

    Raises:
        StorageError: Another process works on it, it cannot be read or written, or is no array of conversations.
    """
    with contextlib.ExitStack() as opened:
        run = _open(output, notify, opened)
        if is_there(output):
            refuse_second_name(output)
        with contextlib.suppress(OSError):  # it only takes room: begun by a command that was killed
            replacement_path(output).unlink(missing_ok=True)
        addition = Addition(output, known)
        opened.callback(addition.close)
        yield addition
        end = addition.finish()
        if run is not None and end:
            with run.file.reading("used"):
                run.projection.take_over(addition.count, end)


@contextlib.contextmanager
def looking_at(output: Path, known: KnownConversations) -> Iterator[Addition]:
    """Open an output to see what would be added, without making or changing any file; whatever is added is lost.

    Raises:
        StorageError: A process works on it, it cannot be read, or is no array of conversations.
    """
    if run_is_active(state_path(output)):
        raise in_use(state_path(output))
    yield _Imagined(output, known)


class _Imagined(Addition):
    """An addition that is only counted."""

    def add(self, line: str) -> None:  # noqa: ARG002 - nothing is written
        self.added += 1


def _open(output: Path, notify: Callable[[str], None], opened: contextlib.ExitStack) -> OpenedRun | None:
    """Have an output for this process alone until `opened` is closed; return its run, or None if it has none."""
    path = state_path(output)
    lock = lock_beside(path)
    with contextlib.ExitStack() as locked:
        locked.callback(lock.release)
        with state_database(path).reading("used"):
            has_run = holds_run(path)
        if not has_run:
            if is_there(output):
                opened.enter_context(lock_file(output))
            opened.push(locked.pop_all())
            return None
    run = OpenedRun(output, seed=0, notify=notify)
    opened.callback(run.close)
    return run


def _learn(output: Path, known: KnownConversations) -> _Present:
    """Learn what an output holds."""
    seen = _seen(output)
    if seen is None or not seen[1]:
        return _Present(0, 0, seen)
    count = end = 0
    for count, (start, element) in enumerate(read_elements(output), start=1):
        messages = parse_messages(element)
        if messages is None:
            raise StorageError(
                f"{output}: element {count} is no conversation; it is left as it is; name another file with --output,"
                " or move this one away"
            )
        known.learn(messages)
        end = start + len(element)
    return _Present(count, end, seen)


def _seen(output: Path) -> tuple[int, int, int] | None:
    try:
        status = output.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise output_file(output).refused(error, "read") from error
    return (status.st_ino, status.st_size, status.st_mtime_ns)
