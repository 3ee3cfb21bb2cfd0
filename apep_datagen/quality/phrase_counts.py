"""How many conversations have a phrase, for all phrases of a run in 64 KiB.

It is a count-min sketch (Cormode and Muthukrishnan, "An Improved Data Stream Summary", Journal of Algorithms 2005): two
rows of 8,192 counters. A phrase has one in each, by its hash, and the smaller of the two is how often it was counted,
or more, where others share both. Of 1,000 conversations whose thoughts have 94 different phrases each, as those of a
capable model have, a counter gets some 11 from others; what is looked for is in 150 of them.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable
from zlib import crc32

__all__ = ["PhraseCounts"]

_COUNTERS = 8192
_ROWS = 2
_SIZE = 4 * _ROWS * _COUNTERS


class PhraseCounts:
    """How many conversations have a phrase.

    Args:
        stored: What `stored` has returned before; none for the first conversation.

    Raises:
        ValueError: It is something else.
    """

    def __init__(self, stored: bytes | None = None) -> None:
        if stored is not None and len(stored) != _SIZE:
            raise ValueError(f"counts of phrases are {_SIZE} bytes, and there are {len(stored)}")
        self._counters = array("I", bytes(_SIZE) if stored is None else stored)
        self._spell()

    def add(self, phrases: Iterable[str]) -> None:
        """Count a conversation that has these phrases."""
        for place in {place for phrase in phrases for place in _places(phrase)}:
            self._counters[place] += 1

    def take_back(self, phrases: Iterable[str]) -> None:
        """Count a conversation no longer that was added with these phrases."""
        for place in {place for phrase in phrases for place in _places(phrase)}:
            self._counters[place] -= min(1, self._counters[place])

    def times(self, phrase: str) -> int:
        """Return how many conversations have a phrase, or a few more; never fewer."""
        one, other = _places(phrase)
        return min(self._counters[one], self._counters[other])

    def stored(self) -> bytes:
        """Return what is to be stored; the same on every machine."""
        self._spell()
        stored = self._counters.tobytes()
        self._spell()
        return stored

    def _spell(self) -> None:
        """Turn counters as they are stored, with the lowest byte first, into those of this machine, or back."""
        if sys.byteorder == "big":
            self._counters.byteswap()


def _places(phrase: str) -> tuple[int, int]:
    """Return the place of a phrase's counter in each row: different bits of one checksum say it."""
    checksum = crc32(phrase.encode())
    return checksum % _COUNTERS, _COUNTERS + checksum // _COUNTERS % _COUNTERS
