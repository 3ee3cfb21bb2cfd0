"""Values of the program's own tables: what stands in braces is drawn, the same in each run."""

from __future__ import annotations

import datetime

from apep_datagen.people.cast import load_cast
from apep_datagen.people.drawing import generator
from apep_datagen.people.vocabulary import Forms
from apep_datagen.people.world import Slot

__all__ = ["CAST", "HELD_OUT", "slot_of", "values_of"]

CAST = load_cast()
HELD_OUT = load_cast(part="held out")
"""What generation never draws."""
_DAY = datetime.date(2026, 3, 4)


def slot_of(name: str) -> Slot | None:
    """Return a kind of fact, whether it is drawn or held out; None where there is none of this name."""
    return CAST.slots.get(name) or HELD_OUT.slots.get(name)


def values_of(slot: Slot, most: int = 12) -> list[Forms]:
    """Return values of a kind of fact, with their spellings: what stands in braces is drawn; `most` at the most."""
    vocabulary = CAST.world.vocabulary
    draw = generator("values", slot.slot)
    drawn = [vocabulary.draw(draw, forms, _DAY) for forms in slot.values for _ in range(3 if "{" in forms[0] else 1)]
    distinct = list(dict.fromkeys(drawn))
    return distinct if len(distinct) <= most else draw.sample(distinct, most)
