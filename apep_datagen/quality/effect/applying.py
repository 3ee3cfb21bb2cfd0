"""Nobody asks, and memory helps all the same: what Ada knows is respected in what she says, or used."""

from __future__ import annotations

from apep_datagen.language.avoidance import not_left_out
from apep_datagen.language.common import telling
from apep_datagen.language.content import content
from apep_datagen.language.values import tells
from apep_datagen.people.scenario import Fact, Form
from apep_datagen.people.story import notes_that_hold
from apep_datagen.quality.effect.standing_by import only_rejected
from apep_datagen.quality.effect.view import View, given_away, problem_of
from apep_datagen.quality.problem import Problem

__all__ = ["check"]


def check(view: View) -> Problem | None:
    """She looked up what the user did not say, and it shows in the reply."""
    for fact in view.scenario.facts:
        if problem := given_away(view, fact):
            return problem
        if not tells(view.results, fact.forms):
            return problem_of("Ada did not look up what would have helped", f"{fact.tell} ({fact.slot})")
        if problem := _avoided(view, fact) if view.scenario.form is Form.AVOID else _used(view, fact):
            return problem
    return None


def _avoided(view: View, fact: Fact) -> Problem | None:
    """Find what was to be avoided in the reply, other than left out; or that nobody thought of it."""
    if quote := not_left_out(view.reply, fact.forms) if view.is_english else "":
        return problem_of("the reply holds what was to be avoided", f"{fact.value}: {quote}", quote)
    if not (tells(view.reply, fact.forms) or _is_thought_of(view, fact)):
        return problem_of("Ada did not heed what she had looked up", f"{fact.tell} ({fact.slot})")
    return None


def _used(view: View, fact: Fact) -> Problem | None:
    """Find that the reply neither says the fact nor speaks of what she thought of because of it; or rejects it."""
    if view.is_english and only_rejected(view.reply, fact.forms):
        return problem_of("Ada did not heed what she had looked up", f"{fact.tell} ({fact.slot})", view.reply)
    # "Asterix by your bed" is enough of "Asterix the Gaul".
    if tells(view.reply, fact.forms) or not telling(fact.value).isdisjoint(content(view.reply) - content(view.said)):
        return None
    notes = (note.text for note in notes_that_hold(fact, view.before))
    about = telling(*fact.cues, fact.tell, *notes) - content(view.said)
    if _is_thought_of(view, fact) and not about.isdisjoint(content(view.reply)):
        return None
    return problem_of("Ada did not heed what she had looked up", f"{fact.tell} ({fact.slot})")


def _is_thought_of(view: View, fact: Fact) -> bool:
    """Tell whether a thought has the fact in it; of who does not think aloud, nobody can say that she did not."""
    if not any(view.thoughts):
        return True
    # "A swing they will not want" is enough of "hanging up a swing".
    its_own = telling(fact.value) - content(view.said)
    return any(tells(thought, fact.forms) or not its_own.isdisjoint(content(thought)) for thought in view.thoughts)
