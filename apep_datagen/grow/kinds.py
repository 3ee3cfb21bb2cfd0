"""What is wrong with a kind of fact: of itself, and beside those that there are."""

from __future__ import annotations

import datetime
import random
import re
from collections.abc import Iterable, Iterator
from itertools import combinations

from apep_datagen.core.words import holds, words
from apep_datagen.grow.texts import are_alike, faults_of_text, quoted, said_alike
from apep_datagen.language.content import content, is_function_word, stem
from apep_datagen.language.values import is_ordinary, tells
from apep_datagen.people.vocabulary import Forms, Vocabulary
from apep_datagen.people.world import Slot

__all__ = ["LEAST_VALUES", "alike_kinds", "faults_of_kind", "faults_of_name", "faults_of_value", "values_elsewhere"]

LEAST_VALUES = 8
"""So many values a kind has at least, or one that is drawn."""

_VALUE = "{value}"
_LEAST_NOTES, _LEAST_BESIDE = 4, 2
_LONGEST_SENTENCE, _LONGEST_ASK, _LONGEST_NOTE, _LONGEST_VALUE, _LONGEST_CUE = 120, 100, 180, 60, 30
_DRAWN_FOR_TRIAL = 8
_SHARE_OF_ORDINARY = 0.25
_SOME_DAY = datetime.date(2026, 1, 31)
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST_NAME = 48
_NAMING = frozenset({"name", "named", "called"})
_QUESTION_WORDS = {
    **dict.fromkeys(("what", "which"), "what"),
    **dict.fromkeys(("who", "whom", "whose"), "who"),
    **{word: word for word in ("when", "where", "why", "how", "much", "many", "since", "until")},
}
_THE_USER = re.compile(r"\bthe user\b", re.IGNORECASE)
_FIRST_PERSON = re.compile(r"\b(?:I|[Mm]y|[Mm]ine|[Mm]yself)\b")


