"""How far a run is, in words and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from dataclasses import asdict
from enum import Enum, auto
from typing import Any

from apep_datagen.budget.prices import Prices, missing_prices_hint
from apep_datagen.config.hints import show_rejected
from apep_datagen.config.settings import Settings
from apep_datagen.core.messages import ModelRole
from apep_datagen.core.spelling import rounded, spell_count, spell_duration, spell_rate, spell_usd
from apep_datagen.core.words import shorten
from apep_datagen.inspect.status import RunStatus, SetAside
from apep_datagen.people.ability_yield import held_back
from apep_datagen.people.scenario import Ability
from apep_datagen.storage.spending import ModelUse
from apep_datagen.storage.verdicts import SET_ASIDE
from apep_datagen.terminal.cost import spell_cost_of_accepted
from apep_datagen.terminal.reviews import describe_reviews, reviews_as_json
from apep_datagen.terminal.rewrites import describe_rewrites, rewrites_as_json
from apep_datagen.terminal.tables import table
from apep_datagen.terminal.yields import describe_held_back, describe_yield, yield_as_json

__all__ = ["describe_status", "describe_status_on_screen", "status_as_json"]

_WIDTH = 80

_COLUMNS = ("requests", "answers", "prompt", "completion", "cost")


class _Part(Enum):
    """What there is to tell, in the order of a report."""

    CONVERSATIONS = auto()
    SPENT = auto()
    EACH = auto()
    LOST = auto()
    PRICES = auto()
    FAILURES = auto()
    SET_ASIDE = auto()
    YIELD = auto()
    HELD_BACK = auto()
    REWRITES = auto()
    REVIEWS = auto()
    REST = auto()
    WAITING = auto()


# What stands at the top of a screen, and what follows there, before all else.
_FIRST = (_Part.CONVERSATIONS, _Part.REST)
_NEXT = (_Part.HELD_BACK, _Part.YIELD, _Part.EACH, _Part.FAILURES, _Part.SET_ASIDE)

_SHOWN_REASONS = 10
_TOLD_REASONS = 3
_SHOWN_REASON_LENGTH = 68


def status_as_json(status: RunStatus, settings: Settings) -> dict[str, Any]:
    """Return the status for a script.

    Returns:
        `output`; `active` (null where the system does not say); `last_recorded_at` (seconds since 1970, or null);
        `target` (null where it is not known), `done`, `missing`, `in_progress`, `set_aside` (a list of `reason` and
        `count`), `quality` (how the finished ones were judged, as `yield_as_json` says), all in conversations;
        `frequent_reasons` (why most were not accepted, three at most: a list of `ability`, `stage`, `reason`, `count`
        and `example`, the number of the latest of them or null); `abilities` (a list of `ability`, how many of its last
        60 conversations have `ended` and were `accepted`, and whether it is `held_back`);
        `rewrites` (what became of rewritten thoughts, as `rewrites_as_json` says); `reviews` (how many were asked for,
        as `reviews_as_json` says); `steps` (answers recorded);
        `requests_under_way`; `memories`; `diary_pages`;
        `total`, and `used` by `provider`, `model` and `role`, each with `requests`, `answers`, `lost`, `prompt_tokens`,
        `completion_tokens`, `seconds` and `usd` (null where a price is missing); `per_accepted`: `requests`,
        `prompt_tokens`, `completion_tokens` and `usd` of `total` for each accepted conversation, or null where there is
        none; `missing_prices` (a list of `provider`
        and `model`); `failures` (a list of `provider`, `kind` and `count`); `conversations_per_hour` and `seconds_left`
        at the pace of the last hour (null where it is not known); `still_needed` by the averages so far: `requests`,
        `prompt_tokens` and `completion_tokens`, or null; `verdicts_waiting`, verdicts of people that wait to be
        applied.
    """
    prices = Prices(settings.quote)
    needed = status.still_needed
    held = _held_back(status, settings)
    return {
        "output": str(status.output),
        "active": status.active,
        "last_recorded_at": status.last_recorded_at,
        "target": status.target,
        "done": status.done,
        "missing": status.missing,
        "in_progress": status.in_progress,
        "set_aside": [asdict(item) for item in status.set_aside],
        "quality": yield_as_json(status.verdicts),
        "frequent_reasons": [asdict(item) for item in status.frequent_reasons[:_TOLD_REASONS]],
        "abilities": [
            {
                "ability": item.ability.value,
                "ended": item.ended,
                "accepted": item.accepted,
                "held_back": item.ability in held,
            }
            for item in status.abilities
        ],
        "rewrites": rewrites_as_json(status.rewrites),
        "reviews": reviews_as_json(status.reviews),
        "steps": sum(item.answers for item in status.uses),
        "requests_under_way": status.requests_under_way,
        "memories": status.memories,
        "diary_pages": status.diary_pages,
        "total": _sums(status.uses, prices),
        "used": [
            {"provider": item.provider, "model": item.model, "role": item.role.value, **_sums([item], prices)}
            for item in status.uses
        ],
        "per_accepted": _per_accepted(status, prices),
        "missing_prices": [{"provider": provider, "model": model} for provider, model in prices.missing(status.uses)],
        "failures": [asdict(item) for item in status.failures],
        "conversations_per_hour": status.conversations_per_hour,
        "seconds_left": status.seconds_left,
        "still_needed": None if needed is None else {name: round(value) for name, value in asdict(needed).items()},
        "verdicts_waiting": status.verdicts_waiting,
    }


def _held_back(status: RunStatus, settings: Settings) -> frozenset[Ability]:
    return held_back(status.abilities, settings.scenarios.shares, settings.quality.least_ability_yield)


def _sums(uses: Iterable[ModelUse], prices: Prices) -> dict[str, Any]:
    uses = tuple(uses)
    return {
        "requests": sum(use.requests for use in uses),
        "answers": sum(use.answers for use in uses),
        "lost": sum(use.lost for use in uses),
        "prompt_tokens": sum(use.usage.prompt_tokens for use in uses),
        "completion_tokens": sum(use.usage.completion_tokens for use in uses),
        "seconds": round(sum(use.seconds for use in uses), 3),
        "usd": prices.usd(uses),
    }


def _per_accepted(status: RunStatus, prices: Prices) -> dict[str, float | None] | None:
    if not status.made:
        return None
    sums = _sums(status.uses, prices)
    return {
        name: None if sums[name] is None else sums[name] / status.made
        for name in ("requests", "prompt_tokens", "completion_tokens", "usd")
    }


def describe_status(status: RunStatus, settings: Settings, now: float) -> str:
    """Return the status for a person; `now` in seconds since 1970."""
    parts = _parts(status, settings, now)
    return "\n\n".join(text for part in _Part for text in parts[part])


def describe_status_on_screen(status: RunStatus, settings: Settings, now: float) -> str:
    """Return the same in the order in which somebody who watches the run wants to know it."""
    parts = _parts(status, settings, now)
    first = "\n".join(text for part in _FIRST for text in parts[part])
    return "\n\n".join(
        [first, *(text for part in (*_NEXT, *_Part) if part not in _FIRST for text in parts.pop(part, []))]
    )


def _parts(status: RunStatus, settings: Settings, now: float) -> dict[_Part, list[str]]:
    """Return all that there is to tell, in paragraphs."""
    prices = Prices(settings.quote)
    failures = ([item.provider, item.kind, spell_count(item.count)] for item in status.failures)
    yields = describe_yield(status.verdicts, status.frequent_reasons)
    if any(item.example for item in status.frequent_reasons):
        yields[-1] += f"\n{show_rejected(status.output)} prints such a conversation."
    each = _describe_accepted(status, prices)
    lacking = prices.missing(status.uses)
    held = describe_held_back(
        status.abilities, _held_back(status, settings), status.verdicts, settings.scenarios.shares
    )
    return {
        _Part.CONVERSATIONS: [_describe_conversations(status, now)],
        _Part.SPENT: [_table_by_model(status.uses, prices), _table_by_role(status.uses, prices)] if status.uses else [],
        _Part.EACH: [each] if each else [],
        _Part.LOST: _describe_lost(status),
        _Part.PRICES: [missing_prices_hint(lacking)] if lacking else [],
        _Part.FAILURES: (
            ["Requests that failed:\n" + table(["provider", "failure", "count"], failures, left=2)]
            if status.failures
            else []
        ),
        _Part.SET_ASIDE: [_describe_set_aside(status.set_aside)] if status.set_aside else [],
        _Part.YIELD: yields,
        _Part.HELD_BACK: [held] if held else [],
        _Part.REWRITES: describe_rewrites(status.rewrites),
        _Part.REVIEWS: describe_reviews(status.reviews, status.verdicts),
        _Part.REST: [_describe_rest(status)],
        _Part.WAITING: (
            [f"Verdicts of people that wait to be applied: {spell_count(status.verdicts_waiting)}"]
            if status.verdicts_waiting
            else []
        ),
    }


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
    rejected = sum(item.count for item in status.verdicts if item.stage not in ("", SET_ASIDE))
    return (
        f"{status.done:,}{target} conversations are in {status.output}\n"
        f"{activity}.\n"
        f"{status.in_progress:,} conversations in progress, {rejected:,} rejected, {set_aside:,} set aside\n"
        f"{status.memories:,} memories, {status.diary_pages:,} diary pages"
    )


def _cells(uses: Iterable[ModelUse], prices: Prices) -> list[str]:
    sums = _sums(uses, prices)
    numbers = (sums["requests"], sums["answers"], sums["prompt_tokens"], sums["completion_tokens"])
    return [*(spell_count(number) for number in numbers), spell_usd(sums["usd"])]


def _table_by_model(uses: tuple[ModelUse, ...], prices: Prices) -> str:
    groups = _grouped(uses, lambda item: item.model)
    rows = [[*names, *_cells(items, prices)] for names, items in groups.items()]
    if len(rows) > 1:
        rows.append(["all", "", *_cells(uses, prices)])
    return "Spent, in tokens of prompts and completions:\n" + table(["provider", "model", *_COLUMNS], rows, left=2)


def _table_by_role(uses: tuple[ModelUse, ...], prices: Prices) -> str:
    roles = list(ModelRole)
    in_order = sorted(uses, key=lambda item: (item.provider, roles.index(item.role)))
    groups = _grouped(in_order, lambda item: item.role.value)
    rows = ([*names, *_cells(items, prices)] for names, items in groups.items())
    return table(["provider", "role", *_COLUMNS], rows, left=2)


def _describe_accepted(status: RunStatus, prices: Prices) -> str:
    sums = _sums(status.uses, prices)
    each = spell_cost_of_accepted(
        status.made, sums["requests"], sums["prompt_tokens"], sums["completion_tokens"], sums["usd"]
    )
    return textwrap.fill(f"{each[:1].upper()}{each[1:]}", _WIDTH)


def _grouped(uses: Iterable[ModelUse], name: Callable[[ModelUse], str]) -> dict[tuple[str, str], list[ModelUse]]:
    """Group by provider and `name`, in the order in which they come."""
    groups: dict[tuple[str, str], list[ModelUse]] = {}
    for item in uses:
        groups.setdefault((item.provider, name(item)), []).append(item)
    return groups


def _describe_lost(status: RunStatus) -> list[str]:
    lines = []
    if lost := sum(item.lost for item in status.uses):
        lines.append(
            f"{lost:,} of these requests were under way at a crash; they are counted with the most that they can cost."
        )
    if number := status.requests_under_way:
        tokens = f"{status.tokens_under_way:,} tokens at most"
        if status.active is False:
            lines.append(
                f"{number:,} requests were under way or about to be sent when the run was killed ({tokens});"
                " the next start counts them as spent."
            )
        else:
            lines.append(f"{number:,} requests are under way or about to be sent ({tokens}), not counted above.")
    return lines


def _describe_set_aside(reasons: tuple[SetAside, ...]) -> str:
    rows = [
        [spell_count(item.count), shorten(" ".join(item.reason.split()), _SHOWN_REASON_LENGTH)]
        for item in reasons[:_SHOWN_REASONS]
    ]
    if rest := reasons[_SHOWN_REASONS:]:
        rows.append([spell_count(sum(item.count for item in rest)), f"for {len(rest):,} other reasons (see --json)"])
    width = max(len(count) for count, _ in rows)
    return "\n".join(["Set aside:", *(f"{count.rjust(width)}  {reason}" for count, reason in rows)])


def _describe_rest(status: RunStatus) -> str:
    if status.missing is None:
        return "How many conversations are to be made is not known: an older version began this run."
    if status.missing == 0:
        return "Nothing is left to do."
    line = f"Left: {status.missing:,} conversations"
    if needed := status.still_needed:
        line += (
            f", about {rounded(needed.requests):,} requests with {rounded(needed.prompt_tokens):,} +"
            f" {rounded(needed.completion_tokens):,} tokens"
        )
    pace = status.conversations_per_hour
    if status.active is not False and pace is not None and status.seconds_left is not None:
        left = spell_duration(status.seconds_left)
        line += f"\nAt the pace of the last hour, {spell_rate(pace)} conversations/hour, in {left}"
    return line
