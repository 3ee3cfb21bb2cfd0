"""Drawing users, days and scenarios: pure functions of the run's seed, the timeline's number and its story.

Each draw has a random generator of its own, named after what is drawn. So what is drawn for one timeline does not
depend on what was drawn for another, and the same seed gives the same users, days and facts.
"""

from __future__ import annotations

import datetime
import functools
import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from apep_datagen.core.words import holds
from apep_datagen.people.cast import Cast, Connection, Slot
from apep_datagen.people.scenario import Ability, Fact, KnownFact, Scenario, User
from apep_datagen.people.story import Story, connected_pair, told_before

__all__ = ["draw_scenario", "draw_time", "draw_user", "generator", "possible_abilities"]

_MOST_ASKED = 2
_FACTS_TOLD_AT_ONCE = 2
# How often a fact is told that can be connected with another.
_SHARE_OF_CONNECTIONS = 0.95

# From so many days on, how long ago something was is told in weeks.
_TOLD_IN_WEEKS = 14
_DAYS_OF_A_WEEK = 7

# From one conversation to the next, in days, least and most, with a weight; 0 is later on the same day.
_GAPS = (((0, 0), 15), ((1, 3), 45), ((4, 14), 30), ((15, 42), 10))
_FIRST_MINUTE, _LAST_MINUTE = 6 * 60 + 30, 23 * 60 + 30
_LEAST_MINUTES_BETWEEN = 120


def generator(*names: object) -> random.Random:
    """Return a random generator for what `names` say, the run's seed first."""
    return random.Random("/".join(str(name) for name in names))  # noqa: S311 - no secret depends on it


def draw_user(cast: Cast, draw: random.Random) -> User:
    """Draw who a timeline's user is."""
    users = cast.users
    if users.person is not None:
        return users.person.user()
    return User(
        name=draw.choice(users.names),
        age=draw.choice(users.ages),
        place=draw.choice(users.places),
        job=draw.choice(users.jobs),
        temperament=draw.choice(users.temperaments),
        writing=draw.choice(users.writing),
        interests=tuple(draw.sample(users.interests, min(2, len(users.interests)))),
        people=tuple(draw.sample(users.people, min(2, len(users.people)))),
        animals=tuple(draw.sample(users.animals, draw.randint(0, 1))),
    )


def draw_time(draw: random.Random, previous: str, first_day: str, last_day: str) -> str:
    """Draw when a conversation takes place.

    Args:
        draw: Where chance comes from.
        previous: When the last one of the timeline took place; empty where there was none.
        first_day: The first day on which a timeline begins, as an ISO date.
        last_day: The last one.

    Returns:
        Date and time to the minute, e.g. `2026-03-14T19:40`; hours to weeks after the previous one.
    """
    if not previous:
        first, last = datetime.date.fromisoformat(first_day), datetime.date.fromisoformat(last_day)
        day = first + datetime.timedelta(days=draw.randint(0, (last - first).days))
        return _at(day, draw.randint(_FIRST_MINUTE, _LAST_MINUTE))
    before = datetime.datetime.fromisoformat(previous)
    least, most = draw.choices([days for days, _ in _GAPS], [weight for _, weight in _GAPS])[0]
    days = draw.randint(least, most)
    earliest = _FIRST_MINUTE
    if days == 0:
        earliest = before.hour * 60 + before.minute + _LEAST_MINUTES_BETWEEN
        if earliest > _LAST_MINUTE:
            days, earliest = 1, _FIRST_MINUTE
    return _at(before.date() + datetime.timedelta(days=days), draw.randint(earliest, _LAST_MINUTE))


def _at(day: datetime.date, minute: int) -> str:
    return f"{day.isoformat()}T{minute // 60:02}:{minute % 60:02}"


