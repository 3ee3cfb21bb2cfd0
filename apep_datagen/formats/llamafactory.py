"""LLaMA-Factory's `formatting: sharegpt`: https://llamafactory.readthedocs.io/en/latest/getting_started/data_preparation.html."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from apep_datagen.core.markup import render_answer
from apep_datagen.core.messages import Message, Spelled
from apep_datagen.core.tags import escape_tags
from apep_datagen.formats.chat import read_chat, role_in, schemas_as_text
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import CannotHoldError, Files, Format, Row
from apep_datagen.formats.native import call_id, checked_answer, checked_calls, masked, result_texts
from apep_datagen.formats.shape import Shape
from apep_datagen.formats.spelling import called, tools_in
from apep_datagen.formats.turns import check_turns

__all__ = ["LLAMAFACTORY"]

_CONFIGURATION = "llamafactory.yaml"
_DATASETS = "dataset_info.json"
_ROLES = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}
_API_ROLES = {name: role for role, name in _ROLES.items()}
# LLaMA-Factory reads one of these in a message, with a list of calls in it, and leaves what stands before as it is.
_OPEN_CALLS, _CLOSE_CALLS = "<tool_call>", "</tool_call>"
# How many messages `mask_history` leaves out; the trainer itself passes this column over.
_CONTEXT = "context"


# Writing.


def _write(example: Example, shape: Shape) -> Row:
    check_turns(example.messages)
    said = _native(example.messages) if shape.calls == "native" else _text(example.messages, shape)
    row: Row = {"conversations": [{"from": role, "value": value} for role, value in said]}
    if shape.calls == "native":
        row["tools"] = schemas_as_text()
    if shape.rows == "answer":
        row[_CONTEXT] = example.context
    return row


def _text(messages: Sequence[Message], shape: Shape) -> Iterator[tuple[str, str]]:
    for message in messages:
        yield _ROLES[role_in(message, shape)], message.content


def _native(messages: Sequence[Message]) -> Iterator[tuple[str, str]]:
    calls = 0
    for message in messages:
        if message.role == "assistant":
            value, calls = _answer(message)
            yield "function_call" if calls else "gpt", value
        elif message.role == "tool":
            yield "observation", _observation(result_texts(message), calls)
        else:
            yield _ROLES[message.role], message.content


def _answer(message: Message) -> tuple[str, int]:
    """Return a message of Ada's with its calls as JSON, and how many they are."""
    answer = checked_answer(message)
    said = render_answer(answer.thinking, answer.reply)
    calls = [{"name": call.name, "arguments": call.arguments} for call in checked_calls(answer)]
    if not calls:
        return said, 0
    spelled = f"{_OPEN_CALLS}{escape_tags(json.dumps(calls, ensure_ascii=False))}{_CLOSE_CALLS}"
    return f"{said}\n\n{spelled}" if said else spelled, len(calls)


def _observation(texts: Sequence[str], calls: int) -> str:
    """Return the results of so many calls as the one message that may follow them: a list, where they are several."""
    if len(texts) != calls:
        raise CannotHoldError("there is not one result for each call")
    if calls == 1:
        return texts[0]
    listed = f"[{', '.join(texts)}]"
    if _listed(listed) != list(texts):
        raise CannotHoldError("one of several results is no JSON")
    return listed


# Reading.


def _read(row: Row) -> Example:
    if not _recognises(row):
        raise ValueError("a row has no conversations with 'from' and 'value'")
    messages = list(_messages(row["conversations"]))
    if isinstance(row.get("system"), str) and row["system"]:  # where other programs put it
        messages.insert(0, {"from": "system", "value": row["system"]})
    context = row.get(_CONTEXT)
    if context is None:
        context = masked(row["conversations"])
    elif not isinstance(context, int) or not 0 <= context < len(row["conversations"]):
        raise ValueError("the context of a row is no number of its messages")
    # One message of a row can be several here.
    return read_chat(messages, len(list(_messages(row["conversations"][:context]))))


