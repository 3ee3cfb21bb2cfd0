"""The forms in which a text says what time it is: where each begins, what it looks like, and what it says.

They are matched against plain texts (`language.times.plain`), which are in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from apep_datagen.core.words import words
from apep_datagen.language.clock import CLOCK, DAY, HOUR, HOUR_WORD, NUMBERS, clock_minutes, hours_of_dial, number
from apep_datagen.language.times import MONTHS, WEEKDAYS, Time, beginning_of_clause, pattern

__all__ = ["ANY_NUMBER", "FORMS", "Certainty", "Form"]

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


def _at(*pieces: str) -> Callable[[str], Iterable[int]]:
    """Return what finds where one of the pieces stands."""
    return lambda text: _occurrences(text, pieces)


def _at_clause(*pieces: str) -> Callable[[str], Iterable[int]]:
    """Return what finds where a part of a sentence begins with one of the pieces."""
    return lambda text: (place for place in _occurrences(text, pieces) if _begins_clause(text, place))


def _begins_clause(text: str, place: int) -> bool:
    return not text[beginning_of_clause(text, place) : place].strip()


def _at_clause_with(*pieces: str) -> Callable[[str], Iterable[int]]:
    """Return what finds where a part of a sentence begins that has one of the pieces in it."""

    def places(text: str) -> Iterable[int]:
        for place in _occurrences(text, pieces):
            begin = beginning_of_clause(text, place)
            yield begin + len(text[begin:place]) - len(text[begin:place].lstrip())

    return places


def _at_beginning(text: str) -> Iterable[int]:
    return (0,) if text else ()


# ------------------------------------------------------------------------------------------------- what several contain


def _always(certainty: Certainty) -> Callable[[_Match], Certainty]:
    return lambda _: certainty


_ITS = r"(?:it's|it is|'tis)"
_at_its = _at("it's", "it is", "'tis")
_at_today = _at("today")
_AGAIN = r"(?: (?:now|only|just|already|still|finally|really|so|very|getting|quite|rather|pretty|terribly|a bit))*"
# Those of them that say that it is so at present.
_NOW_WORDS = frozenset({"now", "only", "just", "already", "still", "finally", "here"})
# Behind it nothing follows of which the time would only be a part: "it's Tuesday that", "it's March hares".
_ENDS = (
    r"(?= ?(?:[.,;:!?…)\n-]|\Z)"
    r"| (?:and|so|but|today|tonight|again|here|now|already|too|anyway|after all|for them|for you)\b)"
)


def _if_now(match: _Match) -> Certainty:
    return Certainty.SCENE if _NOW_WORDS.isdisjoint(match[0].split()) else Certainty.UNPROMPTED


def _if_this(match: _Match) -> Certainty:
    return Certainty.PLAIN if match[0].startswith("this") else Certainty.SCENE


# ------------------------------------------------------------------------------------------------- days of the week

_WEEKDAY = rf"(?P<weekday>{'|'.join(WEEKDAYS)})"
_PART_OF_WEEKDAY = r"(?: (?:morning|afternoon|evening|night))?"
_DAYS_SAID = frozenset((*WEEKDAYS, *words("weekend week day holiday holidays")))


def _weekday(match: _Match, ahead: int = 0) -> Time:
    return Time(weekdays=frozenset([WEEKDAYS[match["weekday"]]]), ahead=ahead)


_WEEKDAYS = (
    Form(
        _at_today,
        pattern(rf"today(?:'s| is| being|,)(?: only| just| already| still| a)* {_WEEKDAY}{_ENDS}"),
        _weekday,
        _always(Certainty.PLAIN),
        _DAYS_SAID,
    ),
    Form(
        _at_its,
        pattern(rf"{_ITS}{_AGAIN}(?: a(?: [a-z]+)?)? {_WEEKDAY}{_PART_OF_WEEKDAY}{_ENDS}"),
        _weekday,
        _always(Certainty.UNPROMPTED),
        _DAYS_SAID,
    ),
    Form(
        _at_clause("happy "),
        pattern(rf"happy {_WEEKDAY}(?= ?[.!,]|\Z| to\b| everyone\b| ada\b| morning\b| evening\b)"),
        _weekday,
        _always(Certainty.PLAIN),
        _DAYS_SAID,
    ),
    Form(
        _at("tomorrow"),
        pattern(rf"tomorrow(?:'s| is)(?: only| just| already| a)* {_WEEKDAY}{_ENDS}"),
        lambda match: _weekday(match, 1),
        _always(Certainty.PLAIN),
        _DAYS_SAID,
    ),
    Form(
        _at("yesterday"),
        pattern(rf"yesterday was(?: only| just| a)* {_WEEKDAY}{_ENDS}"),
        lambda match: _weekday(match, -1),
        _always(Certainty.PLAIN),
        _DAYS_SAID,
    ),
    Form(
        _at("so ", "this ", "enough for", "late for", "early for", "much for"),
        pattern(
            rf"(?:(?:so|this) (?:late|early) on|(?:enough|late|early|much) for) a {_WEEKDAY}{_PART_OF_WEEKDAY}{_ENDS}"
        ),
        _weekday,
        _always(Certainty.UNPROMPTED),
        _DAYS_SAID,
    ),
    Form(
        _at_its,
        pattern(rf"{_ITS}{_AGAIN} the weekend{_ENDS}"),
        lambda _: Time(weekdays=frozenset({4, 5, 6})),
        _always(Certainty.UNPROMPTED),
        _DAYS_SAID,
    ),
)

# ------------------------------------------------------------------------------------------------------ days and months

_ORDINALS = words("""
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth
    sixteenth seventeenth eighteenth nineteenth twentieth
