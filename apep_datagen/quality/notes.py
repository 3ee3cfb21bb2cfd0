"""The stage `notes`: what Ada stored about the user can be understood by itself, once, and one fact a note.

Only her memory is looked at, and of it what she wrote in this conversation: her diary is her own voice, in which "I",
"today" and "it" are right. What can be told of planned facts alone, `effect` has found before.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Iterator, Sequence

from apep_datagen.core.notebook import Note
from apep_datagen.core.tags import escape_tags
from apep_datagen.core.words import ISO_DAY, holds, words
from apep_datagen.language.content import content, content_list, stem, without_stops_of_titles
from apep_datagen.language.moments.names import MONTHS, WEEKDAYS
from apep_datagen.language.negation import NEGATED_AUXILIARIES
from apep_datagen.language.pointing import pointing_nowhere, speaking_as_somebody, speaking_to_somebody
from apep_datagen.language.values import saying
from apep_datagen.people.scenario import Ability, Fact, Scenario
from apep_datagen.people.story import Change, Holding, notes_that_hold
from apep_datagen.people.vocabulary import coming_day
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample

__all__ = ["check"]


def check(sample: Sample, scenario: Scenario, change: Change) -> Problem | None:
    """Check the notes that were stored in a conversation.

    Args:
        sample: The conversation.
        scenario: What it was to be about.
        change: What was known, and what it has changed.
    """
    told = "\n".join(exchange.question for exchange in sample.exchanges)
    new = [note.text for note in change.added("memory")]
    planned = [fact for fact in scenario.facts if fact.shelf == "memory"]
    return (
        _not_understood(new, told, planned)
        or _stored_twice(new, change, planned)
        or _two_in_one(new, planned)
        or _of_another_year(change.added("memory"), told, planned)
        or _lost_with_another(scenario, change, told)
    )


def _problem(reason: str, note: str, words_of_it: str = "") -> Problem:
    return Problem(Stage.NOTES, reason, note, _as_written(words_of_it or note))


def _as_written(text: str) -> str:
    """Return words of a note as they stand in the call that stored it."""
    return escape_tags(json.dumps(text, ensure_ascii=False)[1:-1])


# --------------------------------------------------------------------------- a note that cannot be understood by itself


def _not_understood(new: Iterable[str], told: str, planned: Sequence[Fact]) -> Problem | None:
    for note in new:
        if found := pointing_nowhere(note, told) or _value_alone(note, planned):
            return _problem("a note cannot be understood by itself", note, found)
        if found := speaking_to_somebody(note):
            return _problem("a note about the user speaks to somebody", note, found)
        if found := speaking_as_somebody(note, told):
            return _problem("a note about the user speaks as the user", note, found)
    return None


def _value_alone(note: str, planned: Sequence[Fact]) -> str:
    """Return a note that holds a planned value and nothing that says what has it ("Green now"), or an empty text."""
    for fact in planned:
        if holds(note, fact.forms) and "user" not in words(note):
            values = {word for form in fact.forms for word in words(form)}
            if not holds(note, fact.cues) and not content_list(_without(note, values)):
                return note
    return ""


def _without(text: str, left_out: Iterable[str]) -> str:
    gone = set(left_out)
    return " ".join(word for word in words(text) if word not in gone)


# ----------------------------------------------------------------------------------------- a note that is there already

# What names a thing, or has it, says nothing beside the thing; nor does whose memory it is.
_CARRYING_NOTHING = frozenset(
    map(stem, words("user users called call calls named name names lives live living own owns"))
)
# Words that hold sentences together, and yet turn what they say round.
_TURNING = frozenset(
    words("""
    not no never none neither nor nobody nothing without before after until since more most less least few fewer only
    other another above below over under inside outside he him his she her hers but except against
    """)
)
_NOT = NEGATED_AUXILIARIES | {"not"}


def _stored_twice(new: Sequence[str], change: Change, planned: Sequence[Fact]) -> Problem | None:
    """Find a new note that says what another one says that is there with it."""
    others = change.after.memory
    facts = [*planned, *(fact for fact in change.known if fact.shelf == "memory")]
    places = {note.text: place for place, note in enumerate(others)}
    for text in new:
        # Who says the same has words in common with it, or says the same fact in other words.
        stated = [fact for fact in facts if holds(text, fact.forms) and holds(text, fact.cues)]
        said = _statement(text, stated)
        about = content(text)
        for other, note in enumerate(others):
            if other == places[text] or not any(said):
                continue
            is_like = not about.isdisjoint(content(note.text)) or any(holds(note.text, fact.forms) for fact in stated)
            if is_like and _statement(note.text, stated) == said:
                return _problem("a note says what another one says already", f"{text} / {note.text}", text)
    return None


def _statement(text: str, facts: Iterable[Fact]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the content of a note, a fact for its value and cues, and the words that turn round what it says."""
    found = words(text)
    stated = set(content(text))
    for fact in facts:
        if holds(text, fact.forms) and holds(text, fact.cues):
            stated -= {stem(word) for phrase in (*fact.forms, *fact.cues) for word in words(phrase)}
            stated.add(f"{fact.slot}: {fact.value}")
    turning = {"not" if word in _NOT else word for word in found if word in _TURNING or word in _NOT}
    return frozenset(stated - _CARRYING_NOTHING), frozenset(turning)


