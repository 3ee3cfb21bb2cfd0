"""The forms in which a text says what hour or part of the day it is, or tells of one that has begun."""

from __future__ import annotations

import re

from apep_datagen.core.words import words
from apep_datagen.language.moments.clock import (
    CLOCK,
    DAY,
    HOUR,
    HOUR_WORD,
    NUMBERS,
    clock_minutes,
    hours_of_dial,
    number,
)
from apep_datagen.language.moments.forms import (
    AGAIN,
    ANY_NUMBER,
    ENDS,
    ITS,
    Certainty,
    Form,
    always,
    at,
    at_beginning,
    at_clause,
    at_clause_with,
    at_its,
    if_now,
    if_this,
)
from apep_datagen.language.moments.names import Time, pattern

__all__ = ["HOUR_FORMS"]

_Match = re.Match[str]

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
    words("""
    morning mornings afternoon afternoons evening evenings night nights tonight noon midnight midday hour hours
    """)
)
_HOURS_SAID = (_PARTS_SAID | {*NUMBERS, ANY_NUMBER, "oclock", "clock"}) - {"a", "an"}
_TODAYS_PART = r"(?P<part>this morning|this afternoon|this evening|tonight)"
# A night bus, a night shift.
_ALONE = r"(?! (?:bus|train|shift|owl|school|nurse|porter|market|club|sky|mist)\b)"
_BEFORE, _AFTER = frozenset(words("nearly almost coming close even barely")), frozenset(words("past after gone well"))
_ABOUT = (
    r"(?P<about>(?: (?:now|only|just|already|still|nearly|almost|about|around|barely|not even|well|coming up to"
    r"|close to|past|after|gone))*)"
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
    Form(at_its, pattern(rf"{ITS}{_ABOUT} {CLOCK}{ENDS}"), _clock, always(Certainty.UNPROMPTED), _HOURS_SAID),
    Form(
        at_its,
        pattern(rf"{ITS}{_ABOUT}(?<=past|fter|gone) (?P<hour>{HOUR_WORD}){ENDS}"),
        _bare_hour,
        always(Certainty.UNPROMPTED),
        _HOURS_SAID,
    ),
    # "Seven in the morning and already at the table".
    Form(
        at_clause_with("in the morning", "in the evening", "at night"),
        pattern(rf"(?P<about>(?:nearly |almost )?)(?:at )?{CLOCK}(?<=ing|ght)(?= ?[,.!?…]| and\b| already\b| too\b)"),
        _clock,
        always(Certainty.SCENE),
        _HOURS_SAID,
    ),
    Form(
        at_beginning,
        pattern(
            r"\W*(?:(?:oh|ah|well|and|hi|hello|ada)\W+)?(?:a (?:very )?)?good (?P<part>morning|afternoon|evening)"
            r"(?= ?[,!.-]|\Z| ada\b| to you\b| dear\b| my\b| from\b| again\b| there\b)"
            r"(?![,!.]? (?:said|says|is|he|she|it|they|that's)\b)"
        ),
        _part,
        always(Certainty.PLAIN),
    ),
    Form(
        at("this late ", "so late "),
        pattern(rf"(?:this|so) late (?:at night|in the (?:evening|night))\b{_ALONE}"),
        _late,
        if_this,
        _OF_THE_NIGHT,
    ),
    Form(
        at("this early ", "so early "),
        pattern(r"(?:this|so) early in the morning\b"),
        _early,
        if_this,
        _OF_THE_MORNING,
    ),
    Form(
        at("at this "),
        pattern(rf"at this(?: [a-z]+)? hour of the (?P<part>morning|evening|night)\b{_ALONE}"),
        _part,
        always(Certainty.PLAIN),
        _OF_THE_NIGHT,
    ),
    Form(
        at_its,
        pattern(rf"{ITS}{AGAIN} late(?:{ENDS}|(?= on a\b| at night\b| in the (?:evening|day|night)\b))"),
        _late,
        always(Certainty.SCENE),
        _OF_THE_NIGHT | _OF_LATENESS,
    ),
    Form(
        at_clause("so late"),
        pattern(r"so late(?= too\b| on a\b| already\b)"),
        _late,
        always(Certainty.SCENE),
        _OF_THE_NIGHT | _OF_LATENESS,
    ),
    Form(
        at_its,
        pattern(
            rf"{ITS}(?: (?:now|only|just|already|still|nearly|almost|past|gone|practically))*(?: the middle of the)?"
            rf" (?P<part>{'|'.join(_PARTS)})(?: now| here| already)?{ENDS}"
        ),
        _part,
        if_now,
        _PARTS_SAID,
    ),
    # Adjectives and adverbs alone stand between: "you look forward to tonight" is no state.
    Form(
        at(*(f"{who} {verb}" for who in ("you", "they") for verb in ("sound", "seem", "look", "feel"))),
        pattern(
            r"(?:you|they) (?:sound|seem|look|feel)(?: (?:a (?:bit|little|touch)|(?!(?:an?|about|for|of|to|the|forward"
            r"|like|at|after|into|that|this|my|your|their|his|her|some|any|no|in|on)\b)[a-z'-]+)){1,5}"
            rf" {_TODAYS_PART}\b"
        ),
        _part,
        always(Certainty.UNPROMPTED),
        _PARTS_SAID,
    ),
    Form(
        at("how are ", "how're "),
        pattern(
            r"how(?:'re| are) (?:you|things|they)(?: feeling| doing| holding up| keeping| getting on)?"
            rf" {_TODAYS_PART}(?= ?[,?!.-])"
        ),
        _part,
        always(Certainty.UNPROMPTED),
        _PARTS_SAID,
    ),
    Form(
        at("how's ", "how is "),
        pattern(
            r"how(?:'s| is) (?:your|the|this)(?: [a-z]+)? (?P<part>morning|afternoon|evening|night)"
            r"(?: going| so far| treating you)? ?\?"
        ),
        _part,
        always(Certainty.UNPROMPTED),
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
    r"|hoped|needed|wished|decided|promised|invited|agreed|arranged|had|could|might|should|would|expected|scheduled|set|made|mine|yours|ours"
)
_PAST = (
    r"(?:ate|went|came|saw|told|took|gave|sat|stood|found|made|said|heard|slept|lost|met|sang|swam|drank|fell|felt|left"
    rf"|ran|drove|broke|caught|did|held|rang|won|woke|spoke|knew|(?!(?:{_PLANNED})\b)[a-z]{{2,}}ed)"
)
_BEGUN = (
    Form(
        at_clause(*_BEGINNINGS),
        pattern(
            rf"(?P<part>{'|'.join(_BEGINNINGS)})(?: (?:was|were|has been)(?! (?:{_PLANNED})\b)"
            r"|,? (?:i|we|they|he|she|it|the user|somebody|someone|nobody|everybody|everyone)"
            rf" (?:{_PAST}\b|(?:was|were)\b(?! (?:{_PLANNED})\b)))"
        ),
        lambda match: Time(minutes=(_BEGINNINGS[" ".join(match["part"].split())],)),
        always(Certainty.PLAIN),
    ),
)

HOUR_FORMS = (*_HOURS, *_BEGUN)
"""All of them."""
