"""Thoughts, calls and results as fields of messages, as OpenAI's chat API has them, from Ada's markup and back.

Reading is wide: rows of other programs are read as well (https://platform.openai.com/docs/api-reference/chat, and the
`reasoning_content` of DeepSeek and vLLM). What is written is one spelling of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from apep_datagen.core.calls import MalformedCall, ToolCall, parse_calls, render_call
from apep_datagen.core.markup import Answer, parse_answer, render_answer
from apep_datagen.core.messages import Message
from apep_datagen.core.tags import escape_tags
from apep_datagen.core.tools import canonical_call
from apep_datagen.formats.format import CannotHoldError, Row

__all__ = [
    "FIELDS_BESIDE_TEXT",
    "MARKS",
    "call_id",
    "checked_answer",
    "checked_calls",
    "is_empty",
    "is_results",
    "is_usual_mark",
    "masked",
    "native_messages",
    "result_texts",
    "results_message",
    "role_of",
    "text_messages",
]

_RESULT = re.compile(r"<tool_result>(.*?)</tool_result>", re.DOTALL)
_ONLY_RESULTS = re.compile(r"\s*(?:<tool_result>(?:(?!</?tool_result>).)*</tool_result>\s*)+", re.DOTALL)
_LEADING_THOUGHT = re.compile(r"\s*<think>(.*?)</think>", re.DOTALL)
_ENDS_THOUGHT = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
# Where other programs put thinking that stands apart, in the order in which it is looked for.
_THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thinking", "thought")
FIELDS_BESIDE_TEXT = (*_THOUGHT_FIELDS, "tool_calls", "function_call")
"""Fields of a message in which thoughts and calls stand, where they are not in its text."""
MARKS = ("weight", "train", "loss")
"""Fields of a message that say whether it is trained on."""


# From Ada's markup.


def call_id(number: int) -> str:
    """Return the id of the call with this number in its row, from 1: nine letters and digits, as Mistral wants it."""
    return f"call{number:05d}"


def checked_answer(message: Message) -> Answer:
    """Return what Ada wrote, in its parts.

    Raises:
        CannotHoldError: It holds more than its parts, such as words behind a call, which would be lost.
    """
    answer = parse_answer(message.content)
    whole = render_answer(answer.thinking, answer.reply, answer.calls)
    if "".join(whole.split()) != "".join(message.content.split()):
        raise CannotHoldError("an answer holds more than thoughts, a reply and calls")
    return answer


def checked_calls(answer: Answer) -> tuple[ToolCall, ...]:
    """Return the calls of an answer, each with all of its arguments named.

    Raises:
        CannotHoldError: One was not understood, or has arguments without names.
    """
    calls = []
    for call in map(canonical_call, answer.calls):
        if isinstance(call, MalformedCall):
            raise CannotHoldError("a call was not understood when it was made, so it has no name")
        if call.positional:
            raise CannotHoldError("a call has arguments without names")
        calls.append(call)
    return tuple(calls)


@lru_cache(maxsize=512)  # the same messages are context of later rows
def is_results(text: str) -> bool:
    """Tell whether a message holds results of tools, in their tags, and nothing else."""
    return _ONLY_RESULTS.fullmatch(text) is not None


def result_texts(message: Message) -> tuple[str, ...]:
    """Return the results in a message of the role `tool`, as they are spelled there, without their tags.

    Raises:
        CannotHoldError: It holds something else beside them.
    """
    if not is_results(message.content):
        raise CannotHoldError("a message of the role tool holds something else than results")
    return tuple(_RESULT.findall(message.content))


def native_messages(
    messages: Sequence[Message],
    *,
    arguments: Literal["object", "text"],
    thoughts: Literal["content", "reasoning_content"] = "content",
) -> list[Row]:
    """Return messages with calls as fields: one message of the role `tool` for each result, by the id of its call.

    Args:
        messages: As the output has them.
        arguments: Whether the arguments of a call are an object, or JSON in a text.
        thoughts: Where a thought stands: in its tag at the beginning of the content, or in a field of its own.

    Raises:
        CannotHoldError: A call or a result cannot be a field.
    """
    rows: list[Row] = []
    waiting: list[tuple[str, str]] = []  # id and name of the calls whose results come next
    number = 0
    for message in messages:
        if message.role == "assistant":
            answer = checked_answer(message)
            row = _assistant_row(answer, thoughts)
            waiting = []
            for call in checked_calls(answer):
                number += 1
                waiting.append((call_id(number), call.name))
                row.setdefault("tool_calls", []).append(_call_row(call, call_id(number), arguments))
            rows.append(row)
        elif message.role == "tool":
            results = result_texts(message)
            if len(results) != len(waiting):
                raise CannotHoldError("there is not one result for each call")
            for (identity, name), text in zip(waiting, results, strict=True):
                rows.append({"role": "tool", "tool_call_id": identity, "name": name, "content": text})
        else:
            rows.append(dict(message.as_dict()))
    return rows


def _assistant_row(answer: Answer, thoughts: Literal["content", "reasoning_content"]) -> Row:
    if thoughts == "content" or not answer.thinking:
        return {"role": "assistant", "content": render_answer(answer.thinking, answer.reply)}
    return {"role": "assistant", "reasoning_content": answer.thinking, "content": answer.reply}


def _call_row(call: ToolCall, identity: str, arguments: Literal["object", "text"]) -> Row:
    values: Any = call.arguments
    if arguments == "text":
        values = json.dumps(values, ensure_ascii=False)
    return {"id": identity, "type": "function", "function": {"name": call.name, "arguments": values}}


# Back to Ada's markup.


def results_message(texts: Iterable[str]) -> Message:
    """Return results, spelled as JSON, as the message that the output has for them."""
    blocks = (f"<tool_result>{escape_tags(text)}</tool_result>" for text in texts)
    return Message("tool", "\n".join(blocks))


def text_messages(rows: Sequence[Any]) -> tuple[Message, ...]:
    """Return messages as the output has them, of such with calls as fields or as text, also of other programs.

    Results that follow each other become one message; a message of the user's that holds nothing but results in their
    tags is one of them. So do calls that are messages of their own, as ShareGPT has them (`function_call`), with what
    Ada says before them.

    Raises:
        ValueError: They are no messages.
    """
    messages: list[Message] = []
    results: list[tuple[Any, str]] = []  # the id of the call that each says it is of, and what came of it
    called: list[Any] = []  # the ids of the calls before them
    for row in rows:
        if not isinstance(row, Mapping):
            raise ValueError("a message is no object")  # noqa: TRY004 - what is wrong is a value in a file
        role, text = _role(row), _content(row)
        if role == "call":
            said = messages.pop().content if messages and messages[-1].role == "assistant" and not results else ""
            text = _with_calls(said, text)
            role = "assistant"
        if role == "tool" and not is_results(text):
            results.append((row.get("tool_call_id"), text))
            continue
        if results:
            messages.append(results_message(_in_order(results, called)))
            results = []
        if role == "assistant":
            messages.append(Message("assistant", _answer_text(row, text)))
            called = [call.get("id") for call in row.get("tool_calls") or () if isinstance(call, Mapping)]
        elif role == "user" and is_results(text):
            messages.append(Message("tool", text))
        else:
            messages.append(Message(role, text))
    if results:
        messages.append(results_message(_in_order(results, called)))
    return tuple(messages)


def _in_order(results: Sequence[tuple[Any, str]], called: Sequence[Any]) -> Iterator[str]:
    """Yield results in the order of their calls, which is all that says as text whose each is."""
    places = {str(identity): place for place, identity in enumerate(called)}
    if len(results) == len(called) == len(places) and {str(identity) for identity, _ in results} == places.keys():
        results = sorted(results, key=lambda result: places[str(result[0])])
    yield from (text for _, text in results)


# Roles of OpenAI's API, ShareGPT, FastChat (https://github.com/lm-sys/FastChat), LLaMA-Factory and ms-swift.
_ReadRole = Literal["system", "user", "assistant", "tool", "call"]
_ROLES: Mapping[str, _ReadRole] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "function_call": "call",
    "tool_call": "call",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
    "tool_response": "tool",
}


def role_of(row: Mapping[str, Any]) -> _ReadRole | None:
    """Return whose message one is, by any program's name for the role; `call` where it is a call of Ada's by itself."""
    role = row.get("role") or row.get("from")  # where tables are merged, one of them is null
    return _ROLES.get(role.lower()) if isinstance(role, str) else None


def _role(row: Mapping[str, Any]) -> _ReadRole:
    role = role_of(row)
    if role is None:
        raise ValueError("a message has no role that is known")
    return role


def masked(rows: Sequence[Any]) -> int:
    """Return how many messages stand up to the last one of Ada's that is marked as not to be trained on, with it."""
    return max((place for place, row in enumerate(rows, start=1) if _is_masked(row)), default=0)


