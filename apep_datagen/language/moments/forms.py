"""What a form of speaking of the present is made of: where it may begin, what it looks like, what it says.

Forms are matched against plain texts (`names.plain`), which are in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from apep_datagen.language.moments.names import Time, beginning_of_clause

__all__ = [
    "AGAIN",
    "ANY_NUMBER",
    "ENDS",
    "ITS",
    "Certainty",
    "Form",
    "always",
    "at",
    "at_beginning",
    "at_clause",
    "at_clause_with",
    "at_its",
    "if_now",
    "if_this",
]

ANY_NUMBER = "0"
"""Stands in `Form.echoes` for any number in digits."""


class Certainty(Enum):
    """How surely words speak of the present.

    `PLAIN`: they can mean nothing else ("today is Tuesday"). `UNPROMPTED`: unless such a time was spoken of before,
    of which they may go on speaking ("it's Tuesday", of an examination). `SCENE`: they may also paint a scene, so they
    count only where somebody speaks of nothing but what is ("it's late", in a thought).
    """

    PLAIN = "plain"
    UNPROMPTED = "unprompted"
    SCENE = "scene"


_Match = re.Match[str]


@dataclass(frozen=True, slots=True)
class Form:
    """One way to speak of the present.

    Attributes:
        places: Where in a plain text it may begin.
        found: What it looks like from there on.
        time: Reads it; None where it is no time.
        certainty: How surely it is the present.
        echoes: Words of which a text has one that speaks of such a time, so that another may go on speaking of it.
    """

    places: Callable[[str], Iterable[int]]
    found: re.Pattern[str]
    time: Callable[[_Match], Time | None]
    certainty: Callable[[_Match], Certainty]
    echoes: frozenset[str] = frozenset()


# ---------------------------------------------------------------------------------------------------- where they begin


def _occurrences(text: str, pieces: Iterable[str]) -> Iterable[int]:
    for piece in pieces:
        place = text.find(piece)
        while place >= 0:
            if place == 0 or not text[place - 1].isalnum():
                yield place
            place = text.find(piece, place + 1)


def at(*pieces: str) -> Callable[[str], Iterable[int]]:
    """Return what finds where one of the pieces stands."""
    return lambda text: _occurrences(text, pieces)


def at_clause(*pieces: str) -> Callable[[str], Iterable[int]]:
    """Return what finds where a part of a sentence begins with one of the pieces."""
    return lambda text: (place for place in _occurrences(text, pieces) if _begins_clause(text, place))


def _begins_clause(text: str, place: int) -> bool:
    return not text[beginning_of_clause(text, place) : place].strip()


def at_clause_with(*pieces: str) -> Callable[[str], Iterable[int]]:
    """Return what finds where a part of a sentence begins that has one of the pieces in it."""

    def places(text: str) -> Iterable[int]:
        for place in _occurrences(text, pieces):
            begin = beginning_of_clause(text, place)
            yield begin + len(text[begin:place]) - len(text[begin:place].lstrip())

    return places


def at_beginning(text: str) -> Iterable[int]:
    """Return the beginning of a text."""
    return (0,) if text else ()


# ------------------------------------------------------------------------------------------------- what several contain


def always(certainty: Certainty) -> Callable[[_Match], Certainty]:
    """Return what finds every match as certain as that."""
    return lambda _: certainty


ITS = r"(?:it's|it is|'tis)"
at_its = at("it's", "it is", "'tis")
AGAIN = r"(?: (?:now|only|just|already|still|finally|really|so|very|getting|quite|rather|pretty|terribly|a bit))*"
# Those of them that say that it is so at present.
_NOW_WORDS = frozenset({"now", "only", "just", "already", "still", "finally", "nearly", "almost", "here"})
# Behind it nothing follows of which the time would only be a part: "it's Tuesday that", "it's March hares".
ENDS = (
    r"(?= ?(?:[.,;:!?…)\n-]|\Z)"
    r"| (?:and|so|but|today|tonight|again|here|now|already|too|anyway|after all|for them|for you)\b)"
)


def if_now(match: _Match) -> Certainty:
    """Return how certain words are that may paint a scene, unless they say that it is so now."""
    return Certainty.SCENE if _NOW_WORDS.isdisjoint(match[0].split()) else Certainty.UNPROMPTED


def if_this(match: _Match) -> Certainty:
    """Return how certain words are that mean the present where they begin with "this"."""
    return Certainty.PLAIN if match[0].startswith("this") else Certainty.SCENE
