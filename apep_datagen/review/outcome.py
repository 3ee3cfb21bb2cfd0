"""What comes of verdicts that are applied, or undone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from apep_datagen.storage.reviewed import Batch, Said

__all__ = ["Applied", "Dependent", "Moved", "Undone", "Waiting"]


@dataclass(frozen=True, slots=True)
class Moved:
    """A conversation that left the output, or came back.

    Attributes:
        number: In the output, from 1: the one that it had, or has now.
        conversation_id: In the run; None where the run did not make it.
        user: Who it is of; empty where that is not known.
        ability: What it was to show; empty where that is not known.
        reason: Why it left; empty where it came back.
        is_dependent: Whether it left because of another one alone.
    """

    number: int
    conversation_id: int | None
    user: str
    ability: str
    reason: str = ""
    is_dependent: bool = False


@dataclass(frozen=True, slots=True)
class Dependent:
    """A conversation that used what a bad one has stored, or what such a one has stored.

    Attributes:
        number: In the output; of one that left, the number that it had.
        conversation_id: In the run.
        user: Who it is of; empty where that is not known.
        note: What it used.
        source: Which conversation of the run has stored that.
        left: Whether it left.
        is_called_good: Whether somebody has called it good, so that it stays.
    """

    number: int
    conversation_id: int
    user: str
    note: str
    source: int
    left: bool
    is_called_good: bool


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a file of verdicts.

    Attributes:
        output: The output.
        source: The file.
        is_dry_run: Whether nothing was changed.
        said: What was new of what it says.
        unchanged: How much of it was known before.
        unknown: What it says of conversations that are not known.
        left: What left the output.
        back: What came back.
        dependents: What used what a bad one has stored.
        in_output: How many conversations the output holds now, or would hold.
    """

    output: Path
    source: Path
    is_dry_run: bool
    said: tuple[Said, ...]
    unchanged: int
    unknown: tuple[Said, ...]
    left: tuple[Moved, ...]
    back: tuple[Moved, ...]
    dependents: tuple[Dependent, ...]
    in_output: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file of verdicts that waits, as another process works on the output.

    Attributes:
        output: The output.
        source: The file.
        path: Where they wait.
        count: How many verdicts.
        unknown: What it says of conversations that are not known.
    """

    output: Path
    source: Path
    path: Path
    count: int
    unknown: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Undone:
    """What came of undoing.

    Attributes:
        output: The output.
        batch: What was undone; None where there was nothing to undo.
        verdicts: How many verdicts that was.
        left: What left the output.
        back: What came back.
        in_output: How many conversations the output holds now.
        batches_left: How many times more something can be undone.
    """

    output: Path
    batch: Batch | None
    verdicts: int
    left: tuple[Moved, ...]
    back: tuple[Moved, ...]
    in_output: int
    batches_left: int
