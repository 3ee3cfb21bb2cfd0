"""The stage `knowledge`: Ada uses nothing that she cannot know, and claims nothing of her memory before she has looked.

Before she has looked she has the system prompt and what the user writes. What else she says of this user is a leak, and
what she says of having been told, or not, is a guess that passes for knowledge: a model that learns it will invent.
"""

from __future__ import annotations

from collections.abc import Sequence

from apep_datagen.core.calls import MalformedCall, ToolCall, texts_in
from apep_datagen.core.words import holds
from apep_datagen.language.claims import Claim, claims_in, claims_to_the_user
from apep_datagen.language.common import telling
from apep_datagen.language.values import saying
from apep_datagen.people.scenario import ASKING, Ability, Fact, Scenario
from apep_datagen.quality import leak
from apep_datagen.quality.case import Case
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample, SavedTurn, told_in

__all__ = ["check", "unfounded"]

_LOOKING_UP = frozenset({"recall_memories", "recall_diary"})
# The abilities of which the user does not say the facts.
_NOT_SAID = ASKING | {Ability.FORGET, Ability.ABSTAIN, Ability.ASK_BACK}


def check(sample: Sample, case: Case) -> Problem | None:
    """Return what Ada says without being able to know it, or None.

    Args:
        sample: The conversation.
        case: The same, with what she cannot see.
    """
    return unfounded(sample, case.brief.scenario) or leak.check(sample, case)


def unfounded(sample: Sample, scenario: Scenario) -> Problem | None:
    """Return what Ada says that nothing she has seen by then bears out, or None.

    Args:
        sample: The conversation.
        scenario: What it was to be about.
    """
    return _told_too_early(sample, scenario) or _claimed(sample)


def _claimed(sample: Sample) -> Problem | None:
    """Find a claim that stands before any look, and speaks of nothing that was said in an earlier exchange."""
    above: list[str] = []
    for exchange in sample.exchanges:
        has_looked = False
        for turn in exchange.turns:
            claim = _claim_in(turn, exchange.question, above)
            if claim is not None:
                return Problem(Stage.KNOWLEDGE, claim.kind.value, claim.quote, claim.quote)
            if turn.results:
                # What she has just stored she may speak of in this exchange; of other days she knows after a look.
                has_looked = any(_looks(turn) for turn in exchange.turns)
                break
        if has_looked:
            return None
        stored = (text for turn in exchange.turns for call in turn.calls for text in texts_in(_arguments(call)))
        above += [exchange.question, exchange.reply, *stored]
    return None


def _claim_in(turn: SavedTurn, question: str, above: Sequence[str]) -> Claim | None:
    """Return the first claim of a turn that nothing above bears out."""
    looks = _looks(turn)
    for claim in claims_in(turn.thinking, leads_to_look=looks):
        # Where she is about to look, it is of what the user has just asked for; and that was not said above, though it
        # may be of the same thing: "they told me the name of their sister", who was spoken of, and not by her name.
        asked = telling(question) if looks else frozenset()
        if (telling(*above) - asked).isdisjoint(telling(claim.quote)):
            return claim
    for claim in claims_to_the_user(turn.reply, question):
        about = telling(claim.quote)
        # "I remember you saying that" can be of anything that was said above.
        if telling(*above).isdisjoint(about) and (about or not above):
            return claim
    return None


def _looks(turn: SavedTurn) -> bool:
    return any(isinstance(call, ToolCall) and call.name in _LOOKING_UP for call in turn.calls)


def _arguments(call: ToolCall | MalformedCall) -> object:
    return call.arguments if isinstance(call, ToolCall) else ()


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
            seen += "\n" + "\n".join(told_in(turn.results))
    return None


def _to_be_looked_up(scenario: Scenario) -> tuple[Fact, ...]:
    """Return what the user does not say and Ada has to look up, if she is to know it."""
    facts = (*((scenario.replaced,) if scenario.replaced else ()), *scenario.beside, *scenario.earlier)
    if scenario.ability in _NOT_SAID and scenario.replaced is None:
        facts += scenario.facts
    # What a page is about stands in the question; its words are no secret.
    return tuple(fact for fact in facts if fact.shelf == "memory" and fact.value)
