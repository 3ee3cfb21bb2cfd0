"""What people said as labels, in the form of the tests of judging: JSON Lines, one for each tag of a verdict."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from apep_datagen.core.durable import write_whole
from apep_datagen.core.errors import SettingsError
from apep_datagen.core.sample_json import parse_messages
from apep_datagen.review.applying import refuse_without_run
from apep_datagen.review.known import Known, read_known
from apep_datagen.storage.output_reader import read_element_at
from apep_datagen.storage.reviewed import Said, read_opinion

__all__ = ["read_labels", "write_labels"]


def read_labels(output: Path) -> tuple[dict[str, Any], ...]:
    """Return what people said of an output as labels, in its order; behind them those on what is not in it.

    Returns:
        For each verdict and each of its tags: `position`, the number in the output, or null; `kind`, the tag, or an
        empty text; `quote`, the note, where it stands in the conversation as it is, else an empty text; `verdict`;
        `note`; `digest`; `conversation`, the number in the run, or null; `by`.

    Raises:
        StorageError: There is no run for the output, or it or its state database cannot be read.
    """
    refuse_without_run(output, is_written=False)
    return read_known(output, lambda connection, known: tuple(_labels(connection, output, known)))


def write_labels(path: Path, labels: tuple[dict[str, Any], ...]) -> None:
    """Write labels into a file, which is there whole or as it was before.

    Raises:
        SettingsError: The file cannot be written.
    """
    try:
        write_whole(path, "".join(map(spell_label, labels)).encode())
    except OSError as error:
        raise SettingsError(
            f"{path}: the labels cannot be written ({error.strerror or error}); name another file"
        ) from error


def spell_label(label: dict[str, Any]) -> str:
    """Return a label as a line."""
    return json.dumps(label, ensure_ascii=False) + "\n"


def _labels(connection: sqlite3.Connection, output: Path, known: Known) -> Iterator[dict[str, Any]]:
    said = read_opinion(connection).said
    places = {digest: next(iter(known.in_output(digest)), None) for digest in said}

    def number(digest: str) -> float:
        place = places[digest]
        return place.number if place else math.inf

    for digest in sorted(said, key=number):
        one, place = said[digest], places[digest]
        element = read_element_at(output, place.offset) if place else _line_out(connection, digest)
        for tag in one.tags or ("",):
            yield _label(one, place.number if place else None, tag, element)


def _label(said: Said, position: int | None, kind: str, element: bytes) -> dict[str, Any]:
    is_quoted = bool(said.note) and any(
        said.note in message.content for message in parse_messages(element) or () if message.role != "system"
    )
    return {
        "position": position,
        "kind": kind,
        "quote": said.note if is_quoted else "",
        "verdict": said.word.value,
        "note": said.note,
        "digest": said.digest,
        "conversation": said.conversation_id,
        "by": said.name,
    }


def _line_out(connection: sqlite3.Connection, digest: str) -> bytes:
    """Return what has left the output with a digest; nothing where it never was there."""
    row = connection.execute("SELECT line FROM person_removed WHERE digest = ? LIMIT 1", (digest,)).fetchone()
    return str(row[0]).encode() if row else b""
