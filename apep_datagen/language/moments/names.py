"""Times of day, days and months, as far as a text says them, and texts as they are searched for them."""

from __future__ import annotations

import datetime
import functools
import re
import string
from dataclasses import dataclass

from apep_datagen.core.words import words
from apep_datagen.language.moments.clock import DAY, HOUR

__all__ = [
    "MONTHS",
    "NIGHT_ENDS",
    "WEEKDAYS",
    "Time",
    "beginning_of_clause",
    "beginning_of_sentence",
    "pattern",
    "plain",
]

WEEKDAYS = {
    name: number for number, name in enumerate(words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"))
}
"""The names of the days of the week, with their number from Monday, 0."""
MONTHS = {
    name: number
    for number, name in enumerate(
        words("January February March April May June July August September October November December"), start=1
    )
}
"""The names of the months, with their number."""

NIGHT_ENDS = 5
"""Until this hour people count the night to the day before."""
# Around the turn of a month, its neighbour is said too.
_TURN_OF_MONTH = datetime.timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day, a day or a month, as far as a text says it; what it leaves open is None or empty.

    Attributes:
        minutes: Stretches of the day, one of which is meant, in minutes from midnight; an end may lie outside it.
        weekdays: From Monday, 0; one of them is meant.
        months: From January, 1; one of them is meant.
        day: Of the month.
        year: With its century.
        ahead: How many days it is from the day on which it is said to the one that is meant.
    """

    minutes: tuple[tuple[int, int], ...] = ()
    weekdays: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    day: int | None = None
    year: int | None = None
    ahead: int = 0

    def fits(self, moment: datetime.datetime, slack: int = 0) -> bool:
        """Tell whether it may be said at `moment`; with `slack`, also so many minutes off."""
        minute = moment.hour * HOUR + moment.minute
        around = (minute - DAY, minute, minute + DAY)
        if self.minutes and not any(low - slack <= at <= high + slack for low, high in self.minutes for at in around):
            return False
        days = [moment + datetime.timedelta(days=self.ahead)]
        if moment.hour < NIGHT_ENDS:
            days.append(days[0] - datetime.timedelta(days=1))
        return any(self._fits_day(day) for day in days)

    def _fits_day(self, day: datetime.datetime) -> bool:
        months = {day.month}
        if self.day is None:
            months |= {(day - _TURN_OF_MONTH).month, (day + _TURN_OF_MONTH).month}
        return (
            (not self.weekdays or day.weekday() in self.weekdays)
            and (not self.months or not self.months.isdisjoint(months))
            and self.day in {None, day.day}
            and self.year in {None, day.year}
        )


# Each is replaced by one character, so that places stay.
_PLAIN = str.maketrans(
    {"’": "'", "*": " ", "_": " ", "~": " ", "`": " ", "\t": " ", "–": "-", "—": "-"}  # noqa: RUF001 - as typeset
    | {letter: letter.lower() for letter in string.ascii_uppercase}
)
_QUOTED = re.compile(
    r"\"[^\"]*(?:\"|\Z)|“[^”]*(?:”|\Z)|«[^»]*(?:»|\Z)|‘[^’]*’(?!\w)|(?<!\w)'[^'\n]*'(?!\w)"  # noqa: RUF001 - as typeset
)
_QUOTES = "\"“«‘'"  # noqa: RUF001 - as typeset
_SENTENCE_END = re.compile(r"[.!?…\n]")
_CLAUSE_END = re.compile(r"[.!?…\n,;:-] *(?:(?:and|but|so) )?|\b(?:and|but) ")
_LONGEST_LOOK_BACK = 200


@functools.lru_cache(maxsize=32)
def plain(text: str) -> str:
    """Return a text in lower case without what is quoted in it and without markup; characters keep their places."""
    text = text.translate(_PLAIN)
    if not any(mark in text for mark in _QUOTES):
        return text
    return _QUOTED.sub(lambda match: "\x01" * len(match[0]), text)


def beginning_of_sentence(text: str, place: int) -> int:
    """Return where the sentence begins in which `place` lies, or what of it is near."""
    return _last_end(_SENTENCE_END, text, place)


def beginning_of_clause(text: str, place: int) -> int:
    """Return where the part of a sentence begins in which `place` lies, behind a sign or an "and"."""
    return _last_end(_CLAUSE_END, text, place)


def _last_end(ends: re.Pattern[str], text: str, place: int) -> int:
    least = max(0, place - _LONGEST_LOOK_BACK)
    return max((match.end() for match in ends.finditer(text, least, place)), default=least)


def pattern(source: str) -> re.Pattern[str]:
    """Return what finds `source` in a plain text; a space stands for one or more, ` ?` also for none."""
    return re.compile(source.replace(" ?", "\0").replace(" ", " +").replace("\0", " *"))
