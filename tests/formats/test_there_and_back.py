"""A row holds its example: what is read of it is what was written, for every shape that a form has."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from apep_datagen.core.messages import Message
from apep_datagen.export.examples import examples_of
from apep_datagen.formats.axolotl import AXOLOTL
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import CannotHoldError, Format
from apep_datagen.formats.hermes import HERMES
from apep_datagen.formats.mistral import MISTRAL
from apep_datagen.formats.openai import OPENAI
from apep_datagen.formats.registry import FORMATS
from apep_datagen.formats.together import TOGETHER
from support.examples import examples
from support.sample_rows import answers_in, as_json, sample_rows, shapes_of

_FORMATS = (AXOLOTL, OPENAI, TOGETHER, MISTRAL, HERMES)
_each = pytest.mark.parametrize("form", _FORMATS, ids=lambda form: form.name)


@_each
@given(whole=examples(with_context=False))
def test_what_is_read_of_a_row_is_what_was_written(form: Format, whole: Example) -> None:
    for shape in shapes_of(form):
        for example in examples_of(whole.messages, shape.rows):
            assert form.read(as_json(form.write(example, shape))) == example


@_each
def test_the_sample_is_read_as_it_was_written(form: Format) -> None:
    for shape in shapes_of(form):
        for example, row in sample_rows(form, shape):
            assert form.read(row) == example


@_each
@pytest.mark.parametrize(
    "row", [{}, {"messages": []}, {"messages": "Hello"}, {"messages": [1]}, {"conversations": [1]}]
)
def test_what_is_no_row_is_refused(form: Format, row: dict[str, Any]) -> None:
    assert not form.recognises(row)
    with pytest.raises(ValueError, match="message"):
        form.read(row)


@_each
def test_the_default_is_a_shape_that_the_form_has_and_that_holds_everything(form: Format) -> None:
    assert form.default in shapes_of(form)
    assert form.cannot_hold(form.default) == {}


@_each
def test_a_guide_names_the_files_that_there_are(form: Format) -> None:
    for shape in shapes_of(form):
        for files in ({"train": "train.jsonl"}, {"train": "train.jsonl", "validation": "validation.jsonl"}):
            beside = form.files(shape, files)
            said = form.guide(shape, files)
            assert all(name in said for name in beside)
            told = said + "".join(beside.values())
            assert files["train"] in told
            assert ("validation.jsonl" in told) == ("validation" in files and form is not HERMES)


@pytest.mark.parametrize("form", [AXOLOTL, OPENAI, TOGETHER, MISTRAL], ids=lambda form: form.name)
def test_of_rows_with_context_only_what_is_new_is_trained(form: Format) -> None:
    field, trained = ("train", True) if form is AXOLOTL else ("weight", 1)
    for shape in shapes_of(form):
        for example, row in sample_rows(form, shape):
            marked = [message.get(field) for message in row["messages"] if message["role"] == "assistant"]
            if shape.weights or shape.rows != "conversation":
                assert [mark == trained for mark in marked] == answers_in(example)
                assert None not in marked
            else:
                assert set(marked) == {None}
            others = [message.get(field) for message in row["messages"] if message["role"] != "assistant"]
            assert trained not in others


@pytest.mark.parametrize(
    "arguments", ["input_text=None", 'city="Köln", unit=None', "limit=1.5, all=True", 'values=[None, "a", 2]', "x=[]"]
)
@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)
def test_a_call_that_failed_is_held_with_the_arguments_that_it_had_or_told(form: Format, arguments: str) -> None:
    failed = Message("assistant", f"<tool_call>add_memory({arguments})</tool_call>")
    error = Message("tool", '<tool_result>{"error": "input_text has to be a text or a list of texts"}</tool_result>')
    example = Example((Message("user", "Hi"), failed, error, Message("assistant", "I try again.")))
    for shape in shapes_of(form):
        if shape.calls == "native" and form.name == "trl" and "=None" in arguments:
            # An object, in which `datasets` lets null stand for what a call has not.
            with pytest.raises(CannotHoldError, match="an argument that is null"):
                form.write(example, shape)
        else:
            assert form.read(as_json(form.write(example, shape))).messages == example.messages, shape
