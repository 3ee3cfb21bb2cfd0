"""What the story of a timeline offers on a certain day: for each ability and form, what a conversation can be about."""

from __future__ import annotations

import datetime
import functools
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apep_datagen.people.cast import Cast
from apep_datagen.people.scenario import FORMS, Ability, Fact, Form, KnownFact
from apep_datagen.people.story import NearMiss, Story, Twins, connected_pair, told_before
from apep_datagen.people.vocabulary import coming_day
from apep_datagen.people.world import Connection, Slot, are_alike

__all__ = ["Known", "Offers", "offers"]

_MOST_ASKED = 3
_LEAST_EARLIER = 2
# After so many times the days after which such a thing changes on the whole, it is over.
_MOST_PACES = 4

Known = tuple[KnownFact, ...]
"""Facts of which one conversation is about all."""


@dataclass(frozen=True, slots=True)
class Offers:
    """What a story offers on a certain day. What concerns the memory needs one that is not empty.

    Attributes:
        known: What is in her memory, told on a day before, and not over.
        pages: Moments that have a page.
        new_slots: Kinds of facts that go with the user and were never spoken of.
        new_moments: The same of moments.
        near: Near misses by the kind that they are mistaken for.
        by_form: For each form that is possible, what it can be about.
    """

    known: list[KnownFact]
    pages: list[KnownFact]
    new_slots: list[Slot]
    new_moments: list[Fact]
    near: dict[str, list[NearMiss]]
    by_form: dict[tuple[Ability, Form], Sequence[object]]

    def forms(self, ability: Ability, exchanges: int) -> list[Form]:
        """Return the forms in which a conversation of so many exchanges can show the ability."""
        return [
            form
            for form in FORMS[ability]
            if self.by_form.get((ability, form)) and (form is not Form.SAID_ABOVE or exchanges > 1)
        ]


# What is possible is asked first, and then drawn from.
@functools.lru_cache(maxsize=1)
def offers(cast: Cast, story: Story, date: str) -> Offers:
    """Return what a story offers on the day `date`, an ISO date."""
    before = told_before(story.known, date)
    known = [item for item in before if item.fact.shelf == "memory" and not _is_over(cast, item, date)]
    used = set(story.used)
    twins = [one.first for one in story.twins]
    near: dict[str, list[NearMiss]] = defaultdict(list)
    for one in story.near:
        near[one.slot].append(one)
    found = Offers(
        known=known,
        pages=[item for item in before if item.fact.shelf == "diary"],
        new_slots=[
            slot
            for slot in cast.slots.values()
            if slot.slot not in used and slot.fits(story.user) and not are_alike(slot, twins)
        ],
        new_moments=[moment for moment in cast.moment_facts if moment.slot not in used],
        near=near,
        by_form={},
    )
    for place, offer in _OFFERS.items():
        if place not in _NEEDING_MEMORY or known:
            found.by_form[place] = offer(cast, story, found, date)
    return found


def _is_over(cast: Cast, item: KnownFact, date: str) -> bool:
    """Tell whether nobody speaks of it any more as of something that is so: its day has passed, or its time."""
    slot, told_on, today = cast.slots.get(item.fact.slot), *map(datetime.date.fromisoformat, (item.told_on, date))
    if slot is None:
        return False
    if slot.expires:
        day = coming_day(item.fact.value, told_on)
        return day is not None and day < today
    return bool(slot.change) and (today - told_on).days > _MOST_PACES * slot.pace[1]


Offer = Callable[[Cast, Story, Offers, str], Sequence[object]]


def _new_slots(_cast: Cast, _story: Story, found: Offers, _date: str) -> Sequence[Slot]:
    return found.new_slots


def _two_new_slots(_cast: Cast, _story: Story, found: Offers, _date: str) -> Sequence[Slot]:
    return found.new_slots if len(found.new_slots) > 1 else ()


def _seldom_asked(_cast: Cast, _story: Story, found: Offers, _date: str) -> Sequence[KnownFact]:
    return [item for item in found.known if item.asked < _MOST_ASKED]


def _always(*_: object) -> Sequence[object]:
    return ("",)


