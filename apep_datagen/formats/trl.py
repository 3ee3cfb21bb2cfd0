"""TRL's `SFTTrainer`: https://huggingface.co/docs/trl/dataset_formats."""

from __future__ import annotations

from apep_datagen.formats.chat import chat_messages, context_of, read_chat, schemas_as_text
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import Files, Format, Row
from apep_datagen.formats.shape import Shape

__all__ = ["TRL"]


def _write(example: Example, shape: Shape) -> Row:
    messages = chat_messages(example, shape, arguments="object")
    if shape.rows == "conversation":
        row: Row = {"messages": messages}
    else:
        # What comes after the user's message is the completion; its loss alone counts.
        asked = context_of(Example(example.messages, _first_answer(example)), shape)
        row = {"prompt": messages[:asked], "completion": messages[asked:]}
    if shape.calls == "native":
        row["tools"] = schemas_as_text()
    return row


def _first_answer(example: Example) -> int:
    """Return the index of the first new message of Ada's."""
    return next(
        index
        for index, message in enumerate(example.messages)
        if index >= example.context and message.role == "assistant"
    )


def _read(row: Row) -> Example:
    if "messages" in row:
        return read_chat(row["messages"])
    messages = [*row["prompt"], *row["completion"]]
    # The user's message before the completion is new as well.
    first_new = max((i for i in range(len(row["prompt"])) if row["prompt"][i]["role"] == "user"), default=0)
    has_context = any(message["role"] == "assistant" for message in row["prompt"])
    return read_chat(messages, first_new if has_context else 0)


def _recognises(row: Row) -> bool:
    return "messages" in row or ("prompt" in row and "completion" in row)


def _guide(shape: Shape, files: Files) -> str:
    return ""


TRL = Format(
    name="trl",
    default=Shape(rows="exchange"),
    rows=("conversation", "exchange"),
    tool_roles=("tool", "user"),
    calls=("text", "native"),
    write=_write,
    read=_read,
    recognises=_recognises,
    guide=_guide,
)
