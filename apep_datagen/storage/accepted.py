"""What was accepted in a run, searched for what is like a new conversation: `quality.novelty.Accepted`, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from apep_datagen.core.sample_json import parse_messages
from apep_datagen.quality.novelty import BANDS, MOST_IN_A_BAND, PARTS, OpeningPart, openings_of, signature_keys
from apep_datagen.quality.phrase_counts import PhraseCounts
from apep_datagen.quality.thinking import openings, phrases
from apep_datagen.quality.wording import Wording, wording_of

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

    def wording(self, conversation_id: int) -> Wording | None:
        """Return the words of one."""
        row = self._connection.execute(
            "SELECT CAST(line AS BLOB) FROM samples WHERE conversation_id = ?", (conversation_id,)
        ).fetchone()
        messages = parse_messages(row[0]) if row else None
        return wording_of(messages) if messages else None

    def times_begun(self, part: OpeningPart, begins: str) -> int:
        """Return how many begin so."""
        row = self._connection.execute(
            "SELECT count FROM openings WHERE part = ? AND opening = ?", (part, begins)
        ).fetchone()
        return int(row[0]) if row else 0

    def times_phrased(self, phrases: Sequence[str]) -> Sequence[int]:
        """Return for each phrase how many have it."""
        counts = self._phrase_counts()
        return [counts.times(phrase) for phrase in phrases]

    def forget_all(self) -> None:
        """Make it as if there were none, so that all can be taken in anew."""
        self._connection.execute("DELETE FROM near")
        self._connection.execute("DELETE FROM openings")
        self._connection.execute("DELETE FROM phrases")

    def remembers(self, conversation_id: int, wording: Wording) -> bool:
        """Tell whether one was taken in, of which something can be told by its keys."""
        keys = signature_keys(wording)
        return bool(keys) and all(
            self._connection.execute(
                "SELECT 1 FROM near WHERE key = ? AND conversation_id = ?", (key, conversation_id)
            ).fetchone()
            for key in keys
        )

    def forget(self, conversation_id: int, wording: Wording) -> None:
        """Make it as if one had not been taken in, that was."""
        self._connection.executemany(
            "DELETE FROM near WHERE key = ? AND conversation_id = ?",
            [(key, conversation_id) for key in signature_keys(wording)],
        )
        begun = _begun(wording)
        self._connection.executemany("UPDATE openings SET count = count - 1 WHERE part = ? AND opening = ?", begun)
        self._connection.executemany("DELETE FROM openings WHERE part = ? AND opening = ? AND count <= 0", begun)
        if thought := phrases(wording):
            counts = self._phrase_counts()
            counts.take_back(thought)
            self._store(counts)

    def remember(self, conversation_id: int, wording: Wording) -> None:
        """Take in one more."""
        self._connection.executemany(
            "INSERT INTO near (key, conversation_id) VALUES (?, ?)",
            [(key, conversation_id) for key in signature_keys(wording)],
        )
        self._connection.executemany(
            "INSERT INTO openings (part, opening, count) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
            _begun(wording),
        )
        if thought := phrases(wording):
            counts = self._phrase_counts()
            counts.add(thought)
            self._store(counts)

    def _phrase_counts(self) -> PhraseCounts:
        row = self._connection.execute("SELECT counts FROM phrases").fetchone()
        return PhraseCounts(row[0] if row else None)

    def _store(self, counts: PhraseCounts) -> None:
        self._connection.execute("INSERT OR REPLACE INTO phrases (id, counts) VALUES (1, ?)", (counts.stored(),))


def _begun(wording: Wording) -> list[tuple[OpeningPart, str]]:
    """Return how the texts of a conversation begin, with the part that each is."""
    begun: list[tuple[OpeningPart, str]] = [(part, begins) for part in PARTS for begins in openings_of(part, wording)]
    return [*begun, *sorted(openings(wording))]
