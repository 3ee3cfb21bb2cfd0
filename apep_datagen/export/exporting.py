"""Exporting an output into the forms of trainers.

output ─→ source ─→ (joining) ─→ batches ─→ making, in several processes ─→ files ─→ report
                                              └ examples → retold → write → read back → loss
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from apep_datagen.config.settings import Settings
from apep_datagen.core.errors import SettingsError
from apep_datagen.core.paths import is_there
from apep_datagen.core.processes import map_in_order
from apep_datagen.export.beside import write_beside
from apep_datagen.export.exported import Exported, ExportedTarget
from apep_datagen.export.folder import is_ours, opened_folder
from apep_datagen.export.joining import conversations_by_user
from apep_datagen.export.making import make_rows
from apep_datagen.export.measuring import Measuring
from apep_datagen.export.plan import Plan, digest_of, read_retellings
from apep_datagen.export.record import Continuation
from apep_datagen.export.selection import PROVIDER, Selection
from apep_datagen.export.source import Source, SourceConversation, SourceDigest
from apep_datagen.export.writing import TargetWriter, go_on
from apep_datagen.storage.access import read_only, state_path
from apep_datagen.storage.faults import state_database

__all__ = ["export"]

# A batch is full at the first of the two.
_CONVERSATIONS_IN_A_BATCH = 200
_BYTES_IN_A_BATCH = 4 << 20


def export(path: Path, plan: Plan, directory: Path, settings: Settings, *, prompts: Path | None = None) -> Exported:
    """Write an output in the forms of trainers; each into a folder of its own, which has its name.

    Args:
        path: The output.
        plan: What belongs into a row; what the state database knows is added to it.
        directory: Where the folders are made.
        settings: By which levels conversations were judged.
        prompts: Where prompts are looked for first, as in `--prompts`.

    Raises:
        StorageError: The output or its state database cannot be read, or a file cannot be written; what was there
            before stays.
        SettingsError: A folder holds something else, or what was asked for needs a state database.
    """
    Measuring.of(plan)  # what cannot be used is said before anything is made
    for target in plan.targets:
        if not is_ours(directory / target.name):
            raise SettingsError(
                f"{directory / target.name}: holds files that no export has made; they are left as they are, so name"
                " another directory with --to"
            )
    state = state_path(path)
    if not is_there(state):
        return _export(Source(path, None, settings), plan, directory, prompts)

    def attempt(connection: sqlite3.Connection) -> Exported | Exception:
        try:
            return _export(Source(path, connection, settings), plan, directory, prompts)
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - it is raised below
            return error

    # What goes wrong with an export is not told as if the state database were damaged.
    exported = read_only(state, attempt)
    if isinstance(exported, Exception):
        raise exported
    return exported


def _export(source: Source, plan: Plan, directory: Path, prompts: Path | None) -> Exported:
    if source.why_not and (plan.series or len(plan.splits.names) > 1):
        raise SettingsError(
            f"{source.path}: {source.why_not}, so nobody knows whose conversations these are; without it there is no"
            " --split and no --megachat"
        )
    _check_selection(source, plan.selection)
    ways = [target.instructions for target in plan.targets]
    with state_database(state_path(source.path)).reading():
        plan = replace(plan, seed=source.seed, retellings=read_retellings(source.connection, prompts, ways))
    exported = Exported(source.path, plan, why_not=source.why_not)
    with contextlib.ExitStack() as folders:
        for name in sorted(target.name for target in plan.targets):
            folders.enter_context(opened_folder(directory / name))
        exported.targets = _write_all(source, plan, directory)
        for target in exported.targets:
            write_beside(exported, target)
    return exported


def _check_selection(source: Source, selection: Selection) -> None:
    """See that what conversations are to be chosen by is known.

    Raises:
        SettingsError: It is not, or a provider is named that has made none.
    """
    if not selection.asks_for_origin:
        return
    if source.why_not:
        raise SettingsError(
            f"{source.path}: {source.why_not}, so nobody knows what these conversations show and who made them;"
            " without it --include and --exclude take tokens=MIN-MAX alone"
        )
    with state_database(state_path(source.path)).reading():
        providers = source.providers()
    for name in sorted(selection.named(PROVIDER).difference(providers)):
        there = f"there are {', '.join(providers)}" if providers else "no provider has made any yet"
        raise SettingsError(f"{PROVIDER}={name}: no conversation of {source.path} is of this provider; {there}")


def _write_all(source: Source, plan: Plan, directory: Path) -> list[ExportedTarget]:
    in_order = tuple(target for target in plan.targets if not target.is_sessions)
    sessions = tuple(target for target in plan.targets if target.is_sessions)
    results: dict[str, ExportedTarget] = {}
    if in_order:
        results |= _write(source, replace(plan, targets=in_order), directory)
    if sessions:
        results |= _write(source, replace(plan, targets=sessions, series=None, sessions=True), directory)
    return [results[target.name] for target in plan.targets]


def _write(source: Source, plan: Plan, directory: Path) -> dict[str, ExportedTarget]:
    """Write forms whose rows are made of the same conversations in the same order."""
    by_user = plan.series is not None or plan.sessions
    with contextlib.ExitStack() as opened:
        writers = [
            opened.enter_context(TargetWriter(directory / target.name, target, plan, digest_of(plan, target)))
            for target in plan.targets
        ]
        digest = SourceDigest() if by_user else go_on(writers, source.path)
        passed = digest.conversations
        conversations = digest.noting(source.conversations(passed, digest.end))
        users: Iterator[Sequence[SourceConversation]]
        users = conversations_by_user(conversations, source) if by_user else ([each] for each in conversations)
        for made in map_in_order(((batch,) for batch in _batches(users)), functools.partial(make_rows, plan)):
            for writer, each in zip(writers, made, strict=True):
                writer.take(each)
        exported = {}
        for writer in writers:
            names, written = writer.finish()
            continuation = None
            if not by_user and written:
                continuation = Continuation(
                    digest=writer.digest,
                    conversations=digest.conversations,
                    end=digest.end,
                    source_sha256=digest.hexdigest(),
                    files=written,
                    made=writer.made.as_json(),
                )
            exported[writer.target.name] = ExportedTarget(
                writer.target, writer.directory, names, writer.made, passed, continuation
            )
        return exported


def _batches(users: Iterator[Sequence[SourceConversation]]) -> Iterator[list[Sequence[SourceConversation]]]:
    """Yield users, so many at once that they have some hundred conversations, and not much more."""
    batch: list[Sequence[SourceConversation]] = []
    conversations = size = 0
    for user in users:
        batch.append(user)
        conversations += len(user)
        size += sum(len(conversation.element) for conversation in user)
        if conversations >= _CONVERSATIONS_IN_A_BATCH or size >= _BYTES_IN_A_BATCH:
            yield batch
            batch, conversations, size = [], 0, 0
    if batch:
        yield batch
