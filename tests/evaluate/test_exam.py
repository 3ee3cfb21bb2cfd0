"""An exam says how much is asked, whose turn it is, and comes back from JSON as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.evaluate.exam import Exam

EXAMS = st.builds(
    Exam, st.integers(), *(st.integers(1, 200) for _ in range(4)), tester=st.sampled_from(["written", "mistral"])
)


@given(EXAMS)
def test_each_timeline_is_of_one_user_and_try(exam: Exam) -> None:
    exam = Exam(1, min(exam.users, 20), tries=min(exam.tries, 20))
    places = [exam.place_of(timeline) for timeline in range(1, exam.timelines + 1)]
    assert sorted(places) == [(user, one) for user in range(1, exam.users + 1) for one in range(1, exam.tries + 1)]
    assert [exam.timeline_of(*place) for place in places] == list(range(1, exam.timelines + 1))


def test_each_user_has_each_day_in_each_try() -> None:
    assert (Exam(1, 50).timelines, Exam(1, 50).conversations) == (50, 600)
    assert (Exam(1, 5, 3, 4).timelines, Exam(1, 5, 3, 4).conversations) == (20, 60)


@given(EXAMS)
def test_it_comes_back_from_json_as_it_was(exam: Exam) -> None:
    assert Exam.from_json(exam.to_json()) == exam
    assert json.loads(exam.to_json()) == exam.as_dict()


WHOLE = Exam(1, 2).as_dict()


@pytest.mark.parametrize(
    "value",
    [
        *([], None, "{}", {}, {**WHOLE, "more": 1}, {**WHOLE, "users": 0}, {**WHOLE, "days": "12"}),
        *({**WHOLE, "seed": True}, {**WHOLE, "tries": 1.0}, {**WHOLE, "tester": None}),
        {name: value for name, value in WHOLE.items() if name != "tries"},
    ],
)
def test_what_is_no_exam_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="exam"):
        Exam.from_dict(value)
