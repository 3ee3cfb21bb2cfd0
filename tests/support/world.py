"""Values of the program's own tables, as they are drawn."""

from __future__ import annotations

import datetime
import functools

from apep_datagen.people.cast import Cast, load_cast
from apep_datagen.people.drawing import generator
from apep_datagen.people.vocabulary import Forms
from apep_datagen.people.world import Slot

__all__ = ["program_cast", "values_of"]

_DAY = datetime.date(2026, 3, 4)


@functools.cache
def program_cast() -> Cast:
    """Return the tables that come with the program; read once."""
    return load_cast()


def values_of(slot: Slot, most: int = 12) -> list[Forms]:
    """Return values of a kind of fact, with their spellings: what stands in braces is drawn; `most` at the most."""
    vocabulary = program_cast().world.vocabulary
    draw = generator("values", slot.slot)
    drawn = [vocabulary.draw(draw, forms, _DAY) for forms in slot.values for _ in range(3 if "{" in forms[0] else 1)]
    distinct = list(dict.fromkeys(drawn))
    return distinct if len(distinct) <= most else draw.sample(distinct, most)
