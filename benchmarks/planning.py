"""Measure what a run draws, and how long it takes: the mix, and whether the memory's size gives away what is asked.

    uv run --all-groups python benchmarks/planning.py

Runs are rehearsed without a model, with the program's own tables and prompts, for each number of conversations with
each number of them under way at once.
"""

from __future__ import annotations

import argparse

from apep_datagen.config.settings import GenerationSettings, ScenariosSettings
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.engine.briefs import BriefSource
from apep_datagen.engine.rehearsal import rehearse
from apep_datagen.people.cast import load_cast
from apep_datagen.stats.planned import Planned, planned_of
from common import print_table


def plan(seed: int, count: int, in_flight: int) -> Planned:
    """Rehearse a run with the default settings."""
    generation, scenarios = GenerationSettings(), ScenariosSettings()
    source = BriefSource(
        seed=seed,
        exchanges=generation.exchanges,
        max_tool_rounds=generation.max_tool_rounds,
        prompts=load_prompts(),
        cast=load_cast(),
        mix=scenarios.shares,
        first_day=scenarios.first_day.isoformat(),
        last_day=scenarios.last_day.isoformat(),
    )
    drawn = rehearse(source, count, in_flight, timeline_length=generation.timeline_length)
    return planned_of(drawn, source.mix, in_flight)


def _row(planned: Planned) -> list[str]:
    off = max(abs(kind.percent - kind.wished_percent) for kind in planned.kinds if kind.wished_percent is not None)
    thresholds = {pair.name: threshold for pair, threshold in planned.thresholds}
    recall = thresholds["recall | abstain"]
    worst = max(
        (item for item in thresholds.values() if item.accuracy.is_known),
        key=lambda item: item.accuracy.balanced - item.by_chance,
        default=recall,
    )
    return [
        f"{planned.count:,}",
        f"{planned.in_flight:,}",
        f"{1000 * planned.seconds / planned.count:.2f}",
        f"{off:.1f}",
        f"{recall.distance:.3f}" if recall.accuracy.is_known else "too few",
        f"{100 * recall.accuracy.balanced:.1f} %" if recall.accuracy.is_known else "too few",
        next(name for name, item in thresholds.items() if item is worst),
        f"{100 * worst.accuracy.balanced:.1f} %" if worst.accuracy.is_known else "too few",
        f"{planned.facts.distinct:,}",
        str(planned.facts.most_frequent[0][1]) if planned.facts.most_frequent else "-",
    ]


def main() -> None:
    """Rehearse the runs, and print what was drawn."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--conversations", type=int, nargs="+", default=[100, 1_000, 100_000])
    parser.add_argument("--in-flight", type=int, nargs="+", default=[1, 16, 200])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rows = [
        _row(plan(options.seed, count, in_flight)) for count in options.conversations for in_flight in options.in_flight
    ]
    columns = (
        *("conversations", "in flight", "ms each", "worst share off by", "KS, recall | abstain", "best threshold"),
        *("clearest pair", "best threshold", "facts with values", "most users of one"),
    )
    print_table(rows, columns)


if __name__ == "__main__":
    main()
