"""Memory and diary of all timelines, in SQLite.

A note is never overwritten: it remembers in which conversation it was added and in which it was deleted. So the notes
of a timeline at any point can be told, and undoing a conversation is two statements (`undo_conversation`).

All functions take the connection; the caller commits.
"""

from __future__ import annotations

import sqlite3

from apep_datagen.core.notebook import Entry, Notebook, Notes

__all__ = [
    "FORGOTTEN_BY_RESET",
    "count_notes",
    "empty_notebooks",
    "read_notebook",
    "read_notes_before",
    "undo_conversation",
    "write_notebook",
]

# In `deleted_in`, for a note that no conversation deleted, but --reset-tools.
FORGOTTEN_BY_RESET = 0


def read_notebook(connection: sqlite3.Connection, timeline_id: int, conversation_id: int, date: str) -> Notebook:
    """Return the notebook of a timeline, with what is there and what its newest conversation has deleted.

    Args:
        connection: Where the notes are.
        timeline_id: Whose notes.
        conversation_id: The newest conversation of the timeline, to which changes are booked.
        date: ISO date that new notes carry.
    """
    rows = connection.execute(
        "SELECT shelf, date, text, added_in, deleted_in, id FROM notes"
        " WHERE timeline_id = ? AND (deleted_in IS NULL OR deleted_in = ?) ORDER BY id",
        (timeline_id, conversation_id),
    )
    return Notebook((Entry(*row) for row in rows), conversation_id=conversation_id, date=date)


def read_notes_before(connection: sqlite3.Connection, timeline_id: int, conversation_id: int) -> Notes:
    """Return what was in the notebook of a timeline when one of its conversations began.

    When --reset-tools has emptied it is not known: what it took away counts as still there.
    """
    rows = connection.execute(
        "SELECT shelf, date, text FROM notes WHERE timeline_id = :timeline AND added_in < :before"
        " AND (deleted_in IS NULL OR deleted_in = :reset OR deleted_in >= :before) ORDER BY id",
        {"timeline": timeline_id, "before": conversation_id, "reset": FORGOTTEN_BY_RESET},
    )
    return Notebook(Entry(*row) for row in rows).notes()


def write_notebook(connection: sqlite3.Connection, timeline_id: int, notebook: Notebook) -> None:
    """Write what was changed in a notebook since it was read, once."""
    connection.executemany(
        "INSERT INTO notes (timeline_id, shelf, date, text, added_in, deleted_in) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (timeline_id, entry.shelf, entry.date, entry.text, entry.added_in, entry.deleted_in)
            for entry in notebook.entries
            if entry.row is None
        ],
    )
    connection.executemany(
        "UPDATE notes SET deleted_in = ? WHERE id = ? AND deleted_in IS NULL",
        [
            (entry.deleted_in, entry.row)
            for entry in notebook.entries
            if entry.row is not None and entry.deleted_in is not None
        ],
    )


def undo_conversation(connection: sqlite3.Connection, conversation_id: int) -> None:
    """Make the notes as if the conversation had never taken place."""
    connection.execute("DELETE FROM notes WHERE added_in = ?", (conversation_id,))
    connection.execute("UPDATE notes SET deleted_in = NULL WHERE deleted_in = ?", (conversation_id,))


def empty_notebooks(connection: sqlite3.Connection) -> None:
    """Empty memory and diary of every timeline that no conversation is going on in.

    The notes are marked, not removed, so that what was done with them can still be replayed.
    """
    connection.execute(
        "UPDATE notes SET deleted_in = ? WHERE deleted_in IS NULL AND timeline_id NOT IN"
        " (SELECT timeline_id FROM conversations WHERE status = 'active')",
        (FORGOTTEN_BY_RESET,),
    )


def count_notes(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return how many memories and diary pages there are, of all timelines."""
    rows = connection.execute("SELECT shelf, count(*) FROM notes WHERE deleted_in IS NULL GROUP BY shelf")
    counts = dict(rows.fetchall())
    return counts.get("memory", 0), counts.get("diary", 0)
