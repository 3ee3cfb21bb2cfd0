"""Datasets of other programs: what is unambiguous is taken, all else is told, and nothing ends the import."""

from __future__ import annotations

import contextlib
import gzip
import json
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.errors import StorageError
from apep_datagen.core.messages import Message
from apep_datagen.core.sample_json import messages_in
from apep_datagen.formats.registry import FORMATS
from apep_datagen.importing.outcome import Imported
from apep_datagen.importing.report import describe_import, import_as_json
from apep_datagen.importing.rows import NotTakenError
from apep_datagen.importing.source import LONGEST_ROW, find_source
from apep_datagen.importing.taking import take
from apep_datagen.importing.understanding import understand

Row = Mapping[str, Any]

HELLO = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi!"}]
EXCHANGE = (Message("user", "Hello"), Message("assistant", "Hi!"))


def said(row: Row) -> list[tuple[str, str]]:
    """Return what a row says."""
    (example,) = understand(dict(row)).examples
    return [(message.role, message.content) for message in example.messages]


def imported(path: Path, output: Path | None = None) -> Imported:
    output = output or path.with_name("out.json")
    return take(find_source(path), output, form=None, is_dry_run=False, notify=lambda _: None)


def of_file(tmp_path: Path, content: bytes, name: str = "in.jsonl") -> Imported:
    path = tmp_path / name
    path.write_bytes(content)
    return imported(path)


def reasons(found: Imported) -> dict[str, list[str]]:
    return {reason.reason: reason.places for reason in found.not_taken}


def in_output(tmp_path: Path) -> list[tuple[Message, ...] | None]:
    return [messages_in(element) for element in json.loads((tmp_path / "out.json").read_bytes())]


# What others write.