def _is_masked(row: Any) -> bool:
    return (
        isinstance(row, Mapping)
        and _is_adas(row)
        and any(row.get(mark) is not None and not row[mark] for mark in MARKS)
    )


def _is_adas(row: Mapping[str, Any]) -> bool:
    return role_of(row) in ("assistant", "call")


def _content(row: Mapping[str, Any]) -> str:
    """Return the text of a message; parts of it that are thinking become a block."""
    content = row.get("content")
    if content is None:
        content = row.get("value")
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise ValueError("the content of a message is neither a text nor a list of parts")  # noqa: TRY004 - as above
    return "\n\n".join(part for part in map(_part, content) if part)


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Mapping):
        if part.get("type") in ("thinking", "reasoning"):
            inner = part.get("thinking", part.get("text", ""))
            text = inner if isinstance(inner, str) else "".join(_part(each) for each in inner)
            return f"<think>{_whole_thought(text)}</think>" if text else ""
        if isinstance(part.get("text"), str):
            return str(part["text"])
    raise ValueError("a part of a message is no text")


def is_usual_mark(row: Mapping[str, Any], field: str) -> bool:
    """Tell whether a field marks a message as goes without saying, Ada's alone to be learnt, or as `masked` reads."""
    value = row[field]
    return field in MARKS and (value in (0, 1) if _is_adas(row) else not value)


