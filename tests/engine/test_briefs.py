"""What is decided about a conversation: the same as ever for the same seed, and how Ada's thoughts sound beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.engine.briefs import BriefSource
from apep_datagen.people.cast import Cast, load_cast
from apep_datagen.people.scenario import Ability
from apep_datagen.storage.conversations import brief_from_json
from support.paths import TESTS

CAST = load_cast()
SEED, FIRST_DAY, LAST_DAY = 2026, "2025-01-01", "2026-12-31"


def source(ability: Ability, cast: Cast = CAST, seed: int = SEED) -> BriefSource:
    return BriefSource(seed, (1, 1), 3, load_prompts(), cast, {ability: 1.0}, FIRST_DAY, LAST_DAY)


def drawn(cast: Cast, seed: int, timelines: int, places: int) -> Iterator[Brief]:
    """Draw the briefs of conversations of many timelines, each rejected up to twice at each place."""
    briefs = source(Ability.SMALLTALK, cast, seed)
    for number in range(1, timelines + 1):
        timeline, _ = briefs.new_timeline(number)
        for place in range(places):
            for rejected in range(3):
                yield briefs.draw_brief(1, replace(timeline, conversations=place, rejected_in_a_row=rejected), {})


def test_the_same_seed_draws_the_same_timelines_with_their_pasts() -> None:
    def begun(seed: int) -> list[object]:
        briefs = source(Ability.SMALLTALK, seed=seed)
        timelines = [briefs.new_timeline(number) for number in range(1, 40)]
        return [(*timeline, briefs.draw_brief(1, timeline[0], {})) for timeline in timelines]

    assert begun(7) == begun(7)
    assert begun(7) != begun(8)


def test_a_timeline_draws_the_same_whatever_was_drawn_for_others() -> None:
    briefs = source(Ability.SHARE)
    alone = briefs.new_timeline(17)
    for number in range(1, 17):
        briefs.draw_brief(number, briefs.new_timeline(number)[0], {})
    assert briefs.new_timeline(17) == alone
    timeline, past = alone
    assert timeline.story == past.story
    at = briefs.draw_brief(1, timeline, {}).at
    assert all(note.date < at[:10] for note in past.notes)


def test_each_way_of_thinking_is_drawn_about_as_often_as_any_other() -> None:
    ways = Counter(brief.way_of_thinking for brief in drawn(CAST, 7, 100, 16))
    assert set(ways) == set(CAST.ways_of_thinking)
    even = sum(ways.values()) / len(ways)
    assert even * 0.75 <= min(ways.values()) <= max(ways.values()) <= even * 1.25


def test_within_a_timeline_the_way_of_thinking_goes_on_changing() -> None:
    ways = [brief.way_of_thinking for brief in drawn(CAST, 7, 1, 12)]
    assert len(set(ways)) >= len(CAST.ways_of_thinking) / 2


def test_other_ways_of_thinking_change_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "thoughts.toml").write_text('ways_of_thinking = ["as ever"]', encoding="utf-8")
    others = list(drawn(load_cast(tmp_path), 7, 20, 3))
    assert {brief.way_of_thinking for brief in others} == {"as ever"}
    own = list(drawn(CAST, 7, 20, 3))
    assert own == list(drawn(CAST, 7, 20, 3))
    assert [replace(brief, way_of_thinking="") for brief in own] == [
        replace(brief, way_of_thinking="") for brief in others
    ]


def test_a_brief_of_an_earlier_version_is_still_read() -> None:
    lines = (TESTS / "real_model" / "conversations.jsonl").read_text("utf-8").splitlines()
    plan = lines[0].partition('"plan": ')[2].partition(', "notes_before"')[0]
    assert "way_of_thinking" not in plan
    brief = brief_from_json(plan)
    assert (brief.conversation_id, brief.way_of_thinking, brief.scenario.question) == (1, "", "")
    with pytest.raises(ValueError, match="cannot be read"):
        brief_from_json(plan.replace('"seed"', '"sead"'))


def test_there_is_an_instruction_for_each_exchange_and_one_of_them_shows_the_ability() -> None:
    one, many = source(Ability.SHARE), replace(source(Ability.SHARE), exchanges=(1, 4))
    drawn_one = [one.draw_brief(1, one.new_timeline(number)[0], {}) for number in range(1, 41)]
    drawn_many = [many.draw_brief(1, many.new_timeline(number)[0], {}) for number in range(1, 41)]
    assert {brief.exchanges for brief in drawn_one} == {1}
    assert {brief.exchanges for brief in drawn_many} == {1, 2, 3, 4}
    assert all(len(brief.scenario.course) == brief.exchanges for brief in drawn_many)
    assert all(brief.scenario.course[brief.scenario.place - 1] == brief.scenario.instruction for brief in drawn_many)


def test_a_brief_says_when_its_thoughts_are_rewritten_and_one_of_an_earlier_version_always() -> None:
    briefs = replace(source(Ability.SHARE), rewrites="never")
    assert briefs.draw_brief(1, briefs.new_timeline(1)[0], {}).rewrites == "never"
    lines = (TESTS / "real_model" / "conversations.jsonl").read_text("utf-8").splitlines()
    plan = lines[0].partition('"plan": ')[2].partition(', "notes_before"')[0]
    assert brief_from_json(plan).rewrites == "always"
