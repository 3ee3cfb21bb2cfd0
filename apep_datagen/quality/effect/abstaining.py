"""The user asks for what Ada was never told, or has forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator

from apep_datagen.core.notebook import Note
from apep_datagen.core.words import holds, words
from apep_datagen.language.content import content, sentences
from apep_datagen.language.moments.names import MONTHS, WEEKDAYS
from apep_datagen.language.negation import clause_texts
from apep_datagen.language.persons import FORMS, Person
from apep_datagen.language.spans import Span, first_span
from apep_datagen.language.values import saying, says_what_it_is
from apep_datagen.people.scenario import Fact
from apep_datagen.quality.admissions import admits, claimed_values
from apep_datagen.quality.effect.near_misses import tells_apart, told_for_it
from apep_datagen.quality.effect.view import View, problem_of, quote_of
from apep_datagen.quality.problem import Problem

__all__ = ["check", "claimed", "made_up"]

_CLAIMED = "something that was never told is claimed"

# What a capital letter does not make a value of.
_NO_NAMES = frozenset(
    word.casefold()
    for word in (
        *WEEKDAYS,
        *MONTHS,
        *("Ada", "English", "Christmas", "Easter"),
        *("Gran", "Grandma", "Grandpa", "Granny", "Mum", "Mom", "Dad", "Aunt", "Uncle", "Mr", "Mrs", "Ms", "Dr"),
    )
)
# "I only have your brother's", "the one dentist I have is your brother's": and so not the user's own.
_NOTHING_ELSE = re.compile(
    r"\b(?:only|just|merely|all i|nothing (?:but|except|beyond)|none but|the one|the nearest|closest)\b", re.IGNORECASE
)

_OF_HERSELF = FORMS[Person.FIRST] | {"here", "there", "theres"}


def check(view: View) -> Problem | None:
    """She looked, says that she does not have it, and gives nothing for it: no invention and no near miss."""
    inventions, asked = _inventions(view), _asked(view)
    problem = _told_by_the_user(view, inventions, asked) or _not_looked(view) or made_up(view)
    if problem is None and view.is_english and not _admits(view, asked):
        problem = problem_of("the reply does not say that she was never told", view.reply, view.turns[-1].reply)
    return problem


def made_up(view: View) -> Problem | None:
    """Find what she gives for what was asked, and has not: an invention, a near miss, or another name or number."""
    asked = _asked(view)
    problem = _told(view, _inventions(view), asked)
    if problem is None and view.is_english:
        problem = claimed(view, asked)
    return problem


def _asked(view: View) -> str:
    return " ".join(f"{fact.ask} {' '.join(fact.cues)}" for fact in view.scenario.facts)


def _told_by_the_user(view: View, inventions: tuple[str, ...], asked: str) -> Problem | None:
    said = view.question_up_to_results()
    if any(saying(said, (text,), (asked,)) for text in inventions):
        return problem_of("the user's message gives the answer away", said, quote_of(said, inventions))
    return None


def _not_looked(view: View) -> Problem | None:
    scenario = view.scenario
    # An earlier version let it pass.
    if scenario.form is None or any(view.has_looked(fact.shelf) for fact in scenario.facts):
        return None
    return problem_of("Ada says that she was never told without having looked", view.reply, view.turns[-1].reply)


def _told(view: View, inventions: tuple[str, ...], asked: str) -> Problem | None:
    """Find a value that is given for what was asked: an invention, or a near miss."""
    if span := next(_invented_in(view, inventions, asked), None):
        return problem_of(_CLAIMED, span.phrase, span.quote)
    said = [*_replies_up_to_admission(view, asked), *(note.text for note in _new_notes(view))]
    for fact in view.scenario.facts:
        if found := told_for_it(view, said, fact):
            other, quote = found
            return problem_of("the reply gives something else for what was asked", f"{fact.ask}: {other.value}", quote)
    return None


def _replies_up_to_admission(view: View, asked: str) -> Iterator[str]:
    """Yield what she says until she has said that she does not have it: after that all know what a near miss is."""
    for exchange in view.exchanges:
        yield exchange.reply
        if admits(exchange.reply, asked, view.phrases.admissions):
            return


def claimed(view: View, asked: str) -> Problem | None:
    """Find a name or number that is given for what was asked and stands nowhere else; known of English.

    Args:
        view: The conversation.
        asked: Words that speak of what was asked for.
    """
    known = "\n".join((view.system, view.said, view.results, asked, *_NO_NAMES))
    if values := claimed_values(view.reply, asked, known):
        return problem_of(_CLAIMED, ", ".join(values), values[0])
    return None


def _admits(view: View, asked: str) -> bool:
    return admits(view.reply, asked, view.phrases.admissions) or _has_only_a_near_miss(view)


def _inventions(view: View) -> tuple[str, ...]:
    """Return what nobody told: what is planned so, and what was forgotten; not what stands in a note of something else.

    What the system prompt says, such as the day of the week, can be said without having been told.
    """
    scenario = view.scenario
    forgotten = (form for fact in scenario.facts for form in fact.forms)
    beside = "\n".join(form for fact in scenario.beside for form in fact.forms)
    return tuple(
        text
        for text in dict.fromkeys((*scenario.inventions, *forgotten))
        if not holds(view.system, (text,)) and not holds(beside, (text,))
    )


def _invented_in(view: View, inventions: tuple[str, ...], asked: str) -> Iterator[Span]:
    """Yield where Ada says or notes one of the values that nobody told, for what was asked."""
    said = "\n".join(exchange.question for exchange in view.above)
    for exchange in view.exchanges:
        # After she has said that she does not know, the user may tell.
        said += f"\n{exchange.question}"
        untold = tuple(text for text in inventions if not holds(said, (text,)))
        if span := _invented(exchange.reply, untold, asked, view):
            yield span
    untold = tuple(text for text in inventions if not holds(said, (text,)))
    for note in _new_notes(view):
        if span := _invented(note.text, untold, asked, view):
            yield span


def _invented(text: str, inventions: tuple[str, ...], asked: str, view: View) -> Span | None:
    """Return where a text says one of several values for what was asked, or None.

    What was looked up may be told, but not for what was asked: "I only have Herman, your cousin's baby". So may words
    that turn up anyway: "Will two minutes in the glove box find it?".
    """
    for invention in inventions:
        span = first_span(text, (invention,))
        if span is None:
            continue
        is_told_for_it = any(
            holds(clause, (invention,)) and (content(clause) & content(asked) or says_what_it_is(clause))
            for clause in clause_texts(text)
        )
        is_of_all_talk = not saying(text, (invention,), ())
        if is_told_for_it or not (is_of_all_talk or holds(view.results, (invention,))):
            return span
    return None


def _new_notes(view: View) -> list[Note]:
    return view.new_on("memory") + view.new_on("diary")


def _has_only_a_near_miss(view: View) -> bool:
    """Tell whether she says that she has nothing but a near miss, which has been found to be named as what it is."""
    limiting = [sentence for sentence in sentences(view.reply) if _NOTHING_ELSE.search(sentence)]
    return any(_names(sentence, other, view) for sentence in limiting for other in view.scenario.beside)


def _names(sentence: str, other: Fact, view: View) -> bool:
    """Tell whether a sentence names a near miss by its value, or as what she has: "I only know your brother's"."""
    if holds(sentence, other.forms):
        return True
    return not _OF_HERSELF.isdisjoint(words(sentence)) and any(
        tells_apart(view, other, fact, sentence) for fact in view.scenario.facts
    )
