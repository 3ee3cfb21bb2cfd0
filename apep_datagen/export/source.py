"""What is exported: the conversations of an output, in its order, each with what the state database knows of it."""

from __future__ import annotations

import functools
import hashlib
import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic.dataclasses import dataclass as checked_dataclass

from apep_datagen.config.settings import Settings
from apep_datagen.core.errors import StorageError
from apep_datagen.core.messages import Step
from apep_datagen.core.sample_json import line_digest, parse_messages, sample_bytes
from apep_datagen.formats.origin import Origin, model_name
from apep_datagen.storage.access import other_output, run_is_active, state_path
from apep_datagen.storage.checked import CHECKED
from apep_datagen.storage.faults import state_database
from apep_datagen.storage.output import CLOSING
from apep_datagen.storage.output_reader import read_elements
from apep_datagen.storage.verdicts import accepted_by_provider

__all__ = ["Source", "SourceConversation", "SourceDigest"]

# Briefs of the first version have none of these.
_SAMPLES = """
    SELECT position, conversation_id, timeline_id, notes_before IS NOT NULL AS by_itself,
        coalesce(plan ->> 'at', plan ->> 'date') AS at, plan ->> '$.scenario.ability' AS ability,
        plan ->> '$.scenario.form' AS form, plan ->> '$.scenario.topic' AS topic, plan ->> '$.user.name' AS name,
        plan ->> 'seed' AS seed, provider, CAST(line AS BLOB)
    FROM samples JOIN conversations ON conversations.id = conversation_id
    WHERE position > ? ORDER BY position
"""
_ROLES = " ".join(f"WHEN '{step.value}' THEN '{step.model_role.value}'" for step in Step)
_STEPS = f"""
    SELECT provider, model, CASE kind {_ROLES} END, total(prompt_tokens), total(completion_tokens)
    FROM steps WHERE conversation_id = ? AND provider IS NOT NULL GROUP BY 1, 2, 3 ORDER BY min(number)
"""  # noqa: S608 - of constants


@dataclass(frozen=True, slots=True)
class SourceConversation:
    """An element of an output.

    Attributes:
        number: Its number in the file, from 1.
        element: Its JSON.
        end: Byte offset behind it in the file.
        origin: What is known of it; empty where the state database does not know it.
        user: The number of its user in the run; None where it is not known.
    """

    number: int
    element: bytes
    end: int
    origin: Origin
    user: int | None = None


@checked_dataclass(frozen=True, slots=True, config=CHECKED)
class _Sample:
    """A row of the state database about an element of the output."""

    position: int
    conversation_id: int
    timeline_id: int
    by_itself: int
    at: str | None
    ability: str | None
    form: str | None
    topic: str | None
    name: str | None
    seed: int | None
    provider: str
    line: bytes


