"""What a text says of the time at which it is said: that it is Tuesday, March, late at night, ten past one.

Only what speaks of the present is read, in the few forms in which that is beyond doubt (`language.present_forms`). What
is quoted, supposed ("if it's Friday"), usual ("on Mondays", "every morning") or told of another time is left out, and
where a form can mean several times, any of them will do. English alone is known; of other languages nothing is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from apep_datagen.language.present_forms import FORMS, Certainty
from apep_datagen.language.times import Time, beginning_of_sentence, plain

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
    """

    words: str
    time: Time
    certainty: Certainty
    echoes: frozenset[str]
    is_first: bool


# What is supposed, compared, told, usual or denied is not now; nor is what is so elsewhere.
_NOT_NOW = re.compile(
    r"\b(?:if|when|whenever|unless|until|till|once|imagine|imagining|suppose|pretend|pretending|like|as|wish|by|before"
    r"|after|where|wherever|somewhere|elsewhere|thought|thinks|dreamed|dreamt|said|says|then|suddenly|whether|would|was"
    r"|were|had|every|always|not|isn't|sometimes|usually|mostly|because|forget|forgot|whose|story)\b"
)


def present_times(text: str) -> Iterator[Present]:
    """Yield what a text says of the time at which it is said."""
    said = plain(text)
    places: dict[object, tuple[int, ...]] = {}
    for form in FORMS:
        if form.places not in places:
            places[form.places] = tuple(form.places(said))
        for place in places[form.places]:
            match = form.found.match(said, place)
            if match is None or _NOT_NOW.search(said, beginning_of_sentence(said, place), place):
                continue
            if (time := form.time(match)) is not None:
                is_first = not any(character.isalnum() for character in said[:place])
                yield Present(text[place : match.end()].strip(), time, form.certainty(match), form.echoes, is_first)
