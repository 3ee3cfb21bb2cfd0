"""The ways in which a memory fails, and which one each reason of the judge's stages stands for."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from apep_datagen.language.claims import ClaimKind

__all__ = [
    "BLAMELESS",
    "FAILURES",
    "GIVEN_FOR_ANOTHER",
    "NEVER_LOOKED",
    "NOT_IN_MEMORY",
    "NOT_TOLD",
    "NO_PAGE",
    "TWICE",
    "Failure",
]


class Failure(StrEnum):
    """In which way a conversation fails; each fails in one, the one that comes first in what went wrong.

    `DID_NOT_WRITE`: something that the user told is not in Ada's notes.
    `WROTE_WRONGLY`: her notes say what they should not (another value, what was to be forgotten, what has changed, the
        same twice), or say no more what they should (a fact that nobody spoke of is lost).
    `DID_NOT_LOOK`: she did not look where she had to.
    `LOOKED_AND_DID_NOT_USE`: what she was shown is not in what she says, or is said as something that it is not.
    `INVENTED`: she says what stands in no note, and nobody told.
    `CALLED_FOR_NOTHING`: she used a tool where there was nothing to look up or to keep.
    `FORM`: her answer is broken: empty, in a loop, cut off, far too long, or with a call that cannot be carried out.
    """

    DID_NOT_WRITE = "did not write"
    WROTE_WRONGLY = "wrote wrongly"
    DID_NOT_LOOK = "did not look"
    LOOKED_AND_DID_NOT_USE = "looked and did not use"
    INVENTED = "invented"
    CALLED_FOR_NOTHING = "called for nothing"
    FORM = "form"


NOT_IN_MEMORY = "a fact that was told is not in memory"
NO_PAGE = "there is no diary page about the moment"
TWICE = frozenset({"a fact is in memory twice", "a note says what another one says already"})
NOT_TOLD = "the reply does not tell what was asked for"
GIVEN_FOR_ANOTHER = "the reply gives something else for what was asked"
NEVER_LOOKED = "Ada says that she was never told without having looked"

BLAMELESS = frozenset(
    {
        # The user's message is not what it was to be.
        "a user's message is empty",
        "a user's message holds tags, or white space around it",
        "a user's message is too long",
        "the user's message does not tell what was planned",
        "the user's message gives the answer away",
        "the user's message says already which is meant",
        # The program's own records do not fit together.
        "the first message is not the system prompt",
        "the system prompt is empty",
        "there is no exchange",
        "roles do not alternate",
        "the sample ends in the middle of an exchange",
        "results follow an assistant message that has no call",
        "an assistant message has calls but no results follow",
        "there are not as many results as calls",
        "a tool message holds something else than results",
        "a result is no JSON",
        "a result is not in canonical form",
        "a saved tool result is not what the call gives",
        "the calls do not lead to the recorded memory and diary",
    }
)
"""What says nothing about Ada: a conversation with one of these is void."""

_OF_ADA: dict[Failure, tuple[str, ...]] = {
    Failure.FORM: (
        "a message holds characters that cannot be stored",
        "the last answer of an exchange has no reply",
        "an assistant message has no leading <think> block",
        "an assistant message has not exactly one <think> block",
        "a <think> block is empty",
        "a call is not in canonical form",
        "an assistant message holds stray tags or white space",
        "a reply is too long",
        "a thought is too long",
        "too many calls in one round",
        "a text holds markup that no person writes",
        "a text says the same again and again",
        "a text is announced before it begins",
        "a thought is cut off",
        "a reply is cut off",
        "a call failed, and was not made again rightly",
    ),
    Failure.DID_NOT_WRITE: (NOT_IN_MEMORY, NO_PAGE),
    Failure.WROTE_WRONGLY: (
        *TWICE,
        "the old value is still in memory",
        "what was to be forgotten is still in memory",
        "what was to be forgotten was written into the diary",
        "a fact that was known is gone from memory",
        "a note was deleted that had nothing to do with it",
        "the moment has more than one diary page",
        "a note cannot be understood by itself",
        "a note about the user speaks to somebody",
        "a note about the user speaks as the user",
        "a note holds two facts",
        "a note gives a day another year than it has",
        "a fact is lost with another one that shared its note",
    ),
    Failure.DID_NOT_LOOK: (
        "Ada stored it without having looked what is there already",
        "Ada did not look what she has of it",
        NEVER_LOOKED,
        "what was asked for was told without looking it up",
        "Ada did not look up what could be meant",
        "Ada did not look up what would have helped",
        ClaimKind.NEVER_TOLD.value,
    ),
    Failure.LOOKED_AND_DID_NOT_USE: (
        NOT_TOLD,
        GIVEN_FOR_ANOTHER,
        "an earlier state is told as the present one",
        "a page was read aloud that was to be told of",
        "the reply reads out notes that nobody asked for",
        "the reply does not say that there is nothing of it",
        "the reply does not say that she was never told",
        "the reply tells one of two though it is not known which is meant",
        "the reply does not ask which is meant",
        "the reply holds what was to be avoided",
        "Ada did not heed what she had looked up",
    ),
    Failure.INVENTED: (
        "something that was never told is claimed",
        "Ada uses something that she cannot know",
        ClaimKind.REMEMBERS.value,
        ClaimKind.FORESEES.value,
    ),
    Failure.CALLED_FOR_NOTHING: (
        "a tool was called where there was nothing to remember or look up",
        "what is not worth keeping was stored",
    ),
}

FAILURES: Mapping[str, Failure] = {reason: kind for kind, reasons in _OF_ADA.items() for reason in reasons}
"""For each reason of `form`, `execution`, `effect`, `notes` and `knowledge` that is Ada's, what it stands for where
nothing more is known; what `outcome` knows besides can make it another."""