@dataclass(frozen=True, slots=True)
class _Choice:
    """What the story of a timeline offers for each ability on a certain day."""

    new_slots: list[Slot]
    new_moments: list[Fact]
    changing: list[KnownFact]
    known: list[KnownFact]
    unconnected: list[KnownFact]
    unasked: list[KnownFact]
    pages: list[KnownFact]
    connections: list[tuple[Connection, Fact, Fact]]
    is_connection_new: bool
    connectable: frozenset[str]
    completing: frozenset[str]

    def readiness(self) -> dict[Ability, float]:
        """Return what is possible, and how readily it is to be drawn.

        What a story seldom allows is taken when it does, and what makes other abilities possible comes early.
        """
        offered: dict[Ability, tuple[Sequence[object], float]] = {
            Ability.SHARE: (self.new_slots, 1.0 if self.known and not self.completing else 8.0),
            Ability.UPDATE: (self.changing, 2.0),
            Ability.FORGET: (self.known, 2.0),
            Ability.RECALL: (self.unasked, 2.0),
            Ability.CONNECT: (self.connections, 8.0 if self.is_connection_new else 1.0),
            Ability.ABSTAIN: (self.new_slots, 1.0),
            Ability.DIARY: (self.new_moments, 1.0 if self.pages else 2.0),
            Ability.DIARY_RECALL: (self.pages, 2.0),
        }
        always = {Ability.SMALLTALK: 1.0, Ability.ADVICE: 1.0}
        return always | {ability: readiness for ability, (choices, readiness) in offered.items() if choices}


# What is possible is asked first, and then drawn from.
@functools.lru_cache(maxsize=1)
def _choice(cast: Cast, story: Story, date: str) -> _Choice:
    before = told_before(story.known, date)
    facts = [item for item in before if item.fact.shelf == "memory"]
    pages = [item for item in before if item.fact.shelf == "diary" and item.asked < _MOST_ASKED]
    by_slot = {item.fact.slot: item for item in facts}
    used = set(story.used)
    known_slots = {item.fact.slot for item in story.known}
    unconnected = [connection.slots for connection in cast.connections if connected_pair(*connection.slots) not in used]
    pairs = [pair for slots in unconnected for pair in (slots, slots[::-1]) if pair[0] not in used]
    connections: list[tuple[Connection, Fact, Fact]] = []
    connected: list[tuple[Connection, Fact, Fact]] = []
    for connection in cast.connections:
        first, second = (by_slot.get(slot) for slot in connection.slots)
        if first and second and first.told_on != second.told_on:
            (connected if connected_pair(*connection.slots) in used else connections).append(
                (connection, first.fact, second.fact)
            )
    in_connections = {fact.slot for _, first, second in connections for fact in (first, second)}
    return _Choice(
        new_slots=[slot for slot in cast.slots.values() if slot.slot not in used],
        new_moments=[moment for moment in cast.moment_facts if moment.slot not in used],
        changing=[item for item in facts if item.fact.slot in cast.slots and cast.slots[item.fact.slot].change],
        known=facts,
        unconnected=[item for item in facts if item.fact.slot not in in_connections],
        unasked=[item for item in facts if item.asked < _MOST_ASKED],
        pages=pages,
        connections=connections or connected,
        is_connection_new=bool(connections),
        connectable=frozenset(slot for slot, _ in pairs),
        completing=frozenset(slot for slot, other in pairs if other in known_slots),
    )


def possible_abilities(cast: Cast, story: Story, date: str) -> dict[Ability, float]:
    """Return the abilities that a conversation of this timeline on the day `date` can show.

    Each comes with how readily it is to be drawn, compared with the others.
    """
    return _choice(cast, story, date).readiness()


