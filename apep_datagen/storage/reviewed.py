"""What people said of conversations, and what has left the output for it: how it is stored.

Verdicts come in batches, and of a conversation the one of the latest batch counts. What is in the output follows from
them, so undoing a batch is leaving it out. What has left stays here whole, and comes back as a sample that stands by
itself: its timeline has gone on, with what it did to memory and diary.

All functions take the connection; the caller commits. The output follows (`replacement`, `projection`).
"""

from __future__ import annotations

import functools
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from apep_datagen.core.sample_json import parse_messages
from apep_datagen.quality.problem import Problem
from apep_datagen.quality.sample import Sample, read_sample
from apep_datagen.quality.wording import wording_of
from apep_datagen.storage.accepted import AcceptedConversations
from apep_datagen.storage.checked import CHECKED, integer
from apep_datagen.storage.notes import notes_to_json, read_notebook_at
from apep_datagen.storage.rejudged import accept_by_itself, take_out

__all__ = [
    "Batch",
    "Opinion",
    "Removed",
    "Said",
    "Word",
    "add_batch",
    "drop_batch",
    "keep_removed",
    "last_batch",
    "put_back",
    "read_opinion",
    "read_removed",
    "take_out_of_run",
]


class Word(StrEnum):
    """What a person says of a conversation."""

    GOOD = "good"
    BAD = "bad"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True, config=CHECKED)
class Said:
    """What a person said of a conversation.

    Attributes:
        digest: Of the conversation, as this program spells it, in hexadecimal.
        word: What it comes to.
        tags: Why, in words that many have in common.
        note: Why, in words of its own.
        said_at: When, as a text; empty where nobody knows.
        conversation_id: Its number in the run; None where the run did not make it, or that is not known yet.
        name: Who said so.
        given: The digest that a file of verdicts had: another one, where the output has another layout.
    """

    digest: str
    word: Word
    tags: tuple[str, ...] = ()
    note: str = ""
    said_at: str = ""
    conversation_id: int | None = None
    name: str = ""
    given: str = ""

    def is_same_as(self, other: Said | None) -> bool:
        """Tell whether somebody said the same before."""
        return other is not None and (self.word, self.tags, self.note) == (other.word, other.tags, other.note)


@dataclass(frozen=True, slots=True, config=CHECKED)
class Batch:
    """What was applied at once: who said it, the file that it came from, and when, in seconds since 1970."""

    id: int
    name: str
    source: str
    at: float


@dataclass(frozen=True, slots=True, config=CHECKED)
class Removed:
    """What has left the output because of what a person said.

    Attributes:
        id: Its row.
        digest: As of a `Said`.
        conversation_id: As of a `Said`.
    """

    id: int
    digest: str
    conversation_id: int | None


@dataclass(frozen=True, slots=True)
class Opinion:
    """What people have said, all of it.

    Attributes:
        said: Of each conversation, by its digest, what counts.
        roots: Of what is to leave with what it was built on, by its digest, the digests of that.
    """

    said: Mapping[str, Said]
    roots: Mapping[str, frozenset[str]]

    def bad_roots(self, digest: str) -> tuple[Said, ...]:
        """Return what is bad that a conversation was built on, where it is to leave with that."""
        found = (self.said.get(root) for root in sorted(self.roots.get(digest, ())))
        return tuple(said for said in found if said is not None and said.word is Word.BAD)


def read_opinion(connection: sqlite3.Connection, *, but: int | None = None) -> Opinion:
    """Return what people have said.

    Args:
        connection: The state database.
        but: A batch that is left out.
    """
    rows = connection.execute(
        "SELECT digest, word, tags, note, said_at, conversation_id, name FROM person_verdicts"
        " JOIN person_batches ON id = batch WHERE batch IS NOT ? ORDER BY batch",
        (but,),
    )
    said = {
        digest: Said(digest, Word(word), _tags().validate_json(tags), note, said_at, conversation_id, name)
        for digest, word, tags, note, said_at, conversation_id, name in rows
    }
    roots: dict[str, set[str]] = defaultdict(set)
    for digest, root in connection.execute("SELECT digest, root FROM person_dependents WHERE batch IS NOT ?", (but,)):
        roots[digest].add(root)
    return Opinion(said, {digest: frozenset(of_it) for digest, of_it in roots.items()})


