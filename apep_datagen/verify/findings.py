"""All that `verify` can find, apart from what the stages of `quality` say of the form of a conversation."""

from __future__ import annotations

from dataclasses import dataclass

from apep_datagen.quality.execution import WRONG_RESULT

__all__ = [
    "BEGINS_ALIKE",
    "CHANGED",
    "DOUBLED",
    "MISSING",
    "MOVED",
    "NEARLY_THE_SAME",
    "NOTES_OUT_OF_ORDER",
    "NOTE_CHANGED",
    "NOTE_DELETED",
    "NOTE_MISSING",
    "NOTE_UNKNOWN",
    "NOT_A_CONVERSATION",
    "NO_RESULT",
    "UNKNOWN",
    "WRONG_RESULT",
    "Finding",
]

# In the file.
NOT_A_CONVERSATION = "the element is no conversation"
DOUBLED = "the conversation is there a second time"
NEARLY_THE_SAME = "{part} is nearly the same as an earlier one"
BEGINS_ALIKE = "{part} begins as too many others do"

# In the file, beside what was written.
CHANGED = "the conversation is not as it was written"
MISSING = "a conversation that was written is not there"
MOVED = "the conversation is not in its place"
UNKNOWN = "the conversation was not written by this run"

# When the calls are executed again, beside `WRONG_RESULT`.
NO_RESULT = "a call has no result that can be read"
NOTE_CHANGED = "a note is not as its call wrote it"
NOTE_MISSING = "a note that a call wrote is not in the state database"
NOTE_UNKNOWN = "a note is in the state database that no call wrote"
NOTE_DELETED = "a note is not deleted where the calls delete it"
NOTES_OUT_OF_ORDER = "notes are not in the order in which the calls wrote them"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        conversation: Its number in the file, from 1; None where it is about none that is there.
        kind: A sentence that is the same for all findings of its kind.
        detail: What it is here.
    """

    conversation: int | None
    kind: str
    detail: str = ""
