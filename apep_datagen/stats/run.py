"""What the state database tells of a dataset: abilities, users, topics, days, and who made it."""

from __future__ import annotations

import json
import math
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic.dataclasses import dataclass

from apep_datagen.core.errors import StorageError
from apep_datagen.core.messages import ModelRole, Step
from apep_datagen.people.scenario import Ability
from apep_datagen.stats.distribution import Distribution, most_frequent
from apep_datagen.stats.held_out import HeldOutCount, load_held_out
from apep_datagen.stats.held_out_of_run import read_held_out
from apep_datagen.stats.shortcuts import Shortcuts
from apep_datagen.stats.shortcuts_of_run import read_shortcuts
from apep_datagen.storage.access import other_output, state_path
from apep_datagen.storage.checked import CHECKED
from apep_datagen.storage.reviews import ReviewCount, read_reviews
from apep_datagen.storage.rewrites import RewriteCount, read_rewrites
from apep_datagen.storage.unknown import count_unknown
from apep_datagen.storage.verdicts import VerdictCount, read_verdicts

__all__ = ["AbilityShare", "Maker", "RunStats", "read_run"]

# One parse of each brief, and only what is counted leaves SQLite.
_BRIEFS = """
    SELECT json_extract(plan, '$.scenario.ability', '$.scenario.topic', '$.scenario.mood', '$.scenario.style', '$.at')
    FROM conversations WHERE id IN (SELECT conversation_id FROM samples)
"""
_TIMELINES = """
    SELECT json_extract(story, '$.user'), count(*) FROM samples JOIN conversations ON conversations.id = conversation_id
    JOIN timelines ON timelines.id = timeline_id GROUP BY timeline_id
"""
_ROLES = " ".join(f"WHEN '{step.value}' THEN '{step.model_role.value}'" for step in Step)
_MAKERS = f"""
    SELECT provider, model, CASE kind {_ROLES} END, count(DISTINCT conversation_id) FROM steps
    WHERE provider IS NOT NULL AND conversation_id IN (SELECT conversation_id FROM samples)
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""  # noqa: S608 - of constants


@dataclass(frozen=True, slots=True, config=CHECKED)
class AbilityShare:
    """How many accepted conversations show an ability, and which shares this is and was to be, in percent."""

    ability: Ability
    count: int
    percent: float
    wished_percent: float


@dataclass(frozen=True, slots=True, config=CHECKED)
class Maker:
    """A provider's model, in what role it worked on accepted conversations, and on how many."""

    provider: str
    model: str
    role: ModelRole
    conversations: int


@dataclass(frozen=True, slots=True, config=CHECKED)
class RunStats:
    """What the state database tells about the accepted conversations.

    Attributes:
        accepted: How many there are.
        foreign: Conversations of the file of which the state database does not know what they are: they were there
            before the run, were imported, or were changed by another hand.
        abilities: By ability, all of them.
        users: Different users.
        conversations_of_user: Conversations of each of them.
        timeline_length: Conversations of each timeline that has any.
        topics: Different topics.
        most_frequent_topics: Topics, and how often each was drawn.
        moods: Different moods.
        styles: Different ways of building a message.
        first_day: The day of the earliest conversation, as an ISO date; empty where there is none.
        last_day: That of the latest.
        makers: The models that made them.
        verdicts: How the finished conversations were judged.
        rewrites: What became of thoughts that were rewritten, also in those that were rejected.
        reviews: How many reviews the providers were asked for.
        shortcuts: What could be learned from them instead of looking.
        held_out: Of how many something that was drawn is held out for evaluation.
    """

    accepted: int
    foreign: int
    abilities: tuple[AbilityShare, ...]
    users: int
    conversations_of_user: Distribution
    timeline_length: Distribution
    topics: int
    most_frequent_topics: tuple[tuple[str, int], ...]
    moods: int
    styles: int
    first_day: str
    last_day: str
    makers: tuple[Maker, ...]
    verdicts: tuple[VerdictCount, ...]
    rewrites: tuple[RewriteCount, ...]
    reviews: tuple[ReviewCount, ...]
    shortcuts: Shortcuts
    held_out: HeldOutCount


def read_run(connection: sqlite3.Connection, path: Path, mix: Mapping[Ability, float]) -> RunStats:
    """Ask a state database.

    Args:
        connection: The state database.
        path: The dataset beside which it is.
        mix: The wished shares of the abilities; they need not add up to anything.

    Raises:
        StorageError: It belongs to another dataset, or the dataset cannot be read.
    """
    if other := other_output(connection, path):
        raise StorageError(f"{state_path(path)} belongs to {other}")
    (accepted,) = connection.execute("SELECT count(*) FROM samples").fetchone()
    abilities, topics, moods, styles, days = _count_briefs(connection)
    users: Counter[str] = Counter()
    lengths: Counter[int] = Counter()
    for user, conversations in connection.execute(_TIMELINES):
        lengths[conversations] += 1
        if user is not None:  # else an older version began it
            users[user] += conversations
    return RunStats(
        accepted=accepted,
        foreign=count_unknown(connection, path),
        abilities=_ability_shares(abilities, mix),
        users=len(users),
        conversations_of_user=Distribution.of(Counter(users.values())),
        timeline_length=Distribution.of(lengths),
        topics=len(topics),
        most_frequent_topics=most_frequent(topics),
        moods=len(moods),
        styles=len(styles),
        first_day=min(days, default=""),
        last_day=max(days, default=""),
        makers=tuple(_makers(connection)),
        verdicts=read_verdicts(connection),
        rewrites=read_rewrites(connection),
        reviews=read_reviews(connection),
        shortcuts=read_shortcuts(connection),
        held_out=read_held_out(connection, load_held_out()),
    )


def _count_briefs(connection: sqlite3.Connection) -> tuple[Counter[str], ...]:
    """Return how often each ability, topic, mood, style and day was drawn."""
    counts: tuple[Counter[str], ...] = tuple(Counter() for _ in range(5))
    for (values,) in connection.execute(_BRIEFS):
        *texts, at = json.loads(values)
        for counter, text in zip(counts, (*texts, at and at[:10]), strict=True):
            if text is not None:  # else the brief is an older version's
                counter[text] += 1
    return counts


def _ability_shares(counts: Mapping[str, int], mix: Mapping[Ability, float]) -> tuple[AbilityShare, ...]:
    whole, wished = sum(counts.values()), math.fsum(mix.values())
    return tuple(
        AbilityShare(
            ability,
            counts.get(ability.value, 0),
            100 * counts.get(ability.value, 0) / whole if whole else 0.0,
            100 * mix.get(ability, 0) / wished,
        )
        for ability in Ability
    )


def _makers(connection: sqlite3.Connection) -> Iterator[Maker]:
    for provider, model, role, conversations in connection.execute(_MAKERS):
        yield Maker(provider, model, ModelRole(role), conversations)
