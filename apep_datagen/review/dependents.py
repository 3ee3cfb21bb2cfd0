"""Which conversations used what another one of their timeline has stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from apep_datagen.core.calls import texts_in
from apep_datagen.core.markup import read_results
from apep_datagen.core.sample_json import parse_messages

__all__ = ["Use", "uses_of"]

# Those that are in the output, and those that were and have left their effects.
_LATER = """
    SELECT id, CAST(coalesce(samples.line, taken_out.line) AS BLOB), samples.line IS NOT NULL FROM conversations
    LEFT JOIN samples ON samples.conversation_id = id LEFT JOIN taken_out ON taken_out.conversation_id = id
    WHERE timeline_id = (SELECT timeline_id FROM conversations WHERE id = ?1) AND id > ?1
        AND coalesce(samples.line, taken_out.line) NOT NULL
    ORDER BY id
"""
_NOTES = """
    SELECT text, added_in, deleted_in FROM notes
    WHERE timeline_id = (SELECT timeline_id FROM conversations WHERE id = ?1) AND added_in >= ?1 ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Use:
    """That a conversation used what another one has stored.

    Attributes:
        conversation_id: Which one, by its number in the run.
        source: The one that has stored it.
        note: What that is.
        root: The one that is bad: the source, or one that the source was built on in the same way.
    """

    conversation_id: int
    source: int
    note: str
    root: int


def uses_of(connection: sqlite3.Connection, root: int, spared: Collection[int]) -> Iterator[Use]:
    """Yield the conversations of the output that used what one has stored, or what such a one has stored, in order.

    It has used a note that stands in a result that it was given, or that it has deleted.

    Args:
        connection: The state database.
        root: The one that is bad, by its number in the run.
        spared: Conversations on which nothing bad can be built, as somebody has called them good.
    """
    notes = connection.execute(_NOTES, (root,)).fetchall()
    if not any(added_in == root for _, added_in, _ in notes):
        return
    tainted = {root}
    for number, line, is_in_output in connection.execute(_LATER, (root,)).fetchall():
        told = set(_told(line))
        used = [
            (added_in, text)
            for text, added_in, deleted_in in notes
            if added_in in tainted and added_in < number and (deleted_in == number or text in told)
        ]
        if not used:
            continue
        if number not in spared:
            tainted.add(number)
        if is_in_output:
            yield Use(number, *used[0], root)


def _told(line: bytes) -> Iterator[str]:
    """Yield every text in the results of a conversation."""
    for message in parse_messages(line) or ():
        if message.role == "tool":
            for value, _ in read_results(message.content):
                yield from texts_in(value)
