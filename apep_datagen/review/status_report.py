"""What people said of an output, in words and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apep_datagen.core.spelling import spell_count
from apep_datagen.review.status import LookedAt, ReasonCount, ReviewStatus
from apep_datagen.terminal.tables import table

__all__ = ["describe_review_status", "review_status_as_json"]

_SHOWN = 10
_NOT_SAID = "(no reason said)"


def review_status_as_json(found: ReviewStatus) -> dict[str, Any]:
    """Return what people said for a script.

    Returns:
        `output`; `in_output`, its conversations; `looked_at`, `good`, `bad`, `unsure`, and `bad_share`, the interval in
        which the share of bad ones of the whole dataset is (`low`, `high`, or null where nothing was looked at);
        `by_provider` and `by_ability`, lists of the same with a `name`; `tags`, why they were called bad (a list of
        `reason`, `count`); `dependents`, how many left because of others alone; `of_rejected`, verdicts on what the
        judge had rejected or is there no more; `judged`, why the judge rejected others (a list of `stage`, `reason`,
        `count`); `waiting`, verdicts that wait to be applied.
    """
    return {
        "output": str(found.output),
        "in_output": found.in_output,
        **_group_as_json(found.whole),
        "by_provider": [{"name": group.name, **_group_as_json(group)} for group in found.by_provider],
        "by_ability": [{"name": group.name, **_group_as_json(group)} for group in found.by_ability],
        "tags": [{"reason": tag.reason, "count": tag.count} for tag in found.tags],
        "dependents": found.dependents,
        "of_rejected": found.of_rejected,
        "judged": [{"stage": item.stage, "reason": item.reason, "count": item.count} for item in found.judged],
        "waiting": found.waiting,
    }


def _group_as_json(group: LookedAt) -> dict[str, Any]:
    interval = group.interval
    return {
        "looked_at": group.count,
        "good": group.good,
        "bad": group.bad,
        "unsure": group.unsure,
        "bad_share": {"low": interval.low, "high": interval.high} if group.count else None,
    }


def describe_review_status(found: ReviewStatus) -> str:
    """Return what people said for a person."""
    whole = found.whole
    parts = []
    if found.waiting:
        parts.append(f"Verdicts that wait for the next run, or review command, to apply them: {found.waiting:,}")
    if whole.count:
        parts.append(
            f"Of {whole.count:,} looked at, {whole.bad:,} bad: {_spell(whole)} of all, if they are a sample.\n"
            f"{whole.good:,} good, {whole.unsure:,} unsure. {found.output} holds {found.in_output:,} conversations."
        )
        parts += [_by("provider", found.by_provider), _by("ability", found.by_ability)]
    else:
        parts.append(f"Nobody has looked at a conversation of {found.output} yet: it holds {found.in_output:,}.")
    if found.dependents:
        parts.append(f"{found.dependents:,} more left, as they had used what bad ones had stored.")
    if found.of_rejected:
        parts.append(
            f"{found.of_rejected:,} verdicts are about conversations that the judge had rejected, or that are there no"
            " more; they are not counted above."
        )
    if found.tags:
        rows = [[tag.reason or _NOT_SAID, spell_count(tag.count)] for tag in found.tags[:_SHOWN]]
        parts.append("What people reject, and the judge lets pass:\n" + table(["reason", "count"], rows))
    if found.judged and whole.count:
        parts.append("What the judge rejects itself, most often:\n" + _judged(found.judged))
    return "\n\n".join(parts)


def _by(name: str, groups: Sequence[LookedAt]) -> str:
    rows = [
        [
            group.name or "(not the run's)",
            *map(spell_count, (group.count, group.good, group.bad, group.unsure)),
            _spell(group),
        ]
        for group in groups
    ]
    return table([name, "looked at", "good", "bad", "unsure", "bad of all"], rows)


def _judged(reasons: Sequence[ReasonCount]) -> str:
    rows = [[item.stage, item.reason, spell_count(item.count)] for item in reasons[:_SHOWN]]
    return table(["stage", "reason", "count"], rows, left=2)


def _spell(group: LookedAt) -> str:
    return f"{100 * group.interval.low:.1f} to {100 * group.interval.high:.1f} %"
