"""The form of a conversation, as far as `read_sample` leaves it open: nothing is cut off, nothing is too long.

How a text ends is judged by its last character. Where that cannot be told reliably, the text is taken as complete: a
cut-off answer is also recognised by its finish reason, before anything is saved.
"""

from __future__ import annotations

import re
import unicodedata

from apep_datagen.conversation.preamble import is_announced
from apep_datagen.core.dialects import foreign_markup
from apep_datagen.core.repetition import repeated_words
from apep_datagen.core.words import shorten
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample, SavedExchange, SavedTurn

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

_COMMAS = frozenset(",،、，﹐;؛；﹔")  # noqa: RUF001 - the commas and semicolons of several scripts
_COLONS = frozenset(":：﹕")  # noqa: RUF001 - and their colons
# The same mark opens and closes; it opens where white space stands before it.
_TWO_SIDED_MARKS = frozenset("\"'`*_")
# A sad face ends in an opening bracket, a laughing one in a letter, a heart in a digit.
_EMOTICON = re.compile(
    r"(?:(?:\A|[\s\w.!?…*)])(?:[:;=][-^o']?[()\[\]{}DPpOo3sSxX/\\|*<>]|<3+)|(?:\A|[\s.!?…])(?:[xX][DP(]|[oO]_[oO]))\Z"
)
_LONGEST_EMOTICON = 8
_LIST_MARK_ALONE = re.compile(r"(?:\A|\n)[ \t]*(?:[-*•]|\d+[.)])\Z")
_ADDRESS = re.compile(r"(?:\A|[(<])(?:https?://|www\.)\S")
_CODE_FENCE = re.compile(r"^[ \t]*```", re.MULTILINE)
# Behind an emoji: how it is to be drawn, and what joins it to others.
_VARIATION_SELECTORS = frozenset("\ufe0e\ufe0f")
# Their sentences end without a mark.
_SCRIPTS_WITHOUT_MARKS = ("THAI ", "LAO ")


def check(sample: Sample) -> Problem | None:
    """Return what is wrong with the form of a sample that was read, or None."""
    for exchange in sample.exchanges:
        problem = _check_lengths(exchange) or _check_texts(exchange) or _check_endings(exchange)
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


def _check_endings(exchange: SavedExchange) -> Problem | None:
    for turn in exchange.turns:
        if _thinking_is_cut_off(turn):
            return Problem(Stage.FORM, "a thought is cut off", turn.thinking[-_EXCERPT_LENGTH:])
    reply = exchange.turns[-1].reply
    if _is_cut_off(reply):
        return Problem(Stage.FORM, "a reply is cut off", reply[-_EXCERPT_LENGTH:])
    return None


def _thinking_is_cut_off(turn: SavedTurn) -> bool:
    """Thoughts may trail off; but a comma, a colon or an opening bracket has something behind it."""
    text = turn.thinking.rstrip()
    if _EMOTICON.search(text[-_LONGEST_EMOTICON:]):
        return False
    last = text[-1:]
    return last in _COMMAS | _COLONS or _is_opening_bracket(last)


def _is_cut_off(text: str) -> bool:
    """Tell whether a text ends in the middle of something.

    An emoji, a closing mark and every mark that ends a sentence, in any script, are ends. A letter or a digit is none,
    unless the line before ends without a mark as well (a list, a poem) or it belongs to an address.
    """
    text = _without_selectors(text.rstrip())
    if not text or _LIST_MARK_ALONE.search(text) or len(_CODE_FENCE.findall(text)) % 2:
        return True
    if _EMOTICON.search(text[-_LONGEST_EMOTICON:]):
        return False
    if _is_word_character(text[-1]):
        last_line = text[text.rfind("\n") + 1 :]
        return not (
            _ends_without_mark(text[-1]) or _ADDRESS.search(last_line.split()[-1]) or _line_before_is_bare(text)
        )
    return _promises_more(text)


def _promises_more(text: str) -> bool:
    """Tell whether the mark at the end of `text` has to have something behind it."""
    last, before = text[-1], text[-2:-1]
    category = unicodedata.category(last)
    if last in _COMMAS:
        return not (last == ";" and unicodedata.name(before or " ", "").startswith("GREEK "))  # their question mark
    if last in _TWO_SIDED_MARKS or category == "Pi":
        emphasised = text.rstrip("*_")[-1:]
        return not before or before.isspace() or emphasised in _COLONS or emphasised in _COMMAS
    if category == "Pd":
        behind = text[:-1].rstrip()[-1:]
        return not behind or _is_word_character(behind) or behind in _COMMAS
    return last in _COLONS or category == "Ps"


def _without_selectors(text: str) -> str:
    end = len(text)
    while end and (text[end - 1] in _VARIATION_SELECTORS or unicodedata.category(text[end - 1]) == "Cf"):
        end -= 1
    return text[:end].rstrip()


def _is_word_character(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] == "L" or category in ("Nd", "Mn", "Mc")


def _ends_without_mark(character: str) -> bool:
    return unicodedata.name(character, "").startswith(_SCRIPTS_WITHOUT_MARKS)


def _line_before_is_bare(text: str) -> bool:
    """Tell whether the last line but one that is not empty ends in a letter or a digit as well."""
    before = _without_selectors(text.rpartition("\n")[0].rstrip())
    return bool(before) and _is_word_character(before[-1])


def _is_opening_bracket(character: str) -> bool:
    return bool(character) and unicodedata.category(character) == "Ps"
