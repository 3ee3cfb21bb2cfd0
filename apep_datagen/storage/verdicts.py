"""How the finished conversations of a run were judged, over all its invocations."""

from __future__ import annotations

import sqlite3
from collections import Counter

from pydantic.dataclasses import dataclass

from apep_datagen.conversation.brief import Brief
from apep_datagen.people.scenario import Ability
from apep_datagen.quality.problem import Problem
from apep_datagen.storage.checked import CHECKED, integer

__all__ = ["VerdictCount", "accepted_by_ability", "count_verdict", "read_verdicts", "rejected_count"]


@dataclass(frozen=True, slots=True, config=CHECKED)
class VerdictCount:
    """How many conversations were judged alike.

    Attributes:
        provider: Who made their last call.
        ability: What they were to show.
        stage: The stage that rejected them; empty where they were accepted.
        reason: Why; empty where they were accepted.
        count: How many.
    """

    provider: str
    ability: str
    stage: str
    reason: str
    count: int


def read_verdicts(connection: sqlite3.Connection) -> tuple[VerdictCount, ...]:
    """Return how the conversations of a run were judged."""
    rows = connection.execute(
        "SELECT provider, ability, stage, reason, count FROM verdicts ORDER BY provider, ability, stage, reason"
    )
    return tuple(VerdictCount(*row) for row in rows)


def rejected_count(connection: sqlite3.Connection) -> int:
    """Return how many conversations were rejected."""
    (count,) = connection.execute("SELECT coalesce(sum(count), 0) FROM verdicts WHERE stage != ''").fetchone()
    return integer(count)


def accepted_by_ability(connection: sqlite3.Connection) -> Counter[Ability]:
    """Return how many conversations of each ability were accepted."""
    rows = connection.execute("SELECT ability, sum(count) FROM verdicts WHERE stage = '' GROUP BY ability")
    return Counter({Ability(ability): integer(count) for ability, count in rows})


def count_verdict(connection: sqlite3.Connection, brief: Brief, problem: Problem | None) -> None:
    """Count how a conversation was judged; `problem` is why it was rejected, or None where it was accepted."""
    stage, reason = (problem.stage.value, problem.reason) if problem else ("", "")
    connection.execute(
        "INSERT INTO verdicts (provider, ability, stage, reason, count)"
        " SELECT provider, ?, ?, ?, 1 FROM conversations WHERE id = ?"
        " ON CONFLICT DO UPDATE SET count = count + 1",
        (brief.scenario.ability.value, stage, reason, brief.conversation_id),
    )
