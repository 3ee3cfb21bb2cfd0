"""Checking a finished dataset again: from its file, and from its state database, where that is there.

    verify ─┬→ written        what the state database says was written
            ├→ examination    each element by itself: its form, its calls, its fingerprint; in several processes
            ├→ matching ─┬→ alignment    which element is which conversation, where they are not in step
            │            └→ replay       all calls of each timeline again, in order: their results, memory and diary
            └→ fingerprints   all with all: what is doubled, nearly the same, or begins as many others do

Each returns a `Finding` for what is not as it should be (`findings`); `report` puts them into words.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from apep_datagen.config.settings import Settings
from apep_datagen.core.messages import Message
from apep_datagen.core.paths import is_there
from apep_datagen.core.sample_json import parse_messages
from apep_datagen.quality.novelty import NoveltyLimits
from apep_datagen.quality.wording import Wording, wording_of
from apep_datagen.storage.access import read_only, state_path
from apep_datagen.storage.output_reader import map_chunks, read_element_at
from apep_datagen.verify.examination import examine
from apep_datagen.verify.findings import DOUBLED, NOT_A_CONVERSATION, Finding
from apep_datagen.verify.fingerprints import Fingerprints
from apep_datagen.verify.matching import ComparedWithDatabase, Matching
from apep_datagen.verify.written import Written, WrittenConversation

__all__ = ["FINDINGS_STATUS", "Verification", "verify"]

FINDINGS_STATUS = 7
"""Exit status where something was found."""

_MOST_FINDINGS = 1_000
_PROCESSES = 2
# How strictly a conversation is judged, as in [quality].
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
    compared: ComparedWithDatabase | None
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
    if not is_there(path):
        return _verify(output, settings, None)
    return read_only(path, lambda connection: _verify(output, settings, Written.read(connection, path)))


def _verify(output: Path, settings: Settings, written: Written | None) -> Verification:
    file = _File(output)
    matching = Matching(written, file.messages) if written else None
    fingerprints, problems = Fingerprints(), list[Finding]()
    limit = written.expected if written and written.active else None
    for examination in map_chunks(output, examine, _PROCESSES, limit=limit, offsets=file.offsets):
        problems += examination.findings
        fingerprints.extend(examination.fingerprints)
        if matching:
            matching.take(examination)
    doubled = fingerprints.doubled()
    compared, findings = None, list[Finding]()
    # Nobody knows how a file without a database was judged: all of it is.
    levels = bytearray([_STRICT]) * len(fingerprints)
    foreign, matched = len(fingerprints), dict[int, WrittenConversation]()
    if written and matching:
        compared = matching.end(fingerprints.contents, doubled.keys())
        findings += matching.findings
        foreign, matched = written.foreign, matching.found()
        levels = _levels(len(fingerprints), settings, matched, doubled)
    for problem in problems:
        if problem.kind == NOT_A_CONVERSATION or levels[(problem.conversation or 0) - 1] >= _FORM:
            findings.append(problem)
    for number, earlier in doubled.items():
        # Whatever is accepted, what was written once is not there twice.
        if levels[number - 1] == _STRICT or (number > foreign and number not in matched):
            findings.append(Finding(number, DOUBLED, f"the same as conversation {earlier}"))
    findings += _not_new(fingerprints, levels, doubled, settings, file)
    return Verification(
        output=output,
        conversations=len(fingerprints),
        form_checked=sum(level >= _FORM for level in levels),
        novelty_checked=sum(level == _STRICT for level in levels),
        compared=compared,
        findings=tuple(sorted(findings, key=_place)[:_MOST_FINDINGS]),
        counts=tuple(Counter(finding.kind for finding in findings).most_common()),
    )


class _File:
    """The file after it was read; its conversations are asked for by their numbers.

    Args:
        path: The file.

    Attributes:
        offsets: The byte offset at which each begins.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.offsets = array("q")

    def messages(self, number: int) -> tuple[Message, ...] | None:
        """Return the conversation with a number; None where the element is none."""
        return parse_messages(read_element_at(self._path, self.offsets[number - 1]))

    def wording(self, number: int) -> Wording | None:
        """Return the words of the conversation with a number; None where the element is none."""
        messages = self.messages(number)
        return wording_of(messages) if messages else None


def _levels(
    count: int, settings: Settings, matched: Mapping[int, WrittenConversation], doubled: Mapping[int, int]
) -> bytearray:
    """Return how strictly each of so many conversations is judged.

    By the provider that made it; what is there a second time, as the first one; what the run did not write, as what a
    provider makes that is not known.
    """

    @cache
    def level_of(provider: str) -> int:
        return _LEVELS.index(settings.level_of(provider))

    levels = bytearray([_LEVELS.index(settings.quality.level or "strict")]) * count
    for number in range(1, count + 1):
        if number in matched:
            levels[number - 1] = level_of(matched[number].provider)
        elif number in doubled:
            levels[number - 1] = levels[doubled[number] - 1]
    return levels


def _not_new(
    fingerprints: Fingerprints, levels: bytearray, doubled: Mapping[int, int], settings: Settings, file: _File
) -> list[Finding]:
    """Find what is like others among what is judged so; of what is there a second time nothing more is said."""
    limits = NoveltyLimits(similarity=settings.quality.similarity, opening_share=settings.quality.opening_share)
    judged = bytearray(level == _STRICT for level in levels)
    for number in doubled:
        judged[number - 1] = False
    words = lru_cache(maxsize=256)(file.wording)
    return [
        *fingerprints.nearly_the_same(judged, limits.similarity, words),
        *fingerprints.too_many_alike(judged, limits.most_openings(len(judged)), words),
    ]


def _place(finding: Finding) -> tuple[bool, int]:
    """Return by what findings are sorted: their place in the file; those about none that is there come last."""
    return finding.conversation is None, finding.conversation or 0
