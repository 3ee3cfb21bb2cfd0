"""Whether a conversation shows what it was to show; if not, in which way it failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apep_datagen.core.notebook import Entry
from apep_datagen.evaluate.failures import Failure
from apep_datagen.people.phrases import Phrases
from apep_datagen.people.story import Story
from apep_datagen.quality.case import Case

__all__ = ["Failure", "Outcome", "broken", "examine"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an evaluated conversation.

    Attributes:
        failure: In which way it failed; None where it is right, and where it is void.
        reason: A sentence that is the same for all that failed so; empty where it is right.
        detail: What it was here.
        quote: Words of the conversation that show it, where there are any.
        is_void: Whether it says nothing about Ada: the user's message is not what it was to be.
    """

    failure: Failure | None
    reason: str = ""
    detail: str = ""
    quote: str = ""
    is_void: bool = False

    @property
    def is_right(self) -> bool:
        """Whether Ada did all that she should, and nothing else."""
        return self.failure is None and not self.is_void


def broken(reason: str) -> Outcome:
    """Return the outcome of a conversation that has no end, because no answer of Ada's was of any use.

    Args:
        reason: Why not, as `UnusableAnswerError` says it.
    """
    return Outcome(Failure.FORM, "an answer of Ada's is of no use", reason)


def examine(case: Case, phrases: Phrases, ideal: Story, entries: Sequence[Entry]) -> Outcome:
    """Return what came of a finished conversation.

    Args:
        case: The conversation, with memory and diary as they really were before it and after it; what
            `case.change.known` says plays no part.
        phrases: By what text is recognised.
        ideal: The story before it, as it would be if Ada had done all that she should (`ExamPlan.story_before`).
        entries: Every note that the timeline ever had, with those that are gone.
    """
    raise NotImplementedError
