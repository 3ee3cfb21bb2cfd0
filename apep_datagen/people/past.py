"""What Ada has noted of a user before the first conversation of a timeline: drawn from the tables, written by no model.

Nothing of it depends on what will be asked: how full her memory is, tells nothing about whether an answer is in it.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from apep_datagen.core.notebook import ShelfName
from apep_datagen.people.cast import Cast
from apep_datagen.people.distinct import Taken
from apep_datagen.people.scenario import Fact, KnownFact, User
from apep_datagen.people.story import NearMiss, Story, Twins
from apep_datagen.people.vocabulary import Forms, coming_day
from apep_datagen.people.world import SELF, Slot, are_alike

__all__ = ["Past", "PastNote", "draw_past"]

_EMPTY_SHARE = 0.12
# How many notes there are, least and most, with a weight; one known fact and three near misses are always among them.
_NOTES = (((6, 8), 22), ((9, 14), 27), ((15, 28), 27), ((29, 44), 16), ((45, 60), 8))
_PAGES = (((0, 0), 18), ((1, 2), 28), ((3, 5), 30), ((6, 12), 24))
# Over how many days they were written, least and most, with a weight; no fewer than a day for each note.
_SPANS = (((14, 60), 18), ((61, 240), 28), ((241, 720), 32), ((721, 1500), 22))
_NOTES_OF_A_DAY = 2.5
# What the notes are about, by weight.
_FACT, _NEAR, _TRIFLE, _TWINS, _SHARED = "fact", "near miss", "trifle", "twins", "two facts in a note"
_KINDS = {_FACT: 46, _NEAR: 22, _TRIFLE: 22, _TWINS: 5, _SHARED: 4}
_SHARE_WITH_TWO_EARLIER, _SHARE_WITH_ONE_EARLIER = 0.22, 0.4
_SHARE_OF_FACTS_NOTED_TWICE, _SHARE_OF_CHANGING_NOTED_TWICE = 0.03, 0.12
_SHARE_OF_FACTS_WITH_NEAR_MISS = 0.3
_SHARE_OF_SAME_PERSON, _SHARE_OF_CONNECTED = 0.6, 0.2
# So many notes are written, in any past, after the first fact: its near miss, another fact, two of a kind, a near miss.
_ROOM_FOR_THE_REST = 5
_SHARE_WITH_OCCASION, _SHARE_TO_AVOID, _SHARE_WITH_TWINS = 0.8, 0.45, 0.9
_MOST_ATTEMPTS = 12


@dataclass(frozen=True, slots=True)
class PastNote:
    """A note that was written before the first conversation; `date` is an ISO date."""

    shelf: ShelfName
    date: str
    text: str


@dataclass(frozen=True, slots=True)
class Past:
    """What a timeline begins with.

    Attributes:
        notes: Memory and diary, oldest first.
        story: The same as the story knows it.
    """

    notes: tuple[PastNote, ...]
    story: Story


def draw_past(cast: Cast, draw: random.Random, user: User, day: str, size: tuple[int, int] | None = None) -> Past:
    """Draw what Ada has noted of a user.

    Args:
        cast: What it is drawn from.
        draw: Where chance comes from.
        user: Whom it is about.
        day: The day of the first conversation, as an ISO date; all notes are older.
        size: How many notes there are in her memory, least and most; (0, 0) for none, nor pages. None: drawn as well.
    """
    writer = _Writer(cast, draw, user, datetime.date.fromisoformat(day))
    is_empty = draw.random() < _EMPTY_SHARE if size is None else not size[1]
    if not is_empty and any(slot.notes for slot in cast.slots.values()):
        writer.write(size)
    return writer.past()


class _Writer:
    """Writes the notes of one user."""

    def __init__(self, cast: Cast, draw: random.Random, user: User, today: datetime.date) -> None:
        self._cast = cast
        self._draw = draw
        self._user = user
        self._today = today
        self._taken = Taken.of_user(user)
        self._days: list[datetime.date] = []
        self._most = 0
        self._notes: list[PastNote] = []
        self._known: list[KnownFact] = []
        self._near: list[NearMiss] = []
        self._twins: list[Twins] = []
        self._used: set[str] = set()
        self._trifles: set[str] = set()
        self._last_of = SELF

    def write(self, size: tuple[int, int] | None) -> None:
        """Write a past that is not empty, of so many notes."""
        draw = self._draw
        self._most = draw.randint(*(size or _weighted(draw, _NOTES)))
        span = max(draw.randint(*_weighted(draw, _SPANS)), self._most)
        count = max(2, min(span, round(self._most / _NOTES_OF_A_DAY) + 1))
        self._days = sorted(
            self._today - datetime.timedelta(days=ago) for ago in draw.sample(range(1, span + 1), count)
        )
        self._write_essentials()
        failures = 0
        while self._room > 0 and failures < _MOST_ATTEMPTS:
            room = self._room
            self._write(draw.choices(list(_KINDS), list(_KINDS.values()))[0])
            failures = failures + 1 if self._room == room else 0  # perhaps nothing of this kind is left
        self._write_pages(draw.randint(*_weighted(draw, _PAGES)))

    def _write_essentials(self) -> None:
        """Write what any ability needs that asks the memory: so a small memory is asked for the same as a large one."""
        first, second = self._draw_pair()
        self._write_fact(first, with_room=_ROOM_FOR_THE_REST, with_near_miss=True)
        if second is not None:
            self._write_fact(second, with_room=_ROOM_FOR_THE_REST - 1)
        self._write_near_miss()
        if self._draw.random() < _SHARE_WITH_TWINS:
            self._write_twins()
        self._write_near_miss()
        if self._draw.random() < _SHARE_WITH_OCCASION:
            avoid = self._draw.random() < _SHARE_TO_AVOID
            useful = [slot for slot in self._cast.slots.values() if slot.occasions and slot.avoid is avoid]
            useful = [slot for slot in useful if self._is_free(slot)]
            self._write_fact(self._draw.choice(useful) if useful else None)

    def past(self) -> Past:
        """Return what was written."""
        notes = tuple(sorted(self._notes, key=lambda note: note.date))
        known = tuple(sorted(self._known, key=lambda item: item.told_on))
        used = [*(item.fact.slot for item in known), *(one.first.slot for one in self._twins)]
        used += sorted(self._used - set(used))
        began = notes[0].date if notes else ""
        story = Story(self._user, "", known, tuple(used), tuple(self._near), tuple(self._twins), (), began)
        return Past(notes, story)

    def _write(self, kind: str) -> None:
        if kind == _FACT:
            self._write_fact()
        elif kind == _NEAR:
            self._write_near_miss()
        elif kind == _TWINS:
            self._write_twins()
        elif kind == _SHARED:
            self._write_shared()
        else:
            self._write_trifle()

    @property
    def _room(self) -> int:
        return self._most - len(self._notes)

    # Facts.

    def _write_fact(self, slot: Slot | None = None, *, with_room: int = 0, with_near_miss: bool = False) -> None:
        """Write a fact: what is so, perhaps what was so before, perhaps twice, perhaps with a near miss.

        Args:
            slot: Of which kind; None: any.
            with_room: For how many more notes room is left.
            with_near_miss: Whether a near miss is written with it in any case.
        """
        slot = slot or self._draw_slot()
        if slot is None or not self._room:
            return
        states = self._states(slot, room=self._room - with_room)
        days = self._ascending(len(states))
        facts = [slot.fact(self._value(slot, day)) for day in days]
        left = list(slot.notes)
        for fact, day in zip(facts[:-1], days[:-1], strict=True):
            left.remove(self._note(left, fact.value, day))
            left = left or list(slot.notes)
        fact, day = facts[-1], days[-1]
        if len(facts) > 1 and slot.was and self._room > 1 + with_room and self._draw.random() < 1 / 3:
            self._note(slot.was, facts[-2].value, day)
        left.remove(self._note(left, fact.value, day))
        noted_twice = _SHARE_OF_CHANGING_NOTED_TWICE if slot.change else _SHARE_OF_FACTS_NOTED_TWICE
        if left and self._room > with_room and self._draw.random() < noted_twice:
            self._note(left, fact.value, self._draw.choice(self._days))
            self._learn(slot, fact, day, earlier=tuple(facts[:-1]), notes=2)
        else:
            self._learn(slot, fact, day, earlier=tuple(facts[:-1]))
        wants_near_miss = with_near_miss or self._draw.random() < _SHARE_OF_FACTS_WITH_NEAR_MISS
        if slot.beside and self._room and wants_near_miss:
            self._write_beside(slot)

    def _states(self, slot: Slot, room: int) -> range:
        """Return a number for each state of a fact that is to be written, the newest last."""
        span, chance = (self._today - self._days[0]).days, self._draw.random()
        earlier = 2 if chance < _SHARE_WITH_TWO_EARLIER else 1 if chance < _SHARE_WITH_ONE_EARLIER else 0
        if not slot.change or slot.expires:
            return range(1)
        fits = span // max(1, slot.pace[0])
        return range(1 + max(0, min(earlier, fits, room - 1, len(self._days) - 1)))

    def _learn(
        self,
        slot: Slot,
        fact: Fact,
        day: datetime.date,
        *,
        earlier: tuple[Fact, ...] = (),
        notes: int = 1,
        shared_with: str = "",
    ) -> None:
        self._used.add(slot.slot)
        over = coming_day(fact.value, day) if slot.expires else None
        if over is None or over >= self._today:
            self._known.append(KnownFact(fact, day.isoformat(), 0, earlier, shared_with, notes))

    def _write_shared(self) -> None:
        """Write two facts into one note."""
        first, second = self._draw_slot(), self._draw_slot()
        if first is None or second is None or first.slot == second.slot:
            return
        day = self._draw.choice(self._days)
        texts = []
        for slot, other in ((first, second), (second, first)):
            fact = slot.fact(self._value(slot, day))
            texts.append(self._text(self._draw_phrasing(slot.notes), fact.value, day))
            self._learn(slot, fact, day, shared_with=other.slot)
        self._add("memory", day, " ".join(texts))

    # What is beside them.

    def _write_near_miss(self) -> None:
        """Write what is easily mistaken for a fact that Ada does not know."""
        slot = self._draw_slot()
        if slot is not None and slot.beside:
            self._write_beside(slot)

    def _write_beside(self, slot: Slot) -> None:
        day = self._draw.choice(self._days)
        fact = slot.fact(self._value(slot, day))
        self._note(slot.beside, fact.value, day)
        self._near.append(NearMiss(slot.slot, fact))

    def _write_twins(self) -> None:
        twins = self._cast.world.twins.values()
        written = [self._cast.slots[slot] for slot in self._used if slot in self._cast.slots]
        written += [self._cast.slots[near.slot] for near in self._near]
        kinds = [
            kind
            for kind in twins
            if kind.fits(self._user)
            and kind.slot not in self._used
            and not any(are_alike(slot, [kind.fact("", ("",))]) for slot in written)
        ]
        if not kinds or self._room <= 1:
            return
        kind = self._draw.choices(kinds, [self._cast.weights[kind.slot] for kind in kinds])[0]
        day = self._draw.choice(self._days)
        facts = []
        for phrasing in self._two_of(kind.notes):
            which = self._draw_distinct(kind.which, day)
            fact = kind.fact(which[0], self._draw_distinct(kind.values, day))
            facts.append(fact)
            text = phrasing.replace("{which}", fact.which).replace("{value}", fact.value)
            self._add("memory", day, _capital(text))
        self._used.add(kind.slot)
        self._twins.append(Twins(facts[0], facts[1], day.isoformat()))

    def _two_of(self, texts: tuple[str, ...]) -> list[str]:
        return self._draw.sample(texts, 2) if len(texts) > 1 else [texts[0]] * 2

    def _write_trifle(self) -> None:
        trifles = self._cast.world.trifles
        for _ in range(_MOST_ATTEMPTS if trifles else 0):
            text = self._draw.choice(trifles)
            day = self._draw.choice(self._days)
            filled = self._text(text, "", day)
            if text not in self._trifles and self._taken.is_none_in(filled):
                self._trifles.add(text)
                self._add("memory", day, filled)
                return

    def _write_pages(self, count: int) -> None:
        moments = [moment for moment in self._cast.moments.values() if moment.pages]
        for moment in self._draw.sample(moments, min(count, len(moments))):
            day = self._draw.choice(self._days)
            self._notes.append(PastNote("diary", day.isoformat(), self._draw.choice(moment.pages)))
            self._used.add(moment.slot)
            self._known.append(KnownFact(moment.fact(), day.isoformat()))

    # Draws.

    def _draw_slot(self) -> Slot | None:
        """Draw a kind of fact that nothing was written of: about the same person as the last, or connected, or any."""
        slot = self._draw_related() or self._draw_any()
        if slot is not None:
            self._last_of = slot.of
        return slot

    def _draw_related(self) -> Slot | None:
        if self._last_of != SELF and self._draw.random() < _SHARE_OF_SAME_PERSON:
            same = [slot for slot in self._cast.slots_of.get(self._last_of, ()) if self._is_free(slot)]
            if same:
                return self._draw.choice(same)
        return self._draw_connected() if self._draw.random() < _SHARE_OF_CONNECTED else None

    def _draw_pair(self) -> tuple[Slot | None, Slot | None]:
        """Draw two kinds that belong together, of which the first can have a near miss and lasts."""
        pairs = self._cast.connections
        for connection in self._draw.sample(pairs, len(pairs)):
            first, second = (self._cast.slots[slot] for slot in connection.slots)
            if self._is_free(first) and self._is_free(second) and first.beside and not first.expires:
                return first, second
        return self._draw_any(), None

    def _draw_connected(self) -> Slot | None:
        """Draw a kind that belongs together with one of which something was written, if there is one."""
        known = {item.fact.slot for item in self._known}
        pairs = [pair for one in self._cast.connections for pair in (one.slots, one.slots[::-1])]
        others = [self._cast.slots[other] for slot, other in pairs if slot in known]
        free = [slot for slot in others if self._is_free(slot)]
        return self._draw.choice(free) if free else None

    def _draw_any(self) -> Slot | None:
        slots, weights = self._cast.weighted_slots
        for _ in range(_MOST_ATTEMPTS):
            slot = self._draw.choices(slots, cum_weights=weights)[0]
            if self._is_free(slot):
                return slot
        return None

    def _is_free(self, slot: Slot) -> bool:
        is_near = any(near.slot == slot.slot for near in self._near)
        if not slot.notes or slot.slot in self._used or is_near or not slot.fits(self._user):
            return False
        return not are_alike(slot, (one.first for one in self._twins))

    def _value(self, slot: Slot, day: datetime.date) -> Forms:
        return self._draw_distinct(slot.values, day)

    def _draw_distinct(self, values: tuple[Forms, ...], day: datetime.date) -> Forms:
        return self._taken.draw(self._draw, self._cast.world.vocabulary, values, day)

    def _ascending(self, count: int) -> list[datetime.date]:
        """Return so many different days, oldest first."""
        return sorted(self._draw.sample(self._days, count))

    def _note(self, phrasings: Sequence[str], value: str, day: datetime.date) -> str:
        """Write a note, and return in which phrasing."""
        phrasing = self._draw_phrasing(phrasings)
        self._add("memory", day, self._text(phrasing, value, day))
        return phrasing

    def _draw_phrasing(self, phrasings: Sequence[str]) -> str:
        """Draw one that does not speak of a value of something else."""
        return self._draw.choice([text for text in phrasings if self._taken.is_none_in(text)] or list(phrasings))

    def _add(self, shelf: ShelfName, day: datetime.date, text: str) -> None:
        self._notes.append(PastNote(shelf, day.isoformat(), text))
        self._taken.speak_of(text)

    def _text(self, text: str, value: str, day: datetime.date) -> str:
        filled = self._cast.world.vocabulary.fill(self._draw, text.replace("{value}", value), day)
        return _capital(filled)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _weighted(draw: random.Random, bands: Iterable[tuple[tuple[int, int], int]]) -> tuple[int, int]:
    bands = list(bands)
    return draw.choices([band for band, _ in bands], [weight for _, weight in bands])[0]
