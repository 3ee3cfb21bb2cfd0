"""What becomes of conversations after they have ended, by the rules of today or by what people say: how it is stored.

All functions take the connection; the caller commits. The output follows: what is added is appended to it, and where
something is taken out or mended, it is written anew (`replacement`).
"""

from __future__ import annotations

import sqlite3
import time

from apep_datagen.quality.problem import Problem
from apep_datagen.storage.projection import record_sample
from apep_datagen.storage.verdicts import recount

__all__ = ["accept_by_itself", "mend", "reject_anew", "take_out"]


def accept_by_itself(connection: sqlite3.Connection, conversation_id: int, line: str, notes_before: str) -> None:
    """Accept a conversation that was rejected, as a sample that stands by itself.

    It has no effect on memory, diary and story of its timeline, which has gone on without it.

    Args:
        connection: The state database.
        conversation_id: Which one.
        line: What the output gets.
        notes_before: Memory and diary before it, as JSON.
    """
    recount(connection, conversation_id, None)
    # Samples are in the order in which they were accepted, which is what a pace is told by.
    connection.execute(
        "UPDATE conversations SET status = 'finished', stage = NULL, reason = NULL, detail = NULL, quote = NULL,"
        " ended_at = ? WHERE id = ?",
        (time.time(), conversation_id),
    )
    record_sample(connection, conversation_id, line, notes_before)


def reject_anew(connection: sqlite3.Connection, conversation_id: int, problem: Problem) -> None:
    """Record why a conversation is not in the output; nothing else of it changes."""
    recount(connection, conversation_id, problem)
    connection.execute(
        "UPDATE conversations SET status = 'rejected', stage = ?, reason = ?, detail = ?, quote = ? WHERE id = ?",
        (problem.stage.value, problem.reason, problem.detail, problem.quote, conversation_id),
    )


def take_out(connection: sqlite3.Connection, conversation_id: int, problem: Problem) -> None:
    """Reject a conversation that was accepted. What it did to memory and diary stays: what came later builds on it."""
    connection.execute(
        "INSERT OR IGNORE INTO taken_out (conversation_id, line) SELECT conversation_id, line FROM samples"
        " WHERE conversation_id = ? AND notes_before IS NULL",
        (conversation_id,),
    )
    connection.execute("DELETE FROM samples WHERE conversation_id = ?", (conversation_id,))
    reject_anew(connection, conversation_id, problem)


def mend(connection: sqlite3.Connection, conversation_id: int, line: str) -> None:
    """Let the output have another line for a conversation that stays accepted; its calls and results are the same."""
    connection.execute("UPDATE samples SET line = ? WHERE conversation_id = ?", (line, conversation_id))