""")
_MONTH_NAMES = "|".join(MONTHS)
_MONTH = rf"(?P<month>{_MONTH_NAMES})"
_DATE = (
    rf"(?:(?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}"
    rf"|the (?P<ordinal>{'|'.join(_ORDINALS)}) of (?P<month2>{_MONTH_NAMES})"
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
        day=int(day) if day else _ORDINALS.index(match["ordinal"]) + 1,
    )


def _month(match: _Match) -> Time:
    return Time(months=frozenset([MONTHS[match["month"]]]))


def _end_of_year(match: _Match) -> Time:
    return Time(months=frozenset({1}), day=1) if match["which"] == "first" else Time(months=frozenset({12}), day=31)


_DATES = (
    Form(
        _at_today,
        pattern(rf"today(?:'s| is| being|,)(?: only| just| already)* {_DATE}{_ENDS}"),
        _date,
        _always(Certainty.PLAIN),
        _DATES_SAID,
    ),
    Form(
        _at_its,
        pattern(rf"{_ITS}{_AGAIN} {_DATE}{_ENDS}"),
        _date,
        _always(Certainty.UNPROMPTED),
        _DATES_SAID,
    ),
    Form(
        _at_its,
        pattern(rf"{_ITS}{_AGAIN}(?: early| late| mid-?| the (?:beginning|start|middle|end) of)? ?{_MONTH}{_ENDS}"),
        _month,
        _always(Certainty.UNPROMPTED),
        _DATES_SAID,
    ),
    Form(
        _at("it's a", "it is a", "'tis a", "this "),
        pattern(
            rf"(?:this|{_ITS} an?)(?: (?!coming|next|past|last|one)[a-z]+)? {_MONTH}"
            r" (?:morning|afternoon|evening|night|day)\b"
        ),
        _month,
        _always(Certainty.UNPROMPTED),
        _DATES_SAID,
    ),
    Form(
        _at("it's", "it is", "this is", "the year is"),
        pattern(rf"(?:{_ITS}|this is|the year is){_AGAIN}(?: the year)? (?P<year>20\d\d){_ENDS}"),
        lambda match: Time(year=int(match["year"])),
        _always(Certainty.UNPROMPTED),
        _DATES_SAID,
    ),
    Form(
        _at("it's the", "it is the", "today is the", "this is the", "for the first", "for the last"),
        pattern(
            r"(?:it's|it is|today is|this is|for) the (?P<which>first|last) (?:day|morning|afternoon|evening|night)"
            r" of the year\b"
        ),
        _end_of_year,
        _always(Certainty.UNPROMPTED),
        _DATES_SAID,
    ),
    Form(
        _at_its,
        pattern(rf"{_ITS}(?: (?:now|already|finally|still))* (?:spring|autumn)(?: now| here)?{_ENDS}"),
        lambda _: Time(months=_SPRING_OR_AUTUMN),
        _if_now,
        frozenset(words("spring autumn season seasons year")),
    ),
)

# --------------------------------------------------------------------------------------------- hours, parts of the day

# So long do people speak of a part of the day, in minutes from midnight. It begins early and ends late: it is what
# nobody would say that is looked for.
_PARTS = {
    "morning": (0, 13 * HOUR),
    "noon": (10 * HOUR + 45, 14 * HOUR + 15),
    "midday": (10 * HOUR + 45, 14 * HOUR + 15),
    "lunchtime": (10 * HOUR + 45, 15 * HOUR),
    "afternoon": (11 * HOUR + 30, 19 * HOUR),
    "evening": (16 * HOUR, DAY + 5 * HOUR),
    "tonight": (16 * HOUR, DAY + 5 * HOUR),
    "night": (19 * HOUR + 30, DAY + 7 * HOUR),
    "midnight": (22 * HOUR + 15, DAY + 90),
    "bedtime": (18 * HOUR + 30, DAY + 5 * HOUR),
    "dawn": (3 * HOUR, 9 * HOUR),
    "dusk": (15 * HOUR, 23 * HOUR),
}
_LATE = (17 * HOUR, DAY + 6 * HOUR)
_EARLY = (0, 12 * HOUR)
_OF_THE_MORNING = frozenset(words("morning mornings breakfast dawn sunrise early woke wake awake up am soon"))
_OF_THE_NIGHT = frozenset(
    words("""
    evening evenings night nights tonight midnight late later bed bedtime sleep slept asleep sleeping sleepless dream
    dreams dreamed dreamt dark moon stars dusk sunset dinner supper pm
    """)
)
_OF_LATENESS = frozenset(
    words("delay delayed behind hurry overdue apology apologise apologize sorry old years wait yet")
)
_PARTS_SAID = frozenset(
    words("morning afternoon evening night tonight noon midnight midday zone abroad time hour hours")
)
_HOURS_SAID = (_PARTS_SAID | {*NUMBERS, ANY_NUMBER, "oclock", "clock"}) - {"a", "an"}
_TODAYS_PART = r"(?P<part>this morning|this afternoon|this evening|tonight)"
_BEFORE, _AFTER = frozenset(words("nearly almost coming close even barely")), frozenset(words("past after gone well"))
_ABOUT = (
    r"(?P<about>(?: (?:now|only|just|already|still|nearly|almost|about|around|barely|not even|well|coming up to|close to"
    r"|past|after|gone))*)"
)


def _part(match: _Match) -> Time:
    return Time(minutes=(_PARTS[match["part"].rpartition(" ")[2]],))


def _late(_: _Match) -> Time:
    return Time(minutes=(_LATE,))


def _early(_: _Match) -> Time:
    return Time(minutes=(_EARLY,))


def _clock(match: _Match) -> Time | None:
    return _around(match, clock_minutes(match))


def _bare_hour(match: _Match) -> Time | None:
    return _around(match, tuple(hour * HOUR for hour in hours_of_dial(number(match["hour"]))))


def _around(match: _Match, minutes: tuple[int, ...]) -> Time | None:
    """Return the stretches around a time of the clock that are meant, as the words before it say."""
    before = set(match["about"].split())
    low, high = -HOUR, HOUR
    if not before.isdisjoint(_BEFORE):
        low, high = -2 * HOUR, HOUR // 2
    elif not before.isdisjoint(_AFTER):
        low, high = -HOUR // 4, 2 * HOUR
    return Time(minutes=tuple((minute + low, minute + high) for minute in minutes)) if minutes else None


_HOURS = (
    Form(_at_its, pattern(rf"{_ITS}{_ABOUT} {CLOCK}{_ENDS}"), _clock, _always(Certainty.UNPROMPTED), _HOURS_SAID),
    Form(
        _at_its,
        pattern(rf"{_ITS}{_ABOUT}(?<=past|fter|gone) (?P<hour>{HOUR_WORD}){_ENDS}"),
        _bare_hour,
        _always(Certainty.UNPROMPTED),
        _HOURS_SAID,
    ),
    # "Seven in the morning and already at the table".
    Form(
        _at_clause_with("in the morning", "in the evening", "at night"),
        pattern(rf"(?P<about>(?:nearly |almost )?)(?:at )?{CLOCK}(?<=ing|ght)(?= ?[,.!?…]| and\b| already\b| too\b)"),
        _clock,
        _always(Certainty.SCENE),
        _HOURS_SAID,
    ),
    Form(
        _at_beginning,
        pattern(
            r"\W*(?:(?:oh|ah|well|and|hi|hello|ada)\W+)?(?:a (?:very )?)?good (?P<part>morning|afternoon|evening)"
            r"(?= ?[,!.-]|\Z| ada\b| to you\b| dear\b| my\b| from\b| again\b| there\b)"
            r"(?![,!.]? (?:said|says|is|he|she|they|that's)\b)"
        ),
        _part,
        _always(Certainty.PLAIN),
    ),
    Form(
        _at("this late ", "so late "),
        pattern(r"(?:this|so) late (?:at night|in the (?:evening|night))\b"),
        _late,
        _if_this,
        _OF_THE_NIGHT,
    ),
    Form(
        _at("this early ", "so early "),
        pattern(r"(?:this|so) early in the morning\b"),
        _early,
        _if_this,
        _OF_THE_MORNING,
    ),
    Form(
        _at("at this "),
        pattern(r"at this(?: [a-z]+)? hour of the (?P<part>morning|evening|night)\b"),
        _part,
        _always(Certainty.PLAIN),
        _OF_THE_NIGHT,
    ),
    Form(
        _at_its,
        pattern(rf"{_ITS}{_AGAIN} late(?:{_ENDS}|(?= on a\b| where\b| at night\b| in the\b))"),
        _late,
        _always(Certainty.SCENE),
        _OF_THE_NIGHT | _OF_LATENESS,
    ),
    Form(
        _at_clause("so late"),
        pattern(r"so late(?= too\b| on a\b| already\b)"),
        _late,
        _always(Certainty.SCENE),
        _OF_THE_NIGHT | _OF_LATENESS,
    ),
    Form(
        _at_its,
        pattern(rf"{_ITS}{_AGAIN} early{_ENDS}"),
        _early,
        _always(Certainty.SCENE),
        _OF_THE_MORNING | _OF_LATENESS,
    ),
    Form(
        _at_its,
        pattern(
            rf"{_ITS}(?: (?:now|only|just|already|still|nearly|almost|past|gone|practically))*(?: the middle of the)?"
            rf" (?P<part>{'|'.join(_PARTS)})(?: now| here| already)?{_ENDS}"
        ),
        _part,
        _if_now,
        _PARTS_SAID,
    ),
    # Adjectives and adverbs alone stand between: "you look forward to tonight" is no state.
    Form(
        _at(*(f"{who} {verb}" for who in ("you", "they") for verb in ("sound", "seem", "look", "feel"))),
        pattern(
            r"(?:you|they) (?:sound|seem|look|feel)(?: (?:a (?:bit|little|touch)|(?!(?:an?|about|for|of|to|the|forward|like|at"
            r"|after|into|that|this|my|your|their|his|her|some|any|no|in|on)\b)[a-z'-]+)){1,5}"
            rf" {_TODAYS_PART}\b"
        ),
        _part,
        _always(Certainty.UNPROMPTED),
        _PARTS_SAID,
    ),
    Form(
        _at("how are ", "how're "),
        pattern(
            r"how(?:'re| are) (?:you|things|they)(?: feeling| doing| holding up| keeping| getting on)?"
            rf" {_TODAYS_PART}(?= ?[,?!.-])"
        ),
        _part,
        _always(Certainty.UNPROMPTED),
        _PARTS_SAID,
    ),
    Form(
        _at("how's ", "how is "),
        pattern(
            r"how(?:'s| is) (?:your|the|this)(?: [a-z]+)? (?P<part>morning|afternoon|evening|night)"
            r"(?: going| so far| treating you)? ?\?"
        ),
        _part,
        _always(Certainty.UNPROMPTED),
        _PARTS_SAID,
    ),
)

# ------------------------------------------------------------------------ what is told of a part of the day, as it was

_BEGINNINGS = {
    "tonight": (16 * HOUR, DAY + 6 * HOUR),
    "this evening": (16 * HOUR, DAY + 6 * HOUR),
    "this afternoon": (12 * HOUR, DAY + 3 * HOUR),
}
# What was planned for it is no sign that it has begun.
_PLANNED = (
    r"supposed|meant|going|to|booked|planned|reserved|always|never|when|off|on|my|our|your|his|her|their|thought|wanted"
    r"|hoped|needed|wished|decided|promised|invited|agreed|arranged|had|could|might|should|would|expected|scheduled|set"
)
_PAST = (
    r"(?:ate|went|came|saw|told|took|gave|sat|stood|found|made|said|heard|slept|lost|met|sang|swam|drank|fell|felt|left"
    rf"|ran|drove|broke|caught|did|held|rang|won|woke|spoke|knew|was|were|(?!(?:{_PLANNED})\b)[a-z]{{2,}}ed)"
)
_BEGUN = (
    Form(
        _at_clause(*_BEGINNINGS),
        pattern(
            rf"(?P<part>{'|'.join(_BEGINNINGS)})(?: (?:was|were|has been)(?! (?:{_PLANNED})\b)"
            r"|,? (?:i|we|they|he|she|it|somebody|someone|nobody|everybody|everyone)"
            rf" {_PAST}\b(?! (?:{_PLANNED})\b))"
        ),
        lambda match: Time(minutes=(_BEGINNINGS[" ".join(match["part"].split())],)),
        _always(Certainty.PLAIN),
    ),
)

FORMS = (*_WEEKDAYS, *_DATES, *_HOURS, *_BEGUN)
"""All of them."""
