"""Whatever share of the conversations is accepted, the accepted ones come to the wished mix."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import pytest

from apep_datagen.config.settings import DEFAULT_MIX
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.notebook import Note, Notes
from apep_datagen.engine.briefs import BriefSource
from apep_datagen.engine.schedule import Schedule
from apep_datagen.people.cast import load_cast
from apep_datagen.people.scenario import Ability
from apep_datagen.people.steering import draw_ability
from apep_datagen.people.story import Story, story_after
from apep_datagen.storage.timelines import Timeline

PROMPTS, CAST = load_prompts(), load_cast()
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
    mix: Mapping[Ability, float], yields: Mapping[Ability, float], in_flight: int, target: int = 1_000, seed: int = 1
) -> Counter[Ability]:
    """Return how many conversations of each ability are accepted in a run whose models are accepted so often."""
    source = BriefSource(seed, (1, 1), 3, PROMPTS, CAST, mix, "2025-01-01", "2026-12-31")
    schedule = Schedule(
        missing=target,
        source=source,
        timelines=[],
        active=[],
        providers=["a"],
        accepted={},
        last_conversation_id=0,
        last_timeline_id=0,
    )
    draw = random.Random(seed)  # noqa: S311 - a test's draw
    flying: list[Conversation] = []
    accepted: Counter[Ability] = Counter()
    timelines: dict[int, Timeline] = {}
    while not schedule.finished:
        while len(flying) < in_flight and schedule.has_work("a"):
            taken = schedule.take("a")
            assert taken is not None
            flying.append(taken)
        conversation = flying.pop(draw.randrange(len(flying)))
        brief = conversation.brief
        timeline = timelines.get(brief.timeline_id) or Timeline(brief.timeline_id, Story(brief.user))
        is_accepted = draw.random() < yields[brief.scenario.ability]
        if is_accepted:
            accepted[brief.scenario.ability] += 1
            timeline = _goes_on(timeline, conversation)
        else:
            timeline = replace(timeline, rejected_in_a_row=timeline.rejected_in_a_row + 1)
        timelines[brief.timeline_id] = timeline
        over = timeline.conversations >= 12 or timeline.rejected_in_a_row >= 5
        schedule.end(conversation, is_accepted=is_accepted, timeline=None if over else timeline)
    return accepted


def _goes_on(timeline: Timeline, conversation: Conversation) -> Timeline:
    """Return a timeline after a conversation in which Ada did all that she should."""
    brief = conversation.brief
    scenario = brief.scenario
    slots = {fact.slot for fact in scenario.facts}
    leaves = scenario.ability in {Ability.UPDATE, Ability.FORGET}
    facts = [item.fact for item in timeline.story.known if not (leaves and item.fact.slot in slots)]
    facts += scenario.facts if scenario.ability in {Ability.SHARE, Ability.UPDATE, Ability.DIARY} else ()
    shelves = [
        tuple(Note(1, brief.date, fact.value) for fact in facts if fact.shelf == shelf) for shelf in ("memory", "diary")
    ]
    story = story_after(timeline.story, scenario, brief.at, Notes(*shelves))
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
    assert accepted.total() == 1_000
    assert deviation(mix, accepted) <= 2.0, accepted
    assert not {ability for ability in accepted if not mix[ability]}


@pytest.mark.parametrize("seed", [2, 3])
def test_it_does_so_for_other_seeds(seed: int) -> None:
    assert deviation(DEFAULT_MIX, simulate(DEFAULT_MIX, UNEVEN, 16, seed=seed)) <= 2.0


def test_the_defaults_show_what_is_wanted() -> None:
    whole = sum(DEFAULT_MIX.values())
    assert whole == 100
    assert set(DEFAULT_MIX) == set(Ability)
    accepted = simulate(DEFAULT_MIX, UNEVEN, 16)
    for shares in (DEFAULT_MIX, {ability: count / 10 for ability, count in accepted.items()}):
        assert 38 <= shares[Ability.SMALLTALK] + shares[Ability.ADVICE] <= 42
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
