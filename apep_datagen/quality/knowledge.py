"""The stage `knowledge`: Ada uses nothing that she cannot know, and claims nothing of her memory before she has looked.

Before she has looked she has the system prompt and what the user writes. What else she says of this user is a leak, and
what she says of having been told, or not, is a guess that passes for knowledge: a model that learns it will invent.
"""

from __future__ import annotations

from collections.abc import Iterator

from apep_datagen.core.calls import ToolCall, texts_in
from apep_datagen.core.words import holds
from apep_datagen.language.claims import Claim, claim_in, claim_to_the_user
from apep_datagen.language.values import saying
from apep_datagen.people.scenario import ASKING, Ability, Fact, Scenario
from apep_datagen.quality import leak
from apep_datagen.quality.case import Case
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample, SavedTurn

__all__ = ["check"]

_LOOKING_UP = frozenset({"recall_memories", "recall_diary"})


def check(sample: Sample, case: Case) -> Problem | None:
    """Return what Ada says without being able to know it, or None.

    Args:
        sample: The conversation.
        case: The same, with what she cannot see.
    """
    return _told_too_early(sample, case.brief.scenario) or _claimed(sample) or leak.check(sample, case)


def _claimed(sample: Sample) -> Problem | None:
    """Find a claim that stands before any result."""
    for turn in _before_results(sample):
        looks = any(isinstance(call, ToolCall) and call.name in _LOOKING_UP for call in turn.calls)
        claim = claim_in(turn.thinking, leads_to_look=looks) or claim_to_the_user(
            turn.reply, sample.exchanges[0].question
        )
        if claim is not None:
            return _problem_with(claim)
    return None


def _problem_with(claim: Claim) -> Problem:
    return Problem(Stage.KNOWLEDGE, claim.kind.value, claim.quote, claim.quote)


def _before_results(sample: Sample) -> Iterator[SavedTurn]:
    """Yield the turns that Ada wrote before any result had come; later exchanges may speak of earlier ones."""
    for turn in sample.exchanges[0].turns:
        yield turn
        if turn.results:
            return


def _told_too_early(sample: Sample, scenario: Scenario) -> Problem | None:
    """Find the value of a fact that is to be looked up, said before anything that Ada has seen holds it."""
    seen = sample.system
    for exchange in sample.exchanges:
        seen += f"\n{exchange.question}"
        for turn in exchange.turns:
            for fact in _to_be_looked_up(scenario):
                if holds(seen, fact.forms):
                    continue
                for text in (turn.thinking, turn.reply):
                    if quote := saying(text, fact.forms, (fact.ask, *fact.cues)):
                        return Problem(Stage.KNOWLEDGE, leak.REASON, f"{fact.value}: {fact.tell}", quote)
            seen += "\n" + "\n".join(texts_in(list(turn.results)))
    return None


def _to_be_looked_up(scenario: Scenario) -> tuple[Fact, ...]:
    if scenario.replaced is not None:
        return (scenario.replaced,)
    # What a page is about stands in the question; its words are no secret.
    is_asked = scenario.ability in ASKING or scenario.ability is Ability.FORGET
    return tuple(fact for fact in scenario.facts if fact.shelf == "memory" and fact.value) if is_asked else ()
