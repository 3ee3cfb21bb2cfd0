"""What a run will draw, and what a model could learn from it instead of looking: rehearsed, without a model."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from apep_datagen.config.invocation import Invocation
from apep_datagen.engine.purpose import brief_source
from apep_datagen.engine.rehearsal import RehearsedConversation, rehearse
from apep_datagen.people.scenario import FORMS, Ability, Form
from apep_datagen.stats.distribution import Spread
from apep_datagen.stats.pairs import PAIRS, Kind, Pair
from apep_datagen.stats.repeats import FactCounts, Repeats
from apep_datagen.stats.separation import Threshold

__all__ = ["MOST_REHEARSED", "Planned", "PlannedKind", "planned_of", "read_planned"]

MOST_REHEARSED = 2_000
# Where none is given, a run draws its own at its first start; what is told here does not depend on it.
_ANY_SEED = 1


@dataclass(frozen=True, slots=True)
class PlannedKind:
    """What conversations of one ability, in one or all of its forms, are drawn as.

    Attributes:
        ability: The ability.
        form: The form; None for all forms together.
        percent: Their share of all conversations.
        wished_percent: The share that the ability is to have; None for one form.
        notes: Notes in memory before the conversation.
        pages: Pages in the diary before it.
        exchanges: Exchanges of a conversation.
        hours: The hour of day, from 0.
    """

    ability: Ability
    form: Form | None
    percent: float
    wished_percent: float | None
    notes: Spread
    pages: Spread
    exchanges: Spread
    hours: Spread


@dataclass(frozen=True, slots=True)
class Planned:
    """What a run will draw.

    Attributes:
        count: How many conversations were drawn.
        in_flight: How many were under way at once.
        seconds: How long drawing them took.
        kinds: By ability: all forms together, then each form that is there.
        thresholds: By pair, how well the number of notes guesses whether it is there.
        facts: Facts with their values, and in how many users' lives each is.
        topics: Topics, and in how many conversations each is.
    """

    count: int
    in_flight: int
    seconds: float
    kinds: tuple[PlannedKind, ...]
    thresholds: tuple[tuple[Pair, Threshold], ...]
    facts: Repeats
    topics: Repeats


def read_planned(invocation: Invocation, in_flight: int) -> Planned:
    """Rehearse the first conversations of a run, up to 2,000; it begins with nothing, whatever its output holds.

    Args:
        invocation: What the run is told.
        in_flight: How many conversations are under way at once.
    """
    generation = invocation.settings.generation
    source = brief_source(invocation, _ANY_SEED if generation.seed is None else generation.seed)
    count = min(generation.target, MOST_REHEARSED)
    drawn = rehearse(source, count, in_flight, timeline_length=generation.timeline_length)
    return planned_of(drawn, source.mix, in_flight)


@dataclass(slots=True)
class _Tally:
    """What is counted of one kind; `PlannedKind` explains it."""

    notes: Counter[int] = field(default_factory=Counter)
    pages: Counter[int] = field(default_factory=Counter)
    exchanges: Counter[int] = field(default_factory=Counter)
    hours: Counter[int] = field(default_factory=Counter)

    def count(self, drawn: RehearsedConversation) -> None:
        self.notes[drawn.notes] += 1
        self.pages[drawn.pages] += 1
        self.exchanges[drawn.brief.exchanges] += 1
        self.hours[int(drawn.brief.at[11:13])] += 1

    def add(self, other: _Tally) -> None:
        self.notes.update(other.notes)
        self.pages.update(other.pages)
        self.exchanges.update(other.exchanges)
        self.hours.update(other.hours)


def planned_of(drawn: Iterable[RehearsedConversation], mix: Mapping[Ability, float], in_flight: int) -> Planned:
    """Return what conversations that were rehearsed have in common.

    Args:
        drawn: The conversations.
        mix: The wished shares of the abilities; they need not add up to anything.
        in_flight: How many of them were under way at once.
    """
    began = time.perf_counter()
    tallies: dict[Kind, _Tally] = {}
    facts, topics = FactCounts(), Counter[str]()
    for item in drawn:
        scenario = item.brief.scenario
        tallies.setdefault((scenario.ability, scenario.form), _Tally()).count(item)
        facts.count(item.brief.timeline_id, ((fact.slot, fact.value) for fact in scenario.facts))
        topics[scenario.topic] += 1
    seconds = time.perf_counter() - began
    notes = {kind: tally.notes for kind, tally in tallies.items()}
    return Planned(
        count=topics.total(),
        in_flight=in_flight,
        seconds=seconds,
        kinds=tuple(_kinds(tallies, mix, topics.total())),
        thresholds=tuple((pair, pair.threshold(notes)) for pair in PAIRS),
        facts=facts.repeats(),
        topics=Repeats.of(topics),
    )


def _kinds(tallies: Mapping[Kind, _Tally], mix: Mapping[Ability, float], count: int) -> Iterable[PlannedKind]:
    wished = sum(mix.values())
    for ability in Ability:
        whole = _Tally()
        for form in (None, *FORMS[ability]):
            if tally := tallies.get((ability, form)):
                whole.add(tally)
        percent = 100 * mix.get(ability, 0) / wished
        if whole.notes or percent:
            yield _kind(ability, None, whole, count, percent)
        for form in FORMS[ability]:
            if tally := tallies.get((ability, form)):
                yield _kind(ability, form, tally, count, None)


def _kind(ability: Ability, form: Form | None, tally: _Tally, count: int, wished_percent: float | None) -> PlannedKind:
    return PlannedKind(
        ability,
        form,
        percent=100 * tally.notes.total() / count if count else 0.0,
        wished_percent=wished_percent,
        notes=Spread.of(tally.notes),
        pages=Spread.of(tally.pages),
        exchanges=Spread.of(tally.exchanges),
        hours=Spread.of(tally.hours),
    )
