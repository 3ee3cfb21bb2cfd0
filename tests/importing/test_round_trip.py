"""What a form can hold comes back: a conversation, written as rows of any shape, is imported as the same messages."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from apep_datagen.core.messages import Message
from apep_datagen.core.sample_json import messages_in, sample_line
from apep_datagen.export.examples import examples_of
from apep_datagen.export.parquet_file import ParquetFile
from apep_datagen.export.session_files import SessionFiles
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import CannotHoldError, Format, Row
from apep_datagen.formats.origin import Origin
from apep_datagen.formats.parquet import COLUMNS
from apep_datagen.formats.registry import FORMATS
from apep_datagen.formats.shape import Shape, Thoughts
from apep_datagen.formats.thoughts import with_thoughts
from apep_datagen.formats.trace_rows import TRACE_COLUMNS, trace_row
from apep_datagen.formats.traces import TRACES
from apep_datagen.importing.outcome import Imported
from apep_datagen.importing.source import find_source
from apep_datagen.importing.taking import take
from support.examples import examples

Conversation = tuple[Message, ...]

TEXT = 'Write calls so:\n\n<tool_call>add_memory(input_text=["…"])</tool_call>\n\nResults come in <tool_result> blocks.'
TOLD = {
    "native": "Make calls. Results come back to you.",
    "hermes": 'Write calls so:\n\n<tool_call>\n{"name": "add_memory"}\n</tool_call>\n\nResults come in blocks.',
}


def shapes(form: Format) -> list[Shape]:
    """Return the shapes in which a form holds all."""
    every = (
        Shape(rows=rows, tool_role=role, calls=calls, weights=weights)
        for rows, role, calls, weights in product(form.rows, form.tool_roles, form.calls, (False, True))
    )
    return [shape for shape in every if not form.cannot_hold(shape)]


LOSSLESS = [name for name, form in FORMATS.items() if shapes(form)]


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    system, *rest = draw(examples(with_context=False)).messages
    return (Message("system", f"{system.content}\n\n{TEXT}\n\nIt is Monday."), *rest)


def taken(source: Path, output: Path, form: Format | None = None) -> Imported:
    return take(find_source(source), output, form=form, is_dry_run=False, notify=lambda _: None)


def in_output(output: Path) -> list[Conversation | None]:
    return [messages_in(element) for element in json.loads(output.read_bytes())]


def rows_of(form: Format, shape: Shape, thoughts: Thoughts, wanted: Iterable[Conversation]) -> list[Row]:
    """Return conversations as rows, as an export writes them.

    Raises:
        CannotHoldError: A row of this form cannot hold one.
    """
    told = TOLD.get(form.instructions(shape), TEXT)
    rows: list[Row] = []
    for messages in wanted:
        retold = tuple(
            Message("system", message.content.replace(TEXT, told)) if message.role == "system" else message
            for message in messages
        )
        rows += [
            {**form.columns(Origin()), **form.write(with_thoughts(example, thoughts), shape)}
            for example in examples_of(retold, shape.rows)
        ]
    return rows


def write(directory: Path, form: Format, shape: Shape, rows: Sequence[Row]) -> None:
    told = TOLD.get(form.instructions(shape))
    sections = [{"text": TEXT, "told": told}] if told else []
    (directory / "report.json").write_text(json.dumps({"prompt_sections": sections}), encoding="utf-8")
    if form.container == "lines":
        lines = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
        (directory / "train.jsonl").write_text(lines, encoding="utf-8", newline="\n")
        return
    file = ParquetFile(directory, "train", COLUMNS) if form.container == "parquet" else SessionFiles(directory, "train")
    for row in rows:
        file.write(row)
    file.finish()


@pytest.mark.parametrize("name", LOSSLESS)
@settings(max_examples=30)
@given(data=st.data())
def test_what_was_exported_comes_back_as_it_was(name: str, data: st.DataObject) -> None:
    form = FORMATS[name]
    shape = data.draw(st.sampled_from(shapes(form)))
    # What the context of a row lacks, the rows before it have.
    thoughts: Thoughts = "keep" if shape.rows == "conversation" or data.draw(st.booleans()) else "last"
    wanted = data.draw(st.lists(conversations(), min_size=1, max_size=3, unique_by=sample_line))
    if form.container == "sessions":  # one holds all that a user and Ada have said to each other
        wanted = [tuple(message for messages in wanted for message in messages)]
    try:
        rows = rows_of(form, shape, thoughts, wanted)
    except CannotHoldError:
        reject()
    with tempfile.TemporaryDirectory() as parent:
        directory, output = Path(parent) / "export", Path(parent) / "out.json"
        directory.mkdir()
        write(directory, form, shape, rows)
        found = taken(directory, output)
        assert found.not_taken == []
        there = in_output(output)
        if form.container == "sessions":
            assert [message for messages in there for message in messages or ()] == [*wanted[0]]
        else:
            assert there == wanted
        assert (found.exit_status, found.rows, found.conversations) == (0, len(rows), len(there))
        assert found.columns.counts.keys() <= form.columns(Origin()).keys()
        # Importing twice is importing once.
        before = output.read_bytes()
        again = taken(directory, output)
        assert (again.added, again.there_already, again.exit_status) == (0, len(there), 0)
        assert output.read_bytes() == before


@settings(max_examples=30)
@given(st.lists(conversations(), min_size=1, max_size=3, unique_by=sample_line), st.sampled_from([None, 1]))
def test_what_the_program_wrote_itself_comes_back_as_it_was(wanted: list[Conversation], indent: int | None) -> None:
    with tempfile.TemporaryDirectory() as parent:
        source, output = Path(parent) / "in.json", Path(parent) / "out.json"
        elements = [json.loads(sample_line(messages)) for messages in wanted]
        source.write_text(json.dumps(elements, indent=indent), encoding="utf-8")
        found = taken(source, output)
        assert in_output(output) == wanted
        assert (found.exit_status, found.forms.counts) == (0, {"output": len(wanted)})


def test_an_example_of_a_form_is_told_from_all_others() -> None:
    """What is written as one form is never read as another one that would lose of it."""
    example = Example(
        (
            Message("system", TEXT),
            Message("user", "Hello"),
            Message("assistant", "<think>Hm.</think>\n\n<tool_call>recall_memories()</tool_call>"),
            Message("tool", '<tool_result>{"memories": []}</tool_result>'),
            Message("assistant", "<think>So.</think>\n\nHello!"),
        )
    )
    for form in FORMATS.values():
        for shape in shapes(form):
            row = {**form.columns(Origin()), **form.write(example, shape)}
            first = next(other for other in FORMATS.values() if other.recognises(row))
            assert first.read(row) == form.read(row), (form.name, shape, first.name)


def test_sessions_come_back_from_the_columns_that_the_hub_has_for_them(tmp_path: Path) -> None:
    wanted = [
        (
            Message("system", f"{TEXT} {number}"),
            Message("user", "Hello"),
            Message("assistant", "<think>Hm.</think>\n\nHi!"),
        )
        for number in range(3)
    ]
    joined = tuple(message for messages in wanted for message in messages)
    session = {**TRACES.columns(Origin(numbers=(1, 2, 3))), **TRACES.write(Example(joined), TRACES.default)}
    file = ParquetFile(tmp_path, "train", TRACE_COLUMNS)
    file.write(trace_row(session, "traces/train/0/conversation-1.jsonl"))
    file.finish()
    found = taken(tmp_path, tmp_path / "out.json")
    assert in_output(tmp_path / "out.json") == wanted
    assert (found.exit_status, found.forms.counts, found.columns.counts) == (0, {"traces": 1}, {})
