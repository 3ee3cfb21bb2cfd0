"""Together's fine-tuning: https://docs.together.ai/docs/fine-tuning/data-preparation."""

from __future__ import annotations

from apep_datagen.formats.api import api_messages, api_row
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import Files, Format, Row
from apep_datagen.formats.shape import Shape
from apep_datagen.formats.turns import check_turns
from apep_datagen.formats.weights import Weight

__all__ = ["TOGETHER"]

# On all messages: where one has a weight, Together trains on every message that has none, the user's as well.
_WEIGHT = Weight(field="weight", trained=1, masked=0, is_on_all=True)


def _write(example: Example, shape: Shape) -> Row:
    check_turns(example.messages)
    # In Together's form, calls stand in the place of content: thoughts beside them are a field of their own.
    return api_row(api_messages(example, shape, thoughts=TOGETHER.thoughts), example, shape, _WEIGHT)


def _recognises(row: Row) -> bool:
    return _WEIGHT.is_in(row.get("messages"), of_others=True)


def _guide(shape: Shape, files: Files) -> str:
    model = "Qwen/Qwen3-8B" if shape.calls == "native" else "Qwen/Qwen2.5-7B-Instruct"
    validation = f'\n    validation_file=upload("{files["validation"]}"),' if "validation" in files else ""
    return f"""\
```python
from together import Together

client = Together()


def upload(name):
    return client.files.upload(name, purpose="fine-tune").id


client.fine_tuning.create(
    model="{model}",
    training_file=upload("{files["train"]}"),{validation}
)
```

{_weights(shape)}

Upload the `.jsonl` as it is: Parquet is for tokens there. Together checks what is in the rows only after the upload;
they were checked with the package's own `check_file` (together 3.1.1), and nobody uploaded them. Before it costs
anything, `together fine-tuning preview -t FILE_ID -M MODEL` shows which tokens of the first rows are trained.

{_NATIVE if shape.calls == "native" else _TEXT}
"""


def _weights(shape: Shape) -> str:
    if not shape.marks_messages:
        return "Loss is on Ada's messages alone, which is what Together does where `train_on_inputs` is not set."
    return (
        "Loss is on the messages with `weight: 1`, which are Ada's. All others have `weight: 0`: where one message\n"
        "has a weight, Together trains on each that has none, whatever its role is."
    )


_TEXT = """\
The conversation has to alternate between `user` and `assistant`, so results of tools stand in messages of the user's.
Together renders rows with the template of the model, which nobody can set. Those of Qwen 3, Qwen 3.5 and GLM 4.5 take
away the thoughts of all answers but the last: with `--rows answer` that is the one that is trained. Those of Qwen 2.5
and Llama 3 take nothing away, so with them `--rows conversation` is as good, and cheaper."""

_NATIVE = """\
Thoughts stand in `reasoning_content`, calls in `tool_calls`, and each result is a message of the role `tool`. So the
model has to be one that Together lists both for reasoning and for function calling, such as Qwen 3: others leave out
`reasoning_content` without a word. Of such a model's thoughts only those of the last exchange are kept: with `--rows
conversation`, those before it are lost."""


TOGETHER = Format(
    name="together",
    default=Shape(rows="answer", tool_role="user"),
    rows=("answer", "exchange", "conversation"),
    tool_roles=("user",),
    calls=("text", "native"),
    write=_write,
    read=_WEIGHT.read,
    recognises=_recognises,
    guide=_guide,
    thoughts="reasoning_content",
    has_weights=True,
)