def is_empty(value: Any) -> bool:
    """Tell whether the value of a field says nothing."""
    return value is None or value in ("", [], {})


def _whole_thought(text: str) -> str:
    """Return a thought that stands apart.

    Raises:
        ValueError: In its tag it would end before its end, and Ada would say the rest.
    """
    if _ENDS_THOUGHT.search(text):
        raise ValueError("a thought holds the tag that ends thoughts")
    return text


def _with_calls(said: str, text: str) -> str:
    """Return what Ada said, and calls behind it that are a message of their own, with a thought before them or not."""
    before, own = parse_answer(said), _LEADING_THOUGHT.match(text)
    calls = parse_calls(text[own.end() if own else 0 :])
    if any(isinstance(call, MalformedCall) for call in calls):
        raise ValueError("a call cannot be read")
    thoughts = (before.thinking, own[1].strip() if own else "")
    return render_answer("\n\n".join(filter(None, thoughts)), before.reply, [*before.calls, *calls])


def _answer_text(row: Mapping[str, Any], text: str) -> str:
    """Return the whole text of a message of Ada's, of its content and of the fields beside it."""
    thought = next((row[name] for name in _THOUGHT_FIELDS if isinstance(row.get(name), str) and row[name]), "")
    calls = row.get("tool_calls") or ([{"function": row["function_call"]}] if row.get("function_call") else [])
    if not thought and not calls:
        return text
    answer = parse_answer(text)
    own = (answer.thinking,) if answer.thinking else ()
    return render_answer(
        "\n\n".join((*own, _whole_thought(thought)) if thought else own), answer.reply, [*answer.calls, *_calls(calls)]
    )


def _calls(rows: Any) -> Iterator[ToolCall]:
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise ValueError("the calls of a message are no list")  # noqa: TRY004 - as above
    for row in rows:
        function = row.get("function", row) if isinstance(row, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise ValueError("a call has no name")  # noqa: TRY004 - as above
        arguments = function.get("arguments") or {}
        if isinstance(arguments, str):
            arguments = json.loads(arguments)
        elif isinstance(arguments, Mapping):
            # `datasets` makes objects one type: then null stands for what other calls have and this one has not.
            arguments = {name: value for name, value in arguments.items() if value is not None}
        if not isinstance(arguments, Mapping):
            raise ValueError("the arguments of a call are no object")  # noqa: TRY004 - as above
        call = ToolCall(function["name"], dict(arguments))
        if any(isinstance(read, MalformedCall) for read in parse_calls(render_call(call))):
            raise ValueError("a call has a name or arguments that cannot be spelled as text")
        yield call
