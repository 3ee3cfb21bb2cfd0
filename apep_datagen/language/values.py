"""Whether a text tells a value in words that a reader recognises, though not letter for letter.

A form is inflected ("Gdańsku", "mangoes"), a number or a time is written out ("the six eighty-six", "ten to five"), a
compound is written apart ("house boat"), a long word has one letter wrong ("xylophne"), the number alone says how many
("821" for "821 records"). For what must not stand in a text the exact `core.words.holds` is right; for what has to,
this is.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from apep_datagen.core.words import holds, words
from apep_datagen.language.common import telling
from apep_datagen.language.content import is_function_word, sentences, stem
from apep_datagen.language.moments.names import MONTHS
from apep_datagen.language.negation import clause_texts
from apep_datagen.language.numbers import in_digits, spoken_dates, spoken_times
from apep_datagen.language.rarity import rarity

__all__ = ["is_ordinary", "is_told_by_any", "saying", "says_what_it_is", "tells"]

# In a word of so many letters one may be wrong, or stand in another place, and no other word comes of it, mostly.
_SHORTEST_WITH_TYPO = 7
# "0171 555 23" may be written without spaces; of fewer digits another number may come.
_SHORTEST_NUMBER_OF_PARTS = 5
# So long is a word that may have an ending of one letter, and of two.
_SHORTEST_WITH_ENDING, _SHORTEST_WITH_LONG_ENDING = 4, 7


# The clause says what something is: "it is", "that was", "is called".
_CALLS_IT = re.compile(
    r"\A\W*(?:(?:well|oh|ah|hm+|and|so|but|yes|of course|surely|certainly|sure|i (?:think|guess|believe)|perhaps|maybe)"
    r"\W+)*"
    r"(?:it|that|this|he|she|they|those|these)\b\W*(?:is|was|s|are|were|must be|will be|must have been)\b"
    r"|\b(?:call(?:s|ed)?|named?|name(?:['’]s| is| was))\b",  # noqa: RUF001
    re.IGNORECASE,
)


def tells(text: str, forms: Iterable[str], asked: Iterable[str] = ()) -> bool:
    """Tell whether a text tells a value.

    Args:
        text: What is said.
        forms: Spellings of the value.
        asked: What was asked, where the text is an answer: to "how many records" a number is one.
    """
    forms = tuple(forms)
    if holds(text, forms):
        return True
    said = _said(text)
    return any(
        _stands_in(said, _wanted(form)) or holds(text, (*spoken_times(form), *spoken_dates(form))) for form in forms
    ) or bool(_counting(text, forms, asked))


@functools.lru_cache(maxsize=256)
def _said(text: str) -> tuple[str, ...]:
    return tuple(_without_function_words(in_digits(text)))


@functools.lru_cache(maxsize=4096)
def _wanted(form: str) -> tuple[str, ...]:
    said = in_digits(form)
    return tuple(_without_function_words(said)) or tuple(said)


def _without_function_words(said: Iterable[str]) -> list[str]:
    # "May" is a small word and a month.
    return [word for word in said if word in MONTHS or not is_function_word(word)]


def _stands_in(said: Sequence[str], wanted: Sequence[str]) -> bool:
    if not wanted:
        return False
    size = len(wanted)
    if any(all(map(_is_like, said[at : at + size], wanted)) for at in range(len(said) - size + 1)):
        return True
    joined = "".join(wanted)
    if joined.isdigit():
        return len(joined) >= _SHORTEST_NUMBER_OF_PARTS and joined in said
    if len(joined) < _SHORTEST_WITH_TYPO:
        return False
    pairs = ("".join(pair) for pair in pairwise(said))
    return any(_is_like(word, joined) for word in (*said, *pairs))


def _is_like(word: str, wanted: str) -> bool:
    """Tell whether a word is the one that is wanted: inflected, or with one letter wrong."""
    if word == wanted:
        return True
    if wanted[0] != word[0] or not (word.isalpha() and wanted.isalpha()):
        return False
    if stem(word) == stem(wanted):
        return True
    if len(wanted) >= _SHORTEST_WITH_ENDING and word.startswith(wanted):
        return len(word) - len(wanted) <= (2 if len(wanted) >= _SHORTEST_WITH_LONG_ENDING else 1)
    return len(wanted) >= _SHORTEST_WITH_TYPO and _differ_by_one(word, wanted)


def _differ_by_one(first: str, second: str) -> bool:
    """Tell whether one letter is too many, missing, another one, or two neighbours have changed places."""
    if abs(len(first) - len(second)) > 1:
        return False
    begin = next((at for at, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1]), None)
    if begin is None:
        return True
    first, second = first[begin:], second[begin:]
    return (
        first[1:] == second[1:]
        or first[1:] == second
        or first == second[1:]
        or (first[:2] == second[1::-1] and first[2:] == second[2:])
    )


def saying(text: str, forms: Iterable[str], about: Iterable[str]) -> str:
    """Return the first sentence of a text that says a value, or an empty text.

    A value that is an everyday word ("two", "Will", "green") stands in many a sentence by chance. It is said
    where the sentence speaks of what it is the value of, or where it has the capital letter of a name.

    Args:
        text: What is said.
        forms: Spellings of the value.
        about: Words that speak of what it is the value of; where they ask "how many", the number alone says it.
    """
    forms, about = tuple(forms), tuple(about)
    if not holds(text, forms):
        return _counting(text, forms, about)
    spoken_of = telling(*about)
    for sentence in sentences(text):
        for form in forms:
            if not holds(sentence, (form,)):
                continue
            if not is_ordinary(form) or _is_named(sentence, form):
                return sentence
            is_also_a_small_word = form[:1].isupper() and all(map(is_function_word, words(form)))
            if is_also_a_small_word:
                continue
            if not spoken_of.isdisjoint(telling(sentence) - telling(form)) or _is_what_it_is(sentence, form):
                return sentence
    return _counting(text, forms, about)


# "821 records": how many, and of what.
_COUNT = re.compile(r"(\d+) ([a-z]+)")
# "8:45", "2.5", "€45", "45%".
_OTHER_NUMBER = re.compile(r"[€$£#]\d+|\d+(?:[.,:/-]\d+|[€$£%°])+")
# Behind these a number says when or which: "at 5", "past 5", "page 5", "the 5th".
_WHEN_OR_WHICH = frozenset(
    words("at by on in to from until till before after since past the not number no page line room")
)
_OF_THE_CLOCK = frozenset(("to", "past", "till"))  # "5 to six"


def _counting(text: str, forms: Sequence[str], asked: Iterable[str]) -> str:
    """Return the first sentence that says by its number alone how many there are, where that is asked.

    A number counts nothing else where no word of content stands behind it: "444, you said", but not "444 days".
    """
    counts = [match for form in forms if (match := _COUNT.fullmatch(form))]
    asked = "\n".join(asked) if counts else ""
    numbers = {match[1] for match in counts if holds(asked, (f"how many {match[2]}",))}
    for sentence in sentences(text) if numbers else ():
        for clause in clause_texts(_OTHER_NUMBER.sub(" ", sentence)):
            said = ["", *in_digits(clause), ""]
            for before, number, after in zip(said, said[1:], said[2:], strict=False):
                is_alone = not after or (is_function_word(after) and after not in _OF_THE_CLOCK)
                if number in numbers and is_alone and before not in _WHEN_OR_WHICH:
                    return sentence
    return ""


def says_what_it_is(clause: str) -> bool:
    """Tell whether a clause says what something is, or is called: "it's", "that was", "the name is"."""
    return _CALLS_IT.search(clause) is not None


def is_ordinary(form: str) -> bool:
    """Tell whether a value is a word that turns up in any talk, or a short number."""
    # With a capital letter a small word is a name: in "17 May", that of a month.
    stems = [
        stem(word) for part in form.split() for word in words(part) if part[:1].isupper() or not is_function_word(word)
    ]
    # Two common words, as in "music box", come together by chance as seldom as a rare one comes.
    return len(stems) <= 1 and not any(map(rarity, stems))


def _is_what_it_is(sentence: str, form: str) -> bool:
    """Tell whether a clause is "it's green"; "it's two minutes to the bus" is another."""
    value = words(form)
    return any(says_what_it_is(clause) and words(clause)[-len(value) :] == value for clause in clause_texts(sentence))


def _is_named(sentence: str, form: str) -> bool:
    """Tell whether a value stands in a sentence, and not at its beginning, with the capital letter that it has."""
    return form[:1].isupper() and re.search(rf"(?<=[\w,;] ){re.escape(form)}(?!\w)", sentence) is not None


def is_told_by_any(texts: Sequence[str], forms: tuple[str, ...]) -> bool:
    """Tell whether any text tells a value; exact spellings are looked for first, which is quick."""
    return any(holds(text, forms) for text in texts) or any(tells(text, forms) for text in texts)
