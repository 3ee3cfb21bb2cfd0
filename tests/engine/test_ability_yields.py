"""What is said of an ability of which too little is accepted, how often, and that a restart knows what was before."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from apep_datagen.config.settings import DEFAULT_MIX, DEFAULT_OUTPUT
from apep_datagen.conversation.prompt_set import PromptSet, load_prompts
from apep_datagen.conversation.state import Conversation
from apep_datagen.engine.ability_yields import AbilityYields
from apep_datagen.people.ability_yield import AbilityYield, Verdict
from apep_datagen.people.scenario import Ability
from support.briefs import brief

PROMPTS = load_prompts()
OTHER_PROMPTS = PromptSet({**PROMPTS.texts, "rewriter_system.txt": "Write."})


def yields(recent: Iterable[AbilityYield] = (), output: Path = DEFAULT_OUTPUT) -> AbilityYields:
    return AbilityYields(recent, DEFAULT_MIX, 0.25, prompts=PROMPTS.digest, output=output)


def conversation(number: int, ability: Ability = Ability.FORGET, prompts: PromptSet = PROMPTS) -> Conversation:
    plan = brief(conversation_id=number)
    return Conversation(replace(plan, scenario=replace(plan.scenario, ability=ability)), prompts)


def note(found: AbilityYields, signs: str, numbers: Iterable[int], prompts: PromptSet = PROMPTS) -> list[str]:
    """Let conversations end as `signs` say, `+` for an accepted one; return what is said meanwhile."""
    said = []
    for number, sign in zip(numbers, signs, strict=False):
        why = {"+": (), "s": ("set aside",)}.get(sign, ("voice", f"It is {sign}."))
        found.note(conversation(number, prompts=prompts), *why)
        said += [complaint.text for complaint in found.complaints()]
    return said


def test_it_is_told_with_its_yield_the_two_most_frequent_reasons_and_an_example() -> None:
    [text] = note(found := yields(), "+xyxysxyyxyxzzyxyy", itertools.count(1))
    assert text == (
        "forget: only 1 of its last 11 conversations were accepted, least_ability_yield in [quality] is 0.25."
        " Most often 5 times It is y. (voice); 4 times It is x. (voice); apep-datagen show --rejected 11 prints one."
        " It is held back: until it passes more often, no more of it is sent than its share in [scenarios.mix]"
    )
    assert found.held_back == {Ability.FORGET}


def test_the_command_names_an_output_that_is_not_the_usual_one() -> None:
    [text] = note(yields(output=Path("my data/a.json")), "-" * 9, itertools.count(1))
    assert "apep-datagen show 'my data/a.json' --rejected 7 prints one." in text


def test_it_is_told_once_and_again_only_after_it_was_good() -> None:
    found, numbers = yields(), itertools.count(1)
    assert len(note(found, "-" * 50, numbers)) == 1
    assert note(found, "+" * 6, numbers) == []
    assert found.held_back == set()
    assert note(found, "-" * 7, numbers) == []  # held back again, as it was
    assert found.held_back == {Ability.FORGET}
    assert note(found, "+" * 60, numbers) == []
    assert len(note(found, "-" * 60, numbers)) == 1


def test_what_was_before_counts_and_is_told_at_once() -> None:
    before = AbilityYield(Ability.FORGET, tuple(Verdict(number, "voice", "It is.") for number in range(1, 20)))
    found = yields([before])
    assert found.held_back == {Ability.FORGET}
    assert [complaint.low for complaint in found.complaints()] == [before]
    assert note(found, "----", itertools.count(20)) == []


def test_what_was_made_with_other_prompts_says_nothing_of_these() -> None:
    assert note(yields(), "-" * 40, itertools.count(1), OTHER_PROMPTS) == []


def test_where_all_that_is_wished_for_is_low_it_says_that_nothing_is_held_back() -> None:
    mix = dict.fromkeys(Ability, 0.0) | {Ability.FORGET: 1.0}
    [text] = note(
        AbilityYields((), mix, 0.25, prompts=PROMPTS.digest, output=DEFAULT_OUTPUT), "-" * 7, itertools.count(1)
    )
    assert text.endswith("It is not held back, because nothing else is left to be sent")


@pytest.mark.parametrize("ability", [Ability.SHARE, Ability.DIARY_RECALL])
def test_what_is_not_wished_for_is_not_counted(ability: Ability) -> None:
    found = AbilityYields((), {**DEFAULT_MIX, ability: 0.0}, 0.25, prompts=PROMPTS.digest, output=DEFAULT_OUTPUT)
    for number in range(20):
        found.note(conversation(number, ability), "voice", "It is.")
    assert ability not in found.by_ability
    assert found.complaints() == []
