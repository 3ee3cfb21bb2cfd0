"""Ada's markup: whatever a model writes is read without raising, and what is written is read back the same."""

from __future__ import annotations

import json
import keyword
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apep_datagen.core import calls
from apep_datagen.core.calls import MalformedCall, ToolCall, parse_calls, render_call
from apep_datagen.core.markup import Answer, call_block, parse_answer, render_answer, result_block, visible_text
from apep_datagen.core.tags import strip_tags

TAGS = [
    "<think>",
    "</think>",
    "<THINKING>",
    "</Thinking>",
    "<tool_call>",
    "</tool_call>",
    "<tool_result>",
    "</tool_result>",
]
FRAGMENTS = [
    *TAGS,
    "<thi",
    "nk>",
    "add_memory(",
    "recall_memories()",
    "delete_memory(indices=[1, 2])",
    "input_text=",
    '{"name": "add_memory", "arguments": {"input_text": ["a"]}}',
    '{"name": ',
    "{'name': 'f', 'arguments': {1: 2}}",
    "'User\\'s cat'",
    '["a", "b"]',
    "```python\n",
    "\n```",
    "[[1]]",
    "null",
    "True",
    "NaN",
    "1e999",
    "1j",
    "b'x'",
    "f'{x}'",
    "{1, 2}",
    "lambda: 0",
    "**",
    "*",
    "...",
    "9" * 5_000,
    "0x" + "f" * 100,
    "-" * 3_000,
    "[" * 1_500,
    "(" * 300,
    "{'a':" * 300,
    "a." * 5_000,
    "1+" * 5_000,
    "ﬁ",
    "\\",
    "\\d",
    "\\N{x}",
    "\\ud800",
    "\x00",
    "\ud800",
    "\udc00",
    "\r\n",
    "\u2028",
    *"()[]{}\"',:=\n",
]
MODEL_TEXT = st.lists(
    st.one_of(st.sampled_from(FRAGMENTS), st.text(st.characters(), max_size=15)),  # surrogates too
    max_size=25,
).map("".join)

STORABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
TEXT = st.lists(
    st.one_of(st.text(STORABLE, max_size=15), st.sampled_from([*TAGS, "<thi<think>nk>", '"', "'", "\\", "\n", "\r"])),
    max_size=5,
).map("".join)
VALUE = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**255), 2**255),
        st.floats(allow_nan=False, allow_infinity=False),
        TEXT,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=8,
)
NAME = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True).filter(
    lambda name: not keyword.iskeyword(name) and name != "__debug__"
)
CALL = st.builds(ToolCall, NAME, st.dictionaries(NAME, VALUE, max_size=3), st.lists(VALUE, max_size=2).map(tuple))
TAG_FREE = TEXT.map(strip_tags)


def read(body: str) -> ToolCall:
    (call,) = parse_calls(body)
    assert isinstance(call, ToolCall), call
    return call


def refusal(body: str) -> str:
    (call,) = parse_calls(body)
    assert isinstance(call, MalformedCall), call
    return call.problem


def understood(text: str) -> list[ToolCall]:
    return [call for call in parse_answer(text).calls if isinstance(call, ToolCall)]


# Nothing raises.


@settings(max_examples=400)
@given(MODEL_TEXT)
@example("<tool_call>" + "[" * 100_000)
@example("<tool_call>" + '{"a":' * 100_000)
@example("<tool_call>f(" + "-" * 19_000 + "1)</tool_call>")
@example("<tool_call>f(" + "a." * 9_000 + "b)</tool_call>")
@example("<tool_call>f(" + "1+" * 9_000 + "1)</tool_call>")
@example("<tool_call>f(x=" + "[" * 199 + "]" * 199 + ")</tool_call>")
@example('<tool_call>{"name": "f", "arguments": {"x": ' + "[" * 400 + "]" * 400 + "}}</tool_call>")
def test_no_text_makes_the_parser_raise(text: str) -> None:
    answer = parse_answer(text)
    assert answer.thinking == strip_tags(answer.thinking)
    assert answer.reply == strip_tags(answer.reply)
    render_answer(answer.thinking, answer.reply, answer.calls)
    json.dumps([call.problem for call in answer.calls if isinstance(call, MalformedCall)])


@settings(max_examples=400)
@given(MODEL_TEXT)
@example("ﬁ")
@example("été")
def test_whatever_is_understood_as_a_call_can_be_written_and_read_back(text: str) -> None:
    calls = parse_calls(text)
    assert calls
    for call in calls:
        if isinstance(call, ToolCall):
            assert repr(parse_calls(render_call(call))) == repr([call])


