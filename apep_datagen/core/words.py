"""Texts as sequences of words, so that they can be compared whatever their case, accents and punctuation."""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

__all__ = [
    "ISO_DAY",
    "OPENING_WORDS",
    "days_in_words",
    "excerpt",
    "holds",
    "ngrams",
    "one_line",
    "opening",
    "shingles",
    "shorten",
    "words",
]

_Item = TypeVar("_Item")

# As typed, as typeset, and as other keyboards have them. They go before Unicode's decomposition, which makes a space
# and an accent of an acute accent that stands alone.
_APOSTROPHES = "'\u2018\u2019\u201b\uff07\u0060\u00b4\u02bb\u02bc"
_APOSTROPHE = re.compile(f"[{_APOSTROPHES}]")
_POSSESSIVE = re.compile(rf"(?<=\S)[{_APOSTROPHES}][sS](?!\w)")

# Invisible inside a word: the soft hyphen, joiners, the byte order mark, and what chooses a character's looks.
_INVISIBLE = frozenset((0xAD, 0x200C, 0x200D, 0x2060, 0xFEFF, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))

# Kana and Han, which are written without spaces: each character counts as a word.
_UNSPACED = re.compile(
    "([\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff])"
)

_PIECE = re.compile(r"\S+")

ISO_DAY = re.compile(r"(?<![\w-])((?:19|20)[0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(?![\w-])")
"""A day such as `2026-01-14`: its year, month and day."""

OPENING_WORDS = 5
"""So many words of a text are its opening."""


def words(text: str) -> list[str]:
    """Return the words of a text: casefolded, without accents and apostrophes.

    A word is a run of letters and digits of any script; all else separates. "Don't", with any apostrophe, and "dont"
    are one word, and so are "Café" and "cafe". Accents are the marks above and below letters, and the vowel points of
    Hebrew and Arabic; signs that are letters in their own right, as in Hindi or Thai, stay. In Chinese and Japanese
    each character is a word. Other scripts without spaces, such as Thai, are one word from space to space.
    """
    if text.isascii():
        return text.lower().translate(_ASCII).split()
    text = unicodedata.normalize("NFKD", _APOSTROPHE.sub("", text)).translate(_FOLDED).casefold()
    return _UNSPACED.sub(r" \1 ", unicodedata.normalize("NFC", text)).split()


def days_in_words(text: str) -> str:
    """Return a text with its ISO dates as people say them: "2026-01-14" is "14 January 2026"."""
    return ISO_DAY.sub(lambda match: f"{int(match[3])} {calendar.month_name[int(match[2])]} {match[1]}", text)


def opening(said: Sequence[str]) -> str:
    """Return the first five words of a text, by which openings are counted; all of them where there are fewer."""
    return " ".join(said[:OPENING_WORDS])


def shorten(text: str, longest: int) -> str:
    """Return a text of at most `longest` characters: its end is left out where it has more."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def one_line(text: str) -> str:
    """Return a text with spaces for line breaks of any kind."""
    return " ".join(text.splitlines())


def holds(text: str, forms: Iterable[str]) -> bool:
    """Tell whether any of the forms stands in the text, as whole words in this order.

    The last word may be a possessive in the text: "Bello" is in "Bello's bowl", but not in "Bellona". A day may be an
    ISO date: "14 January" is in "on 2026-01-14", whatever the year. A form without words is in no text.
    """
    wanted = _phrases(tuple(forms))
    said = _said(text)
    if any(phrase in said.text for phrase in wanted.inside):
        return True
    return any(said.before.endswith(wanted.at_the_end, 0, end) for end in said.possessives)


def shingles(text: str, size: int = 3) -> frozenset[tuple[str, ...]]:
    """Return each run of `size` words that the text has.

    A text of fewer words is its one, shorter, shingle; a text without words has none.
    """
    said = words(text)
    if len(said) < size:
        return frozenset([tuple(said)] if said else [])
    return frozenset(ngrams(said, size))


def ngrams(items: Sequence[_Item], size: int) -> Iterator[tuple[_Item, ...]]:
    """Yield each run of `size` items, such as words, in order; none where there are fewer."""
    return zip(*(items[start:] for start in range(size)), strict=False)


def excerpt(text: str, start: int, stop: int) -> str:
    """Return a part of a text as it stands there: from its word with the index `start` to the one before `stop`.

    What stands with these words without a space between, such as a full stop, is part of it.
    """
    place = first = last = 0
    for piece in _PIECE.finditer(text):
        count = len(words(piece.group()))
        if place <= start < place + count:
            first = piece.start()
        place += count
        last = piece.end()
        if place >= stop:
            break
    return text[first:last]


@dataclass(frozen=True, slots=True)
class _Phrases:
    """Forms as they are looked for: between two spaces, and behind one at the end of a text."""

    inside: tuple[str, ...]
    at_the_end: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Said:
    """A text as forms are looked for in it.

    Attributes:
        text: Its words, with a space before and behind each.
        before: All words up to the last possessive, with a space before each.
        possessives: Where in `before` the words end that are possessives, without their ending.
    """

    text: str
    before: str
    possessives: tuple[int, ...]


@lru_cache(maxsize=4096)
def _phrases(forms: tuple[str, ...]) -> _Phrases:
    found = [" " + " ".join(said) for form in forms if (said := words(days_in_words(form)))]
    return _Phrases(tuple(f"{phrase} " for phrase in found), tuple(found))


# The texts of a conversation are searched for one list of phrases after the other, a user's notes for each fact.
@lru_cache(maxsize=256)
def _said(text: str) -> _Said:
    text = days_in_words(text)
    parts: list[str] = []
    possessives: list[int] = []
    length = 0
    for piece in _POSSESSIVE.split(text)[:-1]:
        part = "".join(f" {word}" for word in words(piece))
        possessives.append(length + len(part))
        parts.append(part + "s")
        length += len(part) + 1
    return _Said(f" {' '.join(words(text))} ", "".join(parts), tuple(possessives))


def _folded(code: int) -> str:
    """Return what becomes of a character of a decomposed text: itself, nothing, or a space."""
    character = chr(code)
    kind = unicodedata.category(character)[0]
    if code in _INVISIBLE:
        return ""
    if kind == "M":
        # Classes from Unicode Standard Annex #44: 10 to 36 are Hebrew, Arabic and Syriac points, from 200 on marks are
        # attached to, above or below any letter. Enclosing marks are not combined: keycaps, circles.
        accent = 10 <= unicodedata.combining(character) <= 36 or unicodedata.combining(character) >= 200  # noqa: PLR2004 - named above
        return "" if accent or unicodedata.category(character) == "Me" else character
    return character if kind in "LN" else " "


class _Folding(dict[int, str]):
    """What becomes of each character, found out when one is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _folded(code)
        return folded


_FOLDED = _Folding()
_ASCII = {code: "" if chr(code) in _APOSTROPHES else _folded(code) for code in range(128)}