def add_batch(
    connection: sqlite3.Connection,
    *,
    name: str,
    source: str,
    said: Iterable[Said],
    dependents: Iterable[tuple[str, str]],
) -> None:
    """Store what somebody said.

    Args:
        connection: The state database.
        name: Who.
        source: The file that it came from.
        said: What of which conversation.
        dependents: The digests of what is to leave the output with what is bad, each with that one's.
    """
    batch = connection.execute(
        "INSERT INTO person_batches (name, source, at) VALUES (?, ?, ?)", (name, source, time.time())
    ).lastrowid
    connection.executemany(
        "INSERT INTO person_verdicts (batch, digest, given, conversation_id, word, tags, note, said_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                batch,
                one.digest,
                one.given or one.digest,
                one.conversation_id,
                one.word.value,
                _tags().dump_json(one.tags).decode(),
                one.note,
                one.said_at,
            )
            for one in said
        ],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO person_dependents (batch, digest, root) VALUES (?, ?, ?)",
        [(batch, digest, root) for digest, root in dependents],
    )


def last_batch(connection: sqlite3.Connection) -> Batch | None:
    """Return what was applied last and is not undone."""
    row = connection.execute("SELECT id, name, source, at FROM person_batches ORDER BY id DESC LIMIT 1").fetchone()
    return Batch(*row) if row else None


def drop_batch(connection: sqlite3.Connection, batch: int) -> None:
    """Forget what was said in a batch."""
    for table in ("person_dependents", "person_verdicts"):
        connection.execute(f"DELETE FROM {table} WHERE batch = ?", (batch,))  # noqa: S608 - constants
    connection.execute("DELETE FROM person_batches WHERE id = ?", (batch,))


def read_removed(connection: sqlite3.Connection) -> tuple[Removed, ...]:
    """Return what has left the output, in the order in which it did."""
    return tuple(
        Removed(*row)
        for row in connection.execute("SELECT id, digest, conversation_id FROM person_removed ORDER BY id")
    )


def take_out_of_run(connection: sqlite3.Connection, digest: str, conversation_id: int, problem: Problem) -> None:
    """Let an accepted conversation of the run leave the output. What it did to memory and diary stays.

    Args:
        connection: The state database.
        digest: As of a `Said`.
        conversation_id: Which one.
        problem: Why.
    """
    line, notes_before = connection.execute(
        "SELECT CAST(line AS BLOB), notes_before FROM samples WHERE conversation_id = ?", (conversation_id,)
    ).fetchone()
    if notes_before is None:
        notes_before = _notes_before(connection, conversation_id)
    connection.execute(
        "INSERT INTO person_removed (digest, conversation_id, line, notes_before, is_remembered)"
        " VALUES (?, ?, ?, ?, ?)",
        (digest, conversation_id, line.decode(), notes_before, _forget(connection, conversation_id, line)),
    )
    take_out(connection, conversation_id, problem)


def keep_removed(connection: sqlite3.Connection, digest: str, text: str) -> None:
    """Keep what leaves the output that the run did not make.

    Args:
        connection: The state database.
        digest: As of a `Said`.
        text: The element, as it is in the output.
    """
    connection.execute(
        "INSERT INTO person_removed (digest, line, is_remembered) VALUES (?, ?, 0)",
        (digest, text),
    )


def put_back(connection: sqlite3.Connection, removed: Removed) -> str | None:
    """Let something come back that has left the output: as a sample behind all others, if the run made it.

    Returns:
        What is to be in the output that is no sample; None where it is one.
    """
    line, notes_before, is_remembered = connection.execute(
        "SELECT line, notes_before, is_remembered FROM person_removed WHERE id = ?", (removed.id,)
    ).fetchone()
    connection.execute("DELETE FROM person_removed WHERE id = ?", (removed.id,))
    number = removed.conversation_id
    if number is None:
        return str(line)
    accept_by_itself(connection, number, line, notes_before)
    if is_remembered and (messages := parse_messages(line.encode())):
        AcceptedConversations(connection).remember(number, wording_of(messages))
    return None


def _notes_before(connection: sqlite3.Connection, conversation_id: int) -> str:
    """Return memory and diary before a conversation of a timeline, as a sample keeps them that stands by itself."""
    (timeline_id,) = connection.execute(
        "SELECT timeline_id FROM conversations WHERE id = ?", (conversation_id,)
    ).fetchone()
    notebook = read_notebook_at(connection, integer(timeline_id), conversation_id, "")
    return notes_to_json(notebook.notes_before())


def _forget(connection: sqlite3.Connection, conversation_id: int, line: bytes) -> bool:
    """Compare new conversations no longer with this one; tell whether they were."""
    messages = parse_messages(line)
    if messages is None or not isinstance(read_sample(messages), Sample):
        return False
    accepted, wording = AcceptedConversations(connection), wording_of(messages)
    if not accepted.remembers(conversation_id, wording):
        return False
    accepted.forget(conversation_id, wording)
    return True


# Made when it is first needed: it takes some milliseconds.
@functools.cache
def _tags() -> TypeAdapter[tuple[str, ...]]:
    return TypeAdapter(tuple[str, ...])
