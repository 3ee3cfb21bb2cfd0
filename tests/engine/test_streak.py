"""When a provider is of no use: several conversations or many answers in a row, with no usable answer between."""

from __future__ import annotations

import random

import pytest

from apep_datagen.core.messages import ModelRole
from apep_datagen.engine.streak import Streak

ADA, TESTER = ModelRole.ADA, ModelRole.TESTER


def test_several_conversations_in_a_row_are_too_many_and_one_never_is() -> None:
    streak = Streak()
    for _ in range(50):
        streak.note_failure(ADA, 1)
    for number in (2, 3, 4):
        streak.note_failure(ADA, number)
        assert streak.complaint(ADA) is None
    streak.note_failure(ADA, 5)
    assert streak.complaint(ADA) == "5 conversations in a row got no usable answer from it"
    assert streak.complaint(TESTER) is None
    assert streak.conversations() == {1, 2, 3, 4, 5}


def test_many_useless_answers_in_a_row_are_too_many() -> None:
    streak = Streak()
    for _ in range(19):
        streak.note_useless_answer(ADA)
    assert streak.complaint(ADA) is None
    streak.note_useless_answer(ADA)
    assert streak.complaint(ADA) == "20 answers in a row were of no use"


def test_a_usable_answer_of_the_same_role_ends_the_row_and_one_of_another_does_not() -> None:
    streak = Streak()
    for number in range(100):
        streak.note_use(TESTER, "m")
        streak.note_failure(ADA, number)
    assert streak.complaint(ADA)
    for number in range(100):
        streak.note_use(ADA, "m")
        streak.note_failure(ADA, number)
        streak.note_useless_answer(ADA)
    assert streak.complaint(ADA) is None


def test_a_few_that_failed_wait_for_the_many_that_are_under_way() -> None:
    streak = Streak()
    streak.under_way[ADA] = 30
    for number in range(9):
        streak.note_failure(ADA, number)
    assert streak.complaint(ADA) is None
    streak.note_failure(ADA, 9)
    assert streak.complaint(ADA)


@pytest.mark.parametrize("share", [0.2, 0.4])
def test_a_model_that_refuses_often_goes_on_and_one_that_never_did_is_found_out_at_once(share: float) -> None:
    draw = random.Random(1)  # noqa: S311 - a test's draw
    streak = Streak()
    for number in range(20_000):
        if draw.random() < share:
            streak.note_failure(ADA, number)
            for _ in range(3):
                streak.note_useless_answer(ADA)
        else:
            streak.note_use(ADA, "m")
        assert streak.complaint(ADA) is None
    good = Streak()
    for _ in range(100):
        good.note_use(ADA, "m")
    for number in range(5):
        assert good.complaint(ADA) is None
        good.note_failure(ADA, number)
    assert good.complaint(ADA)


def test_that_a_provider_cannot_be_used_is_believed_at_once_unless_it_worked() -> None:
    assert Streak().believe_verdict(ADA, "m")
    streak = Streak()
    streak.note_use(ADA, "m")
    assert [streak.believe_verdict(ADA, "m") for _ in range(5)] == [False] * 4 + [True]
    assert streak.believe_verdict(ADA, "another")


def test_a_conversation_fails_alone_as_long_as_no_other_one_does() -> None:
    streak = Streak()
    assert streak.fails_alone(ADA, 1)
    streak.note_failure(ADA, 1)
    assert streak.fails_alone(ADA, 1)
    streak.note_failure(ADA, 2)
    assert not streak.fails_alone(ADA, 1)
    assert streak.is_in_doubt()
    streak.note_use(ADA, "m")
    assert streak.fails_alone(ADA, 1)
    assert not streak.is_in_doubt()
