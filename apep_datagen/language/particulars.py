"""The particulars of a text: the names and numbers in it, however they are spelled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from apep_datagen.core.words import words
from apep_datagen.language.content import is_function_word, stem
from apep_datagen.language.number_words import ORDINALS, TENS, UNITS

__all__ = ["counted", "digits", "names", "numbers"]

_VALUES = {**UNITS, **TENS, **ORDINALS}
_DOUBTFUL = frozenset(words("zero one first second"))
_BEFORE_A_NUMBER = frozenset(words("number no nr the and"))
_ORDINAL_IN_DIGITS = re.compile(r"([0-9]{1,18})(?:st|nd|rd|th)")
# A number of more digits is none of everyday life.
_DIGITS = re.compile(r"(?<![0-9])[0-9]{1,18}(?![0-9])")
_DIAL = 12
_MINUTES = 60
_HALF, _QUARTER = 30, 15

# A letter of any script, and what may stand in a name: "O'Brien", "Jean-Luc".
_WORD = re.compile(r"[^\W\d_](?:[\w'’-]*\w)?")  # noqa: RUF001 - an apostrophe of either form
_POSSESSIVE = re.compile(r"['’]s\Z")  # noqa: RUF001 - as typeset
# What stands before a word that begins a sentence or a quotation.
_BEFORE_SENTENCE = re.compile(r"(?:\A|[.!?…:;\n*_\"“”«‘(\[]|\s['\-–—]|[–—])\s*\Z")  # noqa: RUF001 - as typeset
_LOOKED_BACK = 8
_TITLE = re.compile(r"\b(?:Mr|Mrs|Ms|Mx|Miss|Dr|Prof|Sir|Madam|Lady|Lord|St)\.? ", re.IGNORECASE)
# Written with a capital letter, and no names.
_CAPITALISED = frozenset(words("god lord heaven heavens goodness hmm"))


def digits(text: str) -> frozenset[int]:
    """Return the numbers that stand in a text in digits: 16 and 50 of "16:50", 2 of "2nd", 713 of "the 713"."""
    return frozenset(map(int, _DIGITS.findall(text)))


@lru_cache(maxsize=256)
def numbers(text: str) -> frozenset[int]:
    """Return the numbers of a text, in digits and in words: 2 of "number two" and "the second", 43 of "forty-three".

    Of a time of day in words those that it has in digits, on a dial of twelve hours and on one of twenty-four: 4, 16
    and 50 of "ten to five". Words that are a number only now and then count behind an article or "number": "the first",
    but not "look first".
    """
    said = words(text)
    found = set(digits(text)) | {value for _, value in _spelled(said)}
    for place, word in enumerate(said):
        if word in ("to", "past"):
            found |= _clock(said[place - 1] if place else "", word, said[place + 1 : place + 2])
    return frozenset(found)


def _clock(before: str, direction: str, after: list[str]) -> set[int]:
    """Return hours and minutes of "ten to five", "half past four", "quarter to 5"; nothing where it is no time."""
    hour = _value(after[0]) if after else None
    minute = {"half": _HALF, "quarter": _QUARTER}.get(before, _value(before))
    if hour is None or minute is None or not (0 < hour <= _DIAL and 0 < minute < _MINUTES):
        return set()
    if direction == "to":
        hour, minute = hour - 1, _MINUTES - minute
    return {hour % _DIAL, hour % _DIAL + _DIAL, minute}


def _value(word: str) -> int | None:
    return int(word) if _DIGITS.fullmatch(word) else _VALUES.get(word)


def _spelled(said: list[str]) -> Iterator[tuple[int, int]]:
    """Yield where each number in words ends, and its value."""
    tens = 0
    for place, word in enumerate(said):
        if match := _ORDINAL_IN_DIGITS.fullmatch(word):
            yield place, int(match[1])
        value = _VALUES.get(word)
        before = said[place - 1] if place else ""
        if value is None or (word in _DOUBTFUL and not tens and before not in _BEFORE_A_NUMBER):
            tens = 0
        elif tens and 0 < value < 10:  # noqa: PLR2004 - units behind tens
            yield place, tens + value
            tens = 0
        else:
            yield place, value
            tens = value if word in TENS else 0


@lru_cache(maxsize=256)
def counted(text: str) -> frozenset[tuple[str, int]]:
    """Return what is counted or numbered in a text, by its stem: `hen`, 3 of "three hens", `number`, 2 of "number 2".

    An adjective may stand between: "three old hens" has `old` and `hen`. One is no count: "one thing" is any.
    """
    said = words(text)
    in_digits = [(place, int(word)) for place, word in enumerate(said) if _DIGITS.fullmatch(word)]
    found: set[tuple[str, int]] = set()
    for place, value in (*in_digits, *_spelled(said)):
        if place and said[place - 1] == "number":
            found.add(("number", value))
        elif value != 1:
            for word in said[place + 1 : place + 3]:
                if is_function_word(word) or _value(word) is not None:
                    break
                found.add((stem(word), value))
    return frozenset(found)


@lru_cache(maxsize=256)
def names(text: str) -> frozenset[str]:
    """Return the names in a text, each as its words by `core.words.words`: `panis angelicus`, `tanizaki`.

    A name has a capital letter where no sentence begins. Titles are left out, and words in capital letters only are no
    names. It works for English and other languages that write nouns in small letters.
    """
    text = _TITLE.sub("mr ", text)  # behind which no sentence begins
    found: list[list[str]] = [[]]
    end = 0
    for match in _WORD.finditer(text):
        goes_on = found[-1] and text[end : match.start()] == " "
        if found[-1] and not goes_on:
            found.append([])
        if folded := _name_word(match[0]):
            if goes_on or not _begins_sentence(text, match.start()):
                found[-1].append(folded)
        elif goes_on:
            found.append([])
        end = match.end()
    return frozenset(" ".join(name) for name in found if name)


def _begins_sentence(text: str, place: int) -> bool:
    return _BEFORE_SENTENCE.search(text, max(0, place - _LOOKED_BACK), place) is not None


def _name_word(word: str) -> str:
    """Return a word with a capital letter as it is compared; empty where it is none, or no name."""
    if not word[0].isupper() or (len(word) > 1 and word.isupper()):
        return ""
    folded = " ".join(words(_POSSESSIVE.sub("", word)))
    no_name = folded in _CAPITALISED or is_function_word(folded)
    return "" if no_name or len(folded) < 2 else folded  # noqa: PLR2004 - an initial
