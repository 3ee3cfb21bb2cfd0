"""Which conversations are in a report of some of them: of each kind its share, and the same ones each time."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable

__all__ = ["sample_of"]


def sample_of(kinds: Iterable[tuple[int, str, str]], size: int) -> frozenset[int]:
    """Return the numbers of a sample: of each kind the share that it has of all, and one at least if there is room.

    Args:
        kinds: For each conversation its number, its kind, and a digest, whose order is the order of being taken.
        size: How many are taken, if there are so many.
    """
    members: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for number, kind, digest in kinds:
        members[kind].append((digest, number))
    shares = _shares({kind: len(there) for kind, there in members.items()}, size)
    return frozenset(number for kind, there in members.items() for _, number in heapq.nsmallest(shares[kind], there))


def _shares(counts: dict[str, int], size: int) -> dict[str, int]:
    """Divide a size by counts: at least one for each while there is room, the rest by largest remainders."""
    whole = sum(counts.values())
    if size >= whole:
        return counts
    wished = {kind: size * count / whole for kind, count in counts.items()}
    least = 1 if size >= len(counts) else 0
    shares = {kind: max(least, int(wish)) for kind, wish in wished.items()}
    while sum(shares.values()) < size:
        kind = max(sorted(k for k in counts if shares[k] < counts[k]), key=lambda kind: wished[kind] - shares[kind])
        shares[kind] += 1
    while sum(shares.values()) > size:
        kind = min(sorted(k for k in counts if shares[k] > least), key=lambda kind: wished[kind] - shares[kind])
        shares[kind] -= 1
    return shares
