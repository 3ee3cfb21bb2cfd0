"""Whether a conversation shows what it was to show; if not, in which way it failed.

It is judged by the stages that accept conversations for a dataset, as far as they are about memory: `form`,
`execution`, `effect`, `notes`, and of `knowledge` what Ada says without grounds. What she thinks is not looked at: a
model that thinks aloud and one that does not are measured alike. How she puts it, whether it is new, and what time she
speaks of are no failures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from apep_datagen.core.notebook import Entry
from apep_datagen.core.words import holds
from apep_datagen.evaluate.failures import (
    BLAMELESS,
    FAILURES,
    GIVEN_FOR_ANOTHER,
    NEVER_LOOKED,
    NO_PAGE,
    NOT_IN_MEMORY,
    NOT_TOLD,
    TWICE,
    Failure,
)
from apep_datagen.evaluate.root_cause import known_before, root_cause
from apep_datagen.language.content import content
from apep_datagen.people.phrases import Phrases
from apep_datagen.people.scenario import ASKING, Ability, Form, Scenario
from apep_datagen.people.story import Story, notes_that_hold
from apep_datagen.quality import effect, execution, form, knowledge, notes
from apep_datagen.quality.admissions import admits
from apep_datagen.quality.case import Case
from apep_datagen.quality.effect import View
from apep_datagen.quality.effect.abstaining import claimed, made_up
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample, SavedExchange, SavedTurn, read_sample

__all__ = ["Failure", "Outcome", "broken", "examine"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an evaluated conversation.

    Attributes:
        failure: In which way it failed; None where it is right, and where it is void.
        reason: A sentence that is the same for all that failed so; empty where it is right.
        detail: What it was here.
        quote: Words of the conversation that show it, where there are any.
        is_void: Whether it says nothing about Ada: the user's message is not what it was to be.
    """

    failure: Failure | None
    reason: str = ""
    detail: str = ""
    quote: str = ""
    is_void: bool = False

    @property
    def is_right(self) -> bool:
        """Whether Ada did all that she should, and nothing else."""
        return self.failure is None and not self.is_void


def broken(reason: str) -> Outcome:
    """Return the outcome of a conversation that has no end, because no answer of Ada's was of any use.

    Args:
        reason: Why not, as `UnusableAnswerError` says it.
    """
    return Outcome(Failure.FORM, "an answer of Ada's is of no use", reason)


def examine(case: Case, phrases: Phrases, ideal: Story, entries: Sequence[Entry]) -> Outcome:
    """Return what came of a finished conversation.

    What went wrong on an earlier day comes before what went wrong on this one, and a broken answer before both.

    Args:
        case: The conversation, with memory and diary as they really were before it and after it; what
            `case.change.known` says plays no part.
        phrases: By what text is recognised.
        ideal: The story before it, as if Ada had done all that she should (`ExamPlan.story_before`).
        entries: Every note that the timeline ever had, with those that are gone.
    """
    sample = read_sample(case.messages, with_thoughts=False)
    if isinstance(sample, Problem):
        return _outcome(sample, FAILURES.get(sample.reason))
    if problem := form.check(_questions_of(sample)):
        return Outcome(None, problem.reason, problem.detail, problem.quote, is_void=True)
    brief, scenario = case.brief, case.brief.scenario
    change = replace(case.change, known=known_before(scenario, ideal, case.change.before))
    problem = form.check(sample, case.finish_reasons)
    problem = problem or execution.check(sample, change.before, change.after, brief.date)
    if problem is not None:
        return _outcome(problem, FAILURES.get(problem.reason))
    problem = effect.check(sample, scenario, change, phrases)
    if problem is not None and not brief.messages and not _asks(sample, scenario):
        return Outcome(
            None, "the user's message does not ask what was planned", quote=sample.exchanges[0].question, is_void=True
        )
    earlier = root_cause(
        scenario, ideal, change.before, [one for one in entries if one.added_in != brief.conversation_id]
    )
    if earlier is not None and not (problem and problem.reason in BLAMELESS):
        return Outcome(earlier.failure, earlier.reason, earlier.detail)
    problem = problem or notes.check(sample, scenario, change) or knowledge.unfounded(sample, scenario)
    view = View(sample, scenario, change, phrases)
    return _denied(view) if problem is None else _outcome(problem, _failure(problem, view))


