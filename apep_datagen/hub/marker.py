"""By what a dataset on the hub is known to be a run's: a small file at its top."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

__all__ = ["MARKER", "Marker", "parse_marker", "render_marker"]

MARKER = "apep-datagen.json"
"""The name of the file."""


@dataclass(frozen=True, slots=True)
class Marker:
    """Which run a dataset is of.

    Attributes:
        run: The run's identity: the same for all invocations for one output, and for no other run.
        conversations: How many there were when it was written.
        version: Of the program that wrote it.
    """

    run: str
    conversations: int
    version: str


def render_marker(marker: Marker) -> str:
    """Return the file."""
    value = {"made_by": "apep-datagen", "version": marker.version, "run": marker.run}
    return json.dumps({**value, "conversations": marker.conversations}, indent=2) + "\n"


def parse_marker(text: str | bytes) -> Marker | None:
    """Return what a file says; None where it is none of ours."""
    try:
        value: Any = json.loads(text)
        if value["made_by"] != "apep-datagen":
            return None
        run, conversations, version = value["run"], value["conversations"], value["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(run, str) or not isinstance(conversations, int) or not isinstance(version, str):
        return None
    return Marker(run, conversations, version)
