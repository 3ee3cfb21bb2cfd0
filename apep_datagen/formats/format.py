"""What a form is: how a row of it is written and read, and what is told about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from apep_datagen.core.messages import Spelled
from apep_datagen.formats.example import Example
from apep_datagen.formats.origin import Origin
from apep_datagen.formats.shape import Calls, Rows, Shape, ToolRole
from apep_datagen.formats.spelling import spell_chat

__all__ = ["CannotHoldError", "Container", "Files", "Format", "Instructions", "Kind", "Row"]

Row = dict[str, Any]
"""A row, as JSON gives it: texts, numbers, lists and objects."""
Kind = Literal["messages", "thoughts", "calls", "results"]
"""What is counted, as `Counts` names it."""
Instructions = Literal["text", "native", "hermes"]
"""Which way of calling tools a row's system prompt tells of."""
Container = Literal["lines", "parquet", "sessions"]
"""How rows lie on the disk: a row a line in one file, in Parquet files, or each in a file of its own."""
Files = Mapping[str, str]
"""The data files of an export, in its directory, by split: `{"train": "train.jsonl"}`."""


class CannotHoldError(ValueError):
    """An example cannot be a row of this form; the message says why, without anything of the example.

    It is counted by its message, so that has few different ones.
    """


def _no_files(shape: Shape, files: Files) -> Mapping[str, str]:  # noqa: ARG001 - what most forms need beside their rows
    return {}


@dataclass(frozen=True, slots=True)
class Format:
    """A form that a trainer reads.

    Attributes:
        name: As `--format` names it.
        default: The shape that loses nothing in this trainer, by what was measured with it.
        rows: What its rows can be.
        tool_roles: In which roles results can stand.
        calls: How calls can be spelled.
        write: Makes a row of an example, whose system prompt is that of `instructions(shape)` already, and whose
            thoughts were chosen. Raises `CannotHoldError` where the form cannot hold it.
        read: Makes an example of a row; `read(write(example, shape))` is the example, but for what `cannot_hold` names.
            Raises `ValueError` where it is no row of this form.
        recognises: Tells whether a row is one of this form, and of no other that stands before it in the registry.
        guide: How to train on it, for the `README.md` beside the rows: Markdown, without a heading of the first level.
        cannot_hold: What a row of some shape cannot hold, by kind: a sentence; empty where all is held.
        instructions: Which way of calling tools the system prompt of a row tells of.
        spell: Makes what is sent to a model that was trained on a row, to have it say its last message: all messages of
            the row, as the API has what the trainer renders of them.
        thoughts: Where a thought stands, where calls are fields: what a chat template is given.
        has_weights: Whether a row can say of each message whether it is trained on; where not, the guide says how loss
            is on Ada's alone.
        columns: What of a row's origin stands in it, where the form has a place for that; `read` passes it over.
        container: How rows lie on the disk.
        files: Further files beside the rows, by name, e.g. `dataset_info.json`.
    """

    name: str
    default: Shape
    rows: Sequence[Rows]
    tool_roles: Sequence[ToolRole]
    calls: Sequence[Calls]
    write: Callable[[Example, Shape], Row]
    read: Callable[[Row], Example]
    recognises: Callable[[Row], bool]
    guide: Callable[[Shape, Files], str]
    cannot_hold: Callable[[Shape], Mapping[Kind, str]] = field(default=lambda _: {})
    instructions: Callable[[Shape], Instructions] = field(default=lambda shape: shape.calls)
    spell: Callable[[Row], Spelled] = spell_chat
    thoughts: Literal["content", "reasoning_content"] = "content"
    columns: Callable[[Origin], Row] = field(default=lambda _: {})
    has_weights: bool = False
    container: Container = "lines"
    files: Callable[[Shape, Files], Mapping[str, str]] = _no_files
