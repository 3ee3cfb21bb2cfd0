"""A report counts each conversation where it belongs, and says the same in words and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from apep_datagen.core.errors import StorageError
from apep_datagen.evaluate.bounds import BOUNDS
from apep_datagen.evaluate.element import Examined, Examinee
from apep_datagen.evaluate.exam import Exam
from apep_datagen.evaluate.failures import Failure
from apep_datagen.evaluate.interval import share_of
from apep_datagen.evaluate.outcome import Outcome
from apep_datagen.evaluate.report import SIZES_OF_MEMORY, Percentiles, Report, report_of
from apep_datagen.evaluate.report_json import report_as_json
from apep_datagen.evaluate.report_text import describe_report
from apep_datagen.people.scenario import FORMS, Ability, Form
from support.exams import never_deletes, played

ELEMENTS = played(never_deletes)
RIGHT, INVENTED = Outcome(None), Outcome(Failure.INVENTED, "something that was never told is claimed")
VOID = Outcome(None, "the user's message does not tell what was planned", is_void=True)
PLAIN = replace(ELEMENTS[0], ability=Ability.RECALL, form=Form.AMONG_MANY, outcome=RIGHT)


def element(user: int = 1, number_of_try: int = 1, day: int = 1, **changes: object) -> Examined:
    return replace(PLAIN, user=user, number_of_try=number_of_try, day=day, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def report() -> Report:
    return report_of(ELEMENTS, {name: played(ada) for name, ada in BOUNDS.items()})


def test_each_conversation_is_counted_once_in_each_part(report: Report) -> None:
    counts = Counter((one.ability, one.form) for one in ELEMENTS)
    assert report.total.count == len(ELEMENTS)
    assert {place: row.count for place, row in report.forms.items()} == counts
    assert sum(row.count for row in report.abilities.values()) == len(ELEMENTS)
    assert sum(row.count for row in report.sizes.values()) == len(ELEMENTS)
    for (ability, form), row in report.forms.items():
        own = [one for one in ELEMENTS if (one.ability, one.form) == (ability, form)]
        assert row.right == sum(one.outcome.is_right for one in own)
        assert row.share == share_of((one.user, one.outcome.is_right) for one in own)
        assert row.count == row.right + sum(row.failures.values())


def test_a_known_weakness_shows_in_the_report(report: Report) -> None:
    assert report.total.failures.keys() == {Failure.WROTE_WRONGLY}
    assert {ability for ability, row in report.abilities.items() if row.failures} == {
        *(Ability.UPDATE, Ability.FORGET, Ability.ABSTAIN)
    }
    assert report.forms[Ability.UPDATE, Form.MISTAKE].right == 0
    assert report.forms[Ability.UPDATE, Form.OLD_MISSING].share.value == 1


def test_bounds_stand_beside_it(report: Report) -> None:
    assert list(report.bounds) == ["never", "always"]
    assert report.bounds["never"].total.count == len(ELEMENTS)
    assert report.bounds["never"].abilities[Ability.FORGET].right == 0
    assert report.bounds["always"].abilities[Ability.SMALLTALK].share.value < 0.5


@pytest.mark.parametrize(
    ("notes", "name"),
    [(0, "0"), (1, "1-5"), (5, "1-5"), (6, "6-20"), (20, "6-20"), (21, "21-60"), (60, "21-60"), (61, "more than 60")],
)
def test_a_memory_is_of_the_size_that_its_notes_say(notes: int, name: str) -> None:
    assert name in SIZES_OF_MEMORY
    assert list(report_of([element(notes=notes)]).sizes) == [name]


def test_what_is_void_counts_nowhere_else() -> None:
    found = report_of([element(), element(2, outcome=VOID), element(3, outcome=INVENTED)])
    assert (found.total.count, found.total.right, found.total.void) == (2, 1, 1)
    assert found.abilities[Ability.RECALL].failures == {Failure.INVENTED: 1}
    assert "1 more say nothing about Ada" in describe_report(found)
    alone = report_of([element(outcome=VOID)])
    assert alone.total.count == 0
    assert "  -" in describe_report(alone)


def test_all_tries_are_right_only_where_each_is() -> None:
    exam = Exam(1, 3, tries=2)
    tried = [
        *(element(1, 1), element(1, 2)),
        *(element(2, 1), element(2, 2, outcome=INVENTED)),
        *(element(3, 1), element(3, 2, outcome=VOID)),  # was tried once
        *(element(1, 1, day=2, ability=Ability.APPLY), element(1, 2, day=2, ability=Ability.APPLY, outcome=INVENTED)),
        element(2, 1, day=2),  # was tried once so far
    ]
    found = report_of([replace(one, exam=exam) for one in tried])
    assert found.all_tries_total == share_of([(1, True), (2, False), (1, False)])
    assert found.all_tries == {
        Ability.RECALL: share_of([(1, True), (2, False)]),
        Ability.APPLY: share_of([(1, False)]),
    }
    assert "right in each of 2 tries" in describe_report(found)
    assert report_as_json(found)["all_tries"]["abilities"]["recall"]["share"] == 1 / 2


def test_tried_once_there_is_nothing_to_say_of_tries(report: Report) -> None:
    assert (report.all_tries, report.all_tries_total) == ({}, None)
    assert "tries" not in describe_report(report)


def test_answers_are_told_by_their_median_and_what_95_of_100_are_below() -> None:
    first = element(seconds=tuple(range(1, 100)), prompt_tokens=(10,) * 99, completion_tokens=(5,) * 99)
    found = report_of([first, element(2, seconds=(100, 101), prompt_tokens=(0, 9), completion_tokens=(1, 2))]).answers
    assert found.count == 101
    assert found.seconds == Percentiles(51, 96)
    assert found.prompt_tokens == Percentiles(10, 10)
    assert "seconds an answer" in describe_report(report_of([first]))
    assert "seconds an answer" not in describe_report(report_of([element()]))
    assert report_as_json(report_of([element()]))["answers"] is None


def test_an_evaluation_that_is_not_at_its_end_says_so() -> None:
    assert "; 1 of 144 conversations." in describe_report(report_of([element()]))
    assert "; 144 conversations." in describe_report(report_of(ELEMENTS))


def test_two_exams_are_not_added_up() -> None:
    with pytest.raises(StorageError, match="two exams"):
        report_of([element(), replace(element(2), exam=Exam(7, 12))])
    with pytest.raises(StorageError, match="two exams"):
        report_of([element(), element(2, tables="others")])


def test_of_nothing_there_is_no_report() -> None:
    with pytest.raises(StorageError, match="no conversation yet"):
        report_of([])


def test_the_text_has_a_line_for_each_ability_and_form(report: Report) -> None:
    text = describe_report(report)
    lines = text.splitlines()
    assert lines[0] == "scripted: 12 users, 12 days each; seed 1, tester written; 144 conversations."
    for ability, forms in FORMS.items():
        if ability in report.abilities:
            assert any(line.startswith(f"{ability} ") for line in lines)
        several = forms if len(forms) > 1 else ()
        for form in (form for form in several if (ability, form) in report.forms):
            assert any(line.startswith(f"  {form} ") for line in lines)
    assert "never  always" in text
    assert max(map(len, lines)) <= 120


def test_the_text_says_who_answered_and_how() -> None:
    elements = [element(ada=Examinee("together", "big", "hermes")), element(2, ada=Examinee("mine", "big"))]
    assert describe_report(report_of(elements)).startswith("big at together, as trained (hermes) and big at mine: ")


def test_json_says_what_the_report_says(report: Report) -> None:
    told = json.loads(json.dumps(report_as_json(report)))
    assert told["exam"] == report.exam.as_dict()
    assert told["total"]["right"] == report.total.right
    assert sum(told["total"]["failures"].values()) == report.total.count - report.total.right
    assert told["total"]["failures"].keys() == {kind.value for kind in Failure}
    forms = {(ability, form) for ability, row in told["abilities"].items() for form in row["forms"]}
    assert forms == set(report.forms)
    row = told["abilities"]["update"]["forms"]["mistake"]
    interval = report.forms[Ability.UPDATE, Form.MISTAKE].share.interval
    assert (row["share"], row["low"], row["high"]) == (0, interval.low, interval.high)
    assert told["bounds"].keys() == {"never", "always"}
    assert "bounds" not in told["bounds"]["never"]


def test_json_is_as_its_docstring_says(report: Report) -> None:
    text = report_as_json.__doc__ or ""
    told = report_as_json(report)
    for names in (told, told["total"], told["exam"], told["examinees"][0]):
        assert all(f"`{name}`" in text for name in names)
