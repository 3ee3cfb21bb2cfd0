"""What becomes of Ada's thoughts when they are to be rewritten.

Each is saved as rewritten, or as it was where that is worse. Where all thoughts of an exchange are a person's own
already, nobody is asked (`is_left_out`); that this was so is recorded, so a later version that sees it otherwise
rebuilds the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from apep_datagen.conversation.brief import Rewrites
from apep_datagen.conversation.comparison import Scene, shortcoming
from apep_datagen.conversation.own_voice import is_own_voice
from apep_datagen.conversation.rewritten_parts import read_parts
from apep_datagen.conversation.shortcoming import Shortcoming
from apep_datagen.conversation.state import Conversation, Exchange, Turn
from apep_datagen.core.calls import ToolCall, texts_in
from apep_datagen.core.markup import call_block, result_block

__all__ = [
    "LONGEST_REWRITE",
    "NOT_NEEDED",
    "NO_ANSWER",
    "Place",
    "is_left_out",
    "leave_out",
    "rewrite",
    "with_originals",
]

Place = tuple[int, int]
"""Where a thought stands: the number of its exchange and of the thought in it, from 0."""

NO_ANSWER = "no answer"
"""The finish reason of a rewrite or a review that was asked for and never answered with use; its text is empty."""

NOT_NEEDED = "not needed"
"""The finish reason of a rewrite that nobody was asked for; its text is empty. Also why its thoughts stay."""

LONGEST_REWRITE = 100_000
"""Characters of what a rewriter may answer, many times what can be of use."""


def is_left_out(exchange: Exchange, rewrites: Rewrites) -> bool:
    """Tell whether nobody is to be asked to rewrite the thoughts of an exchange.

    Args:
        exchange: The exchange, with all of Ada's turns.
        rewrites: As of the conversation's `Brief`.
    """
    return rewrites == "never" or (rewrites == "needed" and all(map(is_own_voice, exchange.thoughts)))


def leave_out(exchange: Exchange) -> Exchange:
    """Return an exchange whose thoughts stay as they are, because nobody was asked to rewrite them."""
    thoughts = exchange.thoughts
    return replace(exchange, rewritten=thoughts, kept=(NOT_NEEDED,) * len(thoughts))


def with_originals(conversation: Conversation, places: Iterable[Place]) -> Conversation:
    """Return a conversation with the original thoughts at some places, because what was rewritten there is rejected.

    Raises:
        IndexError: There is no such thought.
    """
    exchanges = list(conversation.exchanges)
    for number, index in places:
        exchange = exchanges[number]
        rewritten, kept = list(exchange.rewritten or exchange.thoughts), list(exchange.kept)
        rewritten[index], kept[index] = exchange.thoughts[index], Shortcoming.REJECTED.value
        exchanges[number] = replace(exchange, rewritten=tuple(rewritten), kept=tuple(kept))
    return replace(conversation, exchanges=tuple(exchanges))


def rewrite(exchange: Exchange, text: str, *, is_whole: bool, before: Sequence[str] = ()) -> Exchange:
    """Return an exchange with its thoughts rewritten.

    Never raises, whatever the rewriter wrote.

    Args:
        exchange: The exchange, with all of Ada's turns.
        text: The rewriter's answer.
        is_whole: Whether the provider says that it ends where the model ended it.
        before: What Ada had before her when the exchange began: the system prompt, and what was said until then.
    """
    thoughts = exchange.thoughts
    if not text and not is_whole:
        parts: tuple[str | Shortcoming, ...] = (Shortcoming.NO_ANSWER,) * len(thoughts)
    elif len(text) > LONGEST_REWRITE:
        parts = (Shortcoming.TOO_LONG,) * len(thoughts)
    else:
        parts = read_parts(thoughts, text, is_whole=is_whole)
    rewritten: list[str] = []
    kept: list[str] = []
    for thought, part, scene in zip(thoughts, parts, _scenes(exchange, before), strict=True):
        why = part if isinstance(part, Shortcoming) else shortcoming(thought, part, scene)
        rewritten.append(part if why is None else thought)
        kept.append("" if why is None else why.value)
    return replace(exchange, rewritten=tuple(rewritten), kept=tuple(kept))


def _scenes(exchange: Exchange, before: Sequence[str]) -> Iterator[Scene]:
    """Yield in what situation each thought was thought."""
    seen = [*before, exchange.question]
    for place, turn in enumerate(exchange.turns):
        results = [result_block(result) for result in turn.results]
        if turn.answer.thinking:
            later = exchange.turns[place + 1 :]
            found = [*results, *(result_block(result) for other in later for result in other.results)]
            yield Scene(
                question=exchange.question,
                before="\n".join(seen),
                arguments=tuple(_arguments(turn)),
                has_calls=bool(turn.answer.calls),
                found_later="\n".join(found),
                thought_later="\n".join(other.answer.thinking for other in later),
            )
        seen += [turn.answer.thinking, *map(call_block, turn.answer.calls), *results]


def _arguments(turn: Turn) -> Iterator[str]:
    """Yield the texts and numbers that are handed to the tools which a turn calls."""
    for call in turn.answer.calls:
        if isinstance(call, ToolCall):
            arguments = [*call.arguments.values(), *call.positional]
            yield from texts_in(arguments)
            yield from (
                str(item)
                for value in arguments
                for item in (value if isinstance(value, list) else [value])
                if isinstance(item, int)
            )
