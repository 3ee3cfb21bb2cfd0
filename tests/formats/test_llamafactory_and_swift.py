"""Rows for LLaMA-Factory and ms-swift: what comes back of them, and what these trainers make of them."""

from __future__ import annotations

import json
from itertools import product

from hypothesis import given

from apep_datagen.core.messages import Message
from apep_datagen.export.examples import examples_of
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import CannotHoldError, Format, Row
from apep_datagen.formats.llamafactory import LLAMAFACTORY
from apep_datagen.formats.shape import Shape
from apep_datagen.formats.swift import SWIFT
from support.examples import examples
from support.real_state import saved_messages

_FORMATS = (LLAMAFACTORY, SWIFT)
_SYSTEM = Message("system", "You are Ada.")
_ASKED = Message("user", "I moved to Turku.")
_DID = Message(
    "assistant",
    "<think>The old town goes.</think>\n\n"
    "<tool_call>delete_memory(indices=[2])</tool_call>\n"
    '<tool_call>add_memory(input_text=["The user lives in Turku."])</tool_call>',
)
_DONE = Message(
    "tool",
    '<tool_result>{"deleted": [{"index": 2, "text": "The user lives in Oulu."}]}</tool_result>\n'
    '<tool_result>{"added": 1, "indices": [2]}</tool_result>',
)
_SAID = Message("assistant", "<think>Good.</think>\n\nTurku it is.")
_CHAT = (_SYSTEM, _ASKED, _DID, _DONE, _SAID, Message("user", "Yes."), Message("assistant", "<think>So.</think>\n\n!"))


def _shapes(form: Format) -> list[Shape]:
    return [
        Shape(rows=rows, tool_role=role, calls=calls, weights=weights)
        for rows, role, calls, weights in product(form.rows, form.tool_roles, form.calls, (False, True))
    ]


def _write(form: Format, example: Example, shape: Shape) -> Row:
    row = json.loads(json.dumps(form.write(example, shape)))
    assert isinstance(row, dict)
    return row


@given(examples(with_context=False))
def test_every_row_comes_back_as_the_example_that_it_was_made_of(whole: Example) -> None:
    for form in _FORMATS:
        for shape in _shapes(form):
            for example in examples_of(whole.messages, shape.rows):
                assert form.read(_write(form, example, shape)) == example


def test_real_conversations_come_back() -> None:
    for form, messages in product(_FORMATS, saved_messages().values()):
        for shape in _shapes(form):
            for example in examples_of(messages, shape.rows):
                try:
                    row = _write(form, example, shape)
                except CannotHoldError as error:
                    assert "was not understood" in str(error)  # noqa: PT017 - what is held depends on the call
                    continue
                assert form.read(row) == example
