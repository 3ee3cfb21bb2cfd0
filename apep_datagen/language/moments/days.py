"""The forms in which a text says which day it is: day of the week, date, month, year."""

from __future__ import annotations

import re

from apep_datagen.core.words import words
from apep_datagen.language.moments.forms import (
    AGAIN,
    ANY_NUMBER,
    ENDS,
    ITS,
    Certainty,
    Form,
    always,
    at,
    at_clause,
    at_its,
    if_now,
)
from apep_datagen.language.moments.names import MONTHS, WEEKDAYS, Time, pattern
from apep_datagen.language.number_words import ORDINALS

__all__ = ["DAY_FORMS"]

_Match = re.Match[str]
_at_today = at("today")

_WEEKDAY = rf"(?P<weekday>{'|'.join(WEEKDAYS)})"
_PART_OF_WEEKDAY = r"(?: (?:morning|afternoon|evening|night))?"
_DAYS_SAID = frozenset(
    (*WEEKDAYS, *(f"{day}s" for day in WEEKDAYS), *words("weekend weekends week day holiday holidays"))
)


def _weekday(match: _Match, ahead: int = 0) -> Time:
    return Time(weekdays=frozenset([WEEKDAYS[match["weekday"]]]), ahead=ahead)


_WEEKDAYS = (
    Form(
        _at_today,
        pattern(rf"today(?:'s| is| being|,)(?: only| just| already| still| a)* {_WEEKDAY}{ENDS}"),
        _weekday,
        always(Certainty.PLAIN),
        _DAYS_SAID,
    ),
    Form(
        at_its,
        pattern(rf"{ITS}{AGAIN}(?: a(?: [a-z]+)?)? {_WEEKDAY}{_PART_OF_WEEKDAY}{ENDS}"),
        _weekday,
        always(Certainty.UNPROMPTED),
        _DAYS_SAID,
    ),
    Form(
        at_clause("happy "),
        pattern(rf"happy {_WEEKDAY}(?= ?[.!,]|\Z| to\b| everyone\b| ada\b| morning\b| evening\b)"),
        _weekday,
        always(Certainty.PLAIN),
        _DAYS_SAID,
    ),
    Form(
        at("tomorrow"),
        pattern(rf"tomorrow(?:'s| is)(?: only| just| already| a)* {_WEEKDAY}{ENDS}"),
        lambda match: _weekday(match, 1),
        always(Certainty.PLAIN),
        _DAYS_SAID,
    ),
    Form(
        at("yesterday"),
        pattern(rf"yesterday was(?: only| just| a)* {_WEEKDAY}{ENDS}"),
        lambda match: _weekday(match, -1),
        always(Certainty.PLAIN),
        _DAYS_SAID,
    ),
    Form(
        at("so ", "this ", "late for", "early for"),
        pattern(rf"(?:(?:so|this) (?:late|early) on|(?:late|early) for) a {_WEEKDAY}{_PART_OF_WEEKDAY}{ENDS}"),
        _weekday,
        always(Certainty.UNPROMPTED),
        _DAYS_SAID,
    ),
    Form(
        at_its,
        pattern(rf"{ITS}{AGAIN} the weekend{ENDS}"),
        lambda _: Time(weekdays=frozenset({4, 5, 6})),
        always(Certainty.UNPROMPTED),
        _DAYS_SAID,
    ),
)

# ------------------------------------------------------------------------------------------------------ days and months

_DAYS_OF_A_MONTH = [word for word, value in ORDINALS.items() if 0 < value <= 31]  # noqa: PLR2004 - days of a month
_MONTH_NAMES = "|".join(MONTHS)
_MONTH = rf"(?P<month>{_MONTH_NAMES})"
_DATE = (
    rf"(?:(?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}"
    rf"|the (?P<ordinal>{'|'.join(_DAYS_OF_A_MONTH)}) of (?P<month2>{_MONTH_NAMES})"
    rf"|(?P<month3>{_MONTH_NAMES}) (?:the )?(?P<day3>\d{{1,2}})(?:st|nd|rd|th)?"
    r"|the (?P<day4>\d{1,2})(?:st|nd|rd|th))"
)
_DATES_SAID = frozenset((*MONTHS, *words("month date birthday exam when year"), ANY_NUMBER))
# January and July are spring or autumn on neither half of the earth; the rest of the year leaves room for either.
_SPRING_OR_AUTUMN = frozenset(MONTHS.values()) - {1, 7}


def _date(match: _Match) -> Time:
    month = match["month"] or match["month2"] or match["month3"]
    day = match["day"] or match["day3"] or match["day4"]
    return Time(
        months=frozenset([MONTHS[month]]) if month else frozenset(),
        day=int(day) if day else ORDINALS[match["ordinal"]],
    )


def _month(match: _Match) -> Time:
    return Time(months=frozenset([MONTHS[match["month"]]]))


def _end_of_year(match: _Match) -> Time:
    return Time(months=frozenset({1}), day=1) if match["which"] == "first" else Time(months=frozenset({12}), day=31)


_DATES = (
    Form(
        _at_today,
        pattern(rf"today(?:'s| is| being|,)(?: only| just| already)* {_DATE}{ENDS}"),
        _date,
        always(Certainty.PLAIN),
        _DATES_SAID,
    ),
    Form(
        at_its,
        pattern(rf"{ITS}{AGAIN} {_DATE}{ENDS}"),
        _date,
        always(Certainty.UNPROMPTED),
        _DATES_SAID,
    ),
    Form(
        at_its,
        pattern(rf"{ITS}{AGAIN}(?: early| late| mid-?| the (?:beginning|start|middle|end) of)? ?{_MONTH}{ENDS}"),
        _month,
        always(Certainty.UNPROMPTED),
        _DATES_SAID,
    ),
    Form(
        at("it's a", "it is a", "'tis a", "this "),
        pattern(
            rf"(?:this|{ITS} an?)(?: (?!coming|next|past|last|one)[a-z]+)? {_MONTH}"
            rf" (?:morning|afternoon|evening|night|day){ENDS}"
        ),
        _month,
        always(Certainty.UNPROMPTED),
        _DATES_SAID,
    ),
    Form(
        at_its,
        pattern(rf"{ITS}{AGAIN}(?: the year)? (?P<year>20\d\d){ENDS}"),
        lambda match: Time(year=int(match["year"])),
        always(Certainty.UNPROMPTED),
        _DATES_SAID,
    ),
    Form(
        at("it's the", "it is the", "today is the", "this is the", "for the first", "for the last"),
        pattern(
            r"(?:it's|it is|today is|this is|for) the (?P<which>first|last) (?:day|morning|afternoon|evening|night)"
            rf" of the year{ENDS}"
        ),
        _end_of_year,
        always(Certainty.UNPROMPTED),
        _DATES_SAID,
    ),
    Form(
        at_its,
        pattern(rf"{ITS}(?: (?:now|already|finally|still))* (?:spring|autumn)(?: now| here)?{ENDS}"),
        lambda _: Time(months=_SPRING_OR_AUTUMN),
        if_now,
        frozenset(words("spring autumn season seasons year")),
    ),
)

DAY_FORMS = (*_WEEKDAYS, *_DATES)
"""All of them."""
