"""Whether a conversation is too much like one that was accepted before, anywhere in the run.

Two texts are compared by the share of their word trigrams that they have in common (Jaccard similarity). Which accepted
texts are worth comparing is found in constant time, by MinHash: each text has 36 minima of hashes of its trigrams, and
two texts agree in each minimum with a probability that is their similarity. Three minima at a time make a band, and
those who share one of the 12 bands are compared: 94.6 % of the texts with a similarity of 0.6, 99.3 % at 0.7, and about
one of 80 at 0.1. A text's bands are 64-bit keys in a table; nothing is kept in memory.

The minima are those of "One Permutation Hashing" (Li, Owen, Zhang; NIPS 2012): each trigram is hashed once, which says
its bin and its value there. A bin without a trigram takes the minimum of another, as in "Optimal Densification for Fast
and Accurate Minwise Hashing" (Shrivastava; ICML 2017).

What was accepted is asked through `Accepted`; `storage.accepted` is it, in the tables `near` and `openings`. Keys are
kept there: whoever changes how they are computed makes all earlier texts of a run unknown.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Literal, Protocol

from apep_datagen.core.words import opening, shingles, words
from apep_datagen.quality.problem import Problem, Stage

__all__ = [
    "BANDS",
    "MOST_IN_A_BAND",
    "PARTS",
    "PART_NAMES",
    "SKETCH_LENGTH",
    "Accepted",
    "NoveltyLimits",
    "Part",
    "band_keys",
    "check",
    "first_alike",
    "signature_keys",
    "similarity",
    "sketch",
]

Part = Literal["question", "reply"]
PARTS: tuple[Part, Part] = ("question", "reply")
PART_NAMES: dict[Part, str] = {"question": "the user's message", "reply": "the reply"}

BANDS = 12
_ROWS = 3
_BINS = BANDS * _ROWS
SKETCH_LENGTH = _BINS
"""Bytes of a text's sketch."""
MOST_IN_A_BAND = 32
"""So many of the latest that share a band are looked at, so that one which many share costs no more than others."""
_MOST_COMPARED = 32
_LEAST_WORDS = 4
_HASH_BYTES = 8


@dataclass(frozen=True, slots=True)
class NoveltyLimits:
    """What is still new.

    Attributes:
        similarity: Texts as similar as this, or more, are nearly the same; from 0 to 1.
        opening_share: The share of the accepted conversations that may begin alike.
        least_openings: So many may begin alike however few there are.
    """

    similarity: float = 0.6
    opening_share: float = 0.02
    least_openings: int = 3

    def most_openings(self, conversations: int) -> float:
        """Return how many of so many conversations may begin alike."""
        return max(self.least_openings, self.opening_share * conversations)


class Accepted(Protocol):
    """The conversations that were accepted before. Of several exchanges, questions and replies are joined."""

    def count(self) -> int:
        """Return how many there are."""

    def sharing(self, keys: Sequence[int]) -> Iterable[int]:
        """Return those that have one of `BANDS` keys, once for each, of each key the latest `MOST_IN_A_BAND`."""

    def spoken(self, conversation_id: int) -> tuple[str, str] | None:
        """Return question and reply of one, or None if they are not to be had."""

    def times_begun(self, part: Part, begins: str) -> int:
        """Return how many begin so, by what `core.words.opening` returns."""

    def remember(self, conversation_id: int, question: str, reply: str) -> None:
        """Take in one more, once."""


def check(question: str, reply: str, accepted: Accepted, limits: NoveltyLimits) -> Problem | None:
    """Return what is not new about a conversation; it is not remembered by this.

    Args:
        question: The user's message; of several exchanges all of them, joined.
        reply: Ada's reply; of several exchanges all of them, joined.
        accepted: What was accepted before.
        limits: What is still new.
    """
    for part, text in zip(PARTS, (question, reply), strict=True):
        if found := _nearly_the_same(part, text, accepted, limits.similarity):
            number, share = found
            reason = f"{PART_NAMES[part]} is nearly the same as an accepted one"
            return Problem(Stage.NOVELTY, reason, f"like conversation {number} ({share:.2f})")
    most = limits.most_openings(accepted.count())
    texts: tuple[tuple[Part, str], ...] = (("reply", reply), ("question", question))
    for part, text in texts:
        begins = opening(words(text))
        if accepted.times_begun(part, begins) + 1 > most:
            return Problem(Stage.NOVELTY, f"{PART_NAMES[part]} begins as too many others do", begins)
    return None