def _messages(rows: Sequence[Any]) -> Iterator[Row]:
    """Yield the messages of a row with calls as fields, and each result by itself."""
    calls = 0
    for row in rows:
        value = row.get("value") if isinstance(row, Mapping) else None
        if not isinstance(value, str):
            yield row
        elif row.get("from") == "function_call" and _OPEN_CALLS in value:
            said, listed = _parted(value)
            listed = [_as_text(call) for call in listed]
            calls = len(listed)
            yield {"role": "assistant", "content": said, "tool_calls": listed}
        elif row.get("from") == "observation" and calls > 1 and len(results := _listed(value)) == calls:
            yield from ({"role": "tool", "content": result} for result in results)
        else:
            yield row


def _parted(value: str) -> tuple[str, list[Any]]:
    """Return what stands before the calls in a message that has some, and the calls."""
    said, _, spelled = value.partition(_OPEN_CALLS)
    listed = json.loads(spelled.rpartition(_CLOSE_CALLS)[0])
    return said.rstrip(), listed if isinstance(listed, list) else [listed]


def _as_text(call: Any) -> Any:
    """Return a call with its arguments as JSON, in which null is a value: of objects, it may stand for none."""
    if isinstance(call, Mapping) and isinstance(call.get("arguments"), Mapping):
        return {**call, "arguments": json.dumps(call["arguments"], ensure_ascii=False)}
    return call


def _listed(text: str) -> list[str]:
    """Return the elements of a JSON list as they are spelled there; none where it is no list."""
    decoder, texts, position = json.JSONDecoder(), [], 1
    if not text.startswith("["):
        return []
    try:
        while True:
            _, end = decoder.raw_decode(text, position)
            texts.append(text[position:end])
            if text[end:] == "]":
                return texts
            if not text.startswith(", ", end):
                return []
            position = end + len(", ")
    except (ValueError, RecursionError):
        return []


def _recognises(row: Row) -> bool:
    messages = row.get("conversations")
    return isinstance(messages, list) and any(isinstance(each, Mapping) and "from" in each for each in messages)


# Sending.


def _spell(row: Row) -> Spelled:
    """Return a row as messages of the API.

    The results of several calls stay the one message that LLaMA-Factory makes of them, by the id of the first call.
    """
    tools = tools_in(row)
    messages: list[Mapping[str, Any]] = []
    made, waiting = 0, ""
    for each in row["conversations"]:
        role, value = each["from"], each["value"]
        if role == "function_call":
            said, calls = _parted(value)
            identities = [call_id(made + index) for index in range(1, len(calls) + 1)]
            made, waiting = made + len(calls), identities[0]
            messages.append(called(said, calls, identities))
        elif role == "observation" and tools:
            messages.append({"role": "tool", "tool_call_id": waiting, "content": value})
        else:
            messages.append({"role": _API_ROLES[role], "content": value})
    return Spelled(tuple(messages), tools)


# What stands beside the rows.


def _files(shape: Shape, files: Files) -> Mapping[str, str]:
    columns = {"messages": "conversations"} | ({"tools": "tools"} if shape.calls == "native" else {})
    datasets = {
        _dataset(split): {"file_name": name, "formatting": "sharegpt", "columns": columns}
        for split, name in files.items()
    }
    return {
        _DATASETS: json.dumps(datasets, indent=2) + "\n",
        _CONFIGURATION: "\n".join(_configuration(shape, files)) + "\n",
    }


def _dataset(split: str) -> str:
    return "ada" if split == "train" else f"ada_{split}"


def _configuration(shape: Shape, files: Files) -> Iterator[str]:
    yield "# Trains a LoRA adapter on this export. README.md beside it says what to change for other models."
    yield "model_name_or_path: Qwen/Qwen3-0.6B"
    yield "# As it is in the rows; `qwen3` puts an empty thought before each answer that has none, and learns it."
    yield "template: qwen3_nothink"
    yield ""
    yield "dataset_dir: ."
    yield "dataset: ada"
    if "validation" in files:
        yield "eval_dataset: ada_validation"
    yield "# What is longer is cut without a word: export with --max-tokens 8192 --tokenizer FILE."
    yield "cutoff_len: 8192"
    if shape.rows == "answer":
        yield "# The last message of a row alone is learnt."
        yield "mask_history: true"
    yield ""
    yield "stage: sft"
    yield "do_train: true"
    yield "finetuning_type: lora"
    yield "lora_rank: 32"
    yield "lora_target: all"
    yield "learning_rate: 2.0e-4"
    yield "lr_scheduler_type: cosine"
    yield "num_train_epochs: 2"
    yield "per_device_train_batch_size: 1"
    yield "gradient_accumulation_steps: 8"
    if "validation" in files:
        yield "per_device_eval_batch_size: 1"
        yield "eval_strategy: epoch"
    yield "bf16: true"
    yield "logging_steps: 10"
    yield "report_to: none"
    yield "output_dir: trained"


