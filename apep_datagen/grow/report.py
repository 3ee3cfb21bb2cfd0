"""What has come of growing, in a sentence or two."""

from __future__ import annotations

from pathlib import Path

from apep_datagen.budget.amounts import dollars
from apep_datagen.core.spelling import spell_count, spell_usd
from apep_datagen.grow.growing import Growth

__all__ = ["describe_growth"]


def describe_growth(growth: Growth, path: Path) -> str:
    """Return for a person what was added to the file at `path`, and what it cost."""
    added = growth.added
    cost = f", {spell_usd(dollars(growth.spent.picodollars))}" if growth.is_priced else ", at prices that are not known"
    return (
        f"Added to {path}: {_spell(added['facts'], 'kind', 'kinds')} of fact, {_spell(added['moments'], 'moment')},"
        f" {_spell(added['topics'], 'topic')}. {_spell(growth.refused, 'proposal')} refused."
        f" {_spell(growth.spent.requests, 'request')}, {_spell(growth.spent.tokens, 'token')}{cost}."
    )


def _spell(number: int, one: str, several: str = "") -> str:
    return f"{spell_count(number)} {one if number == 1 else several or one + 's'}"
