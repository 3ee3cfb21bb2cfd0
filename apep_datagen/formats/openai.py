"""OpenAI's supervised fine-tuning: https://platform.openai.com/docs/guides/supervised-fine-tuning."""

from __future__ import annotations

from apep_datagen.formats.api import api_messages, api_row, told_of_context
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import Files, Format, Row
from apep_datagen.formats.shape import Shape
from apep_datagen.formats.weights import Weight

__all__ = ["OPENAI"]

_WEIGHT = Weight(field="weight", trained=1, masked=0)


def _write(example: Example, shape: Shape) -> Row:
    return api_row(api_messages(example, shape), example, shape, _WEIGHT)


def _recognises(row: Row) -> bool:
    return _WEIGHT.is_in(row.get("messages")) and not _WEIGHT.is_in(row["messages"], of_others=True)


def _guide(shape: Shape, files: Files) -> str:
    validation = f'\n    validation_file=upload("{files["validation"]}"),' if "validation" in files else ""
    return f"""\
```python
from openai import OpenAI

client = OpenAI()


def upload(name):
    with open(name, "rb") as file:
        return client.files.create(file=file, purpose="fine-tune").id


client.fine_tuning.jobs.create(
    model="gpt-4.1-mini-2025-04-14",
    training_file=upload("{files["train"]}"),{validation}
)
```
{told_of_context(shape)}
Loss is on the messages of the role `assistant` and nothing else, without anything being set.
{_NATIVE if shape.calls == "native" else _TEXT}

At least 10 rows are needed. What is longer than the model's limit for training examples is cut by the service: leave it
out with `--max-tokens`. The rows were checked with the types of the openai package 3.57; nobody uploaded them.

The models of the API think in a field that cannot be trained on. So Ada's thoughts are part of what she says, in their
`<think>` tag, and a program that serves the model has to take them away from what it shows.
"""


_TEXT = """\
Results of tools stand in messages of the user's: the role `tool` wants a call with an id before it."""
_NATIVE = """\
`tools` and `tool_calls` are as the API has them, with a message of the role `tool` for each result."""


OPENAI = Format(
    name="openai",
    default=Shape(tool_role="user"),
    rows=("conversation", "exchange", "answer"),
    tool_roles=("user",),
    calls=("text", "native"),
    write=_write,
    read=_WEIGHT.read,
    recognises=_recognises,
    guide=_guide,
    has_weights=True,
)
