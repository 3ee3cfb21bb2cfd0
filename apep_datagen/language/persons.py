"""Who is spoken of in a text, and as whom: the speaker as I, somebody spoken to as you, others as they, he or she."""

from __future__ import annotations

import enum
import re
from functools import lru_cache
from itertools import takewhile

from apep_datagen.core.words import words
from apep_datagen.language.content import is_function_word, stem

__all__ = ["FORMS", "Person", "owned", "persons", "said_of"]


class Person(enum.Enum):
    """A person of grammar; the third ones apart, as English has them."""

    FIRST = "I"
    SECOND = "you"
    THEY = "they"
    HE_OR_SHE = "he or she"


FORMS = {
    Person.FIRST: frozenset(words("i im ill id ive me my mine myself")),
    Person.SECOND: frozenset(words("you youre youll youd youve your yours yourself yourselves")),
    Person.THEY: frozenset(words("they theyre theyll theyd theyve them their theirs themselves themself")),
    Person.HE_OR_SHE: frozenset(words("he hes hed him his himself she shes her hers herself")),
}
"""The pronouns of each, as `core.words.words` spells them."""
_PERSONS = {form: person for person, forms in FORMS.items() for form in forms}
_POSSESSIVE = frozenset(words("my your their his her"))
# "You know", "mind you" and "thank you" are said to nobody.
_BEHIND_NOBODY = frozenset(words("know see"))
_BEFORE_NOBODY = frozenset(words("mind thank"))
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|«[^»]*»|(?<!\w)[‘'][^‘’'\n]*(?:[’']\w[^‘’'\n]*)*[’'](?!\w)")  # noqa: RUF001 - as typeset
_FURTHEST = 3


@lru_cache(maxsize=256)
def _said(text: str) -> list[str]:
    """Return the words of a text that it does not quote."""
    return words(_QUOTED.sub(" ", text))


@lru_cache(maxsize=256)
def persons(text: str) -> frozenset[Person]:
    """Return who is spoken of outside quotations; "you know" speaks of nobody."""
    said = _said(text)
    return frozenset(person for place, word in enumerate(said) if (person := _person(said, place, word)) is not None)


@lru_cache(maxsize=256)
def said_of(text: str) -> frozenset[tuple[Person, str]]:
    """Return what is said of whom outside quotations: (they, `tell`) of "they've told me", (I, `page`) of "my page".

    That is the stem of the next word that is no function word, among the three that follow.
    """
    said = _said(text)
    found: set[tuple[Person, str]] = set()
    for place, word in enumerate(said):
        person = _person(said, place, word)
        if person is None:
            continue
        for following in said[place + 1 : place + 1 + _FURTHEST]:
            if following in _PERSONS:
                break
            if not is_function_word(following):
                found.add((person, stem(following)))
                break
    return frozenset(found)


@lru_cache(maxsize=256)
def owned(text: str) -> frozenset[tuple[Person, tuple[str, ...]]]:
    """Return what is said to be whose outside quotations: (they, (`old`, `sister`)) of "their old sister".

    That is the stems of the content words behind the possessive, two at the most.
    """
    said = _said(text)
    found: set[tuple[Person, tuple[str, ...]]] = set()
    for place, word in enumerate(said):
        if word in _POSSESSIVE:
            following = takewhile(lambda other: not is_function_word(other), said[place + 1 : place + 3])
            things = tuple(map(stem, following))
            found |= {(_PERSONS[word], things)} if things else set()
    return frozenset(found)


def _person(said: list[str], place: int, word: str) -> Person | None:
    person = _PERSONS.get(word)
    if word == "you" and (
        (place and said[place - 1] in _BEFORE_NOBODY) or (place + 1 < len(said) and said[place + 1] in _BEHIND_NOBODY)
    ):
        return None
    return person
