"""What became of the conversations of a run, over all its invocations: how they were judged, or that they failed."""

from __future__ import annotations

import sqlite3
from collections import Counter

from pydantic.dataclasses import dataclass

from apep_datagen.conversation.brief import Brief
from apep_datagen.core.errors import FailureKind
from apep_datagen.people.ability_yield import MOST_VERDICTS, AbilityYield, Verdict
from apep_datagen.people.scenario import Ability
from apep_datagen.quality.problem import Problem
from apep_datagen.storage.checked import CHECKED, integer

__all__ = [
    "MOST_REASONS",
    "SET_ASIDE",
    "FrequentReason",
    "VerdictCount",
    "accepted_by_ability",
    "accepted_by_provider",
    "count_set_aside",
    "count_verdict",
    "most_frequent_reasons",
    "read_verdicts",
    "recent_yields",
    "recount",
    "rejected_count",
]

MOST_REASONS = 10
"""So many reasons are told with an example; the others are counted."""

SET_ASIDE = "set aside"
"""What stands in place of a stage for conversations that failed for good, before they could be judged."""


@dataclass(frozen=True, slots=True, config=CHECKED)
class VerdictCount:
    """How many conversations ended alike.

    Attributes:
        provider: Who made their last call, or failed to.
        ability: What they were to show.
        stage: The stage that rejected them, or `SET_ASIDE`; empty where they were accepted.
        reason: Why; for those set aside, the kind of failure; empty where they were accepted.
        count: How many.
    """

    provider: str
    ability: str
    stage: str
    reason: str
    count: int


def read_verdicts(connection: sqlite3.Connection) -> tuple[VerdictCount, ...]:
    """Return what became of the conversations of a run."""
    rows = connection.execute(
        "SELECT provider, ability, stage, reason, count FROM verdicts ORDER BY provider, ability, stage, reason"
    )
    return tuple(VerdictCount(*row) for row in rows)


@dataclass(frozen=True, slots=True, config=CHECKED)
class FrequentReason:
    """Why conversations of an ability were not accepted.

    Attributes:
        ability: What they were to show.
        stage: As of a `VerdictCount`.
        reason: As of a `VerdictCount`.
        count: How many.
        example: The number of the latest of them; None where none is left.
    """

    ability: str
    stage: str
    reason: str
    count: int
    example: int | None


def most_frequent_reasons(connection: sqlite3.Connection) -> tuple[FrequentReason, ...]:
    """Return why conversations were not accepted, `MOST_REASONS` at most, the most frequent first."""
    rows = connection.execute(
        "SELECT ability, stage, reason, sum(count) FROM verdicts WHERE stage != '' GROUP BY ability, stage, reason"
        " ORDER BY 4 DESC, 1, 2, 3 LIMIT ?",
        (MOST_REASONS,),
    ).fetchall()
    return tuple(
        FrequentReason(ability, stage, reason, count, _latest(connection, ability, stage, reason))
        for ability, stage, reason, count in rows
    )


def _latest(connection: sqlite3.Connection, ability: str, stage: str, reason: str) -> int | None:
    if stage == SET_ASIDE:  # these are counted by kind, and stored in words
        row = connection.execute(
            "SELECT max(id) FROM conversations WHERE status = 'set aside' AND ability = ?", (ability,)
        ).fetchone()
    else:
        row = connection.execute(
            "SELECT max(id) FROM conversations WHERE status = 'rejected' AND stage = ? AND reason = ? AND ability = ?",
            (stage, reason, ability),
        ).fetchone()
    return None if row[0] is None else integer(row[0])


def recent_yields(connection: sqlite3.Connection, prompts: str | None = None) -> tuple[AbilityYield, ...]:
    """Return what became of the last conversations of each ability that were begun with certain prompts.

    Args:
        connection: The state database.
        prompts: The digest of the prompts; those of the latest conversation where it is not given.
    """
    row = connection.execute(
        "SELECT prompt_set_id FROM conversations WHERE id = (SELECT max(id) FROM conversations)"
        if prompts is None
        else "SELECT id FROM prompt_sets WHERE digest = :digest",
        {"digest": prompts},
    ).fetchone()
    if row is None:
        return ()
    return tuple(AbilityYield(ability, _recent_verdicts(connection, row[0], ability)) for ability in Ability)


