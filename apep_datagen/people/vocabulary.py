"""The words that values are drawn from: lists in `systemprompts/world/words/`, and what is made by rule.

A text names them in braces: `Dr {surnames}`, `{numbers 2-180} {streets}`. What is drawn comes with all spellings by
which it is recognised.
"""

from __future__ import annotations

import datetime
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.core.errors import SettingsError
from apep_datagen.core.files import read_text
from apep_datagen.core.templates import files_of_prompts, is_own
from apep_datagen.language.moments.names import MONTHS, WEEKDAYS
from apep_datagen.people.held_out import Part, is_held_out, is_in

__all__ = ["Forms", "Vocabulary", "coming_day"]

Forms = tuple[str, ...]
"""Spellings of one thing; the first is how it is written."""

_PLACEHOLDER = re.compile(r"\{([a-z_]+)(?: (\d+)-(\d+))?\}")
_SEPARATOR = " | "


class Vocabulary:
    """All lists of words, each read when it is first needed.

    Args:
        directory: Where `world/words` is looked for first; None for the program's own lists alone.
        part: Which part of the program's own lists, and of what is made by rule, is drawn from.
    """

    def __init__(self, directory: Path | None = None, part: Part = "drawn") -> None:
        self._files = {path.stem: path for path in files_of_prompts("world/words", ".txt", directory)}
        self._lists: dict[str, tuple[Forms, ...]] = {}
        self._part = part
        self._own: dict[str, bool] = {}

    @property
    def names(self) -> list[str]:
        """What can stand in braces; what is made of numbers is followed by two, as in `{numbers 2-180}`."""
        return sorted([*self._files, *_MADE, *_MADE_OF_NUMBERS])

    def knows(self, text: str) -> bool:
        """Tell whether all that a text has in braces can be drawn."""
        return not re.search(r"[{}]", _PLACEHOLDER.sub(lambda match: "" if self._is_known(match) else "{", text))

    def _is_known(self, match: re.Match[str]) -> bool:
        name, least, most = match.groups()
        if least is None:
            return name in self._files or name in _MADE
        return name in _MADE_OF_NUMBERS and int(least) < int(most)

    def draw(self, draw: random.Random, texts: Forms, day: datetime.date) -> Forms:
        """Draw what stands in braces, the same in all spellings of one thing.

        Args:
            draw: Where chance comes from.
            texts: Spellings; in all of them the same can stand in braces.
            day: When it is told, for what is still to come then.

        Returns:
            All spellings, without repetition; just `texts` where nothing is in braces.
        """
        if not any("{" in text for text in texts):
            return texts
        drawn: dict[str, Forms] = {}
        for text in texts:
            for match in _PLACEHOLDER.finditer(text):
                if match[0] not in drawn:
                    drawn[match[0]] = self._draw_one(draw, match, day)
        most = max(map(len, drawn.values()))
        return tuple(dict.fromkeys(_filled(text, drawn, place) for place in range(most) for text in texts))

    def fill(self, draw: random.Random, text: str, day: datetime.date) -> str:
        """Draw what stands in braces in a text that is written, not recognised."""
        return self.draw(draw, (text,), day)[0]

    def count(self, text: str) -> int:
        """Return how many different texts can come of one, in both parts."""
        count = 1
        for match in _PLACEHOLDER.finditer(text):
            count *= self._count(match)
        return count

    def _count(self, match: re.Match[str]) -> int:
        name, least, most = match.groups()
        if least is not None:
            return int(most) - int(least) + 1
        return len(self._list(name)) if name in self._files else _MADE[name].count

    def _is_divided(self, match: re.Match[str]) -> bool:
        name, least, _ = match.groups()
        if least is not None:
            return self._count(match) >= _LEAST_DIVIDED
        return self._is_own(name) if name in self._files else _MADE[name].is_divided

    def _is_own(self, name: str) -> bool:
        if name not in self._own:
            self._own[name] = is_own(self._files[name], "world/words")
        return self._own[name]

    def entries(self) -> dict[Forms, Part]:
        """Return all that stands in the program's own lists, with the part that it is in."""
        lists = (self._list(name) for name in self._files if self._is_own(name))
        entries = dict.fromkeys(forms for each in lists for forms in each)
        return {forms: "held out" if is_held_out("words", forms[0]) else "drawn" for forms in entries}

    def _draw_one(self, draw: random.Random, match: re.Match[str], day: datetime.date) -> Forms:
        """Draw what one pair of braces stands for; where that is divided, until it is of the part.

        So a list of thousands needs not be divided to draw one of it.
        """
        is_divided = self._is_divided(match)
        while True:
            forms = self._draw_of_all(draw, match, day)
            if not is_divided or is_in(self._part, "words", forms[0]):
                return forms

    def _draw_of_all(self, draw: random.Random, match: re.Match[str], day: datetime.date) -> Forms:
        name, least, most = match.groups()
        if least is not None:
            return _MADE_OF_NUMBERS[name](draw, int(least), int(most))
        if name in self._files:
            return draw.choice(self._list(name))
        return _MADE[name].make(draw, day)

    def _list(self, name: str) -> tuple[Forms, ...]:
        if name not in self._lists:
            path = self._files[name]
            lines = read_text(path, "the list of words").splitlines()
            found = tuple(tuple(line.strip().split(_SEPARATOR)) for line in lines if line.strip())
            if not found:
                raise SettingsError(f"{path}: the list of words is empty")
            self._lists[name] = found
        return self._lists[name]


