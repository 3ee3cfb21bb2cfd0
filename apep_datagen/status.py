"""How far the run of an output is, at any time: read from its state database, which is not touched.

    read_status → RunStatus → describe_status, status_as_json

Every query goes by an index or over a small table, so it takes as long for 100,000 conversations as for one: steps are
told from `spending`, which has as many answers as there are steps of models.
"""

from __future__ import annotations

import bisect
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from apep_datagen.budget import Price, dollars, known_prices
from apep_datagen.memory import count_notes
from apep_datagen.messages import ModelRole, Usage
from apep_datagen.progress import spell_duration
from apep_datagen.schema import read_only, run_is_active
from apep_datagen.settings import Settings
from apep_datagen.spending import tokens_by_month
from apep_datagen.state import state_path
from apep_datagen.tables import about, spell_count, spell_usd, table

__all__ = [
    "Failures",
    "Need",
    "RunStatus",
    "SetAside",
    "Used",
    "cost",
    "describe_missing_prices",
    "describe_status",
    "measured_need",
    "read_status",
    "status_as_json",
]

_PACE_SECONDS = 3600.0
_SHOWN_REASONS = 10
_SHOWN_REASON_LENGTH = 68


@dataclass(frozen=True, slots=True)
class Used:
    """What one model of one provider was used for in one role, over all invocations for an output.

    Attributes:
        provider: The provider's name.
        model: The model's name there.
        role: `tester`, `ada` or `rewriter`.
        requests: Sent.
        answers: That are used; each is a step of a conversation.
        lost: Requests under way at a crash, counted with the most that they can have cost.
        prompt_tokens: Of all of them.
        completion_tokens: Of all of them.
        seconds: That the used answers took, together.
    """

    provider: str
    model: str
    role: ModelRole
    requests: int
    answers: int
    lost: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Need:
    """What a number of conversations needs in one role."""

    requests: float = 0.0
    prompt_tokens: float = 0.0
    completion_tokens: float = 0.0

    def __add__(self, other: Need) -> Need:
        return Need(
            self.requests + other.requests,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )

    def __mul__(self, factor: float) -> Need:
        return Need(self.requests * factor, self.prompt_tokens * factor, self.completion_tokens * factor)

    @property
    def tokens(self) -> float:
        """Prompt and completion tokens together."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class SetAside:
    """How many conversations were set aside for one reason."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Failures:
    """How many requests to a provider failed in one way."""

    provider: str
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
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
        used: What was spent, by provider, model and role.
        failures: Requests that failed.
        requests_under_way: Requests without an outcome. If no run is active, a crash left them, and the next start
            counts them with the most that they can have cost.
        tokens_under_way: The most that these can cost.
        memories: Memories that there are, over all timelines.
        diary_pages: Diary pages that there are.
        tokens_by_month: Tokens spent, those under way included, by month (as `2026-01`) and provider.
        conversations_per_hour: The pace of the last hour; None where fewer than two conversations were finished in it.
    """

    output: Path
    active: bool | None
    last_recorded_at: float | None
    target: int | None
    done: int
    made: int
    in_progress: int
    set_aside: tuple[SetAside, ...]
    used: tuple[Used, ...]
    failures: tuple[Failures, ...]
    requests_under_way: int
    tokens_under_way: int
    memories: int
    diary_pages: int
    tokens_by_month: Mapping[tuple[str, str], int]
    conversations_per_hour: float | None

    @property
    def missing(self) -> int | None:
        """How many conversations the output lacks; None where nobody knows the target."""
        return None if self.target is None else max(0, self.target - self.done)

    @property
    def worth_of_conversations(self) -> float:
        """How many conversations were paid for: one in progress counts as a half."""
        return self.made + self.in_progress / 2

    @property
    def seconds_left(self) -> float | None:
        """How long it takes at the pace of the last hour; None where nobody knows."""
        if self.missing is None or self.conversations_per_hour is None:
            return None
        return self.missing / self.conversations_per_hour * 3600

    def left_to_pay(self, missing: int) -> float:
        """Return how many conversations are still to be paid for, where `missing` are."""
        return max(0.0, missing - self.in_progress / 2)

    def still_needed(self, missing: int) -> Need | None:
        """Return what `missing` conversations need by the averages so far; None where there are none."""
        if not self.made:
            return None
        one = sum(measured_need(self.used, self.worth_of_conversations).values(), Need())
        return one * self.left_to_pay(missing)


def cost(used: Iterable[Used], prices: Mapping[tuple[str, str], Price]) -> float | None:
    """Return what was spent in dollars, or None where a model that tokens were spent with has no known price."""
    total = 0
    for item in used:
        price = prices.get((item.provider, item.model))
        usage = Usage(item.prompt_tokens, item.completion_tokens)
        if price is None and usage.total_tokens:
            return None
        total += price.of(usage) if price else 0
    return dollars(total)


def measured_need(used: Iterable[Used], conversations: float) -> dict[ModelRole, Need]:
    """Return what a conversation needed on average, retries and conversations that came to nothing included.

    Args:
        used: What was spent.
        conversations: How many were made with it; above 0.
    """
    needs = {role: Need() for role in ModelRole}
    for item in used:
        needs[item.role] += Need(item.requests, item.prompt_tokens, item.completion_tokens)
    return {role: need * (1 / conversations) for role, need in needs.items()}


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
    return read_only(path, lambda connection: _read(connection, output, active, now))


def _read(connection: sqlite3.Connection, output: Path, active: bool | None, now: float) -> RunStatus:  # noqa: FBT001 - called above alone
    target, base_count, base_position = connection.execute(
        "SELECT target, base_count, base_position FROM run"
    ).fetchone()
    (made,) = connection.execute("SELECT coalesce(max(position), 0) FROM samples").fetchone()
    (in_progress,) = connection.execute("SELECT count(*) FROM conversations WHERE status = 'active'").fetchone()
    under_way = connection.execute(
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
        used=tuple(_used(connection)),
        failures=tuple(Failures(*row) for row in failures),
        requests_under_way=under_way[0],
        tokens_under_way=under_way[1],
        memories=memories,
        diary_pages=diary_pages,
        tokens_by_month=tokens_by_month(connection),
        conversations_per_hour=_pace(connection, made, now),
    )


def _used(connection: sqlite3.Connection) -> Iterable[Used]:
    rows = connection.execute(
        "SELECT provider, model, role, sum(requests), sum(answers), sum(lost), sum(prompt_tokens),"
        " sum(completion_tokens), sum(seconds) FROM spending GROUP BY provider, model, role ORDER BY provider, model"
    )
    for provider, model, role, *numbers in rows:
        yield Used(provider, model, ModelRole(role), *numbers)


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
    positions = range(1, made + 1)
    before = bisect.bisect_left(
        positions, now - _PACE_SECONDS, key=lambda position: _ended_at(connection, position) or 0.0
    )
    first_at = _ended_at(connection, before + 1)
    count = made - before - 1
    if count < 1 or first_at is None or now <= first_at:
        return None
    return count / (now - first_at) * 3600


def _missing_prices(used: Iterable[Used], prices: Mapping[tuple[str, str], Price]) -> list[tuple[str, str]]:
    """Return provider and model of what tokens were spent with and no price is known for."""
    spent = ((item.provider, item.model) for item in used if item.prompt_tokens + item.completion_tokens)
    return [key for key in dict.fromkeys(spent) if key not in prices]


def _prices(status: RunStatus, settings: Settings) -> dict[tuple[str, str], Price]:
    return known_prices(settings, ((item.provider, item.model) for item in status.used))


# As JSON.


def status_as_json(status: RunStatus, settings: Settings) -> dict[str, Any]:
    """Return the status for a script.

    Returns:
        `output`; `active` (null where the system does not say); `last_recorded_at` (seconds since 1970, or null);
        `target` (null where it is not known), `done`, `missing`, `in_progress`, `set_aside` (a list of `reason` and
        `count`), all in conversations; `steps` (answers recorded); `requests_under_way`; `memories`; `diary_pages`;
        `total`, and `used` by `provider`, `model` and `role`, each with `requests`, `answers`, `lost`, `prompt_tokens`,
        `completion_tokens`, `seconds` and `usd` (null where a price is missing); `missing_prices` (a list of `provider`
        and `model`); `failures` (a list of `provider`, `kind` and `count`); `conversations_per_hour` and `seconds_left`
        at the pace of the last hour (null where it is not known); `still_needed` by the averages so far: `requests`,
        `prompt_tokens` and `completion_tokens`, or null.
    """
    prices = _prices(status, settings)
    needed = None if status.missing is None else status.still_needed(status.missing)
    return {
        "output": str(status.output),
        "active": status.active,
        "last_recorded_at": status.last_recorded_at,
        "target": status.target,
        "done": status.done,
        "missing": status.missing,
        "in_progress": status.in_progress,
        "set_aside": [asdict(item) for item in status.set_aside],
        "steps": sum(item.answers for item in status.used),
        "requests_under_way": status.requests_under_way,
        "memories": status.memories,
        "diary_pages": status.diary_pages,
        "total": _sums(status.used, prices),
        "used": [
            {"provider": item.provider, "model": item.model, "role": item.role.value, **_sums([item], prices)}
            for item in status.used
        ],
        "missing_prices": [
            {"provider": provider, "model": model} for provider, model in _missing_prices(status.used, prices)
        ],
        "failures": [asdict(item) for item in status.failures],
        "conversations_per_hour": status.conversations_per_hour,
        "seconds_left": status.seconds_left,
        "still_needed": None if needed is None else {name: round(value) for name, value in asdict(needed).items()},
    }


def _sums(used: Iterable[Used], prices: Mapping[tuple[str, str], Price]) -> dict[str, Any]:
    used = tuple(used)
    return {
        "requests": sum(item.requests for item in used),
        "answers": sum(item.answers for item in used),
        "lost": sum(item.lost for item in used),
        "prompt_tokens": sum(item.prompt_tokens for item in used),
        "completion_tokens": sum(item.completion_tokens for item in used),
        "seconds": round(sum(item.seconds for item in used), 3),
        "usd": cost(used, prices),
    }


# In words.


def describe_status(status: RunStatus, settings: Settings, now: float) -> str:
    """Return the status for a person; `now` in seconds since 1970."""
    prices = _prices(status, settings)
    parts = [_describe_conversations(status, now)]
    if status.used:
        parts += [_table_by_model(status.used, prices), _table_by_role(status.used, prices)]
    parts += _describe_lost(status)
    if lacking := _missing_prices(status.used, prices):
        parts.append(describe_missing_prices(lacking))
    if status.failures:
        rows = ([item.provider, item.kind, spell_count(item.count)] for item in status.failures)
        parts.append("Requests that failed:\n" + table(["provider", "failure", "count"], rows, left=2))
    if status.set_aside:
        parts.append(_describe_set_aside(status.set_aside))
    parts.append(_describe_rest(status))
    return "\n\n".join(part for part in parts if part)


def _describe_conversations(status: RunStatus, now: float) -> str:
    target = "" if status.target is None else f" of {status.target:,}"
    activity = {
        True: "A run is active",
        False: "No run is active",
        None: "Whether a run is active cannot be told on this system",
    }[status.active]
    if status.last_recorded_at is not None:
        activity += f"; the last step was recorded {spell_duration(max(0.0, now - status.last_recorded_at))} ago"
    set_aside = sum(item.count for item in status.set_aside)
    return (
        f"{status.done:,}{target} conversations are in {status.output}\n"
        f"{activity}.\n"
        f"{status.in_progress:,} conversations in progress, {set_aside:,} set aside;"
        f" {status.memories:,} memories, {status.diary_pages:,} diary pages"
    )


_COLUMNS = ("requests", "answers", "prompt", "completion", "cost")


def _cells(used: Iterable[Used], prices: Mapping[tuple[str, str], Price]) -> list[str]:
    sums = _sums(used, prices)
    numbers = (sums["requests"], sums["answers"], sums["prompt_tokens"], sums["completion_tokens"])
    return [*(spell_count(number) for number in numbers), spell_usd(sums["usd"])]


def _table_by_model(used: tuple[Used, ...], prices: Mapping[tuple[str, str], Price]) -> str:
    models = dict.fromkeys((item.provider, item.model) for item in used)
    rows = [
        [provider, model, *_cells([item for item in used if (item.provider, item.model) == (provider, model)], prices)]
        for provider, model in models
    ]
    if len(rows) > 1:
        rows.append(["all", "", *_cells(used, prices)])
    return "Spent, in tokens of prompts and completions:\n" + table(["provider", "model", *_COLUMNS], rows, left=2)


def _table_by_role(used: tuple[Used, ...], prices: Mapping[tuple[str, str], Price]) -> str:
    roles = [
        (provider, role)
        for provider in dict.fromkeys(item.provider for item in used)
        for role in ModelRole
        if any((item.provider, item.role) == (provider, role) for item in used)
    ]
    rows = (
        [
            provider,
            role.value,
            *_cells([item for item in used if (item.provider, item.role) == (provider, role)], prices),
        ]
        for provider, role in roles
    )
    return table(["provider", "role", *_COLUMNS], rows, left=2)


def _describe_lost(status: RunStatus) -> list[str]:
    lines = []
    if lost := sum(item.lost for item in status.used):
        lines.append(
            f"{lost:,} of these requests were under way at a crash; they are counted with the most that they can cost."
        )
    if number := status.requests_under_way:
        tokens = f"{status.tokens_under_way:,} tokens at most"
        if status.active is False:
            lines.append(
                f"{number:,} requests were under way when the run was killed ({tokens}); the next start counts them as"
                " spent."
            )
        else:
            lines.append(f"{number:,} requests are under way ({tokens}), not counted above.")
    return lines


def _describe_set_aside(reasons: tuple[SetAside, ...]) -> str:
    rows = [[spell_count(item.count), _shorten(item.reason)] for item in reasons[:_SHOWN_REASONS]]
    rest = reasons[_SHOWN_REASONS:]
    if rest:
        rows.append([spell_count(sum(item.count for item in rest)), f"for {len(rest):,} other reasons (see --json)"])
    width = max(len(count) for count, _ in rows)
    return "\n".join(["Set aside:", *(f"{count.rjust(width)}  {reason}" for count, reason in rows)])


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_REASON_LENGTH else line[: _SHOWN_REASON_LENGTH - 1] + "…"


def describe_missing_prices(models: Iterable[tuple[str, str]]) -> str:
    """Say which prices are not known, and where they go; `models` are provider and model."""
    lines = [
        f'  [providers.{provider}.prices]\n  "{model}" = {{ input = 0.5, output = 1.5 }}' for provider, model in models
    ]
    return "\n".join(
        ["These prices are not known; they go into the configuration file, in $ for a million tokens, e.g.", *lines]
    )


def _describe_rest(status: RunStatus) -> str:
    if status.missing is None:
        return "How many conversations are to be made is not known: an older version began this run."
    if status.missing == 0:
        return "Nothing is left to do."
    line = f"Left: {status.missing:,} conversations"
    if needed := status.still_needed(status.missing):
        line += (
            f", about {about(needed.requests):,} requests with {about(needed.prompt_tokens):,} +"
            f" {about(needed.completion_tokens):,} tokens"
        )
    pace = status.conversations_per_hour
    if status.active is not False and pace is not None and status.seconds_left is not None:
        line += (
            f"\nAt the pace of the last hour, {pace:,.0f} conversations/hour, in {spell_duration(status.seconds_left)}"
        )
    return line
