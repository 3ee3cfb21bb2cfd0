"""What the stand-ins know of a conversation: it is read in the run's state database, as its first message began it.

The stand-ins are not what is tested; that their messages are those of a good model, or of one that is bad in a known
way, is what matters. What Ada tells is in what she is shown all the same, or she has nothing to tell.
"""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.conversation.brief import Brief
from apep_datagen.people.scenario import Scenario
from apep_datagen.people.story import Story
from apep_datagen.storage.conversations import brief_from_json
from apep_datagen.storage.timelines import read_story

__all__ = ["Scene", "scene_of"]


@dataclass(frozen=True, slots=True)
class Scene:
    """A conversation under way.

    Attributes:
        brief: What was planned.
        story: The timeline before it.
    """

    brief: Brief
    story: Story

    @property
    def scenario(self) -> Scenario:
        return self.brief.scenario


def scene_of(state: Path, first_message: str) -> Scene:
    """Return the conversation that began with a message.

    Raises:
        LookupError: There is none.
    """
    with contextlib.closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as connection:
        row = connection.execute(
            "SELECT timeline_id, plan FROM conversations JOIN steps ON conversation_id = id AND number = 1"
            " WHERE text = ? ORDER BY id DESC",
            (first_message,),
        ).fetchone()
        if row is None:
            raise LookupError(f"no conversation begins with {first_message!r}")
        return Scene(brief_from_json(row[1]), read_story(connection, row[0]))
