"""Which conversation goes on next: the most advanced one, one a timeline, and never more than are missing."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.config.serving import Serving
from apep_datagen.config.settings import DEFAULT_MIX
from apep_datagen.conversation.brief import Brief, QuestionAnswer
from apep_datagen.conversation.machine import advance_with_completion
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.conversation.state import Conversation
from apep_datagen.engine.briefs import BriefSource
from apep_datagen.engine.schedule import Schedule
from apep_datagen.people.cast import load_cast
from apep_datagen.people.story import Story
from apep_datagen.storage.conversations import ActiveConversation
from apep_datagen.storage.timelines import Timeline
from support import briefs

PROMPTS = load_prompts()


CAST = load_cast()


def make(
    missing: int,
    *,
    seed: int = 1,
    exchanges: tuple[int, int] = (1, 1),
    timelines: Iterable[Timeline] = (),
    active: Iterable[ActiveConversation] = (),
    last_ids: tuple[int, int] = (0, 0),
) -> Schedule:
    return Schedule(
        missing=missing,
        source=BriefSource(seed, exchanges, 3, PROMPTS, CAST, DEFAULT_MIX, "2025-01-01", "2026-12-31"),
        timelines=timelines,
        active=active,
        serving=Serving.by_all(("a", "b")),
        accepted={},
        last_conversation_id=last_ids[0],
        new_timelines=itertools.count(last_ids[1] + 1),
    )


def take(schedule: Schedule, provider: str = "a") -> Conversation:
    conversation = schedule.take(provider)
    assert conversation is not None
    return conversation


def step(conversation: Conversation, text: str = "Hm.") -> Conversation:
    return advance_with_completion(conversation, text, "stop")


def finish(schedule: Schedule, conversation: Conversation, question: str = "Q", answer: str = "A") -> None:
    conversation = step(step(conversation, question), answer)
    schedule.end(conversation, is_accepted=True, timeline=after(conversation))


def after(conversation: Conversation) -> Timeline:
    """Return the timeline as it goes on."""
    brief = conversation.brief
    previous = conversation.exchanges[-1].question_answer
    return Timeline(brief.timeline_id, Story(brief.user, brief.at), 1, previous)


def resumed(number: int, *, timeline: int, steps: int, provider: str = "a") -> ActiveConversation:
    conversation = Conversation(briefs.brief(conversation_id=number, timeline_id=timeline, exchanges=50), PROMPTS)
    for _ in range(steps):
        conversation = step(conversation)
    return ActiveConversation(conversation, provider)


def numbers(schedule: Schedule, provider: str = "a") -> list[int]:
    """Take all that there is."""
    taken = []
    while schedule.has_work(provider):
        taken.append(take(schedule, provider).brief.conversation_id)
    assert schedule.take(provider) is None
    return taken


# The order.


def test_the_most_advanced_conversation_goes_first_then_the_oldest_then_a_new_one() -> None:
    schedule = make(5, exchanges=(9, 9))
    first, second, third = take(schedule), take(schedule), take(schedule)
    schedule.put_back(step(third), "a")
    schedule.put_back(step(step(second)), "a")
    schedule.put_back(step(first), "a")
    assert numbers(schedule) == [2, 1, 3, 4, 5]


def test_what_any_provider_may_take_is_ordered_with_the_provider_s_own() -> None:
    schedule = make(3, exchanges=(9, 9))
    first, second, third = take(schedule), take(schedule), take(schedule)
    schedule.put_back(step(first), "a")
    schedule.put_back(step(step(second)), None)
    schedule.put_back(third, "a")
    assert numbers(schedule) == [2, 1, 3]


def test_a_conversation_stays_with_its_provider() -> None:
    schedule = make(1)
    schedule.put_back(step(take(schedule, "a")), "a")
    assert not schedule.has_work("b")
    assert schedule.take("b") is None
    assert numbers(schedule, "a") == [1]


def test_what_waits_for_a_released_provider_goes_to_any_other() -> None:
    schedule = make(2, exchanges=(9, 9))
    first, second = take(schedule, "a"), take(schedule, "a")
    schedule.put_back(step(first), "a")
    schedule.put_back(step(step(second)), "a")
    assert not schedule.has_work("b")
    schedule.release_provider("a")
    schedule.release_provider("a")
    assert numbers(schedule, "b") == [2, 1]


# Timelines.


def test_a_timeline_has_one_conversation_at_once_and_hands_on_what_was_last_said() -> None:
    schedule = make(10)
    first, other = take(schedule), take(schedule)
    assert (first.brief.timeline_id, other.brief.timeline_id) == (1, 2)
    assert first.brief.previous is None
    finish(schedule, first, "Will it rain?", "<think>T</think>Yes.")
    following = take(schedule)
    assert following.brief.timeline_id == 1
    assert following.brief.previous == QuestionAnswer("Will it rain?", "Yes.")
    assert take(schedule).brief.timeline_id == 3  # a new one, as both others are busy


def test_a_timeline_that_is_over_is_followed_by_a_new_one() -> None:
    schedule = make(10)
    schedule.end(step(take(schedule)), is_accepted=True, timeline=None)
    assert take(schedule).brief.timeline_id == 2


def test_timelines_that_may_be_begun_are_begun_in_order_and_no_others() -> None:
    schedule = Schedule(
        missing=9,
        source=BriefSource(1, (1, 1), 3, PROMPTS, CAST, DEFAULT_MIX, "2025-01-01", "2026-12-31"),
        timelines=(),
        active=(),
        serving=Serving.by_all(("a",)),
        accepted={},
        last_conversation_id=5,
        new_timelines=[2, 7],
    )
    assert [take(schedule).brief.timeline_id for _ in range(2)] == [2, 7]
    assert not schedule.has_work("a")


def test_a_resumed_timeline_goes_on() -> None:
    previous = QuestionAnswer("Q", "A")
    timeline = Timeline(4, Story(briefs.USER, "2026-03-01T12:00"), 2, previous)
    schedule = make(3, timelines=[timeline], last_ids=(7, 5))
    conversation = take(schedule)
    assert (conversation.brief.conversation_id, conversation.brief.timeline_id) == (8, 4)
    assert conversation.brief.previous == previous
    assert conversation.brief.user == briefs.USER
    assert conversation.brief.at > "2026-03-01T12:00"


def test_a_conversation_that_is_set_aside_ends_its_timeline_and_is_replaced() -> None:
    schedule = make(1)
    schedule.end(step(take(schedule)), is_accepted=False, timeline=None)
    assert schedule.missing == 1
    assert not schedule.finished
    replacement = take(schedule)
    assert (replacement.brief.conversation_id, replacement.brief.timeline_id) == (2, 2)
    assert replacement.brief.previous is None
    finish(schedule, replacement)
    assert schedule.finished
    assert not schedule.has_work("a")


# Plans.


def drawn(count: int, **changes: Any) -> list[Brief]:
    schedule = make(count, **changes)
    return [take(schedule).brief for _ in range(count)]


def test_the_same_seed_draws_the_same_plans() -> None:
    assert drawn(30, seed=7, exchanges=(1, 4)) == drawn(30, seed=7, exchanges=(1, 4))
    assert drawn(30, seed=7) != drawn(30, seed=8)


def test_users_and_days_depend_on_the_timeline_alone() -> None:
    earlier = drawn(5, seed=7)
    (later,) = drawn(1, seed=7, last_ids=(9, 4))
    assert (later.user, later.at) == (earlier[4].user, earlier[4].at)


def test_a_conversation_in_place_of_a_rejected_one_has_another_scenario_on_the_same_day() -> None:
    first = make(9)
    rejected = take(first)
    first.end(rejected, is_accepted=False, timeline=Timeline(1, Story(rejected.brief.user), rejected_in_a_row=1))
    again = take(first)
    assert (again.brief.user, again.brief.at) == (rejected.brief.user, rejected.brief.at)
    assert again.brief.seed != rejected.brief.seed


def test_every_permitted_number_of_exchanges_and_many_topics_are_drawn() -> None:
    all_drawn = drawn(200, exchanges=(2, 4))
    assert {brief.exchanges for brief in all_drawn} == {2, 3, 4}
    assert len({brief.scenario.topic for brief in all_drawn}) > 50
    assert len({brief.user.name for brief in all_drawn}) > 30
    assert len({brief.seed for brief in all_drawn}) == 200
    assert all(0 <= brief.seed < 2**31 for brief in all_drawn)


# What was begun before.


def test_what_was_begun_goes_on_before_anything_new() -> None:
    active = [resumed(3, timeline=3, steps=1), resumed(5, timeline=5, steps=4), resumed(6, timeline=6, steps=1)]
    schedule = make(5, active=active, last_ids=(6, 6))
    assert schedule.in_progress == 3
    assert numbers(schedule) == [5, 3, 6, 7, 8]


def test_what_a_provider_of_another_run_began_is_taken_over() -> None:
    schedule = make(2, active=[resumed(1, timeline=1, steps=1, provider="gone"), resumed(2, timeline=2, steps=1)])
    assert numbers(schedule, "b") == [1]
    assert numbers(schedule, "a") == [2]


def test_the_timeline_of_a_resumed_conversation_is_busy() -> None:
    timelines = [briefs.timeline(1), briefs.timeline(2)]
    schedule = make(3, timelines=timelines, active=[resumed(3, timeline=1, steps=2)], last_ids=(3, 2))
    assert [take(schedule).brief.timeline_id for _ in range(3)] == [1, 2, 3]


def test_more_than_are_missing_are_left_the_least_advanced_ones() -> None:
    active = [resumed(number, timeline=number, steps=number) for number in (1, 2, 3)]
    schedule = make(2, active=active, timelines=[briefs.timeline(number) for number in (1, 2, 3)], last_ids=(3, 3))
    assert schedule.in_progress == 2
    assert numbers(schedule) == [3, 2]
    # One that is set aside is replaced by what was left, not by a new one.
    schedule.end(active[2].conversation, is_accepted=False, timeline=None)
    assert numbers(schedule) == [1]


def test_nothing_is_begun_where_nothing_is_missing() -> None:
    for missing in (0, -3):
        schedule = make(missing, active=[resumed(1, timeline=1, steps=3)])
        assert schedule.finished
        assert numbers(schedule) == []


@pytest.mark.parametrize("goes_on", [False, True])
@given(data=st.data(), missing=st.integers(1, 8), count=st.integers(0, 6))
def test_whatever_happens_no_more_are_in_progress_than_missing_and_the_target_is_reached(
    data: st.DataObject, missing: int, count: int, *, goes_on: bool
) -> None:
    active = [resumed(number, timeline=number, steps=1) for number in range(1, count + 1)]
    schedule = make(missing, exchanges=(50, 50), active=active, last_ids=(count, count))
    held: list[tuple[Conversation, str]] = []
    saved = 0
    budget = 60
    while not schedule.finished:
        budget -= 1
        deeds = ["take"] if budget > 0 else []
        if held:
            deeds += ["save", "step", "set aside", "reject", "release"] if budget > 0 else ["save"]
        elif not deeds:
            deeds = ["take"]
        deed = data.draw(st.sampled_from(deeds))
        if deed == "take":
            provider = data.draw(st.sampled_from("ab"))
            could = schedule.has_work(provider)
            conversation = schedule.take(provider)
            assert (conversation is not None) == could
            if conversation is None:
                schedule.release_provider("a" if provider == "b" else "b")
                if not held:
                    assert schedule.has_work(provider)  # somebody always has something to do
            else:
                held.append((conversation, provider))
        else:
            conversation, provider = held.pop(data.draw(st.integers(0, len(held) - 1)))
            if deed == "save":
                ended = step(conversation)
                schedule.end(ended, is_accepted=True, timeline=after(ended) if goes_on else None)
                saved += 1
            elif deed == "set aside":
                schedule.end(step(conversation), is_accepted=False, timeline=None)
            elif deed == "reject":
                ended = step(conversation)
                schedule.end(ended, is_accepted=False, timeline=after(ended) if goes_on else None)
            else:
                schedule.put_back(step(conversation) if deed == "step" else conversation, provider)
        assert 0 <= schedule.in_progress <= max(0, schedule.missing)
        assert schedule.missing == missing - saved
        timelines = [conversation.brief.timeline_id for conversation, _ in held]
        assert len(timelines) == len(set(timelines))
    assert saved == missing
