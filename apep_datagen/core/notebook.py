"""Ada's memory and diary: as they are at one time (`Notes`), and with their history, to be written in (`Notebook`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

__all__ = ["SHELVES", "Entry", "Note", "Notebook", "Notes", "ShelfName"]

ShelfName = Literal["memory", "diary"]
SHELVES: tuple[ShelfName, ShelfName] = ("memory", "diary")


@dataclass(frozen=True, slots=True)
class Note:
    """One memory or diary page. `index` counts from 1 within its shelf, oldest first; `date` is an ISO date."""

    index: int
    date: str
    text: str


@dataclass(frozen=True, slots=True)
class Notes:
    """What is in a memory and a diary at one time, oldest first."""

    memory: tuple[Note, ...] = ()
    diary: tuple[Note, ...] = ()

    def on(self, shelf: ShelfName) -> tuple[Note, ...]:
        """Return the notes of one kind."""
        return self.memory if shelf == "memory" else self.diary


@dataclass(frozen=True, slots=True)
class Entry:
    """A note with its history.

    Attributes:
        shelf: `memory` or `diary`.
        date: When it was written, as an ISO date.
        text: What it says.
        added_in: The conversation in which it was written; 0 where that is not known.
        deleted_in: The conversation in which it was deleted; None while it is there.
        row: Its number in the state database; None where it did not come from there. Of equal entries it may differ.
    """

    shelf: ShelfName
    date: str
    text: str
    added_in: int = 0
    deleted_in: int | None = None
    row: int | None = field(default=None, compare=False)


class Notebook:
    """Memory and diary of one timeline.

    Args:
        entries: What is in it, and what was, oldest first.
        conversation_id: The conversation that changes are booked to.
        date: ISO date that new notes carry.

    Attributes:
        entries: In the order in which they were written; nothing is ever taken out.
        conversation_id: As above; may be set anew.
        date: As above; may be set anew.
    """

    def __init__(self, entries: Iterable[Entry] = (), *, conversation_id: int = 0, date: str = "") -> None:
        self.entries = list(entries)
        self.conversation_id = conversation_id
        self.date = date

    @classmethod
    def holding(cls, notes: Notes, *, date: str = "") -> Notebook:
        """Return one that holds these notes and no others."""
        return cls((Entry(shelf, note.date, note.text) for shelf in SHELVES for note in notes.on(shelf)), date=date)

    @property
    def memory(self) -> tuple[Note, ...]:
        """What Ada knows about the user, oldest first."""
        return self.on("memory")

    @property
    def diary(self) -> tuple[Note, ...]:
        """Ada's own pages, oldest first."""
        return self.on("diary")

    def on(self, shelf: ShelfName) -> tuple[Note, ...]:
        """Return the notes of one kind that are there."""
        return _numbered(self.entries[place] for place in self._places(shelf))

    def notes(self) -> Notes:
        """Return what is there now."""
        return Notes(self.memory, self.diary)

    def notes_before(self) -> Notes:
        """Return what was there before the conversation that changes are booked to."""
        now = self.conversation_id
        before = [entry for entry in self.entries if entry.added_in != now and entry.deleted_in in {None, now}]
        return Notebook(replace(entry, deleted_in=None) for entry in before).notes()

    def add(self, shelf: ShelfName, texts: Sequence[str]) -> list[int]:
        """Write notes, and return the indices that they have now."""
        self.entries += (Entry(shelf, self.date, text, self.conversation_id) for text in texts)
        count = len(self._places(shelf))
        return list(range(count - len(texts) + 1, count + 1))

    def delete(self, shelf: ShelfName, indices: Iterable[int]) -> None:
        """Delete the notes that have these indices now; all of them exist."""
        places = self._places(shelf)
        for index in indices:
            place = places[index - 1]
            self.entries[place] = replace(self.entries[place], deleted_in=self.conversation_id)

    def copy(self) -> Notebook:
        """Return another one that holds the same and is changed by itself."""
        return Notebook(self.entries, conversation_id=self.conversation_id, date=self.date)

    def _places(self, shelf: ShelfName) -> list[int]:
        """Return where in `entries` the notes of one kind are that are there."""
        return [place for place, entry in enumerate(self.entries) if entry.deleted_in is None and entry.shelf == shelf]


def _numbered(entries: Iterable[Entry]) -> tuple[Note, ...]:
    return tuple(Note(index, entry.date, entry.text) for index, entry in enumerate(entries, start=1))
