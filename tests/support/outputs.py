"""Outputs with a state database beside them, made without a run: of any conversations, by any users."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.core.messages import Message
from apep_datagen.core.sample_json import sample_line
from apep_datagen.storage.access import state_path
from apep_datagen.storage.output import CLOSING, element_bytes
from apep_datagen.storage.schema import migrate

__all__ = ["MadeConversation", "MadeOutput", "chat", "of_users"]


@dataclass(frozen=True, slots=True)
class MadeConversation:
    """A conversation of a run."""

    messages: tuple[Message, ...]
    user: int = 1
    at: str = "2026-05-04T07:30"
    ability: str = "smalltalk"
    form: str = "plain"
    provider: str = "endpoint"
    by_itself: bool = False


def chat(number: int, exchanges: int = 2, *, words: str = "said") -> tuple[Message, ...]:
    """Return a conversation that no other number has: each exchange with a thought, a call, its result and a reply."""
    messages = [Message("system", "You are Ada.")]
    for exchange in range(1, exchanges + 1):
        what = f"{words} {number} {exchange}"
        messages += [
            Message("user", f"I {what}"),
            Message(
                "assistant", f'<think>They {what}</think>\n\n<tool_call>add_memory(input_text=["{what}"])</tool_call>'
            ),
            Message("tool", '<tool_result>{"added": 1, "indices": [1]}</tool_result>'),
            Message("assistant", f"<think>Kept {what}</think>\n\nYou {what}"),
        ]
    return tuple(messages)


class MadeOutput:
    """An output that grows as by a run.

    Args:
        path: Where it is to be.
        foreign: What was there before the run.
        seed: That of the run.
    """

    def __init__(self, path: Path, foreign: Sequence[tuple[Message, ...]] = (), *, seed: int = 7) -> None:
        self.path = path
        self.elements = [sample_line(messages) for messages in foreign]
        self._count = 0
        self._write_file()
        with self.database() as connection:
            end = self.path.stat().st_size - len(CLOSING)
            migrate(connection, seed=seed, output_name=path.name, base_count=len(foreign), base_end=end)
            prompts = load_prompts()
            connection.execute("INSERT INTO prompt_sets VALUES (1, ?, ?)", (prompts.digest, prompts.to_json()))

    @contextlib.contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(sqlite3.connect(state_path(self.path), isolation_level=None)) as connection:
            yield connection

    def append(self, conversations: Iterable[MadeConversation], *, synced: bool = True) -> None:
        """Add conversations to the database and the output."""
        end = self.path.stat().st_size - len(CLOSING)
        with self.database() as connection:
            connection.execute("BEGIN")
            for made in conversations:
                self._count += 1
                line = sample_line(made.messages)
                end += len(element_bytes(line, first=not self.elements))
                self.elements.append(line)
                self._record(connection, made, line, end)
            if synced:
                connection.execute("UPDATE run SET synced_position = ?", (self._count,))
            connection.execute("COMMIT")
        self._write_file()

    def _record(self, connection: sqlite3.Connection, made: MadeConversation, line: str, end: int) -> None:
        number = self._count
        plan = {
            "at": made.at, "seed": number, "max_tool_rounds": 3, "user": {"name": f"Name {made.user}"},
            "scenario": {"ability": made.ability, "form": made.form, "topic": f"topic {number}"},
        }  # fmt: skip
        connection.execute("INSERT OR IGNORE INTO timelines (id, conversations, closed) VALUES (?, 1, 1)", (made.user,))
        connection.execute(
            "INSERT INTO conversations (id, timeline_id, prompt_set_id, plan, provider, status, started_at, ended_at)"
            " VALUES (?, ?, 1, ?, ?, 'finished', 1, 2)",
            (number, made.user, json.dumps(plan), made.provider),
        )
        for step, (kind, model) in enumerate((("ask", "tester"), ("answer", "large"), ("rewrite", "large")), start=1):
            connection.execute(
                "INSERT INTO steps VALUES (?, ?, ?, 'text', 'stop', ?, ?, 100, 10, 1.0, 1.0)",
                (number, step, kind, made.provider, model),
            )
        notes_before = '{"memory": [], "diary": []}' if made.by_itself else None
        connection.execute("INSERT INTO samples VALUES (?, ?, ?, ?, ?)", (number, number, line, end, notes_before))

    def _write_file(self) -> None:
        parts = (element_bytes(line, first=index == 0) for index, line in enumerate(self.elements))
        self.path.write_bytes(b"[" + b"".join(parts) + CLOSING)


def of_users(count: int, users: int, *, first: int = 1) -> list[MadeConversation]:
    """Return conversations of users who take turns, a day after the other."""
    return [
        MadeConversation(chat(number), user=number % users + 1, at=f"2026-01-{number // users % 28 + 1:02}T07:30")
        for number in range(first, first + count)
    ]
