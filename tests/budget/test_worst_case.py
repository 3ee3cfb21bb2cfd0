"""The most that a request can be charged for counts what is really sent, in whichever form."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest

from apep_datagen.budget.amounts import worst_case
from apep_datagen.chat_templates.known import load_template
from apep_datagen.chat_templates.template import RefusedError
from apep_datagen.core.calls import ToolCall
from apep_datagen.core.markup import render_answer, result_block
from apep_datagen.core.messages import CompletionRequest, Message, Spelled, Step
from apep_datagen.formats.shape import Shape
from apep_datagen.formats.wire import Wire
from support.chat_rows import CALLING

_TEMPLATES = ("glm4moe", "gptoss", "llama3_1", "muse_glimmer", "nemotron_3_nano", "qwen2_5", "qwen3", "qwen3_8")
"""Those that know calls and tools, each in another spelling, and those that make the most of them."""
# What a tokenizer has a token of its own for, or one word of.
_SPECIAL = re.compile(r"<[|\uff5c][^<>]*>|\b(?:system|user|assistant|ipython|functions|commentary|analysis)\b")
_NOTE = 'Sie mag K\u00f6ln, \u6771\u4eac und \U0001f600, "sehr".'
LONG = (
    *CALLING,
    Message("user", "And?"),
    *(
        message
        for _ in range(8)
        for message in (
            Message("assistant", render_answer("Ja.", "", [ToolCall("add_memory", {"input_text": [_NOTE]})])),
            Message("tool", result_block({"added": 1, "text": _NOTE})),
        )
    ),
)
"""Many calls, in characters that JSON can spell with escapes: six bytes for one of two."""


def request(messages: tuple[Message, ...], spelled: Spelled | None = None) -> CompletionRequest:
    return CompletionRequest(Step.ANSWER, messages, "m", 1.0, 77, 1, spelled)


def rendered(name: str, spelled: Spelled, *, as_ascii: bool = False) -> int:
    """Return how many tokens a server's chat template makes of a request at most; arguments are objects there."""
    messages: list[Any] = json.loads(json.dumps(spelled.messages))
    for message in messages:
        for call in message.get("tool_calls", ()):
            arguments = json.loads(call["function"]["arguments"])
            if as_ascii:  # as some servers' JSON is; transformers' is not
                arguments = json.loads(json.dumps(arguments).replace("\\u", "\\\\u"))
            call["function"]["arguments"] = arguments
    text = load_template(name).render(messages, [dict(tool) for tool in spelled.tools] or None).text
    return len(_SPECIAL.sub("x", text).encode())


@pytest.mark.parametrize("messages", [CALLING[:2], CALLING[:8], LONG], ids=["begun", "in the middle", "long"])
@pytest.mark.parametrize("form", ["trl", "together"])
def test_no_template_makes_more_of_calls_results_and_tools_than_they_are_said_to_be_at_most(
    form: str, messages: tuple[Message, ...]
) -> None:
    spelled = Wire(form, Shape(tool_role="tool", calls="native")).spell(messages)
    begun = Spelled(spelled.messages[:2])
    most = worst_case(request((), spelled)).prompt_tokens - worst_case(request((), begun)).prompt_tokens
    rendered_by = 0
    for name, as_ascii in itertools.product(_TEMPLATES, (False, True)):
        try:
            size = rendered(name, spelled, as_ascii=as_ascii) - rendered(name, begun)
        except RefusedError:  # a second call in one message
            continue
        rendered_by += 1
        assert size <= most, (name, as_ascii)
    assert rendered_by >= 12


def test_text_counts_the_same_spelled_or_not() -> None:
    spelled = Spelled(tuple(message.as_dict() for message in LONG))
    assert worst_case(request(LONG)) == worst_case(request((), spelled))


def test_each_field_counts() -> None:
    said = {"role": "assistant", "content": "x" * 100}
    bare = worst_case(request((), Spelled((said,)))).prompt_tokens
    for more in (
        {"reasoning_content": "y" * 500},
        {"tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "y" * 500}}]},
        {"content": [{"type": "thinking", "thinking": "y" * 600}]},
    ):
        assert worst_case(request((), Spelled(({**said, **more},)))).prompt_tokens >= bare + 500
    tools = ({"type": "function", "function": {"description": "y" * 500}},)
    assert worst_case(request((), Spelled((said,), tools))).prompt_tokens >= bare + 500
