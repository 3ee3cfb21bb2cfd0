"""The state database and the output, opened together for one process that writes them, and brought together."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from apep_datagen.core.errors import StorageError
from apep_datagen.core.paths import is_at
from apep_datagen.storage.access import connect, holds_run, lock_beside, lock_file, other_output, state_path
from apep_datagen.storage.consistency import what_is_wrong
from apep_datagen.storage.contents import DATASET, Contents
from apep_datagen.storage.faults import state_database
from apep_datagen.storage.output import inspect_output
from apep_datagen.storage.projection import Projection
from apep_datagen.storage.replacement import finish_replacement, plan_replacement
from apep_datagen.storage.schema import migrate

__all__ = ["OpenedRun", "changing", "refuse_output_of_another"]


class OpenedRun:
    """A run, open for one process alone; what an earlier one left undone is done.

    Args:
        output: The output file.
        seed: What a new run draws its decisions from.
        notify: Is told, in a sentence, what was found and mended.
        contents: What the output holds.

    Attributes:
        file: The state database, as sentences speak of it.
        connection: To it. Transactions are begun and ended by the caller; each statement waits some seconds where
            another program holds a lock.
        projection: The output.

    Raises:
        StorageError: Another process has it open, it is not this program's, or it or the output cannot be used. The
            output is then as it was.
    """

    def __init__(self, output: Path, *, seed: int, notify: Callable[[str], None], contents: Contents = DATASET) -> None:
        self._output = output
        self.file = state_database(state_path(output))
        path = self.file.path
        with contextlib.ExitStack() as opened:
            opened.callback(lock_beside(path).release)
            with self.file.reading("used"):
                # An output that cannot be continued is refused before a database is made beside it; what it holds
                # becomes part of the run in the same transaction that makes the run.
                has_run = holds_run(path)
                opened.enter_context(lock_file(output))
                foreign = None if has_run else inspect_output(output, contents)
                if foreign and foreign.elements and contents.evaluation is not None:
                    raise StorageError(f"{output}: its state database {path} is missing; name another --output")
                base_count, base_end = (len(foreign.elements), foreign.end) if foreign else (0, 1)
                self.connection = connect(path)
                opened.callback(self.connection.close)
                migrate(
                    self.connection,
                    seed=seed,
                    output_name=output.name,
                    base_count=base_count,
                    base_end=base_end,
                    evaluation=contents.evaluation,
                )
                if finding := what_is_wrong(self.connection):
                    raise self.file.damaged(finding)
                refuse_output_of_another(self.connection, output)
                (evaluation,) = self.connection.execute("SELECT evaluation FROM run").fetchone()
                contents.refuse_other(evaluation, output)
                self.connection.execute("UPDATE run SET output_name = ?", (output.name,))  # it may have been renamed
                if base_count:
                    notify(f"{output}: {base_count} conversations are there already; they are kept")
                if finish_replacement(self.connection, output):
                    notify(f"{output}: it is written anew, as was begun and not finished")
                    opened.enter_context(lock_file(output))  # it is another file now
                self.projection = Projection(self.connection, output, notify, contents)
                self._status = path.stat()
            self._opened = opened.pop_all()

    def before_commit(self) -> None:
        """Do what belongs at the end of each transaction.

        Raises:
            StorageError: The database is not where it was.
        """
        if not is_at(self.file.path, self._status):  # SQLite would go on in the file that nobody finds any more
            raise StorageError(
                f"{self.file.path}: the state database was moved, deleted or replaced by another hand while this run"
                " went on; put it back, if it is there, then start again"
            )
        self.projection.note_synced()

    def commit(self, gone: Mapping[int, int | None], back: Sequence[str] = (), *, replaces: bool) -> bool:
        """Commit a transaction that has changed samples, and bring the output to it.

        What of the second a kill leaves undone, the next start does.

        Args:
            gone: Which elements of what was there before the run leave the output, as of `plan_replacement`.
            back: What comes behind those that are left, as of `plan_replacement`.
            replaces: Whether something in the middle of the output changes, so that it is written anew.

        Returns:
            False where another hand has changed the output meanwhile, which counts then.

        Raises:
            StorageError: The output cannot be written, or cannot be replaced.
        """
        if replaces:
            self.projection.output.check_untouched()
            plan_replacement(self.connection, self._output, gone, back)
        self.connection.execute("COMMIT")
        if replaces:
            return finish_replacement(self.connection, self._output)
        self.projection.bring_up_to_date()
        self.projection.note_synced()
        return True

    def close(self) -> None:
        """Close both, and let another process have them."""
        self.projection.output.close()
        self._opened.close()


@contextlib.contextmanager
def changing(output: Path, notify: Callable[[str], None]) -> Iterator[OpenedRun]:
    """Open a run that is there, in a transaction; what of that is not committed is as if it had not been.

    Arguments and errors as of `OpenedRun`.
    """
    run = OpenedRun(output, seed=0, notify=notify)
    try:
        with run.file.reading("written"):
            run.projection.look_at_all()
            run.connection.execute("BEGIN IMMEDIATE")
            run.before_commit()
            yield run
    finally:
        run.close()


def refuse_output_of_another(connection: sqlite3.Connection, output: Path) -> None:
    """Refuse an output that shares its state's name with another, as `a.json` and `a.jsonl` do.

    Raises:
        StorageError: The state database is that other one's.
    """
    if other := other_output(connection, output):
        raise StorageError(f"{state_path(output)}: belongs to {other}; name another --output than {output}")
