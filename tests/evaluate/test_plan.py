"""What an exam asks follows from its seed alone: held-out users, memories of all sizes, all abilities and forms."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from apep_datagen.evaluate.exam import Exam
from apep_datagen.evaluate.plan import SIZES, ExamPlan
from apep_datagen.people.scenario import ASKING, FORMS, Ability, Form
from support.exams import PROMPTS, TESTER, plan_of, shared_plan
from support.world import CAST, HELD_OUT

USERS = 48
PLAN = plan_of(USERS)
BRIEFS = {(user, day): PLAN.day(user, 1, day, 1) for user in range(1, USERS + 1) for day in range(12)}


def test_the_same_seed_asks_the_same_in_whatever_order_and_another_asks_something_else() -> None:
    again, other = plan_of(USERS), plan_of(USERS, seed=2)
    for user, day in ((40, 11), (3, 0), (3, 5), (40, 2)):
        assert again.day(user, 1, day, 1) == BRIEFS[user, day]
        assert again.question(user, day) == PLAN.question(user, day)
        assert again.story_before(user, day) == PLAN.story_before(user, day)
        assert other.question(user, day) != PLAN.question(user, day)
    assert again.past(7) == PLAN.past(7)


def test_fewer_users_and_days_are_asked_the_same_as_far_as_they_go() -> None:
    small = plan_of(3, days=4)
    assert [small.question(user, day) for user in (1, 2, 3) for day in range(4)] == [
        PLAN.question(user, day) for user in (1, 2, 3) for day in range(4)
    ]


def test_tries_differ_in_the_seeds_of_the_model_alone() -> None:
    plan = plan_of(2, tries=3)
    first, second = plan.day(2, 1, 4, 17), plan.day(2, 2, 4, 29)
    assert (first.timeline_id, second.timeline_id) == (4, 5)
    assert (first.conversation_id, second.conversation_id) == (17, 29)
    assert first.seed != second.seed
    assert replace(first, timeline_id=5, conversation_id=29, seed=second.seed) == second


def test_a_question_is_another_one_where_anything_that_is_asked_or_judged_is() -> None:
    assert len({PLAN.question(user, day) for user, day in BRIEFS}) == len(BRIEFS)
    by_a_model = ExamPlan(PLAN.exam, HELD_OUT, PROMPTS, None)
    assert by_a_model.day(1, 1, 0, 1).messages == ()
    assert by_a_model.question(1, 0) != PLAN.question(1, 0)
    assert replace(by_a_model.day(1, 1, 0, 1), messages=BRIEFS[1, 0].messages) == BRIEFS[1, 0]


def test_the_digest_of_the_tables_is_that_of_what_is_drawn_from() -> None:
    assert PLAN.tables == shared_plan().tables
    assert ExamPlan(PLAN.exam, CAST, PROMPTS, TESTER).tables != PLAN.tables


def test_memories_begin_with_all_sizes_and_users_take_turns() -> None:
    for user in range(1, USERS + 1):
        notes, pages = PLAN.notes_before(user, 0)
        least, most = SIZES[(user - 1) % len(SIZES)]
        assert least <= notes <= most
        assert notes == sum(note.shelf == "memory" for note in PLAN.past(user).notes)
        assert pages == sum(note.shelf == "diary" for note in PLAN.past(user).notes)


def test_each_user_shows_each_ability_about_once() -> None:
    for user in range(1, USERS + 1):
        counts = Counter(BRIEFS[user, day].scenario.ability for day in range(12))
        if PLAN.notes_before(user, 0)[0]:
            assert len(counts) >= 9
            assert max(counts.values()) <= 3
    total = Counter(brief.scenario.ability for brief in BRIEFS.values())
    assert min(total[ability] for ability in Ability) > len(BRIEFS) / 12 / 2


def test_every_form_comes_and_the_common_ones_about_equally_often() -> None:
    counts = Counter((brief.scenario.ability, brief.scenario.form) for brief in BRIEFS.values())
    assert {(ability, form) for ability, forms in FORMS.items() for form in forms} == set(counts)
    for form in FORMS[Ability.SHARE]:
        assert counts[Ability.SHARE, form] > counts.total() / 12 / 5 / 2


def test_there_are_one_or_two_exchanges_with_a_message_for_each() -> None:
    counts = Counter(brief.exchanges for brief in BRIEFS.values())
    assert set(counts) == {1, 2}
    assert min(counts.values()) > len(BRIEFS) / 3
    for brief in BRIEFS.values():
        assert len(brief.messages) == brief.exchanges >= brief.scenario.place
        assert brief.exchanges == 2 or brief.scenario.form is not Form.SAID_ABOVE
        assert brief.rewrites == "never"


def test_days_follow_each_other() -> None:
    for user in range(1, USERS + 1):
        times = [BRIEFS[user, day].at for day in range(12)]
        assert times == sorted(set(times))
        assert all(note.date < times[0] for note in PLAN.past(user).notes)


def test_much_of_what_is_asked_for_was_told_in_the_exam() -> None:
    told: Counter[bool] = Counter()
    for (user, day), brief in BRIEFS.items():
        if brief.scenario.ability in ASKING and brief.scenario.form is not Form.SAID_ABOVE:
            told_on = {item.fact: item.told_on for item in PLAN.story_before(user, day).known}
            told[any(told_on[fact] >= BRIEFS[user, 0].date for fact in brief.scenario.facts)] += 1
    assert told[True] > told.total() / 5
    assert told[False] > told.total() / 5


def test_generation_never_draws_what_an_exam_asks_about() -> None:
    drawn = {fact.slot for brief in BRIEFS.values() for fact in brief.scenario.facts}
    assert drawn
    assert drawn.isdisjoint({*CAST.slots, *CAST.moments, *CAST.world.twins})


@pytest.mark.parametrize("days", [1, 5, 30])
def test_there_can_be_any_number_of_days(days: int) -> None:
    plan = ExamPlan(Exam(5, 2, days), HELD_OUT, PROMPTS, TESTER)
    assert len({plan.question(user, day) for user in (1, 2) for day in range(days)}) == 2 * days
