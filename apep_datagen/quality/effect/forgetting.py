"""The user asks Ada to forget something."""

from __future__ import annotations

from apep_datagen.core.notebook import Note
from apep_datagen.core.words import holds
from apep_datagen.people.scenario import Fact, Form
from apep_datagen.people.story import notes_still_saying, notes_that_hold
from apep_datagen.quality.admissions import admits, claims_deletion
from apep_datagen.quality.effect.view import View, problem_of
from apep_datagen.quality.problem import Problem

__all__ = ["check", "still_saying"]


def check(view: View) -> Problem | None:
    """What was asked is gone, and was not written elsewhere; what was never kept, she says so.

    That the rest is still there is asked of every conversation (`memory`).
    """
    if view.scenario.form is Form.NEVER_KEPT:
        return _never_kept(view)
    for fact in view.scenario.facts:
        if left := still_saying(fact, view):
            return problem_of("what was to be forgotten is still in memory", left[0].text, left[0].text)
        for note in view.new_on("diary"):
            if holds(note.text, fact.forms):
                return problem_of("what was to be forgotten was written into the diary", note.text, note.text)
    return None


def still_saying(fact: Fact, view: View) -> list[Note]:
    """Return the notes that still say a fact which was to go."""
    # Where no note spoke of it in words that are known, any that holds the value counts.
    if not notes_still_saying(fact, view.before):
        return notes_that_hold(fact, view.after)
    new = view.new_on(fact.shelf)
    return notes_still_saying(fact, view.after) + [note for note in new if holds(note.text, fact.forms)]


def _never_kept(view: View) -> Problem | None:
    if not view.has_looked("memory"):
        return problem_of("Ada did not look what she has of it", view.reply, view.turns[-1].reply)
    if not view.is_english:
        return None
    asked = " ".join(f"{fact.ask} {' '.join(fact.cues)}" for fact in view.scenario.facts)
    claimed = claims_deletion(view.reply)
    # "There is nothing of it, so it's gone already."
    before = view.reply.partition(claimed)[0] if claimed else view.reply
    if not admits(before, asked, view.phrases.admissions):
        return problem_of(
            "the reply does not say that there is nothing of it", view.reply, claimed or view.turns[-1].reply
        )
    return None
