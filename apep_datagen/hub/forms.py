"""The rows and sessions of a dataset, as files: an export of two forms, and the sessions as rows as well."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.chat_templates.tally import CheckTally
from apep_datagen.config.settings import Settings
from apep_datagen.core.errors import StorageError
from apep_datagen.export.exporting import export
from apep_datagen.export.parquet_file import ParquetFile
from apep_datagen.export.plan import Plan, Target
from apep_datagen.export.splits import Splits
from apep_datagen.formats.trace_rows import TRACE_COLUMNS, trace_row
from apep_datagen.formats.traces import read_session
from apep_datagen.formats.wish import Wish, shape_of
from apep_datagen.hub.contents import FOLDERS

__all__ = ["FormsWritten", "Split", "write_forms"]

# A session is some ten times as long as a conversation.
_SESSIONS_OF_SHARD = 2_000
_PART = "forms.part"


@dataclass(frozen=True, slots=True)
class Split:
    """A part of a dataset.

    Attributes:
        name: `train`, `validation` or `test`.
        rows: Of the form `parquet`.
        sessions: Of the form `traces`.
        size: Of both, in bytes.
    """

    name: str
    rows: int
    sessions: int
    size: int


@dataclass(frozen=True, slots=True)
class FormsWritten:
    """What was written.

    Attributes:
        elements: Of the output: conversations, and what is none.
        splits: The parts.
        checks: What chat templates leave of the rows.
    """

    elements: int
    splits: tuple[Split, ...]
    checks: Sequence[CheckTally]


def write_forms(
    output: Path, directory: Path, settings: Settings, *, splits: Splits, templates: Sequence[str]
) -> FormsWritten:
    """Write the rows and sessions of an output, each form into a folder that has its name, and takes another's place.

    Of what an export writes, these are the data alone: what stands beside them tells of options, so of this machine.

    Args:
        output: The dataset.
        directory: Where the folders are made.
        settings: By which levels conversations were judged.
        splits: The parts of the dataset.
        templates: The chat templates that rows are checked with.

    Raises:
        SettingsError: There is nothing to divide the dataset by, or a template cannot be used.
        StorageError: The dataset cannot be read, a file cannot be written, or something would be lost.
    """
    targets = tuple(Target(name, shape_of(name, Wish())) for name in FOLDERS)
    plan = Plan(targets=targets, splits=splits, templates=tuple(templates))
    part = directory / _PART
    shutil.rmtree(part, ignore_errors=True)
    exported = export(output, plan, part, settings)
    rows, sessions = exported.targets
    for target in exported.targets:
        for kind, number in target.silent_losses.items():
            raise StorageError(
                f"{output}: {number:,} {kind} would be lost in the form {target.target.name}, which is a mistake of"
                " this program; nothing was published. Please report it"
            )
    for name in splits.names:
        _write_trace_rows(part, name)
    for name in FOLDERS:
        shutil.rmtree(directory / name, ignore_errors=True)
        (part / name).rename(directory / name)
        for path in (directory / name).iterdir():
            if path.is_file() and path.suffix != ".parquet":
                path.unlink()
    part.rmdir()
    parts = tuple(
        Split(name, rows.made.tally.rows[name], sessions.made.tally.rows[name], _size(directory, name))
        for name in splits.names
    )
    tally = rows.made.tally
    return FormsWritten(tally.conversations + tally.others, parts, rows.made.measured.checks)


def _write_trace_rows(directory: Path, split: str) -> None:
    folder = directory / "traces"
    file = ParquetFile(folder, split, TRACE_COLUMNS, rows_of_shard=_SESSIONS_OF_SHARD)
    try:
        # By the user's name: later users come behind.
        for path in sorted((folder / split).rglob("*.jsonl"), key=lambda path: path.name):
            session = read_session(path.read_text(encoding="utf-8").split("\n"))
            file.write(trace_row(session, path.relative_to(directory).as_posix()))
    except BaseException:
        file.abandon()
        raise
    file.finish()


def _size(directory: Path, split: str) -> int:
    """Return the size of a split's data files in bytes."""
    files = [path for folder in FOLDERS for path in (directory / folder).glob(f"{split}-*.parquet")]
    files += (directory / "traces" / split).rglob("*.jsonl")
    return sum(path.stat().st_size for path in files)
