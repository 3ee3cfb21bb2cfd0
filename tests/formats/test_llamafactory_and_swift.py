"""Rows for LLaMA-Factory and ms-swift: what comes back of them, and what these trainers make of them."""

from __future__ import annotations

import json
import re
from itertools import product

import pytest
import yaml
from hypothesis import given

from apep_datagen.core.calls import ToolCall
from apep_datagen.core.markup import render_answer
from apep_datagen.core.messages import Message
from apep_datagen.core.tools import tool_schemas
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


def test_a_llamafactory_row_is_sharegpt_with_results_in_the_role_that_is_wanted() -> None:
    for shape, written in ((Shape(tool_role="user"), "human"), (Shape(tool_role="tool"), "observation")):
        row = _write(LLAMAFACTORY, Example(_CHAT[:5]), shape)
        assert row == {
            "conversations": [
                {"from": "system", "value": _SYSTEM.content},
                {"from": "human", "value": _ASKED.content},
                {"from": "gpt", "value": _DID.content},
                {"from": written, "value": _DONE.content},
                {"from": "gpt", "value": _SAID.content},
            ]
        }


def test_calls_of_a_native_llamafactory_row_are_one_list_behind_the_thought_and_so_are_their_results() -> None:
    row = _write(LLAMAFACTORY, Example(_CHAT), Shape(calls="native"))
    called, answered, said = row["conversations"][2:5]
    assert called == {
        "from": "function_call",
        "value": "<think>The old town goes.</think>\n\n"
        '<tool_call>[{"name": "delete_memory", "arguments": {"indices": [2]}}, '
        '{"name": "add_memory", "arguments": {"input_text": ["The user lives in Turku."]}}]</tool_call>',
    }
    assert answered["from"] == "observation"
    assert json.loads(answered["value"]) == [
        {"deleted": [{"index": 2, "text": "The user lives in Oulu."}]},
        {"added": 1, "indices": [2]},
    ]
    assert said == {"from": "gpt", "value": _SAID.content}
    assert json.loads(row["tools"]) == tool_schemas()


def test_a_tag_in_a_note_does_not_end_the_calls_of_a_native_llamafactory_row() -> None:
    note = "The user writes <tool_call> and </tool_call> for fun."
    told = Message("assistant", render_answer("", "", [ToolCall("add_memory", {"input_text": [note]})]))
    chat = Example((_ASKED, told, Message("tool", '<tool_result>{"added": 1, "indices": [1]}</tool_result>'), _SAID))
    row = _write(LLAMAFACTORY, chat, Shape(calls="native"))
    # As `FunctionFormatter` of LLaMA-Factory 0.9.5 finds them.
    [spelled] = re.findall(r"<tool_call>(.*?)</tool_call>", row["conversations"][1]["value"], re.DOTALL)
    assert json.loads(spelled) == [{"name": "add_memory", "arguments": {"input_text": [note]}}]
    assert LLAMAFACTORY.read(row) == chat


def test_a_llamafactory_row_of_an_answer_says_how_much_of_it_is_context() -> None:
    rows = [_write(LLAMAFACTORY, example, Shape(rows="answer")) for example in examples_of(_CHAT, "answer")]
    assert [(row["context"], len(row["conversations"])) for row in rows] == [(0, 3), (3, 5), (5, 7)]
    assert "mask_history: true" in _files(LLAMAFACTORY, Shape(rows="answer"))[1]
    assert "mask_history: true" not in _files(LLAMAFACTORY, Shape())[1]


def test_a_swift_row_says_of_each_message_of_adas_whether_it_is_learnt() -> None:
    exchanges = [_write(SWIFT, example, Shape(rows="exchange")) for example in examples_of(_CHAT, "exchange")]
    assert [[message.get("loss") for message in row["messages"]] for row in exchanges] == [
        [None, None, True, None, True],
        [None, None, False, None, False, None, True],
    ]
    [whole] = [_write(SWIFT, example, Shape()) for example in examples_of(_CHAT, "conversation")]
    assert not any("loss" in message for message in whole["messages"])
    weighted = _write(SWIFT, Example(_CHAT), Shape(weights=True))
    assert [message["loss"] for message in weighted["messages"] if message["role"] == "assistant"] == [True] * 3


def test_each_call_and_each_result_of_a_native_swift_row_is_a_message() -> None:
    [_, row] = [
        _write(SWIFT, example, Shape(rows="exchange", calls="native")) for example in examples_of(_CHAT, "exchange")
    ]
    assert row["messages"][2:6] == [
        {"role": "assistant", "content": "<think>The old town goes.</think>\n\n", "loss": False},
        {"role": "tool_call", "content": '{"name": "delete_memory", "arguments": {"indices": [2]}}', "loss": False},
        {
            "role": "tool_call",
            "content": '{"name": "add_memory", "arguments": {"input_text": ["The user lives in Turku."]}}',
            "loss": False,
        },
        {
            "role": "tool_response",
            "name": "delete_memory",
            "content": '{"deleted": [{"index": 2, "text": "The user lives in Oulu."}]}',
        },
    ]
    assert json.loads(row["tools"]) == tool_schemas()


def test_rows_are_told_from_those_of_others() -> None:
    assert all(LLAMAFACTORY.recognises(_write(LLAMAFACTORY, Example(_CHAT), shape)) for shape in _shapes(LLAMAFACTORY))
    assert not LLAMAFACTORY.recognises({"conversations": [{"role": "user", "content": "Hi"}]})
    assert SWIFT.recognises(_write(SWIFT, Example(_CHAT), Shape(weights=True)))
    assert SWIFT.recognises(_write(SWIFT, Example(_CHAT), Shape(calls="native")))
    assert not SWIFT.recognises({"messages": [{"role": "user", "content": "Hi"}]})