@pytest.mark.parametrize("depth", [25, 100, 190, 450, 480, 495])
def test_a_call_nested_so_deep_that_writing_it_could_fail_is_refused(depth: int) -> None:
    nested = "[" * depth + "]" * depth
    for body in (f"f(x={nested})", f'{{"name": "f", "arguments": {{"x": {nested}}}}}'):
        (call,) = parse_calls(body)
        assert isinstance(call, MalformedCall)


def test_threads_that_parse_at_once_leave_the_warning_filters_as_they_were() -> None:
    # Parsing changes nothing that the threads of a process share.
    interval, filters = sys.getswitchinterval(), list(warnings.filters)
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            calls = list(pool.map(read, [r'f(x="\d \w \s \p")'] * 400))
    finally:
        sys.setswitchinterval(interval)
    assert set(map(repr, calls)) == {repr(ToolCall("f", {"x": r"\d \w \s \p"}))}
    assert list(warnings.filters) == filters


USUAL_CALL = st.from_regex(calls._USUAL_CALL, fullmatch=True)


@example('f(x=["\\u0000\\u003c\\ud7ff\\ue000\x7f\x85\u2028 é 🐕"])')
@example('f(x=["\\ud83d\\udc15"])')
@example('f(x=["\\/"])')
@example('f(x=["\\x41\\N{DASH}\\a"])')
@example("f(x=[01])")
@example('f(class=["a"])')
@example("None()")
@example('f(__debug__=["a"])')
@given(st.one_of(USUAL_CALL, CALL.map(render_call), MODEL_TEXT))
def test_a_call_in_the_usual_spelling_is_read_fast_and_no_otherwise(text: str) -> None:
    read_fast = parse_calls(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calls, "_usual_call", lambda _: None)
        assert repr(read_fast) == repr(parse_calls(text))


# What is written is read back.


@given(CALL)
def test_a_call_reads_back_as_it_was_written(call: ToolCall) -> None:
    assert repr(parse_calls(render_call(call))) == repr([call])


@given(CALL)
def test_the_canonical_spelling_of_a_call_is_one_line_without_tags(call: ToolCall) -> None:
    spelled = render_call(call)
    assert "\n" not in spelled
    assert "\r" not in spelled
    assert spelled.strip() == strip_tags(spelled)


@given(TAG_FREE, TAG_FREE, st.lists(CALL, max_size=3))
def test_an_answer_reads_back_as_it_was_written(thinking: str, reply: str, calls: list[ToolCall]) -> None:
    answer = parse_answer(render_answer(thinking, reply, calls))
    assert repr(answer) == repr(Answer(thinking, reply, tuple(calls)))


@given(MODEL_TEXT)
def test_a_call_that_was_not_understood_is_shown_in_one_tag(text: str) -> None:
    block = call_block(MalformedCall(text, "…"))
    assert block.lower().count("<tool_call>") == block.lower().count("</tool_call>") == 1
    assert strip_tags(block) == strip_tags(text)


@given(VALUE)
def test_a_result_is_json_in_one_tag(value: Any) -> None:
    block = result_block(value)
    assert len(block.split("<tool_result>")) == len(block.split("</tool_result>")) == 2
    body = block.removeprefix("<tool_result>").removesuffix("</tool_result>")
    assert body == strip_tags(body)
    assert repr(json.loads(body)) == repr(value)


@given(TEXT)
def test_text_without_tags_stays_without_tags(text: str) -> None:
    assert strip_tags(strip_tags(text)) == strip_tags(text)
    assert not any(tag.lower() in strip_tags(text).lower() for tag in TAGS)


def test_the_canonical_spelling_is_that_of_the_instructions() -> None:
    call = ToolCall("add_memory", {"input_text": ["The user's cat is “Tom”."]})
    assert render_call(call) == 'add_memory(input_text=["The user\'s cat is “Tom”."])'
    assert call_block(ToolCall("recall_memories", {})) == "<tool_call>recall_memories()</tool_call>"


def test_an_answer_is_written_as_thinking_then_reply_then_calls() -> None:
    written = render_answer("Hm.", "Wait.", [ToolCall("a", {}), ToolCall("b", {})])
    assert written == "<think>Hm.</think>\n\nWait.\n\n<tool_call>a()</tool_call>\n<tool_call>b()</tool_call>"
    assert render_answer("", "Hello.") == "Hello."


