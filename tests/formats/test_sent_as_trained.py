"""A model is asked as it was trained: what is sent is what stands before its answer in a row of the form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.markup import parse_answer, result_block
from apep_datagen.core.messages import Message
from apep_datagen.export.examples import examples_of
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import CannotHoldError, Format
from apep_datagen.formats.native import text_messages
from apep_datagen.formats.registry import FORMATS
from apep_datagen.formats.shape import Shape, Thoughts
from apep_datagen.formats.thoughts import with_thoughts
from apep_datagen.formats.wire import Wire, plain_wire
from support.chat_rows import CALLING
from support.examples import examples
from support.sample_rows import as_json, shapes_of

_each = pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)


def all_shapes(form: Format) -> list[Shape]:
    return [
        replace(shape, thoughts=thoughts, tool_role="tool" if shape.calls == "native" else shape.tool_role)
        for shape in shapes_of(form)
        for thoughts in get_args(Thoughts)
    ]


def answers_in(messages: tuple[Message, ...]) -> list[int]:
    return [index for index, message in enumerate(messages) if message.role == "assistant"]


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text in a row, and in JSON that stands in a text of it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts_in(each)


@_each
@given(whole=examples(with_context=False), draw=st.data())
def test_at_each_answer_is_sent_what_the_row_that_teaches_it_has_before_it(
    form: Format, whole: Example, draw: st.DataObject
) -> None:
    check_what_is_sent(form, draw.draw(st.sampled_from(all_shapes(form))), whole.messages)


@_each
def test_the_same_holds_in_each_shape(form: Format) -> None:
    for shape in all_shapes(form):
        check_what_is_sent(form, shape, CALLING)


def check_what_is_sent(form: Format, shape: Shape, messages: tuple[Message, ...]) -> None:
    wire = Wire(form.name, shape)
    for end in answers_in(messages):
        sent = as_json(wire.spell(messages[:end]).body())
        # The row that teaches this answer; where it teaches more, it goes on behind it.
        [taught] = [each for each in examples_of(messages, shape.rows) if each.context <= end < len(each.messages)]
        if shape.thoughts == "last" and shape.rows == "conversation":
            # When she was asked, an earlier exchange was the last one.
            taught = Example(messages[: end + 1], taught.context)
        row = as_json(form.write(with_thoughts(taught, shape.thoughts), shape))
        fed = as_json(form.spell(row).body())
        count = len(sent["messages"])
        assert fed["messages"][:count] == sent["messages"]
        assert fed["messages"][count]["role"] == "assistant"
        assert fed.get("tools") == sent.get("tools")
        written = set(texts_in(row))
        assert all(isinstance(each.get("content"), list) or _is_written(each, written) for each in sent["messages"])


def _is_written(message: dict[str, Any], written: set[str]) -> bool:
    """Tell whether what a message says stands in a row; calls behind it may stand in the same text."""
    content = message.get("content") or ""
    if not content or content in written or f"{content}\n\n" in written:
        return True
    return any(text.startswith(f"{content}\n\n<tool_call>[") for text in written)


@pytest.mark.parametrize("form", [form for form in FORMATS.values() if form.name not in ("hermes", "llamafactory")])
@given(whole=examples(with_context=False), draw=st.data())
def test_what_is_sent_says_what_was_said(form: Format, whole: Example, draw: st.DataObject) -> None:
    """Two forms put results together with others, or with names: their own tests are below."""
    shape = draw.draw(st.sampled_from(all_shapes(form)))
    for end in answers_in(whole.messages):
        said = whole.messages[:end]
        expected = with_thoughts(Example((*said, Message("assistant", "Yes."))), shape.thoughts).messages[:-1]
        assert text_messages(as_json(Wire(form.name, shape).spell(said).messages)) == expected


# Form by form, as the trainer of each has it.

THOUGHT = "<think>I would rather look.</think>"
FIRST = "<tool_call>recall_memories()</tool_call>"
RESULT = CALLING[3].content.removeprefix("<tool_result>").removesuffix("</tool_result>")
ADDED = json.dumps({"input_text": ['Half <b> & half "c".']})
SPOKEN = "<think>Hazelnuts, and a wrong one to go.</think>\n\nOne moment."


def sent_messages(form: str, **shape: Any) -> list[Any]:
    """Return what is sent for the answer to the results of two calls, without the system prompt and the question."""
    default = FORMATS[form].default
    spelled = Wire(form, Shape(default.rows, **shape)).spell(CALLING[:6])
    assert [dict(message) for message in spelled.messages[:2]] == [message.as_dict() for message in CALLING[:2]]
    messages: list[Any] = as_json(spelled.messages[2:])
    return messages


@pytest.mark.parametrize("role", ["user", "tool"])
@pytest.mark.parametrize("form", [form.name for form in FORMATS.values() if "text" in form.calls])
def test_text_is_sent_as_it_is_with_results_in_their_role(form: str, role: Any) -> None:
    if role not in FORMATS[form].tool_roles:
        return
    assert sent_messages(form, tool_role=role) == [
        {"role": role if message.role == "tool" else message.role, "content": message.content}
        for message in CALLING[2:6]
    ]


def call(identity: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}


LOOK = call("call00001", "recall_memories", "{}")
CHANGE = [call("call00002", "delete_memory", '{"indices": [2]}'), call("call00003", "add_memory", ADDED)]


def result(identity: str, name: str | None, content: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": identity, **({"name": name} if name else {}), "content": content}


def results(*, named: bool) -> list[Any]:
    return [
        result("call00002", "delete_memory" if named else None, '{"deleted": 1}'),
        result("call00003", "add_memory" if named else None, '{"added": 1}'),
    ]


@pytest.mark.parametrize("form", ["trl", "axolotl", "swift"])
def test_native_calls_are_fields_with_a_result_for_each(form: str) -> None:
    assert sent_messages(form, calls="native") == [
        {"role": "assistant", "content": THOUGHT, "tool_calls": [LOOK]},
        result("call00001", "recall_memories", RESULT),
        {"role": "assistant", "content": SPOKEN, "tool_calls": CHANGE},
        *results(named=True),
    ]


def test_openai_has_no_names_beside_ids() -> None:
    assert sent_messages("openai", calls="native") == [
        {"role": "assistant", "content": THOUGHT, "tool_calls": [LOOK]},
        result("call00001", None, RESULT),
        {"role": "assistant", "content": SPOKEN, "tool_calls": CHANGE},
        *results(named=False),
    ]
    assert sent_messages("openai", calls="native", thoughts="drop")[0] == {"role": "assistant", "tool_calls": [LOOK]}


def test_together_has_thoughts_in_a_field_of_their_own() -> None:
    first, _, second, *_ = sent_messages("together", calls="native")
    assert first == {"role": "assistant", "reasoning_content": "I would rather look.", "tool_calls": [LOOK]}
    thought = "Hazelnuts, and a wrong one to go."
    assert second == {
        "role": "assistant",
        "reasoning_content": thought,
        "content": "One moment.",
        "tool_calls": CHANGE,
    }


def test_mistral_has_thoughts_in_chunks() -> None:
    first, _, second, *_ = sent_messages("mistral", calls="native")
    chunk = {"type": "thinking", "thinking": "I would rather look.", "closed": True}
    assert first == {"role": "assistant", "content": [chunk], "tool_calls": [LOOK]}
    assert second["content"][1] == {"type": "text", "text": "One moment."}


def test_llamafactory_has_the_results_of_several_calls_in_one_message() -> None:
    assert sent_messages("llamafactory", calls="native") == [
        {"role": "assistant", "content": THOUGHT, "tool_calls": [LOOK]},
        result("call00001", None, RESULT),
        {"role": "assistant", "content": SPOKEN, "tool_calls": CHANGE},
        result("call00002", None, '[{"deleted": 1}, {"added": 1}]'),
    ]


def test_hermes_is_text_in_its_own_tags_and_its_tools_stand_in_the_system_prompt() -> None:
    assert FORMATS["hermes"].default.calls == "native"
    wire = Wire("hermes", FORMATS["hermes"].default)
    assert wire.calls == "hermes"
    spelled = wire.spell(CALLING[:6])
    assert spelled.tools == ()
    called, returned, _, both = (message["content"] for message in spelled.messages[2:])
    assert called == f'{THOUGHT}\n\n<tool_call>\n{{"name": "recall_memories", "arguments": {{}}}}\n</tool_call>'
    assert returned == f'<tool_response>\n{{"name": "recall_memories", "content": {RESULT}}}\n</tool_response>'
    assert both.count("<tool_response>") == 2
    assert [message["role"] for message in spelled.messages] == [message.role for message in CALLING[:6]]


@_each
def test_what_tells_a_trainer_what_is_learnt_is_not_sent(form: Format) -> None:
    known = {"role", "content", "reasoning_content", "tool_calls", "tool_call_id", "name"}
    for shape in all_shapes(form):
        spelled = Wire(form.name, shape).spell(CALLING[:-1])
        assert {field for message in spelled.messages for field in message} <= known
        is_offered = shape.calls == "native" and form.name not in ("hermes", "traces")
        assert bool(spelled.tools) is is_offered


def test_a_call_that_was_not_understood_is_none_of_an_api() -> None:
    wrong = Message("assistant", "<tool_call>add_memory(</tool_call>")
    error = Message("tool", '<tool_result>{"error": "this cannot be read"}</tool_result>')
    for calls in ("native", "hermes"):
        with pytest.raises(CannotHoldError, match="a call was not understood"):
            plain_wire(calls).spell((*CALLING[:2], wrong, error))
    assert plain_wire().spell((*CALLING[:2], wrong, error)).messages[2]["content"] == wrong.content


# What no row can have.

WRONG = "<think>I try.</think>\n\nWait.\n\n<tool_call>add_memory(</tool_call>\n<tool_call>recall_diary()</tool_call>"
ERRORS = '<tool_result>{"error": "this cannot be read"}</tool_result>\n<tool_result>{"diary": []}</tool_result>'
ALONE = "<think>Nothing but a thought.</think>"


@pytest.mark.parametrize("shape", [Shape(calls="native"), Shape(calls="native", thoughts="drop")])
def test_what_no_row_can_have_is_sent_as_it_was_and_all_else_as_ever(shape: Shape) -> None:
    wire = Wire("axolotl", shape)
    wrong, errors = Message("assistant", WRONG), Message("tool", ERRORS)
    sent = wire.spell_what_happened((*CALLING[:4], wrong, errors, *CALLING[4:8]))
    text = WRONG if shape.thoughts == "keep" else WRONG.removeprefix("<think>I try.</think>\n\n")
    expected = list(wire.spell(CALLING[:8]).messages)
    expected[4:4] = [{"role": "assistant", "content": text}, {"role": "user", "content": ERRORS}]
    assert as_json(sent.messages) == as_json(expected)
    assert sent.tools == wire.spell(CALLING[:8]).tools


def test_of_an_earlier_exchange_no_thought_is_sent_where_rows_have_it_so() -> None:
    wrong, errors = Message("assistant", WRONG), Message("tool", ERRORS)
    wire = Wire("axolotl", Shape(calls="native", thoughts="last"))
    sent = wire.spell_what_happened((*CALLING[:2], wrong, errors, *CALLING[6:8], wrong, errors)).messages
    assert [message["content"].startswith("<think>") for message in (sent[2], sent[-2])] == [False, True]


@_each
@given(whole=examples(with_context=False), draw=st.data())
def test_whatever_she_answers_the_conversation_goes_on(form: Format, whole: Example, draw: st.DataObject) -> None:
    shape = draw.draw(st.sampled_from(all_shapes(form)))
    wire, messages = Wire(form.name, shape), list(whole.messages)
    place = draw.draw(st.sampled_from([index for index, each in enumerate(messages) if each.role == "user"])) + 1
    wrong = draw.draw(st.sampled_from([WRONG, "<tool_call>nobody_knows(1, 2)</tool_call>", ALONE, "", "<tool_call>"]))
    calls = parse_answer(wrong).calls
    if calls:
        results = "\n".join(result_block({"error": "no"}) for _ in calls)
        messages[place:place] = [Message("assistant", wrong), Message("tool", results)]
    else:
        messages[place:] = [Message("assistant", wrong), Message("user", "What?")]
    ends = [index for index in answers_in(tuple(messages)) if index > place]
    for end in (*ends, len(messages)) if messages[-1].role != "assistant" else ends:
        sent = wire.spell_what_happened(tuple(messages[:end])).messages
        assert [each["content"] for each in sent if each["role"] == "user"]
        assert "\ue000" not in json.dumps(as_json(sent), ensure_ascii=False)
        assert [each.content for each in whole.messages[:1]] == [sent[0]["content"]]
