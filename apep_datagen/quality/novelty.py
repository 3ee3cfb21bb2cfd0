"""Whether a conversation is too much like one that was accepted before, anywhere in the run.

Two texts are compared by the share of their word trigrams that they have in common (Jaccard similarity). Which accepted
texts are worth comparing is found in constant time, by MinHash: each text has 36 minima of hashes of its trigrams, and
two texts agree in each minimum with a probability that is their similarity. Three minima at a time make a band, and
those who share one of the 12 bands are compared: 94.6 % of the texts with a similarity of 0.6, 99.3 % at 0.7, and about
one of 80 at 0.1. A text's bands are 64-bit keys in a table; nothing is kept in memory.

The minima are those of "One Permutation Hashing" (Li, Owen, Zhang; NIPS 2012): each trigram is hashed once, which says
its bin and its value there. A bin without a trigram takes the minimum of another, as in "Optimal Densification for Fast
and Accurate Minwise Hashing" (Shrivastava; ICML 2017).

The tables `near` and `openings` are in `schema.py`. All functions with a connection work within the caller's
transaction. Keys are kept in the database: whoever changes how they are computed makes all earlier texts of a run
unknown.
"""

from __future__ import annotations

import sqlite3
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Literal

from apep_datagen.core.words import shingles, words
from apep_datagen.quality.problem import Problem, Stage

__all__ = [
    "SKETCH_LENGTH",
    "NoveltyLimits",
    "check",
    "opening",
    "remember",
    "signature_keys",
    "similarity",
    "sketch",
]

_Part = Literal["question", "reply"]
_PARTS: tuple[_Part, _Part] = ("question", "reply")
_SPOKEN: dict[_Part, str] = {"question": "the user's message", "reply": "the reply"}

_BANDS = 12
_ROWS = 3
_BINS = _BANDS * _ROWS
SKETCH_LENGTH = _BINS
"""Bytes of a text's sketch."""
_LEAST_WORDS = 4
_HASH_BYTES = 8
_OPENING_WORDS = 5
_MOST_CANDIDATES = 32

# So many of the latest in each band, so that a band which many texts share costs no more than others.
_IN_A_BAND = f"SELECT conversation_id FROM near WHERE key = ? ORDER BY conversation_id DESC LIMIT {_MOST_CANDIDATES}"  # noqa: S608 - constant
_IN_SAME_BANDS = " UNION ALL ".join([f"SELECT conversation_id FROM ({_IN_A_BAND})"] * _BANDS)  # noqa: S608 - constant


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


def check(
    connection: sqlite3.Connection,
    question: str,
    reply: str,
    *,
    accepted: int,
    limits: NoveltyLimits,
    text_of: Callable[[int], tuple[str, str] | None],
) -> Problem | None:
    """Return what is not new about a conversation; it is not remembered by this.

    Args:
        connection: The state database.
        question: The user's message; of several exchanges all of them, joined.
        reply: Ada's reply; of several exchanges all of them, joined.
        accepted: How many conversations are accepted.
        limits: What is still new.
        text_of: Returns question and reply of an accepted conversation, joined in the same way, or None if they are
            not to be had. Called for those few that may be nearly the same.
    """
    for part, text in zip(_PARTS, (question, reply), strict=True):
        found = _nearly_the_same(connection, part, text, limits.similarity, text_of)
        if found:
            return Problem(Stage.NOVELTY, f"{_SPOKEN[part]} is nearly the same as an accepted one", found)
    most = max(limits.least_openings, limits.opening_share * accepted)
    for part, text in (("reply", reply), ("question", question)):
        begins = opening(text)
        if _times_accepted(connection, part, begins) + 1 > most:
            return Problem(Stage.NOVELTY, f"{_SPOKEN[part]} begins as too many others do", begins)
    return None


def remember(connection: sqlite3.Connection, conversation_id: int, question: str, reply: str) -> None:
    """Remember a conversation that is accepted, once; texts as for `check`."""
    connection.executemany(
        "INSERT INTO near (key, conversation_id) VALUES (?, ?)",
        [(key, conversation_id) for key in signature_keys(question, reply)],
    )
    connection.executemany(
        "INSERT INTO openings (part, opening, count) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
        [(part, begins) for part, text in zip(_PARTS, (question, reply), strict=True) if (begins := opening(text))],
    )


def signature_keys(question: str, reply: str) -> list[int]:
    """Return the keys of a conversation: 12 for each text, or none for a text of fewer than four words.

    Texts that are nearly the same share a key; others seldom do. The keys are signed 64-bit integers, and the same in
    every process.
    """
    return [*_keys("question", question), *_keys("reply", reply)]


def sketch(text: str) -> bytes:
    """Return a byte for each minimum of a text, or none for a text of fewer than four words.

    Of two texts, the share of the places that have the same byte is about their similarity: it is found 0.08 too high
    or too low, and seldom more than three times that.
    """
    return bytes(least & 0xFF for least in _minima(text))


def similarity(one: str, other: str) -> float:
    """Return the share of the word trigrams of two texts that are in both, from 0 to 1."""
    return _jaccard(shingles(one), shingles(other))


def opening(text: str) -> str:
    """Return a text's first five words as they are counted, or all if there are fewer."""
    return " ".join(words(text)[:_OPENING_WORDS])


def _nearly_the_same(
    connection: sqlite3.Connection,
    part: _Part,
    text: str,
    least: float,
    text_of: Callable[[int], tuple[str, str] | None],
) -> str | None:
    """Return which accepted text this one is as similar to as `least`, and how similar, or None."""
    keys = _keys(part, text)
    if not keys:
        return None
    sharing = Counter(number for (number,) in connection.execute(_IN_SAME_BANDS, keys))
    # Whoever shares the most bands is the most similar, as far as the keys tell; then the latest.
    candidates = sorted(sharing, key=lambda number: (sharing[number], number), reverse=True)
    trigrams = shingles(text)
    for number in candidates[:_MOST_CANDIDATES]:
        texts = text_of(number)
        if texts is None:
            continue
        share = _jaccard(trigrams, shingles(texts[_PARTS.index(part)]))
        if share >= least:
            return f"like conversation {number} ({share:.2f})"
    return None


def _times_accepted(connection: sqlite3.Connection, part: _Part, begins: str) -> int:
    row = connection.execute("SELECT count FROM openings WHERE part = ? AND opening = ?", (part, begins)).fetchone()
    return int(row[0]) if row else 0


def _jaccard(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> float:
    common = len(one & other)
    return common / (len(one) + len(other) - common) if common else 0.0


# What is accepted has just been checked: its keys are asked for twice.
@lru_cache(maxsize=16)
def _keys(part: _Part, text: str) -> tuple[int, ...]:
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
