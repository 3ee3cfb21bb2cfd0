"""The form of a conversation, as far as `read_sample` leaves it open: nothing is cut off, nothing is too long.

Where it cannot be told reliably how a text ends, it is taken as complete: an answer that its finish reason calls cut
off is not saved in the first place.
"""

from __future__ import annotations

from collections.abc import Sequence

from apep_datagen.conversation.preamble import is_announced
from apep_datagen.core.dialects import foreign_markup
from apep_datagen.core.messages import Ending, ending_of
from apep_datagen.core.repetition import repeated_words
from apep_datagen.core.words import shorten
from apep_datagen.language.endings import is_cut_off, promises_more
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample, SavedExchange

__all__ = ["LONGEST_QUESTION", "LONGEST_REPLY", "LONGEST_THINKING", "MOST_CALLS", "check"]

LONGEST_QUESTION = 4_000
"""Characters of a user's message."""
LONGEST_REPLY = 6_000
"""Characters of all that the user sees of one answer."""
LONGEST_THINKING = 8_000
"""Characters of the thinking in one turn."""
MOST_CALLS = 20
"""Calls in one turn."""

_EXCERPT_LENGTH = 60


def check(sample: Sample, finish_reasons: Sequence[str] = ()) -> Problem | None:
    """Return what is wrong with the form of a sample that was read, or None.

    Args:
        sample: The conversation.
        finish_reasons: What the provider said of Ada's turns, in order; empty where that is not known.
    """
    reasons = iter(finish_reasons)
    for exchange in sample.exchanges:
        # The turns of an exchange end with the one whose reply is looked at.
        last_reason = [next(reasons, "") for _ in exchange.turns][-1]
        is_said_to_be_whole = ending_of(last_reason) is Ending.WHOLE and bool(last_reason.strip())
        problem = _check_lengths(exchange) or _check_texts(exchange)
        problem = problem or _check_endings(exchange, is_said_to_be_whole=is_said_to_be_whole)
        if problem:
            return problem
    return None


def _check_lengths(exchange: SavedExchange) -> Problem | None:
    if len(exchange.question) > LONGEST_QUESTION:
        return _too_long("a user's message is too long", len(exchange.question), LONGEST_QUESTION)
    if len(exchange.reply) > LONGEST_REPLY:
        return _too_long("a reply is too long", len(exchange.reply), LONGEST_REPLY)
    for turn in exchange.turns:
        if len(turn.thinking) > LONGEST_THINKING:
            return _too_long("a thought is too long", len(turn.thinking), LONGEST_THINKING)
        if len(turn.calls) > MOST_CALLS:
            return Problem(Stage.FORM, "too many calls in one round", f"{len(turn.calls)} calls, {MOST_CALLS} at most")
    return None


def _too_long(reason: str, length: int, limit: int) -> Problem:
    return Problem(Stage.FORM, reason, f"{length} characters, {limit} at most")


def _check_texts(exchange: SavedExchange) -> Problem | None:
    """Look for what no person writes, whoever speaks."""
    thoughts = [turn.thinking for turn in exchange.turns]
    for text in (exchange.question, *thoughts, *(turn.reply for turn in exchange.turns)):
        if found := foreign_markup(text):
            return Problem(Stage.FORM, "a text holds markup that no person writes", shorten(found, _EXCERPT_LENGTH))
        if found := repeated_words(text):
            return Problem(Stage.FORM, "a text says the same again and again", shorten(found, _EXCERPT_LENGTH))
    # A reply may hand over a draft that was asked for, and announce it.
    for text in (exchange.question, *thoughts):
        if is_announced(text):
            return Problem(Stage.FORM, "a text is announced before it begins", shorten(text, _EXCERPT_LENGTH))
    return None


def _check_endings(exchange: SavedExchange, *, is_said_to_be_whole: bool) -> Problem | None:
    for turn in exchange.turns:
        if promises_more(turn.thinking):
            return _cut_off("a thought is cut off", turn.thinking)
    reply = exchange.turns[-1].reply
    if is_cut_off(reply, is_said_to_be_whole=is_said_to_be_whole):
        return _cut_off("a reply is cut off", reply)
    return None


def _cut_off(reason: str, text: str) -> Problem:
    return Problem(Stage.FORM, reason, text[-_EXCERPT_LENGTH:], text[-_EXCERPT_LENGTH:])