class Source:
    """An output, to be read from its beginning or from where an earlier reading ended.

    Args:
        path: The output.
        connection: Its state database, in the transaction in which all of it is read; None where there is none.
        settings: By which levels the conversations of a provider were judged.

    Attributes:
        path: As above.
        connection: As above; None as well where it is another output's.
        why_not: Why the state database cannot be asked; else empty.
        seed: What the run drew its decisions from; None without a state database.
        limit: How many elements are known to be whole; None where the whole file is.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection | None, settings: Settings) -> None:
        self.path = path
        self.seed: int | None = None
        self.limit: int | None = None
        self._size = path.stat().st_size if path.exists() else 0
        self._level_of: Callable[[str], str] = functools.cache(settings.level_of)
        self._base_count = self._base_position = 0
        state = state_path(path)
        self.why_not = f"there is no state database {state}" if connection is None else ""
        if connection is not None:
            self.seed, self._base_count, self._base_position, synced = connection.execute(
                "SELECT seed, base_count, base_position, synced_position FROM run"
            ).fetchone()
            if other := other_output(connection, path):
                connection, self.why_not = None, f"{state} belongs to {other}"
            elif run_is_active(state):
                (written,) = connection.execute(
                    "SELECT count(*) FROM samples WHERE position > ? AND position <= ?", (self._base_position, synced)
                ).fetchone()
                self.limit = self._base_count + written
        self.connection = connection

    def providers(self) -> tuple[str, ...]:
        """Return the providers that made what the state database knows, in the order of their names."""
        if self.connection is None:
            return ()
        return tuple(accepted_by_provider(self.connection))

    def conversations(self, after: int = 0, behind: int = 0) -> Iterator[SourceConversation]:
        """Yield the conversations in the order of the file.

        Args:
            after: How many are passed over.
            behind: The byte offset behind them.

        Raises:
            StorageError: The file cannot be read, or is no array.
        """
        find = _Finder(self, self._base_count, self._base_position, after)
        for number, (offset, element) in enumerate(self._elements(after, behind), start=after + 1):
            end = offset + len(element)
            sample = find(element)
            if sample is None:
                yield SourceConversation(number, element, end, Origin(numbers=(number,)))
            else:
                yield self._known(number, element, end, sample)

    def _elements(self, after: int, behind: int) -> Iterator[tuple[int, bytes]]:
        end = behind
        try:
            # What stands behind the limit is not looked at: it may be half of an element.
            for offset, element in itertools.islice(
                read_elements(self.path, behind), None if self.limit is None else max(0, self.limit - after)
            ):
                end = offset + len(element)
                yield offset, element
        except StorageError:
            # A run that has begun meanwhile may be writing behind what there was, which was read by then.
            if not self._was_appended_to or end < self._size - len(CLOSING):
                raise

    @property
    def _was_appended_to(self) -> bool:
        return self.path.exists() and self.path.stat().st_size > self._size

    def _known(self, number: int, element: bytes, end: int, sample: _Sample) -> SourceConversation:
        assert self.connection is not None  # noqa: S101 - the sample is of it
        makers: dict[str, list[str]] = {}
        prompt_tokens = completion_tokens = 0
        for provider, model, role, prompt, completion in self.connection.execute(_STEPS, (sample.conversation_id,)):
            makers.setdefault(f"{provider} / {model_name(model)}", []).append(role)
            prompt_tokens += int(prompt)
            completion_tokens += int(completion)
        origin = Origin(
            numbers=(number,),
            conversations=(sample.conversation_id,),
            user=f"user-{sample.timeline_id:05d}",
            name=sample.name or "",
            days=(sample.at,) if sample.at else (),
            abilities=(sample.ability,) if sample.ability else (),
            forms=(sample.form,) if sample.form else (),
            topics=(sample.topic,) if sample.topic else (),
            provider=sample.provider,
            models=tuple(f"{maker} ({', '.join(roles)})" for maker, roles in makers.items()),
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            seed=sample.seed,
            stands_by_itself=bool(sample.by_itself),
            level=self._level_of(sample.provider),
        )
        return SourceConversation(number, element, end, origin, sample.timeline_id)


class SourceDigest:
    """Tells what was read of an output, so that it is known again: its elements as they were read, and where each ends.

    Attributes:
        conversations: How many.
        end: Byte offset behind the last of them.
    """

    def __init__(self) -> None:
        self.conversations = 0
        self.end = 0
        self._hash = hashlib.sha256()

    @classmethod
    def of(cls, path: Path, conversations: int) -> Self | None:
        """Return that of the first conversations of a file; None where they cannot be read."""
        digest = cls()
        try:
            for offset, element in itertools.islice(read_elements(path), conversations):
                digest._add(offset + len(element), element)
        except StorageError:
            return None
        return digest

    def noting(self, conversations: Iterable[SourceConversation]) -> Iterator[SourceConversation]:
        """Yield conversations, and take note of each."""
        for conversation in conversations:
            self._add(conversation.end, conversation.element)
            yield conversation

    def hexdigest(self) -> str:
        """Return what is the same for no other conversations, in hexadecimal."""
        return self._hash.hexdigest()

    def _add(self, end: int, element: bytes) -> None:
        self.conversations += 1
        self.end = end
        self._hash.update(b"%d " % end)
        self._hash.update(element)


class _Finder:
    """Tells which sample of the state database an element of the output is.

    They are in step, as the output is written in the order of the samples. Where another hand has changed the file,
    all samples are looked up, by what they say.
    """

    def __init__(self, source: Source, base_count: int, base_position: int, after: int) -> None:
        self._connection = source.connection
        self._state = state_database(state_path(source.path))
        start = max(0, after - base_count) + base_position if after >= base_count else 0
        self._rows = self._from(start)
        self._next = next(self._rows, None)
        self._positions: sqlite3.Connection | None = None

    def __call__(self, element: bytes) -> _Sample | None:
        if self._connection is None:
            return None
        if self._next is not None and self._next.line == element:
            sample = self._next
        else:
            line = _spelled(element)
            if line is None:
                return None
            if self._next is not None and self._next.line == line:
                sample = self._next
            else:
                position = self._position_of(element) or self._position_of(line)
                if position is None:
                    return None
                self._rows = self._from(position - 1)
                sample = next(self._rows)
        self._next = next(self._rows, None)
        return sample

    def _from(self, position: int) -> Iterator[_Sample]:
        if self._connection is None:
            return
        with self._state.reading():
            for row in self._connection.execute(_SAMPLES, (position,)):
                yield _Sample(*row)

    def _position_of(self, line: bytes) -> int | None:
        """Return where a sample is that says this, by a table of all samples that is made when it is first needed."""
        if self._positions is None:
            # A database without a name is in memory while it is small, else in a file that nobody sees.
            self._positions = sqlite3.connect("", isolation_level=None)
            self._positions.execute("CREATE TABLE lines (digest BLOB PRIMARY KEY, position INTEGER) WITHOUT ROWID")
            assert self._connection is not None  # noqa: S101 - else nobody asks
            rows = self._connection.execute("SELECT CAST(line AS BLOB), position FROM samples")
            self._positions.executemany(
                "INSERT OR IGNORE INTO lines VALUES (?, ?)", ((line_digest(text), position) for text, position in rows)
            )
        row = self._positions.execute("SELECT position FROM lines WHERE digest = ?", (line_digest(line),)).fetchone()
        return row[0] if row else None


def _spelled(element: bytes) -> bytes | None:
    """Return an element as the program spells it, whatever its white space; None where it is no conversation."""
    messages = parse_messages(element)
    return sample_bytes(messages) if messages else None
