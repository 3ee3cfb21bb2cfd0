"""Times of the clock and stretches of time, as a text spells them: "ten past one", "nine at night", "two hours".

All patterns are for texts in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from apep_datagen.language.number_words import UNITS

__all__ = [
    "CLOCK",
    "DAY",
    "HOUR",
    "HOUR_WORD",
    "NUMBER",
    "NUMBERS",
    "TimeLeft",
    "clock_minutes",
    "number",
    "times_left",
]

HOUR = 60
"""Minutes of an hour."""
DAY = 24 * HOUR
"""Minutes of a day."""
_HOURS_OF_A_DIAL = {word: value for word, value in UNITS.items() if 0 < value <= 12}  # noqa: PLR2004 - on a dial
NUMBERS = {"a": 1, "an": 1} | _HOURS_OF_A_DIAL
"""Numbers as they are spelled out."""
NUMBER = rf"(?:\d{{1,3}}|{'|'.join(NUMBERS)})"
"""What finds a number."""
HOUR_WORD = rf"(?:{'|'.join(_HOURS_OF_A_DIAL)}|\d{{1,2}})"
"""What finds an hour by itself."""

_MINUTES = {"five": 5, "ten": 10, "twenty": 20, "twenty-five": 25, "twenty five": 25, "quarter": 15, "half": 30}
_PART = r"(?: in the (?P<part>morning|afternoon|evening)| at (?P<night>night))"
CLOCK = (
    r"(?:(?P<digits>\d{1,2}):(?P<minute>\d\d)(?: ?(?P<half>[ap])\.?m\b\.?)?"
    r"|(?:a )?(?P<step>half|quarter|twenty[ -]five|twenty|ten|five|\d{1,2})(?: minutes?)? (?P<side>past|to|after)"
    rf" (?P<of>{HOUR_WORD})\b"
    rf"|(?P<full>{HOUR_WORD})"
    r"(?: o'clock\b|(?= in the (?:morning|afternoon|evening)\b| at night\b)| ?(?P<half2>[ap])\.?m\b\.?)"
    rf"){_PART}?"
)
"""What finds a time of the clock, with its groups; read by `clock_minutes`."""

_NOON = 12
_SMALL_HOURS_END = 5
_LAST_HOUR, _LAST_MINUTE = 24, 59


def number(spelled: str) -> int:
    """Return a number that `NUMBER` has found."""
    return int(spelled) if spelled.isdecimal() else NUMBERS[spelled]


def clock_minutes(match: re.Match[str]) -> tuple[int, ...]:
    """Return the minutes from midnight that a match of `CLOCK` can mean; none where there is no such time.

    There are two where it does not say which half of the day is meant.
    """
    groups = match.groupdict()
    hour = number(groups["digits"] or groups["of"] or groups["full"])
    minute = int(groups["minute"] or 0)
    if groups["step"]:
        step = groups["step"].replace("-", " ")
        minute = int(step) if step.isdecimal() else _MINUTES[step]
        if groups["side"] == "to":
            minute = -minute
    if hour > _LAST_HOUR or abs(minute) > _LAST_MINUTE:
        return ()
    hours = _hours(hour, groups["half"] or groups["half2"] or "", groups["part"] or groups["night"] or "")
    return tuple((hour * HOUR + minute) % DAY for hour in hours)


def hours_of_dial(hour: int) -> tuple[int, ...]:
    """Return the hours of the day that an hour by itself can mean: two, up to twelve; none where there is none."""
    if 0 < hour <= _NOON:
        return (hour % _NOON, hour % _NOON + _NOON)
    return (hour % _LAST_HOUR,) if hour <= _LAST_HOUR else ()


def _hours(hour: int, half: str, part: str) -> tuple[int, ...]:
    hours = hours_of_dial(hour)
    if len(hours) == 1 or not (half or part):
        return hours
    morning, evening = hours
    is_morning = half == "a" or part == "morning" or (part == "night" and morning < _SMALL_HOURS_END)
    return (morning if is_morning else evening,)


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """How long a text says that it is from now to a time of the clock.

    Attributes:
        start, end: Where in the text it says so.
        until: What the time can be, in minutes from midnight.
        minutes: How long it is said to be.
    """

    start: int
    end: int
    until: tuple[int, ...]
    minutes: float

    def fits(self, minute: int) -> bool:
        """Tell whether it may be said at `minute` of the day; people round, by a third and by half an hour."""
        slack = max(HOUR / 2, self.minutes / 3)
        return any(abs((until - minute) % DAY - self.minutes) <= slack for until in self.until)


_ANY_CLOCK = re.compile(rf"(?<![\w:]){CLOCK}")
_STRETCH = rf"(?P<count>half an|{NUMBER}) (?:and a (?P<more>half) )?(?P<unit>hour|minute)s?(?: and a (?P<more2>half))?"
# "So you have two hours", "that leaves two hours", "you have two hours left". A course that has two hours is none.
_LEFT = re.compile(
    r"(?:\b(?:so|then) (?:you(?:'ve| have)|there(?:'s| is| are))|\b(?:that|which)(?:'s| is| leaves| gives)"
    r"|\b(?:you(?:'ve| have)|there(?:'s| is| are))(?= .{0,40} (?:left|to go|until|till|yet|to spare)\b))"
    r"(?: (?:still|you|us|them|me|got|in|a|over|another|nearly|almost|about|only|good|full|just|at least)){0,4}?"
    rf" {_STRETCH}(?= (?:left|to go|until|till|yet|to spare|before|from now|away)\b|[.,;:!?…]|\Z)"
)
_SENTENCE = re.compile(r"[^.!?…\n]+")
_A_STRETCH = re.compile(r"\b(?:hour|minute)s?\b")


def times_left(text: str) -> Iterator[TimeLeft]:
    """Yield how long it is said to be to the only time that a sentence names: "16:50, so you have two hours"."""
    if "hour" not in text and "minute" not in text:
        return
    for sentence in _SENTENCE.finditer(text):
        begin, end = sentence.span()
        left = _LEFT.search(text, begin, end)
        clocks = list(_ANY_CLOCK.finditer(text, begin, end)) if left else []
        if left is None or len(clocks) != 1 or len(_A_STRETCH.findall(text, begin, end)) != 1:
            continue
        count = left["count"]
        minutes = HOUR / 2 if count == "half an" else number(count) * (1 if left["unit"] == "minute" else HOUR)
        if left["more"] or left["more2"]:
            minutes += HOUR / 2
        if until := clock_minutes(clocks[0]):
            yield TimeLeft(left.start(), left.end(), until, minutes)
