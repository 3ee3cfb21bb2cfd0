"""How far the run of an output is, at any time: read from its state database, which is not touched.

Every query goes by an index or over a small table, so it takes as long for 100,000 conversations as for one: steps are
told from `spending`, which counts an answer for each step of a model. `status_report` puts it into words.
"""

from __future__ import annotations

import bisect
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from pydantic.dataclasses import dataclass

from apep_datagen.core.messages import ModelRole
from apep_datagen.inspect.need import Need
from apep_datagen.people.ability_yield import AbilityYield
from apep_datagen.storage.access import read_only, run_is_active, state_path
from apep_datagen.storage.checked import CHECKED, integer
from apep_datagen.storage.notes import count_notes
from apep_datagen.storage.reviews import ReviewCount, read_reviews
from apep_datagen.storage.rewrites import RewriteCount, read_rewrites
from apep_datagen.storage.spending import ModelUse, read_uses, tokens_by_month
from apep_datagen.storage.verdicts import (
    FrequentReason,
    VerdictCount,
    most_frequent_reasons,
    read_verdicts,
    recent_yields,
)
from apep_datagen.storage.waiting_verdicts import count_waiting

__all__ = [
    "Failures",
    "RunStatus",
    "SetAside",
    "read_status",
]

_SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True, config=CHECKED)
class SetAside:
    """How many conversations were set aside for one reason."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True, config=CHECKED)
class Failures:
    """How many requests to a provider failed in one way."""

    provider: str
    kind: str
    count: int


@dataclass(frozen=True, slots=True, config=CHECKED)
class RunStatus:
    """How far a run is.

    Attributes:
        output: The output.
        active: Whether a run works on it now; None where the system does not say.
        last_recorded_at: When something was recorded last, in seconds since 1970; None where nothing was.
        target: How many conversations the last invocation was to make; None where nobody knows.
        done: How many the output holds.
        made: How many of them this program made.
        in_progress: Conversations that were begun and not ended.
        set_aside: Conversations that failed for good, the most frequent reason first.
        verdicts: How the finished conversations were judged.
        frequent_reasons: Why most of those that were not accepted were not.
        abilities: What became of the last conversations of each ability that were begun with the latest prompts.
        rewrites: What became of thoughts that were rewritten.
        reviews: How many reviews the providers were asked for.
        uses: What was spent, by provider, model and role.
        failures: Requests that failed.
        requests_under_way: Requests without an outcome. If no run is active, a crash left them, and the next start
            counts them with the most that they can have cost.
        tokens_under_way: The most that these can cost.
        memories: Memories that there are, over all timelines.
        diary_pages: Diary pages that there are.
        tokens_by_month: Tokens spent, those under way included, by month (as `2026-01`) and provider.
        conversations_per_hour: The pace of the last hour; None where fewer than two conversations were finished in it.
        verdicts_waiting: Verdicts of people that wait to be applied.
    """

    output: Path
    active: bool | None
    last_recorded_at: float | None
    target: int | None
    done: int
    made: int
    in_progress: int
    set_aside: tuple[SetAside, ...]
    verdicts: tuple[VerdictCount, ...]
    frequent_reasons: tuple[FrequentReason, ...]
    abilities: tuple[AbilityYield, ...]
    rewrites: tuple[RewriteCount, ...]
    reviews: tuple[ReviewCount, ...]
    uses: tuple[ModelUse, ...]
    failures: tuple[Failures, ...]
    requests_under_way: int
    tokens_under_way: int
    memories: int
    diary_pages: int
    tokens_by_month: Mapping[tuple[str, str], int]
    conversations_per_hour: float | None
    verdicts_waiting: int = 0

    @property
    def missing(self) -> int | None:
        """How many conversations the output lacks; None where nobody knows the target."""
        return None if self.target is None else max(0, self.target - self.done)

    @property
    def paid_conversations(self) -> float:
        """How many conversations were paid for: one in progress counts as a half."""
        return self.made + self.in_progress / 2

    @property
    def seconds_left(self) -> float | None:
        """How long it takes at the pace of the last hour; None where nobody knows."""
        if self.missing is None or self.conversations_per_hour is None:
            return None
        return self.missing / self.conversations_per_hour * _SECONDS_PER_HOUR

    @property
    def still_needed(self) -> Need | None:
        """What the missing conversations need by the averages so far; None where nobody knows."""
        if self.missing is None or not self.made:
            return None
        one = sum(self.needs_of_conversation().values(), Need())
        return one * self.unpaid_conversations(self.missing)

    def unpaid_conversations(self, missing: int) -> float:
        """Return how many conversations are still to be paid for, where the output lacks `missing`."""
        return max(0.0, missing - self.in_progress / 2)

    def needs_of_conversation(self) -> dict[ModelRole, Need]:
        """Return what a conversation needed on average, by role; one at least was begun.

        What was spent on retries, and on conversations that came to nothing, is included.
        """
        needs = {role: Need() for role in ModelRole}
        for use in self.uses:
            needs[use.role] += Need(use.requests, use.usage.prompt_tokens, use.usage.completion_tokens)
        return {role: need * (1 / self.paid_conversations) for role, need in needs.items()}


def read_status(output: Path, now: float) -> RunStatus:
    """Read how far the run of an output is.

    Args:
        output: The output file.
        now: Seconds since 1970.

    Raises:
        StorageError: There is no run for it, or its state database cannot be read.
    """
    path = state_path(output)
    active = run_is_active(path)
    return read_only(path, lambda connection: _read(connection, output, active=active, now=now))


def _read(connection: sqlite3.Connection, output: Path, *, active: bool | None, now: float) -> RunStatus:
    target, base_count, base_position = connection.execute(
        "SELECT target, base_count, base_position FROM run"
    ).fetchone()
    (made,) = connection.execute("SELECT coalesce(max(position), 0) FROM samples").fetchone()
    (in_progress,) = connection.execute("SELECT count(*) FROM conversations WHERE status = 'active'").fetchone()
    requests_under_way, tokens_under_way = connection.execute(
        "SELECT count(*), coalesce(sum(prompt_tokens + completion_tokens), 0) FROM reservations"
    ).fetchone()
    reasons = connection.execute(
        "SELECT coalesce(reason, ''), count(*) FROM conversations WHERE status = 'set aside'"
        " GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    failures = connection.execute("SELECT provider, kind, count FROM failures ORDER BY provider, count DESC, kind")
    memories, diary_pages = count_notes(connection)
    return RunStatus(
        output=output,
        active=active,
        last_recorded_at=_last_recorded_at(connection, made),
        target=target,
        done=base_count + made - base_position,
        made=made,
        in_progress=in_progress,
        set_aside=tuple(SetAside(*row) for row in reasons),
        verdicts=read_verdicts(connection),
        frequent_reasons=most_frequent_reasons(connection),
        abilities=recent_yields(connection),
        rewrites=read_rewrites(connection),
        reviews=read_reviews(connection),
        uses=read_uses(connection),
        failures=tuple(Failures(*row) for row in failures),
        requests_under_way=requests_under_way,
        tokens_under_way=tokens_under_way,
        memories=memories,
        diary_pages=diary_pages,
        tokens_by_month=tokens_by_month(connection),
        conversations_per_hour=_pace(connection, made, now),
        verdicts_waiting=count_waiting(output),
    )


def _last_recorded_at(connection: sqlite3.Connection, made: int) -> float | None:
    """Return when the last step of a conversation in progress was recorded, or the last one ended."""
    (step_at,) = connection.execute(
        "SELECT max(at) FROM conversations JOIN steps ON conversation_id = id WHERE status = 'active'"
    ).fetchone()
    (set_aside_at,) = connection.execute(
        "SELECT max(ended_at) FROM conversations WHERE status = 'set aside'"
    ).fetchone()
    times = [at for at in (step_at, set_aside_at, _ended_at(connection, made)) if at is not None]
    return max(times, default=None)


def _ended_at(connection: sqlite3.Connection, position: int) -> float | None:
    """Return when the sample at `position` was finished; None where there is none."""
    row = connection.execute(
        "SELECT ended_at FROM samples JOIN conversations ON id = conversation_id WHERE position = ?", (position,)
    ).fetchone()
    return row[0] if row else None


def _pace(connection: sqlite3.Connection, made: int, now: float) -> float | None:
    """Return how many conversations an hour were finished lately; positions are in the order of finishing."""
    before = bisect.bisect_left(
        range(1, made + 1), now - _SECONDS_PER_HOUR, key=lambda position: _ended_at(connection, position) or 0.0
    )
    first_at = _ended_at(connection, before + 1)
    # What was judged anew was not made then.
    (judged_anew,) = connection.execute(
        "SELECT count(*) FROM samples WHERE position > ? AND notes_before IS NOT NULL", (before + 1,)
    ).fetchone()
    count = made - before - 1 - integer(judged_anew)  # from the first one's end on: when that one began nobody knows
    if count < 1 or first_at is None or now <= first_at:
        return None
    return count / (now - first_at) * _SECONDS_PER_HOUR
