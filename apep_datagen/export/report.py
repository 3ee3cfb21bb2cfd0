"""What came of an export, in words and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apep_datagen.core.spelling import spell_count
from apep_datagen.core.words import one_line
from apep_datagen.export.exported import Exported, ExportedTarget
from apep_datagen.export.loss import LossTally
from apep_datagen.formats.example import Counts
from apep_datagen.formats.format import Kind
from apep_datagen.terminal.tables import table

__all__ = ["describe_export", "describe_target", "export_as_json", "target_as_json"]

_KINDS: tuple[Kind, ...] = ("messages", "thoughts", "calls", "results")
_MOST_FIELDS = 20


def describe_export(exported: Exported) -> str:
    """Say what came of an export, form by form."""
    parts = [f"{target.directory}/\n{describe_target(exported, target)}" for target in exported.targets]
    if exported.why_not:
        parts.append(f"{exported.source}: {exported.why_not}: of its conversations nothing is known but what they say.")
    return "\n\n".join(parts)


def describe_target(exported: Exported, target: ExportedTarget) -> str:
    """Say what came of one form."""
    tally = target.made.tally
    lines = [f"{target.target.name}: {', '.join(_describe_shape(exported, target))}."]
    rows = [f"{split} {spell_count(tally.rows[split])}" for split in target.files]
    lines.append(f"{spell_count(tally.conversations)} conversations were read; rows: {', '.join(rows)}.")
    lines += [
        f"No row belongs to {split}, so the files beside the rows do not name it; a larger share may help."
        for split in target.splits_without_rows
    ]
    if tally.not_selected:
        lines.append(f"{spell_count(tally.not_selected)} of them were not selected.")
    if tally.others:
        lines.append(
            f"{_several(tally.others, 'element')} of the file cannot be read as the output's own:"
            " `apep-datagen import` knows more forms."
        )
    if exported.plan.series and tally.short_series:
        lines.append(
            f"{_several(tally.short_series, 'row')} of fewer than {exported.plan.series[0]} conversations: their users"
            " have no more."
        )
    lines += ["", _counts_table(tally), ""]
    lines += _losses(target)
    is_checked, limit = bool(exported.plan.templates), exported.plan.max_tokens
    if measured := target.made.measured.lines(is_checked=is_checked, limit=limit):
        lines += ["", *measured]
    return "\n".join(lines).rstrip()


def _describe_shape(exported: Exported, target: ExportedTarget) -> list[str]:
    shape = target.target.shape
    calls = "calls as fields" if shape.calls == "native" else "calls as text"
    thoughts = {"keep": "all thoughts", "last": "the thoughts of the last exchange", "drop": "no thoughts"}
    parts = [
        _describe_rows(exported, target),
        calls,
        f"results in the role {shape.tool_role}",
        thoughts[shape.thoughts],
    ]
    if shape.weights:
        parts.append("with weights")
    return parts


def _describe_rows(exported: Exported, target: ExportedTarget) -> str:
    if target.target.is_sessions:
        return "a session for each user"
    match target.target.shape.rows:
        case "answer":
            rows = "a row for each message of Ada's"
        case "exchange":
            rows = "a row for each exchange"
        case "conversation":
            rows = "a row for each conversation"
    if exported.plan.series is None:
        return rows
    least, most = exported.plan.series
    return f"{rows}, {least if least == most else f'{least} to {most}'} conversations of a user joined to one"


def _several(number: int, thing: str) -> str:
    return f"{spell_count(number)} {thing}{'' if number == 1 else 's'}"


def _counts_table(tally: LossTally) -> str:
    columns = {
        "conversations": tally.before,
        "left out by options": tally.chosen_away,
        "in rows left out": tally.left_out_counts,
        "in rows": tally.after,
    }
    shown = [name for name, counts in columns.items() if name in ("conversations", "in rows") or any(_values(counts))]
    return table(
        ["", *shown, "lost"],
        [[kind, *(spell_count(getattr(columns[name], kind)) for name in shown), _lost(tally, kind)] for kind in _KINDS],
    )


def _values(counts: Counts) -> tuple[int, ...]:
    return tuple(getattr(counts, kind) for kind in _KINDS)


def _lost(tally: LossTally, kind: Kind) -> str:
    return spell_count(tally.lost[kind])


def _losses(target: ExportedTarget) -> list[str]:
    tally, lines = target.made.tally, []
    for reason, number in sorted(tally.left_out.items(), key=lambda item: (-item[1], item[0])):
        lines.append(f"Left out: {_several(number, 'row')}: {one_line(reason)}.")
    if tally.without_place:
        names = sorted(tally.without_place.items(), key=lambda item: (-item[1], item[0]))
        shown = ", ".join(f"{one_line(name)} ({spell_count(number)})" for name, number in names[:_MOST_FIELDS])
        more = f", and {spell_count(len(names) - _MOST_FIELDS)} more" if len(names) > _MOST_FIELDS else ""
        lines.append(f"Left out: fields that no row has a place for: {shown}{more}.")
    for kind in _KINDS:
        if not tally.lost[kind]:
            continue
        where = f"{_several(tally.lost_rows[kind], 'row')}, the first is of conversation {tally.first_lost[kind]}"
        why = target.cannot_hold.get(kind, "the form should hold them: this is a mistake, please report it")
        lines.append(f"Lost: {_several(tally.lost[kind], kind.removesuffix('s'))} in {where}: {why}")
    if not tally.rows.total():
        lines.append("No row was written.")
    if not lines:
        lines.append("Nothing is lost.")
    return lines


def export_as_json(exported: Exported) -> dict[str, Any]:
    """Return what came of an export for a script.

    Returns:
        `source`; `why_not`: why nothing is known of the conversations but what they say, or null; `formats`: for each
        form what `target_as_json` says, and its `directory`.
    """
    return {
        "source": str(exported.source),
        "why_not": exported.why_not or None,
        "formats": [
            {"directory": str(target.directory), **target_as_json(exported, target)} for target in exported.targets
        ],
    }


def target_as_json(exported: Exported, target: ExportedTarget) -> dict[str, Any]:
    """Return what came of one form for a script.

    Returns:
        `format`, `shape` (`rows`, `thoughts`, `tool_role`, `calls`, `weights`), `files` and `rows` by split;
        `conversations` (read), `not_conversations`, `not_selected`, `without_place` (an object: conversations by field
        that no row has a place for), `short_series`; `before`, `left_out_by_options`,
        `in_rows_left_out`, `in_rows` and `lost`: `messages`, `thoughts`, `calls` and `results`; `left_out`: rows by
        reason; `lost_rows` and `first_lost` (number of a conversation) by kind; `cannot_hold`: why, by kind;
        `silent_losses` by kind; `checks`: for each chat template (`chatml`, where tokens alone were counted) what
        `CheckTally.as_json` says; `megachat`: the least and the most conversations that were joined, or null.
    """
    tally = target.made.tally
    return {
        "format": target.target.name,
        "shape": asdict(target.target.shape),
        "files": {split: list(names) for split, names in target.files.items()},
        "rows": {split: tally.rows[split] for split in target.files},
        "conversations": tally.conversations,
        "not_conversations": tally.others,
        "not_selected": tally.not_selected,
        "without_place": dict(sorted(tally.without_place.items())),
        "short_series": tally.short_series,
        "before": asdict(tally.before),
        "left_out_by_options": asdict(tally.chosen_away),
        "in_rows_left_out": asdict(tally.left_out_counts),
        "in_rows": asdict(tally.after),
        "lost": {kind: tally.lost[kind] for kind in _KINDS},
        "left_out": dict(sorted(tally.left_out.items())),
        "lost_rows": dict(sorted(tally.lost_rows.items())),
        "first_lost": dict(sorted(tally.first_lost.items())),
        "cannot_hold": dict(target.cannot_hold),
        "silent_losses": dict(target.silent_losses),
        "checks": target.made.measured.report(limit=exported.plan.max_tokens),
        "megachat": list(exported.plan.series) if exported.plan.series and not target.target.is_sessions else None,
    }
