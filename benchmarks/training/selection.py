"""Which conversations a model is trained on: of several datasets, without what evaluation holds out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from apep_datagen.conversation.prompt_set import PromptSet
from apep_datagen.conversation.prompting import ada_system_prompt
from apep_datagen.core.calls import ToolCall
from apep_datagen.core.markup import parse_answer
from apep_datagen.core.messages import Message
from apep_datagen.core.sample_json import messages_in, sample_line

__all__ = ["SHORTCUTS", "Selection", "read_datasets", "select", "write_dataset"]

_TIME = re.compile(r"It is \w+, (\d{4}-\d\d-\d\d), (\d\d:\d\d)")

Conversation = tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """What of the datasets is trained on.

    Attributes:
        conversations: These.
        held_out: How many were left out, because something in them is held out for evaluation.
        without_shortcut: How many were left out for the sake of a shortcut.
        retold: How many have another system prompt than they were made with.
    """

    conversations: tuple[Conversation, ...]
    held_out: int
    without_shortcut: int
    retold: int


def _looks_first(conversation: Conversation) -> bool:
    """Whether Ada's first answer of a conversation lists her memory."""
    first = next((message for message in conversation if message.role == "assistant"), None)
    calls = parse_answer(first.content).calls if first else ()
    return any(isinstance(call, ToolCall) and call.name == "recall_memories" for call in calls)


SHORTCUTS: dict[str, Callable[[Conversation], bool]] = {"looks-first": _looks_first}
"""Whether a conversation follows a shortcut, by the shortcut's name: a dataset of such ones alone teaches it."""


def read_datasets(paths: Iterable[Path]) -> list[Conversation]:
    """Return the conversations of datasets as the program writes them.

    Raises:
        ValueError: A file is none.
        OSError: A file cannot be read.
    """
    found: list[Conversation] = []
    for path in paths:
        try:
            elements = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            elements = None
        for element in elements if isinstance(elements, list) else [None]:
            messages = messages_in(element)
            if messages is None:
                raise ValueError(
                    f'{path} is no dataset of apep-datagen: an array of {{"conversations": […]}} is needed'
                )
            found.append(messages)
    return found


def select(
    conversations: Sequence[Conversation],
    prompts: PromptSet,
    held_out: Callable[[Conversation], Sequence[str]],
    *,
    max_tool_rounds: int,
    shortcut: str | None = None,
) -> Selection:
    """Choose what is trained on.

    Each conversation gets the system prompt that evaluation asks with, at its own time: it may have been made by an
    earlier version of the program.

    Args:
        conversations: Of all datasets.
        prompts: What evaluation asks with.
        held_out: What in a conversation is held out.
        max_tool_rounds: How often Ada may use tools in an exchange, as the prompt says.
        shortcut: Of `SHORTCUTS`: those that do not follow it are left out.
    """
    known = [conversation for conversation in conversations if not held_out(conversation)]
    following = [conversation for conversation in known if shortcut is None or SHORTCUTS[shortcut](conversation)]
    told = [_as_asked_now(conversation, prompts, max_tool_rounds) for conversation in following]
    return Selection(
        conversations=tuple(told),
        held_out=len(conversations) - len(known),
        without_shortcut=len(known) - len(following),
        retold=sum(before != after for before, after in zip(following, told, strict=True)),
    )


def _as_asked_now(conversation: Conversation, prompts: PromptSet, max_tool_rounds: int) -> Conversation:
    first = conversation[0]
    found = _TIME.search(first.content) if first.role == "system" else None
    if found is None:
        return conversation
    prompt = ada_system_prompt(prompts, "T".join(found.groups()), max_tool_rounds)
    return (replace(first, content=prompt), *conversation[1:])


def write_dataset(path: Path, conversations: Iterable[Conversation]) -> None:
    """Write conversations as the program does: an array, an element a line."""
    lines = map(sample_line, conversations)
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
