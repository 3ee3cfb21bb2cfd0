"""What becomes of conversations that are judged anew, after they have ended: how it is stored.

All functions take the connection; the caller commits. The output follows: what is added is appended to it, and where
something is taken out or mended, it is written anew (`replacement`).
"""

from __future__ import annotations

import sqlite3
import time

from apep_datagen.conversation.brief import Brief
from apep_datagen.core.notebook import Notes
from apep_datagen.quality.problem import Problem
from apep_datagen.storage.notes import notes_to_json
from apep_datagen.storage.projection import record_sample
from apep_datagen.storage.verdicts import count_verdict, uncount_verdict

__all__ = ["accept_by_itself", "mend", "reject_anew", "take_out"]


def accept_by_itself(connection: sqlite3.Connection, brief: Brief, line: str, before: Notes) -> None:
    """Accept a conversation that was rejected, as a sample that stands by itself.

    It has no effect on memory, diary and story of its timeline, which has gone on without it.

    Args:
        connection: The state database.
        brief: What was decided about it.
        line: What the output gets.
        before: Memory and diary before it.
    """
    _uncount(connection, brief)
    # Samples are in the order in which they were accepted, which is what a pace is told by.
    connection.execute(
        "UPDATE conversations SET status = 'finished', stage = NULL, reason = NULL, detail = NULL, quote = NULL,"
        " ended_at = ? WHERE id = ?",
        (time.time(), brief.conversation_id),
    )
    count_verdict(connection, brief, None)
    record_sample(connection, brief.conversation_id, line, notes_to_json(before))


def reject_anew(connection: sqlite3.Connection, brief: Brief, problem: Problem) -> None:
    """Record why a conversation is rejected now; nothing else of it changes."""
    _uncount(connection, brief)
    connection.execute(
        "UPDATE conversations SET status = 'rejected', stage = ?, reason = ?, detail = ?, quote = ? WHERE id = ?",
        (problem.stage.value, problem.reason, problem.detail, problem.quote, brief.conversation_id),
    )
    count_verdict(connection, brief, problem)


def take_out(connection: sqlite3.Connection, brief: Brief, problem: Problem) -> None:
    """Reject a conversation that was accepted. What it did to memory and diary stays: what came later builds on it."""
    connection.execute(
        "INSERT OR IGNORE INTO taken_out (conversation_id, line) SELECT conversation_id, line FROM samples"
        " WHERE conversation_id = ? AND notes_before IS NULL",
        (brief.conversation_id,),
    )
    connection.execute("DELETE FROM samples WHERE conversation_id = ?", (brief.conversation_id,))
    reject_anew(connection, brief, problem)


def mend(connection: sqlite3.Connection, conversation_id: int, line: str) -> None:
    """Let the output have another line for a conversation that stays accepted; its calls and results are the same."""
    connection.execute("UPDATE samples SET line = ? WHERE conversation_id = ?", (line, conversation_id))


def _uncount(connection: sqlite3.Connection, brief: Brief) -> None:
    stage, reason = connection.execute(
        "SELECT coalesce(stage, ''), coalesce(reason, '') FROM conversations WHERE id = ?", (brief.conversation_id,)
    ).fetchone()
    uncount_verdict(connection, brief, stage, reason)
