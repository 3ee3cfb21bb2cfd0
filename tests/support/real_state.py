"""The two hundred real conversations in an output with its state database, as the version left them that made them.

Conversations, steps, notes, stories, verdicts and samples are there, in the tables of schema 3; what was spent and the
keys by which similar texts are found are not.
"""

from __future__ import annotations

import contextlib
import functools
import json
import sqlite3
from collections.abc import Callable, Collection
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from apep_datagen.conversation.brief import Brief
from apep_datagen.core.messages import Message
from apep_datagen.core.notebook import Notebook, Notes
from apep_datagen.core.sample_json import sample_line
from apep_datagen.core.tools import run_call
from apep_datagen.people.scenario import Ability
from apep_datagen.people.story import Story, story_after
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.storage import schema
from apep_datagen.storage.access import state_path
from apep_datagen.storage.notes import read_notebook, write_notebook
from apep_datagen.storage.output import CLOSING, element_bytes
from apep_datagen.storage.timelines import begin_timeline, go_on_after_acceptance, go_on_after_rejection, read_story
from apep_datagen.storage.verdicts import count_verdict
from support.real_conversations import (
    RealConversation,
    judge_all_as_saved,
    real_conversations,
    recorded_rows,
)

__all__ = [
    "CHATS",
    "FIRST_THOUGHT",
    "SCHEMA",
    "everything",
    "go_through",
    "query",
    "save_otherwise",
    "write_real_state",
]

SCHEMA = 3
_PROVIDER = "oracle"
_TIMELINE_LENGTH = 12
# Where the first thought of a conversation begins, as it is saved.
FIRST_THOUGHT = '"role": "assistant", "content": "<think>'
# Good ones that use no note: a version that rejected them would have gone on as if nothing had been.
CHATS = [
    real.number
    for real in real_conversations()
    if real.case.brief.scenario.ability in (Ability.SMALLTALK, Ability.ADVICE)
    and real.label.verdict == "good"
    and not real.was_rejected
]

_REFUSAL = {"status": "rejected", "stage": "voice", "reason": "a reply is a refusal", "detail": ""}
_STARTED_AT = 1_795_000_000.0


def write_real_state(directory: Path, also_rejected: Collection[int] = (), *, count: int = 200) -> Path:
    """Write the run into a directory, and return its output; the state database is beside it.

    Args:
        directory: Where to.
        also_rejected: The numbers of conversations that a stricter version has rejected; they use no note.
        count: How many of them there are.
    """
    output = directory / "out.json"
    connection = sqlite3.connect(state_path(output), isolation_level=None)
    with contextlib.closing(connection):
        _make_tables(connection, output.name)
        connection.execute("BEGIN")
        prompts = real_conversations()[0].conversation.prompts
        connection.execute("INSERT INTO prompt_sets VALUES (1, ?, ?)", (prompts.digest, prompts.to_json()))
        for real, row in islice(zip(real_conversations(), recorded_rows(), strict=True), count):
            _write_conversation(connection, real, {**row, "verdict": _REFUSAL} if real.number in also_rejected else row)
        lines = [line for (line,) in connection.execute("SELECT line FROM samples ORDER BY position")]
        connection.execute("UPDATE run SET synced_position = ?, target = ?", (len(lines), len(lines)))
        connection.execute("COMMIT")
    content = b"".join(element_bytes(line, first=number == 0) for number, line in enumerate(lines))
    output.write_bytes(b"[" + content + CLOSING)
    return output


