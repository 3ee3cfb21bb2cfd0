"""What an evaluation comes to: shares and failures by ability, form and size of memory, as data."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from apep_datagen.core.errors import StorageError
from apep_datagen.evaluate.element import Examined, Examinee
from apep_datagen.evaluate.exam import Exam
from apep_datagen.evaluate.failures import Failure
from apep_datagen.evaluate.interval import Share, share_of
from apep_datagen.people.scenario import FORMS, Ability, Form

__all__ = ["SIZES_OF_MEMORY", "Answers", "Percentiles", "Report", "Row", "report_of"]

SIZES_OF_MEMORY: Mapping[str, tuple[int, int | None]] = {
    "0": (0, 0),
    "1-5": (1, 5),
    "6-20": (6, 20),
    "21-60": (21, 60),
    "more than 60": (61, None),
}
"""By how many notes are in memory before a conversation: least and most, by name."""


@dataclass(frozen=True, slots=True)
class Row:
    """Some conversations.

    Attributes:
        count: How many there are that say something about Ada.
        right: How many of these are right.
        share: Which share of them that is, with its 95 % interval.
        failures: How many of them failed in which way.
        void: How many more there are that say nothing about her.
    """

    count: int
    right: int
    share: Share
    failures: Mapping[Failure, int]
    void: int


@dataclass(frozen=True, slots=True)
class Percentiles:
    """What half of some numbers are at the most, and what 95 % of them are; 0 where there are none."""

    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class Answers:
    """What Ada's answers cost; one is one model call.

    Attributes:
        count: How many were measured.
        seconds: How long one took.
        prompt_tokens: With how many tokens one was asked.
        completion_tokens: How many tokens one has.
    """

    count: int
    seconds: Percentiles
    prompt_tokens: Percentiles
    completion_tokens: Percentiles


@dataclass(frozen=True, slots=True)
class Report:
    """What an evaluation comes to.

    Attributes:
        exam: What was asked.
        tables: A digest of the tables that it was drawn from.
        examinees: Who answered, in the order in which they first did.
        total: All conversations.
        abilities: By ability; those of which there are any, in their order.
        forms: By ability and form, likewise.
        sizes: By how many notes were in memory, as `SIZES_OF_MEMORY` names it, likewise.
        all_tries: Of the questions that were tried as often as the exam wants, which share was right each time: in all,
            and by ability. Empty where each was tried once.
        all_tries_total: The same of all; None where each was tried once.
        answers: What Ada's answers cost.
        bounds: The same exam, sat by a scripted Ada, by her name.
    """

    exam: Exam
    tables: str
    examinees: tuple[Examinee, ...]
    total: Row
    abilities: Mapping[Ability, Row]
    forms: Mapping[tuple[Ability, Form], Row]
    sizes: Mapping[str, Row]
    all_tries: Mapping[Ability, Share]
    all_tries_total: Share | None
    answers: Answers
    bounds: Mapping[str, Report]

    @property
    def missing(self) -> int:
        """How many conversations of the exam are not there."""
        return self.exam.conversations - self.total.count - self.total.void


def report_of(elements: Iterable[Examined], bounds: Mapping[str, Iterable[Examined]] | None = None) -> Report:
    """Return what an evaluation comes to.

    Args:
        elements: Its conversations.
        bounds: Those of scripted Adas, by their names, to be read beside it.

    Raises:
        StorageError: There is no conversation, or there are those of several exams.
    """
    tally = _Tally()
    for element in elements:
        tally.add(element)
    return tally.report({name: report_of(bound) for name, bound in (bounds or {}).items()})


@dataclass(slots=True)
class _Counted:
    """What is kept of the conversations of a row."""

    outcomes: list[tuple[int, bool]] = field(default_factory=list)
    failures: Counter[Failure] = field(default_factory=Counter)
    void: int = 0

    def add(self, element: Examined) -> None:
        outcome = element.outcome
        if outcome.is_void:
            self.void += 1
            return
        self.outcomes.append((element.user, outcome.is_right))
        if outcome.failure is not None:
            self.failures[outcome.failure] += 1

    def row(self) -> Row:
        right = sum(is_right for _, is_right in self.outcomes)
        failures = {kind: self.failures[kind] for kind in Failure if self.failures[kind]}
        return Row(len(self.outcomes), right, share_of(self.outcomes), failures, self.void)


class _Tally:
    """Adds up conversations; of each it keeps a few numbers."""

    def __init__(self) -> None:
        self._exam: Exam | None = None
        self._tables = ""
        self._examinees: dict[Examinee, None] = {}
        self._total = _Counted()
        self._abilities: defaultdict[Ability, _Counted] = defaultdict(_Counted)
        self._forms: defaultdict[tuple[Ability, Form], _Counted] = defaultdict(_Counted)
        self._sizes: defaultdict[str, _Counted] = defaultdict(_Counted)
        self._tries: defaultdict[tuple[Ability, int, int], list[bool]] = defaultdict(list)
        self._seconds: list[float] = []
        self._prompt_tokens: list[float] = []
        self._completion_tokens: list[float] = []

    def add(self, element: Examined) -> None:
        if self._exam is None:
            self._exam, self._tables = element.exam, element.tables
        elif (self._exam, self._tables) != (element.exam, element.tables):
            raise StorageError("the evaluation holds conversations of two exams, which no run writes into one file")
        self._examinees[element.ada] = None
        rows = (
            self._total,
            self._abilities[element.ability],
            self._forms[element.ability, element.form],
            self._sizes[_size(element.notes)],
        )
        for row in rows:
            row.add(element)
        if not element.outcome.is_void:
            self._tries[element.ability, element.user, element.day].append(element.outcome.is_right)
        self._seconds += element.seconds
        self._prompt_tokens += element.prompt_tokens
        self._completion_tokens += element.completion_tokens

    def report(self, bounds: Mapping[str, Report]) -> Report:
        exam = self._exam
        if exam is None:
            raise StorageError("the evaluation holds no conversation yet; the same command goes on with it")
        is_repeated = exam.tries > 1
        return Report(
            exam=exam,
            tables=self._tables,
            examinees=tuple(self._examinees),
            total=self._total.row(),
            abilities={ability: self._abilities[ability].row() for ability in FORMS if ability in self._abilities},
            forms={
                (ability, form): self._forms[ability, form].row()
                for ability, forms in FORMS.items()
                for form in forms
                if (ability, form) in self._forms
            },
            sizes={name: self._sizes[name].row() for name in SIZES_OF_MEMORY if name in self._sizes},
            all_tries=self._all_tries(exam.tries) if is_repeated else {},
            all_tries_total=self._share_of_tries(exam.tries, lambda _ability: True) if is_repeated else None,
            answers=Answers(
                len(self._seconds),
                _percentiles(self._seconds),
                _percentiles(self._prompt_tokens),
                _percentiles(self._completion_tokens),
            ),
            bounds=bounds,
        )

    def _all_tries(self, tries: int) -> dict[Ability, Share]:
        tried = {ability for (ability, _, _), outcomes in self._tries.items() if len(outcomes) == tries}
        return {one: self._share_of_tries(tries, one.__eq__) for one in FORMS if one in tried}

    def _share_of_tries(self, tries: int, is_meant: Callable[[Ability], bool]) -> Share:
        return share_of(
            (user, all(outcomes))
            for (ability, user, _), outcomes in self._tries.items()
            if is_meant(ability) and len(outcomes) == tries
        )


def _size(notes: int) -> str:
    return next(
        name for name, (least, most) in SIZES_OF_MEMORY.items() if notes >= least and (most is None or notes <= most)
    )


def _percentiles(numbers: list[float]) -> Percentiles:
    if not numbers:
        return Percentiles(0, 0)
    in_order = sorted(numbers)
    last = len(in_order) - 1
    return Percentiles(in_order[round(0.5 * last)], in_order[round(0.95 * last)])
