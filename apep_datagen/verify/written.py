"""What the state database says was written into an output, against what is there.

What is there is taken in while the file is read. As long as each conversation is the one that was written in its place,
which is the usual case, its calls are replayed at once; what comes behind the first that is not is aligned at the end.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from itertools import zip_longest
from pathlib import Path

from apep_datagen.core.messages import Message
from apep_datagen.core.samples import messages_of
from apep_datagen.quality.sample import Sample, read_sample
from apep_datagen.storage.access import run_is_active
from apep_datagen.verify.alignment import align
from apep_datagen.verify.examination import Examined, Finding, calls_of, content_of_line
from apep_datagen.verify.replay import Mismatch, Replay, Turn

__all__ = ["CHANGED", "MISSING", "MOVED", "UNKNOWN", "Compared", "Reconciliation", "Written"]

CHANGED = "the conversation is not as it was written"
MISSING = "a conversation that was written is not there"
MOVED = "the conversation is not in its place"
UNKNOWN = "the conversation was not written by this run"

_EXCERPT = 60


@dataclass(frozen=True, slots=True)
class Compared:
    """What was compared with the state database.

    Attributes:
        conversations: That the run has written, as far as the file has to have them.
        foreign: At the beginning of the file, which somebody else wrote or changed.
        unchecked: That a run is working on, or has only just written.
        timelines: Whose calls were executed again.
        calls: That were executed again.
        notes: Of memory and diary, deleted ones included, that were compared.
        active: Whether a run is active; None where the system does not say.
    """

    conversations: int
    foreign: int
    unchecked: int
    timelines: int
    calls: int
    notes: int
    active: bool | None


@dataclass(slots=True)
class Written:
    """What was written, in order.

    Attributes:
        connection: The state database, in the transaction in which all of it is read.
        foreign: How many conversations at the beginning of the file are not among these, or not for certain.
        before: How many of these are among the former, or were removed.
        synced: How many of these are known to be on the disk.
        active: Whether a run is active; None where the system does not say.
        turns: When each took place.
        providers: Who made each, as an index in `provider_names`.
        contents: What stands for each one's messages.
        unchecked: The numbers, in the run, of conversations that are in progress, or may not be in the file yet.
    """

    connection: sqlite3.Connection
    foreign: int
    before: int
    synced: int
    active: bool | None
    turns: list[Turn] = field(default_factory=list)
    providers: bytearray = field(default_factory=bytearray)
    provider_names: list[str] = field(default_factory=list)
    contents: array[int] = field(default_factory=lambda: array("q"))
    unchecked: frozenset[int] = frozenset()

    @classmethod
    def read(cls, connection: sqlite3.Connection, path: Path) -> Written:
        """Read the state database, which is at `path`.

        What an active run has written and not yet recorded to be on the disk is left out.
        """
        foreign, before, synced = connection.execute(
            "SELECT base_count, base_position, synced_position FROM run"
        ).fetchone()
        written = cls(connection, foreign, before, synced, run_is_active(path))
        last = max(written.before, written.synced) if written.active else 1 << 62
        rows = connection.execute(
            # Plans of an older version have `date`. As bytes, lines need not be decoded.
            "SELECT position, conversation_id, timeline_id, substr(coalesce(plan ->> 'at', plan ->> 'date'), 1, 10),"
            " provider, CAST(line AS BLOB) FROM samples JOIN conversations ON id = conversation_id ORDER BY position"
        )
        unchecked = {number for (number,) in connection.execute("SELECT id FROM conversations WHERE status = 'active'")}
        dates: dict[str, str] = {}
        names: dict[str, int] = {}
        for position, conversation_id, timeline_id, date, provider, line in rows:
            if position > last:
                unchecked.add(conversation_id)
                continue
            written.turns.append(Turn(conversation_id, timeline_id, dates.setdefault(date, date)))
            written.providers.append(names.setdefault(provider, min(len(names), 255)))
            written.contents.append(content_of_line(line))
        written.provider_names = list(names)
        written.unchecked = frozenset(unchecked)
        return written

    @property
    def expected(self) -> int:
        """How many conversations the file has to have."""
        return self.foreign + len(self.turns) - self.before

    def messages(self, place: int) -> tuple[Message, ...]:
        """Return what was written as `place`, from 0."""
        (line,) = self.connection.execute(
            "SELECT CAST(line AS BLOB) FROM samples WHERE conversation_id = ?", (self.turns[place].conversation_id,)
        ).fetchone()
        return messages_of(line) or ()


class Reconciliation:
    """Compares what is there with what was written.

    Args:
        written: What was written.
        messages_at: Returns the conversation with a number in the file; None where it is none.

    Attributes:
        findings: What was found.
        places: For each conversation of the file, which of the written ones it is, from 0; -1 where it is none. After
            `end`.
    """

    def __init__(self, written: Written, messages_at: Callable[[int], tuple[Message, ...] | None]) -> None:
        self.findings: list[Finding] = []
        self.places = array("q")
        self._written = written
        self._messages_at = messages_at
        self._replay = Replay(written.connection, written.turns, written.unchecked, self._report)
        self._is_in_step = True
        self._numbers = array("q", bytes(8 * len(written.turns)))  # in the file, of what was written; 0 for none
        for place in range(written.before):
            self._replay_written(place)

    def take(self, examined: Examined) -> None:
        """Take in the conversations that follow in the file."""
        for number, content in enumerate(examined.contents, start=examined.number):
            place = self._place_if_in_step(number)
            if place is None:
                continue
            self._is_in_step = place < len(self._written.turns) and self._written.contents[place] == content
            if self._is_in_step:
                self._numbers[place] = number
                self._replay.conversation(self._written.turns[place], examined.calls.get(number, ()))

    def _place_if_in_step(self, number: int) -> int | None:
        written = self._written
        is_ours = self._is_in_step and number > written.foreign
        return number - 1 - written.foreign + written.before if is_ours else None

    def end(self, contents: Sequence[int], doubled: AbstractSet[int]) -> Compared:
        """Align and replay what is left, and compare memory and diary.

        Args:
            contents: What stands for each conversation of the file.
            doubled: The numbers of those that are there a second time, of which nothing more is to be said.
        """
        written = self._written
        ours = range(written.before, len(written.turns))
        first = next((place for place in ours if not self._numbers[place]), len(written.turns))  # out of step
        start = min(written.foreign + first - written.before, len(contents))
        alignment = align(contents[start:], written.contents[first:])
        for pairs in (alignment.in_place, alignment.moved, alignment.changed):
            for index, place in pairs.items():
                self._numbers[first + place] = start + index + 1
        for index in alignment.moved:
            self._find(start + index + 1, MOVED)
        for index in alignment.unknown:
            if start + index + 1 not in doubled:
                self._find(start + index + 1, UNKNOWN)
        changed = {first + place for place in alignment.changed.values()}
        last_number = start
        for place in range(first, len(written.turns)):
            if place in changed:
                self._replay_changed(place, self._numbers[place])
            else:
                self._replay_written(place)
            if not self._numbers[place]:
                self._find(None, MISSING, self._name_missing(place, last_number))
            last_number = self._numbers[place] or last_number
        self._replay.end()
        self.places = array("q", [-1]) * len(contents)
        for place, number in enumerate(self._numbers):
            if number:
                self.places[number - 1] = place
        return Compared(
            conversations=len(written.turns) - written.before,
            foreign=min(written.foreign, len(contents)),
            unchecked=len(written.unchecked),
            timelines=self._replay.timelines,
            calls=self._replay.calls,
            notes=self._replay.notes,
            active=written.active,
        )

    def _replay_written(self, place: int) -> None:
        self._replay.conversation(self._written.turns[place], calls_of(self._written.messages(place)))

    def _replay_changed(self, place: int, number: int) -> None:
        was, now = self._written.messages(place), self._messages_at(number) or ()
        self._find(number, CHANGED, _difference(was, now))
        calls, sample = calls_of(was), read_sample(now)
        # What has not the form is found for that, and its calls may not be whole.
        changed = calls_of(now, sample) if isinstance(sample, Sample) else calls
        self._replay.conversation(self._written.turns[place], calls, changed=None if changed == calls else changed)

    def _name_missing(self, place: int, before: int) -> str:
        """Name what was written as `place`; `before` is the number in the file of what is there of those before it."""
        where = f"behind conversation {before} of the file" if before else "at the beginning of the file"
        name = f"conversation {self._written.turns[place].conversation_id} of the run, {where}"
        if place >= max(self._written.synced, self._written.before):
            name += "; the next run for this output writes it, if a crash kept it from being written"
        return name

    def _report(self, mismatch: Mismatch) -> None:
        place = self._places_in_run.get(mismatch.conversation_id)
        number = self._numbers[place] if place is not None else 0
        detail = mismatch.detail if number else f"conversation {mismatch.conversation_id} of the run: {mismatch.detail}"
        self._find(number or None, mismatch.kind, detail)

    @cached_property
    def _places_in_run(self) -> dict[int, int]:
        return {turn.conversation_id: place for place, turn in enumerate(self._written.turns)}

    def _find(self, number: int | None, kind: str, detail: str = "") -> None:
        self.findings.append(Finding(number, kind, detail))


def _difference(was: Sequence[Message], now: Sequence[Message]) -> str:
    """Say where two conversations differ first."""
    for number, (before, after) in enumerate(zip_longest(was, now), start=1):
        if before == after:
            continue
        if before is None or after is None:
            return f"it has {len(now)} messages instead of {len(was)}"
        if before.role != after.role:
            return f"message {number} is of role {after.role} instead of {before.role}"
        length = min(len(before.content), len(after.content))
        at = next((at for at in range(length) if before.content[at] != after.content[at]), length)
        return (
            f"message {number} ({after.role}) differs from character {at + 1} on: {_excerpt(after.content, at)} instead"
            f" of {_excerpt(before.content, at)}"
        )
    return ""


def _excerpt(text: str, at: int) -> str:
    start = max(0, at - _EXCERPT // 3)
    end = start + _EXCERPT
    return '"' + "…" * (start > 0) + text[start:end] + "…" * (end < len(text)) + '"'
