"""Reading an output: its conversations one after the other, in whatever way the JSON is laid out.

The file is never in memory as a whole. Where an element ends is found by its brackets and strings alone, so an element
can be read that is no valid JSON in itself; `core.samples` tells. What stands around the elements has to be right.
"""

from __future__ import annotations

import itertools
import re
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

from apep_datagen.core.errors import StorageError
from apep_datagen.core.processes import map_in_order
from apep_datagen.storage.faults import output_file

__all__ = ["NoArrayError", "map_chunks", "read_element_at", "read_elements", "read_lines"]

Result = TypeVar("Result")

_BLOCK = 1 << 18
# A chunk is full at the first of the two.
_ELEMENTS_IN_A_CHUNK = 200
_BYTES_IN_A_CHUNK = 1 << 20

_NOT_WHITE_SPACE = re.compile(rb"[^ \t\r\n]")
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
# An object without another in it, such as a message, is taken at once.
_FLAT_OBJECT = rb'\{[^"\[\]{}]*+(?:' + _STRING + rb'[^"\[\]{}]*+)*+\}'
_TOKEN = re.compile(_FLAT_OBJECT + b"|" + _STRING + rb'|["\[\]{}]', re.DOTALL)
_WHOLE_STRING = re.compile(_STRING, re.DOTALL)
_SCALAR = re.compile(rb'[^" \t\r\n,\[\]{}]*')
_QUOTE, _COMMA, _OPENING, _CLOSING = ord('"'), ord(","), ord("["), ord("]")
_OPENINGS, _CLOSINGS = frozenset(b"[{"), frozenset(b"]}")
_NO_ELEMENT = frozenset(b",]}:")
_END = -1
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NEXT_RUN = "if a run for it was killed, the next one mends its end"
_OTHER_FORM = "`apep-datagen import` takes datasets of other forms, such as JSON Lines, into an output"


class NoArrayError(StorageError):
    """A file can be read, and what stands around its elements is no JSON array."""


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield the elements of an output, in order, as the bytes of one JSON value each.

    Raises:
        StorageError: The file is missing or cannot be read, or what stands around its elements is no JSON array. Of a
            file that is torn, all that is whole is yielded before.
    """
    for _, element in read_elements(path):
        yield element


def read_elements(path: Path, behind: int = 0, *, longest: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield the elements of an output with the byte offset at which each begins; errors as for `read_lines`.

    Args:
        path: The output.
        behind: A byte offset behind an element; what stands before it is not looked at.
        longest: The most bytes of an element, for a file that nobody vouches for: it is refused at a longer one.
    """
    try:
        with path.open("rb", buffering=0) as file:
            if behind:
                file.seek(behind)
            yield from _split(_Window(file, behind, longest), path, is_begun=behind > 0)
    except FileNotFoundError as error:
        raise StorageError(f"{path}: there is no such file; name the output that is to be read") from error
    except OSError as error:
        raise output_file(path).refused(error, "read") from error


def read_element_at(path: Path, offset: int) -> bytes:
    """Return the element that begins at a byte offset, as `read_elements` has told it.

    Raises:
        StorageError: The file cannot be read, or was changed since.
    """
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(offset)
            window = _Window(file)
            if window.next_byte() not in {*_NO_ELEMENT, _END}:
                return window.take_element()
    except OSError as error:
        raise output_file(path).refused(error, "read") from error
    except _NoEndError:
        pass
    raise StorageError(f"{path}: the output was changed while it was read; start again")


def map_chunks(
    path: Path,
    function: Callable[[int, list[bytes]], Result],
    processes: int = 2,
    *,
    limit: int | None = None,
    offsets: array[int] | None = None,
) -> Iterator[Result]:
    """Yield what `function` makes of the elements of an output, some hundred at a time, in order.

    Args:
        path: The output.
        function: Is given the number of the first element, from 1, and the elements; see `map_in_order`.
        processes: In how many it runs.
        limit: How many elements are read; the file is not looked at behind them.
        offsets: Gets the byte offset of each element, for `read_element_at`.

    Raises:
        StorageError: As for `read_lines`.
    """
    return map_in_order(_chunks(path, limit, offsets), function, processes)


def _chunks(path: Path, limit: int | None, offsets: array[int] | None) -> Iterator[tuple[int, list[bytes]]]:
    number, elements, size = 1, [], 0
    for offset, element in itertools.islice(read_elements(path), limit):
        if offsets is not None:
            offsets.append(offset)
        elements.append(element)
        size += len(element)
        if len(elements) == _ELEMENTS_IN_A_CHUNK or size >= _BYTES_IN_A_CHUNK:
            yield number, elements
            number, elements, size = number + len(elements), [], 0
    if elements:
        yield number, elements


