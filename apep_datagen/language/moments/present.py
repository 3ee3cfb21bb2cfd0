"""What a text says of the time at which it is said: that it is Tuesday, March, late at night, ten past one.

Only what speaks of the present is read, in the few forms in which that is beyond doubt (`days`, `hours`). What is
quoted, supposed ("if it's Friday"), usual ("on Mondays", "every morning") or told of another time is left out, and
where a form can mean several times, any of them will do. English alone is known; of other languages nothing is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from apep_datagen.language.moments.days import DAY_FORMS
from apep_datagen.language.moments.forms import Certainty
from apep_datagen.language.moments.hours import HOUR_FORMS
from apep_datagen.language.moments.names import Time, beginning_of_sentence, plain

__all__ = ["Present", "present_times"]


@dataclass(frozen=True, slots=True)
class Present:
    """What a text says of the present.

    Attributes:
        words: As they stand in the text.
        time: What they say.
        certainty: How surely.
        echoes: Words, as `core.words.words` spells them, of which a text has one that speaks of such a time.
        is_first: Whether nothing was said before.
        is_addressed: Whether the sentence speaks to somebody, or of here and now.
    """

    words: str
    time: Time
    certainty: Certainty
    echoes: frozenset[str]
    is_first: bool
    is_addressed: bool


# What is supposed, compared, told, usual or denied is not now; nor is what is so elsewhere.
_NOT_NOW = re.compile(
    r"\b(?:if|when|whenever|unless|until|till|once|imagine|imagining|suppose|pretend|pretending|like|as|wish|by|before"
    r"|after|where|wherever|somewhere|elsewhere|thought|thinks|dreamed|dreamt|said|says|then|suddenly|whether|would|was"
    r"|were|had|every|always|not|isn't|sometimes|usually|mostly|because|forget|forgot|whose|story|in|there)\b"
)


_ADDRESSED = re.compile(r"\b(?:you|your|yours|you're|you've|we|us|our|here|now|already|today|still)\b")
_SENTENCE_END = re.compile(r"[.!?…\n]")


def present_times(text: str) -> Iterator[Present]:
    """Yield what a text says of the time at which it is said."""
    said = plain(text)
    places: dict[object, tuple[int, ...]] = {}
    for form in (*DAY_FORMS, *HOUR_FORMS):
        if form.places not in places:
            places[form.places] = tuple(form.places(said))
        for place in places[form.places]:
            match = form.found.match(said, place)
            if match is None or _NOT_NOW.search(said, beginning_of_sentence(said, place), place):
                continue
            if (time := form.time(match)) is not None:
                is_first = not any(character.isalnum() for character in said[:place])
                is_addressed = _ADDRESSED.search(
                    said, beginning_of_sentence(said, place), _end_of_sentence(said, place)
                )
                found = text[place : match.end()].strip()
                yield Present(found, time, form.certainty(match), form.echoes, is_first, is_addressed is not None)


def _end_of_sentence(text: str, place: int) -> int:
    match = _SENTENCE_END.search(text, place)
    return match.start() if match else len(text)