def _recent_verdicts(connection: sqlite3.Connection, prompt_set_id: int, ability: Ability) -> tuple[Verdict, ...]:
    rows = connection.execute(
        "SELECT id, status, coalesce(stage, ''), coalesce(reason, '') FROM conversations"
        " WHERE status != 'active' AND prompt_set_id = ? AND ability = ? ORDER BY id DESC LIMIT ?",
        (prompt_set_id, ability.value, MOST_VERDICTS),
    ).fetchall()
    return tuple(_verdict(*row) for row in reversed(rows))


def _verdict(number: int, status: str, stage: str, reason: str) -> Verdict:
    if status == "finished":
        return Verdict(number)
    return Verdict(number, SET_ASIDE) if status == "set aside" else Verdict(number, stage, reason)


def rejected_count(connection: sqlite3.Connection) -> int:
    """Return how many conversations were rejected."""
    return sum(verdict.count for verdict in read_verdicts(connection) if verdict.stage not in {"", SET_ASIDE})


def accepted_by_ability(connection: sqlite3.Connection) -> Counter[Ability]:
    """Return how many conversations of each ability were accepted."""
    rows = connection.execute("SELECT ability, sum(count) FROM verdicts WHERE stage = '' GROUP BY ability")
    return Counter({Ability(ability): integer(count) for ability, count in rows})


def accepted_by_provider(connection: sqlite3.Connection) -> dict[str, int]:
    """Return how many conversations that are accepted each provider made, in the order of the providers' names."""
    rows = connection.execute(
        "SELECT provider, count(*) FROM samples JOIN conversations ON conversations.id = conversation_id"
        " GROUP BY provider ORDER BY provider"
    )
    return dict(rows.fetchall())


def count_verdict(connection: sqlite3.Connection, brief: Brief, problem: Problem | None) -> None:
    """Count how a conversation was judged; `problem` is why it was rejected, or None where it was accepted."""
    stage, reason = (problem.stage.value, problem.reason) if problem else ("", "")
    connection.execute(
        "INSERT INTO verdicts (provider, ability, stage, reason, count)"
        " SELECT provider, ?, ?, ?, 1 FROM conversations WHERE id = ?"
        " ON CONFLICT DO UPDATE SET count = count + 1",
        (brief.scenario.ability.value, stage, reason, brief.conversation_id),
    )


def recount(connection: sqlite3.Connection, conversation_id: int, problem: Problem | None) -> None:
    """Count a conversation otherwise than it stands in the database, which the caller changes behind this.

    What a version that counted no verdicts has made stays uncounted.

    Args:
        connection: The state database.
        conversation_id: Which one.
        problem: Why it is rejected from now on; None where it is accepted.
    """
    stage, reason = (problem.stage.value, problem.reason) if problem else ("", "")
    counted = connection.execute(
        "UPDATE verdicts SET count = count - 1 FROM conversations AS it WHERE it.id = ?"
        " AND verdicts.provider = it.provider AND verdicts.ability = it.ability"
        " AND verdicts.stage = coalesce(it.stage, '') AND verdicts.reason = coalesce(it.reason, '')",
        (conversation_id,),
    )
    if not counted.rowcount:
        return
    connection.execute("DELETE FROM verdicts WHERE count <= 0")
    connection.execute(
        "INSERT INTO verdicts (provider, ability, stage, reason, count)"
        " SELECT provider, ability, ?, ?, 1 FROM conversations WHERE id = ?"
        " ON CONFLICT DO UPDATE SET count = count + 1",
        (stage, reason, conversation_id),
    )


def count_set_aside(connection: sqlite3.Connection, brief: Brief, provider: str, kind: FailureKind) -> None:
    """Count a conversation that failed for good at a provider."""
    connection.execute(
        "INSERT INTO verdicts (provider, ability, stage, reason, count) VALUES (?, ?, ?, ?, 1)"
        " ON CONFLICT DO UPDATE SET count = count + 1",
        (provider, brief.scenario.ability.value, SET_ASIDE, kind.value),
    )
