"""Axolotl's `type: chat_template`: https://docs.axolotl.ai/docs/dataset-formats/conversation.html."""

from __future__ import annotations

from collections.abc import Mapping

from apep_datagen.formats.chat import chat_messages, schemas_as_text
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import Files, Format, Row
from apep_datagen.formats.shape import Shape
from apep_datagen.formats.weights import Weight

__all__ = ["AXOLOTL"]

_CONFIGURATION = "axolotl.yaml"
_TRAIN = Weight(field="train", trained=True, masked=False)


def _write(example: Example, shape: Shape) -> Row:
    # Arguments as text: Axolotl reads them as JSON, where `datasets` would give each the keys of all. Thoughts in the
    # content: no template keeps more of them in a field of their own, and most then keep none.
    messages = chat_messages(example, shape, arguments="text", thoughts="content")
    row: Row = {"messages": _TRAIN.put(messages, example, shape)}
    if shape.calls == "native":
        row["tools"] = schemas_as_text()
    return row


def _recognises(row: Row) -> bool:
    return _TRAIN.is_in(row.get("messages")) or _TRAIN.is_in(row.get("messages"), of_others=True)


def _files(shape: Shape, files: Files) -> Mapping[str, str]:
    lines = [
        "# Trains a LoRA adapter on this export. README.md beside it says what to change for other models.",
        "base_model: Qwen/Qwen2.5-1.5B-Instruct",
        f"chat_template: {_chat_template(shape)}",
        'eot_tokens: ["<|im_end|>"]',
        "",
        "datasets:",
        *_dataset(files["train"]),
    ]
    if "validation" in files:
        lines += ["test_datasets:", *_dataset(files["validation"])]
    lines += [
        "train_on_inputs: false",
        "dataset_prepared_path: prepared",
        "# A row with more tokens stops the run: it would be left out or cut otherwise.",
        "sequence_len: 8192",
        "excess_length_strategy: raise",
        "",
        "adapter: lora",
        "lora_r: 32",
        "lora_alpha: 64",
        "lora_target_linear: true",
        "learning_rate: 0.0002",
        "lr_scheduler: cosine",
        "optimizer: adamw_torch",
        "num_epochs: 2",
        "micro_batch_size: 1",
        "gradient_accumulation_steps: 8",
        "bf16: auto",
        "output_dir: trained",
    ]
    return {_CONFIGURATION: "\n".join(lines) + "\n"}


def _chat_template(shape: Shape) -> str:
    # `chatml` keeps whatever stands in a message; of fields, `qwen_25` keeps the calls, and of the content all.
    return "chatml" if shape.calls == "text" else "qwen_25"


def _dataset(file: str) -> list[str]:
    return [
        f"  - path: {file}",
        "    ds_type: json",
        "    split: train",
        "    type: chat_template",
        "    field_messages: messages",
        "    roles_to_train: [assistant]",
        f"    message_field_training: {_TRAIN.field}",
        "    train_on_eos: turn",
    ]


_TEXT_TEMPLATES = """\
| model | `chat_template` | `eot_tokens` | all is kept with results in the role |
| --- | --- | --- | --- |
| Qwen 2.5 and 3, other ChatML models | `chatml` | `<\\|im_end\\|>` | `user` and `tool` |
| Llama 3 | `llama3` | `<\\|eot_id\\|>` | `user` and `tool` |
| Gemma 3 | `gemma3` | `<end_of_turn>` | `user` |
| Gemma 4 | `gemma4` | `<turn\\|>` | `user` |
| Mistral, with a tokenizer of version 7 | `mistral_v7_tekken` | `</s>` | `user` |
| Mistral, with `tokenizer_use_mistral_common: true` | none | none | `user` |

Of Axolotl's other templates, `qwen3` and `qwen3_5` take away the thoughts of all answers but the last, and what they
write themselves in front of that, `<think>`, is not learnt; `deepseek_v3` and `exaone4` take away every thought;
`gemma` refuses a system prompt. With `tokenizer_default`, the model's own template does as it likes: see what with
`--check`. In the role `tool`, results are refused by the templates of Mistral and Gemma 3, and left out without a word
by that of Gemma 4."""

_NATIVE_TEMPLATES = """\
The template has to know `tool_calls`. Of Axolotl's own, `qwen_25` keeps all; `qwen3` and `qwen3_5` keep all calls, and
of the thoughts those of a row's last exchange; `chatml`, `llama3`, `phi_35` and `falcon_h1` leave out the calls without
a word; `llama3_2_vision` refuses two calls in one message; those of Mistral and Gemma 3 refuse the role `tool`. With
`tokenizer_use_mistral_common`, export with `--calls text`."""


def _guide(shape: Shape, files: Files) -> str:
    held = f"`{files['validation']}` is its test set. " if "validation" in files else ""
    what = {"conversation": "", "exchange": "an exchange", "answer": "one message of Ada's"}[shape.rows]
    context = f"""
Each row is {what}, with all before it as context. Her messages there have `train: false`, which the line
`message_field_training: train` reads: without it, they are trained on in every row again.
"""
    return f"""\
`{_CONFIGURATION}` is a configuration for [Axolotl](https://docs.axolotl.ai) that reads this export; it was run with
Axolotl 0.19. {held}In this directory:

```sh
axolotl preprocess {_CONFIGURATION} --debug      # shows what is trained on: the first number is -100 where not
axolotl train {_CONFIGURATION}
```
{context if what else ""}
Loss is on Ada's messages alone (`roles_to_train`), with the token that ends each of them (`eot_tokens`, which has to
be the template's own, else no end is learnt). `sequence_len` has to be more than the longest row: Axolotl would leave
out longer ones, which `excess_length_strategy: raise` makes an error. Do not set `split_thinking`: all templates but
those of Qwen 3 then drop every thought.

{_TEXT_TEMPLATES if shape.calls == "text" else _NATIVE_TEMPLATES}
"""


AXOLOTL = Format(
    name="axolotl",
    default=Shape(tool_role="user"),
    rows=("conversation", "exchange", "answer"),
    tool_roles=("user", "tool"),
    calls=("text", "native"),
    write=_write,
    read=_TRAIN.read,
    recognises=_recognises,
    guide=_guide,
    has_weights=True,
    files=_files,
)