# Spellings of a call.


@pytest.mark.parametrize(
    "body",
    [
        'add_memory(input_text=["It\'s the user\'s \\"cat\\"."])',
        "add_memory(input_text=['It\\'s the user\\'s \"cat\".'])",
        "add_memory(input_text=['It's the user's \"cat\".'])",
        'add_memory(input_text=["It\'s the user\'s "cat"."])',
        '```python\nadd_memory(input_text=["It\'s the user\'s \\"cat\\"."])\n```',
        '```\nadd_memory(input_text=["It\'s the user\'s \\"cat\\"."])```',
        '  add_memory(\n    input_text=[\n        "It\'s the user\'s \\"cat\\".",\n    ],\n)\n',
        '{"name": "add_memory", "arguments": {"input_text": ["It\'s the user\'s \\"cat\\"."]}}',
        '{"name": "add_memory", "parameters": {"input_text": ["It\'s the user\'s \\"cat\\"."]}}',
        '{"name": "add_memory", "arguments": "{\\"input_text\\": [\\"It\'s the user\'s \\\\\\"cat\\\\\\".\\"]}"}',
        '```json\n{"name": "add_memory", "arguments": {"input_text": ["It\'s the user\'s \\"cat\\"."]}}\n```',
        "{'name': 'add_memory', 'arguments': {'input_text': ('It\\'s the user\\'s \"cat\".',)}}",
    ],
)
def test_every_usual_spelling_of_a_call_is_understood(body: str) -> None:
    assert read(body) == ToolCall("add_memory", {"input_text": ["It's the user's \"cat\"."]})


def test_brackets_and_line_breaks_in_a_string_belong_to_it() -> None:
    assert read('f(x=["a) [b] {c", "d\ne"])').arguments == {"x": ["a) [b] {c", "d\ne"]}
    assert read('{"name": "f", "arguments": {"x": "a\nb"}}').arguments == {"x": "a\nb"}


def test_a_bare_name_is_a_call_without_arguments() -> None:
    assert read(" recall_memories ") == ToolCall("recall_memories", {})
    assert read('{"name": "recall_memories"}') == ToolCall("recall_memories", {})
    assert read('{"name": "recall_memories", "arguments": null}') == ToolCall("recall_memories", {})


def test_positional_arguments_are_kept_in_order() -> None:
    assert read('f("a", [1, -2.5])') == ToolCall("f", {}, ("a", [1, -2.5]))
    assert read('{"name": "f", "arguments": ["a", 1]}') == ToolCall("f", {}, ("a", 1))
    assert read('{"name": "f", "arguments": "a"}') == ToolCall("f", {}, ("a",))


def test_what_cannot_be_stored_in_a_call_becomes_a_replacement_character() -> None:
    assert read(r'f(x="a\x00b\ud800c")').arguments == {"x": "a\ufffdb\ufffdc"}
    assert read(
        r'{"name": "f", "arguments": {"x\ud800y": 1, "z": {"\u0000": 2}}}'.replace(r"x\ud800y", "x")
    ) == ToolCall("f", {"x": 1, "z": {"\ufffd": 2}})


def test_one_tag_can_hold_several_calls() -> None:
    assert parse_calls('f(x=1)\ng\nh("a")') == [ToolCall("f", {"x": 1}), ToolCall("g", {}), ToolCall("h", {}, ("a",))]
    assert parse_calls('[{"name": "f"}, {"name": "g"}]') == [ToolCall("f", {}), ToolCall("g", {})]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        "I will remember that.",
        "f(x=)",
        "f(x=y)",
        "f(**{'x': 1})",
        "f(*[1])",
        "f(x=1, x=2)",
        "a.b()",
        "f()()",
        "1",
        "'f'",
        "x = 1",
        "import os",
        "f(x={1: 2})",
        "f(x=b'a')",
        "f(x=1j)",
        "f(x=1e999)",
        "f(x=0x" + "f" * 65 + ")",
        "f(x=" + "9" * 5_000 + ")",
        '{"name": "f", "arguments": {"x": NaN}}',
        '{"name": "f", "arguments": "{not json"}',
        '{"name": "f g"}',
        '{"name": "class"}',
        '{"name": "f", "arguments": {"a b": 1}}',
        '{"name": 1}',
        '{"tool": "f"}',
        "f(x='" + "a" * 20_000 + "')",
    ],
)
def test_what_is_no_call_is_answered_with_what_is_wrong(body: str) -> None:
    assert refusal(body)


