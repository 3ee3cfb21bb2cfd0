"""Whether a reply admits that she does not have something, or claims a value for it.

An admission is told by its structure: something is denied, in a clause that speaks of what was asked for, of memory
and telling, or of nothing else at all ("it isn't with me"); or she asks to be told. Phrases besides let pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from apep_datagen.core.words import holds, words
from apep_datagen.language.common import telling
from apep_datagen.language.content import content, is_function_word, sentences, stem
from apep_datagen.language.negation import clauses, is_negated, is_negation

__all__ = ["admits", "claimed_values", "denies_memory"]

# What one does with what one is told: the words of memory, telling and looking up.
_OF_MEMORY = frozenset(
    stem(word)
    for word in words("""
    memory memories remember recall recollect recollection know knew known told tell telling say said mention mentioned
    write wrote written note notes noted keep kept store stored save saved find found look looked search searched see
    saw diary page pages list record records entry line lines trace clue guess guessing hear heard learn learned learnt
    share shared read name names named invent inventing pretend answer turn up come show shown hold holding contain
    help place idea
    """)
)
_HAVING = frozenset(words("have has had having got get ive youve i've"))
_HERSELF = frozenset(words("i me my mine myself im ive id ill"))
_LIMITS = frozenset(words("only just merely solely"))
# What makes a denial of nothing but function words speak of what was asked for.
_POINTS = frozenset(
    words("it that this there here them those i me my mine you nothing none nope nowhere neither us with ive isnt")
)
_PLAIN_NO = frozenset(words("no not never"))
_ASKING = frozenset(stem(word) for word in words("tell remind say give teach spell share let refresh help"))
_OTHER_THAN_IT = frozenset(words("more about how why all everything something"))
_POSITIVE_FIRST = re.compile(r"\A\W*(?:why|how come)\b", re.IGNORECASE)


def admits(reply: str, asked: str, phrases: tuple[str, ...]) -> bool:
    """Tell whether a reply says that she does not have what was asked for.

    Args:
        reply: What she says.
        asked: Words that speak of what was asked for.
        phrases: With which one admits it in other ways.
    """
    slot = content(asked)
    if holds(reply, phrases):
        return True
    is_first = True
    for sentence in sentences(reply):
        if _asks_for_it(sentence, slot):
            return True
        said = clauses(sentence)
        for place, clause in enumerate(said, start=1):
            is_question = place == len(said) and sentence.rstrip().endswith("?")
            if _denies(clause, slot, is_first=is_first, is_question=is_question):
                return True
            is_first = False
    return False


def denies_memory(text: str) -> bool:
    """Tell whether a text says that something was not told, or is not written down."""
    return any(
        is_negated(clause) and not _OF_MEMORY.isdisjoint(content(clause))
        for sentence in sentences(text)
        for clause in clauses(sentence)
    )


def _denies(clause: str, slot: frozenset[str], *, is_first: bool, is_question: bool) -> bool:
    said = words(clause)
    about = frozenset(stem(word) for word in said if not is_function_word(word) and not is_negation(word))
    if not is_negated(clause):
        # "There's only your dog in my notes", "I'd only be guessing".
        is_limited = not _LIMITS.isdisjoint(said) and not _HERSELF.isdisjoint(said)
        return is_limited and not (about.isdisjoint(_OF_MEMORY) and _HAVING.isdisjoint(said))
    if is_question or _POSITIVE_FIRST.match(clause):
        return bool(about & slot) and not about.isdisjoint(_OF_MEMORY)
    if not about:
        # "No.", "Zilch."; but not "Oh no!"
        return (is_first and len(said) == 1) or not _POINTS.isdisjoint(said) or said[-1] not in _PLAIN_NO
    if not about.isdisjoint(_OF_MEMORY):
        return True
    is_hers = not _HERSELF.isdisjoint(said) and not _HAVING.isdisjoint(said)
    return is_hers or (bool(about & slot) and (telling(clause) <= slot or "me" in said))


def _asks_for_it(sentence: str, slot: frozenset[str]) -> bool:
    """Tell whether she asks for what was asked of her: "Tell me?", "Which tea is it that you like best?"."""
    about = content(sentence)
    said = words(sentence)
    if not about.isdisjoint(_ASKING) and not _HERSELF.isdisjoint(said) and not is_negated(sentence):
        others = about - _ASKING - slot - _OF_MEMORY
        if (about & slot or not others) and _OTHER_THAN_IT.isdisjoint(said):
            return True
    return sentence.rstrip().endswith("?") and bool(slot) and 2 * len(about & slot) > len(slot)


# A name: a capital letter inside a sentence; it may be emphasised or quoted where something is called so.
_NAME = r"[^\W\d_a-z][\w’'-]*[a-zß-ÿ][\w’'-]*"  # noqa: RUF001 - an apostrophe of either form
_NAME_INSIDE = re.compile(rf"(?<=[a-zß-ÿ,’' ] )[*_\"“‘']*({_NAME})|(?<=[a-zß-ÿ] [*_\"“])({_NAME})")  # noqa: RUF001
_NUMBER_INSIDE = re.compile(r"(?<![\w.])(\d{2,}(?:[:.]\d\d)?)(?![\w%])")
# The clause says what something is: "it is", "that was", "is called".
_CALLS_IT = re.compile(
    r"\A\W*(?:(?:well|oh|ah|hm+|and|so|but|yes|of course|surely|certainly|sure|i think|i guess|i believe|perhaps|maybe)\W+)*"
    r"(?:it|that|this|he|she|they|those|these)\b\W*(?:is|was|s|are|were|must be|will be|must have been)\b"
    r"|\b(?:call(?:s|ed)?|named?|name(?:['’]s| is| was))\b",  # noqa: RUF001
    re.IGNORECASE,
)
_SUPPOSES = re.compile(r"\b(?:would|could|might|may|['’]d|if|like|as|such as|unless|imagine|suppose)\b", re.IGNORECASE)  # noqa: RUF001


def claimed_values(reply: str, asked: str, known: frozenset[str]) -> list[str]:
    """Return names and numbers that a reply gives for what was asked for, though they stand nowhere else.

    A clause gives a value if it denies and supposes nothing, and speaks of what was asked for or says what it is.

    Args:
        reply: What she says.
        asked: Words that speak of what was asked for.
        known: Words that may be said.
    """
    slot = content(asked)
    found: dict[str, None] = {}
    for sentence in sentences(reply):
        if sentence.rstrip().endswith("?"):
            continue
        for clause in _clauses_in_place(sentence):
            if is_negated(clause) or _SUPPOSES.search(clause):
                continue
            if content(clause).isdisjoint(slot) and not _CALLS_IT.search(clause):
                continue
            found |= dict.fromkeys(name for name in _particulars(clause) if not known.issuperset(words(name)))
    return list(found)


def _clauses_in_place(sentence: str) -> Iterator[str]:
    """Yield clauses with what stands before them, so that a name at the beginning of one is seen as inside."""
    yield from (f"x {clause}" if place else clause for place, clause in enumerate(clauses(sentence)))


def _particulars(clause: str) -> Iterator[str]:
    for groups in _NAME_INSIDE.findall(clause):
        yield from filter(None, groups)
    yield from _NUMBER_INSIDE.findall(clause)