def _asks(sample: Sample, scenario: Scenario) -> bool:
    """Tell whether a user that a model plays speaks of what is asked: any word of it will do.

    In all 66 conversations of `tests/real_model` in which something is asked for, the user says such a word.
    """
    if scenario.ability not in _ASKED:
        return True
    asked = [f"{fact.ask} {fact.which} {' '.join(fact.cues)}" for fact in scenario.facts]
    if scenario.ability is Ability.APPLY:  # the occasion is asked about, not the fact
        asked = [scenario.instruction]
    said = " ".join(exchange.question for exchange in sample.exchanges)
    return not content(said).isdisjoint(content(scenario.question, *asked))


_ASKED = ASKING | {Ability.ABSTAIN, Ability.ASK_BACK, Ability.FORGET}


def _denied(view: View) -> Outcome:
    """Return what came of a conversation in which nothing is wrong: it is right, unless she denies what she was shown.

    Whoever says nothing of the matter leaves out what is to be left out, too.
    """
    facts = view.scenario.facts
    if view.scenario.ability is Ability.APPLY and admits(view.reply, facts[0].ask, view.phrases.admissions):
        return Outcome(Failure.LOOKED_AND_DID_NOT_USE, "the reply denies what Ada was shown", view.reply)
    return Outcome(None)


def _questions_of(sample: Sample) -> Sample:
    """Return a sample with the user's messages alone, each with a plain reply."""
    plain = (SavedTurn("", "I see."),)
    return Sample(sample.system, tuple(SavedExchange(exchange.question, plain) for exchange in sample.exchanges))


def _outcome(problem: Problem, failure: Failure | None) -> Outcome:
    if problem.reason in BLAMELESS:
        return Outcome(None, problem.reason, problem.detail, problem.quote, is_void=True)
    # Where a rule has become stricter and nobody has said for what it stands, its stage says enough.
    return Outcome(failure or _OF_STAGE[problem.stage], problem.reason, problem.detail, problem.quote)


_OF_STAGE = dict.fromkeys(Stage, Failure.FORM) | {
    Stage.EFFECT: Failure.LOOKED_AND_DID_NOT_USE,
    Stage.NOTES: Failure.WROTE_WRONGLY,
    Stage.KNOWLEDGE: Failure.INVENTED,
}


def _failure(problem: Problem, view: View) -> Failure | None:
    """Return for what a problem stands, by what else is known of the conversation."""
    is_another = _OTHERWISE.get(problem.reason)
    return (is_another(problem, view) if is_another else None) or FAILURES.get(problem.reason)


def _not_in_memory(problem: Problem, view: View) -> Failure | None:
    return Failure.WROTE_WRONGLY if _wrote_something_of(problem.detail, view) else None


def _no_page(_problem: Problem, view: View) -> Failure | None:
    return Failure.WROTE_WRONGLY if view.new_on("diary") else None


def _twice(_problem: Problem, view: View) -> Failure | None:
    is_known = any(notes_that_hold(fact, view.before) for fact in view.scenario.facts)
    return Failure.DID_NOT_LOOK if is_known and not view.has_looked("memory") else None


def _given_for_another(_problem: Problem, view: View) -> Failure | None:
    return Failure.INVENTED if view.scenario.ability is Ability.ABSTAIN else None


def _never_looked(_problem: Problem, view: View) -> Failure | None:
    return Failure.INVENTED if made_up(view) else None


def _not_told(_problem: Problem, view: View) -> Failure | None:
    facts = view.scenario.facts
    if view.is_english and claimed(view, " ".join(f"{fact.ask} {' '.join(fact.cues)}" for fact in facts)):
        return Failure.INVENTED
    has_seen = view.scenario.form is Form.SAID_ABOVE or all(view.has_looked(fact.shelf) for fact in facts)
    return None if has_seen else Failure.DID_NOT_LOOK


_OTHERWISE: Mapping[str, Callable[[Problem, View], Failure | None]] = {
    NOT_IN_MEMORY: _not_in_memory,
    NO_PAGE: _no_page,
    **dict.fromkeys(TWICE, _twice),
    GIVEN_FOR_ANOTHER: _given_for_another,
    NEVER_LOOKED: _never_looked,
    NOT_TOLD: _not_told,
}
"""What else a reason can stand for; None where it stands for what `FAILURES` says."""


def _wrote_something_of(tell: str, view: View) -> bool:
    """Tell whether a new note speaks of what was told, and so has another value for it."""
    told = [fact for fact in view.scenario.facts if fact.tell == tell]
    others = [fact for fact in view.scenario.facts if fact.tell != tell]
    return any(
        holds(note.text, fact.cues) and not any(holds(note.text, other.forms) for other in others)
        for fact in told
        for note in view.new_on(fact.shelf)
    )
