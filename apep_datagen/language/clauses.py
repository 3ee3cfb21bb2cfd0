"""The clauses of a text, and what each does: whether it asserts or denies, gives a reason, or is a decision."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from apep_datagen.core.words import words
from apep_datagen.language.content import content_list
from apep_datagen.language.negation import NEGATED_AUXILIARIES

__all__ = ["Clause", "clauses"]

# A clause ends with a mark of punctuation, or before a word that begins another one.
_BOUNDARY = re.compile(
    r"[.,;:!?…()\[\]\"“”\n]+|\s[-–—]+\s|[–—]+"  # noqa: RUF001 - dashes
    r"|\s(?=(?:and|but|or|so|because|since|though|although|yet|while|whereas)\b)",
    re.IGNORECASE,
)
_CONJUNCTIONS = frozenset(words("and but so because since though although yet while then that now well yes no"))
_REASONS = frozenset(words("because since cause as"))
_NEGATIONS = frozenset(
    words("not no never none nothing nobody nowhere neither nor without hardly scarcely barely instead unless")
)
_SUBJECTS = {
    form: forms.split()[0]
    for forms in (
        "i im ill id ive",
        "you youre youll youd youve",
        "we weve",
        "they theyre theyll theyd theyve",
        "he hes hed",
        "she shes",
        "it its itll itd",
    )
    for form in forms.split()
}
_ADVERBS = frozenset(words("really just only still also simply surely certainly truly"))
_INTENTS = frozenset(words("will shall should must may might can could would want need have better had like"))


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence.

    Attributes:
        text: As it stands there.
        content: The stems of its content words.
        subject: The pronoun that it begins with, such as `i` or `they`; empty where it begins otherwise.
        asserts: Whether this is said of the subject, or denied with the verb: "I do", "I don't", "I never"; None where
            there is no such subject.
        denies: Whether a negation stands anywhere in it.
        is_reason: Whether it is given as a reason.
        is_decision: Whether the speaker says what they will, want to or should do.
    """

    text: str
    content: frozenset[str]
    subject: str
    asserts: bool | None
    denies: bool
    is_reason: bool
    is_decision: bool


@lru_cache(maxsize=64)
def clauses(text: str) -> tuple[Clause, ...]:
    """Return the clauses of a text, in order, as far as punctuation and conjunctions show them."""
    return tuple(_read(part) for piece in _BOUNDARY.split(text) if (part := piece.strip()))


def _read(text: str) -> Clause:
    said = words(text)
    place = next((place for place, word in enumerate(said) if word not in _CONJUNCTIONS), 0)
    subject = _SUBJECTS.get(said[place], "") if said else ""
    return Clause(
        text=text,
        content=frozenset(content_list(text)),
        subject=subject,
        asserts=_asserts(said[place + 1 :]) if subject else None,
        denies=_denies(said),
        is_reason=not _REASONS.isdisjoint(said[:2])
        or (said[:1] == ["for"] and not _SUBJECTS.keys().isdisjoint(said[1:2])),
        is_decision=_decides(said),
    )


def _asserts(predicate: list[str]) -> bool:
    """Tell whether a predicate is said, and not denied with its verb."""
    said = [word for word in predicate if word not in _ADVERBS][:2]
    return not (said and (said[0] in NEGATED_AUXILIARIES or not {"not", "never"}.isdisjoint(said)))


def _denies(said: list[str]) -> bool:
    """Tell whether a negation is among the words; "isn't it" and "wouldn't they like" deny nothing."""
    for place, word in enumerate(said):
        following = said[place + 1] if place + 1 < len(said) else ""
        if word in _NEGATIONS or (word in NEGATED_AUXILIARIES and following not in _SUBJECTS):
            return True
        if word == "rather" and following == "than":
            return True
    return False


def _decides(said: list[str]) -> bool:
    """Tell whether the speaker says what they will, want to or should do: "I'll look", "let me see", "I'd better"."""
    for place, word in enumerate(said):
        following = said[place + 1] if place + 1 < len(said) else ""
        if word in ("ill", "id", "lets") or (word == "let" and following in ("me", "us")):
            return True
        if (word == "im" and following == "going") or (
            word == "i" and not _INTENTS.isdisjoint(said[place + 1 : place + 3])
        ):
            return True
    return False
