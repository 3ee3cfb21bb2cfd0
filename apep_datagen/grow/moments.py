"""What is wrong with a moment that is worth a page of the diary: of itself, and beside those that there are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import combinations

from apep_datagen.core.words import holds, words
from apep_datagen.grow.kinds import faults_of_name
from apep_datagen.grow.texts import are_alike, faults_of_text, quoted, said_alike
from apep_datagen.language.content import content, is_function_word
from apep_datagen.people.world import Moment

__all__ = ["alike_moments", "faults_of_moment"]

_LEAST_PAGES = 2
_FEWEST_WORDS, _MOST_WORDS = 25, 110
_LONGEST_SENTENCE, _LONGEST_PAGE, _LONGEST_FORM = 180, 700, 40
_THE_USER = re.compile(r"\bthe user\b", re.IGNORECASE)


def faults_of_moment(moment: Moment) -> Iterator[str]:
    """Yield in sentences what is wrong with a moment."""
    yield from faults_of_name(moment.slot)
    for key, text in (("tell", moment.tell), ("ask", moment.ask)):
        yield from faults_of_text(key, text, _LONGEST_SENTENCE)
        if _THE_USER.search(text):
            yield f"{key} is what the user says, and speaks of the user: {quoted(text)}"
    for form in moment.forms:
        yield from faults_of_text("forms", form, _LONGEST_FORM)
        said = words(form)
        if not said or (len(said) == 1 and is_function_word(said[0])):
            yield f"the form {quoted(form)} stands in any text"
    if not holds(moment.tell, moment.forms):
        yield f"tell holds none of the forms: {quoted(moment.tell)}"
    if holds(moment.ask, moment.forms[:1]):
        yield f"ask gives the first form away: {quoted(moment.ask)}"
    yield from _faults_of_pages(moment)


def _faults_of_pages(moment: Moment) -> Iterator[str]:
    if len(moment.pages) < _LEAST_PAGES:
        yield f"there are {len(moment.pages)} pages, and {_LEAST_PAGES} are needed"
    for page in moment.pages:
        yield from faults_of_text("a page", page, _LONGEST_PAGE)
        if not _FEWEST_WORDS <= len(words(page)) <= _MOST_WORDS:
            yield f"a page has {len(words(page))} words, and {_FEWEST_WORDS} to {_MOST_WORDS} are right: {quoted(page)}"
        if not holds(page, moment.forms):
            yield f"a page without one of the forms: {quoted(page)}"
        if _THE_USER.search(page):
            yield f'a page speaks of "the user"; it says "they": {quoted(page)}'
    for first, second in combinations(moment.pages, 2):
        if said_alike(first, second):
            yield f"two pages are nearly the same: {quoted(first)}, {quoted(second)}"


def alike_moments(moment: Moment, others: Iterable[Moment]) -> Iterator[tuple[Moment, str]]:
    """Yield the moments that are nearly the same as this one, each with what shows it."""
    asked, told = content(moment.ask), content(moment.tell)
    for other in others:
        if are_alike(asked, content(other.ask)):
            yield other, "is asked for in nearly the same words"
        elif are_alike(told, content(other.tell)) or said_alike(moment.tell, other.tell):
            yield other, "is told in nearly the same words"
