"""The output as a projection of the state database: what was finished is appended to it, once, in order.

A finished conversation is a row of `samples` with its position and the byte offset at which it ends in the output. The
output is brought up to date from there, behind each commit; at the next start the same is done for what a crash left
out. So each is in the output exactly once.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from apep_datagen.core.errors import StorageError
from apep_datagen.storage.access import state_path
from apep_datagen.storage.contents import DATASET, Contents
from apep_datagen.storage.faults import output_file, state_database
from apep_datagen.storage.output import OutputFile, element_bytes, inspect_output, is_array_of, is_json

__all__ = ["Projection", "record_sample"]

_LARGEST_APPEND = 500


class Projection:
    """The output of a run, brought up to date when it is opened.

    Args:
        connection: The state database.
        path: The output.
        notify: Is told, in a sentence, what was found and mended.
        contents: What the output holds.

    Attributes:
        output: The output, open.

    Raises:
        StorageError: The output cannot be used; it is then as it was.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        notify: Callable[[str], None],
        contents: Contents = DATASET,
    ) -> None:
        self._connection = connection
        self._path = path
        self._notify = notify
        self._contents = contents
        # Positions of the samples that are in the output, and that are known to be on the disk.
        self._projected = self._synced = 0
        self.output = self._open()

    def bring_up_to_date(self) -> None:
        """Append to the output what was finished since the last time."""
        self._append_samples(self.output)

    def look_at_all(self) -> None:
        """Look at each conversation in the output; where another hand has changed one, take over what is there.

        Opening it looks at the last one alone, which shows each change but those that leave the others in their place.
        For a transaction in which the output may be written anew, as what is not known is lost then.

        Raises:
            StorageError: What is there is no valid array of conversations.
        """
        run = self._connection.execute("SELECT base_count, base_end, base_position FROM run").fetchone()
        base_count, end, base_position = run
        for position, line in self._samples_after(base_position):
            content = element_bytes(line, first=base_count + position - base_position == 1)
            if not self.output.has_at(end, content):
                self.output.close()
                self._adopt_changed()
                self.output = self._open()
                return
            end += len(content)

    def take_over(self, count: int, end: int) -> None:
        """Take over an output that holds more than this one, all of it, and has taken its place; nothing is read of it.

        Args:
            count: How many conversations it holds.
            end: The byte offset behind the last of them.
        """
        self._rebase(count, end, self._projected)

    def note_synced(self) -> None:
        """Record how far the output is known to be on the disk."""
        if self._projected > self._synced:
            self._connection.execute("UPDATE run SET synced_position = ?", (self._projected,))
            self._synced = self._projected

    def _open(self) -> OutputFile:
        """Open the output and bring it up to date with the samples."""
        path, connection = self._path, self._connection
        run = connection.execute("SELECT base_count, base_end, base_position, synced_position FROM run").fetchone()
        base_count, base_end, base_position, synced = run
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            size = 0
        except OSError as error:
            raise output_file(path).refused(error, "read") from error
        if size == 0 and (base_count or synced):
            self._notify(f"{path}: the output was missing; it is written again from the state database")
            self._rebase(0, 1, 0)
            return self._open()
        end = self._end_of(synced) if synced > base_position else base_end
        self._projected = self._synced = max(synced, base_position)
        with contextlib.ExitStack() as opened:
            output = OutputFile(path, end=end, count=base_count + max(0, synced - base_position))
            opened.callback(output.close)
            is_ours = not size or self._is_ours(output, base_count, base_end)
            if is_ours and self._bring_together(output):
                opened.pop_all()
                return output
        self._adopt_changed()
        return self._open()

    def _bring_together(self, output: OutputFile) -> bool:
        """Find the end of what is in the output, and append what is not; False if it is not as it was written."""
        for position, line in self._samples_after(self._projected):
            if not output.advance_if_present(line):
                break
            self._projected = position
        if not output.ends_cleanly():
            if is_json(output.path):  # not torn off, but another's
                return False
            if not is_array_of(output.path, output.end, output.count):
                raise self._damaged("what it says of the output does not fit it")
            self._notify(f"{output.path}: its end was torn off; it is mended from the state database")
            output.truncate()
        self._append_samples(output)
        return True

    def _is_ours(self, output: OutputFile, base_count: int, base_end: int) -> bool:
        """Tell whether the output still is what was written up to the position that is known to be on the disk."""
        if not output.has_at(base_end - 1, b"}" if base_count else b"["):
            return False
        if output.count == base_count:
            return True
        (line,) = self._connection.execute("SELECT line FROM samples WHERE position = ?", (self._projected,)).fetchone()
        content = element_bytes(line, first=output.count == 1)
        return output.has_at(output.end - len(content), content)

    def _adopt_changed(self) -> None:
        """Take over an output that was changed by another hand; what it holds now counts.

        Raises:
            StorageError: It is no valid array of conversations.
        """
        path = self._path
        try:
            foreign = inspect_output(path, self._contents)
        except StorageError as error:
            state = state_path(path).name
            raise StorageError(f"{error}; if it is moved away, it is written again from {state}") from error
        assert foreign is not None  # noqa: S101 - the caller saw that the file is not empty
        position = self._synced
        for number, line in self._samples_after(self._synced):
            if json.loads(line) not in foreign.elements:
                break
            position = number
        self._notify(
            f"{path}: it was changed since this program wrote it; its {len(foreign.elements)} conversations are kept"
        )
        self._rebase(len(foreign.elements), foreign.end, position)

    def _rebase(self, count: int, end: int, position: int) -> None:
        """Let the samples after `position` follow on `count` conversations that end at byte offset `end`."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "UPDATE run SET base_count = ?, base_end = ?, base_position = ?, synced_position = ?",
            (count, end, position, position),
        )
        first = count == 0
        for number, line in self._samples_after(position):
            end += len(element_bytes(line, first=first))
            first = False
            connection.execute("UPDATE samples SET end = ? WHERE position = ?", (end, number))
        connection.execute("COMMIT")

    def _samples_after(self, position: int) -> Iterator[tuple[int, str]]:
        """Yield position and line of each sample after `position`, in order.

        Raises:
            StorageError: One is missing, or is nothing that the output may hold.
        """
        connection = self._connection
        while row := connection.execute(
            "SELECT position, line FROM samples WHERE position > ? ORDER BY position LIMIT 1", (position,)
        ).fetchone():
            position += 1
            if row[0] != position:
                raise self._damaged(f"of the accepted conversations the one numbered {position} is missing")
            if not isinstance(row[1], str) or not self._contents.is_line(row[1]):
                raise self._damaged(f"of the accepted conversations the one numbered {position} is none")
            yield row

    def _damaged(self, finding: str) -> StorageError:
        return state_database(state_path(self._path)).damaged(finding)

    def _append_samples(self, output: OutputFile) -> None:
        lines: list[str] = []
        position = self._projected
        for position, line in self._samples_after(self._projected):
            lines.append(line)
            if len(lines) == _LARGEST_APPEND:
                output.append(lines)
                lines, self._projected = [], position
        output.append(lines)
        self._projected = position

    def _end_of(self, position: int) -> int:
        row = self._connection.execute("SELECT end FROM samples WHERE position = ?", (position,)).fetchone()
        return int(row[0])


def record_sample(
    connection: sqlite3.Connection, conversation_id: int, line: str, notes_before: str | None = None
) -> None:
    """Record what the output gets for a conversation, behind all others; it gets it when this is committed.

    Args:
        connection: The state database.
        conversation_id: The conversation.
        line: What the output gets.
        notes_before: Memory and diary before it, as JSON, if it stands by itself; None if it is one of its timeline.
    """
    base_count, base_end, base_position = connection.execute(
        "SELECT base_count, base_end, base_position FROM run"
    ).fetchone()
    last_position, last_end = connection.execute(
        "SELECT position, end FROM samples ORDER BY position DESC LIMIT 1"
    ).fetchone() or (0, 0)
    start = last_end if last_position > base_position else base_end
    is_first = base_count == 0 and last_position <= base_position
    # Where the last ones have just left the output, this one is behind the base all the same.
    last_position = max(last_position, base_position)
    connection.execute(
        "INSERT INTO samples (position, conversation_id, line, end, notes_before) VALUES (?, ?, ?, ?, ?)",
        (last_position + 1, conversation_id, line, start + len(element_bytes(line, first=is_first)), notes_before),
    )
