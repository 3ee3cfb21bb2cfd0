"""Mistral's fine-tuning: https://github.com/mistralai/mistral-finetune, and what mistral-common takes."""

from __future__ import annotations

from collections.abc import Mapping

from apep_datagen.core.markup import parse_answer
from apep_datagen.formats.api import api_messages, api_row, told_of_context
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import Files, Format, Row
from apep_datagen.formats.shape import Rows, Shape
from apep_datagen.formats.weights import Weight

__all__ = ["MISTRAL"]

_WEIGHT = Weight(field="weight", trained=1, masked=0)


def _write(example: Example, shape: Shape) -> Row:
    messages = api_messages(example, shape)
    if shape.calls == "native":
        messages = [_in_chunks(message) for message in messages]
    return api_row(messages, example, shape, _WEIGHT)


def _in_chunks(message: Row) -> Row:
    """Return a message of Ada's with her thought as a chunk of its own: beside calls, no other place holds it."""
    if message["role"] != "assistant" or "content" not in message:
        return message
    answer = parse_answer(message["content"])
    if not answer.thinking:
        return message
    chunks = [{"type": "thinking", "thinking": answer.thinking, "closed": True}]
    if answer.reply:
        chunks.append({"type": "text", "text": answer.reply})
    return {**message, "content": chunks}


def _recognises(row: Row) -> bool:
    messages = row.get("messages")
    return isinstance(messages, list) and any(map(_has_thought_chunk, messages))


def _has_thought_chunk(message: object) -> bool:
    content = message.get("content") if isinstance(message, dict) else None
    return isinstance(content, list) and any(
        isinstance(part, dict) and part.get("type") == "thinking" for part in content
    )


def _guide(shape: Shape, files: Files) -> str:
    if shape.calls == "native":
        named = " and ".join(f"`{name}`" for name in files.values())
        return f"""\
Rows for Mistral's reasoning models, in {named}: thoughts are chunks of the type `thinking`, calls
stand in `tool_calls`, and each result is a message of the role `tool`. They were checked with mistral-common 1.13.1:
tokenizers of version 13 and later take them, earlier ones refuse them; with `--thoughts drop`, those of version 3 and
later take them.
{told_of_context(shape)}
Take them for code of your own on mistral-common. mistral-finetune checks rows by the rules of version 3, and with
`tools` trains on the last message of a row alone; Axolotl 0.19 leaves out thoughts that are chunks, without a word. For
both, export with `--calls text`, for Axolotl with `--format axolotl`.
"""
    held = f"\n  eval_instruct_data: {files['validation']}" if "validation" in files else ""
    return f"""\
For [mistral-finetune](https://github.com/mistralai/mistral-finetune), in its `train.yaml`:

```yaml
data:
  instruct_data: {files["train"]}{held}
seq_len: 8192
```
{told_of_context(shape)}
Loss is on the messages of the role `assistant` and nothing else. Results of tools stand in messages of the user's: the
role `tool` wants a call with an id before it. The rows were checked with mistral-common 1.13.1 in its mode for
fine-tuning: the tokenizers of versions 1, 2, 3, 7, 11 and 13 take all of them, and leave out no word.

{_SYSTEM_PROMPT}{_HERE[shape.rows]}
"""


_SYSTEM_PROMPT = """\
Tokenizers before version 7 (Mistral 7B 0.3, Nemo, Mixtral) put the system prompt in front of the last message of the
user's, results among them; from version 7 on it stands at the beginning. """
_HERE: Mapping[Rows, str] = {
    "answer": "In a row of one answer, both is where the\nmodel finds it when it is served.",
    "exchange": "What Ada says before that message, such a model learns\nto say without it: use `--rows answer`.",
    "conversation": "What Ada says before that message, such a model learns\nto say without it: use `--rows answer`.",
}


MISTRAL = Format(
    name="mistral",
    default=Shape(rows="answer", tool_role="user"),
    rows=("answer", "exchange", "conversation"),
    tool_roles=("user",),
    calls=("text", "native"),
    write=_write,
    read=_WEIGHT.read,
    recognises=_recognises,
    guide=_guide,
    has_weights=True,
)