CALLED = '<tool_call>get_weather(city="Bern", days=2)</tool_call>'
RESULT = '<tool_result>{"sky": "clear"}</tool_result>'
ARGUMENTS = {"city": "Bern", "days": 2}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param(
            {
                "messages": [
                    {"role": "developer", "content": "Be kind."},
                    {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
                    {
                        "role": "assistant",
                        "content": None,
                        "tool_calls": [
                            {
                                "id": "a",
                                "type": "function",
                                "function": {"name": "get_weather", "arguments": json.dumps(ARGUMENTS)},
                            }
                        ],
                    },
                    {"role": "tool", "tool_call_id": "a", "content": '{"sky": "clear"}'},
                    {"role": "assistant", "content": "Clear.", "weight": 1},
                ],
                "parallel_tool_calls": False,
            },
            [
                ("system", "Be kind."),
                ("user", "Hello"),
                ("assistant", CALLED),
                ("tool", RESULT),
                ("assistant", "Clear."),
            ],
            id="OpenAI's fine-tuning",
        ),
        pytest.param(
            {
                "conversations": [
                    {"from": "human", "value": "Hello"},
                    {"from": "gpt", "value": "I look."},
                    {
                        "from": "function_call",
                        "value": "<think>Which city?</think>\n"
                        + json.dumps({"name": "get_weather", "arguments": ARGUMENTS}),
                    },
                    {"from": "observation", "value": '{"sky": "clear"}'},
                    {"from": "gpt", "value": "Clear."},
                ],
                "system": "Be kind.",
                "tools": "[]",
            },
            [
                ("system", "Be kind."),
                ("user", "Hello"),
                ("assistant", f"<think>Which city?</think>\n\nI look.\n\n{CALLED}"),
                ("tool", RESULT),
                ("assistant", "Clear."),
            ],
            id="ShareGPT with calls",
        ),
        pytest.param(
            # As `datasets` and Parquet give it where rows differ: every key is there, many are null.
            {
                "messages": [
                    {"role": None, "from": "human", "content": None, "value": "Hello", "tool_calls": None},
                    {
                        "role": "assistant",
                        "content": "",
                        "value": None,
                        "tool_calls": [{"function": {"name": "get_weather", "arguments": {**ARGUMENTS, "unit": None}}}],
                    },
                    {"role": "tool", "content": '{"sky": "clear"}', "tool_calls": None},
                    {"role": "assistant", "content": "Clear.", "tool_calls": []},
                ]
            },
            [("user", "Hello"), ("assistant", CALLED), ("tool", RESULT), ("assistant", "Clear.")],
            id="merged tables",
        ),
        pytest.param(
            {
                "messages": [
                    {"role": "user", "content": "Hello"},
                    {"role": "assistant", "content": "Hi!", "reasoning_content": "A greeting."},
                ]
            },
            [("user", "Hello"), ("assistant", "<think>A greeting.</think>\n\nHi!")],
            id="thinking in a field",
        ),
        pytest.param(
            {
                "messages": [
                    {"role": "user", "content": "Hello"},
                    {
                        "role": "assistant",
                        "content": "",
                        "function_call": {"name": "get_weather", "arguments": ARGUMENTS},
                    },
                    {"role": "function", "name": "get_weather", "content": '{"sky": "clear"}'},
                    {"role": "assistant", "content": "Clear."},
                ]
            },
            [("user", "Hello"), ("assistant", CALLED), ("tool", RESULT), ("assistant", "Clear.")],
            id="functions, as OpenAI had them first",
        ),
        pytest.param(
            {
                "messages": [
                    {"role": "user", "content": "Hello"},
                    {
                        "role": "assistant",
                        "tool_calls": [
                            {"id": "a", "function": {"name": "f", "arguments": "{}"}},
                            {"id": "b", "function": {"name": "g", "arguments": "{}"}},
                        ],
                    },
                    {"role": "tool", "tool_call_id": "b", "content": "2"},
                    {"role": "tool", "tool_call_id": "a", "content": "1"},
                    {"role": "assistant", "content": "Hi!"},
                ]
            },
            [
                ("user", "Hello"),
                ("assistant", "<tool_call>f()</tool_call>\n<tool_call>g()</tool_call>"),
                ("tool", "<tool_result>1</tool_result>\n<tool_result>2</tool_result>"),
                ("assistant", "Hi!"),
            ],
            id="results in another order than the calls",
        ),
        pytest.param(
            {"conversations": json.dumps([{"from": "human", "value": "Hello"}, {"from": "gpt", "value": "Hi!"}])},
            [("user", "Hello"), ("assistant", "Hi!")],
            id="messages as a text",
        ),
        pytest.param(
            {"messages": {"role": ["user", "assistant"], "content": ["Hello", "Hi!"]}},
            [("user", "Hello"), ("assistant", "Hi!")],
            id="a list for each field",
        ),
        pytest.param(
            {"conversation": [{"from": "User", "value": "Hello"}, {"from": "chatgpt", "value": "Hi!"}]},
            [("user", "Hello"), ("assistant", "Hi!")],
            id="roles in other words",
        ),
        pytest.param(
            {"instruction": "Translate.", "input": "Salve", "output": "Hello", "system": "", "history": [["a", "b"]]},
            [("user", "a"), ("assistant", "b"), ("user", "Translate.\nSalve"), ("assistant", "Hello")],
            id="Alpaca",
        ),
        pytest.param(
            {"instruction": "Who?", "context": "", "response": "Me.", "category": "open_qa"},
            [("user", "Who?"), ("assistant", "Me.")],
            id="Dolly",
        ),
        pytest.param(
            {"prompt": "Who?", "completion": "Me.", "system_prompt": "Be kind."},
            [("system", "Be kind."), ("user", "Who?"), ("assistant", "Me.")],
            id="prompt and completion as texts",
        ),
        pytest.param(
            {
                "prompt": [{"role": "user", "content": "Who?"}],
                "completion": [{"role": "assistant", "content": "Me."}],
                "label": True,
            },
            [("user", "Who?"), ("assistant", "Me.")],
            id="prompt and completion as messages",
        ),
    ],
)
def test_a_row_of_another_program_is_understood(row: Row, expected: list[tuple[str, str]]) -> None:
    assert said(row) == expected


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"text": "<|im_start|>user\nHello<|im_end|>"}, "of no form that is known"),
        ({"question": "Who?", "answers": ["Me"]}, "of no form that is known"),
        ({}, "of no form that is known"),
        ({"prompt": "Hello", "chosen": "Hi!", "rejected": "Go away."}, "preferred"),
        ({"messages": HELLO, "chosen": HELLO, "rejected": HELLO}, "preferred"),
        ({"prompt": "Who?", "completion": "Me.", "label": False}, "marked as a bad one"),
        ({"prompt": "Human: Who?\nAssistant:", "completion": " Me."}, "several turns"),
        ({"prompt": "<|im_start|>user\nWho?", "completion": "Me."}, "several turns"),
        ({"instruction": "Who?", "output": "[INST] x [/INST]"}, "several turns"),
        ({"instruction": "Who?", "output": " "}, "a text is empty"),
        ({"instruction": "Who?", "input": ["a"], "output": "Me."}, "no text"),
        ({"instruction": "Who?", "output": "Me.", "history": [["a"]]}, "history"),
        ({"messages": []}, "no messages"),
        ({"messages": HELLO[:1]}, "nobody answers"),
        ({"messages": [HELLO[0], {"role": "assistant", "content": " "}]}, "nobody answers"),
        ({"messages": {"role": ["user"], "content": []}}, "of no form that is known"),
        ({"messages": "[{"}, "of no form that is known"),
        ({"messages": "Hello"}, "of no form that is known"),
        ({"messages": None}, "of no form that is known"),
        ({"messages": 7}, "of no form that is known"),
        ({"messages": [None]}, "a message is no object"),
        ({"messages": [{"role": "critic", "content": "x"}]}, "no role that is known"),
        ({"messages": [{"content": "x"}]}, "no role that is known"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "no text"),
        ({"messages": [{"role": "user", "content": 5}, HELLO[1]]}, "neither a text nor a list"),
        ({"messages": [{"role": "assistant", "tool_calls": "x"}]}, "no list"),
        ({"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}]}, "JSON"),
        ({"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "a-b"}}]}]}, "cannot be spelled"),
        ({"messages": [{"role": "assistant", "tool_calls": [{"function": {"arguments": {}}}]}]}, "a call has no name"),
        ({"conversations": [{"from": "function_call", "value": "Let me see."}]}, "a call cannot be read"),
        ({"prompt": [{"role": 1}], "completion": [HELLO[1]]}, "no role that is known"),
        ({"prompt": [7], "completion": [HELLO[1]]}, "other kinds|no object"),
    ],
)
def test_a_row_that_cannot_be_understood_is_told(row: Row, reason: str) -> None:
    with pytest.raises(NotTakenError, match=reason):
        understand(dict(row))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=8,
)
_keys = st.sampled_from(
    ["messages", "conversations", "prompt", "completion", "instruction", "output", "session", "checked", "tools",
     "system", "label", "segments", "history", "input", "text"]
)  # fmt: skip
_message = st.dictionaries(
    st.sampled_from(["role", "content", "from", "value", "tool_calls", "function_call", "weight", "train", "loss"]),
    st.sampled_from(["user", "assistant", "system", "tool", "function_call", '{"name": "f", "arguments": {}}']) | _json,
    max_size=5,
)


@given(st.dictionaries(_keys, st.lists(_message, max_size=4) | _json, max_size=4), st.sampled_from([*FORMATS, None]))
def test_whatever_a_row_holds_it_is_understood_or_told(row: dict[str, Any], name: str | None) -> None:
    with contextlib.suppress(NotTakenError):
        understood = understand(row, FORMATS[name] if name else None)
        assert all(example.messages for example in understood.examples)


def test_a_system_prompt_in_a_column_is_read_and_not_told_as_left_out() -> None:
    for column in ("system", "system_prompt"):
        for messages in (HELLO, [{"from": "human", "value": "Hello"}, {"from": "gpt", "value": "Hi!"}]):
            found = understand({"conversations": messages, column: "Be kind."})
            assert found.examples[0].messages == (Message("system", "Be kind."), *EXCHANGE)
            assert found.columns == ()
    other = [{"role": "system", "content": "Be brief."}, *HELLO]
    assert understand({"messages": other, "system": "Be kind."}).columns == ("system",)


def test_fields_of_messages_that_nobody_reads_are_told() -> None:
    messages = [{**HELLO[0], "timestamp": 5, "images": []}, {**HELLO[1], "refusal": None, "audio": {"id": "x"}}]
    assert understand({"messages": messages}).columns == ("messages.timestamp", "messages.audio")


def test_columns_without_a_place_are_told_and_those_of_a_form_are_not(tmp_path: Path) -> None:
    rows = [{"messages": HELLO, "id": 1, "source": "x", "tools": None}, {"messages": [*HELLO, *HELLO], "id": 2}]
    found = of_file(tmp_path, b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    assert found.columns.counts == {"id": 2, "source": 1}
    assert found.exit_status == 0


def test_schemas_of_tools_that_are_not_adas_are_told() -> None:
    def columns(name: str, *, form: str | None = None) -> tuple[str, ...]:
        tools = [{"type": "function", "function": {"name": name, "parameters": {}}}]
        row = {"messages": HELLO, "functions": [{"name": name}], "score": 1, "tools": json.dumps(tools)}
        return understand(row, FORMATS[form] if form else None).columns

    assert columns("get_weather") == columns("get_weather", form="openai") == ("functions", "score", "tools")
    assert columns("recall_memories") == columns("recall_memories", form="openai") == ("score",)


TURNS = [*HELLO, {"role": "user", "content": "Bye"}, {"role": "assistant", "content": "Until then."}]
LONG = [(turn["role"], turn["content"]) for turn in TURNS]


@pytest.mark.parametrize(
    ("row", "left_out"),
    [
        ({"id": 1, "instruction": "Hello", "response": "Hi!", "conversations": TURNS}, ("instruction", "response")),
        ({"prompt": "Hello", "completion": "Hi!", "messages": TURNS}, ("prompt", "completion")),
        ({"query": "Hello", "response": "Hi!", "conversation": TURNS}, ("query", "response")),
        (
            {
                "instruction": "Hello",
                "input": "x",
                "output": "Hi!",
                "conversations": [{"from": turn["role"], "value": turn["content"]} for turn in TURNS],
            },
            ("instruction", "input", "output"),
        ),
        ({"prompt": "Hello", "messages": json.dumps(TURNS), "response": "Hi!"}, ("prompt", "response")),
    ],
)
def test_a_list_of_messages_is_taken_before_an_exchange_beside_it(row: Row, left_out: tuple[str, ...]) -> None:
    assert said(row) == LONG
    assert tuple(name for name in understand(dict(row)).columns if name != "id") == left_out


@pytest.mark.parametrize("messages", [[], None, ["Hello"], [{"score": 1}], "Hello"])
def test_what_is_no_list_of_messages_hides_no_exchange(messages: Any) -> None:
    assert said({"prompt": "Hello", "completion": "Hi!", "messages": messages}) == LONG[:2]


@pytest.mark.parametrize(
    "messages",
    [
        [HELLO[0], {**HELLO[1], "weight": 0}],
        [*HELLO, TURNS[2], {**TURNS[3], "train": False}],
        [HELLO[0], {**HELLO[1], "loss": False}, *TURNS[2:]],
        [{"from": "human", "value": "Hello"}, {"from": "gpt", "value": "Hi!", "weight": 0}],
        [HELLO[0], {**HELLO[1], "role": "Model", "train": 0}],
    ],
)
def test_an_answer_that_was_not_to_be_learnt_is_told(tmp_path: Path, messages: list[Row]) -> None:
    column = "conversations" if "from" in messages[0] else "messages"
    found = of_file(tmp_path, json.dumps({column: messages}).encode())
    assert (found.added, found.context_alone, found.columns.counts, found.exit_status) == (1, 1, {}, 7)
    assert "1 conversations have answers that are not to be learnt" in describe_import(found)
    assert import_as_json(found)["context_alone"] == 1


def test_an_answer_that_another_row_teaches_is_no_loss(tmp_path: Path) -> None:
    for mark, learnt in (("weight", 1), ("train", True), ("loss", True)):
        rows = [
            {"messages": [{**HELLO[0], mark: 0}, {**HELLO[1], mark: learnt}]},
            {"messages": [HELLO[0], {**HELLO[1], mark: 0}, TURNS[2], {**TURNS[3], mark: learnt}]},
        ]
        found = of_file(tmp_path, b"\n".join(json.dumps(row).encode() for row in rows))
        assert (found.conversations, found.context_alone, found.columns.counts, found.exit_status) == (1, 0, {}, 0)


def test_marks_that_say_what_goes_without_saying_are_no_loss(tmp_path: Path) -> None:
    for mark in ("weight", "train", "loss"):
        messages = [{**turn, mark: int(turn["role"] == "assistant")} for turn in TURNS]
        found = of_file(tmp_path, json.dumps({"messages": messages}).encode())
        assert (found.conversations, found.context_alone, found.columns.counts, found.exit_status) == (1, 0, {}, 0)


def test_fields_are_kept_in_the_messages_alone_in_which_they_are_read() -> None:
    messages = [
        {"role": "user", "content": "Hello", "name": "Lina", "weight": 0, "train": True, "tool_calls": [1]},
        {"role": "assistant", "content": "Hi!", "name": "Ada", "weight": 0.5, "loss": 1, "reasoning": "Hm."},
        {"role": "tool", "content": "{}", "name": "look", "tool_call_id": "a", "thinking": "x", "weight": 0},
        {"role": "assistant", "content": "So."},
    ]
    columns = sorted(understand({"messages": messages}).columns)
    assert columns == [f"messages.{name}" for name in ("name", "thinking", "tool_calls", "train", "weight")]


@pytest.mark.parametrize(
    "answer",
    [
        {"reasoning_content": "I write </think> and then go on", "content": "Hi!"},
        {"reasoning": "So </Thinking> it is", "content": "<think>a</think>Hi!"},
        {"thinking": "</think>", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]},
        {"content": [{"type": "thinking", "thinking": "a</think>b"}, {"type": "text", "text": "Hi!"}]},
        {"content": [{"type": "thinking", "thinking": [{"text": "a</think>b"}]}, {"type": "text", "text": "Hi!"}]},
    ],
)
def test_a_thought_that_would_end_before_its_end_is_not_taken(answer: Row) -> None:
    with pytest.raises(NotTakenError, match="a thought holds the tag that ends thoughts"):
        understand({"messages": [HELLO[0], {"role": "assistant", **answer}]})


@pytest.mark.parametrize("text", ["a\r\nb", "a\rb", "a\r"])
def test_other_line_ends_are_told_where_they_become_the_output_s(tmp_path: Path, text: str) -> None:
    found = of_file(tmp_path, json.dumps({"messages": [{"role": "user", "content": text}, HELLO[1]]}).encode())
    (messages,) = in_output(tmp_path)
    assert messages == (Message("user", text.replace("\r\n", "\n").replace("\r", "\n")), EXCHANGE[1])
    assert (found.mended, found.exit_status) == (1, 7)
    assert "line ends with a carriage return" in describe_import(found)


def test_what_cannot_be_stored_is_replaced_and_told(tmp_path: Path) -> None:
    row = json.dumps({"messages": [{"role": "user", "content": "a\x00b\ud800c\r\nd"}, HELLO[1]]})
    found = of_file(tmp_path, row.encode())
    assert in_output(tmp_path) == [(Message("user", "a\ufffdb\ufffdc\nd"), EXCHANGE[1])]
    assert (found.mended, found.exit_status) == (1, 7)


# Files in odd shapes.

LINE = json.dumps({"messages": HELLO}).encode()


@pytest.mark.parametrize(
    "content",
    [
        LINE,
        b"\xef\xbb\xbf" + LINE + b"\r\n\r\n",
        b"\n\n  " + LINE + b"  \n\n\n",
        b"[" + LINE + b"]",
        b"\xef\xbb\xbf \n[\n\n" + LINE + b"\n]\n",
        json.dumps([{"messages": HELLO}], indent=4).encode(),
    ],
)
def test_rows_are_found_however_they_are_laid_out(tmp_path: Path, content: bytes) -> None:
    found = of_file(tmp_path, content)
    assert (found.rows, found.added, found.exit_status) == (1, 1, 0)
    assert in_output(tmp_path) == [EXCHANGE]


def test_what_is_no_row_is_told_by_its_line_and_the_others_are_taken(tmp_path: Path) -> None:
    lines = [
        LINE,
        b"",
        b'{"messages": ',
        b"[1, 2]",
        b"null",
        b'{"a": "\xff"}',
        b'{"messages": [], "messages": []}',
        b"[" * 100_000 + b"]" * 100_000,
        b'{"score": NaN, "messages": ' + json.dumps([*HELLO, *HELLO]).encode() + b"}",
        b"\x00\x01",
        LINE[:-9],
    ]
    found = of_file(tmp_path, b"\n".join(lines))
    assert reasons(found) == {
        "it is no valid JSON": ["3", "10"],
        "it is no object": ["4", "5"],
        "it is no UTF-8": ["6"],
        "a key is there twice": ["7"],
        "it is nested too deep": ["8"],
        "it is the last line, and torn off": ["11"],
    }
    assert (found.rows, found.added, found.exit_status) == (10, 2, 7)


def test_an_array_that_is_torn_is_taken_as_far_as_it_is_whole(tmp_path: Path) -> None:
    found = of_file(tmp_path, b"[" + LINE + b"," + LINE[:-5])
    assert reasons(found) == {"the array is torn off or damaged here; what follows was not read": ["2"]}
    assert in_output(tmp_path) == [EXCHANGE]


def test_reasons_and_columns_are_as_few_as_fit_on_a_page(tmp_path: Path) -> None:
    rows = [{"messages": [*HELLO, {"role": "user", "content": str(n)}], f"column {n}" * 50: n} for n in range(200)]
    found = of_file(tmp_path, b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    assert len(found.columns.counts) <= 51
    assert sum(found.columns.counts.values()) == 200
    assert max(map(len, found.columns.counts)) < 200


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "the dataset is empty"),
        (b" \n\n", "the dataset is empty"),
        (b"\x7fELF\x02\x01\x01\x00", "no dataset"),
        (b"id,text\n1,Hello\n", "no dataset"),
        (gzip.compress(LINE, mtime=0), "compressed"),
        ("\ufeff{}".encode("utf-16-le"), "UTF-16"),
        (b"PAR1 and no more", "the Parquet file cannot be read"),
        (b"[1", "the file ends"),
    ],
)
def test_a_file_that_is_no_dataset_is_refused_in_a_sentence(tmp_path: Path, content: bytes, what: str) -> None:
    with pytest.raises(StorageError, match=what):
        of_file(tmp_path, content, "in.data")
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize("name", ["in.json", "in.jsonl"])
@pytest.mark.parametrize("row", [{"messages": HELLO}, {"prompt": "Hello", "completion": "Hi!"}])
def test_one_object_over_several_lines_is_one_row(tmp_path: Path, row: Row, name: str) -> None:
    for text in (json.dumps(row, indent=2), "\ufeff" + json.dumps(row, indent=1).replace("\n", "\r\n")):
        found = of_file(tmp_path, text.encode(), name)
        assert (found.rows, found.conversations, found.exit_status) == (1, 1, 0)
    assert in_output(tmp_path) == [EXCHANGE]


