"""How they spell: persons turned round, thoughts and calls in Ada's notation."""

from __future__ import annotations

import json
import re

__all__ = ["calls", "capital", "first", "second", "sentence", "thinks", "third"]

_THIRD = {
    "I am": "they are", "I was": "they were", "I'm": "they're", "I": "they", "my": "their", "me": "them", "am": "are",
    "myself": "themselves", "mine": "theirs", "we": "they", "us": "them", "our": "their", "ours": "theirs",
}  # fmt: skip
_SECOND = {
    "I am": "you are", "I was": "you were", "I'm": "you're", "I": "you", "my": "your", "me": "you", "am": "are",
    "myself": "yourself", "mine": "yours", "we": "you", "us": "you", "our": "your", "ours": "yours",
}  # fmt: skip
_FIRST = {"you are": "I am", "you were": "I was", "you": "I", "your": "my", "yourself": "myself", "yours": "mine"}


def _turned(text: str, table: dict[str, str]) -> str:
    return re.sub("|".join(rf"\b{word}\b" for word in table), lambda match: table[match[0]], text)


def third(text: str) -> str:
    """Return a text in the first person as others say it."""
    return _turned(text, _THIRD)


def second(text: str) -> str:
    """Return a text in the first person as it is said to who said it."""
    return _turned(text, _SECOND)


def first(text: str) -> str:
    """Return a text in the second person as who is meant says it."""
    return _turned(text, _FIRST)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """Return a clause as a sentence of its own."""
    return f"{capital(text)}."


def thinks(thought: str, rest: str) -> str:
    """Return an answer: a thought, and what is behind it."""
    return f"<think>{thought}</think>\n\n{rest}"


def calls(thought: str, *called: tuple[str, object]) -> str:
    """Return an answer with calls: pairs of a tool's name and its one argument, None where it takes none."""
    blocks = []
    for name, value in called:
        argument = "indices" if name.startswith("delete") else "input_text"
        given = "" if value is None else f"{argument}={json.dumps(value, ensure_ascii=False)}"
        blocks.append(f"<tool_call>{name}({given})</tool_call>")
    return thinks(thought, "\n".join(blocks))
