"""Judging a run anew, in one transaction: what was accepted, in its order, and then what was rejected.

    rejudge ─┬→ evidence     what a conversation is judged by, as it was at its time
             ├→ in_output    which of the accepted ones are in the output
             └→ judging      each of them judged, and what is to become of it recorded
                             (storage.rejudged, storage.replacement)

Whenever the process is killed, nothing has happened, or all of it: what was added or replaced in the state database is
brought to the output at the next start, as what a run has finished is.
"""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from apep_datagen.config.settings import Settings
from apep_datagen.conversation.prompt_set import PromptSet
from apep_datagen.core.errors import StorageError
from apep_datagen.core.paths import is_there
from apep_datagen.people.cast import Cast
from apep_datagen.rejudge.judging import Judging
from apep_datagen.rejudge.outcome import Rejudgement
from apep_datagen.storage.access import connect, copy_database, holds_run, in_use, run_is_active, state_path
from apep_datagen.storage.consistency import what_is_wrong
from apep_datagen.storage.faults import state_database
from apep_datagen.storage.opening import OpenedRun
from apep_datagen.storage.replacement import finish_replacement, plan_replacement
from apep_datagen.storage.schema import migrate

__all__ = ["rejudge"]


def rejudge(
    output: Path,
    settings: Settings,
    prompts: PromptSet,
    cast: Cast,
    *,
    drops: bool,
    is_dry_run: bool,
    notify: Callable[[str], None],
) -> Rejudgement:
    """Judge what was rejected and what was accepted anew, by the rules of today.

    What was rejected and passes is added to the output, as a sample that stands by itself.

    Args:
        output: The output.
        settings: What is accepted: `[quality]`, by the kind of the provider that made a conversation.
        prompts: Those of today; conversations are rebuilt with the ones that they began with.
        cast: By which words text is recognised.
        drops: Whether what was accepted and fails is taken out of the output, or mended.
        is_dry_run: Whether nothing is changed, and told alone what would be.
        notify: Is told, in a sentence, what was found and mended, and how far it is.

    Raises:
        StorageError: There is no run for the output, a process works on it, or it or its state database cannot be used.
    """
    path = state_path(output)
    with state_database(path).reading():
        if not is_there(path) or (not is_dry_run and not holds_run(path)):
            raise StorageError(
                f"{path}: there is no such state database, so nothing is known of what was rejected or accepted; name"
                " the output of a run"
            )

    def judging(connection: sqlite3.Connection) -> Judging:
        return Judging(connection, output, settings, prompts, cast, drops=drops, notify=notify)

    if is_dry_run:
        with _copy(output) as connection:
            judged = judging(connection)
            judged.judge_all()
    else:
        judged = _rejudge(output, judging, notify)
    return Rejudgement(output, judged.conversations(), is_dry_run, drops, judged.in_output)


def _rejudge(output: Path, judging: Callable[[sqlite3.Connection], Judging], notify: Callable[[str], None]) -> Judging:
    run = OpenedRun(output, seed=0, notify=notify)
    try:
        connection = run.connection
        with run.file.reading("written"):
            connection.execute("BEGIN IMMEDIATE")
            run.before_commit()
            judged = judging(connection)
            judged.judge_all()
            if judged.replaces:
                run.projection.output.check_untouched()
                plan_replacement(connection, output, judged.gone)
            connection.execute("COMMIT")
            if not judged.replaces:
                run.projection.bring_up_to_date()
                run.projection.note_synced()
            elif not finish_replacement(connection, output):
                raise StorageError(
                    f"{output}: another hand changed the output while it was judged; start again, what it holds now"
                    " counts"
                )
            judged.number_added()
    finally:
        run.close()  # what was not committed is rolled back
    return judged


@contextlib.contextmanager
def _copy(output: Path) -> Iterator[sqlite3.Connection]:
    """Open a copy of the state database, in which all can be done as if; it is gone at the end."""
    path = state_path(output)
    if run_is_active(path):
        raise in_use(path)
    with tempfile.TemporaryDirectory(prefix="apep-datagen-") as directory:
        copy = Path(directory) / "state.db"
        copy_database(path, copy)
        with contextlib.closing(connect(copy)) as connection, state_database(path).reading():
            migrate(connection, seed=0, output_name=output.name, base_count=0, base_end=1)
            if finding := what_is_wrong(connection):
                raise state_database(path).damaged(finding)
            connection.execute("BEGIN")
            yield connection
