"""Rows for OpenAI's fine-tuning, checked with the types of its package and by what those let pass."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import TypeAdapter

from apep_datagen.core.messages import Message
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import Format
from apep_datagen.formats.mistral import MISTRAL
from apep_datagen.formats.openai import OPENAI
from apep_datagen.formats.shape import Shape
from apep_datagen.formats.together import TOGETHER
from support.sample_rows import sample_rows, shapes_of

MESSAGES = TypeAdapter(list[ChatCompletionMessageParam])
TOOLS = TypeAdapter(list[ChatCompletionToolParam])


def whole(value: Any) -> Any:
    """Read what pydantic checks only when it is read, such as calls."""
    if isinstance(value, dict):
        return {name: whole(item) for name, item in value.items()}
    if isinstance(value, (str, int, float)) or value is None:
        return value
    return [whole(item) for item in value]


def without_weight(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message without what is known to fine-tuning alone, which the package has no type for."""
    return {name: value for name, value in message.items() if name != "weight"}


@pytest.mark.parametrize("shape", shapes_of(OPENAI), ids=repr)
def test_the_types_know_every_field_of_a_row(shape: Shape) -> None:
    for _, row in sample_rows(OPENAI, shape):
        # What the types do not know, pydantic leaves out.
        messages = [without_weight(message) for message in row["messages"]]
        assert whole(MESSAGES.validate_python(messages)) == messages
        if shape.calls == "native":
            assert whole(TOOLS.validate_python(row["tools"])) == row["tools"]
        assert set(row) == ({"messages", "tools"} if shape.calls == "native" else {"messages"})


@pytest.mark.parametrize("shape", shapes_of(OPENAI), ids=repr)
def test_what_the_types_let_pass_is_right_as_well(shape: Shape) -> None:
    calls = 0
    for _, row in sample_rows(OPENAI, shape):
        waiting: list[str] = []
        given: set[str] = set()
        for message in row["messages"]:
            if message["role"] == "tool":
                assert message["tool_call_id"] == waiting.pop(0)
                continue
            # Each call has its result, right behind the message that makes it.
            assert not waiting
            assert message["content"] if "content" in message else message["tool_calls"]
            for call in message.get("tool_calls", ()):
                calls += 1
                assert isinstance(json.loads(call["function"]["arguments"]), dict)
                waiting.append(call["id"])
            assert given.isdisjoint(waiting)
            given.update(waiting)
        # What is trained comes last: it may be a call, whose result a later row has.
        assert row["messages"][-1]["role"] == "assistant"
        assert not waiting or "tool_calls" in row["messages"][-1]
        # A weight is known for messages of the assistant alone.
        assert all("weight" not in message for message in row["messages"] if message["role"] != "assistant")
    assert bool(calls) == (shape.calls == "native")


@pytest.mark.parametrize("form", [OPENAI, TOGETHER, MISTRAL], ids=lambda form: form.name)
def test_a_message_that_is_calls_alone_has_no_content(form: Format) -> None:
    example = Example(
        (
            Message("user", "Hello"),
            Message("assistant", "<tool_call>recall_diary()</tool_call>"),
            Message("tool", '<tool_result>{"pages": []}</tool_result>'),
            Message("assistant", "Hello!"),
        )
    )
    row = form.write(example, Shape(calls="native"))
    assert "content" not in row["messages"][1]
    assert form.read(row) == example
