"""What Ada has before her as she answers, and what she makes of it whatever she is asked."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass

from apep_datagen.core.words import holds
from apep_datagen.people.scenario import Fact, Form, Scenario
from support.people import chatter
from support.people.scene import Scene
from support.people.spelling import calls, capital, sentence, thinks, third
from support.world import slot_of

__all__ = ["Call", "Turn", "note_of", "results_in"]

Call = tuple[str, object]
"""A tool's name and its one argument, None where it takes none."""
Results = list[list[dict[str, object]]]
"""What calls gave, a list for each round."""


def results_in(contents: Iterable[str]) -> Results:
    """Return the results that messages hold, a list for each that holds any."""
    found = [re.findall(r"<tool_result>(.*)</tool_result>", content) for content in contents]
    return [[json.loads(line) for line in lines] for lines in found if lines]


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer of Ada's.

    Attributes:
        scene: The conversation.
        way: How it goes wrong; empty for not at all.
        draw: Where chance comes from.
        questions: All messages of the user's so far.
        results: What her calls gave since the last one.
        shown: What all her calls gave.
    """

    scene: Scene
    way: str
    draw: random.Random
    questions: tuple[str, ...]
    results: Results
    shown: Results

    @property
    def scenario(self) -> Scenario:
        return self.scene.scenario

    @property
    def form(self) -> Form | None:
        return self.scenario.form

    @property
    def facts(self) -> tuple[Fact, ...]:
        """What it is about, of her memory."""
        return tuple(fact for fact in self.scenario.facts if fact.shelf == "memory")

    @property
    def moments(self) -> tuple[Fact, ...]:
        """The same of her diary."""
        return tuple(fact for fact in self.scenario.facts if fact.shelf == "diary")

    @property
    def memories(self) -> list[tuple[int, str]]:
        """Index and text of each note in the latest list of her memory."""
        return _listed(self.shown, "memories")

    @property
    def pages(self) -> list[tuple[int, str]]:
        """The same of her diary."""
        return _listed(self.shown, "pages")

    def saying(self, fact: Fact) -> list[tuple[int, str]]:
        """Return the notes before her that say a fact: with its cues, or, where none has them, by its value alone."""
        by_value = [note for note in self.memories if holds(note[1], fact.forms)]
        return [note for note in by_value if holds(note[1], (*fact.cues, fact.which))] or by_value

    def look(self, *names: str) -> str:
        """Return that she looks before she says anything."""
        thought = "They ask for something of another day. I look what I have of it."
        return calls(thought, *((name, None) for name in names or ("recall_memories",)))

    def keep(self, *called: Call) -> str:
        """Return that she writes something down, or strikes it out."""
        return calls("This will matter another day. I want to put it right in my notes.", *called)

    def says(self, *sentences: str, thought: str = "I have it now, and I am glad of it.") -> str:
        """Return what she replies."""
        return thinks(thought, chatter.reply(self.draw, *sentences))

    def gone(self, notes: Iterable[tuple[int, str]], leaving: Iterable[Fact], *, keeps_rest: bool = True) -> list[Call]:
        """Return the calls that strike out notes, and write anew what else was in them.

        Args:
            notes: Which.
            leaving: What is to be in none afterwards.
            keeps_rest: Whether what else they say is written anew.
        """
        gone = dict(notes)
        if not gone:
            return []
        left = "\n".join(text for index, text in self.memories if index not in gone)
        slots = {fact.slot for fact in leaving}
        others = [item.fact for item in self.scene.story.known if item.fact.slot not in slots]
        lost = [
            fact
            for fact in others
            if fact.shelf == "memory"
            and any(holds(text, fact.forms) for text in gone.values())
            and not holds(left, fact.forms)
        ]
        deleted: list[Call] = [("delete_memory", sorted(gone))]
        return (
            [*deleted, ("add_memory", [note_of(fact, self.draw) for fact in lost])] if lost and keeps_rest else deleted
        )


def note_of(fact: Fact, draw: random.Random) -> str:
    """Return how she notes a fact: in one of the world's phrasings, where it has any."""
    slot = slot_of(fact.slot)
    if slot is None or not slot.notes:
        return sentence(third(fact.tell))
    return capital(draw.choice(slot.notes).replace("{value}", fact.value))


def _listed(shown: Results, key: str) -> list[tuple[int, str]]:
    lists = [result[key] for part in shown for result in part if isinstance(result.get(key), list)]
    notes = json.loads(json.dumps(lists[-1])) if lists else []
    return [(note["index"], note["text"]) for note in notes]
