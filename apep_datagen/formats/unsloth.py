"""Unsloth, which has TRL's `SFTTrainer` train, and prepares its rows: https://docs.unsloth.ai/basics/datasets-guide."""

from __future__ import annotations

import json

from apep_datagen.formats.chat import chat_messages, read_chat
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import Files, Format, Row
from apep_datagen.formats.prompt import is_prompt_row, prompt_row, read_prompt_row
from apep_datagen.formats.shape import Shape

__all__ = ["UNSLOTH"]


def _write(example: Example, shape: Shape) -> Row:
    if shape.rows == "conversation":
        return {"conversations": chat_messages(example, shape)}
    return prompt_row(example, shape)


def _read(row: Row) -> Example:
    if not _recognises(row):
        raise ValueError("a row has neither conversations nor a prompt and a completion that are messages")
    return read_chat(row["conversations"]) if "conversations" in row else read_prompt_row(row)


def _recognises(row: Row) -> bool:
    return isinstance(row["conversations"], list) if "conversations" in row else is_prompt_row(row)


def _guide(shape: Shape, files: Files) -> str:
    return "\n\n".join((_ROWS[shape.rows], _script(shape, files), f"{_LENGTH}\n{_TOOL_ROLE[shape.tool_role]}"))


_ROWS = {
    "answer": """\
Each row is one message of Ada's (`completion`) with all that stands before it (`prompt`). Only the completion is
learnt: her thoughts, calls and words, and nothing else. That holds for each of Unsloth's own chat templates.""",
    "conversation": """\
Each row is a whole conversation (`conversations`), as Unsloth's notebooks take them; `train_on_responses_only` has
Ada's messages learnt alone. The template of Qwen3 leaves out the thoughts before the last message of the user's, in
silence: for it, and all that came after it, export with `--rows answer`.""",
}
_LENGTH = """\
- A row that is longer than `max_seq_length` is cut without a word, at its end, where what is to be learnt stands. Leave
  those out beforehand: `--max-tokens N --tokenizer FILE`.
- `from_pretrained` takes the model's own chat template; what `get_chat_template` puts in its place is another one, with
  other losses. See what yours does: `--check TEMPLATE`."""
_TOOL_ROLE = {
    "user": """\
- Results stand in messages of the user's, in their `<tool_result>` tags: every chat template can hold them. Whatever
  talks to the trained model has to send them so, too.""",
    "tool": """\
- Results stand in the role `tool`, which `standardize_data_formats` does not know, and the templates of Gemma 3 and
  Mistral refuse; with that of Llama 3.1, `train_on_responses_only` has the results learnt, too. For these, export with
  `--tool-role user`.""",
}


def _script(shape: Shape, files: Files) -> str:
    data = f'data = load_dataset("json", data_files={json.dumps(dict(files))})'
    arguments, after = "", ""
    import_masks = ""
    if shape.rows == "conversation":
        import_masks = "\nfrom unsloth.chat_templates import train_on_responses_only"
        data += """
data = data.map(lambda row: {"text": tokenizer.apply_chat_template(row["conversations"], tokenize=False)})"""
        arguments = ', dataset_text_field="text"'
        after = "\ntrainer = train_on_responses_only(trainer)"
    evaluated = '\n    eval_dataset=data["validation"],' if "validation" in files else ""
    return f"""\
```python
from unsloth import FastLanguageModel  # before all that it changes{import_masks}

from datasets import load_dataset
from trl import SFTConfig, SFTTrainer

model, tokenizer = FastLanguageModel.from_pretrained("unsloth/Qwen3-0.6B", max_seq_length=8192)
model = FastLanguageModel.get_peft_model(model, r=16)
{data}
trainer = SFTTrainer(
    model=model,
    processing_class=tokenizer,
    args=SFTConfig(output_dir="ada", max_length=8192{arguments}),
    train_dataset=data["train"],{evaluated}
){after}
trainer.train()
trainer.save_model()
```"""


UNSLOTH = Format(
    name="unsloth",
    default=Shape(rows="answer", tool_role="user"),
    rows=("answer", "conversation"),
    tool_roles=("user", "tool"),
    calls=("text",),
    write=_write,
    read=_read,
    recognises=_recognises,
    guide=_guide,
)
