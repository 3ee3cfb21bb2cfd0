"""What a run will draw, without a model: as if each conversation were accepted, and its facts stored as they should be.

The briefs, their order and the stories are those of a run, by its own schedule. Only what a model would do is made up:
what Ada writes down and deletes (`people.ideal`).
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from apep_datagen.config.serving import Serving
from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.state import Conversation
from apep_datagen.engine.briefs import BriefSource
from apep_datagen.engine.schedule import Schedule
from apep_datagen.people.ideal import IdealTimeline
from apep_datagen.storage.timelines import Timeline

__all__ = ["RehearsedConversation", "rehearse"]

_PROVIDER = "rehearsal"


@dataclass(frozen=True, slots=True)
class RehearsedConversation:
    """A conversation as a run would begin it.

    Attributes:
        brief: What was drawn.
        notes: How many notes are in memory before it.
        pages: How many pages are in the diary before it.
    """

    brief: Brief
    notes: int
    pages: int


def rehearse(
    source: BriefSource, count: int, in_flight: int, *, timeline_length: int
) -> Iterator[RehearsedConversation]:
    """Yield the conversations of a run that begins, in the order in which they are begun.

    Args:
        source: What they are drawn from.
        count: How many there are to be.
        in_flight: How many are under way at once, at most; the one that was begun first ends first.
        timeline_length: How many conversations a timeline has.
    """
    schedule = Schedule(
        missing=count,
        source=source,
        timelines=(),
        active=(),
        serving=Serving.by_all([_PROVIDER]),
        accepted={},
        last_conversation_id=0,
        new_timelines=itertools.count(1),
    )
    going_on: dict[int, _Timeline] = {}
    under_way: deque[tuple[Conversation, _Timeline]] = deque()
    while not schedule.finished:
        while len(under_way) < max(1, in_flight) and (conversation := schedule.take(_PROVIDER)):
            brief = conversation.brief
            timeline = going_on.pop(brief.timeline_id, None) or _Timeline.begun(conversation)
            under_way.append((conversation, timeline))
            notes = timeline.ideal.notebook.notes()
            yield RehearsedConversation(brief, len(notes.memory), len(notes.diary))
        conversation, timeline = under_way.popleft()
        timeline = timeline.after(conversation.brief)
        goes_on = timeline.state.conversations < timeline_length
        if goes_on:
            going_on[timeline.state.id] = timeline
        schedule.end(conversation, is_accepted=True, timeline=timeline.state if goes_on else None)


@dataclass(frozen=True, slots=True)
class _Timeline:
    """A timeline with its memory and diary."""

    state: Timeline
    ideal: IdealTimeline

    @classmethod
    def begun(cls, conversation: Conversation) -> _Timeline:
        """Return a timeline as it begins, with its first conversation."""
        brief = conversation.brief
        ideal = IdealTimeline.begun(brief.user, conversation.past)
        return cls(Timeline(brief.timeline_id, ideal.story), ideal)

    def after(self, brief: Brief) -> _Timeline:
        """Return it after a conversation in which Ada does all that she should; its notebook is written in."""
        ideal = self.ideal.after(brief.scenario, brief.at, brief.conversation_id)
        count = self.state.conversations + 1
        return _Timeline(replace(self.state, story=ideal.story, conversations=count, rejected_in_a_row=0), ideal)