@pytest.mark.parametrize("indent", [None, 2])
def test_rows_in_one_object_are_told_as_what_they_are(tmp_path: Path, indent: int | None) -> None:
    for rows in ([{"messages": HELLO}] * 3, [{"instruction": "Hello", "output": "Hi!"}]):
        found = of_file(tmp_path, json.dumps({"version": 1, "data": rows}, indent=indent).encode(), "in.json")
        assert found.rows == 1
        (reason,) = reasons(found)
        assert reason == "it is no row, and has a list of rows in it: write that list into a file of its own"
    (reason,) = reasons(of_file(tmp_path, json.dumps({"data": [{"a": 1}, 2], "more": [[]]}, indent=indent).encode()))
    assert reason == "it is of no form that is known"


def test_an_object_that_is_torn_or_too_long_is_told(tmp_path: Path) -> None:
    text = json.dumps({"messages": HELLO}, indent=2).encode()
    assert of_file(tmp_path, text[:-1]).added == 0
    (tmp_path / "in.json").write_bytes(text[:-1] + b" " * LONGEST_ROW + b"}")
    with pytest.raises(StorageError, match=r"one JSON object over several lines, longer than 32 MiB"):
        find_source(tmp_path / "in.json")


def test_lines_of_which_one_is_broken_are_lines(tmp_path: Path) -> None:
    longer = b"\n" + b" " * LONGEST_ROW
    for content in (b"{\n" + LINE, LINE + b"\n{\n}", LINE[:-1] + b"\n" + LINE, b"{\n" + LINE + longer, LINE + longer):
        assert of_file(tmp_path, content).conversations == 1


