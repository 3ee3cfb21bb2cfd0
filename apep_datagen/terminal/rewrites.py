"""How many thoughts are saved as they were rewritten, and why the others are not, in words and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from apep_datagen.core.spelling import spell_count
from apep_datagen.storage.rewrites import RewriteCount
from apep_datagen.terminal.tables import table

__all__ = ["describe_rewrites", "rewrites_as_json"]

_SHOWN_REASONS = 5


def rewrites_as_json(counts: Iterable[RewriteCount]) -> dict[str, Any]:
    """Return what became of Ada's thoughts for a script.

    Returns:
        `thoughts` that were rewritten, how many of them are saved so (`used`) and how many as they were (`kept`);
        `left_out`, how many more nobody was asked to rewrite; `by_provider`: for each provider whose model wrote
        them the same; `reasons`, why they were kept: a list of `provider`, `reason` and `count`.
    """
    counts = tuple(counts)
    providers = dict.fromkeys(item.provider for item in counts)
    return {
        **_numbers(counts),
        "by_provider": {name: _numbers(item for item in counts if item.provider == name) for name in providers},
        "reasons": [asdict(item) for item in counts if item.reason and not item.is_left_out],
    }


def _numbers(counts: Iterable[RewriteCount]) -> dict[str, int]:
    counts = tuple(counts)
    left_out = sum(item.count for item in counts if item.is_left_out)
    thoughts = sum(item.count for item in counts) - left_out
    kept = sum(item.count for item in counts if item.reason) - left_out
    return {"thoughts": thoughts, "used": thoughts - kept, "kept": kept, "left_out": left_out}


def describe_rewrites(counts: Iterable[RewriteCount]) -> list[str]:
    """Return a paragraph for a person; none where Ada has thought nothing."""
    counts = tuple(counts)
    numbers = _numbers(counts)
    left_out = numbers["left_out"]
    needless = f"{left_out:,} thoughts are saved as Ada thought them, without a rewriting"
    if not numbers["thoughts"]:
        return [needless] if left_out else []
    head = f"Of {numbers['thoughts']:,} thoughts, {numbers['used']:,} are saved as they were rewritten"
    if left_out:
        head = f"{needless}. {head}"
    if not numbers["kept"]:
        return [head]
    reasons: Counter[tuple[str, str]] = Counter()
    for item in counts:
        if item.reason and not item.is_left_out:
            reasons[item.provider, item.reason] += item.count
    rows = [[provider, reason, spell_count(count)] for (provider, reason), count in reasons.most_common()]
    shown = table(["provider", "reason", "count"], rows[:_SHOWN_REASONS], left=2)
    more = f"\nand {len(rows) - _SHOWN_REASONS} more reasons (see --json)" if len(rows) > _SHOWN_REASONS else ""
    return [f"{head}, {numbers['kept']:,} as Ada thought them, because:\n{shown}{more}"]
