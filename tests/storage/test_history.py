"""What Ada knew before a conversation is told again as the run knew it then, also where conversations have left it."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from apep_datagen.storage.access import state_path
from apep_datagen.storage.history import known_before_each
from apep_datagen.storage.schema import migrate
from apep_datagen.storage.timelines import read_story
from support.real_state import write_real_state


def test_what_was_known_is_what_the_story_of_the_timeline_said(tmp_path: Path) -> None:
    output = write_real_state(tmp_path)
    with contextlib.closing(sqlite3.connect(state_path(output), isolation_level=None)) as connection:
        migrate(connection, seed=1, output_name=output.name, base_count=0, base_end=1)
        # One more behind all others, of each timeline: before it was known what the story says at the end.
        connection.execute(
            "INSERT INTO conversations (id, timeline_id, prompt_set_id, plan, provider, status, started_at)"
            " SELECT 1000 + timeline_id, timeline_id, prompt_set_id, json_set(plan, '$.conversation_id', 1000 +"
            " timeline_id), provider, 'rejected', 0 FROM conversations GROUP BY timeline_id"
        )
        timelines = [number for (number,) in connection.execute("SELECT id FROM timelines")]
        told = {number: known_before_each(connection, number)[1000 + number] for number in timelines}
        stories = {number: read_story(connection, number).known for number in timelines}
        assert told == stories
        assert sum(map(len, told.values())) > 20
        # What leaves the output has had its effect all the same.
        connection.execute("INSERT INTO taken_out SELECT conversation_id, line FROM samples WHERE position % 2")
        connection.execute("DELETE FROM samples WHERE position % 2")
        assert {number: known_before_each(connection, number)[1000 + number] for number in timelines} == stories
        # And what stands by itself has none.
        connection.execute("UPDATE samples SET notes_before = '{}'")
        connection.execute("DELETE FROM taken_out")
        assert not any(known_before_each(connection, number)[1000 + number] for number in timelines)
