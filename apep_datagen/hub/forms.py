"""The rows and sessions of a dataset, as files: an export of two forms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.config.settings import Settings
from apep_datagen.core.errors import StorageError
from apep_datagen.export.exported import ExportedTarget
from apep_datagen.export.exporting import export
from apep_datagen.export.plan import Plan, Target, Wish, shape_of
from apep_datagen.export.splits import Splits
from apep_datagen.hub.contents import FOLDERS

__all__ = ["FormsWritten", "Split", "write_forms"]


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
        checks: What chat templates leave of the rows, in lines; none where none was asked.
    """

    elements: int
    splits: tuple[Split, ...]
    checks: Sequence[str]


def write_forms(
    output: Path, directory: Path, settings: Settings, *, splits: Splits, templates: Sequence[str]
) -> FormsWritten:
    """Write the rows and sessions of an output, each form into a folder that has its name.

    Args:
        output: The dataset.
        directory: Where the folders are made.
        settings: By which levels conversations were judged.
        splits: The parts of the dataset.
        templates: The chat templates that rows are checked with.

    Raises:
        SettingsError: A folder holds something else, or there is nothing to divide the dataset by.
        StorageError: The dataset cannot be read, a file cannot be written, or something would be lost.
    """
    targets = tuple(Target(name, shape_of(name, Wish())) for name in FOLDERS)
    exported = export(output, Plan(targets=targets, splits=splits, templates=tuple(templates)), directory, settings)
    rows, sessions = exported.targets
    for target in exported.targets:
        for kind, number in target.silent_losses.items():
            raise StorageError(
                f"{output}: {number:,} {kind} would be lost in the form {target.target.name}, which is a mistake of"
                " this program; nothing was published. Please report it"
            )
    parts = tuple(
        Split(
            name=name,
            rows=rows.made.tally.rows[name],
            sessions=sessions.made.tally.rows[name],
            size=sum(_size(target, name) for target in exported.targets),
        )
        for name in splits.names
    )
    return FormsWritten(
        rows.made.tally.conversations,
        parts,
        rows.made.measured.lines(is_checked=bool(rows.made.measured.checks), limit=None),
    )


def _size(target: ExportedTarget, split: str) -> int:
    """Return the size of a split's data files in bytes; one can be a folder."""
    files = [target.directory / name for name in target.files[split]]
    files += [path for folder in files if folder.is_dir() for path in folder.rglob("*")]
    return sum(path.stat().st_size for path in files if path.is_file())