def test_llamafactory_rows_of_others_are_read() -> None:
    row = {
        "system": "You are Ada.",
        "conversations": [
            {"from": "human", "value": "What do you know?"},
            {"from": "function_call", "value": '{"name": "recall_memories", "arguments": {}}'},
            {"from": "observation", "value": '{"memories": []}'},
            {"from": "gpt", "value": "Nothing."},
        ],
        "tools": "[]",
    }
    assert LLAMAFACTORY.read(row).messages == (
        _SYSTEM,
        Message("user", "What do you know?"),
        Message("assistant", "<tool_call>recall_memories()</tool_call>"),
        Message("tool", '<tool_result>{"memories": []}</tool_result>'),
        Message("assistant", "Nothing."),
    )


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ((_SYSTEM,), "the last message is not Ada's"),
        ((_SYSTEM, _ASKED, _SAID, _ASKED), "the last message is not Ada's"),
        ((_ASKED, _ASKED, _SAID), "two messages of the same side follow each other"),
        ((_SAID,), "two messages of the same side follow each other"),
        ((_ASKED, _SAID, _SYSTEM, _SAID), "a system prompt stands between other messages"),
    ],
)
def test_what_these_trainers_pass_over_or_join_is_not_written(messages: tuple[Message, ...], why: str) -> None:
    for form in _FORMATS:
        for shape in _shapes(form):
            with pytest.raises(CannotHoldError, match=why):
                form.write(Example(messages), shape)


@pytest.mark.parametrize(
    ("answer", "results", "why"),
    [
        (
            "<think>A <tool_call>note()</tool_call> is due.</think>\n\nHm.",
            None,
            "more than thoughts, a reply and calls",
        ),
        ("<tool_call>recall_memories(</tool_call>", '<tool_result>{"error": "?"}</tool_result>', "not understood"),
        (_DID.content, "<tool_result>{}</tool_result>", "not one result for each call"),
        (_DID.content, "<tool_result>a</tool_result>\n<tool_result>{}</tool_result>", "is no JSON"),
    ],
)
def test_what_no_native_llamafactory_row_can_hold_is_not_written(answer: str, results: str | None, why: str) -> None:
    said = (
        (Message("assistant", answer),)
        if results is None
        else (Message("assistant", answer), Message("tool", results), _SAID)
    )
    with pytest.raises(CannotHoldError, match=why):
        LLAMAFACTORY.write(Example((_ASKED, *said)), Shape(calls="native"))


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"conversations": "Hi"},
        {"conversations": []},
        {"conversations": [{"from": "nobody", "value": "Hi"}]},
        {"conversations": [{"from": "gpt", "value": "Hi"}], "context": "all"},
        {"conversations": [{"from": "gpt", "value": "Hi"}], "context": 9},
        {"conversations": [{"from": "function_call", "value": "<tool_call>[{</tool_call>"}]},
        {"conversations": [{"from": "function_call", "value": "<tool_call>[1]</tool_call>"}]},
        {"messages": "Hi"},
        {"messages": []},
        {"messages": ["Hi"]},
        {"messages": [{"role": "tool_call", "content": "?("}]},
    ],
)
def test_what_is_no_row_is_refused_as_such(row: Row) -> None:
    for form in _FORMATS:
        with pytest.raises(ValueError):  # noqa: PT011 - whatever is said of it
            form.read(row)


def _files(form: Format, shape: Shape, *splits: str) -> tuple[dict[str, str], str]:
    """Return what stands beside the rows, and of that the configuration."""
    files = dict(form.files(shape, {split: f"{split}.jsonl" for split in ("train", *splits)}))
    return files, files[f"{form.name}.yaml"]


def test_the_configurations_name_the_rows_that_there_are() -> None:
    files, configuration = _files(LLAMAFACTORY, Shape(calls="native"), "validation", "test")
    known = json.loads(files["dataset_info.json"])
    assert {name: entry["file_name"] for name, entry in known.items()} == {
        "ada": "train.jsonl",
        "ada_validation": "validation.jsonl",
        "ada_test": "test.jsonl",
    }
    row = _write(LLAMAFACTORY, Example(_CHAT), Shape(calls="native"))
    assert all(entry["columns"].keys() == {"messages", "tools"} for entry in known.values())
    assert set(known["ada"]["columns"].values()) == row.keys()
    values = yaml.safe_load(configuration)
    assert (values["dataset"], values["eval_dataset"]) == ("ada", "ada_validation")
    values = yaml.safe_load(_files(SWIFT, Shape(), "validation")[1])
    assert (values["dataset"], values["val_dataset"]) == ("train.jsonl", "validation.jsonl")
    for form in _FORMATS:
        values = yaml.safe_load(_files(form, Shape())[1])
        assert not [name for name in values if "eval" in name or "val_" in name]


def test_a_guide_is_markdown_that_says_how_to_train_on_such_rows() -> None:
    for form in _FORMATS:
        guides = [form.guide(shape, {"train": "train.jsonl"}) for shape in _shapes(form)]
        assert all(f"`{form.name}.yaml`" in guide and "```sh\n" in guide for guide in guides)
        assert not any(line.startswith("# ") for guide in guides for line in guide.splitlines())
        assert len(set(guides)) == len(form.rows) * (len(form.tool_roles) + 1)  # native rows know one role
