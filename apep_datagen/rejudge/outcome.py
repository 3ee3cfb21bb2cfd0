"""What comes of judging anew."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

__all__ = ["Rejudged", "Rejudgement", "Verdict"]


class Verdict(StrEnum):
    """How a conversation was judged, or is."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class Rejudged:
    """A conversation that was judged anew.

    Attributes:
        number: Its number in the run.
        number_in_output: Its number in the output, from 1; of what leaves the output, the one that it had, of what is
            added, the one that it gets. None where it is not there.
        ability: What it was to show; empty where an earlier version made it.
        was: How it was judged before.
        now: How it is judged today. What is not judged stays what it was.
        stage: The stage that rejects it; empty where it is accepted or not judged.
        reason: Why it is rejected, or not judged.
        detail: What it is here.
        quote: Words of the conversation that are its undoing.
        can_be_mended: Whether it is accepted as it would be saved today, such as with Ada's own thoughts in place of
            rewritten ones.
    """

    number: int
    number_in_output: int | None
    ability: str
    was: Verdict
    now: Verdict
    stage: str = ""
    reason: str = ""
    detail: str = ""
    quote: str = ""
    can_be_mended: bool = False

    @property
    def is_added(self) -> bool:
        """Whether it was rejected and is accepted."""
        return (self.was, self.now) == (Verdict.REJECTED, Verdict.ACCEPTED)

    @property
    def fails(self) -> bool:
        """Whether it was accepted and is rejected."""
        return (self.was, self.now) == (Verdict.ACCEPTED, Verdict.REJECTED)


@dataclass(frozen=True, slots=True)
class Rejudgement:
    """What came of judging a run anew.

    Attributes:
        output: The output.
        conversations: All that were judged, in the order of their numbers in the run.
        is_dry_run: Whether nothing was changed.
        drops: Whether what fails leaves the output, or is mended.
        in_output: How many conversations the output holds now, or would hold.
    """

    output: Path
    conversations: tuple[Rejudged, ...]
    is_dry_run: bool
    drops: bool
    in_output: int

    def counts(self) -> Counter[tuple[Verdict, Verdict]]:
        """Return how many were judged so before, and are so now."""
        return Counter((judged.was, judged.now) for judged in self.conversations)

    @property
    def added(self) -> int:
        """How many were added to the output."""
        return sum(judged.is_added for judged in self.conversations)

    @property
    def mended(self) -> int:
        """How many were mended."""
        return sum(judged.can_be_mended for judged in self.conversations) if self.drops else 0

    @property
    def taken_out(self) -> int:
        """How many were taken out of the output."""
        return sum(judged.fails for judged in self.conversations) - self.mended if self.drops else 0
