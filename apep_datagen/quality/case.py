"""A finished conversation, with all that it is judged by."""

from __future__ import annotations

from dataclasses import dataclass

from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.review import Review
from apep_datagen.core.messages import Message
from apep_datagen.people.story import Change

__all__ = ["Case"]


@dataclass(frozen=True, slots=True)
class Case:
    """A finished conversation, with all that it is judged by.

    Attributes:
        brief: What was decided about it.
        messages: The training sample.
        change: What was known, and what it has changed.
        finish_reasons: What the provider said of Ada's turns, in order, e.g. `stop`; empty where it said nothing, or
            where that is not known any more.
        earlier: What the user wrote in the earlier conversations of the timeline, also in those that were rejected,
            oldest first. Ada sees none of it.
        review: What the reviewer said of it; None where nobody was asked, or is yet to be.
    """

    brief: Brief
    messages: tuple[Message, ...]
    change: Change
    finish_reasons: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    review: Review | None = None
