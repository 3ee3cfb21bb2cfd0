"""Which ability the next conversation is to show, so that what is accepted comes to the wished mix."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping

from apep_datagen.people.scenario import Ability

__all__ = ["draw_ability"]

# The draw looks so many conversations ahead. A longer view draws more freely, a shorter one keeps closer to the wish:
# an ability is never ahead of its share by more than this, times its share.
_HORIZON = 6


def draw_ability(
    draw: random.Random,
    mix: Mapping[Ability, float],
    counts: Mapping[Ability, int],
    possible: Mapping[Ability, float],
    held_back: Collection[Ability] = (),
) -> Ability:
    """Draw an ability, the more probably the more conversations of it are owed.

    One that is held back gets its wished share of the draws and no more, whatever is owed of it, so that it shows
    when it passes again; the others share what is left as they would without it. Only where nothing else that is
    wished for is possible is it drawn as any other.

    Args:
        draw: Where chance comes from.
        mix: The wished shares; only their proportions count.
        counts: How many conversations of each ability were accepted or are in progress.
        possible: What the timeline allows, with how readily each is to be drawn; not empty.
        held_back: Which abilities are held back.
    """
    wished = [ability for ability in Ability if ability in possible and mix.get(ability, 0) > 0]
    if not wished:  # nothing wished for is possible yet: what makes the others possible comes first
        return next(ability for ability in Ability if ability in possible)
    candidates = [ability for ability in wished if ability not in held_back]
    if not candidates:
        return _draw_owed(draw, mix, counts, {ability: possible[ability] for ability in wished})
    if held_back:
        left, whole = draw.random(), sum(mix.values())
        for ability in wished:
            if ability in held_back:
                left -= mix[ability] / whole
                if left < 0:
                    return ability
        mix = {ability: share for ability, share in mix.items() if ability not in held_back}
        counts = {ability: count for ability, count in counts.items() if ability not in held_back}
    return _draw_owed(draw, mix, counts, {ability: possible[ability] for ability in candidates})


def _draw_owed(
    draw: random.Random,
    mix: Mapping[Ability, float],
    counts: Mapping[Ability, int],
    candidates: Mapping[Ability, float],
) -> Ability:
    """Draw one of `candidates`, which are wished for, with how readily each is to be drawn."""
    whole = sum(mix.values())
    total = sum(counts.values()) + _HORIZON
    owed = {ability: mix[ability] / whole * total - counts.get(ability, 0) for ability in candidates}
    weights = [max(0.0, owed[ability]) * readiness for ability, readiness in candidates.items()]
    if not any(weights):
        return max(candidates, key=lambda ability: owed[ability] / mix[ability])
    return draw.choices(list(candidates), weights)[0]
