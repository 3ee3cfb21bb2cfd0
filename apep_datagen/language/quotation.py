"""What a text quotes of others, and which words are its own.

Who tells of a note turns it: "They saw both their shadows, huge on the canvas" becomes "you saw both your shadows, huge
on the canvas". Pronouns, auxiliaries and articles change, endings of verbs change with them; the words that carry the
content stay, and stay in their order. So a quotation is a run of content words that stands in a source too, whatever
holds the words together here and there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from apep_datagen.core.words import ngrams, opening, words
from apep_datagen.language.content import is_function_word, stem

__all__ = ["OwnWords", "own_words"]

# A note speaks of "the user" where a reply says "you": it is a pronoun.
_USER = frozenset({"user", "users"})

_CONTENT_WORDS = 3
"""So many content words in a row make a quotation: two, as in "old friend", come together by themselves."""
_LEAST_WORDS = 5
"""A quotation has so many words altogether, as an opening has; that matters where small words are not known as such."""
_LONGEST_GAP = 5
"""So many words may stand between two content words of a quotation. More of them say something of their own."""


@dataclass(frozen=True, slots=True)
class OwnWords:
    """The words of a text that it does not quote.

    Attributes:
        runs: Its own words, in order; those of a run stand together. A text that quotes nothing is one run.
        opening: The first five words of the text, as `core.words.opening` has them; empty where what they say is
            quoted.
        quoted: How many words are quoted.
    """

    runs: tuple[tuple[str, ...], ...]
    opening: str
    quoted: int


def own_words(text: str, sources: Iterable[str] = ()) -> OwnWords:
    """Return the words of a text that are quoted from none of the sources.

    Args:
        text: The text.
        sources: What it may quote, such as notes that were looked up.
    """
    said = words(text)
    begins = opening(said)
    spans = list(_quotations(said, sources))
    if not spans:
        return OwnWords((tuple(said),) if said else (), begins, 0)
    runs: list[tuple[str, ...]] = []
    end = 0
    for first, stop in (*spans, (len(said), len(said))):
        if first > end:
            runs.append(tuple(said[end:first]))
        end = stop
    places = [place for place, _ in _content(begins.split())]
    if places and all(any(first <= place < stop for first, stop in spans) for place in places):
        begins = ""
    return OwnWords(tuple(runs), begins, sum(stop - first for first, stop in spans))


def _quotations(said: Sequence[str], sources: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yield where each quotation begins and ends among the words, in order; they do not touch."""
    known = _runs_of_all(tuple(sources))
    if not known:
        return
    content = _content(said)
    span: tuple[int, int] | None = None
    for run in ngrams(content, _CONTENT_WORDS):
        places = [place for place, _ in run]
        if tuple(stem for _, stem in run) not in known or _is_apart(places):
            continue
        first, stop = places[0], places[-1] + 1
        if span and first <= span[1]:
            span = (span[0], stop)
            continue
        if span and span[1] - span[0] >= _LEAST_WORDS:
            yield span
        span = (first, stop)
    if span and span[1] - span[0] >= _LEAST_WORDS:
        yield span


# Each reply of a conversation is held against the same notes.
@lru_cache(maxsize=2)
def _runs_of_all(sources: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    return frozenset[tuple[str, ...]]().union(*map(_runs, dict.fromkeys(sources)))


# A user's notes are looked up again and again.
@lru_cache(maxsize=512)
def _runs(source: str) -> frozenset[tuple[str, ...]]:
    """Return the runs of content words of a source, by their stems."""
    return frozenset(ngrams([carried for _, carried in _content(words(source))], _CONTENT_WORDS))


def _content(said: Sequence[str]) -> list[tuple[int, str]]:
    """Return the stems of the content words, each with its place."""
    return [(place, carried) for place, word in enumerate(said) if (carried := _carried(word))]


@lru_cache(maxsize=65_536)
def _carried(word: str) -> str:
    """Return the stem of a word that carries content; nothing for others."""
    return "" if word in _USER or is_function_word(word) else stem(word)


def _is_apart(places: Sequence[int]) -> bool:
    return any(after - before > _LONGEST_GAP + 1 for before, after in pairwise(places))
