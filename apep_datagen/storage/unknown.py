"""How many conversations of an output the state database does not know."""

from __future__ import annotations

import sqlite3
from collections import Counter
from itertools import islice
from pathlib import Path

from apep_datagen.core.sample_json import line_digest, messages_digest, parse_messages
from apep_datagen.storage.checked import integer
from apep_datagen.storage.output_reader import read_elements

__all__ = ["count_unknown"]


def count_unknown(connection: sqlite3.Connection, output: Path) -> int:
    """Return how many were there before the run, were imported, or were changed by another hand.

    All of them are in the base, as is what the run had written by the time at which somebody added to the output or
    changed it: that is known again by what it says.

    Args:
        connection: The state database.
        output: The output.

    Raises:
        StorageError: The output cannot be read.
    """
    base = connection.execute("SELECT base_count, base_position FROM run").fetchone()
    base_count, base_position = map(integer, base)
    if not base_position:
        return base_count
    lines = connection.execute("SELECT CAST(line AS BLOB) FROM samples WHERE position <= ?", (base_position,))
    samples = Counter(line_digest(line) for (line,) in lines)
    unknown = 0
    for _, element in islice(read_elements(output), base_count):
        digest = line_digest(element)
        if not samples[digest] and (messages := parse_messages(element)):
            digest = messages_digest(messages)  # in another layout
        if samples[digest]:
            samples[digest] -= 1
        else:
            unknown += 1
    return unknown
