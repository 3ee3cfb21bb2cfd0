"""Rows that are one exchange as texts in columns, such as Alpaca's: what is unambiguous becomes a conversation.

How the columns go together is that of LLaMA-Factory's `alpaca` form:
https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from apep_datagen.core.messages import Message
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import Row
from apep_datagen.importing.rows import NotTakenError

__all__ = ["columns_of_pair", "read_pair"]

# The columns of what is asked and of what is answered.
_PAIRS = (
    ("prompt", "completion"),
    ("prompt", "response"),
    ("instruction", "output"),
    ("instruction", "response"),
    ("query", "response"),
)
# With an instruction: what it is about.
_INPUTS = ("input", "context")
# What chat templates put between turns: such a text is more than one message.
_MARKS = re.compile(
    r"<\|im_start\|>|<\|start_header_id\|>|<start_of_turn>|<\|turn>|<\|(?:user|assistant|start)\|>|\[/?INST\]"
)
# What stands between turns in prompts of completion models; in an instruction it may be what that is about.
_TURNS = re.compile(
    r"^###? ?(?:Instruction|Human|Assistant|User|Response)\b|^(?:Human|Assistant|User|AI) ?:", re.MULTILINE
)


def columns_of_pair(row: Row) -> tuple[str, ...]:
    """Return the columns of a row that are an exchange, as texts; nothing if it is no such row."""
    for asked, answered in _PAIRS:
        if isinstance(row.get(asked), str) and isinstance(row.get(answered), str):
            inputs = _INPUTS if asked == "instruction" else ()
            others = (name for name in (*inputs, "system", "history") if name in row)
            return (asked, answered, *others)
    return ()


def read_pair(row: Row) -> Example:
    """Return the conversation that a row with such columns is.

    Raises:
        NotTakenError: Its texts hold more than a message each, or one is empty.
    """
    asked, answered, *others = columns_of_pair(row)
    inputs = [row[name] for name in others if name in _INPUTS]
    if not all(isinstance(text, str | None) for text in inputs):
        raise NotTakenError("what its instruction is about is no text")
    question = "\n".join(filter(None, (row[asked], *inputs)))
    messages = [*_history(row), Message("user", question), Message("assistant", row[answered])]
    if any(not message.content.strip() for message in messages):
        raise NotTakenError("a text is empty")
    marks = (_MARKS, _TURNS) if asked == "prompt" else (_MARKS,)
    if any(mark.search(message.content) for message in messages for mark in marks):
        raise NotTakenError("its texts were written with a chat template, or hold several turns")
    if isinstance(row.get("system"), str) and row["system"]:
        messages.insert(0, Message("system", row["system"]))
    return Example(tuple(messages))


def _history(row: Mapping[str, Any]) -> Iterator[Message]:
    """Yield the exchanges before, each a pair of texts."""
    for pair in row.get("history") or ():
        if not isinstance(pair, list) or list(map(type, pair)) != [str, str]:
            raise NotTakenError("its history is no list of pairs of texts")
        yield Message("user", pair[0])
        yield Message("assistant", pair[1])