# ----------------------------------------------------------------------------------------------------- two facts in one


def _two_in_one(new: Iterable[str], planned: Sequence[Fact]) -> Problem | None:
    """Find a new note that holds two of the facts that were told."""
    for note in new:
        if len({fact.slot for fact in planned if saying(note, fact.forms, (fact.ask, *fact.cues))}) > 1:
            return _problem("a note holds two facts", note)
    return None


# ------------------------------------------------------------------------------------------------------- a wrong year


def _of_another_year(new: Iterable[Note], told: str, planned: Sequence[Fact]) -> Problem | None:
    """Find a day that was told, in a note with a year that nobody said and in which it does not come next."""
    for note in new:
        today = datetime.date.fromisoformat(note.date)
        coming = [day for fact in planned if (day := coming_day(fact.value, today))]
        for match in ISO_DAY.finditer(note.text):
            is_told = any((day.month, day.day) == (int(match[2]), int(match[3])) for day in coming)
            if is_told and match[0] not in map(str, coming) and not holds(told, (match[1],)):
                return _problem("a note gives a day another year than it has", note.text, match[0])
    return None


# --------------------------------------------------------------------------------------------------- lost with another

_CLAUSE_END = re.compile(r"[.;:!?](?=\s|\Z)|, | - |\b(?:and|but|while)\b")
# A clause that has a subject of its own. "Who", "which" and "they" go on telling of what stands before them.
_OF_ITS_OWN = re.compile(r"\s*(?:also |the user\b|their\b|[A-Z])")
_OWN_NAME = re.compile(r"(?<=[a-z',] )[A-Z]\w+|\b(?!(?:19|20)\d\d\b)\d{3,}\b|\b\d+:\d\d\b")


def _lost_with_another(scenario: Scenario, change: Change, told: str) -> Problem | None:
    """Find what was in one note with a fact that had to go, was not to go, and is nowhere any more.

    Only a clause counts that has a subject, and a name or a number, of its own: what describes the fact goes with it.
    One that tells a fact which is there still, in whatever words, is not lost.
    """
    leaving = _leaving(scenario)
    gone = {form for fact in leaving for form in fact.forms}
    is_there = Holding(change.after)
    there = tuple(form for fact in change.known if fact not in leaving and is_there(fact) for form in fact.forms)
    for fact in leaving:
        kept = " ".join(note.text for note in change.after.memory)
        for note in notes_that_hold(fact, change.before):
            for name in _names_beside(note, leaving, there):
                # Of several facts that have to go, each is beside the others.
                if not any(holds(text, (name,)) for text in (kept, told, *gone)):
                    quote = note.text if _as_written(note.text) == note.text else name
                    detail = f"{note.text} ({name})"
                    return Problem(Stage.NOTES, "a fact is lost with another one that shared its note", detail, quote)
    return None


def _leaving(scenario: Scenario) -> tuple[Fact, ...]:
    if scenario.ability is Ability.FORGET:
        return tuple(fact for fact in scenario.facts if fact.shelf == "memory")
    return (scenario.replaced,) if scenario.replaced is not None else ()


def _names_beside(note: Note, leaving: Sequence[Fact], there: tuple[str, ...]) -> Iterator[str]:
    """Yield the names and numbers in the clauses of a note that neither hold what leaves nor speak of its slots.

    Nor those in a clause with one of the values that are `there` still.
    """
    text = without_stops_of_titles(note.text)
    gone = (*there, *(form for fact in leaving for form in (*fact.forms, *fact.cues)))
    for part in _CLAUSE_END.split(text):
        if _OF_ITS_OWN.match(part) and not holds(part, gone):
            yield from (name for name in _OWN_NAME.findall(part) if name.casefold() not in {*WEEKDAYS, *MONTHS})
