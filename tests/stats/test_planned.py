"""What a run will draw: counted of hand-made draws, and of those of a rehearsal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from apep_datagen.engine.rehearsal import RehearsedConversation
from apep_datagen.people.scenario import Ability, Fact, Form
from apep_datagen.stats.distribution import Spread
from apep_datagen.stats.planned import Planned, planned_of
from apep_datagen.stats.planned_report import describe_planned
from apep_datagen.stats.separation import CHANCE, Threshold
from support.briefs import BRIEF, SCENARIO
from support.program import Program, section

MIX = {Ability.RECALL: 3.0, Ability.ABSTAIN: 1.0}


def drawn(
    ability: Ability, form: Form | None, notes: int, *, times: int, timeline: int = 1, value: str = "Bello"
) -> Iterator[RehearsedConversation]:
    fact = Fact("dog", value, (value,), ("dog",), "", "")
    scenario = replace(SCENARIO, ability=ability, form=form, facts=(fact,))
    for number in range(times):
        brief = replace(BRIEF, scenario=scenario, timeline_id=timeline + number, exchanges=1 + number % 4)
        yield RehearsedConversation(brief, notes, number % 2)


def threshold(planned: Planned, name: str) -> Threshold:
    return next(found for pair, found in planned.thresholds if pair.name == name)


def test_what_was_drawn_is_told_against_the_wish_and_by_form() -> None:
    planned = planned_of(
        [
            *drawn(Ability.RECALL, Form.NEWEST, 9, times=40),
            *drawn(Ability.RECALL, Form.NEAR_MISS, 5, times=20),
            *drawn(Ability.ABSTAIN, Form.FORGOTTEN, 0, times=40, value=""),
        ],
        MIX,
        16,
    )
    assert [(kind.ability, kind.form, kind.percent, kind.wished_percent) for kind in planned.kinds] == [
        (Ability.RECALL, None, 60.0, 75.0),
        (Ability.RECALL, Form.NEAR_MISS, 20.0, None),
        (Ability.RECALL, Form.NEWEST, 40.0, None),
        (Ability.ABSTAIN, None, 40.0, 25.0),
        (Ability.ABSTAIN, Form.FORGOTTEN, 40.0, None),
    ]
    assert planned.kinds[0].notes == Spread(60, 5, 5, 9, 9, 9)
    assert planned.kinds[0].exchanges == Spread(60, 1, 1, 2, 3, 4)
    assert planned.kinds[0].hours == Spread(60, 19, 19, 19, 19, 19)
    found = threshold(planned, "recall | abstain")
    assert (found.accuracy.balanced, found.at_least, found.distance) == (1.0, 5, 1.0)
    assert (planned.count, planned.in_flight) == (100, 16)
    assert (planned.facts.distinct, planned.facts.count) == (1, 40), "once for each user; nothing for no value"
    text = describe_planned(planned)
    assert "100 conversations of a run that begins, 16 at once" in text
    assert re.search(r"^recall \| abstain +60 +40 +1\.000 +100\.0 % \(from 5\)", text, re.MULTILINE)
    assert re.search(r"^dog: Bello +users +40$", text, re.MULTILINE)


def test_where_memory_is_alike_its_size_gives_nothing_away() -> None:
    items = [
        item
        for notes in range(30)
        for ability in MIX
        for item in drawn(ability, None, notes, times=2 if ability is Ability.RECALL else 1)
    ]
    found = threshold(planned_of(items, MIX, 1), "recall | abstain")
    assert found.accuracy.balanced == pytest.approx(CHANCE)
    assert found.distance == pytest.approx(0)


def test_of_nothing_nothing_is_told() -> None:
    planned = planned_of([], MIX, 1)
    assert planned.count == 0
    assert [(kind.percent, kind.notes.count) for kind in planned.kinds] == [(0, 0), (0, 0)]
    assert "0 conversations" in describe_planned(planned)


def test_the_command_rehearses_up_to_2000_and_says_so(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.configure(section("one", "http://127.0.0.1:9/v1", max_in_flight=7))
    for target, count in (("60", "60"), ("50000", "2,000")):
        ended = program.run("plan", "--providers", "one", "--target", target)
        assert ended.status == 0, ended.said
        said = ended.stdout
        assert f"Rehearsed without a model: {count} conversations of a run that begins, 7 at once" in said
        assert re.search(r"^share +\d+ +\d+\.\d %", said, re.MULTILINE)
    assert re.search(r"^recall \| abstain +\d", said, re.MULTILINE)
    assert max(map(len, said.splitlines())) <= 100
    assert not program.output.exists()
