"""A timeline as it would go on if Ada did all that she should: what she writes down and deletes, without a model."""

from __future__ import annotations

from dataclasses import dataclass

from apep_datagen.core.notebook import Entry, Notebook
from apep_datagen.people.past import Past
from apep_datagen.people.scenario import TELLING, Ability, Fact, Form, Scenario, User
from apep_datagen.people.story import Story, notes_still_saying, notes_that_hold, story_after

__all__ = ["IdealTimeline"]


@dataclass(frozen=True, slots=True)
class IdealTimeline:
    """A timeline of which Ada has written down all that she should, and nothing else.

    Attributes:
        story: Who the user is, and what she knows of them.
        notebook: Her memory and diary.
    """

    story: Story
    notebook: Notebook

    @classmethod
    def begun(cls, user: User, past: Past | None) -> IdealTimeline:
        """Return a timeline before its first conversation.

        Args:
            user: Whose it is.
            past: What it begins with; None for nothing.
        """
        story = past.story if past else Story(user)
        notes = past.notes if past else ()
        return cls(story, Notebook(Entry(note.shelf, note.date, note.text) for note in notes))

    def after(self, scenario: Scenario, at: str, conversation_id: int) -> IdealTimeline:
        """Return it after a conversation; its notebook is written in.

        Args:
            scenario: What the conversation was about.
            at: When it took place, as an ISO date and time.
            conversation_id: What the changes are booked to.
        """
        self.notebook.conversation_id, self.notebook.date = conversation_id, at[:10]
        _write(self.notebook, scenario, self.story)
        return IdealTimeline(story_after(self.story, scenario, at, self.notebook.notes()), self.notebook)


def _write(notebook: Notebook, scenario: Scenario, story: Story) -> None:
    """Write down and delete what Ada should."""
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