def _changing(cast: Cast, _story: Story, found: Offers, date: str) -> Sequence[KnownFact]:
    """Return what may have changed by now, as fast as such things do."""
    today = datetime.date.fromisoformat(date)
    return [
        item
        for item in found.known
        if (slot := cast.slots.get(item.fact.slot))
        and slot.change
        and (today - datetime.date.fromisoformat(item.told_on)).days >= slot.pace[0]
    ]


def _changing_in_one_note(cast: Cast, story: Story, found: Offers, date: str) -> Sequence[KnownFact]:
    return [item for item in _changing(cast, story, found, date) if item.notes == 1]


def _changing_in_two_notes(cast: Cast, story: Story, found: Offers, date: str) -> Sequence[KnownFact]:
    return [item for item in _changing(cast, story, found, date) if item.notes > 1]


def _new_changing(_cast: Cast, _story: Story, found: Offers, _date: str) -> Sequence[Slot]:
    return [slot for slot in found.new_slots if slot.change]


def _correctable(cast: Cast, _story: Story, found: Offers, _date: str) -> Sequence[KnownFact]:
    # Nobody mistakes what they must not eat.
    return [item for item in found.known if (slot := cast.slots.get(item.fact.slot)) and not slot.avoid]


def _alone(_cast: Cast, _story: Story, found: Offers, _date: str) -> Sequence[KnownFact]:
    return [item for item in found.known if not found.near.get(item.fact.slot) and not item.shared_with]


def _beside_near_miss(_cast: Cast, _story: Story, found: Offers, _date: str) -> Sequence[KnownFact]:
    return [item for item in found.known if found.near.get(item.fact.slot) and item.asked < _MOST_ASKED]


def _persons(cast: Cast, _story: Story, found: Offers, _date: str) -> Sequence[Known]:
    by_person: dict[str, list[KnownFact]] = defaultdict(list)
    for item in found.known:
        if (slot := cast.slots.get(item.fact.slot)) and slot.of in cast.world.persons:
            by_person[slot.of].append(item)
    return [tuple(items) for items in by_person.values() if len(items) > 1]


def _unknown_near(_cast: Cast, _story: Story, found: Offers, _date: str) -> Sequence[Slot]:
    return [slot for slot in found.new_slots if found.near.get(slot.slot)]


def _unknown_unrelated(_cast: Cast, _story: Story, found: Offers, _date: str) -> Sequence[Slot]:
    return [slot for slot in found.new_slots if not found.near.get(slot.slot)]


def _sharing(_cast: Cast, _story: Story, found: Offers, _date: str) -> Sequence[KnownFact]:
    slots = {item.fact.slot for item in found.known}
    return [item for item in found.known if item.shared_with in slots]


def _changed_twice(_cast: Cast, _story: Story, found: Offers, _date: str) -> Sequence[KnownFact]:
    return [item for item in found.known if len(item.earlier) >= _LEAST_EARLIER and item.asked < _MOST_ASKED]


def _dates_and_numbers(_cast: Cast, _story: Story, found: Offers, _date: str) -> Sequence[KnownFact]:
    return [
        item
        for item in found.known
        if any(character.isdigit() for character in item.fact.value) and item.asked < _MOST_ASKED
    ]


def _with_page(cast: Cast, story: Story, found: Offers, date: str) -> Sequence[KnownFact]:
    return _seldom_asked(cast, story, found, date) if found.pages else ()


def _connections(cast: Cast, story: Story, found: Offers, _date: str) -> Sequence[tuple[Connection, Fact, Fact]]:
    """Return the questions that need two known facts; those that were asked only where there are no others."""
    by_slot = {item.fact.slot: item.fact for item in found.known}
    possible = [
        (connection, by_slot[first], by_slot[second])
        for connection in cast.connections
        for first, second in [connection.slots]
        if first in by_slot and second in by_slot
    ]
    new = [one for one in possible if connected_pair(*one[0].slots) not in story.used]
    return new or possible


def _forgotten(cast: Cast, story: Story, _found: Offers, _date: str) -> Sequence[Slot]:
    known = {item.fact.slot for item in story.known}
    slots = dict.fromkeys(fact.slot for fact in story.forgotten if fact.slot not in known)
    return [cast.slots[slot] for slot in slots if slot in cast.slots]


def _new_moments(_cast: Cast, _story: Story, found: Offers, _date: str) -> Sequence[Fact]:
    return found.new_moments


