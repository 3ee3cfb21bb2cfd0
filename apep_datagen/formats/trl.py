"""TRL's `SFTTrainer`: https://huggingface.co/docs/trl/dataset_formats."""

from __future__ import annotations

import json

from apep_datagen.formats.chat import chat_messages, read_chat, schemas_as_text
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import CannotHoldError, Files, Format, Row
from apep_datagen.formats.prompt import is_prompt_row, prompt_row, read_prompt_row
from apep_datagen.formats.shape import Shape

__all__ = ["TRL"]


def _write(example: Example, shape: Shape) -> Row:
    if shape.rows == "conversation":
        row: Row = {"messages": chat_messages(example, shape)}
    else:
        row = prompt_row(example, shape)
    if shape.calls == "native":
        _check_arguments(row)
        row["tools"] = schemas_as_text()
    return row


def _check_arguments(row: Row) -> None:
    """See that no argument of a call is null, which `datasets` writes for those that only other calls have.

    Raises:
        CannotHoldError: One is.
    """
    for messages in map(row.get, ("messages", "prompt", "completion")):
        for message in messages or ():
            if any(None in call["function"]["arguments"].values() for call in message.get("tool_calls", ())):
                raise CannotHoldError("a call has an argument that is null, which says here that there is none")


def _read(row: Row) -> Example:
    if not _recognises(row):
        raise ValueError("a row has neither messages nor a prompt and a completion that are messages")
    return read_chat(row["messages"]) if "messages" in row else read_prompt_row(row)


def _recognises(row: Row) -> bool:
    return isinstance(row["messages"], list) if "messages" in row else is_prompt_row(row)


def _guide(shape: Shape, files: Files) -> str:
    return "\n\n".join((_ROWS[shape.rows], _script(shape, files), "\n".join((_LENGTH, *_about(shape)))))


_ROWS = {
    "answer": """\
Each row is one message of Ada's (`completion`) with all that stands before it (`prompt`). `SFTTrainer` learns the
completion alone: her thoughts, calls and words, and nothing else. Of the chat templates that can hold a thought, none
loses one. With those that TRL has a `*_training` version of (but GLM-4.5's and Nemotron 3's), `--rows conversation`
loses nothing either, and is less than half as many tokens. Those of DeepSeek V3 and R1 leave out all thoughts: the
distills of R1 need `--rows conversation`. Those of Mistral 7B v0.3, Nemo and Pixtral leave out the system prompt of
every row, whatever its shape, and `SFTTrainer` then learns the user's words, too: train with another template.""",
    "exchange": """\
Each row is one exchange: what Ada does with the user's message (`completion`), and all that stands before (`prompt`).
Between her messages in it stand the results of her tools, which `assistant_only_loss` leaves out. TRL has that for the
chat templates that it has a `*_training` version of, and refuses others (Llama 3.1 and 3.2, Gemma 4, Mistral): for
these, export with `--rows answer`, which needs no such thing.""",
    "conversation": """\
Each row is a whole conversation (`messages`). `assistant_only_loss` has Ada's messages learnt alone: TRL then renders
with its `*_training` version of the model's chat template, and refuses those that it has none of (Llama 3.1 and 3.2,
Gemma 4, Mistral). Without it all is learnt, the system prompt and the results too, and templates such as Qwen3's leave
out the thoughts before the last message of the user's. With it, that of Qwen3 keeps them all; those of GLM-4.5 and
Nemotron 3 still do not: for these, export with `--rows answer`.""",
}
_LENGTH = """\
- `max_length` is 1,024 tokens if you do not say otherwise, and cuts what is longer without a word; a row whose prompt
  alone is longer is left out. `None` cuts nothing. So that nothing is too long for your GPU, leave rows out beforehand:
  `--max-tokens N --tokenizer FILE`."""
_TOOL_ROLE = {
    "user": """\
- Results stand in messages of the user's, in their `<tool_result>` tags: every chat template can hold them. Whatever
  talks to the trained model has to send them so, too.""",
    "tool": """\
- Results stand in the role `tool`. The templates of Gemma 3, Cohere, gpt-oss and Mistral refuse it, and those of
  Gemma 4 and Phi leave the results out without a word: for these, export with `--tool-role user`.""",
}
_TAKEN_FOR_A_QUESTION = """\
- The template of Qwen3, and others made after it, take a message with results for a new question of the user's, and
  leave out the thoughts before it. TRL's `*_training` version of Qwen3's keeps them; with the others, it takes
  `--rows answer`."""
_NATIVE = """\
- Calls are fields (`tool_calls`), and the schemas of the tools stand in `tools`. Templates that know no calls leave
  them out without a word (ChatML, Llama 3, Phi). That of Llama 3.1 refuses a second call in one message, and leaves out
  the thoughts before one; that of gpt-oss leaves out second calls; those of Gemma 4 put a thought behind the call that
  it leads to. See beforehand what yours does: `--check TEMPLATE`.
- Read the rows with `load_dataset` of `datasets` 4.7 or newer. Older ones, and `Dataset.from_list`, give each call the
  arguments of all tools, and those that it does not have are learnt as `null`."""


def _about(shape: Shape) -> tuple[str, ...]:
    if shape.calls == "native":
        return (_NATIVE,)
    if shape.tool_role == "user" and shape.rows != "answer":
        return (_TOOL_ROLE["user"], _TAKEN_FOR_A_QUESTION)
    return (_TOOL_ROLE[shape.tool_role],)


def _script(shape: Shape, files: Files) -> str:
    masks = "" if shape.rows == "answer" else "        assistant_only_loss=True,\n"
    evaluated = '    eval_dataset=data["validation"],\n' if "validation" in files else ""
    return f"""\
```python
from datasets import load_dataset
from trl import SFTConfig, SFTTrainer

data = load_dataset("json", data_files={json.dumps(dict(files))})
trainer = SFTTrainer(
    model="Qwen/Qwen3-0.6B",
    args=SFTConfig(
        output_dir="ada",
        max_length=None,
{masks}    ),
    train_dataset=data["train"],
{evaluated})
trainer.train()
trainer.save_model()
```"""


TRL = Format(
    name="trl",
    default=Shape(rows="answer", tool_role="user"),
    rows=("answer", "exchange", "conversation"),
    tool_roles=("user", "tool"),
    calls=("text", "native"),
    write=_write,
    read=_read,
    recognises=_recognises,
    guide=_guide,
)
