"""Whether a thought reads as somebody's own already, so that nothing is gained by having it rewritten.

Told by its build, and in doubt it does not: a rewrite too many costs a request, one too few an analysis in the data.
"""

from __future__ import annotations

import re

from apep_datagen.core.words import words
from apep_datagen.language.content import is_english, sentences, stem
from apep_datagen.language.persons import Person, persons

__all__ = ["is_own_voice"]

_MOST_WORDS = 90
_LONGEST_FRAGMENT = 10
_LEAST_PLANNED = 2

# Lists, headings, emphasis, code, names of tools, placeholders: nobody thinks in them.
_MARKUP = re.compile(r"[_*#`<>{}\[\]|=\n]|\A[-–•]\s|(?:\A|[.:;]\s)\(?\d[.)]\s")  # noqa: RUF001 - dashes
# "User's mood: tired. Plan: look it up." One may be a person's own: "And tomorrow: I don't know what it is."
_LABEL = re.compile(r"(?:^|[.!?;]\s)(?:[\w'’/-]+ ){0,3}[\w'’/-]+:\s")  # noqa: RUF001 - as typeset
_MOST_LABELS = 1
_ORDER = re.compile(
    r"(?:^|[.!?;,]\s|\band )(?:first(?:ly)?|second(?:ly)?|third(?:ly)?|next|finally|lastly),?\s", re.IGNORECASE
)
_MOST_IN_ORDER = 1

# Whoever speaks of the first of these looks on from outside; the others are done to a case and said of it, where people
# answer, comfort and laugh.
_OF_A_CASE = frozenset(
    stem(word)
    for word in words("""
        user users user's assistant ada ada's persona chatbot prompt query request input output response tool function
        instruction guideline context interaction conversation dialogue task
        acknowledge respond provide ensure validate address express convey indicate engage empathize empathetic
        empathetically empathy supportive appropriate appropriately relevant additionally furthermore therefore thus
        overall utilize emphasize clarify inquire reassure highlight demonstrate
    """)
)
_DUTIES = re.compile(
    r"\W*(?:(?:so|and|then|now|but) )?"
    r"(?:i(?:['’]ll| will| should| must| need to| have to| am going to)|let me|my plan)\b",  # noqa: RUF001 - as typeset
    re.IGNORECASE,
)


def is_own_voice(thought: str) -> bool:
    """Tell whether a thought reads as a person's own: no list, plan or analysis, and she says "I" or is curt.

    Args:
        thought: What stands between the think tags; never in another language than English.
    """
    said = words(thought)
    if not said or len(said) > _MOST_WORDS or not is_english(thought) or _MARKUP.search(thought):
        return False
    if len(_LABEL.findall(thought)) > _MOST_LABELS or len(_ORDER.findall(thought)) > _MOST_IN_ORDER:
        return False
    if not _OF_A_CASE.isdisjoint(map(stem, said)) or Person.SECOND in persons(thought):
        return False
    return _is_hers(thought, len(said)) and not _is_plan(thought)


def _is_hers(thought: str, length: int) -> bool:
    """Tell whether she speaks as herself, or in fragments, which nobody writes of a case."""
    return Person.FIRST in persons(thought) or length <= _LONGEST_FRAGMENT * len(sentences(thought))


def _is_plan(thought: str) -> bool:
    """Tell whether most of it says what is to be done, one step after the other."""
    parts = sentences(thought)
    planned = sum(_DUTIES.match(part) is not None for part in parts)
    return planned >= _LEAST_PLANNED and 2 * planned > len(parts)
