"""Whatever share of the conversations is accepted, the accepted ones come to the wished mix."""

from __future__ import annotations

import functools
import itertools
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from apep_datagen.config.serving import Serving
from apep_datagen.config.settings import DEFAULT_MIX, QualitySettings
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.notebook import Note, Notes
from apep_datagen.engine.ability_yields import AbilityYields
from apep_datagen.engine.briefs import BriefSource
from apep_datagen.engine.schedule import Schedule
from apep_datagen.people.cast import Cast, load_cast
from apep_datagen.people.past import Past
from apep_datagen.people.scenario import TELLING, Ability
from apep_datagen.people.steering import draw_ability
from apep_datagen.people.story import Story, story_after
from apep_datagen.storage.timelines import Timeline

PROMPTS = load_prompts()


def small_cast() -> Cast:
    """Return the program's cast with a part of its kinds of facts, of those too that belong together or to a wish.

    What a story offers is asked of each kind, for each conversation; of which ability the next one is does not depend
    on how many there are.
    """
    cast = load_cast()
    kept = {slot for connection in cast.connections for slot in connection.slots}
    kept |= {slot.slot for slot in cast.slots.values() if slot.occasions}
    kept = {*sorted(kept)[::4], *list(cast.slots)[::16]}
    cast.slots = {name: slot for name, slot in cast.slots.items() if name in kept}
    cast.connections = tuple(one for one in cast.connections if kept.issuperset(one.slots))
    return cast


CAST = small_cast()
TARGET = 400
EVEN = dict.fromkeys(Ability, 0.9)
UNEVEN = {**EVEN, Ability.RECALL: 0.5, Ability.CONNECT: 0.25, Ability.UPDATE: 0.5, Ability.ABSTAIN: 0.6}
OWN_MIX = dict.fromkeys(Ability, 0.0) | {
    Ability.SHARE: 3,
    Ability.RECALL: 2,
    Ability.FORGET: 1,
    Ability.DIARY: 1,
    Ability.ADVICE: 3,
}


def simulate(
    mix: Mapping[Ability, float], yields: Mapping[Ability, float], in_flight: int, target: int = TARGET, seed: int = 1
) -> Counter[Ability]:
    """Return how many conversations of each ability are accepted in a run whose models are accepted so often."""
    return run(mix, lambda ability, _: yields[ability], in_flight, target, seed, least=0.0).accepted


_DAYS = ("2025-01-01", "2026-12-31")


class _Source(BriefSource):
    """Begins the timelines of a seed once for all runs: they do not depend on the mix."""

    __slots__ = ()

    def new_timeline(self, number: int) -> tuple[Timeline, Past]:
        return _begun(self.seed, number)


@functools.cache
def _begun(seed: int, number: int) -> tuple[Timeline, Past]:
    return BriefSource(seed, (1, 1), 3, PROMPTS, CAST, {}, *_DAYS).new_timeline(number)


@dataclass(frozen=True, slots=True)
class Run:
    """What a simulated run came to: conversations by ability."""

    accepted: Counter[Ability]
    sent: Counter[Ability]


def run(
    mix: Mapping[Ability, float],
    yield_of: Callable[[Ability, int], float],
    in_flight: int = 16,
    target: int = TARGET,
    seed: int = 1,
    *,
    least: float = QualitySettings().least_ability_yield,
) -> Run:
    """Return what a run comes to whose models are accepted so often, by ability and how many have been sent."""
    yields = AbilityYields((), mix, least, prompts=PROMPTS.digest, output=Path("output.json"))
    source = _Source(seed, (1, 1), 3, PROMPTS, CAST, mix, *_DAYS)
    schedule = Schedule(
        missing=target,
        source=source,
        timelines=[],
        active=[],
        serving=Serving.by_all(["a"]),
        accepted={},
        held_back=lambda: yields.held_back,
        last_conversation_id=0,
        new_timelines=itertools.count(1),
    )
    draw = random.Random(seed)  # noqa: S311 - a test's draw
    flying: list[Conversation] = []
    accepted: Counter[Ability] = Counter()
    sent: Counter[Ability] = Counter()
    timelines: dict[int, Timeline] = {}
    while not schedule.finished:
        while len(flying) < in_flight and schedule.has_work("a"):
            taken = schedule.take("a")
            assert taken is not None
            flying.append(taken)
        conversation = flying.pop(draw.randrange(len(flying)))
        brief = conversation.brief
        begun = conversation.past.story if conversation.past else Story(brief.user)
        timeline = timelines.get(brief.timeline_id) or Timeline(brief.timeline_id, begun)
        sent[brief.scenario.ability] += 1
        is_accepted = draw.random() < yield_of(brief.scenario.ability, sent.total())
        if is_accepted:
            accepted[brief.scenario.ability] += 1
            timeline = _goes_on(timeline, conversation)
        else:
            timeline = replace(timeline, rejected_in_a_row=timeline.rejected_in_a_row + 1)
        timelines[brief.timeline_id] = timeline
        over = timeline.conversations >= 12 or timeline.rejected_in_a_row >= 5
        schedule.end(conversation, is_accepted=is_accepted, timeline=None if over else timeline)
        yields.note(conversation, *(() if is_accepted else ("effect", "It is wrong.")))
    return Run(accepted, sent)


