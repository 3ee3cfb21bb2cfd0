"""Memory and diary of a timeline, in SQLite.

A note is never overwritten: it remembers in which conversation it was added and in which it was deleted. So the notes
of a timeline at any point can be told, and undoing a conversation is two statements (`undo_conversation`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from apep_datagen.core.tools import Note, Notes, ShelfName

__all__ = ["FORGOTTEN_BY_RESET", "SqliteNotebook", "count_notes", "empty_shelves", "notes_around", "undo_conversation"]

# In `deleted_in`, for a note that no conversation deleted, but --reset-tools.
FORGOTTEN_BY_RESET = 0


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


def notes_around(connection: sqlite3.Connection, timeline_id: int, conversation_id: int) -> tuple[Notes, Notes]:
    """Return the notes of a timeline before its newest conversation and after it.

    Args:
        connection: Where the notes are.
        timeline_id: Whose notes.
        conversation_id: The newest conversation of the timeline.
    """
    rows = connection.execute(
        "SELECT shelf, date, text, added_in, deleted_in FROM notes"
        " WHERE timeline_id = ? AND (deleted_in IS NULL OR deleted_in = ?) ORDER BY id",
        (timeline_id, conversation_id),
    ).fetchall()
    before = [row for row in rows if row[3] != conversation_id]
    after = [row for row in rows if row[4] is None]
    return _as_notes(before), _as_notes(after)


def _as_notes(rows: Sequence[tuple[str, str, str, int, int | None]]) -> Notes:
    shelves: dict[str, list[Note]] = {"memory": [], "diary": []}
    for shelf, date, text, _, _ in rows:
        shelves[shelf].append(Note(len(shelves[shelf]) + 1, date, text))
    return Notes(tuple(shelves["memory"]), tuple(shelves["diary"]))


def empty_shelves(connection: sqlite3.Connection) -> None:
    """Empty memory and diary of every timeline that no conversation is going on in.

    The notes are marked, not removed, so that what was done with them can still be replayed.
    """
    connection.execute(
        "UPDATE notes SET deleted_in = ? WHERE deleted_in IS NULL AND timeline_id NOT IN"
        " (SELECT timeline_id FROM conversations WHERE status = 'active')",
        (FORGOTTEN_BY_RESET,),
    )


def count_notes(connection: sqlite3.Connection, timeline_id: int | None = None) -> tuple[int, int]:
    """Return how many memories and diary pages there are, of one timeline or of all."""
    of_timeline = "" if timeline_id is None else " AND timeline_id = :timeline"
    rows = connection.execute(
        f"SELECT shelf, count(*) FROM notes WHERE deleted_in IS NULL{of_timeline} GROUP BY shelf",  # noqa: S608 - constant text
        {"timeline": timeline_id},
    )
    counts = dict(rows.fetchall())
    return counts.get("memory", 0), counts.get("diary", 0)
