"""Whether what was said is too much like what was said in a conversation accepted before, anywhere in the run.

Two texts are compared by the share of their word trigrams that they have in common (Jaccard similarity). What a text
quotes has no trigrams, and none reaches across it (`quality.wording`). One that is nearly all quotation is not
compared.

Which accepted texts are worth comparing is found in constant time, by MinHash: each text has 36 minima of hashes of its
trigrams, and two texts agree in each minimum with a probability that is their similarity. Three minima at a time make a
band, and those who share one of the 12 bands are compared: 94.6 % of the texts with a similarity of 0.6, 99.3 % at 0.7,
and about one of 80 at 0.1. A text's bands are 64-bit keys in a table; nothing is kept in memory.

The minima are those of "One Permutation Hashing" (Li, Owen, Zhang; NIPS 2012): each trigram is hashed once, which says
its bin and its value there. A bin without a trigram takes the minimum of another, as in "Optimal Densification for Fast
and Accurate Minwise Hashing" (Shrivastava; ICML 2017).

What was accepted is asked through `Accepted`; `storage.accepted` is it, in the tables `near`, `openings` and `phrases`.
Keys are kept there: whoever changes how they are computed makes all earlier texts of a run unknown. A key that was kept
before quotations were left out is that of the whole reply. One that quotes is then found by chance alone, and no reply
is refused because of it: what is compared are the words that both have of their own.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Literal, Protocol

from apep_datagen.core.words import ngrams
from apep_datagen.language.quotation import OwnWords
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.wording import Wording

__all__ = [
    "BANDS",
    "MOST_IN_A_BAND",
    "PARTS",
    "PART_NAMES",
    "SKETCH_LENGTH",
    "Accepted",
    "NoveltyLimits",
    "OpeningPart",
    "Part",
    "band_keys",
    "check",
    "first_alike",
    "of_part",
    "openings_of",
    "signature_keys",
    "similarity",
    "sketch",
    "trigrams",
]

Part = Literal["question", "reply"]
OpeningPart = Literal["question", "reply", "first thought", "later thought"]
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
_TRIGRAM = 3
_LEAST_TRIGRAMS_AROUND = 8
"""A text has so many trigrams beside what it quotes, or it is not compared: many say "Here it is. It says that"."""
_HASH_BYTES = 8


@dataclass(frozen=True, slots=True)
class NoveltyLimits:
    """What is still new.

    Attributes:
        similarity: Texts as similar as this, or more, are nearly the same; from 0 to 1.
        opening_share: The share of the accepted conversations that may begin alike.
        least_openings: So many may begin alike however few there are.
        thought_opening_share: The share of the accepted conversations whose thoughts may begin with the same five
            words; first thoughts and those after results are counted apart.
        thought_phrase_share: The share of them whose thoughts may have the same six words in a row.
        thought_habit_share: The share of them whose thoughts may begin with the same word, or have the same four words.
        least_thoughts: So many may have thoughts that are alike however few there are.
    """

    similarity: float = 0.6
    opening_share: float = 0.02
    least_openings: int = 3
    thought_opening_share: float = 0.1
    thought_phrase_share: float = 0.15
    thought_habit_share: float = 0.6
    least_thoughts: int = 10

    def most_openings(self, conversations: int) -> float:
        """Return how many of so many conversations may begin alike."""
        return max(self.least_openings, self.opening_share * conversations)

    def most_thoughts(self, share: float, conversations: int) -> float:
        """Return how many of so many conversations and one more may have thoughts that are alike, if this share may."""
        return max(self.least_thoughts, share * (conversations + 1))


class Accepted(Protocol):
    """The conversations that were accepted before."""

    def count(self) -> int:
        """Return how many there are."""

    def sharing(self, keys: Sequence[int]) -> Iterable[int]:
        """Return those that have one of `BANDS` keys, once for each, of each key the latest `MOST_IN_A_BAND`."""

    def wording(self, conversation_id: int) -> Wording | None:
        """Return the words of one, or None if they are not to be had."""

    def times_begun(self, part: OpeningPart, begins: str) -> int:
        """Return how many begin so, by their opening; thoughts also by their first word (`quality.thinking`)."""

    def times_phrased(self, phrases: Sequence[str]) -> Sequence[int]:
        """Return for each phrase of four words how many have it in their thoughts, or a few more."""

    def remember(self, conversation_id: int, wording: Wording) -> None:
        """Take in one more, once."""


def of_part(part: Part, wording: Wording) -> OwnWords:
    """Return the words of one part of a conversation."""
    return wording.question if part == "question" else wording.reply


def openings_of(part: Part, wording: Wording) -> tuple[str, ...]:
    """Return how the texts of one part begin, in whichever exchange, each once."""
    later = wording.later_questions if part == "question" else wording.later_replies
    return tuple(dict.fromkeys(begins for begins in (of_part(part, wording).opening, *later) if begins))


def check(wording: Wording, accepted: Accepted, limits: NoveltyLimits) -> Problem | None:
    """Return what is not new about what was said in a conversation; it is not remembered by this.

    Args:
        wording: The words of the conversation.
        accepted: What was accepted before.
        limits: What is still new.
    """
    for part in PARTS:
        if found := _nearly_the_same(part, of_part(part, wording), accepted, limits.similarity):
            number, share = found
            reason = f"{PART_NAMES[part]} is nearly the same as an accepted one"
            return Problem(Stage.NOVELTY, reason, f"like conversation {number} ({share:.2f})")
    most = limits.most_openings(accepted.count())
    for part in reversed(PARTS):
        for begins in openings_of(part, wording):
            if accepted.times_begun(part, begins) + 1 > most:
                return Problem(Stage.NOVELTY, f"{PART_NAMES[part]} begins as too many others do", begins)
    return None


def _nearly_the_same(part: Part, text: OwnWords, accepted: Accepted, least: float) -> tuple[int, float] | None:
    """Return which accepted text this one is as similar to as `least`, and how similar, or None."""
    keys = band_keys(part, text)
    if not keys:
        return None
    sharing = Counter(accepted.sharing(keys))
    # Whoever shares the most bands is the most similar, as far as the keys tell; then the latest.
    candidates = sorted(sharing, key=lambda number: (sharing[number], number), reverse=True)[:_MOST_COMPARED]
    others = ((number, of_part(part, other)) for number in candidates if (other := accepted.wording(number)))
    return first_alike(text, others, least)


def first_alike(text: OwnWords, others: Iterable[tuple[int, OwnWords]], least: float) -> tuple[int, float] | None:
    """Return the first of other texts that is as similar as this, or more.

    Args:
        text: The text.
        others: The others, each with a number.
        least: The similarity that is looked for.

    Returns:
        Its number and its similarity; None where there is none.
    """
    own = trigrams(text)
    for number, other in others:
        share = _jaccard(own, trigrams(other))
        if share >= least:
            return number, share
    return None


def signature_keys(wording: Wording) -> list[int]:
    """Return the keys of a conversation: those of both texts."""
    return [key for part in PARTS for key in band_keys(part, of_part(part, wording))]


def sketch(text: OwnWords) -> bytes:
    """Return a byte for each minimum of a text, or none for a text that is not compared.

    Of two texts, the share of the places that have the same byte is about their similarity: it is found 0.08 too high
    or too low, and seldom more than three times that.
    """
    return bytes(least & 0xFF for least in _minima(text))


def similarity(one: OwnWords, other: OwnWords) -> float:
    """Return the share of the word trigrams of two texts that are in both, from 0 to 1."""
    return _jaccard(trigrams(one), trigrams(other))


def trigrams(text: OwnWords) -> frozenset[tuple[str, ...]]:
    """Return the word trigrams by which a text is compared; a text of one or two words is one, shorter, trigram.

    Of a text that quotes, they are those of its own words, and none at all where these are too few.
    """
    if not text.quoted:
        said = text.runs[0] if text.runs else ()
        return frozenset(ngrams(said, _TRIGRAM) if len(said) >= _TRIGRAM else [said] if said else [])
    found = frozenset(trigram for run in text.runs for trigram in ngrams(run, _TRIGRAM))
    return found if len(found) >= _LEAST_TRIGRAMS_AROUND else frozenset()


def _jaccard(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> float:
    common = len(one & other)
    return common / (len(one) + len(other) - common) if common else 0.0


# What is accepted has just been checked: its keys are asked for twice.
@lru_cache(maxsize=16)
def band_keys(part: Part, text: OwnWords) -> tuple[int, ...]:
    """Return the keys of a text: 12, or none for a text of fewer than four words, or too few beside its quotations.

    Texts that are nearly the same share a key; others seldom do. The keys are signed 64-bit integers, and the same in
    every process.
    """
    minima = _minima(text)
    return tuple(
        _hash(f"{part} {start} {minima[start : start + _ROWS]}", signed=True) for start in range(0, len(minima), _ROWS)
    )


@lru_cache(maxsize=16)
def _minima(text: OwnWords) -> list[int]:
    """Return the minimum in each bin; none at all for a text that is too short to be told apart by."""
    if sum(map(len, text.runs)) < _LEAST_WORDS:
        return []
    # Most of what a comparison costs is here: one buffer is taken apart sooner than many.
    digests = [blake2b(" ".join(trigram).encode(), digest_size=_HASH_BYTES).digest() for trigram in trigrams(text)]
    if not digests:
        return []
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
