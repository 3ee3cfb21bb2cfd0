"""Whether a state database is whole: the tables, the row about the run, and the positions of the samples.

This is what everything else is found by. It costs the same for any size, but for counting the samples, which goes by an
index. What single rows hold is checked where it is read.
"""

from __future__ import annotations

import functools
import sqlite3

from apep_datagen.storage.schema import migrate

__all__ = ["what_is_wrong"]

_COLUMNS = """
    SELECT entry.name, columns.name FROM sqlite_master AS entry JOIN pragma_table_info(entry.name) AS columns
    WHERE entry.type = 'table'
"""
_NUMBERS = ("seed", "base_count", "base_end", "base_position", "synced_position")


def what_is_wrong(connection: sqlite3.Connection) -> str | None:
    """Return what is wrong with a database of the newest version, or None.

    Raises:
        sqlite3.Error: It cannot be read.
    """
    return _wrong_tables(connection) or _wrong_run(connection)


def _wrong_tables(connection: sqlite3.Connection) -> str | None:
    there = set(connection.execute(_COLUMNS))
    for table, column in sorted(_columns() - there):
        if table not in {name for name, _ in there}:
            return f"the table {table} is missing"
        return f"the table {table} has no column {column}"
    return None


def _wrong_run(connection: sqlite3.Connection) -> str | None:
    rows = connection.execute(f"SELECT output_name, target, {', '.join(_NUMBERS)} FROM run LIMIT 2").fetchall()  # noqa: S608 - constant
    if len(rows) != 1:
        return f"the table run holds {'more than one row' if rows else 'no row'}"
    output_name, target, *numbers = rows[0]
    if not isinstance(output_name, str) or not isinstance(target, int | None):
        return "the name of the output or the target is of a wrong kind"
    for name, number in zip(_NUMBERS, numbers, strict=True):
        if not isinstance(number, int) or (number < 0 and name != "seed"):
            return f"{name} in the table run is {number!r}"
    _, base_count, base_end, *positions = numbers
    # What is in an output takes more than a byte, and an array begins with a bracket.
    if base_end < 1 or (base_count and base_end <= base_count):
        return f"{base_count} conversations cannot end at byte {base_end} of the output"
    return _wrong_positions(connection, *positions)


def _wrong_positions(connection: sqlite3.Connection, base_position: int, synced_position: int) -> str | None:
    (count,) = connection.execute("SELECT count(*) FROM samples").fetchone()
    first, last = connection.execute(
        "SELECT (SELECT min(position) FROM samples), (SELECT max(position) FROM samples)"
    ).fetchone()
    if count and (first, last) != (1, count):
        return f"accepted conversations are missing: {count} are there, numbered from {first} to {last}"
    if not base_position <= synced_position <= count:
        known = max(base_position, synced_position)
        return f"accepted conversations are missing: {count} are there, and {known} of them are in the output"
    return None


@functools.cache
def _columns() -> frozenset[tuple[str, str]]:
    """Return the tables of a new database, with each of their columns."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(connection, seed=0, output_name="", base_count=0, base_end=1)
        return frozenset(connection.execute(_COLUMNS))
    finally:
        connection.close()
