"""How many conversations were accepted, and why others were not, by provider and ability, in words and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from apep_datagen.people.scenario import Ability
from apep_datagen.quality.problem import Stage
from apep_datagen.storage.verdicts import SET_ASIDE, VerdictCount
from apep_datagen.terminal.spelling import spell_count
from apep_datagen.terminal.tables import table

__all__ = ["describe_yield", "yield_as_json"]

_SHOWN_REASONS = 10


def yield_as_json(verdicts: Iterable[VerdictCount]) -> dict[str, Any]:
    """Return the yield for a script.

    Returns:
        `ended`, `judged`, `accepted`, `rejected`, `set_aside`: conversations; `by_provider` and `by_ability`: for each
        the same and `rejected_by_stage`; `rejections`: a list of `provider`, `ability`, `stage` (`set aside` for those
        that could not be judged), `reason`, `count`.
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
    ended, accepted, set_aside = sum(stages.values()), stages[""], stages[SET_ASIDE]
    judged = ended - set_aside
    return {
        "ended": ended,
        "judged": judged,
        "accepted": accepted,
        "rejected": judged - accepted,
        "set_aside": set_aside,
    }


def _group_as_json(verdicts: Iterable[VerdictCount]) -> dict[str, Any]:
    verdicts = tuple(verdicts)
    stages = _by_stage(verdicts)
    return {**_numbers(verdicts), "rejected_by_stage": {stage.value: stages[stage.value] for stage in Stage}}


def describe_yield(verdicts: Iterable[VerdictCount]) -> list[str]:
    """Return paragraphs for a person; none where nothing has ended."""
    verdicts = tuple(verdicts)
    numbers = _numbers(verdicts)
    if not numbers["ended"]:
        return []
    head = f"Accepted {numbers['accepted']:,} of {numbers['ended']:,} conversations ({_percent(numbers)})"
    found = _by_stage(verdicts)
    why_not = [stage for stage in (*(stage.value for stage in Stage), SET_ASIDE) if found[stage]]
    columns = ["ended", "accepted", "yield", *why_not]
    parts = []
    for name, key in (("provider", _provider), ("ability", _ability)):
        rows = [[group, *_cells(items, why_not)] for group, items in _by(verdicts, key).items()]
        parts.append(table([name, *columns], rows))
    parts[0] = f"{head}; the others by stage:\n{parts[0]}"
    if numbers["accepted"] < numbers["ended"]:
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
    return f"Not accepted most often:\n{shown}{more}"


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


def _cells(verdicts: Iterable[VerdictCount], why_not: Iterable[str]) -> list[str]:
    verdicts = tuple(verdicts)
    stages, numbers = _by_stage(verdicts), _numbers(verdicts)
    lost = [spell_count(stages[stage]) if stages[stage] else "" for stage in why_not]
    return [spell_count(numbers["ended"]), spell_count(numbers["accepted"]), _percent(numbers), *lost]


def _percent(numbers: dict[str, int]) -> str:
    return f"{100 * numbers['accepted'] / numbers['ended']:.0f} %"
