"""How many conversations were reviewed, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apep_datagen.quality.problem import Stage
from apep_datagen.storage.reviews import ReviewCount
from apep_datagen.storage.verdicts import VerdictCount

__all__ = ["describe_reviews", "reviews_as_json"]


def reviews_as_json(counts: Iterable[ReviewCount]) -> dict[str, Any]:
    """Return how many reviews were asked for, for a script.

    Returns:
        `given`, how many the reviewer gave, and `missing`, how many it gave no answer of use to; `by_provider`: for
        each provider that was asked the same.
    """
    counts = tuple(counts)
    return {
        "given": sum(item.given for item in counts),
        "missing": sum(item.missing for item in counts),
        "by_provider": {item.provider: {"given": item.given, "missing": item.missing} for item in counts},
    }


def describe_reviews(counts: Iterable[ReviewCount], verdicts: Iterable[VerdictCount]) -> list[str]:
    """Return a paragraph for a person; none where nobody was asked.

    Args:
        counts: How many reviews were asked for.
        verdicts: How the conversations were judged.
    """
    counts = tuple(counts)
    given, missing = sum(item.given for item in counts), sum(item.missing for item in counts)
    if not given and not missing:
        return []
    rejected = sum(item.count for item in verdicts if item.stage == Stage.REVIEW.value)
    said = f"{given:,} conversations that the code had accepted were reviewed, {rejected:,} of them rejected for it"
    if missing:
        said += f"; {missing:,} more passed without a review, as the reviewer gave no answer of use"
    return [said]
