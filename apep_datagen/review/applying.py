"""Verdicts of people, applied to an output and undone, in one transaction each.

What a person calls bad leaves the output, and is kept in the state database; so the next run makes others in its place.
Whenever the process is killed, nothing has happened, or all of it: the output is brought behind the state database at
the next start, as it is for a run.

Where another process works on the output, verdicts wait in a file beside the state database, and whoever may change it
next applies them first (`apply_waiting`): a run before it begins and when its target is reached, and each command here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from apep_datagen.core.errors import SettingsError, StorageError
from apep_datagen.core.paths import is_there
from apep_datagen.core.spelling import counted
from apep_datagen.review.deciding import DEPENDS, Change, Plan, plan_application, plan_undoing
from apep_datagen.review.known import InOutput, Known, read_known
from apep_datagen.review.outcome import Applied, Dependent, Moved, Undone, Waiting
from apep_datagen.review.verdicts_file import VerdictsFile, read_verdicts_file, spelled
from apep_datagen.storage.access import InUseError, holds_run, state_path
from apep_datagen.storage.faults import state_database
from apep_datagen.storage.opening import OpenedRun, changing
from apep_datagen.storage.output_reader import read_element_at
from apep_datagen.storage.rejudged import reject_anew
from apep_datagen.storage.reviewed import (
    add_batch,
    drop_batch,
    keep_removed,
    last_batch,
    put_back,
    take_out_of_run,
)
from apep_datagen.storage.waiting_verdicts import new_waiting_path, remove_waiting, waiting_verdicts, write_waiting

__all__ = ["apply", "apply_waiting", "refuse_without_run", "rehearse", "undo"]

_Notify = Callable[[str], None]


def apply(
    output: Path, source: Path, file: VerdictsFile, *, name: str, with_dependents: bool, notify: _Notify
) -> Applied | Waiting:
    """Apply verdicts; where another process works on the output, let them wait for it.

    Args:
        output: The output.
        source: The file of verdicts.
        file: What it says.
        name: Who said so.
        with_dependents: Whether what was built on a bad one leaves with it.
        notify: Is told, in a sentence, what was found and mended.

    Raises:
        SettingsError: It says nothing of any conversation of this output.
        StorageError: There is no run for the output, or it or its state database cannot be used.
    """
    refuse_without_run(output)
    try:
        apply_waiting(output, notify)
        return _apply(output, source, file, name=name, with_dependents=with_dependents, notify=notify)
    except InUseError:
        return _let_wait(output, source, file, name=name, with_dependents=with_dependents)


def rehearse(output: Path, source: Path, file: VerdictsFile, *, name: str, with_dependents: bool) -> Applied:
    """Tell what would come of verdicts; nothing is changed. Arguments and errors as for `apply`."""
    refuse_without_run(output, is_written=False)

    def plan(connection: sqlite3.Connection, known: Known) -> Applied:
        planned = plan_application(connection, known, file.said, name=name, with_dependents=with_dependents)
        _refuse_another(planned, output, source)
        return _applied(connection, output, source, known, planned, is_dry_run=True)

    return read_known(output, plan)


def apply_waiting(output: Path, notify: _Notify) -> int:
    """Apply what waits beside the state database of an output, if anything does.

    What cannot be used is told, and left where it is.

    Args:
        output: The output.
        notify: Is told, in sentences, what was applied.

    Returns:
        How many conversations have left the output.

    Raises:
        StorageError: Another process works on the output, or it or its state database cannot be used.
    """
    left = 0
    paths = waiting_verdicts(output)
    if not paths or not is_there(state_path(output)):
        return left
    for path in paths:
        try:
            file = read_verdicts_file(path)
            applied = _apply(output, path, file, name=file.name, with_dependents=file.with_dependents, notify=notify)
        except SettingsError as error:
            notify(f"{error}; what waits there is left out, remove the file")
            continue
        remove_waiting(path)
        left += len(applied.left)
        if applied.said or applied.left or applied.back:
            were = "was" if len(applied.said) == 1 else "were"
            notify(
                f"{counted(len(applied.said), 'verdict')} that waited {were} applied:"
                f" {counted(len(applied.left), 'conversation')} left the output, {len(applied.back):,} came back"
            )
    return left


def undo(output: Path, notify: _Notify) -> Undone:
    """Undo what was applied last, whole; what waits is applied before.

    Args:
        output: The output.
        notify: Is told, in a sentence, what was found and mended.

    Raises:
        StorageError: There is no run for the output, another process works on it, or it cannot be used.
    """
    refuse_without_run(output)
    apply_waiting(output, notify)
    with changing(output, notify) as run:
        connection = run.connection
        batch = last_batch(connection)
        known = Known(connection, output)
        if batch is None:
            connection.execute("ROLLBACK")
            return Undone(output, None, 0, (), (), len(known.all), 0)
        (verdicts,) = connection.execute("SELECT count(*) FROM person_verdicts WHERE batch = ?", (batch.id,)).fetchone()
        change = plan_undoing(connection, known, batch.id)
        left, back = _moved(connection, known, change)
        drop_batch(connection, batch.id)
        (batches_left,) = connection.execute("SELECT count(*) FROM person_batches").fetchone()
        _carry_out(run, output, known, change)
    return Undone(output, batch, verdicts, left, back, _count_after(known, change), batches_left)


def refuse_without_run(output: Path, *, is_written: bool = True) -> None:
    """Refuse an output without a state database, in which all that people say is kept.

    Args:
        output: The output.
        is_written: Whether it is to be written; what is only read is not opened for this.

    Raises:
        StorageError: So it is.
    """
    path = state_path(output)
    with state_database(path).reading():
        if not is_there(path) or (is_written and not holds_run(path)):
            raise StorageError(
                f"{path}: there is no such state database, in which what people say is kept; name the output of a run"
            )


def _apply(
    output: Path, source: Path, file: VerdictsFile, *, name: str, with_dependents: bool, notify: _Notify
) -> Applied:
    with changing(output, notify) as run:
        connection = run.connection
        known = Known(connection, output)
        plan = plan_application(connection, known, file.said, name=name, with_dependents=with_dependents)
        _refuse_another(plan, output, source)
        applied = _applied(connection, output, source, known, plan, is_dry_run=False)
        if plan.changes_nothing:
            connection.execute("ROLLBACK")
            return applied
        if plan.said or plan.dependents:
            add_batch(connection, name=name, source=source.name, said=plan.said, dependents=plan.dependents)
        _carry_out(run, output, known, plan.change)
    return applied


def _let_wait(output: Path, source: Path, file: VerdictsFile, *, name: str, with_dependents: bool) -> Waiting:
    """Let verdicts wait for who works on the output."""
    plan = read_known(
        output,
        lambda connection, known: plan_application(
            connection, known, file.said, name=name, with_dependents=with_dependents
        ),
    )
    _refuse_another(plan, output, source)
    waiting = new_waiting_path(output)
    write_waiting(waiting, spelled(output, file.said, name=name, with_dependents=with_dependents))
    return Waiting(output, source, waiting, len(file.said), plan.unknown)


def _carry_out(run: OpenedRun, output: Path, known: Known, change: Change) -> None:
    """Let the output and the state database be as they are to be, and commit."""
    connection = run.connection
    back = [text for removed in change.back if (text := put_back(connection, removed)) is not None]
    gone: dict[int, int | None] = {}
    for place, problem in change.leaving:
        if place.number <= known.base_count:
            gone[place.number] = None
        if place.conversation_id is None:
            keep_removed(connection, place.digest, read_element_at(output, place.offset).decode())
        else:
            take_out_of_run(connection, place.digest, place.conversation_id, problem)
    for number, problem in change.otherwise:
        reject_anew(connection, number, problem)
    if not run.commit(gone, back, replaces=bool(change.leaving or back)):
        raise StorageError(
            f"{output}: another hand changed the output meanwhile; start again, what it holds now counts"
        )


def _refuse_another(plan: Plan, output: Path, source: Path) -> None:
    if plan.unknown and not plan.said and not plan.unchanged:
        raise SettingsError(
            f"{source}: it says nothing of any conversation that {output} holds or held, so it is another output's;"
            " name the one that it was made for"
        )


# What is told.


def _applied(
    connection: sqlite3.Connection, output: Path, source: Path, known: Known, plan: Plan, *, is_dry_run: bool
) -> Applied:
    """Return what is told of a plan, before anything is changed."""
    left, back = _moved(connection, known, plan.change)
    leaving = {place.conversation_id for place, _ in plan.change.leaving}
    dependents: list[Dependent] = []
    for use in plan.uses:
        if place := known.of_run(use.conversation_id):
            leaves = use.conversation_id in leaving
            dependents.append(
                Dependent(
                    number=place.number if leaves else _number_after(known, plan.change, place),
                    conversation_id=use.conversation_id,
                    user=_user_and_ability(connection, use.conversation_id)[0],
                    note=use.note,
                    source=use.source,
                    left=leaves,
                    is_called_good=use.conversation_id in plan.spared,
                )
            )
    return Applied(
        output=output,
        source=source,
        is_dry_run=is_dry_run,
        said=plan.said,
        unchanged=plan.unchanged,
        unknown=plan.unknown,
        left=left,
        back=back,
        dependents=tuple(dependents),
        in_output=_count_after(known, plan.change),
    )


def _moved(connection: sqlite3.Connection, known: Known, change: Change) -> tuple[tuple[Moved, ...], tuple[Moved, ...]]:
    """Return what leaves, and what comes back; of what is behind the base, the last ones of the output."""
    left = tuple(
        Moved(
            place.number,
            place.conversation_id,
            *_user_and_ability(connection, place.conversation_id),
            problem.reason,
            problem.reason == DEPENDS,
        )
        for place, problem in change.leaving
    )
    first = _count_after(known, change) - len(change.back) + 1
    foreign = [removed for removed in change.back if removed.conversation_id is None]
    own = [removed for removed in change.back if removed.conversation_id is not None]
    in_base = known.base_count - sum(place.number <= known.base_count for place, _ in change.leaving)
    numbers = {removed.id: in_base + at for at, removed in enumerate(foreign, start=1)}
    numbers |= {removed.id: first + len(foreign) + at for at, removed in enumerate(own)}
    back = tuple(
        Moved(
            numbers[removed.id],
            removed.conversation_id,
            *_user_and_ability(connection, removed.conversation_id),
        )
        for removed in change.back
    )
    return left, back


def _user_and_ability(connection: sqlite3.Connection, conversation_id: int | None) -> tuple[str, str]:
    row = connection.execute(
        "SELECT coalesce(plan ->> '$.user.name', ''), coalesce(ability, '') FROM conversations"
        " WHERE id = ? AND json_valid(plan)",
        (conversation_id,),
    ).fetchone()
    return (str(row[0]), str(row[1])) if row else ("", "")


def _count_after(known: Known, change: Change) -> int:
    return len(known.all) - len(change.leaving) + len(change.back)


def _number_after(known: Known, change: Change, place: InOutput) -> int:
    """Return which number something that stays has behind a change."""
    before = sum(other.number < place.number for other, _ in change.leaving)
    added = sum(removed.conversation_id is None for removed in change.back) if place.number > known.base_count else 0
    return place.number - before + added
