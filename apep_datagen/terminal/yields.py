"""How many conversations were accepted, by provider, ability and stage, in words and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from apep_datagen.people.scenario import Ability
from apep_datagen.quality.problem import Stage
from apep_datagen.storage.verdicts import VerdictCount
from apep_datagen.terminal.spelling import spell_count
from apep_datagen.terminal.tables import table

__all__ = ["describe_yield", "yield_as_json"]

_SHOWN_REASONS = 10


def yield_as_json(verdicts: Iterable[VerdictCount]) -> dict[str, Any]:
    """Return the yield for a script.

    Returns:
        `judged`, `accepted`, `rejected`: conversations; `by_provider` and `by_ability`: for each `judged`, `accepted`,
        `rejected` and `rejected_by_stage`; `rejections`: a list of `provider`, `ability`, `stage`, `reason`, `count`.
    """
    verdicts = tuple(verdicts)
    return {
        **_numbers(verdicts),
        "by_provider": {name: _group_as_json(items) for name, items in _by(verdicts, _provider).items()},
        "by_ability": {name: _group_as_json(items) for name, items in _by(verdicts, _ability).items()},
        "rejections": [
            {
                "provider": item.provider,
                "ability": item.ability,
                "stage": item.stage,
                "reason": item.reason,
                "count": item.count,
            }
            for item in verdicts
            if item.stage
        ],
    }


def _numbers(verdicts: Iterable[VerdictCount]) -> dict[str, int]:
    stages = _by_stage(verdicts)
    judged = sum(stages.values())
    return {"judged": judged, "accepted": stages[""], "rejected": judged - stages[""]}


def _group_as_json(verdicts: Iterable[VerdictCount]) -> dict[str, Any]:
    verdicts = tuple(verdicts)
    stages = _by_stage(verdicts)
    return {**_numbers(verdicts), "rejected_by_stage": {stage.value: stages[stage.value] for stage in Stage}}


def describe_yield(verdicts: Iterable[VerdictCount]) -> list[str]:
    """Return paragraphs for a person; none where nothing was judged."""
    verdicts = tuple(verdicts)
    numbers = _numbers(verdicts)
    if not numbers["judged"]:
        return []
    head = f"Accepted {numbers['accepted']:,} of {numbers['judged']:,} finished conversations ({_percent(numbers)})"
    columns = ["judged", "accepted", "yield", *(stage.value for stage in Stage)]
    parts = []
    for name, key in (("provider", _provider), ("ability", _ability)):
        rows = [[group, *_cells(items)] for group, items in _by(verdicts, key).items()]
        parts.append(table([name, *columns], rows))
    parts[0] = f"{head}; rejected by stage:\n{parts[0]}"
    if numbers["rejected"]:
        parts.append(_describe_reasons(verdicts))
    return parts


def _describe_reasons(verdicts: Iterable[VerdictCount]) -> str:
    reasons: Counter[tuple[str, str, str]] = Counter()
    for item in verdicts:
        if item.stage:
            reasons[item.ability, item.stage, item.reason] += item.count
    rows = [[ability, stage, reason, spell_count(count)] for (ability, stage, reason), count in reasons.most_common()]
    shown = table(["ability", "stage", "reason", "count"], rows[:_SHOWN_REASONS], left=3)
    more = f"\nand {len(rows) - _SHOWN_REASONS} more reasons (see --json)" if len(rows) > _SHOWN_REASONS else ""
    return f"Rejected most often:\n{shown}{more}"


def _provider(item: VerdictCount) -> str:
    return item.provider


def _ability(item: VerdictCount) -> str:
    return item.ability


def _by(verdicts: Iterable[VerdictCount], key: Callable[[VerdictCount], str]) -> dict[str, list[VerdictCount]]:
    """Group verdicts; abilities in their usual order."""
    order = {ability.value: index for index, ability in enumerate(Ability)}
    groups: dict[str, list[VerdictCount]] = {}
    for item in sorted(verdicts, key=lambda item: (order.get(key(item), 0), key(item))):
        groups.setdefault(key(item), []).append(item)
    return groups


def _by_stage(verdicts: Iterable[VerdictCount]) -> Counter[str]:
    stages: Counter[str] = Counter()
    for item in verdicts:
        stages[item.stage] += item.count
    return stages


def _cells(verdicts: Iterable[VerdictCount]) -> list[str]:
    verdicts = tuple(verdicts)
    stages, numbers = _by_stage(verdicts), _numbers(verdicts)
    rejected = [spell_count(stages[stage.value]) if stages[stage.value] else "" for stage in Stage]
    return [spell_count(numbers["judged"]), spell_count(numbers["accepted"]), _percent(numbers), *rejected]


def _percent(numbers: dict[str, int]) -> str:
    return f"{100 * numbers['accepted'] / numbers['judged']:.0f} %"