def faults_of_name(name: str) -> Iterator[str]:
    """Yield what is wrong with the name of a kind or moment."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        yield "slot is a name in small letters with underscores, such as my_dentist"


def faults_of_kind(slot: Slot, vocabulary: Vocabulary, traits: Iterable[str] | None = None) -> Iterator[str]:
    """Yield in sentences what is wrong with a kind of fact, its single values aside.

    Args:
        slot: The kind.
        vocabulary: What can stand in its values in braces.
        traits: What users can be; None: not known, and not looked at.
    """
    yield from faults_of_name(slot.slot)
    yield from _faults_of_texts(slot)
    yield from _faults_of_numbers(slot)
    if traits is not None:
        for trait in sorted({*slot.needs, *slot.not_for} - set(traits)):
            yield f"there is no user with the trait {quoted(trait)}"
    yield from _faults_of_notes(slot)
    tried = list(tried_values(slot, vocabulary))
    yield from _given_away(slot, tried)
    yield from _not_recognised(slot, tried)
    yield from _clashing(slot)


def faults_of_value(forms: Forms, vocabulary: Vocabulary) -> Iterator[str]:
    """Yield what is wrong with one value of a kind; `forms` are its spellings, as the table has them."""
    for form in forms:
        yield from faults_of_text("a value", form.replace("{", "").replace("}", ""), _LONGEST_VALUE)
        if "{" in form and not vocabulary.knows(form):
            yield f"{quoted(form)} has something in braces that there is not"
            return
        if not words(form):
            yield f"{quoted(form)} has no words by which it could be recognised"
    # Of a list of words a few may be everyday ones; of what is drawn from small numbers most are.
    tried = list(_drawn(forms, vocabulary))
    ordinary = [form for drawn in tried if (form := next(filter(_turns_up, drawn), ""))]
    if len(ordinary) > _SHARE_OF_ORDINARY * len(tried):
        yield f"{quoted(ordinary[0])} is an everyday word or a short number, which turns up by chance"


def values_elsewhere(slot: Slot, others: Iterable[Slot]) -> Iterator[tuple[Forms, Slot]]:
    """Yield the values of a kind that are values of others as well, each with the first such kind."""
    known = {_spelled(form): other for other in others for forms in other.values for form in forms if "{" not in form}
    for forms in slot.values:
        if found := next((known[_spelled(form)] for form in forms if _spelled(form) in known), None):
            yield forms, found


def alike_kinds(slot: Slot, others: Iterable[Slot]) -> Iterator[tuple[Slot, str]]:
    """Yield the kinds that are nearly the same as this one, each with what shows it."""
    asked = gist(slot.ask)
    told = asked | content(_without_value(slot.tell))
    for other in others:
        asked_there = gist(other.ask)
        if asked == asked_there:
            yield other, "is asked for in the same words"
        elif are_alike(told, asked_there | content(_without_value(other.tell))):
            yield other, "is told and asked for in nearly the same words"


def gist(ask: str) -> frozenset[str]:
    """Return what is asked for: the stems of the content words, and what is asked about it (who, when, how many).

    "What my dentist is called" and "the name of my dentist" have the same gist.
    """
    said, stems = words(ask), content(ask)
    if not _NAMING.isdisjoint(said):
        return stems - {stem(word) for word in _NAMING} | {"name"}
    return stems | {_QUESTION_WORDS[word] for word in said if word in _QUESTION_WORDS}


def tried_values(slot: Slot, vocabulary: Vocabulary) -> Iterator[Forms]:
    """Yield values of a kind with all their spellings: those that are listed, and some of those that are drawn."""
    for forms in slot.values:
        yield from _drawn(forms, vocabulary)


def _drawn(forms: Forms, vocabulary: Vocabulary) -> Iterator[Forms]:
    if not any("{" in form for form in forms):
        yield forms
    elif all(vocabulary.knows(form) for form in forms):
        draw = random.Random(repr(forms))  # noqa: S311 - the same each time
        for _ in range(_DRAWN_FOR_TRIAL):
            yield vocabulary.draw(draw, forms, _SOME_DAY)


def _sentences(slot: Slot) -> Iterator[tuple[str, str]]:
    """Yield each text that holds the value, with its key."""
    yield "tell", slot.tell
    if slot.change:
        yield "change", slot.change
    for key in ("notes", "beside", "was"):
        yield from ((key, text) for text in getattr(slot, key))


def _faults_of_texts(slot: Slot) -> Iterator[str]:
    for key, text in _sentences(slot):
        longest = _LONGEST_SENTENCE if key in {"tell", "change"} else _LONGEST_NOTE
        yield from faults_of_text(key, text, longest, placeholder=_VALUE)
    yield from faults_of_text("ask", slot.ask, _LONGEST_ASK)
    for key, texts, longest in (("cues", slot.cues, _LONGEST_CUE), ("occasions", slot.occasions, _LONGEST_SENTENCE)):
        for text in texts:
            yield from faults_of_text(key, text, longest)
    said = [("tell", slot.tell), ("change", slot.change or ""), ("ask", slot.ask)]
    for key, text in [*said, *(("occasions", text) for text in slot.occasions)]:
        if _THE_USER.search(text):
            yield f"{key} is what the user says, and speaks of the user: {quoted(text)}"
    for key in ("notes", "beside", "was"):
        for text in getattr(slot, key):
            if _FIRST_PERSON.search(text):
                yield f"{key} speaks in the first person; a note is about the user: {quoted(text)}"


def _faults_of_numbers(slot: Slot) -> Iterator[str]:
    if len(slot.notes) < _LEAST_NOTES:
        yield f"there are {len(slot.notes)} notes, and {_LEAST_NOTES} are needed"
    if len(slot.beside) < _LEAST_BESIDE:
        yield f"there are {len(slot.beside)} notes in beside, and {_LEAST_BESIDE} are needed"
    if slot.change and not slot.was:
        yield "it has change, and was is empty"
    if slot.was and not slot.change:
        yield "it has was, and no change"
    if slot.pace[0] > slot.pace[1]:
        yield "pace begins with the larger number"
    if slot.avoid and not slot.occasions:
        yield "it has avoid, and no occasions"
    if slot.expires and any("{coming_dates}" not in form for forms in slot.values for form in forms):
        yield "it has expires, and a value without {coming_dates}"


def _faults_of_notes(slot: Slot) -> Iterator[str]:
    for text in slot.notes:
        if not holds(_without_value(text), slot.cues):
            yield f"a note without one of the cues: {quoted(text)}"
    for texts in (slot.notes, slot.beside, slot.was):
        for first, second in combinations(texts, 2):
            if said_alike(first, second):
                yield f"two notes are nearly the same: {quoted(first)}, {quoted(second)}"
    for text in sorted({*slot.notes} & {*slot.beside, *slot.was}):
        yield f"beside or was has one of the notes: {quoted(text)}"


def _given_away(slot: Slot, tried: Iterable[Forms]) -> Iterator[str]:
    """Yield which texts hold a value that are to be said without it."""
    texts = [("tell", _without_value(slot.tell)), ("ask", slot.ask)]
    texts += [("occasions", text) for text in slot.occasions]
    texts += [(key, _without_value(text)) for key in ("notes", "beside", "was") for text in getattr(slot, key)]
    found = set()
    for forms in tried:
        for key, text in texts:
            stands_in = tells if key in {"ask", "occasions"} else holds
            if stands_in(text, forms) and (key, text) not in found:
                found.add((key, text))
                yield f"{key} gives the value {quoted(forms[0])} away: {quoted(text)}"


def _not_recognised(slot: Slot, tried: Iterable[Forms]) -> Iterator[str]:
    """Yield which sentences do not hold their value as whole words, once it stands in them."""
    found = set()
    for forms in tried:
        for key, text in _sentences(slot):
            filled = text.replace(_VALUE, forms[0])
            if (key, text) not in found and not holds(filled, forms):
                found.add((key, text))
                yield f"in {key} the value {quoted(forms[0])} is not recognised: {quoted(text)}"


def _clashing(slot: Slot) -> Iterator[str]:
    """Yield values of which one cannot be told from another."""
    listed = [forms for forms in slot.values if not any("{" in form for form in forms)]
    for first, second in combinations(listed, 2):
        if any(holds(form, second) for form in first) or any(holds(form, first) for form in second):
            yield f"the values {quoted(first[0])} and {quoted(second[0])} cannot be told apart"


def _without_value(text: str) -> str:
    return text.replace(_VALUE, " ")


def _turns_up(form: str) -> bool:
    """Tell whether a form stands in texts by chance; a capital letter makes a name of it, but of "May" and "Will"."""
    said = words(form)
    is_name = form[:1].isupper() and not all(map(is_function_word, said))
    return bool(said) and is_ordinary(form) and not is_name


def _spelled(form: str) -> str:
    return " ".join(words(form))