def query(output: Path, sql: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(state_path(output))
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


# Without the time at which something was accepted, and how far the output is known to be on the disk.
_KEPT = {
    "conversations": "id, status, stage, reason, detail, quote",
    "samples": "*",
    "taken_out": "*",
    "notes": "*",
    "timelines": "*",
    "verdicts": "*",
    "near": "*",
    "openings": "*",
    "run": "base_count, base_end, base_position, replacing",
}


def everything(output: Path) -> dict[str, object]:
    """Return all that a run would go on from."""
    return {
        "output": output.read_bytes(),
        **{
            table: sorted(query(output, f"SELECT {columns} FROM {table}"), key=repr)  # noqa: S608 - constants
            for table, columns in _KEPT.items()
        },
    }


@functools.cache
def saved_messages() -> dict[int, tuple[Message, ...]]:
    """Return what each conversation is saved as today: with Ada's own thoughts where it passes with them alone."""
    return {real.number: messages for real, _, messages in judge_all_as_saved()}


def save_otherwise(output: Path, number: int, change: Callable[[str], str]) -> None:
    """Let a conversation have been saved as something else; the output has it when it is missing at the next start."""
    with sqlite3.connect(state_path(output)) as connection:
        [(line,)] = connection.execute("SELECT line FROM samples WHERE conversation_id = ?", (number,)).fetchall()
        assert change(line) != line
        connection.execute("UPDATE samples SET line = ? WHERE conversation_id = ?", (change(line), number))
    connection.close()


def _make_tables(connection: sqlite3.Connection, output_name: str) -> None:
    for statements in schema._MIGRATIONS[:SCHEMA]:
        connection.executescript(statements)
    connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA}")
    connection.execute("INSERT INTO run (seed, output_name) VALUES (2026, ?)", (output_name,))


def _write_conversation(connection: sqlite3.Connection, real: RealConversation, row: dict[str, Any]) -> None:
    brief, verdict, at = real.case.brief, row["verdict"], _STARTED_AT + 60 * real.number
    begin_timeline(connection, brief.timeline_id, brief.user, None)
    connection.execute(
        "INSERT INTO conversations VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            real.number,
            brief.timeline_id,
            TypeAdapter(Brief).dump_json(brief).decode(),
            _PROVIDER,
            *(verdict[name] for name in ("status", "stage", "reason", "detail")),
            at,
            at + 50,
        ),
    )
    for number, step in enumerate(row["steps"], start=1):
        is_tools = step["kind"] == "tools"
        connection.execute(
            "INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 1.0, ?)",
            (
                real.number,
                number,
                step["kind"],
                json.dumps(step["text"], ensure_ascii=False) if is_tools else step["text"],
                step["finish_reason"],
                *((None, None) if is_tools else (_PROVIDER, _PROVIDER)),
                at + number,
            ),
        )
    notebook = read_notebook(connection, brief.timeline_id, real.number, brief.date)
    assert _as_recorded(notebook.notes()) == row["notes_before"]
    if verdict["status"] == "rejected":
        go_on_after_rejection(connection, brief.timeline_id)
        count_verdict(connection, brief, Problem(Stage(verdict["stage"]), verdict["reason"]))
        return
    story = go_through(connection, real, notebook)
    said = real.conversation.exchanges[-1].question_answer
    go_on_after_acceptance(connection, brief.timeline_id, story, said, _TIMELINE_LENGTH)
    count_verdict(connection, brief, None)
    line = sample_line(saved_messages()[real.number])
    position, end = connection.execute("SELECT count(*), coalesce(max(end), 1) FROM samples").fetchone()
    end += len(element_bytes(line, first=position == 0))
    connection.execute("INSERT INTO samples VALUES (?, ?, ?, ?)", (position + 1, real.number, line, end))


def go_through(connection: sqlite3.Connection, real: RealConversation, notebook: Notebook) -> Story:
    """Make the calls of a conversation on memory and diary before it, and return what its story comes to."""
    for exchange in real.conversation.exchanges:
        for turn in exchange.turns:
            for call, result in zip(turn.answer.calls, turn.results, strict=False):
                assert run_call(call, notebook) == result
    brief = real.case.brief
    write_notebook(connection, brief.timeline_id, notebook)
    return story_after(read_story(connection, brief.timeline_id), brief.scenario, brief.at, notebook.notes())


def _as_recorded(notes: Notes) -> dict[str, list[dict[str, str]]]:
    return {
        shelf: [{"date": note.date, "text": note.text} for note in kept]
        for shelf, kept in (("memory", notes.memory), ("diary", notes.diary))
    }
