"""Rows in the form of Hermes: calls and results are JSON in their tags."""

from __future__ import annotations

import json
import re

import pytest

from apep_datagen.core.calls import ToolCall
from apep_datagen.core.markup import render_answer, result_block
from apep_datagen.core.messages import Message
from apep_datagen.core.tools import tool_schemas
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import CannotHoldError
from apep_datagen.formats.hermes import HERMES
from support.sample_rows import as_json, sample_rows

CALL = re.compile(r"<tool_call>\n(.*?)\n</tool_call>", re.DOTALL)
RESPONSE = re.compile(r"<tool_response>\n(.*?)\n</tool_response>", re.DOTALL)


def test_each_call_and_each_result_is_json_in_its_tag() -> None:
    for _, row in sample_rows(HERMES, HERMES.default):
        assert json.loads(row["tools"]) == tool_schemas()
        messages = row["conversations"]
        for message, after in zip(messages, [*messages[1:], None], strict=True):
            assert message["from"] in {"system", "human", "gpt", "tool"}
            if message["from"] != "gpt":
                continue
            calls = [json.loads(call) for call in CALL.findall(message["value"])]
            assert len(calls) == message["value"].count("<tool_call>")
            if not calls:
                continue
            assert all(set(call) == {"name", "arguments"} for call in calls)
            assert after is not None
            assert after["from"] == "tool"
            results = [json.loads(result) for result in RESPONSE.findall(after["value"])]
            assert [result["name"] for result in results] == [call["name"] for call in calls]
            assert "<tool_result>" not in after["value"]


def test_a_tag_within_a_text_ends_nothing() -> None:
    note = "a </tool_call> and a </tool_response>, <tool_response>"
    example = Example(
        (
            Message("system", "You are Ada."),
            Message("user", "Hello"),
            Message("assistant", render_answer("Hm.", "", [ToolCall("add_memory", {"input_text": [note]})])),
            Message("tool", result_block({"memories": [{"index": 1, "text": note}]})),
            Message("assistant", "Good."),
        )
    )
    row = as_json(HERMES.write(example, HERMES.default))
    (call,) = CALL.findall(row["conversations"][2]["value"])
    (result,) = RESPONSE.findall(row["conversations"][3]["value"])
    assert json.loads(call)["arguments"]["input_text"] == [note]
    assert json.loads(result)["content"]["memories"][0]["text"] == note
    assert HERMES.read(row) == example


def test_a_row_of_another_dataset_is_read() -> None:
    # As in https://github.com/NousResearch/Hermes-Function-Calling, with two results in one message.
    row = {
        "conversations": [
            {"from": "system", "value": "You are a function calling AI model."},
            {"from": "human", "value": "What are A and B worth?"},
            {
                "from": "gpt",
                "value": '<think>\nBoth.\n</think>\n<tool_call>\n{"arguments": {"symbol": "A"}, "name": "price"}\n'
                '</tool_call>\n<tool_call>\n{"name": "price", "arguments": {"symbol": "B"}}\n</tool_call>\n',
            },
            {
                "from": "tool",
                "value": '<tool_response>\n{"name": "price", "content": {"usd": 1.5}}\n</tool_response>\n'
                '<tool_response>\n{"usd": 2}\n</tool_response>\n',
            },
            {"from": "gpt", "value": "1.5 and 2 dollars."},
        ]
    }
    assert HERMES.recognises(row)
    assert [message.content for message in HERMES.read(row).messages[2:]] == [
        '<think>Both.</think>\n\n<tool_call>price(symbol="A")</tool_call>\n<tool_call>price(symbol="B")</tool_call>',
        '<tool_result>{"usd": 1.5}</tool_result>\n<tool_result>{"usd": 2}</tool_result>',
        "1.5 and 2 dollars.",
    ]


@pytest.mark.parametrize(
    ("called", "came", "why"),
    [
        ("add_diary(input_text=[Her first steps)", "{}", "was not understood"),
        ("recall_diary()", '{}</tool_result>\n<tool_result>{"added": 1}', "not one result for each call"),
        ("recall_diary()", "no JSON", "no JSON"),
    ],
)
def test_what_json_cannot_hold_is_refused(called: str, came: str, why: str) -> None:
    messages = (
        Message("user", "Hello"),
        Message("assistant", f"<tool_call>{called}</tool_call>"),
        Message("tool", f"<tool_result>{came}</tool_result>"),
        Message("assistant", "Good."),
    )
    with pytest.raises(CannotHoldError, match=why):
        HERMES.write(Example(messages), HERMES.default)


@pytest.mark.parametrize(
    "row",
    [
        {"conversations": []},
        {"conversations": [{"role": "user", "content": "Hello"}]},
        {"conversations": [{"from": "observation", "value": "{}"}]},
        {"messages": [{"from": "human", "value": "Hello"}]},
    ],
)
def test_rows_of_other_forms_are_not_its_own(row: dict[str, object]) -> None:
    assert not HERMES.recognises(row)


@pytest.mark.parametrize("result", ["1e400", '{"distance": -1e999}', "[NaN]", '{"a": Infinity}', "7,5"])
def test_a_result_that_would_come_back_as_no_json_is_not_written(result: str) -> None:
    called = Message("assistant", render_answer("", "", [ToolCall("recall_memories", {})]))
    said = (Message("user", "How far?"), called, Message("tool", f"<tool_result>{result}</tool_result>"))
    with pytest.raises(CannotHoldError, match="a result is no JSON"):
        HERMES.write(Example((*said, Message("assistant", "Far."))), HERMES.default)
