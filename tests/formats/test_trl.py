"""Rows for TRL and Unsloth: what comes back of them, and what of them is to be learnt."""

from __future__ import annotations

import json
from itertools import product

import pytest
from hypothesis import given

from apep_datagen.core.messages import Message
from apep_datagen.core.tools import tool_schemas
from apep_datagen.export.examples import examples_of
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import CannotHoldError, Format
from apep_datagen.formats.shape import Shape
from apep_datagen.formats.trl import TRL
from apep_datagen.formats.unsloth import UNSLOTH
from support.examples import examples
from support.real_state import saved_messages

_FORMATS = (TRL, UNSLOTH)
_ASKED = Message("user", "Hi")
_LOOKED = Message("assistant", "<think>I look.</think>\n\n<tool_call>recall_memories()</tool_call>")
_LISTED = Message("tool", '<tool_result>{"memories": []}</tool_result>')
_SAID = Message("assistant", "<think>Nothing.</think>\n\nHello.")
_CHAT = (Message("system", "You are Ada."), _ASKED, _LOOKED, _LISTED, _SAID, _ASKED, _SAID)


def _shapes(form: Format) -> list[Shape]:
    return [
        Shape(rows=rows, tool_role=role, calls=calls)
        for rows, role, calls in product(form.rows, form.tool_roles, form.calls)
    ]


@given(examples(with_context=False))
def test_every_row_comes_back_as_the_example_that_it_was_made_of(whole: Example) -> None:
    for form in _FORMATS:
        for shape in _shapes(form):
            for example in examples_of(whole.messages, shape.rows):
                row = json.loads(json.dumps(form.write(example, shape)))
                assert form.recognises(row)
                assert form.read(row) == example


def test_real_conversations_come_back() -> None:
    for form, messages in product(_FORMATS, saved_messages().values()):
        for example in examples_of(messages, form.default.rows):
            assert form.read(form.write(example, form.default)) == example


def test_what_is_learnt_is_a_completion_and_nothing_of_it_stands_in_a_prompt() -> None:
    answers = [TRL.write(example, TRL.default) for example in examples_of(_CHAT, "answer")]
    assert [row["completion"] for row in answers] == [[answer.as_dict()] for answer in (_LOOKED, _SAID, _SAID)]
    assert [len(row["prompt"]) for row in answers] == [2, 4, 6]
    assert answers[1]["prompt"][-1] == {"role": "user", "content": _LISTED.content}

    exchanges = [TRL.write(example, Shape(rows="exchange")) for example in examples_of(_CHAT, "exchange")]
    assert [row["completion"] for row in exchanges] == [
        [_LOOKED.as_dict(), _LISTED.as_dict(), _SAID.as_dict()],
        [_SAID.as_dict()],
    ]


def test_a_native_row_has_calls_and_schemas_that_no_library_merges() -> None:
    row = TRL.write(Example(_CHAT), Shape(calls="native"))
    assert row["messages"][2] == {
        "role": "assistant",
        "content": "<think>I look.</think>",
        "tool_calls": [
            {"id": "call00001", "type": "function", "function": {"name": "recall_memories", "arguments": {}}}
        ],
    }
    assert row["messages"][3] == {
        "role": "tool",
        "tool_call_id": "call00001",
        "name": "recall_memories",
        "content": '{"memories": []}',
    }
    assert json.loads(row["tools"]) == tool_schemas()


def test_an_example_without_an_answer_cannot_be_a_prompt_with_its_completion() -> None:
    for form in _FORMATS:
        with pytest.raises(CannotHoldError, match="there is no answer of Ada's"):
            form.write(Example((_ASKED,)), form.default)


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"messages": None},
        {"messages": "Hi"},
        {"conversations": {"role": "user"}},
        {"prompt": "Hi", "completion": "Hello."},
        {"prompt": [{"role": "user", "content": "Hi"}], "completion": "Hello."},
        {"prompt": [], "completion": []},
        {"prompt": [{"role": "user", "content": "Hi"}]},
        {"prompt": ["Hi"], "completion": ["Hello."]},
    ],
)
def test_what_is_no_row_is_refused_as_such(row: dict[str, object]) -> None:
    for form in _FORMATS:
        with pytest.raises(ValueError):  # noqa: PT011 - whatever is said of it
            form.read(row)


def test_the_guide_is_markdown_with_a_script_that_is_python_and_names_the_files() -> None:
    files = {"train": "train.jsonl", "validation": "validation.jsonl"}
    for form in _FORMATS:
        for shape in _shapes(form):
            guide = form.guide(shape, files)
            script = guide.split("```python\n")[1].split("```")[0]
            compile(script, form.name, "exec")
            assert '"train.jsonl"' in script
            assert 'eval_dataset=data["validation"]' in script
            assert "eval_dataset" not in form.guide(shape, {"train": "train.jsonl"})
            assert not guide.startswith("# ")
