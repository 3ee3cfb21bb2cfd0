"""What was said in a conversation of a run, put together of the steps that were recorded."""

from __future__ import annotations

import functools
import sqlite3
from dataclasses import dataclass

from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.machine import rebuild
from apep_datagen.conversation.prompt_set import PromptSet
from apep_datagen.conversation.prompting import training_sample
from apep_datagen.core.messages import Message, MessageRole
from apep_datagen.storage.faults import is_about_content

__all__ = ["Said", "read_said"]

# Who speaks in a step; in all others Ada does, or whoever rewrites her thoughts or reviews what came of it.
_ROLES: dict[str, MessageRole] = {"ask": "user", "tools": "tool"}


# A run has a few, and reading one, which compiles its templates, takes longer than a conversation.
_prompts = functools.lru_cache(maxsize=8)(PromptSet.from_json)


@dataclass(frozen=True, slots=True)
class Said:
    """What was said in a conversation.

    Attributes:
        messages: As it would be saved.
        originals: What Ada thought in each of her messages before it was rewritten; empty where nobody knows it.
    """

    messages: tuple[Message, ...]
    originals: tuple[str, ...] = ()


def read_said(connection: sqlite3.Connection, number: int, brief: Brief | None, prompt_set_id: int) -> Said:
    """Return what was said in a conversation.

    Where it cannot be put together any more, what was recorded is returned as it is.

    Args:
        connection: The state database.
        number: The number of the conversation in its run.
        brief: What was decided before its first call; None where an older version began it.
        prompt_set_id: Which prompts it was made with.
    """
    steps = connection.execute(
        "SELECT kind, text, finish_reason FROM steps WHERE conversation_id = ? ORDER BY number", (number,)
    ).fetchall()
    (texts,) = connection.execute("SELECT texts FROM prompt_sets WHERE id = ?", (prompt_set_id,)).fetchone()
    if brief is not None:
        try:
            conversation = rebuild(brief, _prompts(texts), steps)
            originals = tuple(turn.answer.thinking for exchange in conversation.exchanges for turn in exchange.turns)
            return Said(training_sample(conversation), originals)
        except Exception as error:  # the prompts are templates, which raise what they like
            if not is_about_content(error):
                raise
    return Said(tuple(Message(_ROLES.get(kind, "assistant"), text) for kind, text, _ in steps))
