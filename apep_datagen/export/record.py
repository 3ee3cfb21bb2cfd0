"""`report.json`: what an export was, for who reads it, for who continues it, and for `import`."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from apep_datagen.core.durable import write_whole

__all__ = [
    "PROGRAM",
    "RECORD",
    "Continuation",
    "continuation_as_json",
    "read_continuation",
    "read_record",
    "write_text",
]

RECORD = "report.json"
"""The name of the file, in the directory of an export."""
PROGRAM = "apep-datagen"
_LARGEST = 64 << 20
_CHECKSUM = "sha256"


@dataclass(frozen=True, slots=True)
class Continuation:
    """What is needed to go on from an export where a run has made more conversations since.

    Attributes:
        digest: The same for exports that make the same rows of the same conversations.
        conversations: How many of the source were read.
        end: Byte offset behind the last of them.
        source_sha256: Of what was read of the source, as `SourceDigest` tells it.
        files: What each data file was, by its split.
        made: What became of the conversations, and what was measured of the rows so far, as JSON.
    """

    digest: str
    conversations: int
    end: int
    source_sha256: str
    files: dict[str, dict[str, str | int]]
    made: dict[str, Any]

    @property
    def place(self) -> tuple[int, int, str]:
        """Where it goes on, and behind what."""
        return self.conversations, self.end, self.source_sha256


def continuation_as_json(continuation: Continuation) -> dict[str, Any]:
    """Return what `read_continuation` reads, with the checksum by which it tells that nobody has changed it."""
    value = asdict(continuation)
    return {**value, _CHECKSUM: _checksum(value)}


def read_continuation(directory: Path) -> Continuation | None:
    """Return how to go on from the export in a directory; None where there is none that can be gone on from."""
    value = (read_record(directory) or {}).get("continuation")
    if not isinstance(value, dict) or value.pop(_CHECKSUM, None) != _checksum(value):
        return None
    try:
        return _continuations().validate_python(value)
    except ValueError:  # another version wrote it
        return None


def _checksum(value: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def read_record(directory: Path) -> dict[str, Any] | None:
    """Return the report in a directory; None where there is none that can be read."""
    path = directory / RECORD
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return None
        record = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    # Half of a character, as another hand may have written it into a report, becomes its escape in JSON.
    write_whole(path, text.encode(errors="backslashreplace"))


# Made when it is first needed: it takes some milliseconds.
@functools.cache
def _continuations() -> TypeAdapter[Continuation]:
    return TypeAdapter(Continuation)
