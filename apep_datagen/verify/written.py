"""What the state database says was written into an output."""

from __future__ import annotations

import sqlite3
from array import array
from dataclasses import dataclass, field
from pathlib import Path

import pydantic.dataclasses

from apep_datagen.core.messages import Message
from apep_datagen.core.sample_json import parse_messages
from apep_datagen.storage.access import run_is_active
from apep_datagen.storage.checked import CHECKED
from apep_datagen.verify.fingerprints import number_for

__all__ = ["Written", "WrittenConversation"]


@pydantic.dataclasses.dataclass(frozen=True, slots=True, config=CHECKED)
class WrittenConversation:
    """A conversation that was written.

    Attributes:
        conversation_id: Its number in the run.
        timeline_id: Its timeline.
        date: The day on which it took place, as an ISO date.
        provider: Who made it.
        stands_by_itself: Whether it has no effect on its timeline, which went on without it.
    """

    conversation_id: int
    timeline_id: int
    date: str
    provider: str
    stands_by_itself: bool = False


@dataclass(slots=True)
class Written:
    """What was written, in order.

    Attributes:
        connection: The state database, in the transaction in which all of it is read.
        foreign: How many conversations at the beginning of the file, its base, are not among these for certain.
        before: How many of these are among the former, or were removed.
        synced: How many of these are known to be on the disk.
        active: Whether a run is active; None where the system does not say.
        conversations: All of them.
        contents: For each a number that is the same for the same messages.
        unchecked: The numbers, in the run, of conversations that are in progress, or may not be in the file yet.
    """

    connection: sqlite3.Connection
    foreign: int
    before: int
    synced: int
    active: bool | None
    conversations: list[WrittenConversation] = field(default_factory=list)
    contents: array[int] = field(default_factory=lambda: array("q"))
    unchecked: set[int] = field(default_factory=set)

    @classmethod
    def read(cls, connection: sqlite3.Connection, path: Path) -> Written:
        """Read the state database, which is at `path`.

        What an active run has written and not yet recorded to be on the disk is left out.
        """
        foreign, before, synced = connection.execute(
            "SELECT base_count, base_position, synced_position FROM run"
        ).fetchone()
        written = cls(connection, foreign, before, synced, run_is_active(path))
        active = connection.execute("SELECT id FROM conversations WHERE status = 'active'")
        written.unchecked.update(number for (number,) in active)
        rows = connection.execute(
            # Briefs of an older version have `date`. As bytes, lines need not be decoded.
            "SELECT position, conversation_id, timeline_id, substr(coalesce(plan ->> 'at', plan ->> 'date'), 1, 10),"
            " provider, notes_before IS NOT NULL, CAST(line AS BLOB) FROM samples JOIN conversations"
            " ON id = conversation_id ORDER BY position"
        )
        same: dict[str, str] = {}  # each date and provider once in memory
        for position, conversation_id, timeline_id, date, provider, stands_by_itself, line in rows:
            if written.active and position > max(written.before, written.synced):
                written.unchecked.add(conversation_id)
                continue
            day, maker = (same.setdefault(text, text) for text in (date, provider))
            written.conversations.append(
                WrittenConversation(conversation_id, timeline_id, day, maker, bool(stands_by_itself))
            )
            written.contents.append(number_for(line))
        return written

    @property
    def expected(self) -> int:
        """How many conversations the file has to have."""
        return self.foreign + len(self.conversations) - self.before

    def messages(self, place: int) -> tuple[Message, ...]:
        """Return what was written as `place`, from 0."""
        (line,) = self.connection.execute(
            "SELECT CAST(line AS BLOB) FROM samples WHERE conversation_id = ?",
            (self.conversations[place].conversation_id,),
        ).fetchone()
        return parse_messages(line) or ()
