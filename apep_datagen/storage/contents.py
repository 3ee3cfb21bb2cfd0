"""What an output holds: the conversations of a dataset, or those in which a model was evaluated; never both."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apep_datagen.core.errors import StorageError
from apep_datagen.core.sample_json import is_evaluated, messages_in
from apep_datagen.storage.access import read_only, state_path
from apep_datagen.storage.output_reader import read_lines

__all__ = ["DATASET", "Contents", "evaluation_of", "refuse_evaluation"]


@dataclass(frozen=True, slots=True)
class Contents:
    """What an output holds.

    Attributes:
        name: How a sentence calls it.
        element: How one of its elements is called and spelled.
        is_element: Tells whether a value, as JSON gives it, is one.
        evaluation: Of an evaluation, what it was begun with, as JSON; None for a dataset.
    """

    name: str
    element: str
    is_element: Callable[[Any], bool]
    evaluation: str | None = None

    def is_line(self, line: str) -> bool:
        """Tell whether a text is one element, in one line."""
        if "\n" in line:
            return False
        try:
            return self.is_element(json.loads(line))
        except (ValueError, RecursionError):
            return False

    def refuse_other(self, stored: str | None, output: Path) -> None:
        """Refuse an output whose state database says that it holds something else.

        Args:
            stored: What it says of an evaluation; None where it is a dataset's.
            output: The output.

        Raises:
            StorageError: So it is.
        """
        if (stored is None) != (self.evaluation is None):
            other = "a dataset" if stored is None else "an evaluation"
            raise StorageError(f"{output}: holds {other}, not {self.name}; name another --output")
        if stored is not None and self.evaluation is not None and json.loads(stored) != json.loads(self.evaluation):
            raise StorageError(
                f"{output}: was begun with {_difference(stored, self.evaluation)}; give the same, or name another"
                " --output"
            )


def _difference(stored: str, given: str) -> str:
    """Say what an evaluation was begun with that is another now."""
    before, now = json.loads(stored), json.loads(given)
    keys = [key for key in dict.fromkeys([*before, *now]) if before.get(key) != now.get(key)]
    return ", ".join(f"{key} {before.get(key)}, not {now.get(key)}" for key in keys)


DATASET = Contents(
    "a dataset",
    'conversation ({"conversations": [{"role": …, "content": …}, …]})',
    lambda value: messages_in(value) is not None,
)
"""Conversations to train on."""


def evaluation_of(begun_with: str) -> Contents:
    """Return what the output of an evaluation holds.

    Args:
        begun_with: What it is begun with, a JSON object: another one may not go on with it.
    """
    return Contents(
        "an evaluation",
        'evaluated conversation ({"evaluation": …, "transcript": …})',
        is_evaluated,
        begun_with,
    )


def refuse_evaluation(path: Path) -> None:
    """Refuse an evaluation where a dataset is meant; what else is wrong with the file is not looked at.

    Where the file holds nothing yet, its state database says what it is to hold.

    Raises:
        StorageError: So it is.
    """
    try:
        first = next(read_lines(path), b"")
        is_evaluation = is_evaluated(json.loads(first)) if first else read_only(state_path(path), _is_of_evaluation)
    except (StorageError, ValueError, RecursionError):  # whoever reads it says what it is
        return
    if is_evaluation:
        raise StorageError(
            f"{path}: holds an evaluation, which is nothing to train on; name a dataset, or another --output"
        )


def _is_of_evaluation(connection: sqlite3.Connection) -> bool:
    (evaluation,) = connection.execute("SELECT evaluation FROM run").fetchone()
    return evaluation is not None