def _goes_on(timeline: Timeline, conversation: Conversation) -> Timeline:
    """Return a timeline after a conversation in which Ada did all that she should."""
    brief = conversation.brief
    scenario = brief.scenario
    slots = {fact.slot for fact in scenario.facts}
    leaves = scenario.ability in {Ability.UPDATE, Ability.FORGET}
    story = timeline.story
    facts = [item.fact for item in story.known if not (leaves and item.fact.slot in slots)]
    facts += [near.fact for near in story.near]
    facts += [fact for twins in story.twins for fact in (twins.first, twins.second)]
    facts += scenario.facts if scenario.ability in TELLING else ()
    shelves = [
        tuple(Note(1, brief.date, fact.value) for fact in facts if fact.shelf == shelf) for shelf in ("memory", "diary")
    ]
    story = story_after(story, scenario, brief.at, Notes(*shelves))
    return replace(timeline, story=story, conversations=timeline.conversations + 1, rejected_in_a_row=0)


def deviation(mix: Mapping[Ability, float], accepted: Counter[Ability]) -> float:
    """Return by how many percentage points the worst ability is off."""
    whole = sum(mix.values())
    return max(100 * abs(accepted[ability] / accepted.total() - mix[ability] / whole) for ability in Ability)


@pytest.mark.parametrize("in_flight", [1, 16, 64])
@pytest.mark.parametrize("yields", [EVEN, UNEVEN])
@pytest.mark.parametrize("mix", [DEFAULT_MIX, OWN_MIX])
def test_the_accepted_conversations_come_to_the_wished_mix(
    mix: Mapping[Ability, float], yields: Mapping[Ability, float], in_flight: int
) -> None:
    accepted = simulate(mix, yields, in_flight)
    assert accepted.total() == TARGET
    assert deviation(mix, accepted) <= 2.0, accepted
    assert not {ability for ability in accepted if not mix[ability]}


# Abilities of which too little is accepted.

GOOD = 0.9


def bad(ability: Ability, share: float) -> Callable[[Ability, int], float]:
    """Return yields that are good but for one ability's."""
    return lambda shown, _: share if shown is ability else GOOD


def others(counts: Counter[Ability], *left_out: Ability) -> Counter[Ability]:
    return Counter({ability: count for ability, count in counts.items() if ability not in left_out})


def test_one_that_is_held_back_is_drawn_by_its_share_and_the_others_as_if_it_were_not_there() -> None:
    counts = {ability: round(10 * share) for ability, share in DEFAULT_MIX.items()} | {Ability.FORGET: 0}
    possible = dict.fromkeys(Ability, 1.0)
    rest: dict[Ability, float] = {one: share for one, share in DEFAULT_MIX.items() if one is not Ability.FORGET}
    drawn: Counter[Ability] = Counter()
    for seed in range(1_000):
        draw, again = random.Random(seed), random.Random(seed)  # noqa: S311 - a test's draws
        ability = draw_ability(draw, DEFAULT_MIX, counts, possible, {Ability.FORGET})
        if again.random() >= DEFAULT_MIX[Ability.FORGET] / 100:
            assert ability is draw_ability(again, rest, others(Counter(counts), Ability.FORGET), possible)
        drawn[ability] += 1
    assert 50 <= drawn[Ability.FORGET] <= 90  # though 70 are owed
    assert len(drawn) == len(Ability)


@pytest.mark.parametrize("in_flight", [1, 16])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.12])
@pytest.mark.parametrize("ability", [Ability.FORGET, Ability.SMALLTALK, Ability.RECALL])
def test_an_ability_that_is_hardly_accepted_gets_its_share_of_what_is_sent_and_the_others_keep_their_mix(
    ability: Ability, share: float, in_flight: int
) -> None:
    made = run(DEFAULT_MIX, bad(ability, share), in_flight)
    assert made.accepted.total() == TARGET
    # What was sent until it was known comes to it.
    assert 0.3 * DEFAULT_MIX[ability] <= 100 * made.sent[ability] / made.sent.total() <= DEFAULT_MIX[ability] + 5
    assert made.sent.total() <= TARGET / GOOD * 1.4
    rest = {one: weight for one, weight in DEFAULT_MIX.items() if one is not ability} | {ability: 0.0}
    assert deviation(rest, others(made.accepted, ability)) <= 1.0


@pytest.mark.parametrize("ability", [Ability.FORGET, Ability.SMALLTALK, Ability.RECALL])
def test_one_just_below_the_limit_is_at_times_held_back_and_the_others_keep_their_mix(ability: Ability) -> None:
    """A few good ones in a row, which come by chance, show that it may be above it."""
    made = run(DEFAULT_MIX, bad(ability, 0.17))
    assert made.accepted.total() == TARGET
    assert made.sent.total() <= TARGET / GOOD * 1.4
    rest = {one: weight for one, weight in DEFAULT_MIX.items() if one is not ability} | {ability: 0.0}
    assert deviation(rest, others(made.accepted, ability)) <= 1.0


