"""Rows that are exchanges of one conversation, with what was before as context, put together again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from apep_datagen.core.markup import parse_answer
from apep_datagen.core.messages import Message
from apep_datagen.formats.example import Counts, Example, count

__all__ = ["Joined", "joined"]


@dataclass(frozen=True, slots=True)
class Joined:
    """A conversation, of one row or of several.

    Attributes:
        place: Where the first of them is.
        messages: All of them.
        counts: What the rows hold, without what a row repeats of those before.
        has_context_alone: Whether an answer of Ada's is context in them, so not to be learnt, and no row teaches it.
        rows: How many there are.
    """

    place: str
    messages: tuple[Message, ...]
    counts: Counts
    rows: int = 1
    has_context_alone: bool = False


def joined(rows: Iterable[tuple[str, Example]]) -> Iterator[Joined]:
    """Yield the conversations that rows are, in order.

    A row goes on with the one before where it has context, and begins with all that the one before had. What its
    context has no thoughts of has those of the earlier rows. One whose beginning does not stand before it is a
    conversation by itself, with its context.

    Args:
        rows: Where each is, and what it says.
    """
    before: Joined | None = None
    for place, example in rows:
        merged = _merged(before.messages, example) if before else None
        if before and merged:
            added = merged[len(before.messages) :]
            alone = before.has_context_alone or _answers_in(example.context, merged, len(before.messages))
            before = Joined(before.place, merged, before.counts + count(added), before.rows + 1, alone)
            continue
        if before:
            yield before
        alone = _answers_in(example.context, example.messages)
        before = Joined(place, example.messages, count(example.messages), has_context_alone=alone)
    if before:
        yield before


def _answers_in(context: int, messages: Sequence[Message], start: int = 0) -> bool:
    """Tell whether Ada answers in what of so much context stands behind `start`."""
    return any(message.role == "assistant" for message in messages[start:context])


def _merged(before: Sequence[Message], example: Example) -> tuple[Message, ...] | None:
    """Return the messages of a row, with the thoughts of those before, if it goes on with them."""
    after = example.messages
    if not example.context or len(before) >= len(after):
        return None
    shared: list[Message] = []
    for earlier, later in zip(before, after, strict=False):
        message = _same(earlier, later)
        if message is None:
            return None
        shared.append(message)
    return (*shared, *after[len(before) :])


def _same(earlier: Message, later: Message) -> Message | None:
    """Return the message that two are, of which one may lack its thought; None if they are two."""
    if earlier == later:
        return earlier
    if earlier.role != "assistant" or later.role != "assistant":
        return None
    first, second = parse_answer(earlier.content), parse_answer(later.content)
    if (first.thinking and second.thinking) or (first.reply, first.calls) != (second.reply, second.calls):
        return None
    return earlier if first.thinking else later
