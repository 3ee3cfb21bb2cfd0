"""Finding the shortcuts of a run in its state database, in one pass, timeline by timeline."""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_left
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from apep_datagen.core.notebook import SHELVES
from apep_datagen.core.sample_json import parse_messages
from apep_datagen.people.scenario import Ability, Form
from apep_datagen.stats.shortcuts import Shortcuts, ShortcutTally
from apep_datagen.stats.traits import traits_of
from apep_datagen.storage.notes import FORGOTTEN_BY_RESET, notes_from_json

__all__ = ["read_shortcuts"]

# In the order of the index, so that nothing is sorted and one timeline's notes are in memory at a time.
_ACCEPTED = """
    SELECT timeline_id, conversations.id, json_extract(
        plan,
        '$.scenario.ability', '$.scenario.form', '$.scenario.place', '$.scenario.topic', '$.scenario.facts', '$.at'
    ), line, notes_before
    FROM conversations INDEXED BY conversations_of_timeline CROSS JOIN samples ON conversation_id = conversations.id
    ORDER BY timeline_id, conversations.id
"""


class _Shelf:
    """How many notes one shelf of a timeline held before each of its conversations."""

    def __init__(self) -> None:
        self.added: list[int] = []
        self.deleted: list[int] = []

    def sort(self) -> None:
        self.added.sort()
        self.deleted.sort()

    def before(self, conversation_id: int) -> int:
        return bisect_left(self.added, conversation_id) - bisect_left(self.deleted, conversation_id)


def read_shortcuts(connection: sqlite3.Connection) -> Shortcuts:
    """Find what a model could learn from the accepted conversations instead of looking."""
    tally = ShortcutTally()
    for timeline_id, rows in groupby(connection.execute(_ACCEPTED), key=itemgetter(0)):
        shelves = _shelves(connection, timeline_id)
        for _, number, planned, line, notes_before in rows:
            ability, form, place, topic, facts, at = json.loads(planned)
            if topic is not None:
                tally.topics[topic] += 1
            messages = parse_messages(line.encode("utf-8", "surrogatepass"))
            if ability is None or at is None or messages is None:  # an older version's
                continue
            if notes_before is None:
                notes, pages = (shelves[shelf].before(number) for shelf in SHELVES)
            else:  # it stands by itself, outside its timeline
                before = notes_from_json(notes_before)
                notes, pages = len(before.memory), len(before.diary)
            tally.count(
                (Ability(ability), None if form is None else Form(form)),
                number,
                notes=notes,
                pages=pages,
                at=at,
                traits=traits_of(messages, 1 if place is None else place),
            )
            tally.facts.count(timeline_id, _slots_and_values(facts))
        tally.facts.end(timeline_id)
    return tally.shortcuts()


def _shelves(connection: sqlite3.Connection, timeline_id: int) -> dict[str, _Shelf]:
    shelves = {"memory": _Shelf(), "diary": _Shelf()}
    for shelf, added_in, deleted_in in connection.execute(
        "SELECT shelf, added_in, deleted_in FROM notes WHERE timeline_id = ?", (timeline_id,)
    ):
        shelves[shelf].added.append(added_in)
        if deleted_in is not None and deleted_in != FORGOTTEN_BY_RESET:  # a reset comes after all of its conversations
            shelves[shelf].deleted.append(deleted_in)
    for kept in shelves.values():
        kept.sort()
    return shelves


def _slots_and_values(facts: list[dict[str, str]] | None) -> Iterator[tuple[str, str]]:
    for fact in facts or ():
        yield fact["slot"], fact["value"]
