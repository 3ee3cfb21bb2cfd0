"""A rewritten thought beside the thought as Ada thought it: what the rewrite has lost, added or turned round.

Compared is with the original, and with what Ada had before her when she thought it; a rewrite says the same in other
words, so what counts is what other words do not change: names and numbers, who is spoken of, what is denied, what the
call that follows is about.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from apep_datagen.conversation.preamble import announces
from apep_datagen.conversation.shortcoming import Shortcoming
from apep_datagen.core.words import holds, words
from apep_datagen.language.clauses import Clause, clauses
from apep_datagen.language.content import content, content_list, is_english, stem
from apep_datagen.language.moments.names import MONTHS, WEEKDAYS
from apep_datagen.language.particulars import counted, digits, names, numbers
from apep_datagen.language.persons import Person, owned, persons, said_of

__all__ = ["Scene", "shortcoming"]


@dataclass(frozen=True, slots=True)
class Scene:
    """The situation in which a thought was thought.

    Attributes:
        question: The user's message.
        before: All that Ada had before her: system prompt, what was said, that message, her calls and their results.
        arguments: The texts and numbers that she hands to the tools which she calls behind the thought.
        has_calls: Whether she calls any.
        found_later: The results of these calls, and of all later ones.
        thought_later: Her later thoughts, which the rewriter saw together with this one.
    """

    question: str = ""
    before: str = ""
    arguments: tuple[str, ...] = ()
    has_calls: bool = False
    found_later: str = ""
    thought_later: str = ""


def shortcoming(thought: str, rewrite: str, scene: Scene) -> Shortcoming | None:
    """Return why `rewrite` is worse than `thought`, or None where it may be saved in its place.

    Where the thought is not in English, only what is the same in any language is compared.
    """
    if thought == rewrite:
        return None
    checks = _IN_ENGLISH if is_english(thought) else _IN_ANY_LANGUAGE
    return next((why for check in checks if (why := check(thought, rewrite, scene))), None)


# What a rewrite has to be to be one.

_STUB_SHARE, _SHORT_SHARE = 0.25, 0.4
_STUB_CONTENT, _ELSE_CONTENT = 0.3, 0.2
_LEAST_WORDS = 16
_LEAST_CONTENT = 5


def _announced(thought: str, rewrite: str, _scene: Scene) -> Shortcoming | None:
    """Look for a line that announces the rewrite, or speaks of it."""
    if announces(rewrite) and not announces(thought):
        return Shortcoming.ANNOUNCED
    if "\n" in thought:
        return None
    said = content(thought)
    for line in rewrite.split("\n"):
        inside = content(line)
        is_apart = line.rstrip("* ").endswith(":") or len(inside) >= _LEAST_CONTENT
        if "\n" in rewrite and inside and is_apart and inside.isdisjoint(said):
            return Shortcoming.ANNOUNCED
    return None


def _stub(thought: str, rewrite: str, _scene: Scene) -> Shortcoming | None:
    length, left = len(words(thought)), len(words(rewrite))
    if length < _LEAST_WORDS:
        return None
    is_short = left < _SHORT_SHARE * length and _common(thought, rewrite) < _STUB_CONTENT
    return Shortcoming.STUB if is_short or left < _STUB_SHARE * length else None


def _says_else(thought: str, rewrite: str, scene: Scene) -> Shortcoming | None:
    if len(_in_words(thought)) < _LEAST_CONTENT:
        # A short thought may be said in other words altogether, but not in many that have nothing to do with it.
        new = _in_words(rewrite)
        is_other = len(new) >= _LEAST_CONTENT and new.isdisjoint(content(thought, scene.question))
        return Shortcoming.SAYS_ELSE if is_other else None
    return Shortcoming.SAYS_ELSE if _common(thought, rewrite) < _ELSE_CONTENT else None


def _common(thought: str, rewrite: str) -> float:
    """Return which share of a thought's content words its rewrite has."""
    said = _in_words(thought)
    return len(said & content(rewrite)) / len(said) if said else 1.0


def _in_words(text: str) -> frozenset[str]:
    """Return the content words of a text that are no numbers, which are said in more than one way."""
    return frozenset(word for word in content(text) if not word.isdecimal())


# Who speaks, and of whom.

_ADA_AS_SUBJECT = re.compile(r"(?<![,—–-]\s)\bAda(?:'s|’s)?(?=\s+\w)", re.IGNORECASE)  # noqa: RUF001 - as typeset
_LEAST_OWNED = 2


