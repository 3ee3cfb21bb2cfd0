"""The user asks for something: Ada tells that, and does not read out what else is in her notes, for them to find it."""

from __future__ import annotations

from apep_datagen.core.notebook import SHELVES, Note
from apep_datagen.core.words import holds
from apep_datagen.language.common import telling
from apep_datagen.language.content import content, content_list, stem
from apep_datagen.people.scenario import ASKING, Ability
from apep_datagen.quality.effect.view import View, problem_of
from apep_datagen.quality.problem import Problem

__all__ = ["check"]

_LOOKING_UP = ASKING | {Ability.ABSTAIN, Ability.ASK_BACK}
# In 230 conversations of capable models no reply has more than one of all the notes that were shown, word for word.
_MOST_READ_OUT = 2
# So many words of content make a quotation, as in `language.quotation`: of fewer a note may be repeated by chance.
_CONTENT_WORDS = 3
_USER = stem("user")


def check(view: View) -> Problem | None:
    """Find several notes that nobody asked for in the reply to what was asked, each with all its words of content."""
    if view.scenario.ability not in _LOOKING_UP:
        return None
    reply = view.exchanges[0].reply
    notes = (note for shelf in SHELVES for note in view.before.on(shelf) if _stands_in(reply, note))
    read_out = [note for note in notes if not _is_asked_for(note, view)]
    if len(read_out) <= _MOST_READ_OUT:
        return None
    texts = "; ".join(note.text for note in read_out)
    return problem_of("the reply reads out notes that nobody asked for", texts, reply)


def _stands_in(reply: str, note: Note) -> bool:
    """Tell whether all words of a note that carry content stand in a reply, in a row."""
    if not content(note.text) - {_USER} <= content(reply):
        return False
    carried = _carried(note.text)
    return len(carried) >= _CONTENT_WORDS and f" {' '.join(carried)} " in f" {' '.join(_carried(reply))} "


def _carried(text: str) -> list[str]:
    """Return the stems of the words of content, in order; a note speaks of "the user" where a reply says "you"."""
    return [word for word in content_list(text) if word != _USER]


def _is_asked_for(note: Note, view: View) -> bool:
    """Tell whether a note says anything of what was planned, or of what the user spoke of."""
    scenario = view.scenario
    planned = (*scenario.facts, *scenario.beside, *scenario.earlier)
    if any(holds(note.text, (*fact.forms, *fact.cues)) for fact in planned):
        return True
    return not telling(note.text).isdisjoint(telling(view.said))