def _filled(text: str, drawn: dict[str, Forms], place: int) -> str:
    def replacement(match: re.Match[str]) -> str:
        forms = drawn[match[0]]
        return forms[min(place, len(forms) - 1)]

    return _PLACEHOLDER.sub(replacement, text)


# ------------------------------------------------------------------------------------------------ what is made by rule

_MONTHS, _WEEKDAYS = (tuple(name.capitalize() for name in names) for names in (MONTHS, WEEKDAYS))
_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
    "twentieth", "twenty-first", "twenty-second", "twenty-third", "twenty-fourth", "twenty-fifth", "twenty-sixth",
    "twenty-seventh", "twenty-eighth", "twenty-ninth", "thirtieth", "thirty-first",
)  # fmt: skip
_ENDINGS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}
_DAYS_OF_EACH_MONTH = 28
_SOONEST, _LATEST = 12, 200
_HOURS, _FIVE_MINUTES = range(6, 23), range(0, 60, 5)
_NOON = 12
_LEAST_TELLING_NUMBER = 100
# In a range of so many numbers some are held out, and some are not, whichever they are.
_LEAST_DIVIDED = 128


def _date(day: int, month: int) -> Forms:
    name, ordinal, short = _MONTHS[month - 1], _ORDINALS[day - 1], f"{day}{_ENDINGS.get(day, 'th')}"
    return (
        *(f"{day} {name}", f"{name} {day}", f"{short} of {name}", f"{short} {name}", f"{name} {short}"),
        *(f"{ordinal} of {name}", f"{name} the {short}", f"{name} the {ordinal}"),
    )


def _any_date(draw: random.Random, _: datetime.date) -> Forms:
    return _date(draw.randint(1, _DAYS_OF_EACH_MONTH), draw.randint(1, len(_MONTHS)))


def _coming_date(draw: random.Random, day: datetime.date) -> Forms:
    then = day + datetime.timedelta(days=draw.randint(_SOONEST, _LATEST))
    return _date(then.day, then.month)


def _time(draw: random.Random, _: datetime.date) -> Forms:
    hour, minute = draw.choice(_HOURS), draw.choice(_FIVE_MINUTES)
    half = "am" if hour < _NOON else "pm"
    short = f"{(hour - 1) % _NOON + 1}:{minute:02}"
    spellings = [f"{hour}:{minute:02}", f"{short} {half}", f"{short}{half}", short, f"{hour}.{minute:02}"]
    if not minute:
        spellings[3:4] = [f"{(hour - 1) % _NOON + 1} {half}", f"{(hour - 1) % _NOON + 1}{half}"]
    return tuple(dict.fromkeys(spellings))


def _weekday(draw: random.Random, _: datetime.date) -> Forms:
    name = draw.choice(_WEEKDAYS)
    return (name, f"{name}s")


def _month(draw: random.Random, _: datetime.date) -> Forms:
    # "May" and "March" are words of all days.
    return (draw.choice([name for name in _MONTHS if name not in {"May", "March"}]),)


def _phone(draw: random.Random, _: datetime.date) -> Forms:
    first, second = draw.randint(200, 999), draw.randint(1000, 9999)
    return (f"0{first} {second}", f"0{first}{second}", f"0{first}-{second}")


def _code(draw: random.Random, _: datetime.date) -> Forms:
    return (str(draw.randint(1000, 1899)),) if draw.random() < 1 / 9 else (str(draw.randint(2100, 9999)),)


def _number(draw: random.Random, least: int, most: int) -> Forms:
    return (str(draw.randint(least, most)),)


def _price(draw: random.Random, least: int, most: int) -> Forms:
    number = draw.randint(least, most)
    written = (f"{number} euros", f"{number} euro")
    # "€9" is the word "9", which turns up by chance.
    return written if number < _LEAST_TELLING_NUMBER else (*written, f"€{number}", f"{number} €")


@dataclass(frozen=True, slots=True)
class _Made:
    make: Callable[[random.Random, datetime.date], Forms]
    count: int
    is_divided: bool = False


_MADE = {
    "dates": _Made(_any_date, _DAYS_OF_EACH_MONTH * len(_MONTHS), is_divided=True),
    "coming_dates": _Made(_coming_date, 365, is_divided=True),
    "times": _Made(_time, len(_HOURS) * len(_FIVE_MINUTES)),
    "weekdays": _Made(_weekday, len(_WEEKDAYS)),
    "months": _Made(_month, len(_MONTHS) - 2),
    "phones": _Made(_phone, 800 * 9000, is_divided=True),
    "codes": _Made(_code, 8800, is_divided=True),
}
_MADE_OF_NUMBERS = {
    "numbers": _number,
    "years": _number,
    "prices": _price,
}


def coming_day(text: str, told_on: datetime.date) -> datetime.date | None:
    """Return the day that a date as `17 May` means which was still to come when it was told; None where it is none."""
    number, _, name = text.partition(" ")
    if not number.isdigit() or name not in _MONTHS:
        return None
    month = _MONTHS.index(name) + 1
    for year in (told_on.year, told_on.year + 1):
        try:
            day = datetime.date(year, month, int(number))
        except ValueError:
            continue
        if day >= told_on:
            return day
    return None
