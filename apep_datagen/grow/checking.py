"""Whether a proposal may come into the world: it has no fault, and there is nothing like it yet.

Each check is for the program's own tables, too; `tests/people/test_world.py` asks them of all that is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from apep_datagen.grow.kinds import LEAST_VALUES, alike_kinds, faults_of_kind, faults_of_value, values_elsewhere
from apep_datagen.grow.moments import alike_moments, faults_of_moment
from apep_datagen.grow.texts import quoted
from apep_datagen.grow.topics import Topics, faults_of_topic
from apep_datagen.people.vocabulary import Forms
from apep_datagen.people.world import Moment, Slot, World

__all__ = ["Examined", "Examiner"]


@dataclass(frozen=True, slots=True)
class Examined:
    """A kind that may come into the world.

    Attributes:
        slot: The kind, without the values that may not.
        left_out: Why values were left out, in sentences.
    """

    slot: Slot
    left_out: tuple[str, ...] = field(default=())


class Examiner:
    """Looks at proposals, one after the other, and knows what passed.

    Args:
        worlds: What there is: the world that grows first, and what is held out of it for evaluation, which is not to
            come into it again.
        traits: What users can be.
    """

    def __init__(self, worlds: Sequence[World], traits: Iterable[str]) -> None:
        self._vocabulary = worlds[0].vocabulary
        self._traits = frozenset(traits)
        self._slots = [slot for world in worlds for slot in world.slots.values()]
        self._moments = [moment for world in worlds for moment in world.moments.values()]
        self._names = {name for world in worlds for name in (*world.slots, *world.twins, *world.moments)}
        self._topics = Topics(
            text for world in worlds for text in (*world.topics, *world.smalltalk_topics, *world.advice_topics)
        )

    def examine_kind(self, slot: Slot) -> Examined | str:
        """Return the kind as it may come into the world, which is then known; or in a sentence why it may not."""
        if fault := next(self._clashes(slot), None):
            return fault
        left_out = dict(self._unfit_values(slot))
        values = tuple(forms for forms in slot.values if forms not in left_out)
        is_drawn = any("{" in form for forms in values for form in forms)
        if len(values) < LEAST_VALUES and not is_drawn:
            others = f", and {len(left_out) - 1} more" if len(left_out) > 1 else ""
            why = f" ({next(iter(left_out.values()))}{others})" if left_out else ""
            return f"it has {len(values)} values that can be used, and {LEAST_VALUES} are needed{why}"
        fit = slot.model_copy(update={"values": values})
        if fault := next(faults_of_kind(fit, self._vocabulary, self._traits), None):
            return fault
        self._slots.append(fit)
        self._names.add(fit.slot)
        return Examined(fit, tuple(left_out.values()))

    def examine_moment(self, moment: Moment) -> str | None:
        """Return why a moment may not come into the world, in a sentence; None where it may, and is known then."""
        faults = [*self._name_is_taken(moment.slot), *faults_of_moment(moment)]
        faults += [f"{like.slot}, which is there, {how}" for like, how in alike_moments(moment, self._moments)]
        if faults:
            return faults[0]
        self._moments.append(moment)
        self._names.add(moment.slot)
        return None

    def examine_topic(self, topic: str) -> str | None:
        """Return why a topic may not come into the world, in a sentence; None where it may, and is known then."""
        if fault := next(faults_of_topic(topic), None):
            return fault
        if like := self._topics.alike(topic):
            return f"there is {quoted(like)}, which is nearly the same"
        self._topics.add(topic)
        return None

    def _name_is_taken(self, name: str) -> Iterator[str]:
        if name in self._names:
            yield f"the slot {name} is there"

    def _clashes(self, slot: Slot) -> Iterator[str]:
        yield from self._name_is_taken(slot.slot)
        for like, how in alike_kinds(slot, self._slots):
            yield f"{like.slot}, which is there, {how}"

    def _unfit_values(self, slot: Slot) -> Iterator[tuple[Forms, str]]:
        for forms in slot.values:
            if fault := next(faults_of_value(forms, self._vocabulary), None):
                yield forms, fault
        for forms, other in values_elsewhere(slot, self._slots):
            yield forms, f"{quoted(forms[0])} is a value of {other.slot}"
