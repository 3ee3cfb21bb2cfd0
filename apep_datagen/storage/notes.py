"""Memory and diary of all timelines, in SQLite.

A note is never overwritten: it remembers in which conversation it was added and in which it was deleted. So the notes
of a timeline at any point can be told, and undoing a conversation is two statements (`undo_conversation`). What a
timeline began with was added in none (`PAST`).

All functions take the connection; the caller commits.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterable

from pydantic import TypeAdapter

from apep_datagen.core.notebook import Entry, Notebook, Notes
from apep_datagen.people.past import PastNote

__all__ = [
    "FORGOTTEN_BY_RESET",
    "PAST",
    "count_notes",
    "empty_notebooks",
    "notes_from_json",
    "notes_to_json",
    "read_entries",
    "read_notebook",
    "read_notebook_at",
    "read_past",
    "undo_conversation",
    "write_notebook",
    "write_past",
]

# In `deleted_in`, for a note that no conversation deleted, but --reset-tools.
FORGOTTEN_BY_RESET = 0
PAST = 0
"""In `added_in`, for a note with which a timeline began."""


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


def read_entries(connection: sqlite3.Connection, timeline_id: int) -> tuple[Entry, ...]:
    """Return every note that a timeline ever had, oldest first, with those that are gone."""
    rows = connection.execute(
        "SELECT shelf, date, text, added_in, deleted_in, id FROM notes WHERE timeline_id = ? ORDER BY id",
        (timeline_id,),
    )
    return tuple(Entry(*row) for row in rows)


def read_notebook_at(connection: sqlite3.Connection, timeline_id: int, conversation_id: int, date: str) -> Notebook:
    """Return the notebook of a timeline as it was at the end of one of its conversations, however long ago.

    Of a conversation that was undone it is as it was before it. Arguments as for `read_notebook`.
    """
    rows = connection.execute(
        # A reset comes after all conversations of a timeline.
        "SELECT shelf, date, text, added_in, CASE deleted_in WHEN ?2 THEN deleted_in END, id FROM notes"
        " WHERE timeline_id = ?1 AND added_in <= ?2 AND (deleted_in IS NULL OR deleted_in >= ?2 OR deleted_in = ?3)"
        " ORDER BY id",
        (timeline_id, conversation_id, FORGOTTEN_BY_RESET),
    )
    return Notebook((Entry(*row) for row in rows), conversation_id=conversation_id, date=date)


def notes_to_json(notes: Notes) -> str:
    """Return notes as a sample keeps them that stands by itself."""
    return _notes().dump_json(notes).decode()


def notes_from_json(text: str) -> Notes:
    """Read what `notes_to_json` returned.

    Raises:
        ValueError: It is nothing of the kind.
    """
    return _notes().validate_json(text)


# Made when it is first needed: it takes some milliseconds.
@functools.cache
def _notes() -> TypeAdapter[Notes]:
    return TypeAdapter(Notes)


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


def write_past(connection: sqlite3.Connection, timeline_id: int, notes: Iterable[PastNote]) -> None:
    """Write what a timeline begins with, oldest first."""
    connection.executemany(
        "INSERT INTO notes (timeline_id, shelf, date, text, added_in) VALUES (?, ?, ?, ?, ?)",
        [(timeline_id, note.shelf, note.date, note.text, PAST) for note in notes],
    )


def read_past(connection: sqlite3.Connection, timeline_id: int) -> Notebook:
    """Return the notebook of a timeline as it was before its first conversation."""
    rows = connection.execute(
        "SELECT shelf, date, text, added_in FROM notes WHERE timeline_id = ? AND added_in = ? ORDER BY id",
        (timeline_id, PAST),
    )
    return Notebook(Entry(*row) for row in rows)


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
