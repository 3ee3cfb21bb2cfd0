"""An evaluated conversation comes back from its file as it was, and what is none is refused with a reason."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from apep_datagen.core.errors import StorageError
from apep_datagen.core.sample_json import parse_messages, sample_line
from apep_datagen.evaluate.bounds import never
from apep_datagen.evaluate.element import Examined, Examinee, read_examined
from apep_datagen.evaluate.failures import Failure
from apep_datagen.evaluate.outcome import Outcome
from apep_datagen.evaluate.play import play
from apep_datagen.people.scenario import Ability
from support.exams import ideal, plan_of, shared_plan

ELEMENTS = list(play(shared_plan(2), ideal, Examinee("mine", "small-model", "hermes")))


def written(path: Path, *elements: str) -> Path:
    path.write_text("[\n" + ",\n".join(elements) + "\n]\n", encoding="utf-8")
    return path


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    odd = replace(
        ELEMENTS[0],
        outcome=Outcome(Failure.INVENTED, "a reason", 'a "detail"\n', "…", is_void=False),
        seconds=(0.25, 3.0),
        prompt_tokens=(1200, 0),
        completion_tokens=(7, 8),
    )
    path = written(tmp_path / "ada.json", *(one.to_line() for one in (*ELEMENTS, odd)))
    assert list(read_examined(path)) == [*ELEMENTS, odd]


def test_an_element_is_one_line_and_says_what_it_is_of() -> None:
    line = ELEMENTS[13].to_line()
    assert "\n" not in line
    value = json.loads(line)
    assert list(value) == ["evaluation", "transcript"]
    told = value["evaluation"]
    assert (told["user"], told["number_of_try"], told["day"], told["exam"]["seed"]) == (2, 1, 2, 1)
    assert told["ada"] == {"provider": "mine", "model": "small-model", "as_trained": "hermes"}
    assert told["question"] == shared_plan(2).question(2, 1)
    assert [message["role"] for message in value["transcript"]][:2] == ["system", "user"]


def test_tries_and_days_are_counted_from_one() -> None:
    places = [(one.user, one.number_of_try, one.day) for one in play(plan_of(2, days=2, tries=2), ideal)]
    assert places == [(user, number, day) for user in (1, 2) for number in (1, 2) for day in (1, 2)]


def test_no_element_is_taken_for_a_conversation_of_a_dataset() -> None:
    for one in ELEMENTS:
        assert parse_messages(one.to_line().encode()) is None


def broken(**changes: Any) -> str:
    value = json.loads(ELEMENTS[0].to_line())
    value["evaluation"] |= changes
    return json.dumps(value)


@pytest.mark.parametrize(
    ("element", "why"),
    [
        (sample_line(ELEMENTS[0].messages), "this is a dataset"),
        ("{}", "element 2 is no evaluated conversation"),
        ("7", "element 2 is no evaluated conversation"),
        ('{"evaluation": 1, "transcript": []}', "element 2"),
        (broken(user="one"), "user"),
        (broken(ability="juggling"), "ability"),
        (broken(outcome={"failure": "a new one"}), "outcome.failure"),
        (broken(exam={"seed": 1}), "exam.users"),
        (json.dumps({"evaluation": json.loads(ELEMENTS[0].to_line())["evaluation"]}), "transcript"),
        (ELEMENTS[0].to_line().replace('"seconds": []', '"seconds": [NaN, "x"]'), "seconds"),
    ],
)
def test_what_is_no_evaluation_is_refused(tmp_path: Path, element: str, why: str) -> None:
    path = written(tmp_path / "ada.json", ELEMENTS[0].to_line(), element)
    elements = read_examined(path)
    assert next(elements) == ELEMENTS[0]
    with pytest.raises(StorageError, match="apep-datagen evaluate") as raised:
        next(elements)
    assert why in str(raised.value)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("text", ["", "{}", "[", '[{"evaluation": '])
def test_what_is_no_array_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ada.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StorageError, match=r"ada\.json"):
        list(read_examined(path))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no such file"):
        list(read_examined(tmp_path / "ada.json"))


def test_an_element_knows_how_much_there_is_to_remember_whoever_answers() -> None:
    plan = shared_plan(2)
    for one in (*ELEMENTS, *play(plan, never)):
        assert (one.notes, one.pages) == plan.notes_before(one.user, one.day - 1)
    assert isinstance(ELEMENTS[0], Examined)
    assert {one.ability for one in ELEMENTS} <= set(Ability)
