r"""The output: one JSON array, a conversation a line, valid whenever the process can be killed.

What it guarantees:

- A new element and the closing bracket go out in one write at the place of the old closing bracket, so the cost of an
  append does not depend on the size of the file.
- `append` returns when the bytes are on the disk. What a power cut or a kill in the middle of a write tears off lies
  behind the last append that returned; `OutputFile.truncate` cuts it off and the caller appends it again.
- What another program wrote before our first element is never changed, not even its white space.
- Nothing is written any more where another hand has moved, replaced, shortened or lengthened the file meanwhile.

The trade-off: a reader that looks in the middle of a write can see a torn last line.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apep_datagen.core.errors import StorageError
from apep_datagen.core.paths import is_at
from apep_datagen.storage.contents import DATASET, Contents
from apep_datagen.storage.faults import output_file

__all__ = ["CLOSING", "ForeignOutput", "OutputFile", "element_bytes", "inspect_output", "is_array_of", "is_json"]

_OPENING = b"[\n"
CLOSING = b"\n]\n"
"""What stands behind the last element."""
_EMPTY = b"[\n]\n"
_LONGEST_TAIL = 1 << 16


def element_bytes(line: str, *, first: bool) -> bytes:
    """Return what stands in the file for one conversation: its line, and what separates it from the one before."""
    return (b"\n" if first else b",\n") + line.encode()


@dataclass(frozen=True, slots=True)
class ForeignOutput:
    """A valid array that is there already.

    Attributes:
        elements: The conversations that it holds.
        end: Byte offset behind its last element, or behind its opening bracket.
    """

    elements: list[Any]
    end: int


def inspect_output(path: Path, contents: Contents = DATASET) -> ForeignOutput | None:
    """Read an output that somebody else wrote, without touching it.

    Args:
        path: Where it is.
        contents: What it is to hold.

    Returns:
        What it holds, or None if there is no file, or one without a byte in it.

    Raises:
        StorageError: It cannot be read, or is no array of that.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise output_file(path).refused(error, "read") from error
    if not content:
        return None
    remedy = "it is left as it is; name another file with --output, or move this one away"
    try:
        value = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise StorageError(f"{path}: no valid JSON ({error}); {remedy}") from error
    if not isinstance(value, list):
        raise StorageError(f"{path}: holds no JSON array; {remedy}")
    for number, element in enumerate(value, start=1):
        if not contents.is_element(element):
            raise StorageError(f"{path}: element {number} is no {contents.element}; {remedy}")
    end = len(content[: content.rindex(b"]")].rstrip(b" \t\r\n"))
    return ForeignOutput(value, end)


def is_json(path: Path) -> bool:
    """Tell whether a file holds valid JSON."""
    try:
        json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return True


def is_array_of(path: Path, end: int, count: int) -> bool:
    """Tell whether a file up to byte offset `end` is an array of `count` elements that lacks its closing bracket."""
    try:
        value = json.loads(path.read_bytes()[:end] + b"]")
    except (ValueError, RecursionError):
        return False
    return isinstance(value, list) and len(value) == count


class OutputFile:
    """The output, open for appending.

    Args:
        path: Where it is; directories above it and the file itself are made if they are missing.
        end: Byte offset behind the last element, or behind the opening bracket.
        count: How many elements there are before `end`.

    Raises:
        StorageError: The file cannot be opened for writing.
    """

    def __init__(self, path: Path, *, end: int = 1, count: int = 0) -> None:
        self.path = path
        self.end = end
        self.count = count
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o644)
            self._file = path.open("r+b", buffering=0)
            self._size = self._file.seek(0, os.SEEK_END)
            if self._size == 0:
                self._write(_EMPTY, 0)
                os.fsync(self._file.fileno())
                self._size = len(_EMPTY)
        except OSError as error:
            raise output_file(self.path).refused(error, "written") from error

    def append(self, lines: Sequence[str]) -> None:
        """Append conversations, each one line of JSON, and wait until they are on the disk.

        Raises:
            StorageError: The disk refused; the file is as it was before, as far as the disk permits. Or another hand
                has changed the file; it is left as that has made it.
        """
        if not lines:
            return
        self.check_untouched()
        content = b"".join(element_bytes(line, first=self.count + number == 0) for number, line in enumerate(lines))
        written = content + CLOSING
        try:
            # Another program's white space can reach further than what is written. It is blanked in the same write,
            # as its closing bracket would follow ours.
            beyond = self._size - (self.end + len(written))
            self._write(written + b" " * beyond, self.end)
            if beyond > 0:
                self._file.truncate(self.end + len(written))
            os.fsync(self._file.fileno())
        except OSError as error:
            self.truncate()
            raise output_file(self.path).refused(error, "written") from error
        self._size = self.end + len(written)
        self.end += len(content)
        self.count += len(lines)

    def check_untouched(self) -> None:
        """Refuse to go on where the file is not as it was left: what is known of its bytes is no longer so.

        Raises:
            StorageError: Another hand has moved or changed it.
        """
        try:
            status = os.fstat(self._file.fileno())
        except OSError as error:
            raise output_file(self.path).refused(error, "read") from error
        if not is_at(self.path, status):
            what = "was moved, deleted or replaced"
        elif status.st_size != self._size:
            what = "was changed"
        else:
            return
        raise StorageError(
            f"{self.path}: the output {what} by another hand while this run went on; nothing more is written to it."
            " Everything is saved: start again, and what is missing is written behind what is there then"
        )

    def advance_if_present(self, line: str) -> bool:
        """Tell whether the element behind `end` is `line`; if so, count it in."""
        content = element_bytes(line, first=self.count == 0)
        if not self.has_at(self.end, content):
            return False
        self.end += len(content)
        self.count += 1
        return True

    def has_at(self, offset: int, content: bytes) -> bool:
        """Tell whether the file has `content` at a byte offset."""
        return self._read(len(content), offset) == content

    def ends_cleanly(self) -> bool:
        """Tell whether behind `end` there is the closing bracket and nothing else but white space."""
        return self._read(_LONGEST_TAIL, self.end).strip() == b"]"

    def truncate(self) -> None:
        """Cut off everything behind `end` and close the array there. Needs no new space on the disk."""
        try:
            self._end_with(CLOSING)
        except OSError:
            try:
                self._end_with(b"]")  # all that an array without line breaks has room for on a full disk
            except OSError as error:
                raise output_file(self.path).refused(error, "written") from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read(self, length: int, offset: int) -> bytes:
        try:
            self._file.seek(offset)
            return self._file.read(length)
        except OSError as error:
            raise output_file(self.path).refused(error, "read") from error

    def _write(self, content: bytes, offset: int) -> None:
        self._file.seek(offset)
        while content:  # one write, unless the disk takes only a part of it
            content = content[self._file.write(content) :]

    def _end_with(self, closing: bytes) -> None:
        self._write(closing, self.end)
        self._size = self._file.truncate(self.end + len(closing))
        os.fsync(self._file.fileno())
