"""A conversation as a model is trained on it: its tokens, and which of them it learns.

Nothing here needs PyTorch; a tokenizer is a function, and a chat template one that renders messages.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = [
    "Message",
    "Row",
    "Stretch",
    "common_prefix",
    "learnt_texts",
    "micro_batches",
    "row_of",
    "steps",
    "stretches",
]

Message = dict[str, str]
"""A message of a row: `role` and `content`."""


class Render(Protocol):
    """A chat template."""

    def __call__(self, messages: Sequence[Message], /, *, is_to_answer: bool) -> str:
        """Return messages as one text; `is_to_answer` is whether an answer of Ada's follows."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a rendered conversation, and whether it is learnt."""

    text: str
    is_learnt: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A conversation's tokens, and for each whether it is learnt."""

    tokens: tuple[int, ...]
    is_learnt: tuple[bool, ...]


def stretches(messages: Sequence[Message], render: Render, end: str) -> tuple[Stretch, ...]:
    """Divide a rendered conversation into what Ada says, each with the token that ends it, and all else.

    Args:
        messages: The conversation.
        render: The chat template.
        end: The text of the token that ends a message.

    Raises:
        ValueError: The template takes an earlier message back, or does not end Ada's with `end`.
    """
    found: list[Stretch] = []
    done = ""
    for number, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before, after = render(messages[:number], is_to_answer=True), render(messages[: number + 1], is_to_answer=False)
        if not before.startswith(done) or not after.startswith(before):
            raise ValueError("the chat template changes what stands before an answer: it cannot be learnt from at once")
        answer, found_end, _ = after.removeprefix(before).partition(end)
        if not found_end or answer != message["content"]:
            raise ValueError(f"the chat template does not keep an answer as it is: {answer[:60]!r}")
        found += [Stretch(before.removeprefix(done), is_learnt=False), Stretch(answer + end, is_learnt=True)]
        done = before + answer + end
    return tuple(found)


def row_of(parts: Sequence[Stretch], encode: Callable[[str], Sequence[int]]) -> Row:
    """Return the tokens of a conversation. Each stretch is encoded by itself, as it is when the model speaks."""
    tokens: list[int] = []
    is_learnt: list[bool] = []
    for part in parts:
        encoded = encode(part.text)
        tokens += encoded
        is_learnt += [part.is_learnt] * len(encoded)
    return Row(tuple(tokens), tuple(is_learnt))


def learnt_texts(row: Row, decode: Callable[[Sequence[int]], str]) -> list[str]:
    """Return what is learnt of a row, a text for each stretch, as its labels decode."""
    found: list[list[int]] = []
    was_learnt = False
    for token, is_learnt in zip(row.tokens, row.is_learnt, strict=True):
        if is_learnt and not was_learnt:
            found.append([])
        if is_learnt:
            found[-1].append(token)
        was_learnt = is_learnt
    return [decode(tokens) for tokens in found]


def common_prefix(rows: Sequence[Sequence[int]]) -> list[int]:
    """Return the tokens that all rows begin with; of each, at least the last token is left."""
    prefix: list[int] = []
    for tokens in zip(*(row[:-1] for row in rows), strict=False):
        if len(set(tokens)) > 1:
            break
        prefix.append(tokens[0])
    return prefix


def steps(rows: int, per_step: int, epochs: int, seed: int) -> list[list[int]]:
    """Return which rows each step of training takes, by their numbers: all of them in each epoch, in a drawn order."""
    draw = random.Random(seed)  # noqa: S311 - an order of rows, no secret
    planned = []
    for _ in range(epochs):
        order = list(range(rows))
        draw.shuffle(order)
        planned += [order[start : start + per_step] for start in range(0, rows, per_step)]
    return planned


def micro_batches(numbers: Sequence[int], lengths: Sequence[int], tokens: int) -> list[list[int]]:
    """Divide a step's rows into batches that memory holds, of rows that are about as long.

    Args:
        numbers: The rows of the step.
        lengths: The tokens of each row, of all that there are.
        tokens: So many a batch has at most, padding included; a row that is longer has one of its own.
    """
    batches: list[list[int]] = []
    for number in sorted(numbers, key=lambda each: (-lengths[each], each)):
        if batches and lengths[batches[-1][0]] * (len(batches[-1]) + 1) <= tokens:
            batches[-1].append(number)
        else:
            batches.append([number])
    return batches
