"""Memory and diary of a run, made again from the calls of its conversations, and compared with what the database holds.

Conversations are replayed in the order in which they finished. What a timeline's notes have become is kept until its
last conversation, then compared and forgotten.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from apep_datagen.core.calls import ToolCall
from apep_datagen.core.notebook import Entry, Notebook
from apep_datagen.core.tools import run_call
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
        self._notebooks: dict[int, Notebook] = {}
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
            notebook = self._notebooks.setdefault(turn.timeline_id, Notebook())
            notebook.conversation_id, notebook.date = turn.conversation_id, turn.date
            if changed is not None:
                self._run(turn, changed, notebook.copy())
            self._run(turn, calls, notebook, compares=changed is None)
        self._left[turn.timeline_id] -= 1
        if not self._left[turn.timeline_id]:
            notebook = self._notebooks.pop(turn.timeline_id, Notebook())
            replayed = sorted(notebook.entries, key=lambda entry: entry.shelf == "diary")
            self._compare(replayed, self._recorded(turn.timeline_id))

    def _run(self, turn: Turn, calls: Sequence[SavedCall], notebook: Notebook, *, compares: bool = True) -> None:
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

    def _recorded(self, timeline_id: int) -> list[Entry]:
        """Return the notes of a timeline as far as conversations made them that were replayed."""
        rows = self._connection.execute(
            "SELECT shelf, date, text, added_in, deleted_in FROM notes WHERE timeline_id = ?"
            " ORDER BY shelf = 'diary', id",
            (timeline_id,),
        )
        there = {None, FORGOTTEN_BY_RESET, *self._unchecked}
        return [
            Entry(shelf, date, text, added_in, None if deleted_in in there else deleted_in)
            for shelf, date, text, added_in, deleted_in in rows
            if added_in not in self._unchecked
        ]

    def _compare(self, replayed: Sequence[Entry], recorded: Sequence[Entry]) -> None:
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


def _deleted_elsewhere(note: Entry, other: Entry) -> bool:
    return replace(note, deleted_in=None) == replace(other, deleted_in=None)


def _of_the_same_call(note: Entry, other: Entry) -> bool:
    return (note.shelf, note.added_in, note.deleted_in) == (other.shelf, other.added_in, other.deleted_in)


# Whether a note of the database is one that replaying gives, though it is not the same; what is likelier comes first.
_LIKENESS: tuple[tuple[str, Callable[[Entry, Entry], bool]], ...] = (
    (NOTE_DELETED, _deleted_elsewhere),
    (NOTE_CHANGED, _of_the_same_call),
)


def _spell(note: Entry) -> str:
    state = "" if note.deleted_in is None else f", deleted in conversation {note.deleted_in}"
    return f'"{_shorten(note.text)}" ({note.shelf}, {note.date}{state})'


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST_EXCERPT else text[: _LONGEST_EXCERPT - 1] + "…"
