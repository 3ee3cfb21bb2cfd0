"""Session traces: what the hub asks for, nothing lost on the way there and back, and nothing made up."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.calls import ToolCall
from apep_datagen.core.markup import render_answer
from apep_datagen.core.messages import Message
from apep_datagen.core.tools import tool_schemas
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import CannotHoldError, Row
from apep_datagen.formats.origin import Origin
from apep_datagen.formats.traces import TRACES, read_session, session_lines, session_name
from support.real_state import saved_messages

_ORIGIN = Origin(
    numbers=(3, 8),
    user="user-00017",
    name="Marta",
    days=("2026-01-04T07:30", "2026-03-08T21:05"),
    abilities=("share", "recall"),
    models=("mistral / large (ada)",),
    seed=7,
    level="strict",
)


def _row(*messages: Message, origin: Origin = _ORIGIN) -> Row:
    return {**TRACES.columns(origin), **TRACES.write(Example(messages), TRACES.default)}


def _lines(*messages: Message, origin: Origin = _ORIGIN) -> list[dict[str, Any]]:
    return [json.loads(line) for line in session_lines(_row(*messages, origin=origin))]


_CALLING = (
    Message("system", "You are Ada."),
    Message("user", "Do you know my dog's name?"),
    Message("assistant", "<think>I look.</think>\n\nWait.\n\n<tool_call>recall_memories()</tool_call>"),
    Message("tool", '<tool_result>{"memories": []}</tool_result>'),
    Message("assistant", "<think>Nothing.</think>\n\nNo."),
)


def test_thoughts_calls_and_results_are_where_the_hub_looks_for_them() -> None:
    header, _, user, calling, result, reply = _lines(*_CALLING)
    assert {key: header[key] for key in ("type", "harness", "id")} == {
        "type": "session",
        "harness": "apep-datagen",
        "id": "user-00017",
    }
    assert header["name"] == "2 conversations with Marta, 2026-01-04 to 2026-03-08"
    assert user == {"type": "message", "message": {"role": "user", "content": "Do you know my dog's name?"}}
    assert calling["message"] == {
        "role": "assistant",
        "content": "Wait.",
        "reasoningContent": "I look.",
        "toolCalls": [{"id": "call00001", "function": {"name": "recall_memories", "arguments": "{}"}}],
    }
    assert result["message"] == {"role": "tool", "toolCallId": "call00001", "content": '{"memories": []}'}
    assert reply["message"] == {"role": "assistant", "content": "No.", "reasoningContent": "Nothing."}


def test_each_message_has_the_day_of_its_conversation() -> None:
    lines = _lines(*_CALLING, *_CALLING)
    times = [line["message"]["timestamp"] for line in lines[1:]]
    assert times == [1767511800000] * 5 + [1773003900000] * 5  # 2026-01-04T07:30 and 2026-03-08T21:05, in UTC


@pytest.mark.parametrize("days", [(), ("2026-01-04T07:30",), ("2026-01-04T07:30",) * 3])
def test_where_not_every_day_is_known_no_time_is_made_up(days: tuple[str, ...]) -> None:
    lines = _lines(*_CALLING, *_CALLING, origin=Origin(numbers=(1, 2), days=days))
    assert not any("timestamp" in line["message"] for line in lines[1:])


def test_of_an_unknown_user_a_conversation_is_a_session() -> None:
    row = _row(*_CALLING, origin=Origin(numbers=(12,)))
    assert session_name(row) == "conversation-12"
    assert set(row["session"]) == {"type", "harness", "id", "name", "conversations"}  # nothing that nobody knows


def test_a_call_that_was_not_understood_stays_as_it_was() -> None:
    odd = "<think>Hm.</think>\n\n<tool_call>recall_memories(</tool_call>"
    messages = (
        Message("user", "Well?"),
        Message("assistant", odd),
        Message("tool", '<tool_result>{"error": "no call"}</tool_result>'),
        *_CALLING[1:],
    )
    lines = _lines(*messages)
    assert lines[2]["message"]["content"] == odd
    assert lines[3]["message"] == {"role": "tool", "content": '<tool_result>{"error": "no call"}</tool_result>'}
    assert lines[5]["message"]["toolCalls"][0]["id"] == "call00001"
    assert TRACES.read(_row(*messages)) == Example(messages)


def test_what_is_no_result_cannot_be_one() -> None:
    with pytest.raises(CannotHoldError):
        _row(Message("tool", "words"))


def test_real_conversations_come_back_as_they_were() -> None:
    whole = tuple(message for messages in saved_messages().values() for message in messages)
    assert TRACES.read(read_session(session_lines(_row(*whole)))) == Example(whole)


_NAMES = st.sampled_from([schema["function"]["name"] for schema in tool_schemas()])
_WORDS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="<>&\x00\r"), min_size=1).map(str.strip)
_CALLS = st.lists(st.builds(ToolCall, _NAMES, st.just({})), max_size=3)


@st.composite
def _conversations(draw: st.DrawFn) -> tuple[Message, ...]:
    messages = [Message("system", draw(_WORDS))]
    for _ in range(draw(st.integers(1, 3))):
        messages.append(Message("user", draw(_WORDS)))
        calls = draw(_CALLS)
        messages.append(Message("assistant", render_answer(draw(_WORDS), draw(_WORDS), calls)))
        if calls:
            results = "\n".join(f"<tool_result>{json.dumps(draw(_WORDS))}</tool_result>" for _ in calls)
            messages.append(Message("tool", results))
    return tuple(messages)


@given(_conversations())
def test_whatever_is_said_comes_back(messages: tuple[Message, ...]) -> None:
    lines = list(session_lines(_row(*messages)))
    assert all(len(line.splitlines()) == 1 or "\n" not in line for line in lines)
    assert TRACES.read(read_session(lines)) == Example(messages)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ['{"type": "message", "message": {}}'],
        ['{"type": "session", "id": "a"}', '{"type": "message"}'],
        ['{"type": "session", "id": "a"}', '{"type": "session", "id": "b"}'],
        ["[]"],
        ["{"],
    ],
)
def test_what_is_no_session_is_refused(lines: list[str]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of whatever is wrong
        read_session(lines)
