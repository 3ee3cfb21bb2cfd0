"""How many of a run's conversations were drawn from what is held out for evaluation, told by its state database."""

from __future__ import annotations

import json
import sqlite3
from itertools import groupby
from operator import itemgetter

from apep_datagen.stats.held_out import HeldOut, HeldOutCount
from apep_datagen.storage.notes import PAST

__all__ = ["read_held_out"]

_ACCEPTED = """
    SELECT timeline_id, json_extract(plan, '$.user', '$.scenario.topic', '$.scenario.facts', '$.scenario.replaced')
    FROM conversations INDEXED BY conversations_of_timeline CROSS JOIN samples ON conversation_id = conversations.id
    ORDER BY timeline_id
"""
_PAST = "SELECT text FROM notes WHERE timeline_id = ? AND added_in = ?"


def read_held_out(connection: sqlite3.Connection, held_out: HeldOut) -> HeldOutCount:
    """Count the accepted conversations of which anything that was drawn is held out.

    That is: their user, the notes with which the user's timeline began, their topic, or what they are about.

    Args:
        connection: The state database.
        held_out: What is held out.
    """
    count = HeldOutCount()
    for timeline_id, rows in groupby(connection.execute(_ACCEPTED), key=itemgetter(0)):
        notes = connection.execute(_PAST, (timeline_id, PAST))
        of_timeline = [what for (text,) in notes for what in held_out.in_note(text)]
        of_users: dict[str, list[str]] = {}
        for _, planned in rows:
            user, topic, facts, replaced = json.loads(planned)
            name = repr(user)
            if user is not None and name not in of_users:
                of_users[name] = list(held_out.in_user(user))
            scenario = {"topic": topic, "facts": facts, "replaced": replaced}
            count.add([*of_users.get(name, ()), *of_timeline, *held_out.in_scenario(scenario)])
    return count
