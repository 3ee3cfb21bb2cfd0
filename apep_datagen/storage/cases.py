"""What a conversation is judged by, read from the state database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.review import Review
from apep_datagen.core.messages import Message
from apep_datagen.core.notebook import Notebook
from apep_datagen.people.scenario import KnownFact
from apep_datagen.people.story import Change
from apep_datagen.quality.case import Case
from apep_datagen.storage.conversations import earlier_messages

__all__ = ["case_of"]


def case_of(
    connection: sqlite3.Connection,
    brief: Brief,
    messages: tuple[Message, ...],
    *,
    finish_reasons: tuple[str, ...],
    known: Iterable[KnownFact],
    notebook: Notebook,
    review: Review | None = None,
) -> Case:
    """Return a finished conversation with all that it is judged by, whether it has just ended or long ago.

    Args:
        connection: The state database.
        brief: What was decided about it.
        messages: The training sample.
        finish_reasons: What the provider said of Ada's turns; empty where that is not known any more.
        known: What of the planned facts Ada had written down before it.
        notebook: Memory and diary at its end, in which its changes are booked to it.
        review: What the reviewer said of it, where one was asked.
    """
    change = Change(tuple(item.fact for item in known), notebook.notes_before(), notebook.notes())
    earlier = earlier_messages(connection, brief.timeline_id, brief.conversation_id)
    return Case(brief, messages, change, finish_reasons, earlier, review)
