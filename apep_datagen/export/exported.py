"""What came of an export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from apep_datagen.export.making import MadeOfTarget
from apep_datagen.export.plan import Plan, Target
from apep_datagen.export.record import Continuation
from apep_datagen.formats.format import Kind
from apep_datagen.formats.registry import FORMATS

__all__ = ["FINDINGS_STATUS", "Exported", "ExportedTarget"]

FINDINGS_STATUS = 7
"""Exit status where something was lost without a word, a template refused every row, or no row was written."""


@dataclass(frozen=True, slots=True)
class ExportedTarget:
    """What came of one form.

    Attributes:
        target: The form.
        directory: Where its files are.
        files: The names of the data files, by split.
        made: What became of the conversations, and what was measured of the rows.
        passed: How many conversations had been exported before, and were passed over.
        continuation: How to go on from here; None where it has to begin anew.
    """

    target: Target
    directory: Path
    files: Mapping[str, Sequence[str]]
    made: MadeOfTarget
    passed: int
    continuation: Continuation | None

    @property
    def cannot_hold(self) -> Mapping[Kind, str]:
        """What rows of this form and shape cannot hold, by kind."""
        return FORMATS[self.target.name].cannot_hold(self.target.shape)

    @property
    def silent_losses(self) -> Mapping[Kind, int]:
        """How much is missing of what rows of this form and shape can hold, by kind."""
        return {kind: number for kind, number in self.made.tally.lost.items() if kind not in self.cannot_hold}

    @property
    def splits_without_rows(self) -> tuple[str, ...]:
        """The parts beside the first one to which no row belongs."""
        return tuple(split for split in list(self.files)[1:] if not self.made.tally.rows[split])

    @property
    def data_files(self) -> Iterator[Path]:
        """Where the rows are."""
        for names in self.files.values():
            yield from (self.directory / name for name in names)


@dataclass(slots=True)
class Exported:
    """What came of an export.

    Attributes:
        source: The output.
        plan: What was asked for.
        targets: What came of each form.
        why_not: Why the state database could not be asked; else empty.
    """

    source: Path
    plan: Plan
    targets: list[ExportedTarget] = field(default_factory=list)
    why_not: str = ""

    @property
    def exit_status(self) -> int:
        """What the program ends with."""
        is_lossy = any(target.silent_losses or target.made.measured.has_silent_loss for target in self.targets)
        is_refused = any(target.made.measured.has_refusal_of_all for target in self.targets)
        is_empty = any(not target.made.tally.rows.total() for target in self.targets)
        return FINDINGS_STATUS if is_lossy or is_refused or is_empty else 0
