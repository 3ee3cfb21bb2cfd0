"""What becomes of Ada's thoughts that were rewritten: each is saved as rewritten, or as it was where that is worse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from apep_datagen.conversation.comparison import Scene, shortcoming
from apep_datagen.conversation.rewritten_parts import read_parts
from apep_datagen.conversation.shortcoming import Shortcoming
from apep_datagen.conversation.state import Exchange, Turn
from apep_datagen.core.calls import ToolCall, texts_in
from apep_datagen.core.markup import call_block, result_block

__all__ = ["LONGEST_REWRITE", "NO_ANSWER", "rewrite"]

NO_ANSWER = "no answer"
"""The finish reason of a rewrite that the rewriter did not answer; its text is empty."""

LONGEST_REWRITE = 100_000
"""Characters of what a rewriter may answer, many times what can be of use."""


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