def test_without_that_it_eats_the_money() -> None:
    made = run(DEFAULT_MIX, bad(Ability.FORGET, 0.0), target=150, least=0.0)
    assert made.sent[Ability.FORGET] > 0.3 * made.sent.total()


@pytest.mark.parametrize("share", [0.5, 0.7])
def test_an_ability_above_the_limit_is_made_up_for_as_ever(share: float) -> None:
    made = run(DEFAULT_MIX, bad(Ability.FORGET, share))
    assert deviation(DEFAULT_MIX, made.accepted) <= 1.0


def test_an_ability_that_recovers_is_found_out_and_made_up_for() -> None:
    def recovers(ability: Ability, sent: int) -> float:
        return 0.0 if ability is Ability.FORGET and sent <= 300 else GOOD

    made = run(DEFAULT_MIX, recovers)
    assert deviation(DEFAULT_MIX, made.accepted) <= 2.0
    assert made.sent[Ability.FORGET] <= 0.15 * made.sent.total()


def test_two_that_are_hardly_accepted_are_both_held_back() -> None:
    low = {Ability.FORGET, Ability.UPDATE}
    made = run(DEFAULT_MIX, lambda ability, _: 0.02 if ability in low else GOOD)
    assert sum(made.sent[ability] for ability in low) <= 0.2 * made.sent.total()
    rest = {ability: 0.0 if ability in low else weight for ability, weight in DEFAULT_MIX.items()}
    assert deviation(rest, others(made.accepted, *low)) <= 1.0


@pytest.mark.parametrize("ability", list(Ability))
def test_whichever_ability_is_never_accepted_the_target_is_reached(ability: Ability) -> None:
    """Also where others need it: what is told can be recalled, and without it there is less of all that."""
    made = run(DEFAULT_MIX, bad(ability, 0.0), target=400)
    assert made.accepted.total() == 400
    assert made.sent.total() <= 400 / GOOD * 1.5
    assert made.sent[ability] <= (0.08 + DEFAULT_MIX[ability] / 100) * made.sent.total()


def test_where_nothing_else_is_possible_it_is_sent_for_the_others_need_it() -> None:
    mix = dict.fromkeys(Ability, 0.0) | {Ability.SHARE: 1.0, Ability.RECALL: 1.0}
    made = run(mix, bad(Ability.SHARE, 0.1), target=100)
    assert made.accepted.total() == 100
    assert made.accepted[Ability.RECALL] >= 40


@pytest.mark.parametrize("seed", [2, 3])
def test_it_does_so_for_other_seeds(seed: int) -> None:
    assert deviation(DEFAULT_MIX, simulate(DEFAULT_MIX, UNEVEN, 16, seed=seed)) <= 2.0


def test_the_defaults_show_what_is_wanted() -> None:
    whole = sum(DEFAULT_MIX.values())
    assert whole == 100
    assert set(DEFAULT_MIX) == set(Ability)
    accepted = simulate(DEFAULT_MIX, UNEVEN, 16)
    for shares in (DEFAULT_MIX, {ability: 100 * count / TARGET for ability, count in accepted.items()}):
        assert 25 <= shares[Ability.SMALLTALK] + shares[Ability.ADVICE] <= 30
        assert shares[Ability.UPDATE] + shares[Ability.FORGET] >= 14.5
        assert shares[Ability.ABSTAIN] >= 9.5
    assert DEFAULT_MIX[Ability.UPDATE] + DEFAULT_MIX[Ability.FORGET] >= 15
    assert DEFAULT_MIX[Ability.ABSTAIN] >= 10


def test_only_what_is_possible_is_drawn_and_nothing_that_is_not_wished_for_if_it_can_be_helped() -> None:
    draw = random.Random(1)  # noqa: S311 - a test's draw
    for _ in range(2_000):
        offered = draw.sample(list(Ability), draw.randint(1, len(Ability)))
        possible = {ability: draw.choice([0.5, 1.0, 8.0]) for ability in offered}
        mix = {ability: draw.choice([0.0, 1.0, 7.5]) for ability in Ability} | {Ability.SHARE: 1.0}
        counts = {ability: draw.randint(0, 30) for ability in Ability}
        drawn = draw_ability(draw, mix, counts, possible)
        assert drawn in possible
        assert mix[drawn] > 0 or not any(mix[ability] for ability in possible)


def test_what_makes_the_wished_for_possible_comes_first_where_nothing_else_is_wished_for() -> None:
    """A mix of recalls alone: facts have to be told first."""
    mix = dict.fromkeys(Ability, 0.0) | {Ability.RECALL: 1.0}
    draw = random.Random(1)  # noqa: S311 - a test's draw
    offered = (Ability.SMALLTALK, Ability.ADVICE, Ability.ABSTAIN, Ability.SHARE, Ability.DIARY)
    possible = dict.fromkeys(offered, 1.0)
    assert draw_ability(draw, mix, {}, possible) is Ability.SHARE
    accepted = simulate(mix, EVEN, 4, target=200)
    assert accepted[Ability.RECALL] >= 100
