"""Finding one conversation of a dataset by its number, and what the state database tells about it."""

from __future__ import annotations

import sqlite3
from collections import deque
from pathlib import Path

from pydantic.dataclasses import dataclass

from apep_datagen.conversation.brief import Brief
from apep_datagen.core.errors import SettingsError, StorageError
from apep_datagen.core.messages import Step
from apep_datagen.core.paths import is_there
from apep_datagen.storage.access import read_only, state_path
from apep_datagen.storage.checked import CHECKED, integer
from apep_datagen.storage.conversations import brief_from_json
from apep_datagen.storage.output_reader import read_element_at, read_elements

__all__ = ["Background", "find_element", "read_background", "read_makers"]

_LONGEST_TAIL = 1 << 12


@dataclass(frozen=True, slots=True, config=CHECKED)
class Background:
    """What the state database tells about a conversation.

    Attributes:
        brief: What was decided before its first call; None where an older version began it.
        makers: Provider and model with the roles they worked in, e.g. `together / model (ada, rewriter)`.
        timeline: The number of its timeline.
        place: Which of the conversations of the timeline that had an effect on it it is, from 1; None where it has none
            and stands by itself.
        length: How many these are.
    """

    brief: Brief | None
    makers: tuple[str, ...]
    timeline: int
    place: int | None
    length: int


def find_element(path: Path, number: int) -> tuple[int, bytes]:
    """Return an element of a file and its number from 1.

    Args:
        path: The file.
        number: From 1; from -1 at the end.

    Raises:
        SettingsError: There is no element with this number.
        StorageError: There is no such file, or it is no JSON array.
    """
    if found := _find_by_state(path, number):
        return found
    last: deque[int] = deque(maxlen=max(0, -number))
    count = 0
    for offset, element in read_elements(path):
        count += 1
        if count == number:
            return number, element
        last.append(offset)
    if number < 0 and len(last) == -number:
        return count + 1 + number, read_element_at(path, last[0])
    there = f"its numbers go from 1 to {count}, or from -1 at the end to -{count}" if count else "it holds none yet"
    raise SettingsError(f"{path}: there is no conversation {number}; {there}")


def _find_by_state(path: Path, number: int) -> tuple[int, bytes] | None:
    """Return what `find_element` does, without reading the file from its beginning; None where that is needed.

    The state database knows at which byte each conversation ends. That the file is as it was written is seen from its
    bytes there, and, to count from the end, from what stands behind the last one.
    """

    def query(connection: sqlite3.Connection) -> tuple[int, bytes, int, int] | None:
        base_count, base_position = connection.execute("SELECT base_count, base_position FROM run").fetchone()
        last, last_end = connection.execute("SELECT max(position), end FROM samples").fetchone()
        from_start = number if number > 0 else base_count + (last or 0) - base_position + 1 + number
        row = connection.execute(
            "SELECT line, end FROM samples WHERE position = ? AND position > ?",
            (from_start - base_count + base_position, base_position),
        ).fetchone()
        return (from_start, row[0].encode(), integer(row[1]), integer(last_end)) if row else None

    try:
        row = read_only(state_path(path), query) if is_there(state_path(path)) else None
        if row is None:
            return None
        from_start, element, end, last_end = row
        with path.open("rb") as file:
            file.seek(max(0, end - len(element)))
            if file.read(len(element)) != element:
                return None
            if number < 0:
                file.seek(last_end)
                if file.read(_LONGEST_TAIL).strip() != b"]" or file.read(1):
                    return None
    except (StorageError, OSError):
        return None
    return from_start, element


def read_background(connection: sqlite3.Connection, number: int, element: bytes) -> Background | None:
    """Return what the state database tells about an element of the output, or None where it does not know it.

    Args:
        connection: The state database.
        number: The element's number in the file, from 1.
        element: The element.
    """
    conversation_id = _conversation_id(connection, number, element)
    if conversation_id is None:
        return None
    brief, timeline, length = connection.execute(
        "SELECT plan, timeline_id, timelines.conversations FROM conversations"
        " JOIN timelines ON timelines.id = timeline_id WHERE conversations.id = ?",
        (conversation_id,),
    ).fetchone()
    (stands_by_itself,) = connection.execute(
        "SELECT notes_before IS NOT NULL FROM samples WHERE conversation_id = ?", (conversation_id,)
    ).fetchone()
    (place,) = connection.execute(
        "SELECT count(*) FROM conversations WHERE timeline_id = ? AND id <= ?"
        " AND (EXISTS (SELECT 1 FROM samples WHERE conversation_id = id AND notes_before IS NULL)"
        " OR EXISTS (SELECT 1 FROM taken_out WHERE conversation_id = id))",
        (timeline, conversation_id),
    ).fetchone()
    place = None if stands_by_itself else place
    makers = read_makers(connection, conversation_id)
    try:
        return Background(brief_from_json(brief), makers, timeline, place, length)
    except ValueError:  # an older version's
        return Background(None, makers, timeline, place, length)


def read_makers(connection: sqlite3.Connection, conversation_id: int) -> tuple[str, ...]:
    """Return who made a conversation: provider and model with the roles that they worked in."""
    steps = connection.execute(
        "SELECT kind, provider, model FROM steps WHERE conversation_id = ? AND provider IS NOT NULL ORDER BY number",
        (conversation_id,),
    )
    roles: dict[str, dict[str, None]] = {}
    for kind, provider, model in steps:
        roles.setdefault(f"{provider} / {model}", {})[Step(kind).model_role.value] = None
    return tuple(f"{maker} ({', '.join(names)})" for maker, names in roles.items())


def _conversation_id(connection: sqlite3.Connection, number: int, element: bytes) -> int | None:
    """Return which conversation an element of the output is, or None where it is none of the run's.

    It is looked for where it has to be; where the output was changed by another hand, also everywhere else.
    """
    base_count, base_position = connection.execute("SELECT base_count, base_position FROM run").fetchone()
    line = element.decode()
    row = None
    if number > base_count:
        row = connection.execute(
            "SELECT conversation_id FROM samples WHERE position = ? AND line = ?",
            (number - base_count + base_position, line),
        ).fetchone()
    row = row or connection.execute("SELECT conversation_id FROM samples WHERE line = ?", (line,)).fetchone()
    return row[0] if row else None