def _moments_with_fact(_cast: Cast, _story: Story, found: Offers, _date: str) -> Sequence[Fact]:
    return found.new_moments if found.new_slots else ()


def _pages(_cast: Cast, _story: Story, found: Offers, _date: str) -> Sequence[KnownFact]:
    return [item for item in found.pages if item.asked < _MOST_ASKED]


def _to_use(cast: Cast, _story: Story, found: Offers, _date: str) -> Sequence[KnownFact]:
    return _with_occasions(cast, found, avoid=False)


def _to_avoid(cast: Cast, _story: Story, found: Offers, _date: str) -> Sequence[KnownFact]:
    return _with_occasions(cast, found, avoid=True)


def _with_occasions(cast: Cast, found: Offers, *, avoid: bool) -> Sequence[KnownFact]:
    return [
        item
        for item in found.known
        if (slot := cast.slots.get(item.fact.slot))
        and slot.occasions
        and slot.avoid is avoid
        and item.asked < _MOST_ASKED
    ]


def _twins(_cast: Cast, story: Story, _found: Offers, _date: str) -> Sequence[Twins]:
    return [twins for twins in story.twins if twins.asked < _MOST_ASKED]


_OFFERS: dict[tuple[Ability, Form], Offer] = {
    (Ability.SHARE, Form.TOLD): _new_slots,
    (Ability.SHARE, Form.KNOWN_ALREADY): _seldom_asked,
    (Ability.SHARE, Form.TWO_AT_ONCE): _two_new_slots,
    (Ability.SHARE, Form.MAYBE_TOLD): _new_slots,
    (Ability.SHARE, Form.PASSING): _always,
    (Ability.UPDATE, Form.CHANGED): _changing_in_one_note,
    (Ability.UPDATE, Form.OLD_MISSING): _new_changing,
    (Ability.UPDATE, Form.TWO_TOUCHED): _changing_in_two_notes,
    (Ability.UPDATE, Form.MISTAKE): _correctable,
    (Ability.FORGET, Form.ONE): _alone,
    (Ability.FORGET, Form.ONE_OF_SEVERAL): _beside_near_miss,
    (Ability.FORGET, Form.PERSON): _persons,
    (Ability.FORGET, Form.NEVER_KEPT): _new_slots,
    (Ability.FORGET, Form.HALF): _sharing,
    (Ability.RECALL, Form.AMONG_MANY): _seldom_asked,
    (Ability.RECALL, Form.NEAR_MISS): _beside_near_miss,
    (Ability.RECALL, Form.NEWEST): _changed_twice,
    (Ability.RECALL, Form.DATE_OR_NUMBER): _dates_and_numbers,
    (Ability.RECALL, Form.NOTE_AND_PAGE): _with_page,
    (Ability.RECALL, Form.SAID_ABOVE): _new_slots,
    (Ability.CONNECT, Form.TWO_FACTS): _connections,
    (Ability.ABSTAIN, Form.NEAR_MISS): _unknown_near,
    (Ability.ABSTAIN, Form.UNRELATED): _unknown_unrelated,
    (Ability.ABSTAIN, Form.FORGOTTEN): _forgotten,
    (Ability.DIARY, Form.MOMENT): _new_moments,
    (Ability.DIARY, Form.MOMENT_AND_FACT): _moments_with_fact,
    (Ability.DIARY_RECALL, Form.AMONG_MANY): _pages,
    (Ability.DIARY_RECALL, Form.RETOLD): _pages,
    (Ability.APPLY, Form.AVOID): _to_avoid,
    (Ability.APPLY, Form.USE): _to_use,
    (Ability.ASK_BACK, Form.TWO_CANDIDATES): _twins,
    (Ability.SMALLTALK, Form.CHAT): _always,
    (Ability.ADVICE, Form.GENERAL): _always,
}

# Whatever asks the memory for something is asked of one that holds something: whether the answer is there, its being
# empty does not tell.
_NEEDING_MEMORY = frozenset(
    (ability, form)
    for ability in (Ability.UPDATE, Ability.FORGET, Ability.RECALL, Ability.CONNECT, Ability.ABSTAIN, Ability.APPLY)
    for form in FORMS[ability]
    if form is not Form.SAID_ABOVE
) | {(Ability.SHARE, Form.MAYBE_TOLD)}
