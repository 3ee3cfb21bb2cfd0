"""The story of a timeline so far: who the user is, when they last talked with Ada, and what she knows of them.

It is known without asking a model: what was to be told was planned, and whether it was written down is looked up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from apep_datagen.core.notebook import Note, Notes, ShelfName
from apep_datagen.core.words import holds
from apep_datagen.people.scenario import ASKING, TELLING, Ability, Fact, KnownFact, Scenario, User

__all__ = [
    "Change",
    "NearMiss",
    "Story",
    "Twins",
    "connected_pair",
    "notes_still_saying",
    "notes_that_hold",
    "story_after",
    "told_before",
]


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A note about something that is easily mistaken for a fact: another sister's birthday, last year's dentist.

    Attributes:
        slot: The kind of fact that it is mistaken for.
        fact: What the note says, as far as it is known: its value, with the words of that kind.
    """

    slot: str
    fact: Fact


@dataclass(frozen=True, slots=True)
class Twins:
    """Two of a kind of which Ada has notes, so that she has to ask which is meant; `Fact.which` tells them apart."""

    first: Fact
    second: Fact
    told_on: str
    asked: int = 0


@dataclass(frozen=True, slots=True)
class Story:
    """A timeline as it is after its accepted conversations.

    Attributes:
        user: Who talks with Ada.
        at: When the last conversation took place, as an ISO date and time to the minute; empty before the first.
        known: What Ada has written down of what was planned, oldest first.
        used: Slots that were told or asked about, which are not told anew; and pairs of them that were connected, as
            `connected_pair` spells them.
        near: Near misses that stand in her notes.
        twins: Two of a kind that stand in her notes.
        forgotten: What she was asked to forget, oldest first.
        began: The day of her oldest note, as an ISO date; empty where the timeline began without any.
    """

    user: User
    at: str = ""
    known: tuple[KnownFact, ...] = ()
    used: tuple[str, ...] = ()
    near: tuple[NearMiss, ...] = ()
    twins: tuple[Twins, ...] = ()
    forgotten: tuple[Fact, ...] = ()
    began: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What a conversation has changed.

    Attributes:
        known: What of the planned facts Ada had written down before it.
        before: Memory and diary before it.
        after: Memory and diary after it.
    """

    known: tuple[Fact, ...]
    before: Notes
    after: Notes

    def added(self, shelf: ShelfName) -> list[Note]:
        """Return the notes of one kind that are there after it, and were not before."""
        return _only_in(self.after.on(shelf), self.before.on(shelf))

    def removed(self, shelf: ShelfName) -> list[Note]:
        """Return the notes of one kind that were there before it, and are not after."""
        return _only_in(self.before.on(shelf), self.after.on(shelf))


def _only_in(notes: Iterable[Note], others: Iterable[Note]) -> list[Note]:
    """Return the notes that the others have not; of equal ones, so many as there are more of."""
    there = Counter((note.date, note.text) for note in others)
    only = []
    for note in notes:
        if there[note.date, note.text]:
            there[note.date, note.text] -= 1
        else:
            only.append(note)
    return only


def notes_that_hold(fact: Fact, notes: Notes) -> list[Note]:
    """Return the notes, where `fact` is kept, that hold its value."""
    return [note for note in notes.on(fact.shelf) if holds(note.text, fact.forms)]


def notes_still_saying(fact: Fact, notes: Notes) -> list[Note]:
    """Return the notes that hold the value of `fact` and speak of what it is the value of.

    After it was to go, its value may still stand in a note about something else: who forgets that the sister cannot eat
    sesame may still like sesame sticks.
    """
    return [note for note in notes_that_hold(fact, notes) if holds(note.text, fact.cues)]


def story_after(story: Story, scenario: Scenario, at: str, notes: Notes) -> Story:
    """Return the story after a conversation that was accepted.

    Args:
        story: As it was before.
        scenario: What the conversation was about.
        at: When it took place.
        notes: Memory and diary after it.
    """
    asked = {fact.slot for fact in scenario.facts} if scenario.ability in ASKING else set()
    forgotten = {fact.slot for fact in scenario.facts} if scenario.ability is Ability.FORGET else set()
    known = [
        replace(item, asked=item.asked + (item.fact.slot in asked))
        for item in story.known
        if (notes_still_saying if item.fact.slot in forgotten else notes_that_hold)(item.fact, notes)
    ]
    if scenario.ability in TELLING:
        told = {fact.slot for fact in scenario.facts}
        known = [item for item in known if item.fact.slot not in told]
        known += [KnownFact(fact, at[:10]) for fact in scenario.facts if notes_that_hold(fact, notes)]
    slots = [fact.slot for fact in scenario.facts]
    if scenario.ability is Ability.CONNECT:
        slots.append(connected_pair(*slots))
    used = dict.fromkeys([*story.used, *slots])
    return replace(story, at=at, known=tuple(known), used=tuple(used))


def connected_pair(*slots: str) -> str:
    """Return how a connection of slots is known."""
    return " + ".join(slots)


def told_before(known: Iterable[KnownFact], date: str) -> list[KnownFact]:
    """Return what was told on a day before `date`."""
    return [item for item in known if item.told_on < date]
