"""Whether what a conversation is about is where it should be: in Ada's notes, or out of them.

What she is asked for may be missing because of what she did days ago. Then nothing that she does today can be right,
and the failure is that of the day on which it went wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from apep_datagen.core.notebook import Entry, Note, Notes
from apep_datagen.core.words import holds
from apep_datagen.evaluate.failures import Failure
from apep_datagen.language.values import is_told_by_any
from apep_datagen.people.scenario import ASKING, Ability, Fact, Form, Scenario
from apep_datagen.people.story import Holding, Story, notes_still_saying

__all__ = ["RootCause", "known_before", "root_cause"]

_NEVER_WRITTEN = "what was asked for was told on an earlier day, and never written down"
_WRITTEN_WRONGLY = "what was asked for was told on an earlier day, and written down as something else"
_LOST = "what was asked for was in memory once, and is there no more"
_NEVER_DELETED = "what was to be forgotten on an earlier day is still in memory"


@dataclass(frozen=True, slots=True)
class RootCause:
    """What went wrong on an earlier day.

    Attributes:
        failure: In which way.
        reason: A sentence that is the same for all that went wrong so.
        detail: What it was here.
    """

    failure: Failure
    reason: str
    detail: str


def known_before(scenario: Scenario, ideal: Story, before: Notes) -> tuple[Fact, ...]:
    """Return what Ada has written down of what she should have.

    What a conversation is about counts in whatever words it is there, all else to the letter.

    Args:
        scenario: What the conversation is about.
        ideal: The story before it, as if she had done all that she should.
        before: What really is in memory and diary before it.
    """
    is_there = Holding(before)
    return tuple(
        item.fact
        for item in ideal.known
        if (
            _is_in(before.on(item.fact.shelf), item.fact, item.told_on)
            if item.fact in scenario.facts
            else is_there(item.fact)
        )
    )


def root_cause(scenario: Scenario, ideal: Story, before: Notes, ever: Sequence[Entry]) -> RootCause | None:
    """Return why a conversation cannot be right any more, or None where it can.

    It can where a fact has changed whose old value Ada never had, where she is told again what she has not written
    down, and where of several facts that are to be forgotten one is there still.

    Args:
        scenario: What it is about.
        ideal: The story before it, as if Ada had done all that she should.
        before: What really is in memory and diary before it.
        ever: Every note that there was before it, with those that are gone.
    """
    if scenario.ability is Ability.ABSTAIN and scenario.form is Form.FORGOTTEN:
        return _still_there(scenario, ideal, before)
    needed = dict(_needed(scenario, ideal))
    absent = [fact for fact, told_on in needed.items() if not _is_in(before.on(fact.shelf), fact, told_on)]
    is_out_of_reach = len(absent) == len(needed) if scenario.ability is Ability.FORGET else bool(absent)
    if not absent or not is_out_of_reach:
        return None
    return _cause(absent[0], needed[absent[0]], ever)


def _needed(scenario: Scenario, ideal: Story) -> Iterator[tuple[Fact, str]]:
    """Yield what has to be in memory or diary for this conversation, each with the day on which it was told."""
    is_asked_for = scenario.ability in ASKING | {Ability.ASK_BACK, Ability.FORGET}
    if not is_asked_for or scenario.form in {Form.SAID_ABOVE, Form.NEVER_KEPT}:
        return
    told_on = {item.fact: item.told_on for item in ideal.known}
    told_on |= {fact: twins.told_on for twins in ideal.twins for fact in (twins.first, twins.second)}
    yield from ((fact, told_on[fact]) for fact in scenario.facts if fact in told_on)


def _is_in(notes: Iterable[Note | Entry], fact: Fact, told_on: str) -> bool:
    """Tell whether any note tells a fact: its value, and of what it is the value, unless it was written on that day.

    Of many notes, one has by chance the value of something else.
    """
    return any(
        is_told_by_any([note.text], fact.forms)
        and (
            note.date == told_on
            or not fact.cues
            or holds(note.text, (*fact.cues, *((fact.which,) if fact.which else ())))
        )
        for note in notes
    )


def _cause(fact: Fact, told_on: str, ever: Sequence[Entry]) -> RootCause:
    on_shelf = [entry for entry in ever if entry.shelf == fact.shelf]
    if _is_in(on_shelf, fact, told_on):
        return RootCause(Failure.WROTE_WRONGLY, _LOST, fact.tell)
    of_the_day = [entry for entry in on_shelf if entry.date == told_on]
    # A page about something else is the page of that day.
    if any(fact.shelf == "diary" or holds(entry.text, fact.cues) for entry in of_the_day):
        return RootCause(Failure.WROTE_WRONGLY, _WRITTEN_WRONGLY, fact.tell)
    return RootCause(Failure.DID_NOT_WRITE, _NEVER_WRITTEN, fact.tell)


def _still_there(scenario: Scenario, ideal: Story, before: Notes) -> RootCause | None:
    slots = {fact.slot for fact in scenario.facts}
    for fact in ideal.forgotten:
        if fact.slot in slots and (left := notes_still_saying(fact, before)):
            return RootCause(Failure.WROTE_WRONGLY, _NEVER_DELETED, left[0].text)
    return None
