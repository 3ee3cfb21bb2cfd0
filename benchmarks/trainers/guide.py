"""Runs the script in the README of an export, as a user would."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

__all__ = ["run_guide"]

_TRAINING = "trainer.train()"


def run_guide(directory: Path, name: str, model: Path, *, is_trained: bool) -> Any:
    """Return the trainer that a script makes.

    Args:
        directory: The export.
        name: The model that the script names.
        model: What is taken in its stead; beside it, the script writes what it writes.
        is_trained: Whether it trains as well; else it ends before.
    """
    script = (directory / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    assert f'"{name}"' in script
    assert _TRAINING in script
    script = script.replace(f'"{name}"', json.dumps(str(model)))
    script = script.replace('"train.jsonl"', json.dumps(f"{directory}/train.jsonl"))
    names: dict[str, Any] = {}
    with contextlib.chdir(model.parent):
        exec(script if is_trained else script.split(_TRAINING)[0], names)  # noqa: S102 - it is ours
    return names["trainer"]
