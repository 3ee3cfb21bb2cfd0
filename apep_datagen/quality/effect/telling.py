"""The user tells something: for the first time (`share`), or that it is another now (`update`)."""

from __future__ import annotations

from collections.abc import Iterable

from apep_datagen.core.words import holds
from apep_datagen.language.values import tells
from apep_datagen.people.scenario import Fact, Form
from apep_datagen.people.story import notes_still_saying, notes_that_hold
from apep_datagen.quality.effect.forgetting import still_saying
from apep_datagen.quality.effect.memory import stored_again
from apep_datagen.quality.effect.view import View, is_kept, problem_of
from apep_datagen.quality.problem import Problem

__all__ = ["not_stored", "not_told", "share", "update"]


def share(view: View) -> Problem | None:
    """Each planned fact was told and is in memory, once; or it is not worth keeping, and is nowhere."""
    facts = view.scenario.facts
    if problem := not_told(view, facts):
        return problem
    match view.scenario.form:
        case Form.PASSING:
            return _kept_in_passing(view)
        case Form.KNOWN_ALREADY:
            return not_stored(view, facts) or _stored_again(view)
        case Form.MAYBE_TOLD:
            return not_stored(view, facts) or _stored_blindly(view) or _stored_again(view)
    return not_stored(view, facts)


def update(view: View) -> Problem | None:
    """The new state is in memory, and the old one is not."""
    problem = not_told(view, view.scenario.facts) or not_stored(view, view.scenario.facts)
    replaced = view.scenario.replaced
    if problem is None and view.scenario.form is Form.OLD_MISSING:
        problem = _stored_blindly(view)
    if problem is None and replaced is not None and (stale := still_saying(replaced, view)):
        problem = problem_of("the old value is still in memory", stale[0].text, stale[0].text)
    return problem


def not_told(view: View, facts: Iterable[Fact]) -> Problem | None:
    """Find a planned fact that the user does not tell."""
    for fact in facts:
        if not tells(view.question, fact.forms):
            return problem_of("the user's message does not tell what was planned", f"{fact.tell} ({fact.slot})")
    return None


def not_stored(view: View, facts: Iterable[Fact]) -> Problem | None:
    """Find a planned fact that is not where Ada keeps such facts.

    What she writes now is recognised in whatever words; in sixty older notes some have words like it by chance, or the
    value of something else.
    """
    for fact in facts:
        is_known = fact in view.change.known or not fact.cues
        kept = notes_that_hold(fact, view.after) if is_known else notes_still_saying(fact, view.after)
        if not (kept or is_kept(fact, view.change.added(fact.shelf))):
            return problem_of("a fact that was told is not in memory", fact.tell)
    return None


def _stored_again(view: View) -> Problem | None:
    for fact in view.scenario.facts:
        if again := stored_again(view, fact):
            return problem_of("a fact is in memory twice", fact.tell, again.text)
    return None


def _stored_blindly(view: View) -> Problem | None:
    """Find what she stored without having looked whether she has it, or what was so before."""
    facts = view.scenario.facts
    if view.looked_before_storing(facts):
        return None
    return problem_of(
        "Ada stored it without having looked what is there already", "; ".join(fact.tell for fact in facts)
    )


def _kept_in_passing(view: View) -> Problem | None:
    """Find what was told in passing, and stored: any note about the user, where it was not planned what it would be."""
    told = [form for fact in view.scenario.facts for form in fact.forms]
    for note in (*view.new_on("memory"), *(view.new_on("diary") if told else ())):
        if not told or holds(note.text, told):
            return problem_of("what is not worth keeping was stored", note.text, note.text)
    return None
