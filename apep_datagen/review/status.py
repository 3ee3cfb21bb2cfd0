"""How many conversations people have looked at, what they said, and what follows for the whole dataset."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.core.intervals import Interval, wilson
from apep_datagen.quality.problem import Stage
from apep_datagen.review.applying import refuse_without_run
from apep_datagen.review.known import Known, read_known
from apep_datagen.storage.reviewed import Word, read_opinion
from apep_datagen.storage.verdicts import SET_ASIDE, read_verdicts
from apep_datagen.storage.waiting_verdicts import count_waiting

__all__ = ["LookedAt", "ReasonCount", "ReviewStatus", "read_review_status"]


@dataclass(frozen=True, slots=True)
class LookedAt:
    """How many conversations of some kind were looked at, and what was said.

    Attributes:
        name: Which kind; empty for all of them.
        good: How many are good.
        bad: How many are bad.
        unsure: Of how many nobody is sure.
    """

    name: str
    good: int
    bad: int
    unsure: int

    @property
    def count(self) -> int:
        """How many were looked at."""
        return self.good + self.bad + self.unsure

    @property
    def interval(self) -> Interval:
        """Which share of all of the kind is bad, if those that were looked at are a sample of them."""
        return wilson(self.bad / self.count, self.count) if self.count else Interval(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """Why conversations were rejected, and how many; one of several reasons counts for each of them."""

    stage: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class ReviewStatus:
    """What people said of an output.

    Attributes:
        output: The output.
        in_output: How many conversations it holds.
        whole: What they said of those that are in it, or left it for that.
        by_provider: The same by who made them; an empty name for what the run did not make.
        by_ability: The same by what they were to show.
        tags: Why they called them bad, the most frequent first; an empty reason where nobody said.
        dependents: How many left because of others alone.
        of_rejected: How many verdicts are on conversations that the judge had rejected, or that are there no more.
        judged: Why the judge rejected others, the most frequent first.
        waiting: How many verdicts wait to be applied.
    """

    output: Path
    in_output: int
    whole: LookedAt
    by_provider: tuple[LookedAt, ...]
    by_ability: tuple[LookedAt, ...]
    tags: tuple[ReasonCount, ...]
    dependents: int
    of_rejected: int
    judged: tuple[ReasonCount, ...]
    waiting: int


def read_review_status(output: Path) -> ReviewStatus:
    """Read what people said of an output; nothing is changed.

    Raises:
        StorageError: There is no run for the output, or it or its state database cannot be read.
    """
    refuse_without_run(output, is_written=False)
    return read_known(output, lambda connection, known: _read(connection, output, known))


def _read(connection: sqlite3.Connection, output: Path, known: Known) -> ReviewStatus:
    said = read_opinion(connection).said
    of_dataset = {digest: one for digest, one in said.items() if known.in_output(digest) or known.removed(digest)}
    makers = {
        number: (provider, ability or "")
        for number, provider, ability in connection.execute("SELECT id, provider, ability FROM conversations")
    }
    kinds = [(makers.get(one.conversation_id or 0, ("", "")), one.word) for one in of_dataset.values()]
    tags = Counter(tag for one in of_dataset.values() if one.word is Word.BAD for tag in one.tags or ("",))
    left = {removed.digest for digest in of_dataset for removed in known.removed(digest)}
    (removed,) = connection.execute("SELECT count(DISTINCT digest) FROM person_removed").fetchone()
    reasons: Counter[tuple[str, str]] = Counter()
    for verdict in read_verdicts(connection):
        if verdict.stage not in {"", SET_ASIDE, Stage.PERSON.value}:
            reasons[verdict.stage, verdict.reason] += verdict.count
    return ReviewStatus(
        output=output,
        in_output=len(known.all),
        whole=_looked_at("", (word for _, word in kinds)),
        by_provider=_by((provider, word) for (provider, _), word in kinds),
        by_ability=_by((ability, word) for (_, ability), word in kinds),
        tags=tuple(ReasonCount(Stage.PERSON.value, tag, count) for tag, count in tags.most_common()),
        dependents=removed - sum(of_dataset[digest].word is Word.BAD for digest in left),
        of_rejected=len(said) - len(of_dataset),
        judged=tuple(ReasonCount(*reason, count) for reason, count in reasons.most_common()),
        waiting=count_waiting(output),
    )


def _by(words: Iterable[tuple[str, Word]]) -> tuple[LookedAt, ...]:
    groups: dict[str, list[Word]] = {}
    for name, word in words:
        groups.setdefault(name, []).append(word)
    return tuple(_looked_at(name, groups[name]) for name in sorted(groups))


def _looked_at(name: str, words: Iterable[Word]) -> LookedAt:
    counts = Counter(words)
    return LookedAt(name, counts[Word.GOOD], counts[Word.BAD], counts[Word.UNSURE])
