"""Checking a finished dataset again: from its file, and from its state database, where that is there.

From the file alone: the form of each conversation, and what is doubled, nearly the same or begins as many others do.
With the database: whether each conversation is as it was written, and whether all calls of each timeline, executed
again in order, give the saved results and the recorded memory and diary. `report` puts it into words.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from apep_datagen.config.settings import Settings
from apep_datagen.core.messages import Message
from apep_datagen.core.samples import messages_of
from apep_datagen.quality.novelty import PART_NAMES, PARTS, NoveltyLimits, opening
from apep_datagen.quality.sample import spoken
from apep_datagen.storage.access import read_only, state_path
from apep_datagen.storage.output_reader import map_chunks, read_line_at
from apep_datagen.verify.comparison import Comparison
from apep_datagen.verify.examination import NOT_A_CONVERSATION, Finding, examine
from apep_datagen.verify.written import Compared, Reconciliation, Written

__all__ = ["DOUBLED", "FINDINGS_STATUS", "Finding", "Verification", "verify"]

FINDINGS_STATUS = 7
"""Exit status where something was found."""

DOUBLED = "the conversation is there a second time"

_MOST_FINDINGS = 1_000
_PROCESSES = 2
_LEVELS = ("off", "form", "strict")
_FORM, _STRICT = 1, 2


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of checking.

    Attributes:
        output: The file.
        conversations: How many elements of it were looked at.
        form_checked: How many of them were to have a certain form.
        novelty_checked: How many were to be new.
        compared: What was compared with the state database; None where there is none.
        findings: The first ones, at most 1,000, in the order of the file.
        counts: How many findings of each kind there are, the most frequent kind first.
    """

    output: Path
    conversations: int
    form_checked: int
    novelty_checked: int
    compared: Compared | None
    findings: tuple[Finding, ...]
    counts: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        """How many findings there are."""
        return sum(count for _, count in self.counts)

    @property
    def exit_status(self) -> int:
        """What the program ends with."""
        return FINDINGS_STATUS if self.total else 0


def verify(output: Path, settings: Settings) -> Verification:
    """Check a finished dataset; nothing is changed.

    Args:
        output: The file.
        settings: What is accepted: `[quality]`, by the kind of the provider that made a conversation.

    Raises:
        StorageError: The file is missing or no JSON array, or its state database cannot be read.
    """
    path = state_path(output)
    if not path.exists():
        return _Check(output, settings, None).run()
    return read_only(path, lambda connection: _Check(output, settings, Written.read(connection, path)).run())


class _Check:
    """One check of one output.

    Args:
        output: The file.
        settings: What is accepted.
        written: What the state database says, if there is one.
    """

    def __init__(self, output: Path, settings: Settings, written: Written | None) -> None:
        self._output = output
        self._settings = settings
        self._written = written
        self._findings: list[Finding] = []
        self._comparison = Comparison()
        self._offsets = array("q")

    def run(self) -> Verification:
        """Check all there is to check."""
        written, problems = self._written, list[Finding]()
        reconciliation = Reconciliation(written, self._messages_at) if written else None
        limit = written.expected if written and written.active else None
        for examined in map_chunks(self._output, examine, _PROCESSES, limit=limit, offsets=self._offsets):
            problems += examined.problems
            self._comparison.add(examined)
            if reconciliation:
                reconciliation.take(examined)
        doubled = dict(self._comparison.doubled())
        # Nobody knows how a file without a database was judged: all of it is.
        level = _LEVELS.index(self._settings.quality.level or "strict") if written else _STRICT
        levels = bytearray([level]) * len(self._comparison)
        compared = None
        if written and reconciliation:
            compared = reconciliation.end(self._comparison.contents, doubled.keys())
            self._findings += reconciliation.findings
            self._set_levels(levels, written, reconciliation, doubled)
        for problem in problems:
            if problem.kind == NOT_A_CONVERSATION or levels[(problem.conversation or 0) - 1] >= _FORM:
                self._findings.append(problem)
        # Whatever is accepted, what was written once is not there twice.
        added = {
            number
            for number in doubled
            if written and reconciliation and number > written.foreign and reconciliation.places[number - 1] < 0
        }
        for number, earlier in doubled.items():
            if number in added or levels[number - 1] == _STRICT:
                self._find(number, DOUBLED, f"the same as conversation {earlier}")
        self._compare(bytearray(level == _STRICT for level in levels), doubled)
        return self._verification(levels, compared)

    def _set_levels(
        self, levels: bytearray, written: Written, reconciliation: Reconciliation, doubled: dict[int, int]
    ) -> None:
        """Set how strictly each conversation that the run has written is judged: by its provider."""
        quality, sections = self._settings.quality, self._settings.providers
        of_unknown = quality.level or "strict"
        by_provider = [
            _LEVELS.index(quality.level_for(sections[name].kind) if name in sections else of_unknown)
            for name in written.provider_names
        ]
        for index, place in enumerate(reconciliation.places):
            if place >= 0:
                levels[index] = by_provider[written.providers[place]]
            elif index + 1 in doubled:
                levels[index] = levels[doubled[index + 1] - 1]

    def _compare(self, judged: bytearray, doubled: Iterable[int]) -> None:
        """Find what is not new among what is judged so; of what is there a second time nothing more is said."""
        quality = self._settings.quality
        limits = NoveltyLimits(similarity=quality.similarity, opening_share=quality.opening_share)
        for number in doubled:
            judged[number - 1] = False
        texts_of = lru_cache(maxsize=256)(self._texts_of)
        for item in self._comparison.nearly_the_same(judged, limits.similarity, texts_of):
            detail = f"like conversation {item.earlier} ({item.similarity:.2f})"
            self._find(item.number, f"{PART_NAMES[PARTS[item.part]]} is nearly the same as an earlier one", detail)
        most = limits.most_openings(len(judged))
        for group in self._comparison.too_many_alike(judged, most):
            texts = texts_of(group.number)
            begins = opening(texts[group.part]) if texts else ""
            detail = f'"{begins}" begins {group.count:,} conversations; {math.floor(most):,} may begin so'
            self._find(group.number, f"{PART_NAMES[PARTS[group.part]]} begins as too many others do", detail)

    def _verification(self, levels: bytearray, compared: Compared | None) -> Verification:
        counts = Counter(finding.kind for finding in self._findings)
        in_order = sorted(self._findings, key=lambda finding: (finding.conversation is None, finding.conversation or 0))
        return Verification(
            output=self._output,
            conversations=len(levels),
            form_checked=sum(level >= _FORM for level in levels),
            novelty_checked=sum(level == _STRICT for level in levels),
            compared=compared,
            findings=tuple(in_order[:_MOST_FINDINGS]),
            counts=tuple(counts.most_common()),
        )

    def _messages_at(self, number: int) -> tuple[Message, ...] | None:
        return messages_of(read_line_at(self._output, self._offsets[number - 1]))

    def _texts_of(self, number: int) -> tuple[str, str] | None:
        messages = self._messages_at(number)
        return spoken(messages) if messages else None

    def _find(self, number: int, kind: str, detail: str) -> None:
        self._findings.append(Finding(number, kind, detail))
