"""Judging a run anew, in one transaction: what was accepted, in its order, and then what was rejected.

    rejudge ─┬→ evidence     what a conversation is judged by, as it was at its time
             ├→ in_output    which of the accepted ones are in the output
             └→ judging      each of them judged, and what is to become of it recorded
                             (storage.rejudged, storage.replacement)

A dry run does the same on copies, and commits nothing.

Whenever the process is killed, nothing has happened, or all of it: what was added or replaced in the state database is
brought to the output at the next start, as what a run has finished is.
"""

from __future__ import annotations

import contextlib
import shutil
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
from apep_datagen.storage.access import copy_database, holds_run, in_use, read_only, run_is_active, state_path
from apep_datagen.storage.faults import concerns_file, output_file, state_database
from apep_datagen.storage.opening import OpenedRun, changing, refuse_output_of_another
from apep_datagen.storage.replacement import refuse_second_name

__all__ = ["rejudge"]

_MakeJudging = Callable[[sqlite3.Connection, Path], Judging]


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

    def judging(connection: sqlite3.Connection, at: Path) -> Judging:
        return Judging(connection, at, settings, prompts, cast, drops=drops, notify=notify)

    judged = (_rehearse if is_dry_run else _rejudge)(output, judging, notify)
    return Rejudgement(output, judged.conversations(), is_dry_run, drops, judged.in_output)


def _rejudge(output: Path, judging: _MakeJudging, notify: Callable[[str], None]) -> Judging:
    with _judged(output, judging, notify) as (run, judged):
        if not run.commit(judged.gone, replaces=judged.replaces):
            raise StorageError(
                f"{output}: another hand changed the output while it was judged; start again, what it holds now counts"
            )
        judged.number_added()
    return judged


def _rehearse(output: Path, judging: _MakeJudging, notify: Callable[[str], None]) -> Judging:
    """Judge copies of the output and its state database: nothing is changed, and what is told is what would be."""
    path = state_path(output)
    if run_is_active(path):
        raise in_use(path)
    read_only(path, lambda connection: refuse_output_of_another(connection, output))
    with tempfile.TemporaryDirectory(prefix="apep-datagen-") as directory:
        copy = Path(directory) / output.name

        def renamed(text: str) -> str:
            return text.replace(str(copy), str(output)).replace(str(state_path(copy)), str(path))

        # In this order, the database can only be ahead of the output, as after a kill.
        _copy_file(output, copy)
        copy_database(path, state_path(copy))
        try:
            with _judged(copy, judging, lambda text: notify(renamed(text))) as (_, judged):
                if judged.replaces and output.exists():
                    refuse_second_name(output)
                return judged
        except StorageError as error:
            if _is_about_disk(error.__cause__):
                raise  # it is the copy that could not be written
            raise StorageError(renamed(str(error))) from error


@contextlib.contextmanager
def _judged(output: Path, judging: _MakeJudging, notify: Callable[[str], None]) -> Iterator[tuple[OpenedRun, Judging]]:
    """Open a run and judge it, in a transaction; what of that is not committed is as if it had not been."""
    with changing(output, notify) as run:
        judged = judging(run.connection, output)
        judged.judge_all()
        yield run, judged


def _copy_file(source: Path, target: Path) -> None:
    """Copy an output, if it is there."""
    try:
        old = source.open("rb")
    except FileNotFoundError:
        return
    except OSError as error:
        raise output_file(source).refused(error, "read") from error
    with old:
        try:
            with target.open("wb") as new:
                shutil.copyfileobj(old, new)
        except OSError as error:
            raise output_file(target).refused(error, "written") from error


def _is_about_disk(error: BaseException | None) -> bool:
    return isinstance(error, OSError) or (isinstance(error, sqlite3.Error) and concerns_file(error))
