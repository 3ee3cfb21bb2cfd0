"""When a text says that something was told or written down: "you told me three weeks ago", "I have it, from the 15th"."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass

from apep_datagen.language.clock import NUMBER, number
from apep_datagen.language.times import MONTHS, WEEKDAYS, pattern, plain

__all__ = ["Past", "Telling", "tellings"]

_LONGEST_AGO = 366


@dataclass(frozen=True, slots=True)
class Past:
    """A day that has been, as far as a text says it; what it leaves open is None.

    Attributes:
        least, most: How many days ago.
        weekday: From Monday, 0.
        month: From January, 1.
        day: Of the month.
    """

    least: int = 0
    most: int = _LONGEST_AGO
    weekday: int | None = None
    month: int | None = None
    day: int | None = None

    def can_be(self, day: datetime.date, today: datetime.date) -> bool:
        """Tell whether it may be said of `day` on the day `today`."""
        return (
            self.least <= (today - day).days <= self.most
            and self.weekday in {None, day.weekday()}
            and self.month in {None, day.month}
            and self.day in {None, day.day}
        )


@dataclass(frozen=True, slots=True)
class Telling:
    """What a text says of when something was told or written down: the words, as they stand there, and the day."""

    words: str
    day: Past


_WHEN = (
    r"(?P<when>(?P<yesterday>yesterday|last night)|(?P<before>the day before yesterday)"
    rf"|(?P<count>{NUMBER}|a couple of|a few|some) (?P<unit>day|week|month)s? ago"
    r"|last (?P<last>week|month|year)"
    rf"|(?:last |on )?(?P<weekday>{'|'.join(WEEKDAYS)})(?: (?:morning|afternoon|evening|night))?"
    rf"|(?:on )?(?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<month>{'|'.join(MONTHS)})"
    rf"|(?:on )?(?P<month2>{'|'.join(MONTHS)}) (?:the )?(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\b"
    r"|(?:on )?the (?P<day3>\d{1,2})(?:st|nd|rd|th)"
    rf"|(?:back )?in (?:early |late )?(?P<month4>{'|'.join(MONTHS)}))"
)
# Behind it begins something else: else it is what was told that took place then.
_ENDS = r"(?= ?(?:[.,;:!?…)\n-]|\Z)| (?:and|when|while|with|before|after|so|because|between|already|that|about|as|right|in between)\b)"
_AT = r"(?: (?:only|just|already|back|once|as late as))*"
_FORMS = (
    pattern(
        r"\byou(?:'d|'ve| had| have)? (?:told|mentioned|said|wrote|shared|confided|gave)"
        rf"(?: (?:me|it|so|this|to me|about it|of it|about them|about this|him|her|them))*{_AT},? {_WHEN}{_ENDS}"
    ),
    pattern(
        r"\bi(?:'d|'ve| had| have)? (?:wrote|written|noted|kept|put|saved|stored|jotted)"
        r"(?: (?:it|this|them|him|her|about it|of it|about them|down|away|in|into|my|diary|memory|there|here|for you|page|a))*"
        rf"{_AT},? {_WHEN}{_ENDS}"
    ),
    pattern(
        r"\b(?:(?:have|got) (?:it|them|him|her|this|the page|the note|the line)|(?:it|he|she)(?:'s| is)(?: all| still)? (?:here|there)"
        r"|(?:here|there) (?:it|he|she) is|(?:here|there) they are|the page|my page|a page|the note|my note|a note|the line"
        rf"|the entry)(?: (?:again|still|all|is))*,? (?:it's |it is )?(?:from|dated|of) {_WHEN}{_ENDS}"
    ),
    pattern(rf"(?:\A|[.!?…,;\n] ?|\b(?:and|it was) ){_WHEN},? (?:that )?you (?:told|mentioned|wrote|confided)\b"),
)
_DENIED = re.compile(
    r"\b(?:not|never|didn't|don't|haven't|hadn't|if|whether|when|maybe|perhaps|wasn't)\b", re.IGNORECASE
)
_ENOUGH_TO_DENY = 30


def tellings(text: str) -> Iterator[Telling]:
    """Yield what a text says of when something was told or written down; what is denied or asked is left out."""
    said = plain(text)
    for form in _FORMS:
        for match in form.finditer(said):
            if not _DENIED.search(said, max(0, match.start() - _ENOUGH_TO_DENY), match.end()):
                yield Telling(text[match.start("when") : match.end("when")], _past(match))


_UNITS = {"day": 1, "week": 7, "month": 30.4}
_COUNTS = {"a couple of": 2, "a few": 3, "some": 3}
_LASTS = {"week": (2, 14), "month": (4, 62), "year": (15, 730)}


def _past(match: re.Match[str]) -> Past:
    """Return the day that was said; people round, so what is near is meant too."""
    if match["yesterday"]:
        return Past(1, 1)
    if match["before"]:
        return Past(2, 2)
    if match["count"]:
        return _ago(match["count"], match["unit"])
    if match["last"]:
        return Past(*_LASTS[match["last"]])
    if match["weekday"]:
        return Past(0, 14, weekday=WEEKDAYS[match["weekday"]])
    month = match["month"] or match["month2"] or match["month4"]
    day = match["day"] or match["day2"] or match["day3"]
    return Past(month=MONTHS[month] if month else None, day=int(day) if day else None)


def _ago(count: str, unit: str) -> Past:
    is_vague = count in _COUNTS
    days = (_COUNTS[count] if is_vague else number(count)) * _UNITS[unit]
    slack = max(_UNITS[unit] * (2 if is_vague else 0.6), days / 3) if unit != "day" or is_vague or days > 3 else 0  # noqa: PLR2004 - up to three days are counted, not guessed
    return Past(max(0, int(days - slack)), int(days + slack + 0.5))
