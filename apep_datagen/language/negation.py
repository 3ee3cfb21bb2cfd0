"""What a text denies: negation and lack, which English says with a closed class of words."""

from __future__ import annotations

import re

from apep_datagen.core.words import words

__all__ = ["NEGATED_AUXILIARIES", "clause_texts", "is_negated", "is_negation"]

NEGATED_AUXILIARIES = frozenset(
    words("""
    dont doesnt didnt isnt arent wasnt werent hasnt havent hadnt cant cannot couldnt wont wouldnt shouldnt mustnt neednt
    mightnt oughtnt darent shant aint
    """)
)
"""Auxiliary verbs with the negation in them, as `core.words.words` spells them."""
_NEGATIONS = NEGATED_AUXILIARIES | frozenset(
    words("""
    no not none never nothing nobody nowhere neither nor nope nah without empty blank missing lacking lack
    zero hardly barely unable nada zilch nil nix naught nought unknown untold unwritten dunno silent failed bare
    unaware clueless
    """)
)
# Also at an emoji, which many write for a full stop.
_CLAUSE_END = re.compile(
    r"[,;:()—\u2600-\u27bf\U0001f000-\U0001faff]|[.!?…]+|\s[-–]\s|\n+"  # noqa: RUF001 - as typeset
    r"|\b(?:but|because|although|though|so|and|or)\b"
)


def is_negation(word: str) -> bool:
    """Tell whether a word, as `core.words.words` spells it, denies something."""
    return word in _NEGATIONS


def is_negated(text: str) -> bool:
    """Tell whether something is denied in a text."""
    return not _NEGATIONS.isdisjoint(words(text))


def clause_texts(text: str) -> list[str]:
    """Return the clauses of a text, in order: what stands between commas, dashes, "but", "and", ends of sentences."""
    return [piece for part in _CLAUSE_END.split(text) if (piece := part.strip())]