def _voice(thought: str, rewrite: str, scene: Scene) -> Shortcoming | None:
    spoken, original = persons(rewrite), persons(thought)
    others = original & {Person.THEY, Person.HE_OR_SHE}
    added = said_of(rewrite) - said_of(thought) - said_of(scene.question)
    by_word: dict[str, set[Person]] = {}
    for person, word in said_of(thought):
        by_word.setdefault(word, set()).add(person)
    if Person.SECOND in spoken and Person.SECOND not in original:
        is_moved = any(person is Person.SECOND and by_word.get(word, set()) & others for person, word in added)
        yours = (things for person, things in owned(rewrite) if person is Person.SECOND)
        is_moved = is_moved or not all(content(thought).isdisjoint(things) for things in yours)
        if is_moved or (others and others.isdisjoint(spoken)):
            return Shortcoming.ADDRESSED
    mine = {things for person, things in owned(rewrite) - owned(thought) if person is Person.FIRST}
    moved = {things for things in mine if (Person.THEY, things) in owned(thought)}
    if moved and (others.isdisjoint(spoken) or len(moved) >= _LEAST_OWNED):
        return Shortcoming.AS_USER
    if Person.FIRST in original and _speaks_of_ada(thought, rewrite):
        return Shortcoming.OF_ADA
    theirs = {word for person, word in added if person is Person.HE_OR_SHE}
    if any(by_word.get(word) == {Person.THEY} for word in theirs) and Person.HE_OR_SHE not in original:
        return Shortcoming.OF_USER
    if holds(rewrite, ("the user",)) and not holds(thought, ("the user",)):
        return Shortcoming.OF_USER
    return None


def _speaks_of_ada(thought: str, rewrite: str) -> bool:
    """Tell whether Ada is she, or called by her name; "come on, Ada" is what one may say to oneself."""
    if _ADA_AS_SUBJECT.search(rewrite) and not holds(thought, ("ada",)):
        return True
    if Person.FIRST in persons(rewrite):
        return False
    own = {word for person, word in said_of(thought) if person is Person.FIRST}
    return any(person is Person.HE_OR_SHE and word in own for person, word in said_of(rewrite) - said_of(thought))


# Names and numbers.

_ISO_DATE = re.compile(r"(?<!\d)(\d{4})-(\d\d)-(\d\d)(?!\d)")
_MONTHS, _WEEKDAYS = tuple(MONTHS), tuple(WEEKDAYS)
_LEAST_IN_WORDS, _MOST_IN_WORDS = 11, 99


def _particulars(thought: str, rewrite: str, scene: Scene) -> Shortcoming | None:
    # Of "2026-08-02" the day alone is said in any case: "from the 2nd".
    if digits(_ISO_DATE.sub(r"\3", thought)) - numbers(rewrite):
        return Shortcoming.NUMBER_MISSING
    # Small numbers in words stand in many ways of speaking.
    in_words = {number for number in numbers(rewrite) if _LEAST_IN_WORDS <= number <= _MOST_IN_WORDS}
    new = (digits(rewrite) | in_words) - numbers(thought)
    # What Ada had before her is long, and read only where that decides.
    if (new and new - numbers(scene.before)) or _counts_otherwise(thought, rewrite, scene):
        return Shortcoming.NUMBER_ADDED
    return None


def _counts_otherwise(thought: str, rewrite: str, scene: Scene) -> bool:
    """Tell whether something is counted or numbered in the rewrite as it is nowhere else: "four hens" of three."""
    original = counted(thought)
    things = {thing for thing, _ in original}
    new = {(thing, number) for thing, number in counted(rewrite) - original if thing in things}
    return bool(new and new - counted(scene.before))


def _names(thought: str, rewrite: str, scene: Scene) -> Shortcoming | None:
    if any(not holds(rewrite, name.split()) for name in names(thought)):
        return Shortcoming.NAME_MISSING
    said = set(words(thought))
    new = {part for name in names(rewrite) for part in name.split() if not {part, f"{part}s"} & said}
    if any(not {part, f"{part}s"} & _words_known(scene.before) for part in new):
        return Shortcoming.NAME_ADDED
    return None


@lru_cache(maxsize=8)
def _words_known(text: str) -> frozenset[str]:
    """Return the words of a text, and those in which its dates are said."""
    said = set(words(text))
    for year, month, day in _ISO_DATE.findall(text):
        try:
            date = datetime.date(int(year), int(month), int(day))
        except ValueError:
            continue
        said |= {_MONTHS[date.month - 1], _WEEKDAYS[date.weekday()]}
    return frozenset(said)


# What is said, and what follows from it.


def _turned_round(thought: str, rewrite: str, _scene: Scene) -> Shortcoming | None:
    """Look for an assertion that is denied, or the other way round, and stands nowhere as it was."""
    before, after = clauses(thought), clauses(rewrite)
    for old in before:
        for new in after:
            if _contradict(old, new) and not (
                any(other.denies == old.denies and new.content <= other.content for other in after)
                or any(other.denies == new.denies and new.content <= other.content for other in before)
            ):
                return Shortcoming.TURNED_ROUND
    return None


_SAME_ASSERTION = 0.7


def _contradict(old: Clause, new: Clause) -> bool:
    """Tell whether two clauses say and deny the same of the same person."""
    if not new.subject or old.subject != new.subject or old.asserts is None or new.asserts is None:
        return False
    says_same = new.content and new.content <= old.content and len(new.content) >= _SAME_ASSERTION * len(old.content)
    # A clause that asserts with a negation elsewhere in it, as in "I'd rather not", is no plain one.
    is_plain = old.asserts != old.denies and new.asserts != new.denies
    return bool(says_same) and is_plain and old.asserts != new.asserts


