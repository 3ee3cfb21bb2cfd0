"""What a run will draw, in words."""

from __future__ import annotations

from apep_datagen.core.spelling import spell_count
from apep_datagen.stats.planned import Planned
from apep_datagen.stats.shortcuts_report import (
    THRESHOLD_COLUMNS,
    describe_repeats,
    spell_form,
    spell_spread,
    threshold_row,
)
from apep_datagen.terminal.tables import table

__all__ = ["describe_planned"]


def describe_planned(planned: Planned) -> str:
    """Return what a run will draw, for a person."""
    each = 1000 * planned.seconds / planned.count if planned.count else 0.0
    head = (
        f"Rehearsed without a model: {planned.count:,} conversations of a run that begins,"
        f" {planned.in_flight:,} at once,\nas if each were accepted and its facts kept ({each:.2f} ms each):"
    )
    rows = [
        [
            spell_form(kind.ability.value, kind.form),
            spell_count(kind.notes.count),
            f"{kind.percent:.1f} %",
            "" if kind.wished_percent is None else f"{kind.wished_percent:.1f} %",
            *map(spell_spread, (kind.notes, kind.pages, kind.exchanges, kind.hours)),
        ]
        for kind in planned.kinds
    ]
    columns = ["ability, form", "count", "share", "wished", "notes before", "pages before", "exchanges", "hour"]
    explained = (
        "Numbers are the smallest, the quartiles and the largest: notes in memory and pages in the diary\n"
        "before the conversation, its exchanges, and the hour of day."
    )
    parts = [f"{head}\n{table(columns, rows)}\n{explained}"]
    pairs = [
        threshold_row(pair, threshold)
        for pair, threshold in planned.thresholds
        if threshold.accuracy.there and threshold.accuracy.missing
    ]
    if pairs:
        parts.append(
            f"{table(list(THRESHOLD_COLUMNS), pairs)}\n"
            "How well the number of notes alone guesses whether it is there: the Kolmogorov-Smirnov\n"
            "distance (KS), and the balanced accuracy of the best threshold, of which 50 % is chance; it\n"
            "exceeds what stands behind it 1 time in 20 where both are alike."
        )
    return "\n\n".join([*parts, *describe_repeats(planned.facts, planned.topics)])
