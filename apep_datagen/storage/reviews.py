"""How many conversations of a run were reviewed, and how many for which the reviewer gave no answer of use."""

from __future__ import annotations

import sqlite3

from pydantic.dataclasses import dataclass

from apep_datagen.conversation.review import Review
from apep_datagen.storage.checked import CHECKED

__all__ = ["ReviewCount", "count_review", "read_reviews"]


@dataclass(frozen=True, slots=True, config=CHECKED)
class ReviewCount:
    """How many reviews a provider was asked for.

    Attributes:
        provider: Which.
        given: How many of them it gave; what they object to is counted with the verdicts.
        missing: How many it gave no answer of use to; these conversations passed without one.
    """

    provider: str
    given: int
    missing: int


def read_reviews(connection: sqlite3.Connection) -> tuple[ReviewCount, ...]:
    """Return how many reviews the providers of a run were asked for."""
    rows = connection.execute(
        "SELECT provider, sum(is_given * count), sum((1 - is_given) * count) FROM reviews GROUP BY provider ORDER BY 1"
    )
    return tuple(ReviewCount(*row) for row in rows)


def count_review(connection: sqlite3.Connection, provider: str, review: Review) -> None:
    """Count a review that a provider was asked for; one without answers is missing."""
    connection.execute(
        "INSERT INTO reviews (provider, is_given, count) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
        (provider, int(bool(review.answers))),
    )
