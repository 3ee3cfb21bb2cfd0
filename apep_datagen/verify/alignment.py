"""Which conversation of a file is which of those that were written, where some are missing, changed or moved."""

from __future__ import annotations

import bisect
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Alignment", "align"]


@dataclass(frozen=True, slots=True)
class Alignment:
    """How what is there corresponds to what was written; all are indices from 0.

    Attributes:
        in_place: What is there unchanged, with what was written.
        moved: What is there unchanged, but not in its place, with what was written.
        changed: What stands in the place of something that was written and is not there.
        unknown: What is there and was not written.
        missing: What was written and is not there.
    """

    in_place: dict[int, int]
    moved: dict[int, int]
    changed: dict[int, int]
    unknown: list[int]
    missing: list[int]


def align(there: Sequence[int], written: Sequence[int]) -> Alignment:
    """Align two sequences of numbers that are the same for what is the same.

    As many as possible are taken to be in their place. Between two of these, what is not known stands in the place
    of what is not there, in order.
    """
    places: dict[int, deque[int]] = defaultdict(deque)
    for place, content in enumerate(written):
        places[content].append(place)
    known = {index: places[content].popleft() for index, content in enumerate(there) if places.get(content)}
    in_place = _longest_ascending(known)
    moved = {index: place for index, place in known.items() if index not in in_place}
    found = set(known.values())
    changed: dict[int, int] = {}
    unknown: list[int] = []
    missing: list[int] = []
    last_index = last_place = -1
    for index, place in [*in_place.items(), (len(there), len(written))]:
        strangers = [other for other in range(last_index + 1, index) if other not in known]
        gone = [other for other in range(last_place + 1, place) if other not in found]
        changed |= zip(strangers, gone, strict=False)
        unknown += strangers[len(gone) :]
        missing += gone[len(strangers) :]
        last_index, last_place = index, place
    return Alignment(in_place, moved, changed, unknown, missing)


def _longest_ascending(pairs: dict[int, int]) -> dict[int, int]:
    """Return as many pairs as possible of which the values ascend; the keys do already (patience sorting)."""
    ends: list[int] = []  # the least value that so many ascending ones can end with
    keys: list[int] = []
    before: dict[int, int | None] = {}
    for key, value in pairs.items():
        length = bisect.bisect_left(ends, value)
        ends[length : length + 1] = [value]
        keys[length : length + 1] = [key]
        before[key] = keys[length - 1] if length else None
    chosen: list[int] = []
    key_now = keys[-1] if keys else None
    while key_now is not None:
        chosen.append(key_now)
        key_now = before[key_now]
    return {key: pairs[key] for key in reversed(chosen)}
