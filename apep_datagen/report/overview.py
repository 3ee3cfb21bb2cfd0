"""What the page shows of the whole: what `stats` knows, how fast the run went, and what it cost."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from apep_datagen.config.settings import Settings
from apep_datagen.core.errors import StorageError
from apep_datagen.stats.dataset import read_stats
from apep_datagen.stats.report import stats_as_json
from apep_datagen.storage.spending import read_uses

__all__ = ["frequent_openings", "overview_of_run", "statistics_of"]

# So many bars are told apart at a glance.
_MOST_BARS = 48
_WIDTHS = (60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)


def statistics_of(path: Path, settings: Settings) -> dict[str, Any] | None:
    """Return what `stats --json` tells of an output; None where it cannot be told, as while a run writes behind it.

    Where things are on this machine is left out.
    """
    try:
        told = stats_as_json(read_stats(path, settings.scenarios.shares))
    except StorageError:
        return None
    return {name: value for name, value in told.items() if name not in {"file", "why_no_run"}}


def frequent_openings(statistics: dict[str, Any] | None) -> list[tuple[str, str]]:
    """Return the openings that most messages have in common, with the kind of message."""
    return [
        (kind, item["opening"])
        for kind, diversity in (statistics["diversity"] if statistics else {}).items()
        for item in diversity["openings"]["most_frequent"]
        if item["count"] > 1
    ]


def overview_of_run(connection: sqlite3.Connection, settings: Settings) -> dict[str, Any]:
    """Return what the state database alone knows of the whole.

    Returns:
        `speed`: `width`, of a bar in seconds, and `bars`, a list of when each begins (in seconds since 1970), and how
        many conversations were accepted and not accepted in it. `uses`: a list of what each model was used for:
        provider, model, role, requests, prompt tokens, completion tokens, dollars (null where no price is known).
    """
    return {"speed": _speed(connection), "uses": list(_uses(connection, settings))}


def _speed(connection: sqlite3.Connection) -> dict[str, Any]:
    first, last = connection.execute("SELECT min(ended_at), max(ended_at) FROM conversations").fetchone()
    if first is None:
        return {"width": 0, "bars": []}
    width = next((width for width in _WIDTHS if (last - first) / width <= _MOST_BARS), _WIDTHS[-1])
    rows = connection.execute(
        "SELECT CAST(ended_at / ?1 AS INTEGER) * ?1, sum(status = 'finished'), sum(status != 'finished')"
        " FROM conversations WHERE ended_at IS NOT NULL AND status != 'active' GROUP BY 1 ORDER BY 1",
        (width,),
    )
    return {"width": width, "bars": [list(row) for row in rows]}


def _uses(connection: sqlite3.Connection, settings: Settings) -> list[list[Any]]:
    told: list[list[Any]] = []
    for use in read_uses(connection):
        price = settings.quote(use.provider, use.model)
        tokens = use.usage.prompt_tokens, use.usage.completion_tokens
        usd = None if price is None else (tokens[0] * price[0] + tokens[1] * price[1]) / 1_000_000
        told.append([use.provider, use.model, use.role.value, use.requests, *tokens, usd])
    return told
