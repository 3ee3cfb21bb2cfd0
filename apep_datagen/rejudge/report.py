"""What came of judging a run anew, in words and as JSON."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from apep_datagen.core.spelling import spell_count
from apep_datagen.core.words import shorten
from apep_datagen.people.scenario import Ability
from apep_datagen.rejudge.outcome import Rejudged, Rejudgement, Verdict
from apep_datagen.terminal.tables import table

__all__ = ["describe_rejudgement", "rejudgement_as_json"]

_SHOWN = 20
_SHOWN_LENGTH = 160
_EXAMPLES = 3
_ACCEPTED, _REJECTED, _NOT_JUDGED = Verdict.ACCEPTED, Verdict.REJECTED, Verdict.NOT_JUDGED


def rejudgement_as_json(found: Rejudgement) -> dict[str, Any]:
    """Return what came of it for a script.

    Returns:
        `output`; `dry_run`; `drop`; `in_output`, conversations that the output holds now, or would hold; `added`,
        `taken_out`, `mended`; `counts` (a list of `was`, `is`, `ability`, `stage`, `reason`, `count`); `conversations`,
        all of them (a list of `number` in the run, `number_in_output` from 1 or null, `ability`, `was`, `is`, `stage`,
        `reason`, `detail`, `quote`, `can_be_mended`). `was` is `accepted` or `rejected`, `is` also `not judged`.
    """
    counts = Counter((judged.was, judged.now, judged.ability, judged.stage, judged.reason) for judged in _all(found))
    return {
        "output": str(found.output),
        "dry_run": found.is_dry_run,
        "drop": found.drops,
        "in_output": found.in_output,
        "added": found.added,
        "taken_out": found.taken_out,
        "mended": found.mended,
        "counts": [
            {"was": was.value, "is": now.value, "ability": ability, "stage": stage, "reason": reason, "count": count}
            for (was, now, ability, stage, reason), count in sorted(counts.items())
        ],
        "conversations": [
            {
                "number": judged.number,
                "number_in_output": judged.number_in_output,
                "ability": judged.ability,
                "was": judged.was.value,
                "is": judged.now.value,
                "stage": judged.stage,
                "reason": judged.reason,
                "detail": judged.detail,
                "quote": judged.quote,
                "can_be_mended": judged.can_be_mended,
            }
            for judged in _all(found)
        ],
    }


def describe_rejudgement(found: Rejudgement) -> str:
    """Return what came of it for a person."""
    if not found.conversations:
        return f"No conversation of {found.output} was accepted or rejected yet."
    parts = [_head(found), _by_ability(found)]
    if reasons := _by_reason(found):
        parts.append(reasons)
    if failing := [judged for judged in _all(found) if judged.fails]:
        parts.append(_list_failing(failing))
    parts.append(_what_was_done(found, len(failing)))
    return "\n\n".join(parts)


def _all(found: Rejudgement) -> tuple[Rejudged, ...]:
    return found.conversations


def _head(found: Rejudgement) -> str:
    counts = found.counts()
    lines = []
    for was, others in ((_ACCEPTED, (_ACCEPTED, _REJECTED)), (_REJECTED, (_ACCEPTED, _REJECTED))):
        whole = sum(count for (before, _), count in counts.items() if before is was)
        if not whole:
            continue
        words = {
            (_ACCEPTED, _ACCEPTED): "{} still are",
            (_ACCEPTED, _REJECTED): "{} fail{}",
            (_REJECTED, _ACCEPTED): "{} pass now",
            (_REJECTED, _REJECTED): "{} still fail{}",
        }
        said = [words[was, now].format(f"{counts[was, now]:,}", _stages(found, was, now)) for now in others]
        if unknown := counts[was, _NOT_JUDGED]:
            said.append(f"{unknown:,} cannot be judged")
        lines.append(f"{whole:,} were {was.value}: {', '.join(said)}")
    return f"Of {len(found.conversations):,} conversations " + ";\n".join(lines) + "."


def _stages(found: Rejudgement, was: Verdict, now: Verdict) -> str:
    """Return by which stages so many are rejected, in brackets."""
    stages = Counter(judged.stage for judged in _all(found) if judged.stage and (judged.was, judged.now) == (was, now))
    return f" ({', '.join(f'{stage} {count:,}' for stage, count in stages.most_common())})" if stages else ""


def _by_ability(found: Rejudgement) -> str:
    groups: dict[str, Counter[tuple[Verdict, Verdict]]] = defaultdict(Counter)
    changed: dict[str, list[int]] = defaultdict(list)
    for judged in _all(found):
        groups[judged.ability][judged.was, judged.now] += 1
        if judged.fails or judged.is_added:
            changed[judged.ability].append(judged.number)
    order = [ability.value for ability in Ability]
    columns: list[tuple[str, Callable[[Counter[tuple[Verdict, Verdict]]], int]]] = [
        ("accepted before", lambda counts: sum(counts[_ACCEPTED, now] for now in Verdict)),
        ("fail", lambda counts: counts[_ACCEPTED, _REJECTED]),
        ("rejected before", lambda counts: sum(counts[_REJECTED, now] for now in Verdict)),
        ("pass now", lambda counts: counts[_REJECTED, _ACCEPTED]),
        ("not judged", lambda counts: sum(counts[was, _NOT_JUDGED] for was in Verdict)),
    ]
    rows = [
        [
            ability or "(not known)",
            *(spell_count(count(groups[ability])) for _, count in columns),
            _spell_examples(changed[ability]),
        ]
        for ability in [*(ability for ability in order if ability in groups), *([""] if "" in groups else [])]
    ]
    names = ["ability", *(name for name, _ in columns), "changed, such as"]
    return "By ability; conversations by their number in the run:\n" + table(names, rows)


def _by_reason(found: Rejudgement) -> str:
    examples: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for judged in _all(found):
        if judged.reason:
            examples[judged.was.value, judged.stage or "-", judged.reason].append(judged.number)
    rows = [
        [was, stage, reason, _spell_examples(numbers), spell_count(len(numbers))]
        for (was, stage, reason), numbers in sorted(examples.items(), key=lambda item: -len(item[1]))
    ]
    columns = ["was", "stage", "reason", "such as", "count"]
    return "Not accepted, or not judged:\n" + table(columns, rows, left=4) if rows else ""


def _spell_examples(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:_EXAMPLES]))


def _list_failing(failing: Iterable[Rejudged]) -> str:
    failing = tuple(failing)
    lines = [f"Accepted before, and failing now ({len(failing):,}):", *map(_describe, failing[:_SHOWN])]
    if more := len(failing) - _SHOWN:
        lines += [f"… and {more:,} more (see --json)"] if more > 0 else []
    return "\n".join(lines)


def _describe(judged: Rejudged) -> str:
    what = shorten(" ".join((judged.quote or judged.detail).split()), _SHOWN_LENGTH)
    place = f", {judged.number_in_output} in the output" if judged.number_in_output else ""
    line = f"- {judged.number}{place} ({judged.ability}): {judged.reason} ({judged.stage})"
    return line + (f": {what}" if what else "") + ("; can be mended" if judged.can_be_mended else "")


def _what_was_done(found: Rejudgement, failing: int) -> str:
    lines = []
    if found.is_dry_run:
        lines.append("Nothing was changed (--dry-run).")
        done = [f"{found.added:,} would be added"]
        if found.drops:
            done += [f"{found.taken_out:,} taken out", f"{found.mended:,} mended"]
        lines.append(f"Without it, {', '.join(done)}; {found.output} would hold {found.in_output:,} conversations.")
        return " ".join(lines)
    done = [f"{found.added:,} were added"]
    if found.drops:
        done += [f"{found.taken_out:,} taken out", f"{found.mended:,} mended"]
    lines.append(f"{', '.join(done)}; {found.output} holds {found.in_output:,} conversations.")
    if failing and not found.drops:
        lines.append("What fails is still there; --drop takes it out, or mends it where that can be done.")
    return " ".join(lines)
