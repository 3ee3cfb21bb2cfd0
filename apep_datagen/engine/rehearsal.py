"""What a run will draw, without a model: as if each conversation were accepted, and its facts stored as they should be.

The briefs, their order and the stories are those of a run, by its own schedule. Only what a model would do is made up:
what Ada writes down and deletes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from apep_datagen.config.serving import Serving
from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.notebook import Entry, Notebook
from apep_datagen.engine.briefs import BriefSource
from apep_datagen.engine.schedule import Schedule
from apep_datagen.people.scenario import TELLING, Ability, Fact, Form
from apep_datagen.people.story import Story, notes_still_saying, notes_that_hold, story_after
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
        last_timeline_id=0,
    )
    going_on: dict[int, _Timeline] = {}
    under_way: deque[tuple[Conversation, _Timeline]] = deque()
    while not schedule.finished:
        while len(under_way) < max(1, in_flight) and (conversation := schedule.take(_PROVIDER)):
            brief = conversation.brief
            timeline = going_on.pop(brief.timeline_id, None) or _Timeline.begun(conversation)
            under_way.append((conversation, timeline))
            notes = timeline.notebook.notes()
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
    notebook: Notebook

    @classmethod
    def begun(cls, conversation: Conversation) -> _Timeline:
        """Return a timeline as it begins, with its first conversation."""
        brief, past = conversation.brief, conversation.past
        story = past.story if past else Story(brief.user)
        notes = past.notes if past else ()
        notebook = Notebook(Entry(note.shelf, note.date, note.text) for note in notes)
        return cls(Timeline(brief.timeline_id, story), notebook)

    def after(self, brief: Brief) -> _Timeline:
        """Return it after a conversation in which Ada does all that she should; its notebook is written in."""
        _write(self.notebook, brief, self.state.story)
        story = story_after(self.state.story, brief.scenario, brief.at, self.notebook.notes())
        return _Timeline(
            replace(self.state, story=story, conversations=self.state.conversations + 1, rejected_in_a_row=0),
            self.notebook,
        )


def _write(notebook: Notebook, brief: Brief, story: Story) -> None:
    """Write down and delete what Ada should."""
    notebook.conversation_id, notebook.date = brief.conversation_id, brief.date
    scenario = brief.scenario
    gone = list(scenario.facts) if scenario.ability is Ability.FORGET else []
    if scenario.replaced is not None:
        gone.append(scenario.replaced)
    kept = _facts_beside(gone, story) if scenario.form is Form.HALF else []
    for fact in gone:
        notebook.delete(fact.shelf, [note.index for note in notes_still_saying(fact, notebook.notes())])
    told = list(scenario.facts) if scenario.ability in TELLING and scenario.form is not Form.PASSING else []
    for fact in (*kept, *told):
        if not notes_that_hold(fact, notebook.notes()):
            notebook.add(fact.shelf, [_note(fact)])


def _facts_beside(facts: list[Fact], story: Story) -> list[Fact]:
    """Return what stands in the same notes as these facts."""
    slots = {fact.slot for fact in facts}
    beside = {item.shared_with for item in story.known if item.fact.slot in slots}
    return [
        item.fact
        for item in story.known
        if item.fact.slot not in slots and (item.fact.slot in beside or item.shared_with in slots)
    ]


def _note(fact: Fact) -> str:
    """Return a note that is recognised to hold a fact, and to speak of what it is about."""
    return " ".join((fact.tell, fact.value, *fact.cues[:1]))
