"""What became of the thoughts of a run: saved as they were rewritten, or as they were, and why."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence

from pydantic.dataclasses import dataclass

from apep_datagen.conversation.rewriting import NOT_NEEDED
from apep_datagen.core.messages import Step
from apep_datagen.storage.checked import CHECKED

__all__ = ["RewriteCount", "count_rewrites", "kept_originals", "put_back", "read_rewrites"]


@dataclass(frozen=True, slots=True, config=CHECKED)
class RewriteCount:
    """How many thoughts fared alike.

    Attributes:
        provider: Whose model rewrote them; or, where that was not needed, thought them last in their exchange.
        reason: Why the originals were kept; empty where they are saved as rewritten.
        count: How many.
    """

    provider: str
    reason: str
    count: int

    @property
    def is_left_out(self) -> bool:
        """Whether nobody was asked to rewrite them."""
        return self.reason == NOT_NEEDED


def read_rewrites(connection: sqlite3.Connection) -> tuple[RewriteCount, ...]:
    """Return what became of the thoughts of a run."""
    rows = connection.execute("SELECT provider, reason, count FROM rewrites WHERE count > 0 ORDER BY provider, reason")
    return tuple(RewriteCount(*row) for row in rows)


def kept_originals(connection: sqlite3.Connection) -> int:
    """Return how many thoughts are saved as they were, because their rewrites are worse."""
    return sum(item.count for item in read_rewrites(connection) if item.reason and not item.is_left_out)


def count_rewrites(connection: sqlite3.Connection, provider: str, kept: Sequence[str]) -> None:
    """Count thoughts by why each is as it was; empty for those that are saved as a provider's model rewrote them."""
    connection.executemany(
        "INSERT INTO rewrites (provider, reason, count) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET count = count + excluded.count",
        [(provider, reason, count) for reason, count in Counter(kept).items()],
    )


def put_back(connection: sqlite3.Connection, conversation_id: int, rewrite: int, reason: str) -> None:
    """Count a thought anew that was counted as saved as rewritten, and is put back to what it was.

    Args:
        connection: In a transaction that the caller commits.
        conversation_id: Its conversation.
        rewrite: Which of the rewrites in that conversation it came from, from 0.
        reason: Why it is put back.
    """
    (provider,) = connection.execute(
        "SELECT provider FROM steps WHERE conversation_id = ? AND kind = ? ORDER BY number LIMIT 1 OFFSET ?",
        (conversation_id, Step.REWRITE.value, rewrite),
    ).fetchone()
    connection.execute("UPDATE rewrites SET count = count - 1 WHERE provider = ? AND reason = ''", (provider,))
    count_rewrites(connection, provider, [reason])
