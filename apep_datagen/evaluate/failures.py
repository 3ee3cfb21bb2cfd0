"""The ways in which a memory fails, and which one each reason of the judge's stages stands for."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Failure"]


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
