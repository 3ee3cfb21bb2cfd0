"""Which module judges which ability, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Callable

from apep_datagen.people.phrases import Phrases
from apep_datagen.people.scenario import Ability, Scenario
from apep_datagen.people.story import Change
from apep_datagen.quality.effect import (
    abstaining,
    applying,
    asking,
    asking_back,
    diary,
    forgetting,
    memory,
    reading_out,
    telling,
    tools,
)
from apep_datagen.quality.effect.view import View
from apep_datagen.quality.problem import Problem
from apep_datagen.quality.sample import Sample

__all__ = ["check"]

_CHECKS: dict[Ability, Callable[[View], Problem | None]] = {
    Ability.SHARE: telling.share,
    Ability.UPDATE: telling.update,
    Ability.FORGET: forgetting.check,
    Ability.RECALL: asking.check,
    Ability.CONNECT: asking.check,
    Ability.ABSTAIN: abstaining.check,
    Ability.DIARY: diary.check,
    Ability.DIARY_RECALL: asking.check,
    Ability.APPLY: applying.check,
    Ability.ASK_BACK: asking_back.check,
}
"""What an ability demands of its own; small talk and advice demand nothing but what holds for all."""


def check(sample: Sample, scenario: Scenario, change: Change, phrases: Phrases) -> Problem | None:
    """Check what a conversation did and said.

    Args:
        sample: The conversation.
        scenario: What it was to be about.
        change: What was known, and what it has changed.
        phrases: By what an admission is recognised.
    """
    view = View(sample, scenario, change, phrases)
    of_its_own = _CHECKS.get(scenario.ability)
    problem = of_its_own(view) if of_its_own else None
    return problem or reading_out.check(view) or tools.check(view) or memory.check(view)
