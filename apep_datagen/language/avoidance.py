"""Whether a text leaves something out, or warns of it: "without sesame", "sesame-free", "I'd skip the walnuts"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import takewhile

from apep_datagen.core.words import words
from apep_datagen.language.content import sentences, stem
from apep_datagen.language.negation import clause_texts, is_negated
from apep_datagen.language.values import tells

__all__ = ["not_left_out"]

# With what one says that something is not to be there, or harms, or is not liked. English has few more.
_LEAVING_OUT = frozenset(
    stem(word)
    for word in words("""
        without free avoid avoiding skip leave left omit drop swap replace instead substitute substitution
        except minus allergic allergy allergies allergen intolerant intolerance react reaction harm poison
        danger dangerous risk careful beware watch check wary mind warn hide hidden hides lurk lurks sneak
        sneaks trace traces contain contains out off away aside rid clear ban banned forbidden taboo dislike
        hate loathe detest disagree unsafe safe spare rather refuse steer dodge worry nowhere far
    """)
)
# A clause of so few words lists one thing more: "no almonds, walnuts or pecans".
_LONGEST_ITEM = 3
_IN_COMPOUND = re.compile(r"(?<=\w)-(?=free\b)", re.IGNORECASE)


def not_left_out(text: str, forms: Iterable[str]) -> str:
    """Return the first sentence that names a thing and neither denies it, leaves it out nor warns of it.

    An empty text where there is none. What a clause says holds for the items of a list that goes on behind it ("no
    almonds, walnuts or pecans"), and for one that is named alone before it ("Sesame: not in this kitchen").

    Args:
        text: What is said.
        forms: Spellings of the thing.
    """
    forms = tuple(forms)
    if not tells(text, forms):
        return ""
    for sentence in sentences(_IN_COMPOUND.sub(" ", text)):
        said = clause_texts(sentence)
        for place, clause in enumerate(said):
            if tells(clause, forms) and not _is_left_out(said, place):
                return sentence
        # The words of a name may stand in two clauses: "salt, and vinegar".
        if tells(sentence, forms) and not any(tells(clause, forms) for clause in said) and not _leaves_out(sentence):
            return sentence
    return ""


def _is_left_out(said: Sequence[str], place: int) -> bool:
    if _leaves_out(said[place]):
        return True
    if not _is_item(said[place]):
        return False
    listed = [*takewhile(_is_bare_item, reversed(said[:place]))]
    governing = place - len(listed) - 1
    if governing >= 0:
        return _leaves_out(said[governing])
    return place + 1 < len(said) and _leaves_out(said[place + 1])


def _is_item(clause: str) -> bool:
    return len(words(clause)) <= _LONGEST_ITEM


def _is_bare_item(clause: str) -> bool:
    return _is_item(clause) and not _leaves_out(clause)


def _leaves_out(clause: str) -> bool:
    return is_negated(clause) or any(stem(word) in _LEAVING_OUT for word in words(clause))
