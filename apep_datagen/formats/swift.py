"""ms-swift's rows of messages: https://swift.readthedocs.io/en/latest/Customization/Custom-dataset.html."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from apep_datagen.core.messages import Spelled
from apep_datagen.formats.chat import chat_messages, read_chat, schemas_as_text
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import Files, Format, Row
from apep_datagen.formats.native import call_id
from apep_datagen.formats.shape import Shape
from apep_datagen.formats.spelling import called, spell_chat, tools_in
from apep_datagen.formats.turns import check_turns
from apep_datagen.formats.weights import Weight

__all__ = ["SWIFT"]

_CONFIGURATION = "swift.yaml"
_LOSS = Weight(field="loss", trained=True, masked=False)
_API_ROLES = {"tool_call": "assistant", "tool_response": "tool"}


def _write(example: Example, shape: Shape) -> Row:
    check_turns(example.messages)
    # Thoughts in the content: `reasoning_content` is thrown away.
    messages = _LOSS.put(chat_messages(example, shape, thoughts="content"), example, shape)
    if shape.calls == "text":
        return {"messages": messages}
    return {"messages": list(_in_own_roles(messages)), "tools": schemas_as_text()}


def _in_own_roles(messages: Iterable[Row]) -> Iterator[Row]:
    """Yield messages in which each call is one, as ms-swift has them: it has not always read `tool_calls`."""
    for message in messages:
        if message["role"] == "tool":
            # Gemma 4's template writes the name of the tool with its result.
            yield {"role": "tool_response", "name": message["name"], "content": message["content"]}
            continue
        calls = message.get("tool_calls", ())
        if message["content"] or not calls:
            # The calls are put right behind it.
            content = f"{message['content']}\n\n" if calls else message["content"]
            yield _message(message["role"], content, message)
        for call in calls:
            # As a text: `datasets` would give each call the arguments of all.
            yield _message("tool_call", json.dumps(call["function"], ensure_ascii=False), message)


def _message(role: str, content: str, of: Row) -> Row:
    marks = {_LOSS.field: of[_LOSS.field]} if _LOSS.field in of else {}
    return {"role": role, "content": content, **marks}


def _read(row: Row) -> Example:
    messages = row.get("messages")
    if not isinstance(messages, list):
        raise ValueError("a row has no messages")  # noqa: TRY004 - what is wrong is a value in a file
    return read_chat(messages)


def _spell(row: Row) -> Spelled:
    """Return a row as messages of the API, with calls as fields of the message that they stand behind."""
    if "tools" not in row:
        return spell_chat(row)
    messages: list[Mapping[str, Any]] = []
    made = 0
    for side, run in itertools.groupby(row["messages"], key=_side):
        said = list(run)
        calls = [json.loads(each["content"]) for each in said if each["role"] == "tool_call"]
        if calls:
            content = said[0]["content"].removesuffix("\n\n") if said[0]["role"] == "assistant" else ""
            messages.append(called(content, calls, [call_id(made + place) for place in range(1, len(calls) + 1)]))
            made += len(calls)
        elif side == "tool":
            first = made - len(said) + 1  # there is one result for each of the calls before them
            messages += (
                {"role": "tool", "tool_call_id": call_id(place), "name": each["name"], "content": each["content"]}
                for place, each in enumerate(said, start=first)
            )
        else:
            messages += ({"role": side, "content": each["content"]} for each in said)
    return Spelled(tuple(messages), tools_in(row))


def _side(message: Row) -> str:
    """Return the role in which the API has what a message says."""
    role: str = message["role"]
    return _API_ROLES.get(role, role)


def _recognises(row: Row) -> bool:
    messages = row.get("messages")
    if not isinstance(messages, list):
        return False
    return _LOSS.is_in(messages) or any(map(_is_in_own_role, messages))


def _is_in_own_role(message: Any) -> bool:
    return isinstance(message, Mapping) and message.get("role") in _API_ROLES


def _files(shape: Shape, files: Files) -> Mapping[str, str]:  # noqa: ARG001 - the same for every shape
    return {_CONFIGURATION: "\n".join(_configuration(files)) + "\n"}


def _configuration(files: Files) -> Iterator[str]:
    yield "# Trains a LoRA adapter on this export. README.md beside it says what to change for other models."
    yield "model: Qwen/Qwen3-0.6B"
    yield "use_hf: true"
    yield "template: qwen3"
    yield "# As it is in the rows: no empty thought before an answer that has none."
    yield "add_non_thinking_prefix: false"
    yield ""
    yield f"dataset: {files['train']}"
    if "validation" in files:
        yield f"val_dataset: {files['validation']}"
    yield "# A row with more tokens stops the run: another one would be drawn in its place otherwise, without a word."
    yield "max_length: 8192"
    yield "strict: true"
    yield "loss_scale: default"
    yield ""
    yield "tuner_type: lora"
    yield "lora_rank: 32"
    yield "lora_alpha: 64"
    yield "learning_rate: 2.0e-4"
    yield "num_train_epochs: 2"
    yield "per_device_train_batch_size: 1"
    yield "gradient_accumulation_steps: 8"
    if "validation" in files:
        yield "per_device_eval_batch_size: 1"
        yield "eval_strategy: epoch"
    yield "torch_dtype: bfloat16"
    yield "logging_steps: 10"
    yield "report_to: none"
    yield "output_dir: trained"


_ROWS = {
    "conversation": """\
