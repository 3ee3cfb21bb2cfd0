"""The stage `time`: nobody contradicts the day and the hour of the conversation, or when something was told.

What is found is false by the calendar and the clock, in words that can mean nothing else. Ada is told weekday, date and
hour, the user weekday and part of the day; where the user lives nobody else knows, so a season is nearly never false.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from typing import Any

from apep_datagen.conversation.brief import Brief
from apep_datagen.core.calls import MalformedCall, ToolCall, texts_in
from apep_datagen.core.words import words
from apep_datagen.language.moments.clock import HOUR, times_left
from apep_datagen.language.moments.forms import ANY_NUMBER, Certainty
from apep_datagen.language.moments.names import MONTHS, NIGHT_ENDS, WEEKDAYS, plain
from apep_datagen.language.moments.present import Present, present_times
from apep_datagen.language.moments.told import tellings
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample

__all__ = ["check"]

# The user knows the part of the day alone, and may be an hour or two beside it.
_SLACK_OF_USERS = 2 * HOUR
# Where somebody speaks of these, their day may have other hours.
_OF_OTHER_HOURS = frozenset(words("shift shifts woke jet jetlag lag zone timezone abroad overslept"))
_PLANNED_PARTS = ("tonight", "this evening", "this afternoon", "this morning")
_NAMES_OF_DAYS = frozenset((*WEEKDAYS, *(f"{day}s" for day in WEEKDAYS), *MONTHS))


def check(sample: Sample, brief: Brief) -> Problem | None:
    """Return the first thing that is said at the wrong time, or None.

    Args:
        sample: The conversation.
        brief: When it takes place, and what the user was asked to say, which is not held against them.
    """
    now = datetime.datetime.fromisoformat(brief.at)
    scenario = brief.scenario
    view = _View(now, "\n".join((scenario.topic, scenario.instruction, *scenario.course)).lower())
    for exchange in sample.exchanges:
        if problem := view.of_user(exchange.question):
            return problem
        for turn in exchange.turns:
            problem = view.of_ada(turn.thinking, is_thought=True) or view.of_ada(turn.reply, is_thought=False)
            if problem := problem or view.of_pages(turn.calls):
                return problem
            view.see(turn.results)
    return None


class _View:
    """A conversation up to a place in it: what was said and shown so far."""

    def __init__(self, now: datetime.datetime, planned: str) -> None:
        self.now = now
        self.planned = planned
        self.heard: set[str] = set()
        self.heard_texts: list[str] = []
        self.dates: set[datetime.date] = set()

    def see(self, results: Iterable[Any]) -> None:
        """Take in what was looked up."""
        for result in results:
            dates = list(_dates_in(result))
            written = {date.isoformat() for date in dates}
            for text in texts_in(result):
                if text not in written:
                    self._hear(text)
            self.dates.update(dates)

    def of_user(self, question: str) -> Problem | None:
        """Return what is wrong with a user's message, or None; and take it in."""
        self._hear(question)
        for present in present_times(question):
            if _counts_of_user(present) and not self._is_planned(present) and not self._fits(present, _SLACK_OF_USERS):
                return self._problem("the user's message contradicts the time of the conversation", present.words)
        return None

    def of_ada(self, text: str, *, is_thought: bool) -> Problem | None:
        """Return what is wrong with what Ada thinks, says or writes, or None."""
        return self._wrong_now(text, is_thought=is_thought) or self._wrong_left(text) or self._wrong_telling(text)

    def of_pages(self, calls: Iterable[ToolCall | MalformedCall]) -> Problem | None:
        """Return what is wrong with what Ada writes into her diary, or None."""
        for call in calls:
            if isinstance(call, ToolCall) and call.name == "add_diary":
                for page in texts_in([call.arguments, *call.positional]):
                    if problem := self._wrong_now(page, is_thought=False):
                        return problem
        return None

    def _wrong_now(self, text: str, *, is_thought: bool) -> Problem | None:
        for present in present_times(text):
            # Where such a time was spoken of, she may go on speaking of it; and it may be another where the user is.
            if (
                (is_thought or _counts_in_reply(present))
                and present.echoes.isdisjoint(self.heard)
                and not self._fits(present)
            ):
                return self._problem("Ada contradicts the time of the conversation", present.words)
        return None

    def _fits(self, present: Present, slack: int = 0) -> bool:
        if present.time.minutes and not _OF_OTHER_HOURS.isdisjoint(self.heard):
            return True
        return present.time.fits(self.now, slack)

    def _is_planned(self, present: Present) -> bool:
        said = present.words.lower()
        return said in self.planned or any(part in said and part in self.planned for part in _PLANNED_PARTS)

    def _wrong_left(self, text: str) -> Problem | None:
        for left in times_left(plain(text)):
            if not left.fits(self.now.hour * HOUR + self.now.minute):
                return self._problem("Ada counts the time to an hour wrongly", text[left.start : left.end])
        return None

    def _wrong_telling(self, text: str) -> Problem | None:
        if not self.dates:
            return None
        todays = {self.now.date()}
        if self.now.hour < NIGHT_ENDS:
            todays.add(self.now.date() - datetime.timedelta(days=1))
        # What is told in this conversation is told today.
        dates = self.dates | todays
        for telling in tellings(text):
            # What is dated may be what was told, and who is told of a time may repeat it.
            if any(telling.words.lower() in said for said in self.heard_texts):
                continue
            if telling.day.names_a_day and not _NAMES_OF_DAYS.isdisjoint(self.heard):
                continue
            if not any(telling.day.can_be(date, today) for date in dates for today in todays):
                return self._problem("Ada says that something was told or written on another day", telling.words)
        return None

    def _hear(self, text: str) -> None:
        found = words(text)
        self.heard.update(found)
        self.heard_texts.append(text.lower())
        if any(map(str.isdecimal, found)):
            self.heard.add(ANY_NUMBER)

    def _problem(self, reason: str, quote: str) -> Problem:
        return Problem(Stage.TIME, reason, f"{self.now:%Y-%m-%d %H:%M}: {quote}", quote)


def _counts_in_reply(present: Present) -> bool:
    """Tell whether words in a reply, which may paint a scene, mean the present."""
    if present.certainty is Certainty.PLAIN:
        return True
    return present.certainty is Certainty.UNPROMPTED and present.is_addressed


def _counts_of_user(present: Present) -> bool:
    """Tell whether a user's message can mean nothing but the present: it says so, or begins with the day."""
    if present.certainty is Certainty.PLAIN:
        return True
    return present.certainty is Certainty.UNPROMPTED and present.is_first and not present.time.minutes


def _dates_in(result: Any) -> Iterator[datetime.date]:
    """Yield the dates of the notes in a result."""
    if not isinstance(result, dict):
        return
    for notes in result.values():
        for note in notes if isinstance(notes, (list, tuple)) else ():
            date = note.get("date") if isinstance(note, dict) else None
            if isinstance(date, str):
                try:
                    yield datetime.date.fromisoformat(date)
                except ValueError:
                    continue
