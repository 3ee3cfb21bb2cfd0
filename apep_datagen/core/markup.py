"""Ada's markup: `<think>`, `<tool_call>` and `<tool_result>`, read from model text and written in one spelling.

What a model may write is wide, and nothing that it writes raises: what cannot be understood as a call becomes a
`MalformedCall`, which is answered with an error result. What stands in a call, `core.calls` reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from apep_datagen.core.calls import MalformedCall, ToolCall, parse_calls, render_call
from apep_datagen.core.literals import leading_call
from apep_datagen.core.marks import trim
from apep_datagen.core.tags import escape_tags, strip_tags

__all__ = [
    "Answer",
    "call_block",
    "is_error",
    "parse_answer",
    "read_result",
    "read_results",
    "render_answer",
    "result_block",
    "visible_text",
]

_OPEN_THINK = re.compile(r"<think(?:ing)?>", re.IGNORECASE)
_CLOSE_THINK = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_OPEN_CALL = re.compile(r"<tool_call>", re.IGNORECASE)
_CLOSE_CALL = re.compile(r"</tool_call>", re.IGNORECASE)
_RESULT_BLOCK = re.compile(r"<tool_result>.*?(?:</tool_result>|\Z)", re.IGNORECASE | re.DOTALL)
_CLOSED_RESULT = re.compile(r"<tool_result>.*?</tool_result>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Answer:
    """What Ada wrote in one turn.

    Attributes:
        thinking: The text of her thinking, without tags; all blocks joined, empty if there is none.
        reply: What the user sees. With calls, only what stands before the first of them: what she writes after a
            call, she writes without having seen its result.
        calls: Her tool calls, in order.
    """

    thinking: str
    reply: str
    calls: tuple[ToolCall | MalformedCall, ...] = ()


def parse_answer(text: str) -> Answer:
    """Split a model's answer into thinking, reply and calls. Never raises.

    A closing tag without an opening one ends a block that began with the text, as models write it whose chat
    template has already opened the block. An opening tag without a closing one makes all the rest thinking. A call
    inside the thinking is thinking.
    """
    thinking, rest = _split_thinking(text)
    rest = _RESULT_BLOCK.sub("", rest)
    calls: list[ToolCall | MalformedCall] = []
    first_call = _OPEN_CALL.search(rest)
    reply = rest
    if first_call:
        reply = rest[: first_call.start()]
        for body, closed in _call_bodies(rest[first_call.start() :]):
            if strip_tags(body):
                calls.extend(parse_calls(body) if closed else parse_calls(leading_call(body)))
    return Answer(trim(thinking), trim(reply), tuple(calls))


def visible_text(text: str) -> str:
    """Return what is left of a model's answer without thinking, calls and stray tags."""
    return parse_answer(text).reply


def _split_thinking(text: str) -> tuple[str, str]:
    """Return the joined thinking blocks and the text without them."""
    blocks: list[str] = []
    outside: list[str] = []
    opening, closing = _OPEN_THINK.search(text), _CLOSE_THINK.search(text)
    position = 0
    if closing and (opening is None or closing.start() < opening.start()):
        blocks.append(text[: closing.start()])
        position = closing.end()
    while opening := _OPEN_THINK.search(text, position):
        outside.append(text[position : opening.start()])
        closing = _CLOSE_THINK.search(text, opening.end())
        blocks.append(text[opening.end() : closing.start() if closing else None])
        position = closing.end() if closing else len(text)
    outside.append(text[position:])
    return "\n\n".join(block.strip() for block in blocks if block.strip()), "".join(outside)


def _call_bodies(text: str) -> Iterator[tuple[str, bool]]:
    """Yield what stands in each `<tool_call>` tag, and whether the tag is closed. `text` begins with a tag."""
    openings = list(_OPEN_CALL.finditer(text))
    ends = [*(opening.start() for opening in openings[1:]), len(text)]
    for start, end in zip((opening.end() for opening in openings), ends, strict=True):
        closing = _CLOSE_CALL.search(text, start, end)
        yield (text[start : closing.start()], True) if closing else (text[start:end], False)


def call_block(call: ToolCall | MalformedCall) -> str:
    """Return a call in its tag."""
    text = render_call(call) if isinstance(call, ToolCall) else strip_tags(call.text)
    return f"<tool_call>{text}</tool_call>"


def result_block(result: Any) -> str:
    """Return a tool's result, spelled as JSON, in its tag."""
    return f"<tool_result>{escape_tags(json.dumps(result, ensure_ascii=False))}</tool_result>"


def read_result(block: str, *, is_strict: bool = False) -> Any:
    """Return a tool's result as a JSON value.

    Args:
        block: The result as `result_block` returns it, or otherwise spelled, also without its tag.
        is_strict: Whether `NaN` and `Infinity` are refused, which Python reads and JSON has not.

    Raises:
        ValueError: It is no JSON.
    """
    try:
        return json.loads(_without_tag(block), parse_constant=_refuse_constant if is_strict else None)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _without_tag(block: str) -> str:
    return block.removeprefix("<tool_result>").removesuffix("</tool_result>")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def is_error(result: Any) -> bool:
    """Tell whether a tool's result says that the call could not be carried out."""
    return isinstance(result, dict) and "error" in result


def read_results(content: str) -> Iterator[tuple[Any, bool]]:
    """Yield each result in a `tool` message: its JSON value, and whether it is an error.

    One that is no JSON has itself, as a text, for its value.
    """
    for block in _CLOSED_RESULT.findall(content):
        try:
            value = read_result(block)
        except ValueError:
            value = _without_tag(block)
        yield value, is_error(value)


def render_answer(thinking: str, reply: str, calls: Iterable[ToolCall | MalformedCall] = ()) -> str:
    """Write one assistant message: one leading `<think>` block if there is thinking, then the reply, then the calls."""
    parts = [f"<think>{thinking}</think>"] if thinking else []
    parts += [reply] if reply else []
    parts += ["\n".join(call_block(call) for call in calls)]
    return "\n\n".join(part for part in parts if part)
