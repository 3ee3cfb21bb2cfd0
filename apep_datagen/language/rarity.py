"""How rare a word is in English as people write it, so that what two texts share by chance can be told.

`common_words.txt` lists the words that come up ten times in a million words or oftener, by their frequency.
"""

from __future__ import annotations

import functools
from importlib import resources

from apep_datagen.core.words import words
from apep_datagen.language.content import stem

__all__ = ["is_everyday", "rarity"]

# Of how many of the most frequent words a word is not one, for each degree. They are the Zipf frequencies 4.8, 4.4 and
# 4.0: about 63, 25 and 10 in a million words.
_DEGREES = (1_645, 3_617, 7_134)
# Zipf 5.2: about 160 in a million words.
_EVERYDAY = 624
# A number of three digits or more says as much as a rare word; shorter ones turn up anywhere.
_RARE_DIGITS = 3
_DEGREES_OF_NUMBERS = len(_DEGREES)


def rarity(stemmed: str) -> int:
    """Return how rare a word is, by its stem: 0 (often met) to 3 (met less than ten times in a million words)."""
    if stemmed.isdigit():
        return _DEGREES_OF_NUMBERS * (len(stemmed) >= _RARE_DIGITS)
    rank = _ranks().get(stemmed, len(_ranks()) + _DEGREES[-1])
    return sum(rank >= degree for degree in _DEGREES)


def is_everyday(stemmed: str) -> bool:
    """Tell whether a word is one of the few hundred that turn up in any talk."""
    return _ranks().get(stemmed, _EVERYDAY) < _EVERYDAY or (stemmed.isdigit() and len(stemmed) < _RARE_DIGITS)


@functools.cache
def _ranks() -> dict[str, int]:
    """Return the place of each stem, from 0: that of its most frequent word."""
    text = resources.files("apep_datagen.language").joinpath("common_words.txt").read_text(encoding="utf-8")
    listed = " ".join(line for line in text.splitlines() if not line.startswith("#")).split()
    ranks: dict[str, int] = {}
    for rank, word in enumerate(listed):
        for part in words(word):
            ranks.setdefault(stem(part), rank)
    return ranks
