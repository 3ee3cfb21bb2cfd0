"""The state database: the truth about a run, of which the output is a projection.

One SQLite file beside the output. Guarantees, and why they hold:

- A step's record, its effects on memory and diary, and the conversation's new state are one transaction
  (`StateDatabase.run`), so no call is executed twice and none is lost.
- A finished conversation is a row of `samples` with its position and the byte offset at which it ends in the output.
  The output is brought up to date from there, in order, after the commit (`_project`); at the next start the same is
  done for what a crash left out. So each is in the output exactly once.
- A second process on the same output is refused by a lock on a file of its own, which ends with the process.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from apep_datagen.core.errors import StorageError
from apep_datagen.storage.access import connect, holds_run, lock_beside, state_path
from apep_datagen.storage.journal import Journal
from apep_datagen.storage.output import OutputFile, element_bytes, inspect_output, is_json
from apep_datagen.storage.schema import migrate

__all__ = ["StateDatabase"]

_LARGEST_APPEND = 500
Result = TypeVar("Result")


class StateDatabase:
    """The state database and the output, open for one run.

    Args:
        output: The output file.
        seed: What a new run draws its decisions from.
        notify: Is told, in a sentence, what was found and mended.

    Raises:
        StorageError: Another process has it open, it is not this program's, or it or the output cannot be used. The
            output is then as it was.
    """

    def __init__(self, output: Path, *, seed: int, notify: Callable[[str], None]) -> None:
        self.path = state_path(output)
        self._notify = notify
        self._lock = lock_beside(self.path)
        self._connection: sqlite3.Connection | None = None
        try:
            # An output that cannot be continued is refused before a database is made beside it; what it holds
            # becomes part of the run in the same transaction that makes the run.
            foreign = None if holds_run(self.path) else inspect_output(output)
            base_count, base_end = (len(foreign.elements), foreign.end) if foreign else (0, 1)
            self._connection = connect(self.path)
            migrate(self._connection, seed=seed, output_name=output.name, base_count=base_count, base_end=base_end)
            self._check_name(output)
            if base_count:
                notify(f"{output}: {base_count} conversations are there already; they are kept")
            self.output = self._open_output(output)
        except sqlite3.Error as error:
            self._release()
            raise StorageError(
                f"{self.path}: the state database cannot be used ({error}); if the disk is full or read-only, make"
                " room, then the same command goes on; if the file is no database, name another --output"
            ) from error
        except BaseException:
            self._release()
            raise
        self._journal = Journal(
            self._connection, str(self.path), before_commit=self._note_synced, after_commit=self._project
        )

    async def run(self, function: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run `function` in a transaction of the writer's; see `Journal.run`."""
        return await self._journal.run(function)

    async def close(self) -> None:
        """Write what is still to be written, and let another process have the output."""
        await self._journal.close()
        assert self._connection is not None  # noqa: S101 - it was opened by the constructor
        try:
            if not self._connection.in_transaction:
                self._note_synced()
        except sqlite3.Error:
            pass  # a full disk was reported where it was met; the next start checks a little more for this
        self.output.close()
        self._release()

    def _release(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._lock.release()

    def _check_name(self, output: Path) -> None:
        """Refuse an output that shares its state's name with another, as `a.json` and `a.jsonl` do."""
        (name,) = self._connection_now().execute("SELECT output_name FROM run").fetchone()
        if name != output.name:
            if output.with_name(name).exists():
                raise StorageError(
                    f"{self.path}: belongs to {output.with_name(name)}; name another --output than {output}"
                )
            self._connection_now().execute("UPDATE run SET output_name = ?", (output.name,))  # it was renamed

    # The projection into the output.

    def _open_output(self, path: Path) -> OutputFile:
        """Open the output and bring it up to date with the samples."""
        connection = self._connection_now()
        run = connection.execute("SELECT base_count, base_end, base_position, synced_position FROM run").fetchone()
        base_count, base_end, base_position, synced = run
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            size = 0
        except OSError as error:
            raise StorageError(f"{path}: the output cannot be read ({error.strerror})") from error
        if size == 0 and (base_count or synced):
            self._notify(f"{path}: the output was missing; it is written again from the state database")
            self._rebase(0, 1, 0)
            return self._open_output(path)
        end = self._end_of(synced) if synced > base_position else base_end
        output = OutputFile(path, end=end, count=base_count + max(0, synced - base_position))
        self._projected = self._synced = max(synced, base_position)
        if size and not self._is_ours(output, base_position):
            output.close()
            self._adopt_changed(path)
            return self._open_output(path)
        for position, line in self._samples_after(self._projected):
            if not output.advance_if_present(line):
                break
            self._projected = position
        if not output.ends_cleanly():
            if is_json(path):  # not torn off, but another's
                output.close()
                self._adopt_changed(path)
                return self._open_output(path)
            self._notify(f"{path}: its end was torn off; it is mended from the state database")
            output.truncate()
        self.output = output
        self._project()
        return output

    def _is_ours(self, output: OutputFile, base_position: int) -> bool:
        """Tell whether the output still is what was written up to the position that is known to be on the disk."""
        if self._projected <= base_position:
            return output.has_at(output.end - 1, b"}" if output.count else b"[")
        (line,) = (
            self._connection_now().execute("SELECT line FROM samples WHERE position = ?", (self._projected,)).fetchone()
        )
        content = element_bytes(line, first=output.count == 1)
        return output.has_at(output.end - len(content), content)

    def _adopt_changed(self, path: Path) -> None:
        """Take over an output that was changed by another hand; what it holds now counts.

        Raises:
            StorageError: It is no valid array of conversations.
        """
        try:
            foreign = inspect_output(path)
        except StorageError as error:
            raise StorageError(f"{error}; if it is moved away, it is written again from {self.path.name}") from error
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
        connection = self._connection_now()
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
        """Yield position and line of each sample after `position`, in order."""
        connection = self._connection_now()
        while row := connection.execute(
            "SELECT position, line FROM samples WHERE position > ? ORDER BY position LIMIT 1", (position,)
        ).fetchone():
            yield row
            position = row[0]

    def _project(self) -> None:
        """Append to the output what was finished since the last time."""
        lines: list[str] = []
        position = self._projected
        for position, line in self._samples_after(self._projected):
            lines.append(line)
            if len(lines) == _LARGEST_APPEND:
                self.output.append(lines)
                lines, self._projected = [], position
        self.output.append(lines)
        self._projected = position

    def _note_synced(self) -> None:
        """Record how far the output is known to be on the disk."""
        if self._projected > self._synced:
            self._connection_now().execute("UPDATE run SET synced_position = ?", (self._projected,))
            self._synced = self._projected

    def _end_of(self, position: int) -> int:
        row = self._connection_now().execute("SELECT end FROM samples WHERE position = ?", (position,)).fetchone()
        return int(row[0])

    def _connection_now(self) -> sqlite3.Connection:
        assert self._connection is not None  # noqa: S101 - set before anything that calls this
        return self._connection
