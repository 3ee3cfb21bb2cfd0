"""The user asks for what Ada has written down: facts (`recall`, `connect`) and pages (`diary_recall`)."""

from __future__ import annotations

from collections.abc import Iterator

from apep_datagen.core.words import holds, words
from apep_datagen.language.common import telling
from apep_datagen.language.content import content
from apep_datagen.language.quotation import own_words
from apep_datagen.language.spans import first_span
from apep_datagen.language.values import tells
from apep_datagen.people.scenario import Fact, Form
from apep_datagen.people.story import notes_that_hold
from apep_datagen.quality.admissions import admits
from apep_datagen.quality.effect.near_misses import told_as_present, told_for_it
from apep_datagen.quality.effect.standing_by import stood_by
from apep_datagen.quality.effect.view import View, given_away, problem_of, quote_of
from apep_datagen.quality.problem import Problem

__all__ = ["NOT_TOLD", "check"]

NOT_TOLD = "the reply does not tell what was asked for"

# So many of a page's telling words come up where it is told of.
_TOLD_WORDS = 2
# Of the pages that a capable model told of when nobody asked for its own words, more than half stood in the reply word
# for word, pronouns apart. Who tells of a page in words of their own quotes a phrase or two.
_MOST_RECITED = 1 / 3


def check(view: View) -> Problem | None:
    """What was asked about was looked up and told, as what it is, and the user had not said it."""
    for fact in view.scenario.facts:
        if problem := _told_above(view, fact) if view.scenario.form is Form.SAID_ABOVE else given_away(view, fact):
            return problem
        is_told = _tells_of_page(view, fact) if fact.shelf == "diary" else tells(view.reply, fact.forms, (fact.ask,))
        if not is_told:
            return problem_of(NOT_TOLD, f"{fact.ask}: {fact.value}")
        if view.scenario.form is not Form.SAID_ABOVE and not tells(view.results, fact.forms):
            return problem_of("what was asked for was told without looking it up", f"{fact.ask}: {fact.value}")
        if problem := _mistaken(view, fact) or _disowned(view, fact) or _recited(view, fact):
            return problem
    return None


def _told_above(view: View, fact: Fact) -> Problem | None:
    """Find that the user did not tell it before they asked, or tells it again as they ask."""
    if not tells("\n".join(exchange.question for exchange in view.above), fact.forms):
        return problem_of("the user's message does not tell what was planned", f"{fact.tell} ({fact.slot})")
    return given_away(view, fact)


def _mistaken(view: View, fact: Fact) -> Problem | None:
    """Find something else, or what was so before, told as what was asked for."""
    if fact.shelf == "diary":
        return None
    if found := told_for_it(view, _replies_up_to_answer(view, fact), fact):
        other, quote = found
        return problem_of("the reply gives something else for what was asked", f"{fact.ask}: {other.value}", quote)
    for earlier in view.scenario.earlier:
        if quote := told_as_present(view.reply, earlier, fact):
            return problem_of("an earlier state is told as the present one", f"{fact.ask}: {earlier.value}", quote)
    return None


def _disowned(view: View, fact: Fact) -> Problem | None:
    """Find that what was asked for is in the reply, but not as what she says that it is."""
    replies = (exchange.reply for exchange in view.exchanges)
    if fact.shelf == "diary" or not view.is_english or stood_by(replies, fact.forms, fact.ask):
        return None
    return problem_of(NOT_TOLD, f"{fact.ask}: {fact.value}", quote_of(view.reply, fact.forms))


def _replies_up_to_answer(view: View, fact: Fact) -> Iterator[str]:
    """Yield what she says until she has told the fact: after that all know what a near miss is."""
    for exchange in view.exchanges:
        yield exchange.reply
        if tells(exchange.reply, fact.forms, (fact.ask,)):
            return


def _tells_of_page(view: View, fact: Fact) -> bool:
    """Tell whether the reply is about the page; saying that it is not there is, if something of it is told besides.

    What a page is about stands in the question too. So a reply that denies it has to have something that does not.
    """
    pages = telling(*(note.text for note in notes_that_hold(fact, view.before)))
    told = (pages - content(view.question, fact.ask)) & content(view.reply)
    # A moment's forms are everyday words: what is like one of them ("breaths", "meter") may be said by chance.
    if not holds(view.reply, fact.forms):
        return view.scenario.form is Form.RETOLD and len(told) > _TOLD_WORDS
    # What a page is about may itself be a denial: "the man she did not marry".
    span = first_span(view.reply, fact.forms)
    besides = f"{span.before} {span.after}" if span else view.reply
    return not admits(besides, fact.ask, view.phrases.admissions) or len(told) >= _TOLD_WORDS


def _recited(view: View, fact: Fact) -> Problem | None:
    """Find a page that is read aloud where it was to be told of in her own words."""
    if view.scenario.form is not Form.RETOLD or fact.shelf != "diary":
        return None
    for page in notes_that_hold(fact, view.before):
        quoted = own_words(view.reply, [page.text]).quoted
        if quoted > _MOST_RECITED * len(words(page.text)):
            detail = f"{quoted} words of {len(words(page.text))}: {page.text}"
            return problem_of("a page was read aloud that was to be told of", detail, view.exchanges[0].turns[-1].reply)
    return None