def _lead(thought: str, rewrite: str, scene: Scene) -> Shortcoming | None:
    """Look for what the thought and the call behind it have in common, and the rewrite and the call have not."""
    if not scene.has_calls:
        return None
    said, left = _signs(thought), _signs(rewrite)
    common = [said & (_signs(argument) - _OF_ANY_NOTE) for argument in scene.arguments]
    for signs, argument in zip(common, scene.arguments, strict=True):
        gist = _gist(argument, signs)
        if signs and (left.isdisjoint(_signs(argument)) or (gist and gist not in left)):
            return Shortcoming.NO_LEAD
    decided = frozenset[str]().union(*(clause.content for clause in clauses(thought) if clause.is_decision))
    if any(common) or not decided or any(clause.is_decision for clause in clauses(rewrite)):
        return None
    return Shortcoming.NO_LEAD if decided.isdisjoint(left) else None


def _gist(argument: str, signs: frozenset[str]) -> str:
    """Return which of the signs that a note shares with a thought tells most; empty for a page of the diary.

    In a sentence, what is new stands last.
    """
    inside = content_list(argument)
    if len(inside) > _LONGEST_NOTE:
        return ""
    return next((word for word in reversed(inside) if word in signs), "")


def _signs(text: str) -> frozenset[str]:
    """Return the content words and the numbers of a text."""
    return content(text) | {str(number) for number in numbers(text)}


_LONGEST_NOTE = 10
_OF_ANY_NOTE = frozenset({stem("user")})
_LEAST_REASON = 2


def _reason(thought: str, rewrite: str, _scene: Scene) -> Shortcoming | None:
    """Look for a reason of which nothing is left, where the rewrite gives no reason at all."""
    if any(clause.is_reason for clause in clauses(rewrite)):
        return None
    left = content(rewrite)
    reasons = [clause.content for clause in clauses(thought) if clause.is_reason]
    is_gone = any(len(reason) >= _LEAST_REASON and reason.isdisjoint(left) for reason in reasons)
    return Shortcoming.REASON_MISSING if is_gone else None


# What is added.

_MOOD = re.compile(
    r"\b(?:they|he|she)\b(?:['’](?:d|ll|re))?[^.!?,;:…]{0,20}?"  # noqa: RUF001 - as typeset
    r"\b(?:(?:sound|seem|look|feel|appear)(?:s|ed)?|must be)\b(?P<mood>[^.,!?;:…]*)",
    re.IGNORECASE,
)
_COPULA = re.compile(r"\b(?:sound|seem|look|feel|appear)(?:s|ed|ing)?\b", re.IGNORECASE)
# What everybody has: the thought needs not have named it.
_EVERYBODYS = content("""
    life day days morning afternoon evening night way ways voice tone heart head mind face eyes hand hands shoulder back
    breath smile words sentence message question name mood feeling thought story joke picture place side time turn hour
    company chest bones patch corner world
""")
_AS_EVER = re.compile(r"\bas (?:ever|always|usual|before|often)\b", re.IGNORECASE)


def _foreseen(thought: str, rewrite: str, scene: Scene) -> Shortcoming | None:
    """Look for what the rewriter knows from a later thought, and Ada only from a result that she has not got yet."""
    new = (content(rewrite) & content(scene.thought_later)) - content(thought)
    new = new & content(scene.found_later) if new else new
    return Shortcoming.FORESEEN if new and new - content(scene.before) else None


def _mood(thought: str, rewrite: str, scene: Scene) -> Shortcoming | None:
    """Look for how the user is said to sound or to feel, where the thought says nothing of that kind."""
    if _COPULA.search(thought):
        return None
    known = content(thought, scene.question)
    moods = [content(found["mood"]) for found in _MOOD.finditer(rewrite)]
    return Shortcoming.MOOD_ADDED if any(mood and mood.isdisjoint(known) for mood in moods) else None


def _owned(thought: str, rewrite: str, scene: Scene) -> Shortcoming | None:
    """Look for what the user is said to have, of which neither the thought speaks nor what Ada had before her."""
    known = content(thought, scene.question) | _EVERYBODYS
    new = [things for person, things in owned(rewrite) if person is Person.THEY and known.isdisjoint(things)]
    unknown = any(content(scene.before).isdisjoint(things) for things in new)
    return Shortcoming.PARTICULAR_ADDED if unknown else None


def _claim(thought: str, rewrite: str, scene: Scene) -> Shortcoming | None:
    """Look for knowledge of the user that the rewrite claims and the thought does not."""
    if _AS_EVER.search(rewrite) and not _AS_EVER.search(f"{thought}\n{scene.question}"):
        return Shortcoming.CLAIM_ADDED
    return None


_Check = Callable[[str, str, Scene], Shortcoming | None]
_IN_ANY_LANGUAGE: tuple[_Check, ...] = (_announced, _stub, _says_else, _particulars, _lead)
_IN_ENGLISH: tuple[_Check, ...] = (
    _announced,
    _stub,
    _says_else,
    _voice,
    _particulars,
    _names,
    _turned_round,
    _lead,
    _reason,
    _foreseen,
    _mood,
    _owned,
    _claim,
)
