"""What of a row a chat template keeps: its thoughts, calls and results, in their order."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from apep_datagen.chat_templates.marks import Item, Marked
from apep_datagen.chat_templates.template import Rendered
from apep_datagen.formats.example import Counts
from apep_datagen.formats.format import Kind

__all__ = ["Finding", "Findings", "Kept", "what_is_kept"]

Finding = Literal["lost", "glued", "moved", "twice", "not learnt", "learnt"]
"""What can be wrong with a part of a row.

`lost`: it is not in the text. `glued`: a call, and behind it what Ada answers, without the results between. `moved`: it
stands before what it comes after. `twice`: it is in the text more than once. `not learnt`: Ada wrote it, and it stands
outside of the generation tags. `learnt`: a result inside of them.
"""
Findings = Mapping[tuple[Finding, Kind], int]


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a row's new messages.

    Attributes:
        counts: How much of each kind is in the text.
        findings: How many of each kind have something wrong with them.
    """

    counts: Counts
    findings: Findings


def what_is_kept(marked: Marked, rendered: Rendered, *, has_generation_tags: bool = False) -> Kept:
    """Tell what is left of a row.

    Args:
        marked: The row with its marks.
        rendered: What the template made of its messages.
        has_generation_tags: Whether the template says what is to be learnt.
    """
    places: dict[int, int] = {}
    times: Counter[int] = Counter()
    for number, place in marked.numbers(rendered.text):
        places.setdefault(number, place)
        times[number] += 1
    kept = [item for item in marked.items if item.marks and all(number in places for number in item.marks)]
    findings: Counter[tuple[Finding, Kind]] = Counter()
    kept_marks = {item.marks for item in kept}
    for item in marked.items:
        if item.marks not in kept_marks:
            findings["lost", item.kind] += item.number
    for item in _out_of_order(kept, [places[item.marks[0]] for item in kept]):
        findings["moved", item.kind] += item.number
    for item in kept:
        if not item.is_name and times[item.marks[-1]] > 1:
            findings["twice", item.kind] += item.number
        if has_generation_tags:
            is_inside = _is_inside(places[item.marks[0]], rendered.spans)
            if item.is_adas and not is_inside:
                findings["not learnt", item.kind] += item.number
            elif item.kind == "results" and is_inside:
                findings["learnt", item.kind] += item.number
    findings["glued", "calls"] = _glued(marked.items, kept)
    return Kept(_counts(marked, kept), +findings)


def _out_of_order(items: Sequence[Item], places: Sequence[int]) -> list[Item]:
    """Return the fewest items without which all others stand in the order of the row.

    Those that stay are a longest subsequence that does not fall: https://en.wikipedia.org/wiki/Longest_increasing_subsequence.
    """
    if all(places[index] <= places[index + 1] for index in range(len(places) - 1)):
        return []
    tails: list[int] = []  # the least place at which a sequence of each length can end, and of which item that is
    ends: list[int] = []
    previous: list[int | None] = []
    for index, place in enumerate(places):
        length = bisect_right(tails, place)
        previous.append(ends[length - 1] if length else None)
        tails[length : length + 1] = [place]
        ends[length : length + 1] = [index]
    staying = set[int]()
    last: int | None = ends[-1]
    while last is not None:
        staying.add(last)
        last = previous[last]
    return [item for index, item in enumerate(items) if index not in staying]


def _is_inside(place: int, spans: Sequence[tuple[int, int]]) -> bool:
    index = bisect_right(spans, (place, float("inf"))) - 1
    return index >= 0 and place < spans[index][1]


def _glued(items: Sequence[Item], kept: Sequence[Item]) -> int:
    """Return how many calls are kept, and what Ada writes next, but none of the results between."""
    results = {item.message for item in items if item.kind == "results"}
    results_kept = {item.message for item in kept if item.kind == "results"}
    written = {item.message for item in kept if item.is_adas}
    return sum(
        item.number
        for item in kept
        if item.kind == "calls" and item.message + 1 in results - results_kept and item.message + 2 in written
    )


def _counts(marked: Marked, kept: Sequence[Item]) -> Counts:
    numbers: Counter[Kind] = Counter()
    for item in kept:
        numbers[item.kind] += item.number
    return Counts(
        marked.before.messages - len(_lost_messages(marked.items, kept)),
        numbers["thoughts"],
        numbers["calls"],
        numbers["results"],
    )


def _lost_messages(items: Sequence[Item], kept: Sequence[Item]) -> set[int]:
    """Return the messages of which what is said is lost; of those in which nothing is said, all."""
    said = {item.message for item in items if item.kind == "messages"}
    left = {item.message for item in kept if item.kind == "messages" or item.message not in said}
    return {item.message for item in items} - left
