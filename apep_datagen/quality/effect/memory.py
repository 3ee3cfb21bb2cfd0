"""What holds for every ability: what was known is still there, only what was spoken of is gone, nothing is there twice.

What stands in a note that was not touched is still known. So only the notes that are gone, and the new ones, are looked
at: a conversation costs the same with sixty notes as with two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from apep_datagen.core.notebook import SHELVES, Note, ShelfName
from apep_datagen.core.words import holds
from apep_datagen.language.common import telling
from apep_datagen.language.content import content
from apep_datagen.people.scenario import TELLING, Ability, Fact, Form
from apep_datagen.people.story import notes_that_hold
from apep_datagen.quality.effect.view import View, is_kept, problem_of
from apep_datagen.quality.problem import Problem

__all__ = ["check", "stored_again"]

_LEAVING = frozenset({Ability.UPDATE, Ability.FORGET})
_NOTHING_LEAVES = frozenset({Form.OLD_MISSING, Form.NEVER_KEPT})
# A note that says so much beside a fact says something else of it: that the dog is ill, not that it is called Bello.
_MOST_BESIDES = 1


def check(view: View) -> Problem | None:
    """Return what is wrong with memory and diary after a conversation, whatever it was about, or None."""
    return _lost(view) or _deleted(view) or _twice(view)


def stored_again(view: View, fact: Fact) -> Note | None:
    """Return a new note that says a fact which older notes say as well, and nothing that these do not; or None."""
    new = [note for note in view.new_on(fact.shelf) if holds(note.text, fact.forms)]
    old = [note for note in view.after.on(fact.shelf) if note not in new and holds(note.text, fact.forms)]
    known = telling(fact.tell, fact.ask, *fact.forms, *fact.cues, *(note.text for note in old))
    return next((note for note in new if old and len(telling(note.text) - known) <= _MOST_BESIDES), None)


def _lost(view: View) -> Problem | None:
    for shelf in SHELVES:
        removed = view.gone_from(shelf)
        if not removed:
            continue
        for fact, may_be_replaced in _staying(view):
            if fact.shelf != shelf or not is_kept(fact, removed) or is_kept(fact, view.after.on(shelf)):
                continue
            if not (may_be_replaced and _is_replaced(fact, view)):
                return problem_of("a fact that was known is gone from memory", fact.tell)
    return None


def _staying(view: View) -> Iterator[tuple[Fact, bool]]:
    """Yield what has to be there still, each with whether the user may have said that it is another now."""
    scenario = view.scenario
    leaving = {fact.slot for fact in scenario.facts} if scenario.ability in _LEAVING else set()
    yield from ((fact, True) for fact in view.change.known if fact.slot not in leaving)
    yield from ((fact, True) for fact in scenario.facts if scenario.ability is Ability.ASK_BACK)
    # What is said of the thing itself is not said of what is mistaken for it; but all about a person is all of it.
    of_person = _of_the_person(view) if scenario.form is Form.PERSON else None
    for fact in scenario.beside:
        if of_person is None or not all(of_person.search(note.text) for note in notes_that_hold(fact, view.before)):
            yield fact, False


def _of_the_person(view: View) -> re.Pattern[str] | None:
    """Return by what a note is about the person of whom all is to go: "the user's mother", and not her mother's sister.

    What all facts have among their cues is the person's name, or what they are called; before it may stand what stands
    there as the user speaks of them: "my old school friend".
    """
    facts = view.scenario.facts
    cues = [set(fact.cues) for fact in facts]
    names = "|".join(re.escape(cue) for cue in set.intersection(*cues)) if cues else ""
    if not names:
        return None
    before = "|".join(
        {word for fact in facts for word in re.findall(rf"(\w+) (?:{names})\b", f"{fact.tell} {fact.ask}")}
    )
    return re.compile(rf"\b(?:user's|their) (?:(?:{before}) )?(?:{names})\b(?!['’]s)", re.IGNORECASE)  # noqa: RUF001


def _is_replaced(fact: Fact, view: View) -> bool:
    """Tell whether the user spoke of the slot and a new note does: then it is another now, though nobody planned it.

    By words that speak of it, and not as well of what was planned: who tells that the sister has moved does not tell
    that she may eat nuts.
    """
    planned = {cue for other in view.scenario.facts if other.slot != fact.slot for cue in other.cues}
    cues = tuple(cue for cue in fact.cues if cue not in planned)
    return holds(view.said, cues) and any(holds(note.text, cues) for note in view.new_on("memory"))


def _deleted(view: View) -> Problem | None:
    """Find a note that is gone though nobody spoke of what it says, and no new one says it."""
    scenario = view.scenario
    if scenario.form is None:
        return None  # an earlier version let it pass
    for shelf in SHELVES:
        for note in view.gone_from(shelf):
            if scenario.form in _NOTHING_LEAVES or not _is_spoken_of(note, shelf, view):
                return problem_of("a note was deleted that had nothing to do with it", note.text, note.text)
    return None


def _is_spoken_of(note: Note, shelf: ShelfName, view: View) -> bool:
    scenario = view.scenario
    planned = (*scenario.facts, *scenario.earlier, *((scenario.replaced,) if scenario.replaced else ()))
    if any(holds(note.text, (*fact.forms, *fact.cues)) for fact in planned):
        return True
    about = telling(note.text)
    if not about.isdisjoint(telling(view.said)):
        return True
    rewritten = telling(*(new.text for new in view.new_on(shelf)))
    return 2 * len(about & rewritten) > len(about)


def _twice(view: View) -> Problem | None:
    scenario = view.scenario
    is_told = scenario.ability in TELLING or scenario.form is Form.SAID_ABOVE
    told = [fact for fact in scenario.facts if fact.shelf == "memory" and is_told]
    slots = {fact.slot for fact in scenario.facts} if scenario.ability in _LEAVING else set()
    for fact in (*(known for known in view.change.known if known.slot not in slots), *told):
        if not any(holds(note.text, fact.forms) for note in view.new_on(fact.shelf)):
            continue
        stating = [note for note in notes_that_hold(fact, view.after) if _states(note, fact)]
        if len(stating) > 1 and len(stating) > len(notes_that_hold(fact, view.before)):
            return problem_of("a fact is in memory twice", fact.tell, stating[-1].text)
    return None


def _states(note: Note, fact: Fact) -> bool:
    """Tell whether a note says the fact, and little else."""
    besides = telling(note.text) - content(fact.tell, fact.ask, *fact.forms, *fact.cues)
    return holds(note.text, fact.cues) and len(besides) <= _MOST_BESIDES
