"""Ada's tools: what calls do, what they answer, and that each timeline has its own notes in the database."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.calls import MalformedCall, ToolCall, parse_calls, render_call
from apep_datagen.core.notebook import Notebook
from apep_datagen.core.tools import canonical_call, describe_tools, run_call, tool_names
from apep_datagen.storage.notes import (
    count_notes,
    empty_notebooks,
    read_notebook,
    undo_conversation,
    write_notebook,
)
from apep_datagen.storage.schema import migrate

DATE = "2026-01-31"


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, seed=0, output_name="output.json", base_count=0, base_end=1)
        yield connection


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with database() as connection:
        yield connection


@pytest.fixture
def notebook() -> Notebook:
    return Notebook(conversation_id=1, date=DATE)


def run(notebook: Notebook, text: str) -> dict[str, Any]:
    (call,) = parse_calls(text)
    return run_call(call, notebook)


def run_in(
    connection: sqlite3.Connection, timeline: int, number: int, call: ToolCall | MalformedCall
) -> dict[str, Any]:
    """Run a call in a conversation of a timeline, as the program does it."""
    notebook = read_notebook(connection, timeline, number, DATE)
    result = run_call(call, notebook)
    write_notebook(connection, timeline, notebook)
    return result


def error(notebook: Notebook, text: str) -> str:
    result = run(notebook, text)
    assert list(result) == ["error"], result
    return str(result["error"])


def texts(notebook: Notebook) -> list[str]:
    return [note.text for note in notebook.memory]


def canonical(text: str) -> str:
    (call,) = parse_calls(text)
    fitted = canonical_call(call)
    assert isinstance(fitted, ToolCall)
    return render_call(fitted)


# Results.


@pytest.mark.parametrize(
    ("suffix", "recall", "plural"), [("memory", "recall_memories", "memories"), ("diary", "recall_diary", "pages")]
)
def test_notes_are_added_recalled_and_deleted(notebook: Notebook, suffix: str, recall: str, plural: str) -> None:
    assert run(notebook, f"{recall}()") == {plural: [], "message": f"There are no {plural} yet."}
    assert run(notebook, f'add_{suffix}(input_text=["A", " B "])') == {"added": 2, "indices": [1, 2]}
    assert run(notebook, f'add_{suffix}(input_text=["C"])') == {"added": 1, "indices": [3]}
    assert run(notebook, f"{recall}()") == {
        plural: [
            {"index": 1, "date": DATE, "text": "A"},
            {"index": 2, "date": DATE, "text": "B"},
            {"index": 3, "date": DATE, "text": "C"},
        ]
    }
    assert run(notebook, f"delete_{suffix}(indices=[3, 1, 1])") == {
        "deleted": [{"index": 1, "text": "A"}, {"index": 3, "text": "C"}]
    }
    assert run(notebook, f"{recall}()") == {plural: [{"index": 1, "date": DATE, "text": "B"}]}


def test_memory_and_diary_are_apart(notebook: Notebook) -> None:
    run(notebook, 'add_memory(["A"])')
    assert run(notebook, 'add_diary(["B"])')["indices"] == [1]
    run(notebook, "delete_diary([1])")
    assert texts(notebook) == ["A"]


def test_an_index_that_does_not_exist_deletes_nothing(notebook: Notebook) -> None:
    assert "none at all" in error(notebook, "delete_memory(indices=[1])")
    run(notebook, 'add_memory(["A", "B"])')
    for indices in ("[1, 3]", "[0]", "[-1]", "[1, 99999999999999999999]"):
        problem = error(notebook, f"delete_memory(indices={indices})")
        assert "from 1 to 2" in problem
        assert "nothing was deleted" in problem
    assert texts(notebook) == ["A", "B"]


def test_a_deleted_note_cannot_be_deleted_again(notebook: Notebook) -> None:
    run(notebook, 'add_memory(["A", "B"])')
    run(notebook, "delete_memory([2])")
    assert "no memory with index 2" in error(notebook, "delete_memory([2])")


@pytest.mark.parametrize(
    "call",
    [
        'add_memory(input_text=[" "])',
        'add_memory(input_text=["A", ""])',
        f"add_memory(input_text=['{'a' * 2_001}'])",
        f"add_memory(input_text={['a'] * 21!r})",
    ],
)
def test_texts_that_cannot_be_stored_add_nothing(notebook: Notebook, call: str) -> None:
    assert "nothing was added" in error(notebook, call)
    assert texts(notebook) == []


# Calls that do and do not fit.


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        ("add_memories(input_text=['A'])", "there is no tool add_memories; the tools are add_memory, recall_memories"),
        ("add_memory()", "needs its argument input_text"),
        ("add_memory(text=['A'])", "no argument text; its argument is input_text"),
        ("add_memory(input_text=['A'], date='today')", "no argument date"),
        ("add_memory(['A'], input_text=['B'])", "input_text twice"),
        ("add_memory(['A'], ['B'])", "takes 1 argument(s), 2 were given"),
        ("add_memory(input_text=['A'], input_text=['B'])", "input_text was given twice"),
        ("recall_memories(limit=3)", "it takes none"),
        ("recall_memories(3)", "takes 0 argument(s), 1 were given"),
        ("add_memory(input_text=[])", "input_text is an empty list"),
        ("add_memory(input_text=5)", "must be a list of texts"),
        ("add_memory(input_text=['A', 5])", "must be a list of texts"),
        ("add_memory(input_text=None)", "must be a list of texts"),
        ("add_memory(input_text={'a': 'b'})", "must be a list of texts"),
        ("add_memory(input_text=[['A']])", "must be a list of texts"),
        ("delete_memory(indices=[])", "indices is an empty list"),
        ("delete_memory(indices='all')", "must be a list of whole numbers"),
        ("delete_memory(indices=[1.5])", "must be a list of whole numbers"),
        ("delete_memory(indices=True)", "must be a list of whole numbers"),
        ("delete_memory(indices='²')", "must be a list of whole numbers"),
        ("please remember", "cannot be read"),
    ],
)
def test_a_call_that_does_not_fit_is_answered_with_what_is_wrong(notebook: Notebook, call: str, complaint: str) -> None:
    run(notebook, 'add_memory(["Kept"])')
    assert complaint in error(notebook, call)
    assert texts(notebook) == ["Kept"]


@pytest.mark.parametrize(
    ("call", "spelled"),
    [
        ("add_memory(input_text='A')", 'add_memory(input_text=["A"])'),
        ("add_memory('A')", 'add_memory(input_text=["A"])'),
        ("add_memory('A', 'B')", 'add_memory(input_text=["A", "B"])'),
        ("add_memory(['A', 'B'])", 'add_memory(input_text=["A", "B"])'),
        ("delete_memory(2)", "delete_memory(indices=[2])"),
        ("delete_memory(1, 2)", "delete_memory(indices=[1, 2])"),
        ("delete_memory(indices='2')", "delete_memory(indices=[2])"),
        ("delete_memory(indices=[' 2 ', 3.0])", "delete_memory(indices=[2, 3])"),
        ("recall_memories", "recall_memories()"),
        ('{"name": "add_diary", "arguments": {"input_text": "A"}}', 'add_diary(input_text=["A"])'),
    ],
)
def test_an_unambiguous_call_gets_the_canonical_spelling(call: str, spelled: str) -> None:
    assert canonical(call) == spelled
    assert canonical(spelled) == spelled


SCALAR = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 12), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5)
)
VALUE = st.one_of(SCALAR, st.sampled_from(["1", " 2"]), st.lists(SCALAR, max_size=3), st.just({"a": 1}))
ANY_CALL = st.one_of(
    st.builds(
        ToolCall,
        st.sampled_from([*tool_names(), "other"]),
        st.dictionaries(st.sampled_from(["input_text", "indices", "x"]), VALUE, max_size=2),
        st.lists(VALUE, max_size=2).map(tuple),
    ),
    st.builds(MalformedCall, st.text(max_size=5), st.text(max_size=5)),
)


@given(ANY_CALL)
def test_the_canonical_call_is_canonical_itself(call: ToolCall | MalformedCall) -> None:
    fitted = canonical_call(call)
    assert canonical_call(fitted) == fitted


@given(st.lists(ANY_CALL, max_size=8))
def test_no_call_raises_and_the_canonical_call_does_the_same(calls: list[ToolCall | MalformedCall]) -> None:
    with database() as one, database() as other:
        for call in calls:
            result = run_in(one, 1, 1, call)
            assert json.loads(json.dumps(result)) == result
            assert result == run_in(other, 1, 1, canonical_call(call))


# Indices, timelines and undoing, against a list of texts as the model of a shelf.

OPERATION = st.one_of(
    st.tuples(st.just("add"), st.lists(st.sampled_from("abcdef"), min_size=1, max_size=3)),
    st.tuples(st.just("delete"), st.lists(st.integers(0, 6), min_size=1, max_size=3)),
)
CONVERSATION = st.tuples(
    st.sampled_from([1, 2]),
    st.lists(st.tuples(st.sampled_from(["memory", "diary"]), OPERATION), max_size=6),
    st.booleans(),
)
Shelves = dict[tuple[int, str], list[str]]


def recalled(connection: sqlite3.Connection) -> Shelves:
    shelves: Shelves = {}
    for timeline in (1, 2):
        notebook = read_notebook(connection, timeline, 99, DATE)
        for name, tool, plural in (("memory", "recall_memories", "memories"), ("diary", "recall_diary", "pages")):
            notes = run_call(ToolCall(tool, {}), notebook)[plural]
            assert [note["index"] for note in notes] == list(range(1, len(notes) + 1))
            shelves[timeline, name] = [note["text"] for note in notes]
    return shelves


def carry_out(shelf: list[str], operation: tuple[str, list[Any]]) -> ToolCall:
    """Do to a plain list what the returned call does to a shelf."""
    kind, values = operation
    if kind == "add":
        shelf += values
        return ToolCall("add_", {"input_text": values})
    if all(1 <= index <= len(shelf) for index in values):
        for index in sorted(set(values), reverse=True):
            del shelf[index - 1]
    return ToolCall("delete_", {"indices": values})


@given(st.lists(CONVERSATION, max_size=6))
def test_indices_are_those_of_the_last_recall_and_an_undone_conversation_leaves_no_trace(
    conversations: list[tuple[int, list[tuple[str, tuple[str, list[Any]]]], bool]],
) -> None:
    with database() as connection:
        expected = recalled(connection)
        for number, (timeline, operations, is_undone) in enumerate(conversations, start=1):
            before = {key: list(notes) for key, notes in expected.items()}
            for name, operation in operations:
                call = carry_out(expected[timeline, name], operation)
                run_in(connection, timeline, number, ToolCall(call.name + name, call.arguments))
                assert recalled(connection) == expected
            if is_undone:
                undo_conversation(connection, number)
                expected = before
            assert recalled(connection) == expected
            counts = [sum(len(expected[number, name]) for number in (1, 2)) for name in ("memory", "diary")]
            assert count_notes(connection) == tuple(counts)


def test_undoing_restores_a_note_that_was_deleted_in_its_old_place(connection: sqlite3.Connection) -> None:
    run_in(connection, 1, 1, ToolCall("add_memory", {"input_text": ["A", "B", "C"]}))
    run_in(connection, 1, 2, ToolCall("delete_memory", {"indices": [2]}))
    run_in(connection, 1, 2, ToolCall("add_memory", {"input_text": ["D"]}))
    undo_conversation(connection, 2)
    notes = read_notebook(connection, 1, 3, DATE).memory
    assert [(note.index, note.date, note.text) for note in notes] == [
        (1, DATE, "A"),
        (2, DATE, "B"),
        (3, DATE, "C"),
    ]


def test_a_reset_empties_every_timeline(connection: sqlite3.Connection) -> None:
    for timeline in (1, 2):
        run_in(connection, timeline, timeline, ToolCall("add_memory", {"input_text": ["A"]}))
        run_in(connection, timeline, timeline, ToolCall("add_diary", {"input_text": ["A", "B"]}))
    assert count_notes(connection) == (2, 4)
    empty_notebooks(connection)
    assert count_notes(connection) == (0, 0)


def test_ada_is_told_about_every_tool_in_a_spelling_that_is_understood() -> None:
    lines = describe_tools().splitlines()
    assert [line.partition("(")[0] for line in lines] == tool_names()
    assert tool_names() == [
        "add_memory",
        "recall_memories",
        "delete_memory",
        "add_diary",
        "recall_diary",
        "delete_diary",
    ]
    for line in lines:
        call, _, explanation = line.partition(": ")
        assert canonical(call) == call
        assert explanation