def test_a_directory_of_several_exports_has_to_be_named(tmp_path: Path) -> None:
    for name in ("trl", "openai"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.json").write_text("{}", encoding="utf-8")
        (tmp_path / name / "train.jsonl").write_bytes(LINE)
    with pytest.raises(StorageError, match=r"several forms \(openai, trl\); name one, such as .*openai"):
        find_source(tmp_path)
    assert [file.path for file in find_source(tmp_path, "trl").files] == [tmp_path / "trl" / "train.jsonl"]


def test_a_directory_is_read_split_by_split_and_without_what_is_no_row(tmp_path: Path) -> None:
    for name in (
        "test.jsonl",
        "validation.jsonl",
        "train-00001.parquet",
        "train-00000.parquet",
        "train.part/x.jsonl",
        ".hidden.jsonl",
        "report.json",
        "dataset_info.json",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(LINE if name.endswith(".jsonl") else b"PAR1")
    (tmp_path / "empty.jsonl").touch()
    names = [file.name for file in find_source(tmp_path).files]
    assert names == ["train-00000.parquet", "train-00001.parquet", "validation.jsonl", "test.jsonl"]
    (tmp_path / "nothing").mkdir()
    with pytest.raises(StorageError, match="no rows are in this directory"):
        find_source(tmp_path / "nothing")


# Memory.


def test_no_line_and_no_array_takes_more_memory_than_a_row_may(tmp_path: Path) -> None:
    """In a process with little memory: a line of 300 MB, an element of an array that long, and one without an end."""
    endless = b'{"messages": [{"role": "user", "content": "' + b"x" * 300_000_000
    (tmp_path / "line.jsonl").write_bytes(LINE + b"\n" + endless + b'"}]}\n' + LINE.replace(b"Hello", b"Bye"))
    (tmp_path / "array.jsonl").write_bytes(b"[" + LINE + b"," + endless)
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from apep_datagen.importing.source import find_source\n"
        "from apep_datagen.importing.taking import take\n"
        "for name in ('line', 'array'):\n"
        "    source = find_source(Path(sys.argv[1], f'{name}.jsonl'))\n"
        "    found = take(source, Path(sys.argv[1], f'{name}.json'), form=None, is_dry_run=False, notify=print)\n"
        "    print(found.added, [(each.reason, each.places) for each in found.not_taken])\n"
    )

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (250 << 20, 250 << 20))

    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False, preexec_fn=limit
    )
    assert ended.stderr == ""
    assert ended.stdout.splitlines() == [
        f"2 [('it is longer than {LONGEST_ROW >> 20} MiB', ['2'])]",
        "1 [('the array is torn off or damaged here; what follows was not read', ['2'])]",
    ]
