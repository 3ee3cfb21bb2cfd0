"""The story of a timeline so far: who the user is, when they last talked with Ada, and what she knows of them.

It is known without asking a model: what was to be told was planned, and whether it was written down is looked up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from apep_datagen.core.notebook import SHELVES, Note, Notes, ShelfName
from apep_datagen.core.words import holds
from apep_datagen.people.scenario import ASKING, Ability, Fact, KnownFact, Scenario, User

__all__ = [
    "Change",
    "Holding",
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
        recalls: How many conversations asked for something that is in her memory (`recall`).
        abstains: How many asked for something that is not (`abstain`).
    """

    user: User
    at: str = ""
    known: tuple[KnownFact, ...] = ()
    used: tuple[str, ...] = ()
    near: tuple[NearMiss, ...] = ()
    twins: tuple[Twins, ...] = ()
    forgotten: tuple[Fact, ...] = ()
    began: str = ""
    recalls: int = 0
    abstains: int = 0


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
    slots = {fact.slot for fact in scenario.facts}
    is_there = Holding(notes)
    leaves = slots if scenario.ability is Ability.FORGET else set()
    known = {
        item.fact.slot: item
        for item in story.known
        if (notes_still_saying(item.fact, notes) if item.fact.slot in leaves else is_there(item.fact))
    }
    if scenario.ability is Ability.UPDATE:
        known = {slot: item for slot, item in known.items() if slot not in slots}
    for fact in scenario.facts:
        if fact.forms and not fact.which and fact.slot not in known and fact.slot not in leaves and is_there(fact):
            saying = notes_still_saying(fact, notes) if fact.cues else []
            known[fact.slot] = KnownFact(fact, at[:10], notes=max(1, len(saying)))
    asks = scenario.ability in ASKING | {Ability.ASK_BACK}
    used = [fact.slot for fact in scenario.facts]
    if scenario.ability is Ability.CONNECT:
        used.append(connected_pair(*used))
    return replace(
        story,
        at=at,
        recalls=story.recalls + (scenario.ability is Ability.RECALL),
        abstains=story.abstains + (scenario.ability is Ability.ABSTAIN),
        known=tuple(_after(item, known, notes, was_asked=asks and item.fact.slot in slots) for item in known.values()),
        used=tuple(dict.fromkeys([*story.used, *used])),
        near=tuple(near for near in story.near if is_there(near.fact)),
        twins=tuple(
            replace(twins, asked=twins.asked + (asks and twins.first.slot in slots))
            for twins in story.twins
            if is_there(twins.first) and is_there(twins.second)
        ),
        forgotten=tuple(
            dict.fromkeys([*story.forgotten, *(fact for fact in scenario.facts if fact.slot in leaves and fact.value)])
        ),
    )


class Holding:
    """Tells whether any note, where a fact is kept, holds its value; all are searched at once.

    Args:
        notes: What is searched.
    """

    def __init__(self, notes: Notes) -> None:
        self._texts = {shelf: _BETWEEN.join(note.text for note in notes.on(shelf)) for shelf in SHELVES}

    def __call__(self, fact: Fact) -> bool:
        """Tell whether any note holds the value of a fact."""
        return holds(self._texts[fact.shelf], fact.forms)


# A word that there is not: what stands at the end of one note and at the beginning of the next, is in neither.
_BETWEEN = "\nqxzxq\n"


def _after(item: KnownFact, known: Mapping[str, KnownFact], notes: Notes, *, was_asked: bool) -> KnownFact:
    """Return a fact as it is known after a conversation in which it was asked for, or was not."""
    other = known.get(item.shared_with)
    # When one of two that shared a note has changed, each may have a note of its own.
    is_shared = other and any(holds(note.text, item.fact.forms) for note in notes_that_hold(other.fact, notes))
    shared_with = item.shared_with if is_shared else ""
    if not was_asked and shared_with == item.shared_with:
        return item
    return replace(item, asked=item.asked + was_asked, shared_with=shared_with)


def connected_pair(*slots: str) -> str:
    """Return how a connection of slots is known."""
    return " + ".join(slots)


def told_before(known: Iterable[KnownFact], date: str) -> list[KnownFact]:
    """Return what was told on a day before `date`."""
    return [item for item in known if item.told_on < date]
