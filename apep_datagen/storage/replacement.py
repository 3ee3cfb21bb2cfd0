"""Writing the output anew, where something in the middle of it is to leave it or to become something else.

The state database says first, in the transaction in which it changes, how the new output follows from the one that is
there: which bytes of what was there before the run are left out, and that all behind them comes from `samples`. The new
one is then written beside the old one, and takes its place in one step (`os.replace`). Until that is recorded as done
(`run.replacing` is null again), each start does it, unless the output is not the old one any more. So whenever the
process is killed, a reader finds the old output or the new one, whole, and database and output come together again.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from apep_datagen.core.durable import sync_directory
from apep_datagen.core.errors import StorageError
from apep_datagen.storage.checked import CHECKED
from apep_datagen.storage.faults import output_file
from apep_datagen.storage.output import CLOSING, element_bytes
from apep_datagen.storage.output_reader import read_elements

__all__ = ["finish_replacement", "plan_replacement", "refuse_second_name", "replacement_path"]

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, config=CHECKED)
class _Cut:
    """Bytes of the old output that the new one has not.

    Attributes:
        start: Where they begin.
        stop: Where they end.
        conversation_id: The conversation that stands there instead, or None.
        text: What stands there instead where it is no conversation of the run's.
    """

    start: int
    stop: int
    conversation_id: int | None
    text: str = ""


@dataclass(frozen=True, slots=True, config=CHECKED)
class _Replacement:
    """How a new output follows from the one that is there.

    Attributes:
        digest: Of the one that is there, in hexadecimal.
        base_end: Byte offset in it behind what was there before the run.
        cuts: What of that is left out, in order.
    """

    digest: str
    base_end: int
    cuts: tuple[_Cut, ...]


def replacement_path(output: Path) -> Path:
    """Return where an output is written anew before it takes the place of the old one: in the same directory."""
    try:
        whole = Path(os.path.realpath(output))
    except OSError:  # without a working directory; whoever opens the output says so
        whole = output
    return whole.with_name(output.stem + ".state.new")


def plan_replacement(
    connection: sqlite3.Connection, output: Path, gone: Mapping[int, int | None], back: Sequence[str] = ()
) -> None:
    """Let the output be written anew behind the next commit, by `finish_replacement`.

    Samples were deleted or changed in the same transaction, which the caller commits. Those that are left are numbered
    anew, in their order.

    Args:
        connection: The state database.
        output: The output, as the database knows it.
        gone: Which elements of what was there before the run (`base_count`), by their number from 1, are to leave it:
            with the conversation whose sample stands there instead, or None.
        back: What comes behind those of them that are left, each a JSON text.

    Raises:
        StorageError: The output cannot be read, or cannot be replaced.
    """
    refuse_second_name(output)
    with _telling_errors(output, "read"):
        digest = _digest(output)
    base_count, base_end, base_position, synced_position = connection.execute(
        "SELECT base_count, base_end, base_position, synced_position FROM run"
    ).fetchone()
    cuts = _cuts(output, base_count, base_end, gone)
    left = base_count - sum(instead is None for instead in gone.values())
    count = left + len(back)
    if back:
        text = "".join(element_bytes(line, first=left + at == 0).decode() for at, line in enumerate(back))
        cuts = (*cuts, _Cut(base_end, base_end, None, text))
    replacement = _Replacement(digest, base_end, cuts)
    end = base_end - sum(cut.stop - cut.start for cut in cuts)
    end += sum(len(_instead(connection, cut)) for cut in cuts)
    still_in_base, still_synced = (
        connection.execute("SELECT count(*) FROM samples WHERE position <= ?", (position,)).fetchone()[0]
        for position in (base_position, synced_position)
    )
    connection.execute(
        "UPDATE run SET base_count = ?, base_end = ?, base_position = ?, synced_position = ?, replacing = ?",
        (count, end, still_in_base, still_synced, _replacements().dump_json(replacement).decode()),
    )
    _number_anew(connection, still_in_base, end, first=count == 0)


def refuse_second_name(output: Path) -> None:
    """Refuse to write an output anew that has two names, by a hard link: it would be another file under each.

    Raises:
        StorageError: It has, or is not there.
    """
    with _telling_errors(output, "read"):
        if output.stat().st_nlink > 1:
            raise StorageError(
                f"{output}: the output has another name, by a hard link, under which it would stay as it is; let it"
                " have one name, then start again"
            )


def finish_replacement(connection: sqlite3.Connection, output: Path) -> bool:
    """Write the output anew, if that is to be done and not done yet; tell whether it was.

    Raises:
        StorageError: It cannot be written; the old one is still there, and the next start does it.
        ValueError: What is to be done makes no sense.
    """
    (text,) = connection.execute("SELECT replacing FROM run").fetchone()
    new = replacement_path(output)
    if text is None:
        with contextlib.suppress(OSError):  # it only takes room: begun by another command that was killed
            new.unlink(missing_ok=True)
        return False
    replacement = _replacements().validate_json(text)
    with _telling_errors(output, "written"):
        is_due = output.exists() and _digest(output) == replacement.digest
        if is_due:
            _write(connection, output, new, replacement)
            new.replace(os.path.realpath(output))
            sync_directory(new.parent)
        new.unlink(missing_ok=True)  # one that was begun, for an output that another hand has changed since
    connection.execute("UPDATE run SET replacing = NULL")
    return is_due


def _cuts(output: Path, base_count: int, base_end: int, gone: Mapping[int, int | None]) -> tuple[_Cut, ...]:
    """Return which bytes leave the output with the elements that do, so that what stays is an array."""
    if not gone:
        return ()
    cuts: list[_Cut] = []
    first_start = last_stop = 0
    has_kept = False
    for number, (start, element) in enumerate(islice(read_elements(output), base_count), start=1):
        stop = start + len(element)
        first_start = first_start or start  # a bracket stands before it
        if number in gone and gone[number] is None:
            if has_kept:  # with the comma before it
                cuts.append(_Cut(last_stop, stop, None))
        else:
            if not has_kept and start > first_start:
                cuts.append(_Cut(first_start, start, None))
            if number in gone:
                cuts.append(_Cut(start, stop, gone[number]))
            has_kept = True
        last_stop = stop
    if not has_kept:
        with output.open("rb") as file:
            cuts.append(_Cut(file.read(first_start).index(b"[") + 1, base_end, None))
    return tuple(cuts)


def _number_anew(connection: sqlite3.Connection, in_base: int, end: int, *, first: bool) -> None:
    """Give the samples that are left positions without gaps, and say where those behind the base end, in bytes."""
    old_position = new_position = 0
    while row := connection.execute(
        "SELECT position, line, end FROM samples WHERE position > ? ORDER BY position LIMIT 1", (old_position,)
    ).fetchone():
        old_position, line, old_end = row
        new_position += 1
        if new_position > in_base:
            end += len(element_bytes(line, first=first))
            first = False
        new_end = end if new_position > in_base else old_end
        if (old_position, old_end) != (new_position, new_end):
            connection.execute(
                "UPDATE samples SET position = ?, end = ? WHERE position = ?", (new_position, new_end, old_position)
            )


def _write(connection: sqlite3.Connection, output: Path, new: Path, replacement: _Replacement) -> None:
    """Write the new output, whole, and wait until it is on the disk."""
    base_count, base_position = connection.execute("SELECT base_count, base_position FROM run").fetchone()
    with output.open("rb") as old, new.open("wb") as file:
        for cut in (*replacement.cuts, _Cut(replacement.base_end, replacement.base_end, None)):
            _copy(old, file, cut.start)
            file.write(_instead(connection, cut))
            old.seek(cut.stop)
        rows = connection.execute("SELECT line FROM samples WHERE position > ? ORDER BY position", (base_position,))
        for number, (line,) in enumerate(rows):
            file.write(element_bytes(line, first=base_count + number == 0))
        file.write(CLOSING)
        file.flush()
        os.fsync(file.fileno())
    shutil.copymode(output, new)


def _copy(old: BinaryIO, new: BinaryIO, stop: int) -> None:
    """Copy from where the old file is read up to a byte offset in it."""
    while (left := stop - old.tell()) > 0 and (block := old.read(min(left, _BLOCK))):
        new.write(block)


def _instead(connection: sqlite3.Connection, cut: _Cut) -> bytes:
    """Return what stands in the place of a cut."""
    if cut.conversation_id is None:
        return cut.text.encode()
    (line,) = connection.execute(
        "SELECT line FROM samples WHERE conversation_id = ?", (cut.conversation_id,)
    ).fetchone()
    return str(line).encode()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()


@contextlib.contextmanager
def _telling_errors(output: Path, what_not: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise output_file(output).refused(error, what_not) from error


# Made when it is first needed: it takes some milliseconds.
@functools.cache
def _replacements() -> TypeAdapter[_Replacement]:
    return TypeAdapter(_Replacement)
