"""What was accepted in a run, searched for what is like a new conversation: `quality.novelty.Accepted`, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from apep_datagen.core.sample_json import parse_messages
from apep_datagen.core.words import opening, words
from apep_datagen.quality.novelty import BANDS, MOST_IN_A_BAND, PARTS, Part, signature_keys
from apep_datagen.quality.sample import spoken

__all__ = ["AcceptedConversations"]

_IN_A_BAND = f"SELECT conversation_id FROM near WHERE key = ? ORDER BY conversation_id DESC LIMIT {MOST_IN_A_BAND}"  # noqa: S608 - constant
_IN_SAME_BANDS = " UNION ALL ".join([f"SELECT conversation_id FROM ({_IN_A_BAND})"] * BANDS)  # noqa: S608 - constant


class AcceptedConversations:
    """The accepted conversations of a run; methods as in `Accepted`.

    Args:
        connection: The state database, in a transaction that the caller commits.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def count(self) -> int:
        """Return how many there are."""
        (count,) = self._connection.execute("SELECT coalesce(max(position), 0) FROM samples").fetchone()
        return int(count)

    def sharing(self, keys: Sequence[int]) -> Iterable[int]:
        """Return those that have one of the keys."""
        return (number for (number,) in self._connection.execute(_IN_SAME_BANDS, keys))

    def spoken(self, conversation_id: int) -> tuple[str, str] | None:
        """Return question and reply of one."""
        row = self._connection.execute(
            "SELECT CAST(line AS BLOB) FROM samples WHERE conversation_id = ?", (conversation_id,)
        ).fetchone()
        messages = parse_messages(row[0]) if row else None
        return spoken(messages) if messages else None

    def times_begun(self, part: Part, begins: str) -> int:
        """Return how many begin so."""
        row = self._connection.execute(
            "SELECT count FROM openings WHERE part = ? AND opening = ?", (part, begins)
        ).fetchone()
        return int(row[0]) if row else 0

    def forget_all(self) -> None:
        """Make it as if there were none, so that all can be taken in anew."""
        self._connection.execute("DELETE FROM near")
        self._connection.execute("DELETE FROM openings")

    def remember(self, conversation_id: int, question: str, reply: str) -> None:
        """Take in one more."""
        self._connection.executemany(
            "INSERT INTO near (key, conversation_id) VALUES (?, ?)",
            [(key, conversation_id) for key in signature_keys(question, reply)],
        )
        self._connection.executemany(
            "INSERT INTO openings (part, opening, count) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
            [
                (part, begins)
                for part, text in zip(PARTS, (question, reply), strict=True)
                if (begins := opening(words(text)))
            ],
        )
