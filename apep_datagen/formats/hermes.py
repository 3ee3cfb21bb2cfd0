"""The function calling of Hermes: https://github.com/NousResearch/Hermes-Function-Calling.

Messages of `from` and `value`, the tools as JSON schemas in the system prompt, each call as JSON in its tag, each
result as JSON with the name of its tool in `<tool_response>`, those of one answer in one message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from apep_datagen.core.calls import ToolCall
from apep_datagen.core.markup import parse_answer, render_answer
from apep_datagen.core.messages import Message, MessageRole, Spelled
from apep_datagen.core.tags import escape_tags
from apep_datagen.formats.chat import schemas_as_text
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import CannotHoldError, Files, Format, Row
from apep_datagen.formats.native import checked_answer, checked_calls, masked, result_texts, results_message
from apep_datagen.formats.shape import Shape

__all__ = ["HERMES"]

_RESPONSE = re.compile(r"<tool_response>\s*(.*?)\s*</tool_response>", re.DOTALL)
_NAMES: Mapping[MessageRole, str] = {"system": "system", "user": "human", "assistant": "gpt", "tool": "tool"}
_ROLES: Mapping[str, MessageRole] = {name: role for role, name in _NAMES.items()}
# What stands beside a result in datasets of this form.
_FIELDS_OF_RESPONSES = frozenset({"name", "content", "tool_call_id"})


def _write(example: Example, shape: Shape) -> Row:  # noqa: ARG001 - there is one shape
    return {
        "conversations": [{"from": _NAMES[role], "value": value} for role, value in _values(example.messages)],
        "tools": schemas_as_text(),
    }


def _values(messages: Sequence[Message]) -> Iterator[tuple[MessageRole, str]]:
    """Yield role and text of each message."""
    waiting: tuple[ToolCall, ...] = ()
    for message in messages:
        if message.role == "assistant":
            answer = checked_answer(message)
            waiting = checked_calls(answer)
            parts = [render_answer(answer.thinking, answer.reply), "\n".join(map(_call, waiting))]
            yield message.role, "\n\n".join(part for part in parts if part)
        elif message.role == "tool":
            results = result_texts(message)
            if len(results) != len(waiting):
                raise CannotHoldError("there is not one result for each call")
            yield message.role, "\n".join(map(_response, waiting, results))
        else:
            yield message.role, message.content


def _call(call: ToolCall) -> str:
    spelled = json.dumps({"name": call.name, "arguments": call.arguments}, ensure_ascii=False)
    return f"<tool_call>\n{_escaped(spelled)}\n</tool_call>"


def _response(call: ToolCall, text: str) -> str:
    try:
        json.dumps(json.loads(text), allow_nan=False)  # what is too large a number is read as infinite
    except ValueError:
        raise CannotHoldError("a result is no JSON, or has too large a number in it") from None
    spelled = f'{{"name": {json.dumps(call.name)}, "content": {text}}}'
    return f"<tool_response>\n{_escaped(spelled)}\n</tool_response>"


def _escaped(spelled: str) -> str:
    """Return JSON without a tag in it that somebody could take for its end."""
    return re.sub(r"<(?=/?tool_response>)", r"\\u003c", escape_tags(spelled))


def _spell(row: Row) -> Spelled:
    """Return a row as messages; the tools stand in its system prompt, and a template would put them there once more."""
    return Spelled(tuple({"role": _ROLES[each["from"]], "content": each["value"]} for each in row["conversations"]))


_OWN_TAGS = ("<tools>", "<tool_response>")


def _read(row: Row) -> Example:
    messages = row.get("conversations")
    if not isinstance(messages, list) or not messages:
        raise ValueError("there are no messages")
    return Example(tuple(map(_message, messages)), masked(messages))


def _message(row: Any) -> Message:
    role, text = (row.get("from"), row.get("value")) if isinstance(row, Mapping) else (None, None)
    if not isinstance(role, str) or role not in _ROLES or not isinstance(text, str):
        raise ValueError("a message is none of Hermes's")
    if role == "tool":
        return results_message(_results(text))
    if role == "gpt":
        answer = parse_answer(text)
        return Message("assistant", render_answer(answer.thinking, answer.reply, answer.calls))
    return Message(_ROLES[role], text)


def _results(text: str) -> Iterator[str]:
    """Yield each result in a message, spelled as JSON."""
    for response in _RESPONSE.findall(text) or [text]:
        try:
            value = json.loads(response)
        except ValueError:
            yield json.dumps(response, ensure_ascii=False)
        else:
            is_named = isinstance(value, dict) and "content" in value and set(value) <= _FIELDS_OF_RESPONSES
            yield json.dumps(value["content"] if is_named else value, ensure_ascii=False)


def _recognises(row: Row) -> bool:
    messages = row.get("conversations")
    if not isinstance(messages, list) or not all(map(_is_message, messages)):
        return False
    # Rows of other forms have `from` and `value` as well.
    return any(tag in message["value"] for message in messages for tag in _OWN_TAGS)


def _is_message(message: Any) -> bool:
    return isinstance(message, dict) and message.get("from") in _ROLES and isinstance(message.get("value"), str)


def _guide(shape: Shape, files: Files) -> str:  # noqa: ARG001 - there is one shape
    return f"""\
The form of the [Hermes models and their datasets](https://github.com/NousResearch/Hermes-Function-Calling):
`conversations` of `from` (`system`, `human`, `gpt`, `tool`) and `value`. The system prompt holds the schemas of the
tools in `<tools>`, which stand in the column `tools` as well; each call is JSON in `<tool_call>`, each result JSON in
`<tool_response>`, and thoughts stand in `<think>`. vLLM reads such calls with `--tool-call-parser hermes`, llama.cpp
with `--jinja`.

All of it is text, so a template that keeps what stands in a message keeps all. With Axolotl 0.19 (measured: every
thought, call and result, and loss on Ada's messages alone):

```yaml
chat_template: chatml
eot_tokens: ["<|im_end|>"]
datasets:
  - path: {files["train"]}
    ds_type: json
    type: chat_template
    field_messages: conversations
    message_property_mappings: {{role: from, content: value}}
    roles_to_train: [assistant]
    train_on_eos: turn
```

The form has no place for what is not trained on, so each row is a whole conversation. Set the longest length of the
trainer to more than the longest row has.
"""


HERMES = Format(
    name="hermes",
    default=Shape(calls="native"),
    rows=("conversation",),
    tool_roles=("tool",),
    calls=("native",),
    write=_write,
    read=_read,
    recognises=_recognises,
    guide=_guide,
    instructions=lambda _: "hermes",
    spell=_spell,
)
