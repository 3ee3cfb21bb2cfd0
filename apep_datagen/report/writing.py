"""Writing a report: whole, or not at all.

It is written beside its place and then takes it in one step, so that a browser that has the old one open, and whoever
kills the program, sees the old one or the new one. Only what is a report is replaced.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO

from apep_datagen.config.settings import Settings
from apep_datagen.core.durable import sync_directory
from apep_datagen.core.errors import StorageError
from apep_datagen.core.paths import is_at, is_there
from apep_datagen.export.source import Source
from apep_datagen.quality.problem import Stage
from apep_datagen.report.alikeness import Alikeness
from apep_datagen.report.document import MARK, block, foot, head
from apep_datagen.report.gathering import Gathered, Gathering, notes_of_timeline
from apep_datagen.report.overview import frequent_openings, overview_of_run, statistics_of
from apep_datagen.report.places import part_path
from apep_datagen.report.spoken import user_messages
from apep_datagen.storage.access import read_only, state_path

if sys.platform != "win32":
    import fcntl

__all__ = ["Report", "write_report"]

# What a block holds: so much is decompressed at once when one of it is read.
_CONVERSATIONS_IN_A_BLOCK = 100
_CHARACTERS_IN_A_BLOCK = 2_000_000
_TIMELINES_IN_A_BLOCK = 100
_MOST_SUGGESTIONS = 30


@dataclass(frozen=True, slots=True)
class Report:
    """A report that was written.

    Attributes:
        path: Where it is.
        conversations: How many conversations of the output are in it.
        not_accepted: How many that were not accepted.
        left_out: How many are not, because it is of a sample.
        others: Elements of the output that are no conversations.
        size: Its bytes.
        why_no_run: Why the state database could not be asked; empty where it was.
    """

    path: Path
    conversations: int
    not_accepted: int
    left_out: int
    others: int
    size: int
    why_no_run: str

    def describe(self) -> str:
        """Say in a sentence or two what was written."""
        what = f"{self.conversations:,} conversations"
        if self.not_accepted:
            what += f" and {self.not_accepted:,} that were not accepted"
        said = f"{self.path}: {what}, {self.size / 1_000_000:.1f} MB; open it in a browser"
        if self.left_out:
            said += f"\nIt is a sample: {self.left_out:,} more are not in it"
        if self.others:
            said += f"\nLeft out: {self.others:,} elements are no conversations; apep-datagen verify says what is wrong"
        if self.why_no_run:
            said += f"\nNot known: users, days, abilities, plans and what was rejected ({self.why_no_run})"
        return said


def write_report(
    output: Path,
    to: Path,
    settings: Settings,
    *,
    sample: int | None = None,
    notify: Callable[[str], None] | None = None,
) -> Report:
    """Write a report of an output, also while a run goes on that writes to it.

    Args:
        output: The dataset.
        to: The page; one that is there is replaced, if it is a report.
        settings: The wished mix, and what models cost.
        sample: How many conversations are in it; None for all.
        notify: Is told, in a sentence, what takes a while.

    Raises:
        StorageError: The output or its state database cannot be read, the page cannot be written, or another file is in
            its place.
    """
    _refuse_other_file(to)
    tell = notify or (lambda _: None)
    tell(f"{output}: counting what is in it")
    statistics = statistics_of(output, settings)
    tell(f"{output}: putting its conversations into a page")
    part = part_path(to)
    try:
        with contextlib.ExitStack() as opened:
            to.parent.mkdir(parents=True, exist_ok=True)
            file = opened.enter_context(_open_alone(part, to))
            opened.callback(part.unlink, missing_ok=True)

            def attempt(connection: sqlite3.Connection | None) -> Report:
                file.seek(0)
                file.truncate()
                written = _write(file, Source(output, connection, settings), settings, sample, statistics)
                return replace(written, path=to)

            state = state_path(output)
            report = read_only(state, attempt) if is_there(state) else attempt(None)
            file.flush()
            os.fsync(file.fileno())
            part.replace(to)
            sync_directory(to.parent)
    except OSError as error:
        raise StorageError(
            f"{to}: the report cannot be written ({error.strerror or error}); make room, or name another --to"
        ) from error
    return report


def _open_alone(part: Path, to: Path) -> BinaryIO:
    """Open the file in which a report is written, which is one process's alone until it is closed.

    Raises:
        StorageError: Another process writes it.
        OSError: It cannot be opened.
    """
    while True:
        file = os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o644), "r+b")
        try:
            if sys.platform != "win32":
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Who had it may have made a report of it in the meantime.
            if is_at(part, os.fstat(file.fileno())):
                return file
        except BlockingIOError as error:
            file.close()
            raise StorageError(
                f"{to}: another apep-datagen is writing this report; wait for it, or name another --to"
            ) from error
        file.close()


def _refuse_other_file(path: Path) -> None:
    """Refuse to replace what is no report.

    Raises:
        StorageError: It is none.
    """
    try:
        with path.open("rb") as file:
            begins = file.read(len(MARK))
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror}); name another --to") from error
    if begins and begins != MARK:
        raise StorageError(f"{path}: is no report of apep-datagen, and is left as it is; name another --to")


def _write(
    file: BinaryIO, source: Source, settings: Settings, sample: int | None, statistics: dict[str, Any] | None
) -> Report:
    """Write all of a report into a file; arguments as above."""
    output = source.path
    openings = frequent_openings(statistics)
    gathering = Gathering(source, source.connection, settings, openings)
    file.write(head(f"{output.name} · apep-datagen"))
    rows: list[dict[str, Any]] = []
    starts = array("L")
    alikeness = Alikeness()
    for gathered in _blocks(gathering.conversations(sample)):
        file.write(block(f"chunk-{len(starts)}", [item.body for item in gathered]))
        starts.append(len(rows))
        for item in gathered:
            if item.row["n"] is not None:
                alikeness.add(len(rows), user_messages(item.body["m"]))
            rows.append(item.row)
    accepted = [row for row in rows if row["n"] is not None]
    for row in accepted if len(accepted) > 1 else ():
        row["m"] = 0
    for place, other, share in alikeness.nearest():
        rows[place] |= {"m": round(100 * share), "mn": other}
    timelines = sorted(gathering.timelines)
    for number, first in enumerate(range(0, len(timelines), _TIMELINES_IN_A_BLOCK)):
        assert source.connection is not None  # noqa: S101 - else there are no timelines
        those = timelines[first : first + _TIMELINES_IN_A_BLOCK]
        file.write(block(f"notes-{number}", {each: notes_of_timeline(source.connection, each) for each in those}))
    index = {
        "output": output.name,
        "identity": gathering.first,
        "version": metadata.version("apep-datagen"),
        "columns": _columns(rows),
        "starts": list(starts),
        "timelines": timelines,
        "in_a_notes_block": _TIMELINES_IN_A_BLOCK,
        "suggestions": _suggestions(rows),
        "lines": gathering.lines.lines,
        "openings": openings,
        "models": list(gathering.models),
        "left_out": gathering.left_out,
        "others": gathering.others,
        # It may be sent to somebody: where things are on this machine is nobody else's concern.
        "why_no_run": source.why_not.replace(str(state_path(output)), state_path(output).name),
        "statistics": statistics,
        "run": overview_of_run(source.connection, settings) if source.connection is not None else None,
    }
    file.write(block("index", index))
    file.write(foot())
    return Report(
        path=output,
        conversations=len(accepted),
        not_accepted=len(rows) - len(accepted),
        left_out=gathering.left_out,
        others=gathering.others,
        size=file.tell(),
        why_no_run=source.why_not,
    )


def _blocks(conversations: Iterator[Gathered]) -> Iterator[list[Gathered]]:
    """Yield conversations by the hundred, or fewer where they are long."""
    gathered: list[Gathered] = []
    size = 0
    for item in conversations:
        gathered.append(item)
        size += sum(len(str(message)) for message in item.body["m"])
        if len(gathered) == _CONVERSATIONS_IN_A_BLOCK or size >= _CHARACTERS_IN_A_BLOCK:
            yield gathered
            gathered, size = [], 0
    if gathered:
        yield gathered


def _suggestions(rows: list[dict[str, Any]]) -> list[str]:
    """Return what a reader may tag conversations with: the judge's stages, and its reasons where it rejected some."""
    reasons = Counter(row["re"] for row in rows if row.get("re"))
    return [
        *(stage.value for stage in Stage if stage is not Stage.PERSON),
        *(reason for reason, _ in reasons.most_common(_MOST_SUGGESTIONS)),
    ]


def _columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return a list for each column: names once, and like beside like, which compresses to a third."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}
