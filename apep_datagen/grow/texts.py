"""What no text of the world's tables may hold, and when two of them are nearly the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeVar

from apep_datagen.core.words import shingles, shorten

__all__ = ["are_alike", "faults_of_text", "quoted", "said_alike", "shared"]

Item = TypeVar("Item")

_QUOTED_LENGTH = 60
# What belongs to a chat's machinery: tags, a template's marks, the names that chats put before a turn.
_TAG = re.compile(r"</?[a-z_|][^<>\n]*>|\[/?[A-Z_]{2,}\]|```|\{\{|\{%|%\}|\}\}", re.IGNORECASE)
_ROLE = re.compile(
    r"\b(?:AI|chat ?bot|(?:language|AI) model|system prompt|(?:AI|virtual) assistant)\b"
    r"|^\W*(?:assistant|user|human|system|ada|tester|rewriter|reviewer)\s*:"
)
_ADA = re.compile(r"\bAda(?:['’]s)?\b")  # noqa: RUF001 - an apostrophe of either form
_SPACE = re.compile(r"[^\S ]|  |^ | $")
_ALIKE_IN_WORDS = 0.5
_ALIKE_IN_CONTENT = 0.75


def quoted(text: str) -> str:
    """Return a text as a message quotes it: one line, and not too long."""
    return f'"{shorten(" ".join(text.split()), _QUOTED_LENGTH)}"'


def faults_of_text(key: str, text: str, longest: int, *, placeholder: str = "") -> Iterator[str]:
    """Yield in sentences what is wrong with a text, whatever it says.

    Args:
        key: What it is in its table.
        text: The text.
        longest: How many characters it may have.
        placeholder: What may stand in it in braces, such as `{value}`; empty: nothing.
    """
    if len(text) > longest:
        yield f"{key} is far too long: {len(text)} characters, and {longest} at most"
    if found := _TAG.search(text):
        yield f"{key} holds {quoted(found[0])}, which is a tag or a mark and no text"
    elif found := re.search(r"\{[^{}]*\}?|\}", text.replace(placeholder, "") if placeholder else text):
        permitted = f"only {placeholder} can stand there" if placeholder else "nothing can stand in braces there"
        yield f"{key} has {quoted(found[0])} in braces; {permitted}"
    if found := _ROLE.search(text) or _ADA.search(text):
        yield f"{key} names a role of the chat: {quoted(found[0].strip())}"
    if _SPACE.search(text):
        yield f"{key} has line breaks, or spaces that are too many: {quoted(text)}"


def shared(first: frozenset[Item], second: frozenset[Item]) -> float:
    """Return the share of what two sets have together that is in both (Jaccard similarity)."""
    together = first | second
    return len(first & second) / len(together) if together else 0.0


def are_alike(first: frozenset[str], second: frozenset[str]) -> bool:
    """Tell whether two texts speak of nearly the same, by the stems of their content words."""
    return shared(first, second) >= _ALIKE_IN_CONTENT


def said_alike(first: str, second: str) -> bool:
    """Tell whether two texts are nearly the same, by their runs of three words, as `quality.novelty` compares."""
    return shared(shingles(first), shingles(second)) >= _ALIKE_IN_WORDS
