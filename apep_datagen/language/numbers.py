"""Numbers in a text, in digits or in words, and which of a list's lines it names by one."""

from __future__ import annotations

import calendar
import re
from itertools import pairwise

from apep_datagen.core.words import words
from apep_datagen.language.number_words import ORDINALS, TENS, UNITS

__all__ = ["DATE", "in_digits", "names_line", "spoken_dates", "spoken_times"]

_NUMBER = "|".join((r"\d{1,3}(?![\d:.]\d|\d)", *UNITS))
# What a number stands behind, or before, where it counts nothing but names a line.
_LABEL = r"(?:number|numbers|no|nr|line|note|entry|memory|page|item|index|and|or|#)[\s.#:]*"
_NAMED_BY_LABEL = re.compile(rf"\b{_LABEL}({_NUMBER})\b|#({_NUMBER})\b", re.IGNORECASE)
_NAMED_BY_ITSELF = re.compile(
    rf"(?<![\w.:,])({_NUMBER})(?=\s*(?:[,.;:!?…)–—-]+(?:\s|$)|$)|\s(?:is|goes|it|then|and|or|that|has|can|must|will|was)\b)",  # noqa: RUF001 - as typeset
    re.IGNORECASE,
)
_NAMED_BY_ORDER = re.compile(
    rf"\b(?:the|their|that|this|my)\s+(?:very\s+)?({'|'.join(ORDINALS)}|\d+(?:st|nd|rd|th))\b(?!\s+(?:time|day|of))"
    rf"|\b({'|'.join(ORDINALS)}|\d+(?:st|nd|rd|th))\s+(?:one|line|note|entry|memory|page)\b",
    re.IGNORECASE,
)


_LEAST_TEN = 10
_RANK = re.compile(r"(?<=\d)(?:st|nd|rd|th)\Z")


def names_line(text: str, index: int) -> bool:
    """Tell whether a text names a line of a list by its number: "number 2", "Two, the mustard", "the second one"."""
    found = [*_NAMED_BY_LABEL.findall(text), *_NAMED_BY_ORDER.findall(text)]
    named = [part for groups in found for part in groups if part]
    named += [word for word in _NAMED_BY_ITSELF.findall(text) if word.lower() != "one" or word[0] == "O"]
    return index in map(_value, named)


def _value(word: str) -> int:
    word = word.lower()
    if word[0].isdigit():
        return int("".join(filter(str.isdigit, word)))
    return UNITS.get(word, ORDINALS.get(word, -1))


def in_digits(text: str) -> list[str]:
    """Return the words of a text, with numbers in digits: "the six eighty-six" is `the`, `686`, and "3rd" is `3`."""
    made: list[str] = []
    run: list[str] = []
    for word in words(text):
        if word in UNITS or word in TENS or (word == "hundred" and run) or (word in ("and", "oh", "o") and run):
            run.append(word)
            continue
        if run and run[-1] in TENS and 0 < ORDINALS.get(word, 0) < _LEAST_TEN:  # "twenty-ninth"
            made += [*_joined(run[:-1]), str(TENS[run[-1]] + ORDINALS[word])]
            run = []
            continue
        made += _joined(run)
        run = []
        made.append(_RANK.sub("", word))
    return made + _joined(run)


def _joined(run: list[str]) -> list[str]:
    """Return a run of number words in digits: each number behind the one before, as buses and rooms are called."""
    while run and run[-1] in ("and", "oh", "o"):
        return [*_joined(run[:-1]), run[-1]]
    if not run:
        return []
    if "hundred" in run:
        at = run.index("hundred")
        rest = [word for word in run[at + 1 :] if word != "and"]
        if at == 1 and run[0] in UNITS:
            return [str(100 * UNITS[run[0]] + _sum(rest))]
    if "and" in run:
        at = run.index("and")
        return [*_joined(run[:at]), "and", *_joined(run[at + 1 :])]
    digits = ""
    skip = False
    for word, after in pairwise([*run, ""]):
        if skip:
            skip = False
        elif word in TENS and 0 < UNITS.get(after, 0) < _LEAST_TEN:  # "eighty-six"
            digits += str(TENS[word] + UNITS[after])
            skip = True
        elif word in TENS:
            digits += str(TENS[word])
        else:
            digits += str(UNITS.get(word, 0))
    return [digits]


def _sum(run: list[str]) -> int:
    return sum(TENS.get(word, UNITS.get(word, 0)) for word in run)


_CLOCK = re.compile(r"(\d{1,2})[:.h](\d\d)")
_MINUTES = {
    5: "five", 10: "ten", 15: "quarter", 20: "twenty", 25: "twenty five", 30: "half",
}  # fmt: skip
_HALF_AN_HOUR, _HALF_A_DAY = 30, 12


def spoken_times(time: str) -> tuple[str, ...]:
    """Return how a time such as `16:50` is said besides: "ten to five", "4:50", "4.50", "1650".

    Empty where the text is no time.
    """
    match = _CLOCK.fullmatch(time.strip())
    if not match:
        return ()
    hour, minute = int(match[1]), int(match[2])
    names = [name for name, value in UNITS.items() if value]
    hours = {str(hour), f"{hour:02}", str(hour % _HALF_A_DAY or _HALF_A_DAY)}
    said = [f"{h}{mark}{minute:02}" for h in hours for mark in (":", ".", "h", " ")]
    near = minute if minute <= _HALF_AN_HOUR else 60 - minute
    if near in _MINUTES:
        at = names[(hour + (minute > _HALF_AN_HOUR) - 1) % _HALF_A_DAY]
        for word in ("to", "before", "till", "of") if minute > _HALF_AN_HOUR else ("past", "after"):
            said += [f"{_MINUTES[near]} {word} {at}", f"{near} {word} {at}"]
            said += [f"{_MINUTES[near]} minutes {word} {at}", f"{near} minutes {word} {at}"]
    if minute == _HALF_AN_HOUR:
        said.append(f"half {names[(hour - 1) % _HALF_A_DAY]}")
    return tuple(dict.fromkeys(said))


_MONTH = "|".join(calendar.month_name[1:])
DATE = re.compile(
    rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)? (?:of )?(?P<month>{_MONTH})"
    rf"|(?P<month2>{_MONTH}) (?P<day2>\d{{1,2}})(?:st|nd|rd|th)?",
    re.IGNORECASE,
)
"""A day of a month: "3 June", "June 3rd", "3rd of June"."""
_DAYS = (
    *list(ORDINALS)[1:13],
    *(f"{word}th" for word in ("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")),
    "twentieth",
    *(f"twenty {rank}" for rank in list(ORDINALS)[1:10]),
    *("thirtieth", "thirty first"),
)


def spoken_dates(date: str) -> tuple[str, ...]:
    """Return how a date such as `3 June` is said besides: "June 3rd", "the third of June".

    Empty where the text is no day of a month.
    """
    match = DATE.fullmatch(date.strip())
    day = int(match["day"] or match["day2"]) if match else 0
    if match is None or not 1 <= day <= len(_DAYS):
        return ()
    month, rank = match["month"] or match["month2"], _DAYS[day - 1]
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(day % 10 if day // 10 != 1 else 0, "th")
    days = (str(day), f"{day}{suffix}", rank)
    return tuple(form for d in days for form in (f"{d} {month}", f"{d} of {month}", f"{month} {d}", f"{month} the {d}"))
