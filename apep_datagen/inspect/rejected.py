"""A conversation of a run that was not accepted, readable in a terminal, with the words that were its undoing marked.

It is in the state database alone, as the steps that were recorded.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from pydantic.dataclasses import dataclass

from apep_datagen.conversation.brief import Brief
from apep_datagen.core.errors import SettingsError
from apep_datagen.core.messages import Message
from apep_datagen.core.notebook import Notes
from apep_datagen.core.words import one_line
from apep_datagen.inspect.lookup import read_makers
from apep_datagen.inspect.readable import (
    ASIDE,
    HEAD,
    INDENT,
    Text,
    brief_rows,
    labelled,
    message_texts,
    print_texts,
)
from apep_datagen.inspect.said import read_said
from apep_datagen.storage.access import read_only, state_path
from apep_datagen.storage.checked import CHECKED, integer
from apep_datagen.storage.conversations import brief_from_json
from apep_datagen.storage.notes import read_notebook_at

__all__ = ["show_rejected"]


@dataclass(frozen=True, slots=True, config=CHECKED)
class _Rejected:
    """What the state database knows of a conversation that was not accepted.

    Attributes:
        number: Its number in the run.
        status: `rejected` or `set aside`.
        stage: That rejected it; empty where it was set aside.
        reason: Why.
        detail: What it was here; empty where nobody said.
        quote: The words that were its undoing; empty where there are none.
        brief: What was planned; None where an older version began it.
        makers: Who made it.
        timeline: The number of its timeline.
        before: Ada's notes before it.
        messages: What was said, as it would have been saved.
        originals: What Ada thought in each of her messages before it was rewritten.
    """

    number: int
    status: str
    stage: str
    reason: str
    detail: str
    quote: str
    brief: Brief | None
    makers: tuple[str, ...]
    timeline: int
    before: Notes
    messages: tuple[Message, ...]
    originals: tuple[str, ...]


def show_rejected(output: Path, number: int, *, with_system: bool = False) -> None:
    """Print a conversation that was not accepted on the standard output.

    Args:
        output: The output of its run.
        number: Its number in the run, as `status` and messages name it; from -1 at the latest that was rejected.
        with_system: Whether the system prompt is printed as a whole, and not its beginning alone.

    Raises:
        SettingsError: There is none with this number, or it was not rejected.
        StorageError: There is no run for the output, or its state database cannot be read.
    """
    path = state_path(output)
    found = read_only(path, lambda connection: _read(connection, path, output, number))
    texts = [*_head(found, output), *_notes(found.before)]
    texts += message_texts(found.messages, with_system=with_system, originals=found.originals)
    print_texts(texts, marked=found.quote)


# What is shown.


def _head(found: _Rejected, output: Path) -> Iterator[Text]:
    yield Text(f"Conversation {found.number} of the run for {output}, {found.status}", HEAD)
    rows = (("Stage", found.stage), ("Reason", found.reason), ("Detail", found.detail), ("Words", found.quote))
    for label, text in rows:
        if text:
            yield labelled(label, text)
    yield Text("")
    if found.brief is not None:
        for label, text in brief_rows(found.brief):
            yield labelled(label, text)
        if found.brief.scenario.instruction:
            yield labelled("Plan", " ".join(found.brief.scenario.instruction.split()))
    if found.makers:
        yield labelled("Made by", ", ".join(found.makers))
    yield labelled("Timeline", str(found.timeline))


def _notes(before: Notes) -> Iterator[Text]:
    for name, notes in (("Memory", before.memory), ("Diary", before.diary)):
        yield Text("")
        yield Text(f"{name} before it" if notes else f"{name} before it: empty", ASIDE)
        for note in notes:
            yield Text(f"{note.index}. {note.date}: {one_line(note.text)}", indent=INDENT, is_said=True)


# Where it is found.


def _read(connection: sqlite3.Connection, path: Path, output: Path, number: int) -> _Rejected:
    number = _latest(connection, path, -number) if number < 0 else number
    row = connection.execute(
        "SELECT status, coalesce(stage, ''), coalesce(reason, ''), coalesce(detail, ''), coalesce(quote, ''), plan,"
        " timeline_id, prompt_set_id FROM conversations WHERE id = ?",
        (number,),
    ).fetchone()
    if row is None:
        (last,) = connection.execute("SELECT max(id) FROM conversations").fetchone()
        there = f"its numbers go to {last}" if last else "it has none yet"
        raise SettingsError(f"{path}: there is no conversation {number}; {there}")
    status, stage, reason, detail, quote, plan, timeline, prompt_set_id = row
    if status == "finished":
        raise SettingsError(f"{path}: conversation {number} was accepted{_where_it_is(connection, output, number)}")
    if status == "active":
        raise SettingsError(f"{path}: conversation {number} is still in progress; what becomes of it is not known yet")
    try:
        brief = brief_from_json(plan)
    except ValueError:  # an older version's
        brief = None
    said = read_said(connection, number, brief, prompt_set_id)
    return _Rejected(
        number=number,
        status=status,
        stage=stage,
        reason=reason,
        detail=detail,
        quote=quote,
        brief=brief,
        makers=read_makers(connection, number),
        timeline=timeline,
        before=read_notebook_at(connection, timeline, number, "").notes_before(),
        messages=said.messages,
        originals=said.originals,
    )


def _latest(connection: sqlite3.Connection, path: Path, place: int) -> int:
    """Return the number of the conversation that was rejected last, or the last but one, and so on."""
    row = connection.execute(
        "SELECT id FROM conversations WHERE status = 'rejected' ORDER BY id DESC LIMIT 1 OFFSET ?", (place - 1,)
    ).fetchone()
    if row is None:
        (count,) = connection.execute("SELECT count(*) FROM conversations WHERE status = 'rejected'").fetchone()
        there = f"only {count} conversations were rejected" if count else "no conversation was rejected"
        raise SettingsError(f"{path}: {there}")
    return integer(row[0])


def _where_it_is(connection: sqlite3.Connection, output: Path, number: int) -> str:
    base_count, base_position = connection.execute("SELECT base_count, base_position FROM run").fetchone()
    row = connection.execute("SELECT position FROM samples WHERE conversation_id = ?", (number,)).fetchone()
    if row is None or row[0] <= base_position:
        return ""
    return f": it is number {row[0] - base_position + base_count} of {output}"
