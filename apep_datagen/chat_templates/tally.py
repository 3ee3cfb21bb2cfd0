"""What came of checking many rows: added up in constant memory, as lines for a person and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from apep_datagen.chat_templates.check import CheckedRow
from apep_datagen.chat_templates.kept import Finding
from apep_datagen.formats.example import NOTHING, Counts
from apep_datagen.formats.format import Kind

__all__ = ["CheckTally", "Seen", "TokenTally", "describe_check"]

# A template that speaks of a row's own words in what it raises has a reason for each row.
_MOST_REASONS = 50
_OTHER_REASONS = "for other reasons"
_KINDS: tuple[Kind, ...] = ("messages", "thoughts", "calls", "results")
_SILENT_LOSSES: tuple[Finding, ...] = ("lost", "glued")
_SENTENCES: dict[Finding, str] = {
    "lost": "not in the text",
    "glued": "followed at once by what Ada answers, without results: a model learns to make them up",
    "moved": "not in place, but behind what comes of it",
    "twice": "in the text more than once",
    "not learnt": "outside of the template's generation tags: a loss on the assistant alone passes them over",
    "learnt": "inside of the template's generation tags: a model learns to write them",
}
TRL_DEFAULT_MAX_LENGTH = 1024
"""Where TRL 1.16 cuts a row, without a word, if its `max_length` is not set."""


@dataclass(slots=True)
class Seen:
    """Something that was seen.

    Attributes:
        number: How often.
        rows: In how many rows.
        first: The number of the first of them.
    """

    number: int = 0
    rows: int = 0
    first: int = 0

    def count(self, number: int, row: int) -> None:
        """Count so many in a row."""
        self.first = self.first or row
        self.number += number
        self.rows += 1

    def add(self, other: Seen) -> None:
        """Count what was seen behind this."""
        self.first = self.first or other.first
        self.number += other.number
        self.rows += other.rows


@dataclass(slots=True)
class TokenTally:
    """How long rows are, exactly: how many there are of each length, of which there are some thousands at most.

    Attributes:
        lengths: How many rows have so many tokens.
    """

    lengths: Counter[int] = field(default_factory=Counter)

    def count(self, tokens: int) -> None:
        """Count a row."""
        self.lengths[tokens] += 1

    def add(self, other: TokenTally) -> None:
        """Count what another one has counted."""
        self.lengths.update(other.lengths)

    @property
    def rows(self) -> int:
        """How many rows were counted."""
        return self.lengths.total()

    @property
    def total(self) -> int:
        """How many tokens all rows have together."""
        return sum(tokens * rows for tokens, rows in self.lengths.items())

    def quantile(self, share: float) -> int:
        """Return what this share of the rows is not longer than: 0 is for the shortest row, 1 for the longest.

        Raises:
            ValueError: No row was counted.
        """
        left = max(1, -int(-share * self.rows // 1))
        for tokens, rows in sorted(self.lengths.items()):
            left -= rows
            if left <= 0:
                return tokens
        raise ValueError("no row was counted")

    def longer_than(self, tokens: int) -> int:
        """Return how many rows are longer."""
        return sum(rows for length, rows in self.lengths.items() if length > tokens)

    def as_json(self, limit: int) -> dict[str, int] | None:
        """Return what is told of it for a script; None where no row was counted."""
        if not self.lengths:
            return None
        return {
            "rows": self.rows,
            "total": self.total,
            "least": self.quantile(0),
            "median": self.quantile(0.5),
            "percentile_95": self.quantile(0.95),
            "most": self.quantile(1),
            "limit": limit,
            "longer_than_limit": self.longer_than(limit),
        }


@dataclass(slots=True)
class CheckTally:
    """What came of checking rows with one template; two of them add up.

    Attributes:
        template: Its name.
        rows: How many were checked.
        refused: Which it refused, by its reason.
        before: What all rows hold.
        in_refused: What those hold that it refused.
        after: What is in the text of the others.
        findings: What is wrong, and with what.
        unclear: Rows of which nobody knows what the template keeps of them.
        tokens: How long the rows are, where they were counted.
    """

    template: str
    rows: int = 0
    refused: dict[str, Seen] = field(default_factory=dict)
    before: Counts = NOTHING
    in_refused: Counts = NOTHING
    after: Counts = NOTHING
    findings: dict[Finding, dict[Kind, Seen]] = field(default_factory=dict)
    unclear: Seen = field(default_factory=Seen)
    tokens: TokenTally = field(default_factory=TokenTally)

    def count(self, checked: CheckedRow, row: int) -> None:
        """Count a row; `row` is the number by which a person finds it, from 1."""
        self.rows += 1
        self.before += checked.before
        if checked.tokens is not None:
            self.tokens.count(checked.tokens)
        if checked.refused is not None:
            self.in_refused += checked.before
            self._reason(checked.refused).count(1, row)
            return
        self.after += checked.after
        for (finding, kind), number in checked.findings.items():
            self._finding(finding, kind).count(number, row)
        if checked.is_unclear:
            self.unclear.count(1, row)

    def add(self, other: CheckTally) -> None:
        """Count what another one has counted, of rows behind these."""
        self.rows += other.rows
        self.before += other.before
        self.in_refused += other.in_refused
        self.after += other.after
        for reason, seen in other.refused.items():
            self._reason(reason).add(seen)
        for finding, kinds in other.findings.items():
            for kind, seen in kinds.items():
                self._finding(finding, kind).add(seen)
        self.unclear.add(other.unclear)
        self.tokens.add(other.tokens)

    def _reason(self, reason: str) -> Seen:
        known = reason if reason in self.refused or len(self.refused) < _MOST_REASONS else _OTHER_REASONS
        return self.refused.setdefault(known, Seen())

    def _finding(self, finding: Finding, kind: Kind) -> Seen:
        return self.findings.setdefault(finding, {}).setdefault(kind, Seen())

    @property
    def refused_rows(self) -> int:
        """How many rows the template refused; a trainer stops there, so that is no silent loss."""
        return sum(seen.rows for seen in self.refused.values())

    @property
    def has_silent_loss(self) -> bool:
        """Whether something would be missing in training of which no trainer says a word."""
        return self.unclear.rows > 0 or any(finding in self.findings for finding in _SILENT_LOSSES)

    @property
    def refuses_all(self) -> bool:
        """Whether the template refused every row: nobody can train with it."""
        return 0 < self.rows == self.refused_rows

    def as_json(self, limit: int = TRL_DEFAULT_MAX_LENGTH) -> dict[str, Any]:
        """Return what was found for a script.

        Args:
            limit: It is told how many rows have more tokens.

        Returns:
            `template`, `rows`; `refused`, a list of `reason`, `rows` and `first` (the number of the first of them);
            `before`, `in_refused` and `after`: `messages`, `thoughts`, `calls` and `results`; `findings`, a list of
            `finding`, `kind`, `number`, `rows` and `first`; `unclear_rows`; `has_silent_loss`; `refuses_all`; `tokens`
            (`rows`, `total`, `least`, `median`, `percentile_95`, `most`, `limit`, `longer_than_limit`), or null.
        """
        return {
            "template": self.template,
            "rows": self.rows,
            "refused": [
                {"reason": reason, "rows": seen.rows, "first": seen.first}
                for reason, seen in sorted(self.refused.items(), key=lambda item: (-item[1].rows, item[0]))
            ],
            "before": asdict(self.before),
            "in_refused": asdict(self.in_refused),
            "after": asdict(self.after),
            "findings": [
                {"finding": finding, "kind": kind, **asdict(seen)} for finding, kind, seen in self._in_order()
            ],
            "unclear_rows": self.unclear.rows,
            "has_silent_loss": self.has_silent_loss,
            "refuses_all": self.refuses_all,
            "tokens": self.tokens.as_json(limit),
        }

    def _in_order(self) -> Iterator[tuple[Finding, Kind, Seen]]:
        for finding in _SENTENCES:
            for kind in _KINDS:
                if seen := self.findings.get(finding, {}).get(kind):
                    yield finding, kind, seen


def describe_check(tally: CheckTally, limit: int = TRL_DEFAULT_MAX_LENGTH) -> list[str]:
    """Return what was found as lines for a person: the first tells of the whole, the others of what is wrong."""
    refused = f", {tally.refused_rows:,} refused" if tally.refused else ""
    kept = ", ".join(f"{getattr(tally.after, kind):,} of {getattr(tally.before, kind):,} {kind}" for kind in _KINDS[1:])
    lines = [f"{tally.template}: {tally.rows - tally.refused_rows:,} rows rendered{refused}; kept are {kept}."]
    if tally.refuses_all:
        lines.append("It refuses every row: nobody can train on them with this template.")
    for reason, seen in sorted(tally.refused.items(), key=lambda item: (-item[1].rows, item[0])):
        lines.append(f"Refused: {_rows(seen)}: {reason}")
    for finding, kind, seen in tally._in_order():  # noqa: SLF001 - of this module
        are = "it is" if seen.number == 1 else "they are"
        name = kind.removesuffix("s") if seen.number == 1 else kind
        lines.append(f"{finding.capitalize()}: {seen.number:,} {name} in {_rows(seen)}: {are} {_SENTENCES[finding]}.")
    if tally.unclear.rows:
        lines.append(f"Unclear: {_rows(tally.unclear)}: the template looks at words in a way that nobody can follow.")
    if tally.tokens.rows:
        lines.append(_describe_tokens(tally.tokens, limit))
    return lines


def _rows(seen: Seen) -> str:
    """Return how many rows, and where to find one."""
    if seen.rows == 1:
        return f"1 row, of conversation {seen.first}"
    return f"{seen.rows:,} rows, the first of conversation {seen.first}"


def _describe_tokens(tokens: TokenTally, limit: int) -> str:
    longer = tokens.longer_than(limit)
    why = ", where TRL cuts if its max_length is not set" if limit == TRL_DEFAULT_MAX_LENGTH else ""
    return (
        f"Tokens: {tokens.quantile(0):,} to {tokens.quantile(1):,}, half of the rows at most {tokens.quantile(0.5):,};"
        f" {longer:,} have more than {limit:,}{why if longer else ''}."
    )
