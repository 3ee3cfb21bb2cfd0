"""What is told of a template is what it does: nothing is counted that it dropped, nothing missed that it kept."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apep_datagen.chat_templates.check import CheckedRow, RowCheck
from apep_datagen.chat_templates.kept import Findings
from apep_datagen.chat_templates.known import known_names, load_template
from apep_datagen.chat_templates.marks import mark
from apep_datagen.chat_templates.template import ChatTemplate
from apep_datagen.core.markup import result_block
from apep_datagen.core.messages import Message
from apep_datagen.core.tools import tool_schemas
from apep_datagen.formats.chat import chat_messages
from apep_datagen.formats.example import Counts, Example, count
from apep_datagen.formats.shape import Shape
from support.chat_rows import CALLING, documented_examples, example_of
from support.hostile_texts import MARKUP_PIECES

TEXT, AS_USER, NATIVE = Shape(), Shape(tool_role="user"), Shape(calls="native")
SHAPES = [TEXT, AS_USER, NATIVE]
WHOLE = example_of(CALLING)
ALL = Counts(messages=9, thoughts=4, calls=3, results=3)

PLAIN = "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}"
# A template with fields: what is in brackets are its parts, and each can be left out.
FIELDS = """{% for m in messages -%}
<{{ m.role }}>
{%- if m.reasoning_content %}(thought {{ m.reasoning_content }}){% endif -%}
{{ m.content }}
{%- for call in m.tool_calls or [] %}(call {{ call.function.name }} {{ call.function.arguments | tojson }}){% endfor -%}
{% endfor %}"""


def check(
    source: str,
    example: Example = WHOLE,
    shape: Shape = TEXT,
    *,
    thoughts: Literal["content", "reasoning_content"] = "content",
    arguments: Literal["object", "text"] = "object",
) -> CheckedRow:
    tools = tool_schemas() if shape.calls == "native" else None
    messages = chat_messages(example, shape, thoughts=thoughts, arguments=arguments)
    return RowCheck(ChatTemplate("test", source)).check(messages, tools, example)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("context", [0, 7])
def test_a_template_that_keeps_all_keeps_all(shape: Shape, context: int) -> None:
    example = example_of(CALLING, context)
    found = check(FIELDS, example, shape)
    assert (found.after, found.findings) == (found.before, {})
    assert found.before == count(example.new) == (Counts(2, 1) if context else ALL)


@pytest.mark.parametrize("spelling", ["object", "text"])
@pytest.mark.parametrize(
    "source",
    [
        # Trimmed, escaped, with another spelling of letters that are no English ones.
        FIELDS.replace("{{ m.content }}", "{{ m.content | trim }}"),
        FIELDS.replace("{{ m.content }}", "{{ m.content | tojson }}"),
        FIELDS.replace("{{ m.content }}", "{{ m.content | tojson(ensure_ascii=True) }}"),
        FIELDS.replace("| tojson", "| tojson(ensure_ascii=True, indent=4)"),
        # Thoughts in another mark.
        FIELDS.replace("{{ m.content }}", "{{ m.content.replace('<think>', '[').replace('</think>', ']') }}"),
        # Turns of several messages.
        FIELDS.replace("<{{ m.role }}>", "{% if m.role != 'tool' %}<{{ m.role }}>{% endif %}"),
    ],
)
def test_however_it_is_spelled_what_is_kept_is_found(source: str, spelling: Literal["object", "text"]) -> None:
    found = check(source, shape=NATIVE, arguments=spelling)
    assert (found.after, found.findings, found.is_unclear) == (ALL, {}, False)


@pytest.mark.parametrize(
    "call",
    [
        """<function={{ call.function.name }}>{% for name, value in call.function.arguments | items -%}
        <parameter={{ name }}>{{ value if value is string else value | tojson }}</parameter>{% endfor %}</function>""",
        """{{ call.function.name }}{ {%- for name, value in call.function.arguments | dictsort %}{{ name }}:
        {%- for part in value %}<|"|>{{ part }}<|"|>{% endfor %}{% endfor %}}""",
    ],
)
def test_a_call_in_elements_or_marks_of_another_family_is_found(call: str) -> None:
    start, end = FIELDS.index("(call "), FIELDS.index("{% endfor -%}")
    assert check(FIELDS[:start] + call + FIELDS[end:], shape=NATIVE).after == ALL


@pytest.mark.parametrize(
    ("changed", "into", "lost"),
    [
        ("{{ call.function.arguments | tojson }}", "", {("lost", "calls"): 2}),  # one has none
        ("{{ call.function.name }}", "f", {("lost", "calls"): 3}),
        ("in m.tool_calls or []", "in (m.tool_calls or [])[:1]", {("lost", "calls"): 1}),
        ("if m.reasoning_content", "if loop.last", {("lost", "thoughts"): 3}),
        (
            "{{ m.content }}",
            "{% if m.role != 'tool' %}{{ m.content }}{% endif %}",
            {("lost", "results"): 3, ("glued", "calls"): 3},
        ),
        # One of two results alone: the call is followed by something.
        (
            "{{ m.content }}",
            "{% if m.tool_call_id != 'call00002' %}{{ m.content }}{% endif %}",
            {("lost", "results"): 1},
        ),
        ("{{ m.content }}", "{% if m.role != 'system' %}{{ m.content }}{% endif %}", {("lost", "messages"): 1}),
        ("{{ m.content }}", "{{ m.content[5:] if m.role == 'user' else m.content }}", {("lost", "messages"): 2}),
        (
            "{{ m.content }}",
            "{{ m.content[:9] if m.role == 'tool' else m.content }}",
            {("lost", "results"): 3, ("glued", "calls"): 3},
        ),
    ],
)
def test_what_is_dropped_is_lost_by_kind(changed: str, into: str, lost: Findings) -> None:
    assert changed in FIELDS
    found = check(FIELDS.replace(changed, into), shape=NATIVE, thoughts="reasoning_content")
    assert found.findings == lost
    for kind in ("thoughts", "calls", "results"):
        assert getattr(found.after, kind) == getattr(ALL, kind) - lost.get(("lost", kind), 0)


def test_what_stands_elsewhere_is_not_taken_for_what_was_dropped() -> None:
    note = "The user likes hazelnuts."
    thought = f"They like hazelnuts, so I write: {note}"
    said = f"<think>{thought}</think>\n\n"
    call = f'<tool_call>add_memory(input_text=["{note}"])</tool_call>'
    result = '<tool_result>{"added": 1}</tool_result>'
    example = example_of(
        [
            Message("system", f"{thought} {call} {result} Ok."),
            Message("user", note),
            Message("assistant", f"{said}{call}"),
            Message("tool", result),
            Message("assistant", f"{said}Ok."),
            Message("user", note),
            Message("assistant", f"{said}{call}"),
            Message("tool", result),
            Message("assistant", f"{said}Ok."),
        ],
        context=5,
    )
    new = "loop.index0 >= 5"
    for dropped, after in [
        (f"not ({new} and m.role == 'tool')", Counts(3, 2, 1, 0)),
        (f"not ({new} and m.role == 'user')", Counts(3, 2, 1, 1)),
        (f"not ({new} and m.role == 'assistant')", Counts(2, 0, 0, 1)),
        (f"not ({new})", Counts(0, 0, 0, 0)),
    ]:
        source = f"{{% for m in messages %}}{{% if {dropped} %}}{{{{ m.content }}}}\n{{% endif %}}{{% endfor %}}"
        assert check(source, example).after == after


def test_what_a_template_writes_itself_is_not_taken_for_what_it_dropped() -> None:
    example = example_of([Message("user", "assistant"), Message("assistant", "Yes?")])
    found = check("{% for m in messages if m.role != 'user' %}<{{ m.role }}>{{ m.content }}{% endfor %}", example)
    assert found.findings == {("lost", "messages"): 1}


@st.composite
def conversations(draw: st.DrawFn) -> Example:
    """Draw conversations of few different texts, so that much stands in them more than once."""
    words = st.sampled_from(["a", "ok", "a b", '{"a": 1}', "qzjx", "qzjxaaaaa", "é", "<b>"])
    messages = [Message("system", draw(words))] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, 4))):
        messages.append(Message("user", draw(words)))
        for _ in range(draw(st.integers(0, 2))):
            calls = "\n".join(
                f"<tool_call>add_memory(input_text={json.dumps([draw(words)])})</tool_call>"
                for _ in range(draw(st.integers(1, 2)))
            )
            messages.append(Message("assistant", f"<think>{draw(words)}</think>\n\n{calls}"))
            results = "\n".join(
                f"<tool_result>{json.dumps(draw(words))}</tool_result>" for _ in range(calls.count("<tool_call>"))
            )
            messages.append(Message("tool", results))
        thought = f"<think>{draw(words)}</think>\n\n" if draw(st.booleans()) else ""
        messages.append(Message("assistant", f"{thought}{draw(words)}"))
    return Example(tuple(messages), draw(st.integers(0, len(messages) - 1)))


@settings(max_examples=80, deadline=None)
@given(data=st.data(), example=conversations(), role=st.sampled_from(["tool", "user"]))
def test_whatever_messages_are_dropped_the_rest_is_counted(
    data: st.DataObject, example: Example, role: Literal["tool", "user"]
) -> None:
    places = range(len(example.messages))
    dropped = data.draw(st.sets(st.sampled_from(places), max_size=3))
    source = (
        f"{{% for m in messages %}}{{% if loop.index0 not in {sorted(dropped)} %}}"
        "<{{ m.role }}>{{ m.content }}</>{% endif %}{% endfor %}"
    )
    found = check(source, example, Shape(tool_role=role))
    left = [example.messages[place] for place in places if place >= example.context and place not in dropped]
    assert found.after == count(left)
    assert not found.is_unclear
    assert {kind for kind, _ in found.findings} <= {"lost", "glued"}


@settings(max_examples=200, deadline=None)
@given(pieces=st.lists(st.sampled_from(MARKUP_PIECES), max_size=12))
def test_marks_are_put_in_and_nothing_is_taken_away(pieces: list[str]) -> None:
    text = "".join(pieces)
    example = example_of([Message("user", "Hi"), Message("assistant", text), Message("tool", result_block(text))])
    messages = chat_messages(example, TEXT)
    marked = mark(messages, example)
    assert marked.before == count(example.new)
    without = [{**row, "content": marked.without_marks(row["content"])} for row in marked.messages]
    assert without == messages
    found = check(PLAIN, example)
    assert (found.after.thoughts, found.after.calls, found.after.results) == (
        found.before.thoughts, found.before.calls, found.before.results,
    )  # fmt: skip


def test_what_stands_after_what_it_leads_to_is_told() -> None:
    # As Gemma 4 does with native calls: the calls come first, with their results, and then what Ada thought before.
    source = """{% for m in messages %}{% if m.role == 'assistant' %}
{%- for call in m.tool_calls or [] %}({{ call.function }}){% endfor %}
{%- set ids = (m.tool_calls or []) | map(attribute='id') | list %}
{%- for r in messages if r.tool_call_id in ids %}({{ r.content }}){% endfor %}
{%- endif %}{% if m.role != 'tool' %}<{{ m.role }}>{{ m.content }}{% endif %}{% endfor %}"""
    assert check(source, shape=NATIVE).findings == {("moved", "thoughts"): 2, ("moved", "messages"): 1}


def test_what_is_there_twice_is_told() -> None:
    source = FIELDS.replace("{{ m.content }}", "{{ m.content }}{{ m.content if m.role == 'tool' }}")
    assert check(source, shape=NATIVE).findings == {("twice", "results"): 3}


def test_the_name_of_a_call_may_stand_beside_its_result_as_well() -> None:
    names = (
        "{% set ns = namespace(names={}) %}{% for m in messages %}{% for call in m.tool_calls or [] %}"
        "{% set ns.names = dict(ns.names, **{call.id: call.function.name}) %}{% endfor %}{% endfor %}"
    )
    source = names + FIELDS.replace("<{{ m.role }}>", "<{{ ns.names[m.tool_call_id] or m.role }}>")
    assert check(source, shape=NATIVE).findings == {}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_to_be_learnt_stands_between_generation_tags(shape: Shape) -> None:
    everything = f"{{% generation %}}{FIELDS}{{% endgeneration %}}"
    assert check(everything, shape=shape).findings == {("learnt", "results"): 3}
    nothing = f"{FIELDS}{{% generation %}}{{% endgeneration %}}"
    expected = {("not learnt", "thoughts"): 4, ("not learnt", "calls"): 3, ("not learnt", "messages"): 3}
    assert check(nothing, shape=shape).findings == expected
    tagged = (
        "{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' %}{% generation %}{{ m.content }}"
        "{{ m.tool_calls | tojson if m.tool_calls }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}"
    )
    assert check(tagged, shape=shape).findings == {}


def test_a_template_that_looks_at_words_is_told_not_trusted() -> None:
    # It treats a user's message that begins in a certain way as a result, as Qwen's do.
    source = "{% for m in messages %}{% if not m.content.startswith('Thanks') %}{{ m.content }}{% endif %}{% endfor %}"
    assert check(source).is_unclear
    source = (
        "{% for m in messages %}{{ m.content }}{% if m.content is in ['Good.', 'Thanks!'] %}{% endif %}{% endfor %}"
    )
    assert not check(source).is_unclear
    assert check("{{ raise_exception('no') if messages[1].content != \"" + CALLING[1].content + '" }}').is_unclear


@pytest.mark.parametrize("name", known_names())
def test_marks_change_nothing_of_what_a_real_template_does(name: str) -> None:
    checks = RowCheck(load_template(name))
    for shape in SHAPES:
        tools = tool_schemas() if shape is NATIVE else None
        for example in (WHOLE, Example(CALLING, 7), documented_examples()[0]):
            assert not checks.check(chat_messages(example, shape), tools, example).is_unclear


def total(name: str, shape: Shape, thoughts: Literal["content", "reasoning_content"] = "content") -> Any:
    checks = RowCheck(load_template(name))
    tools = tool_schemas() if shape.calls == "native" else None
    found = [
        checks.check(chat_messages(example, shape, thoughts=thoughts), tools, example)
        for example in documented_examples()
    ]
    before = sum((row.before for row in found if row.refused is None), Counts())
    after = sum((row.after for row in found), Counts())
    lost = {kind: getattr(before, kind) - getattr(after, kind) for kind in ("thoughts", "calls", "results")}
    findings: dict[Any, int] = {}
    for row in found:
        for finding, number in row.findings.items():
            findings[finding] = findings.get(finding, 0) + number
    return {kind: number for kind, number in lost.items() if number}, findings, {row.refused for row in found} - {None}


def test_what_was_measured_of_real_templates_with_transformers_is_told() -> None:
    whole = sum((count(example.messages) for example in documented_examples()), Counts())
    assert total("qwen3_training", TEXT) == ({}, {}, set())
    lost, findings, _ = total("gemma4", TEXT)
    assert lost == {"results": whole.results}
    assert findings["glued", "calls"] == whole.calls
    assert total("gemma4", AS_USER) == ({}, {}, set())
    assert total("gemma4", NATIVE)[1].keys() == {("moved", "thoughts")}
    assert total("gemma3", TEXT)[2] == {"Conversation roles must alternate user/assistant/user/assistant/..."}
    assert total("chatml", NATIVE)[0] == {"calls": whole.calls}
    for name in ("qwen2_5", "llama3", "chatml"):
        assert total(name, NATIVE, "reasoning_content")[0]["thoughts"] == whole.thoughts
