"""Memory and diary of a run, made again from the calls of its conversations, and compared with what the database holds.

Conversations are replayed in the order in which they finished. A timeline's notebook is kept until its last
conversation, then compared and forgotten; it begins with what was there before the first one. Those that have left the
output again are replayed in between, as their effects have stayed; those that stand by themselves are replayed on what
was there before them, and have none.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from apep_datagen.core.notebook import Entry, Notebook
from apep_datagen.core.sample_json import parse_messages
from apep_datagen.core.tools import run_call
from apep_datagen.core.words import shorten
from apep_datagen.storage.notes import FORGOTTEN_BY_RESET, notes_from_json, read_past
from apep_datagen.verify.examination import SavedCall, calls_of
from apep_datagen.verify.findings import (
    NO_RESULT,
    NOTE_CHANGED,
    NOTE_DELETED,
    NOTE_MISSING,
    NOTE_UNKNOWN,
    NOTES_OUT_OF_ORDER,
    WRONG_RESULT,
)
from apep_datagen.verify.written import WrittenConversation

__all__ = ["Replay"]

_LONGEST_EXCERPT = 160


class Replay:
    """Replays conversations, each timeline's in order.

    Args:
        connection: The state database.
        conversations: All that will be replayed.
        unchecked: The numbers, in the run, of conversations that are not: their notes are not looked at.
        report: Is told what is found: a conversation's number in the run, the kind of the finding, and its detail.

    Attributes:
        calls: How many calls were replayed.
        notes: How many notes were compared.
        timelines: Of how many timelines.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        conversations: Iterable[WrittenConversation],
        unchecked: AbstractSet[int],
        report: Callable[[int, str, str], None],
    ) -> None:
        self._connection = connection
        self._unchecked = unchecked
        self._report = report
        self._left = Counter(written.timeline_id for written in conversations if not written.stands_by_itself)
        self._taken_out = _taken_out(connection)
        self._notebooks: dict[int, Notebook] = {}
        self.calls = 0
        self.notes = 0
        self.timelines = len(self._left.keys() | self._taken_out.keys())

    def conversation(
        self, written: WrittenConversation, calls: Sequence[SavedCall], *, changed: Sequence[SavedCall] | None = None
    ) -> None:
        """Replay a conversation.

        Args:
            written: Which one.
            calls: Its calls as they were written.
            changed: Its calls as they are in the file, if those are others: then these are compared with their
                results, and memory and diary go on from what was written.
        """
        if written.stands_by_itself:
            if calls or changed:
                self._run(calls if changed is None else changed, self._notebook_before(written))
            return
        timeline_id = written.timeline_id
        self._replay_taken_out(timeline_id, before=written.conversation_id)
        if calls or changed:
            notebook = self._notebook(timeline_id, written.conversation_id, written.date)
            if changed is not None:
                self._run(changed, notebook.copy())
            self._run(calls, notebook, compares=changed is None)
        self._left[timeline_id] -= 1
        if not self._left[timeline_id]:
            self._end_timeline(timeline_id)

    def _notebook(self, timeline_id: int, conversation_id: int, date: str) -> Notebook:
        """Return the notebook of a timeline, in which changes are booked to a conversation."""
        if timeline_id not in self._notebooks:
            self._notebooks[timeline_id] = read_past(self._connection, timeline_id)
        notebook = self._notebooks[timeline_id]
        notebook.conversation_id, notebook.date = conversation_id, date
        return notebook

    def _notebook_before(self, written: WrittenConversation) -> Notebook:
        """Return what was there before a conversation that stands by itself, as it is kept with it."""
        (text,) = self._connection.execute(
            "SELECT notes_before FROM samples WHERE conversation_id = ?", (written.conversation_id,)
        ).fetchone()
        notebook = Notebook.holding(notes_from_json(text), date=written.date)
        notebook.conversation_id = written.conversation_id
        return notebook

    def _replay_taken_out(self, timeline_id: int, *, before: float = math.inf) -> None:
        """Replay what has left the output again, of a timeline and before a conversation."""
        waiting = self._taken_out.get(timeline_id, deque())
        while waiting and waiting[0] < before:
            number = waiting.popleft()
            date, line = self._connection.execute(
                "SELECT substr(plan ->> 'at', 1, 10), CAST(line AS BLOB) FROM taken_out"
                " JOIN conversations ON id = conversation_id WHERE id = ?",
                (number,),
            ).fetchone()
            self._run(calls_of(parse_messages(line) or ()), self._notebook(timeline_id, number, date))

    def _end_timeline(self, timeline_id: int) -> None:
        self._replay_taken_out(timeline_id)
        notebook = self._notebooks.pop(timeline_id, None) or read_past(self._connection, timeline_id)
        self._compare(sorted(notebook.entries, key=lambda entry: entry.shelf == "diary"), timeline_id)

    def _run(self, calls: Sequence[SavedCall], notebook: Notebook, *, compares: bool = True) -> None:
        for saved in calls:
            result = run_call(saved.call, notebook)
            if not compares:
                continue
            self.calls += 1
            name = saved.call.label
            if not saved.results:
                self._report(notebook.conversation_id, NO_RESULT, name)
            elif saved.results[0] != result:
                there, expected = (
                    shorten(json.dumps(value, ensure_ascii=False), _LONGEST_EXCERPT)
                    for value in (saved.results[0], result)
                )
                detail = f"{name}: {there} is saved, {expected} is what it gives"
                self._report(notebook.conversation_id, WRONG_RESULT, detail)

    def end(self) -> None:
        """Compare the notes of timelines of which no conversation is in the output: what has left it made them."""
        timelines = self._connection.execute("SELECT DISTINCT timeline_id FROM notes").fetchall()
        for timeline_id in {*self._taken_out, *(timeline_id for (timeline_id,) in timelines)}:
            if timeline_id not in self._left:
                self._end_timeline(timeline_id)

    def _recorded(self, timeline_id: int) -> list[Entry]:
        """Return the notes of a timeline as far as conversations made them that were replayed."""
        rows = self._connection.execute(
            "SELECT shelf, date, text, added_in, deleted_in FROM notes WHERE timeline_id = ?"
            " ORDER BY shelf = 'diary', id",
            (timeline_id,),
        )
        there = {FORGOTTEN_BY_RESET, *self._unchecked}
        entries = (Entry(*row) for row in rows)
        return [
            replace(entry, deleted_in=None) if entry.deleted_in in there else entry
            for entry in entries
            if entry.added_in not in self._unchecked
        ]

    def _compare(self, replayed: Sequence[Entry], timeline_id: int) -> None:
        recorded = self._recorded(timeline_id)
        self.notes += len(recorded)
        if replayed == recorded:
            return
        expected, found = Counter(replayed), Counter(recorded)
        if expected == found:
            note, other = next((note, other) for note, other in zip(replayed, recorded, strict=True) if note != other)
            self._report(note.added_in, NOTES_OUT_OF_ORDER, f"{_spell(other)} before {_spell(note)}")
        lacking, spare = list((expected - found).elements()), list((found - expected).elements())
        for kind, alike in _LIKENESS:
            for note in list(lacking):
                if matching := [other for other in spare if alike(note, other)]:
                    lacking.remove(note)
                    spare.remove(matching[0])
                    self._report(note.added_in, kind, f"{_spell(matching[0])} instead of {_spell(note)}")
        for kind, notes in ((NOTE_MISSING, lacking), (NOTE_UNKNOWN, spare)):
            for note in notes:
                self._report(note.added_in, kind, _spell(note))


def _taken_out(connection: sqlite3.Connection) -> dict[int, deque[int]]:
    """Return the conversations that have left the output again, by their timelines, in order."""
    numbers: dict[int, deque[int]] = defaultdict(deque)
    rows = connection.execute(
        "SELECT timeline_id, id FROM taken_out JOIN conversations ON id = conversation_id ORDER BY id"
    )
    for timeline_id, number in rows:
        numbers[timeline_id].append(number)
    return numbers


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
    return f'"{shorten(note.text, _LONGEST_EXCERPT)}" ({note.shelf}, {note.date}{state})'