def _nearly_the_same(part: Part, text: str, accepted: Accepted, least: float) -> tuple[int, float] | None:
    """Return which accepted text this one is as similar to as `least`, and how similar, or None."""
    keys = band_keys(part, text)
    if not keys:
        return None
    sharing = Counter(accepted.sharing(keys))
    # Whoever shares the most bands is the most similar, as far as the keys tell; then the latest.
    candidates = sorted(sharing, key=lambda number: (sharing[number], number), reverse=True)[:_MOST_COMPARED]
    place = PARTS.index(part)
    others = ((number, spoken[place]) for number in candidates if (spoken := accepted.spoken(number)))
    return first_alike(text, others, least)


def first_alike(text: str, others: Iterable[tuple[int, str]], least: float) -> tuple[int, float] | None:
    """Return the first of other texts that is as similar as this, or more.

    Args:
        text: The text.
        others: The others, each with a number.
        least: The similarity that is looked for.

    Returns:
        Its number and its similarity; None where there is none.
    """
    trigrams = shingles(text)
    for number, other in others:
        share = _jaccard(trigrams, shingles(other))
        if share >= least:
            return number, share
    return None


def signature_keys(question: str, reply: str) -> list[int]:
    """Return the keys of a conversation: those of both texts."""
    return [*band_keys("question", question), *band_keys("reply", reply)]


def sketch(text: str) -> bytes:
    """Return a byte for each minimum of a text, or none for a text of fewer than four words.

    Of two texts, the share of the places that have the same byte is about their similarity: it is found 0.08 too high
    or too low, and seldom more than three times that.
    """
    return bytes(least & 0xFF for least in _minima(text))


def similarity(one: str, other: str) -> float:
    """Return the share of the word trigrams of two texts that are in both, from 0 to 1."""
    return _jaccard(shingles(one), shingles(other))


def _jaccard(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> float:
    common = len(one & other)
    return common / (len(one) + len(other) - common) if common else 0.0


# What is accepted has just been checked: its keys are asked for twice.
@lru_cache(maxsize=16)
def band_keys(part: Part, text: str) -> tuple[int, ...]:
    """Return the keys of a text: 12, or none for a text of fewer than four words.

    Texts that are nearly the same share a key; others seldom do. The keys are signed 64-bit integers, and the same in
    every process.
    """
    minima = _minima(text)
    return tuple(
        _hash(f"{part} {start} {minima[start : start + _ROWS]}", signed=True) for start in range(0, len(minima), _ROWS)
    )


@lru_cache(maxsize=16)
def _minima(text: str) -> list[int]:
    """Return the minimum in each bin; none at all for a text that is too short to be told apart by."""
    said = words(text)
    if len(said) < _LEAST_WORDS:
        return []
    # Most of what a comparison costs is here: one buffer is taken apart sooner than many.
    digests = [
        blake2b(" ".join(trigram).encode(), digest_size=_HASH_BYTES).digest()
        for trigram in zip(said, said[1:], said[2:], strict=False)
    ]
    least: dict[int, int] = {}
    for number in struct.unpack(f"<{len(digests)}Q", b"".join(digests)):
        value, place = divmod(number, _BINS)
        if value < least.get(place, value + 1):
            least[place] = value
    return [
        least[place] if place in least else least[next(other for other in _IN_STEAD[place] if other in least)]
        for place in range(_BINS)
    ]


def _hash(text: str, *, signed: bool = False) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=_HASH_BYTES).digest(), "little", signed=signed)


# For each bin itself, then the others in an order of its own: the first that has a trigram is taken.
_IN_STEAD = [
    sorted(range(_BINS), key=lambda other: (other != place, _hash(f"{place} {other}"))) for place in range(_BINS)
]
