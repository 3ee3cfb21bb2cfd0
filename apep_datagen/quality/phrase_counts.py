"""How many conversations have a phrase, for all phrases of a run in 64 KiB.

It is a count-min sketch (Cormode and Muthukrishnan, "An Improved Data Stream Summary", Journal of Algorithms 2005): two
rows of 8,192 counters. A phrase has one in each, by its hash, and the smaller of the two is how often it was counted,
or more, where others share both. Of 1,000 conversations whose thoughts have 94 different phrases each, as those of a
capable model have, a counter gets some 11 from others; what is looked for is in 150 of them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from hashlib import blake2b

__all__ = ["PhraseCounts"]

_COUNTERS = 8192
_ROWS = 2
_COUNTER = struct.Struct("<I")
_SIZE = _ROWS * _COUNTERS * _COUNTER.size
_PLACES = struct.Struct(f"<{_ROWS}I")


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
        self._counters = bytearray(_SIZE if stored is None else stored)

    def add(self, phrases: Iterable[str]) -> None:
        """Count a conversation that has these phrases."""
        for place in {place for phrase in phrases for place in _places(phrase)}:
            _COUNTER.pack_into(self._counters, place, _COUNTER.unpack_from(self._counters, place)[0] + 1)

    def times(self, phrase: str) -> int:
        """Return how many conversations have a phrase, or a few more; never fewer."""
        return int(min(_COUNTER.unpack_from(self._counters, place)[0] for place in _places(phrase)))

    def stored(self) -> bytes:
        """Return what is to be stored; the same on every machine."""
        return bytes(self._counters)


def _places(phrase: str) -> tuple[int, ...]:
    """Return the offset of a phrase's counter in each row."""
    digest = blake2b(phrase.encode(), digest_size=_PLACES.size).digest()
    return tuple(
        (row * _COUNTERS + number % _COUNTERS) * _COUNTER.size for row, number in enumerate(_PLACES.unpack(digest))
    )
