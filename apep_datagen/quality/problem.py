"""What can be wrong with a conversation, by the stage that finds it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Problem", "Stage"]


class Stage(StrEnum):
    """The stages of judging, in order; the last is a person, who has read what all others let pass."""

    FORM = "form"
    EXECUTION = "execution"
    EFFECT = "effect"
    NOTES = "notes"
    KNOWLEDGE = "knowledge"
    TIME = "time"
    VOICE = "voice"
    NOVELTY = "novelty"
    REVIEW = "review"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a conversation is not accepted.

    Attributes:
        stage: The stage that found it.
        reason: A sentence that is the same for all problems of its kind, so that they can be counted.
        detail: What it was here.
        quote: Words of the conversation, as they stand there, that were its undoing; empty where there are none.
    """

    stage: Stage
    reason: str
    detail: str = ""
    quote: str = ""
