"""Values of the shipped tables: what stands in braces is drawn, the same in each run."""

from __future__ import annotations

import datetime
import random

from apep_datagen.people.cast import load_cast
from apep_datagen.people.vocabulary import Forms
from apep_datagen.people.world import Slot

__all__ = ["CAST", "values_of"]

CAST = load_cast()
_DAY = datetime.date(2026, 3, 11)


def values_of(slot: Slot) -> list[Forms]:
    """Return the spellings of each value of a kind of fact, of what is drawn one."""
    draw = random.Random(slot.slot)  # noqa: S311 - a test's draw
    return [CAST.world.vocabulary.draw(draw, forms, _DAY) for forms in slot.values]
