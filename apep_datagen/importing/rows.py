"""The rows of a dataset, one after the other: what is no row is told by its place, and ends nothing."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apep_datagen.core.errors import StorageError
from apep_datagen.formats.format import Row
from apep_datagen.formats.traces import read_session
from apep_datagen.importing.source import LONGEST_ROW, Kind, Source, dataset_file
from apep_datagen.storage.output_reader import NoArrayError, read_elements

__all__ = ["NotTakenError", "ReadRow", "parse_json", "parse_row", "read_rows"]

_BLOCK = 1 << 18
_ROWS_AT_ONCE = 100
_NO_JSON = "it is no valid JSON"
_TOO_LONG = f"it is longer than {LONGEST_ROW >> 20} MiB"


class NotTakenError(ValueError):
    """A row is not taken; the message says why, without anything of the row."""


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row, or why there is none.

    Attributes:
        place: Where it is: a number from 1, of a line or of an element, behind the name of its file if there are more.
        row: What it holds; None where it cannot be read.
        reason: Why it cannot be read.
    """

    place: str
    row: Row | None
    reason: str = ""

    def checked(self) -> Row:
        """Return what it holds.

        Raises:
            NotTakenError: It cannot be read.
        """
        if self.row is None:
            raise NotTakenError(self.reason)
        return self.row


def read_rows(source: Source) -> Iterator[ReadRow]:
    """Yield the rows of all files, in order.

    Raises:
        StorageError: A file cannot be read, or is nothing that its first bytes said.
    """
    readers = {
        Kind.ARRAY: _rows_of_array,
        Kind.LINES: _rows_of_lines,
        Kind.OBJECT: _row_of_object,
        Kind.SESSION: _row_of_session,
        Kind.PARQUET: _rows_of_parquet,
    }
    for file in source.files:
        for number, row, reason in readers[file.kind](file.path):
            yield ReadRow(f"{file.name} {number}".strip(), row, reason)


def parse_row(text: bytes) -> Row:
    """Read a row that is JSON.

    Raises:
        NotTakenError: It is none.
    """
    try:
        value = parse_json(text.decode())
    except UnicodeDecodeError as error:
        raise NotTakenError("it is no UTF-8") from error
    if not isinstance(value, dict):
        raise NotTakenError("it is no object")
    return value


def parse_json(text: str) -> Any:
    """Read JSON.

    Raises:
        NotTakenError: It is none, or a key is there twice, of which one would be lost.
    """
    try:
        return json.loads(text, object_pairs_hook=_object)
    except RecursionError as error:
        raise NotTakenError("it is nested too deep") from error
    except _TwiceError as error:
        raise NotTakenError("a key is there twice") from error
    except ValueError as error:
        raise NotTakenError(_NO_JSON) from error


class _TwiceError(Exception):
    """A key is there twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _TwiceError
    return found


_Numbered = Iterator[tuple[int, Row | None, str]]


def _parsed(text: bytes) -> tuple[Row | None, str]:
    try:
        return parse_row(text), ""
    except NotTakenError as error:
        return None, str(error)


def _rows_of_array(path: Path) -> _Numbered:
    number = 0
    try:
        for number, (_, element) in enumerate(read_elements(path, longest=LONGEST_ROW), start=1):
            yield number, *_parsed(element)
    except NoArrayError:
        if not number:
            raise
        yield number + 1, None, "the array is torn off or damaged here; what follows was not read"


def _rows_of_lines(path: Path) -> _Numbered:
    try:
        with path.open("rb", buffering=_BLOCK) as file:
            number = 0
            while line := file.readline(LONGEST_ROW + 1):
                number += 1
                if len(line) > LONGEST_ROW:
                    while line and not line.endswith(b"\n"):
                        line = file.readline(_BLOCK)
                    yield number, None, _TOO_LONG
                    continue
                text = (line.removeprefix(codecs.BOM_UTF8) if number == 1 else line).strip()
                if text:
                    row, reason = _parsed(text)
                    is_torn = reason == _NO_JSON and not line.endswith(b"\n")
                    yield number, row, "it is the last line, and torn off" if is_torn else reason
    except OSError as error:
        raise dataset_file(path).refused(error, "read") from error


def _row_of_object(path: Path) -> _Numbered:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise dataset_file(path).refused(error, "read") from error
    yield 1, *_parsed(text.removeprefix(codecs.BOM_UTF8))


def _row_of_session(path: Path) -> _Numbered:
    try:
        if path.stat().st_size > LONGEST_ROW:
            yield 1, None, _TOO_LONG
            return
        text = path.read_bytes()
    except OSError as error:
        raise dataset_file(path).refused(error, "read") from error
    try:
        row = read_session(text.decode("utf-8-sig").split("\n"))
    except (ValueError, RecursionError):
        yield 1, None, "it is a session in which something else than messages is, or a line is no valid JSON"
    else:
        yield 1, row, ""


def _rows_of_parquet(path: Path) -> _Numbered:
    import pyarrow as pa
    from pyarrow import parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row, ""
    except OSError as error:
        raise dataset_file(path).refused(error, "read") from error
    except (pa.ArrowException, ValueError, RecursionError) as error:
        if not number:
            raise StorageError(f"{path}: the Parquet file cannot be read; make it anew, or name another one") from error
        yield number + 1, None, "the file is damaged here; what follows was not read"
