"""Parquet for the Hugging Face hub: messages as text, and all that is known of where they come from as columns.

https://huggingface.co/docs/hub/datasets-adding, https://huggingface.co/docs/datasets/loading#parquet
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from apep_datagen.formats.chat import chat_messages, read_chat
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import Files, Format, Row
from apep_datagen.formats.origin import Origin
from apep_datagen.formats.shape import Shape

__all__ = ["CHECKED_AT", "CHECKS", "COLUMNS", "PARQUET", "ColumnType"]

ColumnType = Literal["text", "texts", "number", "messages", "conversations", "json", "jsons"]
"""What a column holds: a text, a list of texts, an integer, the messages, what each conversation of a row is, any value
of JSON, or a list of such."""

COLUMNS: Mapping[str, ColumnType] = MappingProxyType(
    {
        "messages": "messages",
        "user": "text",
        "name": "text",
        "ability": "text",
        "form": "text",
        "topic": "text",
        "day": "text",
        "provider": "text",
        "models": "texts",
        "prompt_tokens": "number",
        "completion_tokens": "number",
        "seed": "number",
        "level": "text",
        "checked": "texts",
        "conversations": "conversations",
    }
)
"""The columns of a file, in order; each can be null but for the messages."""

CHECKS: Mapping[str, str] = MappingProxyType(
    {
        "form": "roles, tags and endings are right, and nothing is cut off or too long",
        "execution": "the calls, executed again, give the same results",
        "effect": "it shows the ability that it was to show, by facts that were planned before a model spoke",
        "notes": "what Ada stored can be understood by itself, once, one fact a note",
        "knowledge": "Ada uses nothing that she cannot know, and claims nothing of her memory before she has looked",
        "time": "nobody contradicts the day and the hour of the conversation",
        "voice": "Ada speaks as herself, the user as the user, and nobody as a machine or as a prompt",
        "novelty": "neither what is said nor how thoughts begin is too much like earlier conversations",
    }
)
"""What code looks at before a conversation is accepted, stage by stage, in plain words."""

CHECKED_AT: Mapping[str, Sequence[str]] = MappingProxyType({"off": (), "form": ("form",), "strict": tuple(CHECKS)})
"""Which of these stages there are, by the level at which a conversation was judged."""


def _write(example: Example, shape: Shape) -> Row:
    return {"messages": chat_messages(example, shape)}


def _read(row: Row) -> Example:
    return read_chat(row["messages"])


def _recognises(row: Row) -> bool:
    return "messages" in row and row.keys() <= COLUMNS.keys() and "checked" in row


def _columns(origin: Origin) -> Row:
    """Return the columns; what differs between several conversations of one row stands in `conversations` alone."""
    each = [
        {
            "number": _at(origin.numbers, index),
            "ability": _at(origin.abilities, index) or None,
            "form": _at(origin.forms, index) or None,
            "topic": _at(origin.topics, index) or None,
            "day": _at(origin.days, index) or None,
        }
        for index in range(max(map(len, (origin.numbers, origin.abilities, origin.forms, origin.topics, origin.days))))
    ]
    first = each[0] if each else {}
    return {
        "user": origin.user or None,
        "name": origin.name or None,
        **{
            column: first.get(column) if len({row[column] for row in each}) == 1 else None
            for column in ("ability", "form", "topic", "day")
        },
        "provider": origin.provider or None,
        "models": list(origin.models),
        "prompt_tokens": origin.prompt_tokens or None,
        "completion_tokens": origin.completion_tokens or None,
        "seed": origin.seed if len(each) == 1 else None,
        "level": origin.level or None,
        "checked": list(CHECKED_AT.get(origin.level, ())),
        "conversations": each,
    }


def _at(values: Sequence[int] | Sequence[str], index: int) -> int | str | None:
    return values[index] if index < len(values) else None


def _guide(shape: Shape, files: Files) -> str:  # noqa: ARG001 - the columns are the same in every shape
    data = ", ".join(f'"{split}": "{split}-*.parquet"' for split in files)
    return f"""\
`datasets` reads it, and `push` puts it on the Hugging Face hub:

```python
from datasets import load_dataset

dataset = load_dataset("parquet", data_files={{{data}}})
recalls = dataset["train"].filter(lambda row: row["ability"] == "recall")
```

`messages` holds calls and results as text, as TRL's `SFTTrainer` and others take them: `remove_columns` takes the other
columns away. What was not recorded is null. A row that joins several conversations tells in `conversations` what each
is; `ability`, `form`, `topic` and `day` are null where they differ. `checked` names the stages of judging that it has
passed.
"""


PARQUET = Format(
    name="parquet",
    default=Shape(),
    rows=("conversation",),
    tool_roles=("tool", "user"),
    calls=("text",),
    write=_write,
    read=_read,
    recognises=_recognises,
    guide=_guide,
    columns=_columns,
    container="parquet",
)
