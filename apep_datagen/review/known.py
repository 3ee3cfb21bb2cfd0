"""Which conversations an output has, had or never got, by the digests of their texts.

A conversation in the output is known by the digest of its element, and by that of the same messages as this program
spells them, which counts: another layout of the file is the same.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TypeVar

from apep_datagen.conversation.prompting import training_sample
from apep_datagen.core.sample_json import line_digest, messages_digest, parse_messages
from apep_datagen.storage.access import read_only, run_is_active, state_path
from apep_datagen.storage.checked import integer
from apep_datagen.storage.conversations import read_prompt_set, rebuild_conversation
from apep_datagen.storage.faults import is_about_content
from apep_datagen.storage.output_reader import NoArrayError, read_elements
from apep_datagen.storage.reviewed import Removed, read_removed

__all__ = ["InOutput", "Known", "read_known"]

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class InOutput:
    """A conversation of the output.

    Attributes:
        digest: By which it is known.
        number: In the output, from 1.
        offset: The byte at which it begins.
        conversation_id: Its number in the run; None where the run did not make it.
    """

    digest: str
    number: int
    offset: int
    conversation_id: int | None


class Known:
    """Knows the conversations of an output.

    Args:
        connection: The state database, in the transaction in which all of it is asked.
        output: The output.
        is_active: Whether a run may be writing it: then its end may be torn.

    Attributes:
        base_count: How many conversations at the beginning are not behind what another hand wrote or changed.
        all: Those in the output, in its order.

    Raises:
        StorageError: The output cannot be read.
    """

    def __init__(self, connection: sqlite3.Connection, output: Path, *, is_active: bool = False) -> None:
        self._connection = connection
        base = connection.execute("SELECT base_count, base_position FROM run").fetchone()
        self.base_count, base_position = map(integer, base)
        behind: dict[int, tuple[str, int]] = {}
        among: dict[str, deque[int]] = defaultdict(deque)
        samples = connection.execute(
            "SELECT position, conversation_id, CAST(line AS BLOB) FROM samples ORDER BY position"
        )
        for position, conversation_id, line in samples:
            digest = line_digest(line).hex()
            if position > base_position:
                behind[self.base_count + position - base_position] = digest, conversation_id
            else:
                among[digest].append(conversation_id)
        self._aliases: dict[str, str] = {}
        self._in_output: dict[str, list[InOutput]] = defaultdict(list)
        self.all: list[InOutput] = []
        for number, (offset, element) in enumerate(_elements(output, is_active=is_active), start=1):
            digest, conversation_id = behind.get(number, ("", None))
            raw = line_digest(element).hex()
            if raw != digest:
                digest = raw if raw in among else _canonical(element, raw)
                places = among.get(digest)
                conversation_id = places.popleft() if places else None
                self._aliases[raw] = digest
            found = InOutput(digest, number, offset, conversation_id)
            self._in_output[digest].append(found)
            self.all.append(found)

    def in_output(self, digest: str) -> tuple[InOutput, ...]:
        """Return the conversations of the output that have a digest."""
        return tuple(self._in_output.get(digest, ()))

    def removed(self, digest: str) -> tuple[Removed, ...]:
        """Return what has left the output with a digest."""
        return tuple(self._removed.get(digest, ()))

    def of_run(self, conversation_id: int) -> InOutput | None:
        """Return where a conversation of the run is; None where it is not in the output."""
        return self._by_number.get(conversation_id)

    def find(self, digest: str) -> tuple[str, int | None] | None:
        """Return by which digest a conversation is known, and its number in the run; None where there is none.

        Args:
            digest: As a file of verdicts has it.
        """
        digest = self._aliases.get(digest) or self._given.get(digest) or digest
        if found := self._in_output.get(digest):
            return digest, found[0].conversation_id
        if removed := self._removed.get(digest):
            return digest, removed[0].conversation_id
        if digest in self._said:
            return digest, self._said[digest]
        if (number := self._out_of_output.get(digest)) is not None:
            return digest, number
        return None

    @cached_property
    def _removed(self) -> dict[str, list[Removed]]:
        found: dict[str, list[Removed]] = defaultdict(list)
        for removed in read_removed(self._connection):
            found[removed.digest].append(removed)
        return found

    @cached_property
    def _by_number(self) -> dict[int, InOutput]:
        return {found.conversation_id: found for found in self.all if found.conversation_id is not None}

    @cached_property
    def _given(self) -> dict[str, str]:
        return dict(self._connection.execute("SELECT given, digest FROM person_verdicts ORDER BY batch").fetchall())

    @cached_property
    def _said(self) -> dict[str, int | None]:
        rows = self._connection.execute("SELECT digest, conversation_id FROM person_verdicts")
        return dict(rows.fetchall())

    @cached_property
    def _out_of_output(self) -> dict[str, int]:
        """Return the conversations of the run that were rejected, by what they would be saved as, or were."""
        connection = self._connection
        prompts = cache(partial(read_prompt_set, connection))
        found: dict[str, int] = {}
        for (number,) in connection.execute("SELECT id FROM conversations WHERE status = 'rejected'").fetchall():
            try:
                digest = messages_digest(training_sample(rebuild_conversation(connection, number, prompts)))
            except Exception as error:  # the prompts are templates, which raise what they like
                if not is_about_content(error):
                    raise
                continue
            found[digest.hex()] = number
        rows = connection.execute("SELECT CAST(line AS BLOB), conversation_id FROM taken_out")
        return found | {line_digest(line).hex(): number for line, number in rows}


def read_known(output: Path, query: Callable[[sqlite3.Connection, Known], Result]) -> Result:
    """Return what `query` reads of the state database and of the conversations that there are; nothing is changed.

    Raises:
        StorageError: The output or its state database cannot be read.
    """
    path = state_path(output)
    is_active = run_is_active(path) is not False
    return read_only(path, lambda connection: query(connection, Known(connection, output, is_active=is_active)))


def _elements(output: Path, *, is_active: bool) -> Iterator[tuple[int, bytes]]:
    try:
        yield from read_elements(output)
    except NoArrayError:
        if not is_active:
            raise


def _canonical(element: bytes, raw: str) -> str:
    """Return the digest of the same messages as this program spells them."""
    messages = parse_messages(element)
    return raw if messages is None else messages_digest(messages).hex()
