"""A rehearsal draws what a run draws, and keeps in memory what Ada should keep."""

from __future__ import annotations

from collections import defaultdict

import pytest

from apep_datagen.config.settings import DEFAULT_MIX
from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.engine.briefs import BriefSource
from apep_datagen.engine.rehearsal import RehearsedConversation, rehearse
from apep_datagen.people.cast import load_cast
from apep_datagen.people.scenario import ASKING, Ability, Form

PROMPTS, CAST = load_prompts(), load_cast()


def rehearsed(count: int = 300, in_flight: int = 16, seed: int = 1, length: int = 12) -> list[RehearsedConversation]:
    source = BriefSource(seed, (1, 4), 3, PROMPTS, CAST, DEFAULT_MIX, "2025-01-01", "2026-12-31")
    return list(rehearse(source, count, in_flight, timeline_length=length))


@pytest.mark.parametrize(("count", "in_flight"), [(1, 1), (1, 200), (100, 1), (100, 16), (100, 200)])
def test_exactly_as_many_are_drawn_as_are_missing(count: int, in_flight: int) -> None:
    drawn = rehearsed(count, in_flight)
    assert [item.brief.conversation_id for item in drawn] == list(range(1, count + 1))


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    assert rehearsed(100) == rehearsed(100)
    assert rehearsed(100) != rehearsed(100, seed=2)


@pytest.mark.parametrize("in_flight", [1, 16])
def test_a_timeline_goes_on_where_it_was_and_ends_at_its_length(in_flight: int) -> None:
    by_timeline: defaultdict[int, list[Brief]] = defaultdict(list)
    for item in rehearsed(in_flight=in_flight, length=5):
        by_timeline[item.brief.timeline_id].append(item.brief)
    assert max(map(len, by_timeline.values())) == 5
    for briefs in by_timeline.values():
        assert [brief.at for brief in briefs] == sorted({brief.at for brief in briefs})
        assert {brief.user for brief in briefs} == {briefs[0].user}
    open_at_once = len(by_timeline) - sum(len(briefs) == 5 for briefs in by_timeline.values())
    assert open_at_once <= in_flight


def test_memory_grows_by_what_is_told_and_by_nothing_that_is_asked() -> None:
    before: dict[int, RehearsedConversation] = {}
    told = asked = 0
    for item in rehearsed(in_flight=1):
        last = before.get(item.brief.timeline_id)
        before[item.brief.timeline_id] = item
        if last is None:
            continue
        scenario, gained = last.brief.scenario, (item.notes - last.notes, item.pages - last.pages)
        if scenario.ability in ASKING | {Ability.ABSTAIN, Ability.SMALLTALK, Ability.ADVICE}:
            assert gained == (0, 0)
            asked += 1
        elif scenario.ability is Ability.SHARE and scenario.form in {None, Form.TOLD, Form.TWO_AT_ONCE}:
            assert gained == (len(scenario.facts), 0)
            told += 1
        elif scenario.ability is Ability.DIARY and scenario.form in {None, Form.MOMENT}:
            assert gained == (0, 1)
            told += 1
    assert min(told, asked) > 20
