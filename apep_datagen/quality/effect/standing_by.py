"""Whether Ada stands by a value that is in her reply: it is not denied, not one of two, nor what she was never told.

"It isn't Basel", "it's Basel or Bern" and "you never told me. Basel." hold the answer, and none of them is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from apep_datagen.language.content import sentences
from apep_datagen.language.particulars import digits, names
from apep_datagen.language.spans import Span, first_span
from apep_datagen.language.values import tells
from apep_datagen.quality.admissions import denies_having, speaks_of_having

__all__ = ["only_rejected", "stood_by"]

_ARTICLES = r"(?:(?:a|an|the|on|at|in|to|with|by|called|named|your)\s+){0,2}"
# "It isn't Basel", "that was never called Bello"; but not "isn't it Basel?", "it isn't only Basel".
_IS_NOT = re.compile(
    rf"\b(?:(?:is|was|are|were)n['’]?t|(?:(?:is|was|are|were)|['’](?:s|re))\s+(?:\w+ly\s+)?(?:not|never))\s+{_ARTICLES}\Z",  # noqa: RUF001 - as typeset
    re.IGNORECASE,
)
# "Bern or Basel", "Bern. Or was it Basel?", "either Basel …".
_OR_IT = re.compile(
    rf"(?:\bor\s+(?:(?:was|is)\s+it\s+|(?:maybe|perhaps|possibly)\s+)?|\beither\s+){_ARTICLES}\Z", re.IGNORECASE
)
_OR_ANOTHER = re.compile(r"\A\s+or\s+(?P<other>[^,;:.!?…()]+)", re.IGNORECASE)
# "Anything but Basel", "you hate Basel".
_REJECTED = re.compile(
    r"(?:\b(?:any|every)thing\s+but|\byou\s+(?:\w+\s+)?(?:hate|loathe|detest|dislike|(?:can['’]?t|cannot)\s+(?:stand|bear)))"  # noqa: RUF001 - as typeset
    rf"\s+{_ARTICLES}\Z",
    re.IGNORECASE,
)


def stood_by(replies: Iterable[str], forms: tuple[str, ...], asked: str) -> bool:
    """Tell whether any of several replies tells a value and stands by it.

    Args:
        replies: What Ada says, exchange by exchange.
        forms: Spellings of the value. In other spellings it is taken to be stood by.
        asked: Words that speak of what it is the value of.
    """
    return any(_stands_by(reply, forms, asked) for reply in replies)


def only_rejected(text: str, forms: tuple[str, ...]) -> bool:
    """Tell whether a text names a thing, and each time as what is to be kept away or is not liked."""
    named = _named(text, forms)
    return bool(named) and all(_REJECTED.search(span.before) for span in named)


def _named(text: str, forms: tuple[str, ...]) -> list[Span]:
    """Return where a text names a value first in each sentence that does."""
    return [span for sentence in sentences(text) if (span := first_span(sentence, forms))]


def _stands_by(reply: str, forms: tuple[str, ...], asked: str) -> bool:
    if not tells(reply, forms, (asked,)):
        return False
    named = _named(reply, forms)
    if not named:
        return True
    if all(_IS_NOT.search(span.before) or _is_one_of_two(span, forms) for span in named):
        return False
    first = first_span(reply, forms)
    return first is None or speaks_of_having(reply) or not denies_having(first.before, asked)


def _is_one_of_two(span: Span, forms: tuple[str, ...]) -> bool:
    """Tell whether a value is offered beside another one; "16:50 or so" and "16:50 or ten to five" offer no other."""
    if _OR_IT.search(span.before) and not tells(span.before, forms):
        return True
    match = _OR_ANOTHER.match(span.after)
    if match is None or tells(match["other"], forms):
        return False
    return bool(names(f"or {match['other']}") or digits(match["other"]))
