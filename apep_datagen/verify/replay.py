"""Memory and diary of a run, made again from the calls of its conversations, and compared with what the database holds.

Conversations are replayed in the order in which they finished. What a timeline's notes have become is kept until its
last conversation, then compared and forgotten.
"""

from __future__ import annotations

import copy
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from apep_datagen.core.calls import ToolCall
from apep_datagen.core.tools import Note, ShelfName, run_call
from apep_datagen.storage.notes import FORGOTTEN_BY_RESET
from apep_datagen.verify.examination import SavedCall

__all__ = ["Mismatch", "Replay", "Turn"]

_LONGEST_EXCERPT = 160

WRONG_RESULT = "a saved tool result is not what the call gives"
NO_RESULT = "a call has no result that can be read"
NOTE_CHANGED = "a note is not as its call wrote it"
NOTE_MISSING = "a note that a call wrote is not in the state database"
NOTE_UNKNOWN = "a note is in the state database that no call wrote"
NOTE_DELETED = "a note is not deleted where the calls delete it"
NOTES_OUT_OF_ORDER = "notes are not in the order in which the calls wrote them"


@dataclass(frozen=True, slots=True)
class Turn:
    """When a conversation took place in its timeline.

    Attributes:
        conversation_id: Its number in the run.
        timeline_id: Its timeline.
        date: The day on which it took place, as an ISO date.
    """

    conversation_id: int
    timeline_id: int
    date: str


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something that replaying gives otherwise than it is saved; the conversation is named by its number in the run."""

    conversation_id: int
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class _Kept:
    """A note as the state database keeps it: `deleted_in` is None while it is there."""

    shelf: str
    date: str
    text: str
    added_in: int
    deleted_in: int | None = None


class _Shelf:
    """The notes of one kind of one timeline, with their history."""

    def __init__(self, name: ShelfName) -> None:
        self._name = name
        self._there: list[int] = []  # indices in `history`
        self.history: list[_Kept] = []
        self.turn = Turn(0, 0, "")

    def add(self, texts: Sequence[str]) -> list[int]:
        for text in texts:
            self._there.append(len(self.history))
            self.history.append(_Kept(self._name, self.turn.date, text, self.turn.conversation_id))
        return list(range(len(self._there) - len(texts) + 1, len(self._there) + 1))

    def notes(self) -> list[Note]:
        kept = (self.history[place] for place in self._there)
        return [Note(index, note.date, note.text) for index, note in enumerate(kept, start=1)]

    def delete(self, indices: Sequence[int]) -> None:
        gone = {self._there[index - 1] for index in indices}
        for place in gone:
            self.history[place] = replace(self.history[place], deleted_in=self.turn.conversation_id)
        self._there = [place for place in self._there if place not in gone]


class _Notebook:
    """Memory and diary of one timeline, with their history."""

    def __init__(self) -> None:
        self.memory = _Shelf("memory")
        self.diary = _Shelf("diary")

    def begin(self, turn: Turn) -> None:
        """Let what follows be booked to a conversation."""
        self.memory.turn = self.diary.turn = turn

    def history(self) -> list[_Kept]:
        """Return all notes that were ever there, in the order in which they were written."""
        return self.memory.history + self.diary.history


class Replay:
    """Replays conversations, each timeline's in order.

    Args:
        connection: The state database.
        turns: All conversations that will be replayed.
        unchecked: The numbers, in the run, of conversations that are not: their notes are not looked at.
        report: Is told what is found.

    Attributes:
        calls: How many calls were replayed.
        notes: How many notes were compared.
        timelines: Of how many timelines.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        turns: Iterable[Turn],
        unchecked: frozenset[int],
        report: Callable[[Mismatch], None],
    ) -> None:
        self._connection = connection
        self._unchecked = unchecked
        self._report = report
        self._left = Counter(turn.timeline_id for turn in turns)
        self._notebooks: dict[int, _Notebook] = {}
        self.calls = 0
        self.notes = 0
        self.timelines = len(self._left)

    def conversation(
        self, turn: Turn, calls: Sequence[SavedCall], *, changed: Sequence[SavedCall] | None = None
    ) -> None:
        """Replay a conversation.

        Args:
            turn: Which one.
            calls: Its calls as they were written.
            changed: Its calls as they are in the file, if those are others: then these are compared with their
                results, and memory and diary go on from what was written.
        """
        if calls or changed:
            notebook = self._notebooks.setdefault(turn.timeline_id, _Notebook())
            notebook.begin(turn)
            if changed is not None:
                self._run(turn, changed, copy.deepcopy(notebook))
            self._run(turn, calls, notebook, compares=changed is None)
        self._left[turn.timeline_id] -= 1
        if not self._left[turn.timeline_id]:
            self._compare(
                self._notebooks.pop(turn.timeline_id, _Notebook()).history(), self._recorded(turn.timeline_id)
            )

    def _run(self, turn: Turn, calls: Sequence[SavedCall], notebook: _Notebook, *, compares: bool = True) -> None:
        for saved in calls:
            result = run_call(saved.call, notebook)
            if not compares:
                continue
            self.calls += 1
            name = saved.call.name if isinstance(saved.call, ToolCall) else saved.call.text
            if not saved.results:
                self._report(Mismatch(turn.conversation_id, NO_RESULT, name))
            elif saved.results[0] != result:
                values = (json.dumps(value, ensure_ascii=False) for value in (saved.results[0], result))
                spelled, expected = map(_shorten, values)
                detail = f"{name}: {spelled} is saved, {expected} is what it gives"
                self._report(Mismatch(turn.conversation_id, WRONG_RESULT, detail))

    def end(self) -> None:
        """Compare the notes of timelines that none of the conversations belongs to: there should be none."""
        timelines = self._connection.execute("SELECT DISTINCT timeline_id FROM notes").fetchall()
        for (timeline_id,) in timelines:
            if timeline_id not in self._left:
                self._compare([], self._recorded(timeline_id))

    def _recorded(self, timeline_id: int) -> list[_Kept]:
        """Return the notes of a timeline as far as conversations made them that were replayed."""
        rows = self._connection.execute(
            "SELECT shelf, date, text, added_in, deleted_in FROM notes WHERE timeline_id = ?"
            " ORDER BY shelf = 'diary', id",
            (timeline_id,),
        )
        there = {None, FORGOTTEN_BY_RESET, *self._unchecked}
        return [
            _Kept(shelf, date, text, added_in, None if deleted_in in there else deleted_in)
            for shelf, date, text, added_in, deleted_in in rows
            if added_in not in self._unchecked
        ]

    def _compare(self, replayed: Sequence[_Kept], recorded: Sequence[_Kept]) -> None:
        self.notes += len(recorded)
        if replayed == recorded:
            return
        expected, found = Counter(replayed), Counter(recorded)
        if expected == found:
            note, other = next((note, other) for note, other in zip(replayed, recorded, strict=True) if note != other)
            self._report(Mismatch(note.added_in, NOTES_OUT_OF_ORDER, f"{_spell(other)} before {_spell(note)}"))
        lacking, spare = list((expected - found).elements()), list((found - expected).elements())
        for kind, alike in _LIKENESS:
            for note in list(lacking):
                matching = [other for other in spare if alike(note, other)]
                if matching:
                    lacking.remove(note)
                    spare.remove(matching[0])
                    detail = f"{_spell(matching[0])} instead of {_spell(note)}"
                    self._report(Mismatch(note.added_in, kind, detail))
        for note in lacking:
            self._report(Mismatch(note.added_in, NOTE_MISSING, _spell(note)))
        for note in spare:
            self._report(Mismatch(note.added_in, NOTE_UNKNOWN, _spell(note)))


def _deleted_elsewhere(note: _Kept, other: _Kept) -> bool:
    return replace(note, deleted_in=None) == replace(other, deleted_in=None)


def _of_the_same_call(note: _Kept, other: _Kept) -> bool:
    return (note.shelf, note.added_in, note.deleted_in) == (other.shelf, other.added_in, other.deleted_in)


# Whether a note of the database is one that replaying gives, though it is not the same; what is likelier comes first.
_LIKENESS: tuple[tuple[str, Callable[[_Kept, _Kept], bool]], ...] = (
    (NOTE_DELETED, _deleted_elsewhere),
    (NOTE_CHANGED, _of_the_same_call),
)


def _spell(note: _Kept) -> str:
    state = "" if note.deleted_in is None else f", deleted in conversation {note.deleted_in}"
    return f'"{_shorten(note.text)}" ({note.shelf}, {note.date}{state})'


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST_EXCERPT else text[: _LONGEST_EXCERPT - 1] + "…"
