"""What a conversation is about: which facts, what they replace, what is beside them."""

from __future__ import annotations

import datetime
import functools
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from apep_datagen.people.cast import Cast
from apep_datagen.people.distinct import Taken
from apep_datagen.people.forms import Offers
from apep_datagen.people.scenario import Ability, Fact, Form, KnownFact
from apep_datagen.people.story import Story
from apep_datagen.people.vocabulary import Forms
from apep_datagen.people.world import Slot

__all__ = ["Plan"]


class Plan:
    """What is drawn of a scenario: facts, what they replace, what is beside them.

    Args:
        cast: What it is drawn from.
        draw: Where chance comes from.
        story: The timeline so far.
        found: What the story offers.
        day: When the conversation takes place.
    """

    def __init__(self, cast: Cast, draw: random.Random, story: Story, found: Offers, day: datetime.date) -> None:
        self._cast = cast
        self._draw = draw
        self._story = story
        self._found = found
        self._day = day
        self.facts: tuple[Fact, ...] = ()
        self.replaced: Fact | None = None
        self.earlier: tuple[Fact, ...] = ()
        self.inventions: tuple[str, ...] = ()
        self.question = ""

    def draw(self, ability: Ability, form: Form) -> None:
        """Draw what a conversation that shows the ability in this form is about."""
        chosen = self._choose(self._found.by_form[ability, form])
        drawing = _BY_ABILITY.get(ability)
        if drawing is not None:
            drawing(self, chosen, form)
        elif isinstance(chosen, KnownFact):
            self._know(chosen)
        elif isinstance(chosen, Slot):
            self.facts = (self._new(chosen),)

    def share(self, chosen: Any, form: Form) -> None:
        """Draw what is told; nothing for `passing`."""
        if form is Form.KNOWN_ALREADY:
            self._know(chosen)
        elif form is Form.TWO_AT_ONCE:
            self.facts = (self._new(chosen), self._new(self._another(chosen)))
        elif form is not Form.PASSING:
            self.facts = (self._new(chosen),)

    def update(self, chosen: Any, form: Form) -> None:
        """Draw what has changed, what was told wrongly, or what Ada never had."""
        if form is Form.OLD_MISSING:
            self.facts = (self._new(chosen, changed=True),)
            return
        slot = self._cast.slots[chosen.fact.slot]
        self.replaced, self.earlier = chosen.fact, chosen.earlier
        self.facts = (slot.fact(self._value(slot), changed=form is not Form.MISTAKE),)

    def forget(self, chosen: Any, form: Form) -> None:
        """Draw what is to be forgotten."""
        if form is Form.NEVER_KEPT:
            self.abstain(chosen, form)
        elif form is Form.PERSON:
            self.facts = tuple(item.fact for item in chosen)
        else:
            self._know(chosen)

    def recall(self, chosen: Any, form: Form) -> None:
        """Draw what is asked for, in memory or in memory and diary, or told in the same chat."""
        if form is Form.SAID_ABOVE:
            self.facts = (self._new(chosen),)
            return
        self._know(chosen)
        if form is Form.NOTE_AND_PAGE:
            self.facts += (_least_asked(self._draw, self._found.pages).fact,)

    def connect(self, chosen: Any, _form: Form) -> None:
        """Draw a question that needs two facts."""
        connection, first, second = chosen
        self.question, self.facts = connection.ask, (first, second)

    def abstain(self, chosen: Any, form: Form) -> None:
        """Draw what is asked for and is not there; what was forgotten is not to be told either."""
        self.facts = (chosen.fact(()),)
        self.inventions = tuple(form for forms in chosen.values for form in forms if "{" not in form)
        if form is Form.FORGOTTEN:
            gone = (spelled for fact in self._story.forgotten if fact.slot == chosen.slot for spelled in fact.forms)
            self.inventions = tuple(dict.fromkeys((*gone, *self.inventions)))

    def diary(self, chosen: Any, form: Form) -> None:
        """Draw a moment, and perhaps a fact that is told with it."""
        self.facts = (chosen,)
        if form is Form.MOMENT_AND_FACT:
            self.facts += (self._new(self._choose(self._found.new_slots)),)

    def apply(self, chosen: Any, _form: Form) -> None:
        """Draw a wish for which something that Ada knows matters."""
        self._know(chosen)
        self.question = self._draw.choice(self._cast.slots[chosen.fact.slot].occasions)

    def ask_back(self, chosen: Any, _form: Form) -> None:
        """Draw two of which one is asked for."""
        self.facts = (chosen.first, chosen.second)

    @property
    def beside(self) -> tuple[Fact, ...]:
        """Near misses of what is asked."""
        return tuple(near.fact for fact in self.facts for near in self._found.near.get(fact.slot, ()))

    @property
    def is_forgettable(self) -> bool:
        """Whether people forget what is asked, so that they may say that they told it."""
        slots = [self._cast.slots.get(fact.slot) for fact in self.facts]
        return bool(slots) and all(slot is None or slot.forgettable for slot in slots)

    def _choose(self, candidates: Sequence[Any]) -> Any:
        if all(isinstance(one, KnownFact) for one in candidates):
            return _least_asked(self._draw, candidates)
        if all(isinstance(one, Slot) for one in candidates):
            weights = self._cast.weights
            return self._draw.choices(candidates, [weights[slot.slot] for slot in candidates])[0]
        return self._draw.choice(candidates)

    def _another(self, slot: Slot) -> Slot:
        """Return a second kind to be told; not one that belongs to the first, so that they can be told on two days."""
        pairs = [{*connection.slots} for connection in self._cast.connections]
        partners = {other for pair in pairs if slot.slot in pair for other in pair}
        left = [other for other in self._found.new_slots if other.slot not in {slot.slot, *partners}]
        chosen: Slot = self._choose(left or [other for other in self._found.new_slots if other is not slot])
        return chosen

    def _new(self, slot: Slot, *, changed: bool = False) -> Fact:
        return slot.fact(self._value(slot), changed=changed)

    @functools.cached_property
    def _taken(self) -> Taken:
        # Most conversations need no new value.
        return Taken.of_story(self._story)

    def _value(self, slot: Slot) -> Forms:
        return self._taken.draw(self._draw, self._cast.world.vocabulary, slot.values, self._day)

    def _know(self, item: KnownFact) -> None:
        self.facts, self.earlier = (item.fact,), item.earlier


_BY_ABILITY: dict[Ability, Callable[[Plan, Any, Form], None]] = {
    Ability.SHARE: Plan.share,
    Ability.UPDATE: Plan.update,
    Ability.FORGET: Plan.forget,
    Ability.RECALL: Plan.recall,
    Ability.CONNECT: Plan.connect,
    Ability.ABSTAIN: Plan.abstain,
    Ability.DIARY: Plan.diary,
    Ability.APPLY: Plan.apply,
    Ability.ASK_BACK: Plan.ask_back,
}


def _least_asked(draw: random.Random, known: Iterable[KnownFact]) -> KnownFact:
    items = list(known)
    least = min(item.asked for item in items)
    return draw.choice([item for item in items if item.asked == least])
