"""Which conversations were seen, for any number of them: by digests, on the disk beyond some tens of megabytes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from apep_datagen.core.errors import StorageError
from apep_datagen.core.messages import Message, clean_text
from apep_datagen.core.sample_json import line_digest, sample_line

__all__ = ["KnownConversations"]

_CACHE_KIB = 1 << 16


class KnownConversations:
    """The conversations that were learnt, each told from all others by a digest of its messages.

    A database without a name is SQLite's own: in memory while it is small, else in a temporary file that nobody sees.
    """

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        # Nothing of it outlives the process.
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("CREATE TABLE known (digest BLOB PRIMARY KEY) WITHOUT ROWID")
        self._connection.execute("BEGIN")

    def learn(self, messages: Iterable[Message]) -> bool:
        """Learn a conversation; tell whether it is new. How line endings are spelled makes no difference.

        Raises:
            StorageError: There is no room for temporary files.
        """
        line = sample_line(Message(message.role, clean_text(message.content)) for message in messages)
        digest = line_digest(line.encode())
        try:
            cursor = self._connection.execute("INSERT OR IGNORE INTO known VALUES (?)", (digest,))
        except sqlite3.Error as error:
            raise StorageError(
                f"what is there already cannot be told ({error}); make room for temporary files (TMPDIR), then start"
                " again"
            ) from error
        return cursor.rowcount == 1

    def close(self) -> None:
        """Forget all."""
        self._connection.close()