Each row is a whole conversation. Loss is on Ada's messages alone, on all of them, and on the token that ends each.""",
    "exchange": """\
Each row is one exchange, with all that stands before it. Ada's messages in that have `loss: false`, and are not learnt
again; what is new has `loss: true`.""",
}
_SETTINGS = """\
- Leave these as they are: `loss_scale: last_round` learns no message but the last of a row, and so no call, and leaves
  out thoughts before it; `loss_scale: all` and `template_backend: jinja` have the system prompt, the user's messages
  and the results learnt, too; `preserve_thinking: false` leaves out every thought before the last message that is not
  Ada's.
- What is longer than `max_length` is left out without a word, if `strict` does not make it an error. Leave longer rows
  out beforehand: `--max-tokens N --tokenizer FILE`."""
_TEXT = {
    "user": """\
- Results stand in messages of the user's, in their `<tool_result>` tags: every template can hold them. Whatever talks
  to the trained model has to send them so, too.
- The template of Gemma 4 puts an empty thought of its own before each message, and has it learnt; with
  `add_non_thinking_prefix: false` it does not. That of gpt-oss puts each into its `final` channel.""",
    "tool": """\
- Results stand in the role `tool`. The templates of Qwen, Llama 3 and DeepSeek V3.1 hold them; those of Gemma up to 3,
  Mistral, ChatML, Phi and most others refuse the role, and those of Gemma 4 and GLM leave out the token that ends the
  message before a result, so that the model does not learn to stop. For these, export with `--tool-role user`.""",
}
_NATIVE = """\
- Calls are messages of the role `tool_call`, behind what Ada thinks and says, and results of the role `tool_response`.
  How they are spelled is up to the `agent_template` that belongs to the model's template. Those of Qwen, Llama 3,
  DeepSeek V3.1, GLM 4.5 and Gemma 4 hold all; for Gemma up to 3, Mistral, ChatML, Phi and most others there is none,
  which is an error. For these, export with `--calls text`."""


def _guide(shape: Shape, files: Files) -> str:  # noqa: ARG001 - the files are named in the configuration
    return f"""\
`{_CONFIGURATION}` is a configuration for [ms-swift](https://github.com/modelscope/ms-swift) that trains on these rows;
it was run with ms-swift 4.6. In this directory:

```sh
swift sft {_CONFIGURATION}
```

{_ROWS[shape.rows]}

{_SETTINGS}
{_NATIVE if shape.calls == "native" else _TEXT[shape.tool_role]}
"""


SWIFT = Format(
    name="swift",
    default=Shape(tool_role="user"),
    rows=("conversation", "exchange"),
    tool_roles=("user", "tool"),
    calls=("text", "native"),
    write=_write,
    read=_read,
    recognises=_recognises,
    guide=_guide,
    spell=_spell,
    has_weights=True,
    files=_files,
)
