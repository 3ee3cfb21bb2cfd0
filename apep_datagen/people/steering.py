"""Which ability the next conversation is to show, so that what is accepted comes to the wished mix."""

from __future__ import annotations

import random
from collections.abc import Mapping

from apep_datagen.people.scenario import Ability

__all__ = ["draw_ability"]

# The draw looks so many conversations ahead. A longer view draws more freely, a shorter one keeps closer to the wish:
# an ability is never ahead of its share by more than this, times its share.
_HORIZON = 15


def draw_ability(
    draw: random.Random, mix: Mapping[Ability, float], counts: Mapping[Ability, int], possible: Mapping[Ability, float]
) -> Ability:
    """Draw an ability, the more probably the more conversations of it are owed.

    Args:
        draw: Where chance comes from.
        mix: The wished shares; only their proportions count.
        counts: How many conversations of each ability were accepted or are in progress.
        possible: What the timeline allows, with how readily each is to be drawn; not empty.
    """
    whole = sum(mix.values())
    total = sum(counts.values()) + _HORIZON
    owed = {ability: mix.get(ability, 0) / whole * total - counts.get(ability, 0) for ability in Ability}
    candidates = [ability for ability in Ability if ability in possible and mix.get(ability, 0) > 0]
    if not candidates:  # nothing wished for is possible yet: what makes the others possible comes first
        return next(ability for ability in Ability if ability in possible)
    weights = [max(0.0, owed[ability]) * possible[ability] for ability in candidates]
    if not any(weights):
        return max(candidates, key=lambda ability: owed[ability])
    return draw.choices(candidates, weights)[0]