def draw_scenario(cast: Cast, draw: random.Random, ability: Ability, story: Story, at: str) -> Scenario:
    """Draw what a conversation is about.

    Args:
        cast: What it is drawn from.
        draw: Where chance comes from.
        ability: What it is to show, one of `possible_abilities`.
        story: The timeline so far.
        at: When the conversation takes place, as an ISO date and time.
    """
    choice = _choice(cast, story, at[:10])
    facts: tuple[Fact, ...] = ()
    inventions: tuple[str, ...] = ()
    replaced, question = None, ""
    match ability:
        case Ability.SHARE:
            facts = _draw_told(cast, draw, choice, story)
        case Ability.UPDATE:
            replaced = draw.choice(choice.changing).fact
            slot = cast.slots[replaced.slot]
            facts = (slot.fact(_draw_value(draw, slot, story), changed=True),)
        case Ability.FORGET:
            facts = (draw.choice(choice.unconnected or choice.known).fact,)
        case Ability.RECALL:
            facts = (_least_asked(draw, choice.unasked),)
        case Ability.DIARY_RECALL:
            facts = (_least_asked(draw, choice.pages),)
        case Ability.CONNECT:
            connection, *pair = draw.choice(choice.connections)
            question, facts = connection.ask, tuple(pair)
        case Ability.ABSTAIN:
            slot = draw.choice(choice.new_slots)
            facts = (slot.fact(()),)
            inventions = tuple(form for forms in slot.values for form in forms)
        case Ability.DIARY:
            facts = (draw.choice(choice.new_moments),)
    text = cast.scenarios.abilities[ability]
    words = {
        "topic": draw.choice(text.topics or cast.scenarios.topics),
        "mood": draw.choice(cast.scenarios.moods_at(datetime.datetime.fromisoformat(at).hour)),
        "style": draw.choice(cast.scenarios.styles),
    }
    told = _told(facts, story, at)
    instruction = cast.instruction(ability, **words, facts=facts, replaced=replaced, told=told, question=question)
    return Scenario(ability, **words, instruction=instruction, facts=facts, replaced=replaced, inventions=inventions)


def _told(facts: Iterable[Fact], story: Story, at: str) -> str:
    """Return in words how long before `at` Ada was told of these facts; empty for those that are new to her."""
    today = datetime.datetime.fromisoformat(at).date()
    told_on = {item.fact.slot: datetime.date.fromisoformat(item.told_on) for item in story.known}
    ages = [(today - told_on[fact.slot]).days for fact in facts if fact.slot in told_on]
    return " and ".join(dict.fromkeys(_spell_age(days) for days in sorted(ages)))


def _spell_age(days: int) -> str:
    if days == 1:
        return "yesterday"
    return f"{days} days ago" if days < _TOLD_IN_WEEKS else f"{round(days / _DAYS_OF_A_WEEK)} weeks ago"


def _draw_told(cast: Cast, draw: random.Random, choice: _Choice, story: Story) -> tuple[Fact, ...]:
    """Draw one or two facts to tell; mostly such as can be connected: with what is known, else with what may come."""
    slots: list[Slot] = []
    for _ in range(draw.randint(1, min(_FACTS_TOLD_AT_ONCE, len(choice.new_slots)))):
        # Not two that belong together at once: to connect them, they are to be told on different days.
        told = {slot.slot for slot in slots}
        partners = {
            other for connection in cast.connections for other in connection.slots if told & {*connection.slots}
        }
        left = [slot for slot in choice.new_slots if slot.slot not in partners | told]
        left = left or [slot for slot in choice.new_slots if slot.slot not in told]
        preferred = [slot for slot in left if slot.slot in choice.completing]
        preferred = preferred or [slot for slot in left if slot.slot in choice.connectable]
        prefers = draw.random() < _SHARE_OF_CONNECTIONS
        slots.append(draw.choice(preferred if preferred and prefers else left))
    facts: list[Fact] = []
    for slot in slots:
        facts.append(slot.fact(_draw_value(draw, slot, story, facts)))
    return tuple(facts)


def _draw_value(draw: random.Random, slot: Slot, story: Story, others: Collection[Fact] = ()) -> tuple[str, ...]:
    """Draw a value that nothing else in the user's life is called, so that it is recognised without doubt."""
    user = story.user
    about = [user.name, user.place, user.job, *user.interests, *user.people, *user.animals]
    about += [form for item in story.known for form in item.fact.forms]
    about += [form for fact in others for form in fact.forms]
    text = "\n".join(about)
    free = [forms for forms in slot.values if not holds(text, forms)]
    return draw.choice(free or slot.values)


def _least_asked(draw: random.Random, known: Iterable[KnownFact]) -> Fact:
    items = list(known)
    least = min(item.asked for item in items)
    return draw.choice([item for item in items if item.asked == least]).fact
