"""Timelines: the histories of simulated users with Ada, as they are stored.

All functions take the connection; the caller commits.
"""

from __future__ import annotations

import datetime
import functools
import sqlite3
from collections.abc import Callable

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from apep_datagen.conversation.brief import QuestionAnswer
from apep_datagen.people.past import Past
from apep_datagen.people.scenario import User
from apep_datagen.people.story import Story
from apep_datagen.storage.checked import CHECKED, integer
from apep_datagen.storage.faults import is_about_content, spell_finding
from apep_datagen.storage.notes import read_notebook, write_past

__all__ = [
    "Timeline",
    "begin_timeline",
    "end_all_timelines",
    "end_timeline",
    "go_on_after_acceptance",
    "go_on_after_rejection",
    "left_on",
    "left_on_closed",
    "open_timelines",
    "read_story",
    "read_timeline",
    "reopen_unfinished",
    "unbegun_timelines",
]

# A timeline on which so many conversations in a row were rejected is over: its story may be the reason.
_MOST_REJECTED_IN_A_ROW = 5


@dataclass(frozen=True, slots=True, config=CHECKED)
class Timeline:
    """A simulated user's history with Ada.

    Attributes:
        id: Its number in the run, from 1.
        story: Who the user is, and what she knows of them.
        conversations: How many were accepted.
        previous: What was said last.
        rejected_in_a_row: How many were rejected since the last one that was accepted.
    """

    id: int
    story: Story
    conversations: int = 0
    previous: QuestionAnswer | None = None
    rejected_in_a_row: int = 0


_TIMELINE = "SELECT id, story, conversations, last_question, last_answer, rejected_in_a_row FROM timelines"


def open_timelines(connection: sqlite3.Connection, notify: Callable[[str], None]) -> list[Timeline]:
    """Return the timelines that go on, oldest first; one that cannot is over, and `notify` is told in a sentence."""
    numbers = connection.execute("SELECT id FROM timelines WHERE NOT closed ORDER BY id").fetchall()
    timelines = []
    for (number,) in numbers:
        try:
            if timeline := read_timeline(connection, number):
                read_notebook(connection, number, 0, "")  # so that nothing of it fails later
                timelines.append(timeline)
        except Exception as error:
            if not is_about_content(error):
                raise
            connection.execute("UPDATE timelines SET closed = 1 WHERE id = ?", (number,))
            notify(f"timeline {number} is over, it cannot be read: {spell_finding(error)}")
    return timelines


def unbegun_timelines(connection: sqlite3.Connection, most: int) -> list[int]:
    """Return which of the timelines from 1 to `most` have not been begun; those after them may have been."""
    begun = {number for (number,) in connection.execute("SELECT id FROM timelines")}
    return [number for number in range(1, most + 1) if number not in begun]


def read_story(connection: sqlite3.Connection, timeline_id: int) -> Story:
    """Return the story of a timeline, which may be over.

    Raises:
        ValueError: There is none, or it makes no sense.
    """
    row = connection.execute("SELECT story FROM timelines WHERE id = ?", (timeline_id,)).fetchone()
    if row is None:
        raise ValueError(f"timeline {timeline_id} is missing")
    return _story(row[0])


def read_timeline(connection: sqlite3.Connection, timeline_id: int) -> Timeline | None:
    """Return a timeline; None if it is over."""
    row = connection.execute(f"{_TIMELINE} WHERE NOT closed AND id = ?", (timeline_id,)).fetchone()
    return None if row is None else _timeline(*row)


def _timeline(  # noqa: PLR0917 - the columns of a row, in order
    number: int, story: str, conversations: int, question: str | None, answer: str, rejected_in_a_row: int
) -> Timeline:
    previous = None if question is None else QuestionAnswer(question, answer)
    return Timeline(number, _story(story), conversations, previous, rejected_in_a_row)


def _story(text: str) -> Story:
    story = _stories().validate_json(text)
    if story.at:
        datetime.datetime.fromisoformat(story.at)  # what comes next is drawn from here
    return story


def begin_timeline(connection: sqlite3.Connection, timeline_id: int, user: User, past: Past | None) -> None:
    """Record a timeline with its first conversation; one that is there already stays as it is.

    Args:
        connection: The state database.
        timeline_id: Its number.
        user: Who talks with Ada.
        past: What she has noted of them before; None where that is stored already, or nothing is known of it.
    """
    story = past.story if past else Story(user)
    begun = connection.execute(
        "INSERT OR IGNORE INTO timelines (id, story) VALUES (?, ?)",
        (timeline_id, _stories().dump_json(story).decode()),
    )
    if past and begun.rowcount:
        write_past(connection, timeline_id, past.notes)


def go_on_after_acceptance(
    connection: sqlite3.Connection, timeline_id: int, story: Story, said: QuestionAnswer, length: int
) -> None:
    """Record what a timeline has come to with an accepted conversation.

    Args:
        connection: The state database.
        timeline_id: Which timeline.
        story: Its story, with the conversation.
        said: What was said last.
        length: How many conversations a timeline has; with the last of them it is over.
    """
    connection.execute(
        "UPDATE timelines SET conversations = conversations + 1, closed = closed OR conversations + 1 >= ?,"
        " last_question = ?, last_answer = ?, story = ?, rejected_in_a_row = 0 WHERE id = ?",
        (length, said.question, said.answer, _stories().dump_json(story).decode(), timeline_id),
    )


def go_on_after_rejection(connection: sqlite3.Connection, timeline_id: int) -> None:
    """Let a timeline go on as if its last conversation had not taken place, unless too many in a row were rejected."""
    connection.execute(
        "UPDATE timelines SET rejected_in_a_row = rejected_in_a_row + 1, closed = closed OR rejected_in_a_row + 1 >= ?"
        " WHERE id = ?",
        (_MOST_REJECTED_IN_A_ROW, timeline_id),
    )


def left_on(connection: sqlite3.Connection, timeline_id: int, length: int) -> int:
    """Return how many conversations a timeline lacks of its length."""
    (conversations,) = connection.execute("SELECT conversations FROM timelines WHERE id = ?", (timeline_id,)).fetchone()
    return length - integer(conversations)


def left_on_closed(connection: sqlite3.Connection, length: int) -> int:
    """Return how many conversations those timelines lack together that ended before they had all of them."""
    (left,) = connection.execute(
        "SELECT coalesce(sum(? - conversations), 0) FROM timelines WHERE closed AND conversations < ?", (length, length)
    ).fetchone()
    return integer(left)


def reopen_unfinished(connection: sqlite3.Connection, length: int) -> None:
    """Let those timelines go on that ended before they had all of their conversations."""
    connection.execute("UPDATE timelines SET closed = 0 WHERE closed AND conversations < ?", (length,))


def end_timeline(connection: sqlite3.Connection, conversation_id: int) -> None:
    """Record that the timeline of a conversation is over."""
    connection.execute(
        "UPDATE timelines SET closed = 1 WHERE id = (SELECT timeline_id FROM conversations WHERE id = ?)",
        (conversation_id,),
    )


def end_all_timelines(connection: sqlite3.Connection) -> None:
    """Record that all timelines are over, with the conversations that are going on in them."""
    connection.execute("UPDATE timelines SET closed = 1")


# Made when it is first needed: it takes some milliseconds.
@functools.cache
def _stories() -> TypeAdapter[Story]:
    return TypeAdapter(Story)