def test_a_tag_with_nothing_in_it_is_no_call() -> None:
    assert parse_answer("Hello.<tool_call> </tool_call>").calls == ()


@pytest.mark.parametrize(
    "expression",
    [
        '__import__("os").system("touch x")',
        "open('x', 'w')",
        "[open('x', 'w') for _ in [1]]",
        "(lambda: open('x', 'w'))()",
        "f\"{open('x', 'w')}\"",
        "(y := open('x', 'w'))",
        "().__class__.__base__.__subclasses__()",
        "exec(\"open('x', 'w')\")",
    ],
)
def test_model_text_is_never_evaluated(expression: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for body in (f"add_memory(input_text={expression})", f"add_memory({expression})"):
        assert refusal(body)
    assert refusal(f"{{'name': 'add_memory', 'arguments': {{'input_text': {expression}}}}}")
    parse_calls(expression)
    assert list(tmp_path.iterdir()) == []


# Whole answers.


def test_an_answer_is_split_into_thinking_reply_and_calls() -> None:
    answer = parse_answer("<think>\nHm.\n</think>\n\nOne moment.\n<tool_call>recall_diary()</tool_call>\n")
    assert answer == Answer("Hm.", "One moment.", (ToolCall("recall_diary", {}),))


def test_what_follows_a_call_was_written_without_its_result_and_is_dropped() -> None:
    answer = parse_answer(
        "<tool_call>recall_diary()</tool_call><tool_result>{}</tool_result>You wrote that you love tea."
    )
    assert answer == Answer("", "", (ToolCall("recall_diary", {}),))


def test_an_invented_result_is_not_part_of_the_reply() -> None:
    assert parse_answer("Hello. <tool_result>{}</tool_result>").reply == "Hello."
    assert parse_answer("Hello. <tool_result>{").reply == "Hello."


def test_several_tags_hold_several_calls() -> None:
    text = "<tool_call>f()</tool_call>\n<tool_call>g(x=1)</tool_call><TOOL_CALL>h</TOOL_CALL>"
    assert [call.name for call in understood(text)] == ["f", "g", "h"]


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>add_memory(input_text=["a) b"])',
        '<tool_call>add_memory(input_text=["a) b"])\n\nI will keep that in mind (really).',
        '<tool_call>{"name": "add_memory", "arguments": {"input_text": ["a) b"]}}\n\nI will keep that in mind.',
        '<tool_call>\nadd_memory(input_text=["a) b"])\n<think>Done.</think>I will keep that in mind.',
    ],
)
def test_a_call_without_a_closing_tag_ends_where_its_bracket_closes(text: str) -> None:
    assert understood(text) == [ToolCall("add_memory", {"input_text": ["a) b"]})]


def test_a_bare_name_without_a_closing_tag_ends_with_its_line() -> None:
    assert understood("<tool_call>recall_memories\nLet me see.") == [ToolCall("recall_memories", {})]


def test_an_opening_tag_ends_the_call_before_it() -> None:
    assert [call.name for call in understood("<tool_call>f()<tool_call>g()</tool_call>")] == ["f", "g"]


def test_a_call_inside_the_thinking_is_thinking() -> None:
    answer = parse_answer("<think>I could <tool_call>add_memory(input_text=['x'])</tool_call>.</think>Hello.")
    assert answer == Answer("I could add_memory(input_text=['x']).", "Hello.")


def test_a_closing_tag_alone_ends_thinking_that_began_with_the_text() -> None:
    assert parse_answer("Hm.</think>Hello.") == Answer("Hm.", "Hello.")
    assert parse_answer("Hm.</think>Hello.<think>So.</think>") == Answer("Hm.\n\nSo.", "Hello.")


def test_an_opening_tag_alone_makes_all_the_rest_thinking() -> None:
    assert parse_answer("Hello.<think>Hm. <tool_call>f()</tool_call>") == Answer("Hm. f()", "Hello.")


def test_several_blocks_of_thinking_are_joined() -> None:
    assert parse_answer("<think>A</think>Hel<thinking> B </thinking>lo.<think> </think>") == Answer("A\n\nB", "Hello.")


def test_a_closing_tag_too_many_is_dropped() -> None:
    assert parse_answer("<think>A</think></think>Hello.</think>") == Answer("A", "Hello.")


def test_the_visible_text_is_the_reply_alone() -> None:
    assert visible_text("<think>A</think>Hello.<tool_call>f()</tool_call>") == "Hello."
