"""Sessions as rows of the hub's columns for traces."""

from __future__ import annotations

from apep_datagen.core.messages import Message
from apep_datagen.formats.example import Example
from apep_datagen.formats.origin import Origin
from apep_datagen.formats.trace_rows import TRACE_COLUMNS, trace_row
from apep_datagen.formats.traces import TRACES, read_session, session_lines

_MESSAGES = (
    Message("system", "You are Ada."),
    Message("user", "Do you know my dog's name?"),
    Message("assistant", "<think>I look.</think>\n\n<tool_call>recall_memories()</tool_call>"),
    Message("tool", '<tool_result>{"memories": []}</tool_result>'),
    Message("assistant", "<think>Nothing.</think>\n\nNo."),
)
_ORIGIN = Origin(numbers=(3,), user="user-00017", name="Marta", days=("2026-01-04T07:30",), abilities=("recall",))


def test_a_session_is_a_row_also_as_it_is_read_from_its_file() -> None:
    session = {**TRACES.columns(_ORIGIN), **TRACES.write(Example(_MESSAGES), TRACES.default)}
    row = trace_row(read_session(session_lines(session)), "traces/train/3/user-00017.jsonl")
    assert list(row) == list(TRACE_COLUMNS)
    assert row["trace"] == "".join(f"{line}\n" for line in session_lines(session))
    assert {name: row[name] for name in ("harness", "session_id", "prompt", "sent_at", "file_path")} == {
        "harness": "apep-datagen",
        "session_id": "user-00017",
        "prompt": "Do you know my dog's name?",
        "sent_at": "2026-01-04T07:30:00.000Z",
        "file_path": "traces/train/3/user-00017.jsonl",
    }
    assert (row["num_user_messages"], row["num_tool_calls"]) == (1, 1)
    assert row["messages"][2] == {
        "role": "assistant",
        "content": "",
        "reasoning_content": "I look.",
        "tool_calls": [{"id": "call00001", "function": {"name": "recall_memories", "arguments": "{}"}}],
    }
    assert row["metadata"]["abilities"] == ["recall"]


def test_what_is_not_known_is_not_made_up() -> None:
    session = {**TRACES.columns(Origin(numbers=(3,))), **TRACES.write(Example(_MESSAGES[-1:]), TRACES.default)}
    row = trace_row(session, "a")
    assert (row["prompt"], row["sent_at"], row["num_user_messages"]) == (None, None, 0)
