"""Two evaluations side by side: what both were asked, question by question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields

from apep_datagen.core.errors import StorageError
from apep_datagen.evaluate.element import Examined
from apep_datagen.evaluate.exam import Exam
from apep_datagen.evaluate.interval import Difference, difference_of
from apep_datagen.people.scenario import FORMS, Ability

__all__ = ["ALL", "Compared", "Comparison", "compare"]

ALL = "all"
"""The name of the row of all abilities."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Questions that both were asked.

    Attributes:
        pairs: How many there are of which both say something about Ada.
        ours: Which share of them the first got right.
        theirs: Which share the second did.
        difference: The first less the second, with its 95 % interval.
    """

    pairs: int
    ours: float
    theirs: float
    difference: Difference


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two evaluations differ.

    Attributes:
        rows: By ability, `ALL` first; empty where they have no question in common.
        notes: In what the exams differ, and how many questions were not compared, a sentence each.
    """

    rows: Mapping[str, Compared]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question of an evaluation, and what came of it; None where that says nothing about Ada."""

    question: str
    ability: Ability
    is_right: bool | None


_Pair = tuple[int, bool, bool]
"""Whose a question is, and whether each got it right."""


def compare(ours: Iterable[Examined], theirs: Iterable[Examined]) -> Comparison:
    """Compare two evaluations by what both were asked: the same user, try and day, and the same question.

    Args:
        ours: The first.
        theirs: The second.

    Raises:
        StorageError: One of them holds no conversation.
    """
    (exam, tables, first), (other_exam, other_tables, second) = _read(ours), _read(theirs)
    pairs: defaultdict[str, list[_Pair]] = defaultdict(list)
    same = [place for place, asked in first.items() if _is_same(asked, second.get(place))]
    for place in same:
        one, other = first[place].is_right, second[place].is_right
        if one is not None and other is not None:
            for name in (ALL, first[place].ability.value):
                pairs[name].append((place[0], one, other))
    notes = list(_notes(exam, other_exam, is_other_world=tables != other_tables))
    if left := len(first) + len(second) - 2 * len(same):
        notes.append(f"Not compared because the other evaluation has no counterpart: {left:,} conversations.")
    if void := len(same) - len(pairs[ALL]):
        notes.append(f"Not compared because one of the two conversations says nothing about Ada: {void:,} questions.")
    names = [ALL, *(ability.value for ability in FORMS)]
    return Comparison({name: _compared(pairs[name]) for name in names if pairs[name]}, tuple(notes))


def _read(elements: Iterable[Examined]) -> tuple[Exam, str, dict[tuple[int, int, int], _Asked]]:
    exam, tables = None, ""
    asked: dict[tuple[int, int, int], _Asked] = {}
    for element in elements:
        exam, tables = element.exam, element.tables
        outcome = element.outcome
        place = (element.user, element.number_of_try, element.day)
        asked[place] = _Asked(element.question, element.ability, None if outcome.is_void else outcome.is_right)
    if exam is None:
        raise StorageError("one of the two evaluations holds no conversation yet; the same command goes on with it")
    return exam, tables, asked


def _is_same(asked: _Asked, other: _Asked | None) -> bool:
    return other is not None and asked.question == other.question


def _notes(exam: Exam, other: Exam, *, is_other_world: bool) -> Iterator[str]:
    differing = [
        f"{_NAMES[one.name]} ({getattr(exam, one.name)} here, {getattr(other, one.name)} there)"
        for one in fields(Exam)
        if getattr(exam, one.name) != getattr(other, one.name)
    ]
    if is_other_world:
        differing.append("the tables that users and questions are drawn from")
    if differing:
        yield f"The two exams differ in {', '.join(differing)}."


_NAMES = {
    "seed": "the seed",
    "users": "the number of users",
    "days": "the days of a user",
    "tries": "the tries",
    "max_tool_rounds": "how often tools may be used",
    "tester": "the tester",
}


def _compared(pairs: list[_Pair]) -> Compared:
    count = len(pairs)
    return Compared(
        count,
        sum(one for _, one, _ in pairs) / count,
        sum(other for _, _, other in pairs) / count,
        difference_of(pairs),
    )
