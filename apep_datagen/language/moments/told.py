"""When a text says that something was told or written down: "you told me a week ago", "I have it, from the 15th"."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass

from apep_datagen.language.moments.clock import NUMBER, number
from apep_datagen.language.moments.names import MONTHS, WEEKDAYS, pattern, plain

__all__ = ["Past", "Telling", "tellings"]

_LONGEST_AGO = 366
# People say "last week" of the week before and of what is nearly a week ago.
_LONG_FOR_A_WEEK, _LONG_FOR_A_MONTH = 5, 20


@dataclass(frozen=True, slots=True)
class Past:
    """A day that has been, as far as a text says it; what it leaves open is None.

    Attributes:
        least, most: How many days ago.
        other: What has changed since: the `week`, the `month` or the `year`; or it is long enough ago for that.
        weekday: From Monday, 0.
        month: From January, 1.
        day: Of the month.
    """

    least: int = 0
    most: int = _LONGEST_AGO
    other: str = ""
    weekday: int | None = None
    month: int | None = None
    day: int | None = None

    @property
    def names_a_day(self) -> bool:
        """Whether it is said by the name of a day or a month, or by a date."""
        return self.weekday is not None or self.month is not None or self.day is not None

    def can_be(self, day: datetime.date, today: datetime.date) -> bool:
        """Tell whether it may be said of `day` on the day `today`."""
        return (
            self.least <= (today - day).days <= self.most
            and (not self.other or _has_changed(self.other, day, today))
            and self.weekday in {None, day.weekday()}
            and self.month in {None, day.month}
            and self.day in {None, day.day}
        )


def _has_changed(what: str, day: datetime.date, today: datetime.date) -> bool:
    if what == "week":
        return day.isocalendar()[:2] != today.isocalendar()[:2] or (today - day).days >= _LONG_FOR_A_WEEK
    if what == "month":
        return (day.year, day.month) != (today.year, today.month) or (today - day).days >= _LONG_FOR_A_MONTH
    return day.year != today.year


@dataclass(frozen=True, slots=True)
class Telling:
    """What a text says of when something was told or written down: the words, as they stand there, and the day."""

    words: str
    day: Past


_WEEKDAY, _MONTH = "|".join(WEEKDAYS), "|".join(MONTHS)
_AGO = (
    r"(?P<yesterday>yesterday|last night)|(?P<before>the day before yesterday)"
    rf"|(?P<count>{NUMBER}|a couple of|a few|some) (?P<unit>day|week|month)s? ago"
    r"|last (?P<last>week|month|year)"
)
_DATE = (
    rf"(?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<month>{_MONTH})"
    rf"|(?P<month2>{_MONTH}) (?:the )?(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\b|the (?P<day3>\d{{1,2}})(?:st|nd|rd|th)"
)
_OF_DAY = r"(?: (?:morning|afternoon|evening|night))?"
# "You told me Friday" may be what was told, so there it takes an "on" or a "last".
_WHEN = (
    rf"(?P<when>{_AGO}|(?:last|on) (?P<weekday>{_WEEKDAY}){_OF_DAY}|on (?:{_DATE})"
    rf"|(?:back )?in (?:early |late )?(?P<month3>{_MONTH}))"
)
_FROM_WHEN = (
    rf"(?P<when>{_AGO}|(?:last )?(?P<weekday>{_WEEKDAY}){_OF_DAY}|{_DATE}|(?:early |late )?(?P<month3>{_MONTH}))"
)
# Behind it begins something else; otherwise it is what was told that took place then.
_ENDS = (
    r"(?= ?(?:[.,;:!?…)\n-]|\Z)"
    r"| (?:and|when|while|with|before|after|so|because|between|already|that|about|as|right|in between)\b)"
)
_AT = r"(?: (?:only|just|already|back|once))*"
_IT = r"(?: (?:me|it|so|this|him|her|them|to me|(?:about|of) (?:it|this|him|her|them)))*"
_AWAY = r"(?: (?:it|this|them|him|her|about (?:it|them)|down|away|in|into|my|diary|memory|there|here|for you|page|a))*"
_FORMS = (
    pattern(
        rf"\byou(?:'d|'ve| had| have)? (?:told|mentioned|said|wrote|shared|confided|gave){_IT}{_AT},? {_WHEN}{_ENDS}"
    ),
    pattern(
        rf"\bi(?:'d|'ve| had| have)? (?:wrote|written|noted|kept|put|saved|stored|jotted){_AWAY}{_AT},?"
        rf" {_WHEN}{_ENDS}"
    ),
    pattern(
        r"\b(?:(?:have|got) (?:it|them|him|her|this|the page|the note|the line)"
        r"|(?:it|he|she)(?:'s| is)(?: all| still)? (?:here|there)|(?:here|there) (?:(?:it|he|she) is|they are)"
        rf"|(?:the|my|a) (?:page|note)|the (?:line|entry))(?: (?:again|still|all|is))*,?"
        rf" (?:it's |it is )?(?:from|dated) {_FROM_WHEN}{_ENDS}"
    ),
    pattern(rf"(?:\A|[.!?…,;\n] ?|\b(?:and|it was) ){_WHEN},? (?:that )?you (?:told|mentioned|wrote|confided)\b"),
)
_DENIED = re.compile(r"\b(?:not|never|didn't|don't|haven't|hadn't|if|whether|when|maybe|perhaps|wasn't)\b")
_ENOUGH_TO_DENY = 30


def tellings(text: str) -> Iterator[Telling]:
    """Yield what a text says of when something was told or written down; what is denied or asked is left out."""
    said = plain(text)
    for form in _FORMS:
        for match in form.finditer(said):
            if not _DENIED.search(said, max(0, match.start() - _ENOUGH_TO_DENY), match.end()):
                yield Telling(text[match.start("when") : match.end("when")], _past(match))


_UNITS = {"day": 1, "week": 7, "month": 30.4}
# So many days are counted; what is more is guessed.
_COUNTED_DAYS = 3
_COUNTS = {"a couple of": 2, "a few": 3, "some": 3}
_LASTS = {"week": 14, "month": 62, "year": 730}


def _past(match: re.Match[str]) -> Past:
    """Return the day that was said; people round, so what is near is meant too."""
    if match["yesterday"]:
        return Past(1, 1)
    if match["before"]:
        return Past(2, 2)
    if match["count"]:
        return _ago(match["count"], match["unit"])
    if match["last"]:
        return Past(1, _LASTS[match["last"]], match["last"])
    if match["weekday"]:
        return Past(0, 14, weekday=WEEKDAYS[match["weekday"]])
    month = match["month"] or match["month2"] or match["month3"]
    day = match["day"] or match["day2"] or match["day3"]
    return Past(month=MONTHS[month] if month else None, day=int(day) if day else None)


def _ago(count: str, unit: str) -> Past:
    is_vague = count in _COUNTS
    days = (_COUNTS[count] if is_vague else number(count)) * _UNITS[unit]
    if unit == "day" and not is_vague and days <= _COUNTED_DAYS:
        return Past(int(days), int(days))
    slack = max(_UNITS[unit] * (2 if is_vague else 0.6), days / 3)
    return Past(max(0, int(days - slack)), int(days + slack) + 1)