class _NoEndError(Exception):
    """An element does not end where it may; the message says how, up to where it begins."""


class _Window:
    """What of a file is in memory: from the element that is being read on.

    Args:
        file: Read from where it is.
        start: The byte offset where it is.
        longest: The most bytes of an element; None for any number.

    Attributes:
        start: Byte offset of `data` in what was read.
        data: Some bytes of the file.
        at: Index in `data` of what is to be read next.
    """

    def __init__(self, file: BinaryIO, start: int = 0, longest: int | None = None) -> None:
        self._file = file
        self._longest = longest
        self.start = start
        self.data = b""
        self.at = 0

    def next_byte(self) -> int:
        """Go to what is no white space, and return it; `_END` at the end of the file."""
        while not (found := _NOT_WHITE_SPACE.search(self.data, self.at)):
            self.at = len(self.data)
            if not self._extend():
                return _END
        self.at = found.start()
        return self.data[self.at]

    def has_opening(self) -> bool:
        """Go to what is no white space, and no byte order mark; tell whether an array begins there."""
        byte = self.next_byte()
        if self.data.startswith(_BYTE_ORDER_MARK, self.at):
            self.at += len(_BYTE_ORDER_MARK)
            byte = self.next_byte()
        return byte == _OPENING

    def take_element(self) -> bytes:
        """Return the element that begins here, and go behind it.

        Raises:
            _NoEndError: The file ends before it does, or it is longer than any may be.
        """
        while (end := _end_of_element(self.data, self.at)) is None:
            if self._longest is not None and len(self.data) - self.at > self._longest:
                raise _NoEndError("an element is far too long that begins")
            if not self._extend():
                raise _NoEndError("the file ends in the middle of the element that begins")
        element = self.data[self.at : end]
        self.at = end
        return element

    def _extend(self) -> bool:
        """Read on, and forget what lies behind; tell whether there was more."""
        rest = self.data[self.at :]
        more = self._file.read(max(_BLOCK, len(rest)))  # a long element is looked through a few times only
        self.start += self.at
        self.data = rest + more
        self.at = 0
        return bool(more)


def _split(window: _Window, path: Path, *, is_begun: bool) -> Iterator[tuple[int, bytes]]:
    def refusal(what: str, remedy: str = _NEXT_RUN) -> NoArrayError:
        at = window.start + window.at
        return NoArrayError(f"{path}: no JSON array of conversations: {what} at byte {at}; {remedy}")

    if not is_begun and not window.has_opening():
        is_empty = window.next_byte() == _END
        raise refusal("it does not begin with [", _NEXT_RUN if is_empty else _OTHER_FORM)
    byte = window.next_byte()
    if byte in (_OPENING, _COMMA):  # what the first element stands behind, at the beginning or further on
        window.at += 1
        byte = window.next_byte()
    while byte != _CLOSING:
        if byte == _END:
            raise refusal("the file ends before the array does")
        if byte in _NO_ELEMENT:
            raise refusal("an element is missing")
        place = window.start + window.at
        try:
            element = window.take_element()
        except _NoEndError as error:
            raise refusal(str(error)) from None
        yield place, element
        byte = window.next_byte()
        if byte == _COMMA:
            window.at += 1
            byte = window.next_byte()
            if byte == _CLOSING:
                raise refusal("an element is missing")
        elif byte not in (_CLOSING, _END):
            raise refusal("a comma is missing")
    window.at += 1
    if window.next_byte() != _END:
        raise refusal("there is something behind the array")


def _end_of_element(data: bytes, start: int) -> int | None:
    """Return the index behind the element that begins at `start`, or None where `data` ends before."""
    if data[start] == _QUOTE:
        string = _WHOLE_STRING.match(data, start)
        return string.end() if string else None
    if data[start] not in _OPENINGS:
        scalar = _SCALAR.match(data, start)
        assert scalar is not None  # noqa: S101 - it matches an empty text
        return scalar.end() if scalar.end() < len(data) else None
    depth = 0
    for token in _TOKEN.finditer(data, start):
        begin, end = token.span()
        if end - begin > 1:  # a string, or an object that is whole
            if depth == 0:
                return end
            continue
        byte = data[begin]
        if byte in _OPENINGS:
            depth += 1
        elif byte in _CLOSINGS:
            depth -= 1
            if depth == 0:
                return end
        else:
            return None  # a string that does not end in `data`
    return None
