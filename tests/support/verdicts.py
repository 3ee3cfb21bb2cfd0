"""Files of verdicts, as the report's page saves them, about conversations of an output."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

from apep_datagen.storage.output_reader import read_lines

__all__ = ["digests_of", "write_verdicts"]


def digests_of(output: Path) -> list[str]:
    """Return the digests of the elements of an output, in order."""
    return [blake2b(element, digest_size=16).hexdigest() for element in read_lines(output)]


def write_verdicts(path: Path, verdicts: Mapping[str, str], *, tags: Iterable[str] = (), note: str = "") -> Path:
    """Write a file of verdicts.

    Args:
        path: Where to.
        verdicts: What is said, by the digest of the conversation.
        tags: Those of each.
        note: That of each.
    """
    said: list[dict[str, Any]] = [
        {
            "digest": digest,
            "number": number,
            "verdict": verdict,
            "tags": list(tags),
            "note": note,
            "at": "2026-11-26T16:00:00Z",
        }
        for number, (digest, verdict) in enumerate(verdicts.items(), start=1)
    ]
    value = {"apep_datagen": "verdicts", "version": 1, "output": "out.json", "verdicts": said}
    path.write_text(json.dumps(value), encoding="utf-8")
    return path
