"""What Ada knew of a user before each conversation of a timeline, however long ago it took place."""

from __future__ import annotations

import sqlite3

from apep_datagen.people.scenario import KnownFact
from apep_datagen.people.story import Story, story_after
from apep_datagen.storage.conversations import brief_from_json
from apep_datagen.storage.notes import read_notebook_at

__all__ = ["known_before_each"]

# What was accepted in its timeline has had effects, also where it has left the output since.
_CONVERSATIONS = """
    SELECT id, plan, EXISTS (SELECT 1 FROM samples WHERE conversation_id = id AND notes_before IS NULL)
        OR EXISTS (SELECT 1 FROM taken_out WHERE conversation_id = id)
    FROM conversations WHERE timeline_id = ? ORDER BY id
"""


def known_before_each(connection: sqlite3.Connection, timeline_id: int) -> dict[int, tuple[KnownFact, ...]]:
    """Return what of the planned facts Ada had written down before each conversation of a timeline, by their numbers.

    It is what the story of the timeline said then, told anew from what was decided and from memory and diary.
    Conversations of which an earlier version decided otherwise are left out.
    """
    known: dict[int, tuple[KnownFact, ...]] = {}
    story: Story | None = None
    for number, plan, had_effects in connection.execute(_CONVERSATIONS, (timeline_id,)):
        try:
            brief = brief_from_json(plan)
        except ValueError:
            continue
        story = story or Story(brief.user)
        known[number] = story.known
        if had_effects:
            notes = read_notebook_at(connection, timeline_id, number, brief.date).notes()
            story = story_after(story, brief.scenario, brief.at, notes)
    return known
