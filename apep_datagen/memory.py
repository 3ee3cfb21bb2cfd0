"""Memory and diary of a timeline, in SQLite.

A note is never overwritten: it remembers in which conversation it was added and in which it was deleted. So the notes
of a timeline at any point can be told, and undoing a conversation is two statements (`undo_conversation`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Literal

from apep_datagen.tools import Note

__all__ = ["SqliteNotebook", "count_notes", "delete_all_notes", "undo_conversation"]

ShelfName = Literal["memory", "diary"]


class SqliteShelf:
    """The notes of one kind of one timeline, changed on behalf of one conversation.

    Args:
        connection: Where the notes are; the caller commits.
        name: `memory` or `diary`.
        timeline_id: Whose notes.
        conversation_id: The conversation that what is added and deleted is booked to.
        date: ISO date that new notes carry.
    """

    def __init__(
        self, connection: sqlite3.Connection, name: ShelfName, timeline_id: int, conversation_id: int, date: str
    ) -> None:
        self._connection = connection
        self._name = name
        self._timeline_id = timeline_id
        self._conversation_id = conversation_id
        self._date = date

    def add(self, texts: Sequence[str]) -> list[int]:
        """Store notes and return the indices that they have now, counted from 1."""
        self._connection.executemany(
            "INSERT INTO notes (timeline_id, shelf, date, text, added_in) VALUES (?, ?, ?, ?, ?)",
            [(self._timeline_id, self._name, self._date, text, self._conversation_id) for text in texts],
        )
        total = len(self._rows())
        return list(range(total - len(texts) + 1, total + 1))

    def notes(self) -> list[Note]:
        """Return all notes, oldest first."""
        return [Note(index, date, text) for index, (_, date, text) in enumerate(self._rows(), start=1)]

    def delete(self, indices: Sequence[int]) -> None:
        """Delete the notes that have these indices now."""
        rows = self._rows()
        self._connection.executemany(
            "UPDATE notes SET deleted_in = ? WHERE id = ?",
            [(self._conversation_id, rows[index - 1][0]) for index in indices],
        )

    def _rows(self) -> list[tuple[int, str, str]]:
        return self._connection.execute(
            "SELECT id, date, text FROM notes WHERE timeline_id = ? AND shelf = ? AND deleted_in IS NULL ORDER BY id",
            (self._timeline_id, self._name),
        ).fetchall()


class SqliteNotebook:
    """Memory and diary of one timeline, changed on behalf of one conversation; arguments as for `SqliteShelf`."""

    def __init__(self, connection: sqlite3.Connection, timeline_id: int, conversation_id: int, date: str) -> None:
        self.memory = SqliteShelf(connection, "memory", timeline_id, conversation_id, date)
        self.diary = SqliteShelf(connection, "diary", timeline_id, conversation_id, date)


def undo_conversation(connection: sqlite3.Connection, conversation_id: int) -> None:
    """Make the notes as if the conversation had never taken place."""
    connection.execute("DELETE FROM notes WHERE added_in = ?", (conversation_id,))
    connection.execute("UPDATE notes SET deleted_in = NULL WHERE deleted_in = ?", (conversation_id,))


def delete_all_notes(connection: sqlite3.Connection) -> None:
    """Empty memory and diary of every timeline, for good."""
    connection.execute("DELETE FROM notes")


def count_notes(connection: sqlite3.Connection, timeline_id: int | None = None) -> tuple[int, int]:
    """Return how many memories and diary pages there are, of one timeline or of all."""
    of_timeline = "" if timeline_id is None else " AND timeline_id = :timeline"
    rows = connection.execute(
        f"SELECT shelf, count(*) FROM notes WHERE deleted_in IS NULL{of_timeline} GROUP BY shelf",  # noqa: S608 - constant text
        {"timeline": timeline_id},
    )
    counts = dict(rows.fetchall())
    return counts.get("memory", 0), counts.get("diary", 0)