_ROWS = {
    "conversation": """\
Each row is a whole conversation. Loss is on Ada's messages alone, with the token that ends each, and on all of them, as
long as `train_on_prompt` and `mask_history` stay off: the first has the system prompt, the user's messages and the
results learnt, too, and the second learns no message but the last of a row, and so no call.""",
    "answer": """\
Each row is one message of Ada's with all that stands before it. `mask_history: true` has it learnt alone; without it,
each message is learnt again in every row after it. `context` says of a row how many messages that leaves out; the
trainer does not read it.""",
}
_LENGTH = """\
- `cutoff_len` is 2,048 tokens if you do not say otherwise, and what is longer is cut at its end without a word. Leave
  longer rows out beforehand: `--max-tokens N --tokenizer FILE`."""
_TEXT = """\
- Every template of LLaMA-Factory holds all thoughts, calls and results. Take the one of your model (`template`), and of
  two the one that ends in `_nothink`. Those of Gemma 4, gpt-oss, Kimi-VL and Seed-OSS write thoughts in a way of their
  own, and put an empty one before each message: `enable_thinking: false` keeps that from being learnt.
- A `template` that is for models with images (`gemma3`, `qwen3_5`, `mistral_small`) wants the model's processor. For a
  Gemma 3 without one, take `gemma`, which is the same."""
_TOOL_ROLE = {
    "user": """\
- Results stand in messages of the user's, in their `<tool_result>` tags: every model's own chat template can hold them.
  Whatever talks to the trained model has to send them so, too.""",
    "tool": """\
- Results stand in the role `observation`. What that becomes is LLaMA-Factory's: for Qwen and Llama 3 what the models'
  own chat templates make of the role `tool`, for Gemma, Mistral and others something that those never make, or refuse.
  For these, export with `--tool-role user`.""",
}
_NATIVE = """\
- Calls stand in `function_call` messages, behind the thought, and the schemas of the tools in `tools`. How a call is
  spelled is up to `template` (and `tool_format`). Those of Qwen, Llama 3, GLM 4.5 and most others hold all; those of
  Gemma, Mistral, Ministral, Llama 2 and LFM2 refuse a thought before a call, and end with an error; those of GLM 4
  refuse two calls in one message. For these, export with `--calls text`.
- Where two calls stand in one message, their results stand in one `observation`, as a list: it may hold one alone."""
_OPENAI = """\
- Do not read rows of other exports with `formatting: openai`: it throws away what Ada says or thinks beside a call, and
  writes `detailed thinking off` behind every system prompt."""


def _guide(shape: Shape, files: Files) -> str:  # noqa: ARG001 - the files are named in those beside it
    about = (_NATIVE,) if shape.calls == "native" else (_TEXT, _TOOL_ROLE[shape.tool_role])
    notes = "\n".join((_LENGTH, *about, _OPENAI))
    return f"""\
`{_DATASETS}` tells [LLaMA-Factory](https://github.com/hiyouga/LLaMA-Factory) of these rows, and `{_CONFIGURATION}` is a
configuration that trains on them; both were run with LLaMA-Factory 0.9.5. In this directory:

```sh
llamafactory-cli train {_CONFIGURATION}
```

{_ROWS[shape.rows]}

{notes}
"""


LLAMAFACTORY = Format(
    name="llamafactory",
    default=Shape(tool_role="user"),
    rows=("conversation", "answer"),
    tool_roles=("user", "tool"),
    calls=("text", "native"),
    write=_write,
    read=_read,
    recognises=_recognises,
    guide=_guide,
    spell=_spell,
    files=_files,
)
