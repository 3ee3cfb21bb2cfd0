"""Calls of all kinds, and a database on whose notes they are executed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from hypothesis import strategies as st

from apep_datagen.core.calls import MalformedCall, ToolCall
from apep_datagen.core.tools import run_call
from apep_datagen.storage.notes import read_notebook, write_notebook
from apep_datagen.storage.schema import migrate

__all__ = ["CALL", "CONVERSATION", "call_all", "database"]

INDICES = st.lists(st.integers(-1, 5), min_size=1, max_size=3)
TEXTS = st.lists(st.sampled_from(["a dog", "a cat", " tea ", "", "Łódź 🐕"]), min_size=1, max_size=3)
CALL = st.one_of(
    st.builds(
        lambda name, texts: ToolCall(name, {"input_text": texts}), st.sampled_from(["add_memory", "add_diary"]), TEXTS
    ),
    st.builds(
        lambda name, found: ToolCall(name, {"indices": found}),
        st.sampled_from(["delete_memory", "delete_diary"]),
        INDICES,
    ),
    st.sampled_from([ToolCall("recall_memories", {}), ToolCall("recall_diary", {}), ToolCall("other", {})]),
    st.just(MalformedCall("no call", "it cannot be read")),
)
CONVERSATION = st.tuples(st.integers(1, 3), st.lists(CALL, max_size=5))


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, seed=0, output_name="output.json", base_count=0, base_end=1)
        yield connection


def call_all(connection: sqlite3.Connection, timeline: int, number: int, calls: list[ToolCall | MalformedCall]) -> None:
    notebook = read_notebook(connection, timeline, number, f"2026-01-{number:02}")
    for call in calls:
        run_call(call, notebook)
    write_notebook(connection, timeline, notebook)
