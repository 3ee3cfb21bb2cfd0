"""How many conversations were accepted, and why others were not, by provider and ability, in words and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from apep_datagen.core.spelling import spell_count, spell_percent
from apep_datagen.people.ability_yield import AbilityYield
from apep_datagen.people.scenario import Ability
from apep_datagen.quality.problem import Stage
from apep_datagen.storage.verdicts import MOST_REASONS, SET_ASIDE, FrequentReason, VerdictCount
from apep_datagen.terminal.tables import table

__all__ = ["describe_held_back", "describe_yield", "spell_low_yields", "spell_yields", "yield_as_json"]

# What the view of a run shows: so many abilities of which less than this is accepted, of as many as say something.
_SHOWN_ABILITIES = 3
_LOW_YIELD = 0.75
_LEAST_ENDED = 6


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


def describe_yield(verdicts: Iterable[VerdictCount], frequent: Sequence[FrequentReason] = ()) -> list[str]:
    """Return paragraphs for a person; none where nothing has ended.

    Args:
        verdicts: What became of the conversations.
        frequent: The most frequent reasons, with an example of each, where these are known.
    """
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
        parts.append(_describe_reasons(verdicts, frequent))
    return parts


def _describe_reasons(verdicts: Iterable[VerdictCount], frequent: Sequence[FrequentReason]) -> str:
    reasons: Counter[tuple[str, str, str]] = Counter()
    for item in verdicts:
        if item.stage:
            reasons[item.ability, item.stage, item.reason] += item.count
    columns = ["ability", "stage", "reason", "count"]
    rows = [[ability, stage, reason, spell_count(count)] for (ability, stage, reason), count in reasons.most_common()]
    if frequent:
        columns.append("example")
        rows = [
            [item.ability, item.stage, item.reason, spell_count(item.count), str(item.example or "-")]
            for item in frequent
        ]
    shown = table(columns, rows[:MOST_REASONS], left=3)
    more = f"\nand {len(reasons) - MOST_REASONS} more reasons (see --json)" if len(reasons) > MOST_REASONS else ""
    return f"Not accepted most often:\n{shown}{more}"


def spell_low_yields(yields: Iterable[AbilityYield], held_back: Collection[Ability]) -> str:
    """Return in a line the abilities of which the least is accepted, with the main reason; empty where none is low.

    Args:
        yields: What became of the last conversations of each ability.
        held_back: The abilities that are held back.
    """
    low = [
        item
        for item in yields
        if item.ability in held_back or (item.ended >= _LEAST_ENDED and item.accepted < _LOW_YIELD * item.ended)
    ]
    low.sort(key=lambda item: item.accepted / item.ended)
    return ", ".join(
        f"{_spell_share(item)} ({item.reasons[0].reason or item.reasons[0].stage})"
        + (", held back" if item.ability in held_back else "")
        for item in low[:_SHOWN_ABILITIES]
    )


def spell_yields(yields: Iterable[AbilityYield]) -> list[str]:
    """Return of each ability of which conversations have ended how many of the last were accepted, the worst first."""
    ended = sorted((item for item in yields if item.ended), key=lambda item: (item.accepted / item.ended, -item.ended))
    return [f"{item.ability.value} {item.accepted} of {item.ended}" for item in ended]


def _spell_share(item: AbilityYield) -> str:
    return f"{item.ability.value} {spell_percent(item.accepted, item.ended)} of {item.ended}"


def describe_held_back(
    yields: Iterable[AbilityYield],
    held_back: Collection[Ability],
    verdicts: Iterable[VerdictCount],
    mix: Mapping[Ability, float],
) -> str:
    """Return a line for each ability that is held back: what there is of it; empty where none is.

    Args:
        yields: What became of the last conversations of each ability.
        held_back: The abilities that are held back.
        verdicts: What became of all conversations.
        mix: The wished shares of the abilities.
    """
    accepted: Counter[str] = Counter()
    for verdict in verdicts:
        if not verdict.stage:
            accepted[verdict.ability] += verdict.count
    whole = sum(mix.values())
    return "\n".join(
        f"{item.ability.value}: {accepted[item.ability.value]:,} of the"
        f" {accepted.total() * mix[item.ability] / whole:,.0f} wished for, held back:"
        f" {spell_percent(item.accepted, item.ended)} of its last {item.ended} were accepted"
        for item in yields
        if item.ability in held_back
    )


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
    return spell_percent(numbers["accepted"], numbers["ended"])
