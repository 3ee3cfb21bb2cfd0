"""What is said at the end of an invocation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from apep_datagen.config.hints import show_rejected
from apep_datagen.core.spelling import spell_duration, spell_usd
from apep_datagen.engine.counters import ProviderCounters
from apep_datagen.engine.outcome import Outcome
from apep_datagen.people.scenario import Ability
from apep_datagen.terminal.cost import spell_cost_of_made
from apep_datagen.terminal.reviews import describe_reviews
from apep_datagen.terminal.rewrites import describe_rewrites
from apep_datagen.terminal.yields import describe_held_back, describe_yield

__all__ = ["summarize", "summarize_evaluation"]


def summarize(outcome: Outcome, output: Path, mix: Mapping[Ability, float]) -> str:
    """Return a few lines: what was made, by whom, where it is, and how to go on.

    Args:
        outcome: How the invocation ended.
        output: The output.
        mix: The wished shares of the abilities.
    """
    counters = outcome.counters
    made = counters.made
    lines = []
    if made == 0 and outcome.exit_status == 0:
        lines.append(
            f"Nothing to do: {counters.done:,} of {counters.target:,} conversations are there already."
            " A larger --target continues this output."
        )
    else:
        lines.append(f"{made:,} conversations made in {spell_duration(outcome.seconds)}.")
    lines += [f"  {provider.name}: {_work(provider)}" for provider in counters.providers.values()]
    if each := spell_cost_of_made(counters):
        lines.append(f"{each[0].upper()}{each[1:]}.")
    lines.append(
        f"Ada has {counters.memories:,} memories and {counters.diary_pages:,} diary pages;"
        f" {counters.rejected:,} conversations were rejected, {counters.set_aside:,} set aside."
    )
    for paragraph in [
        *describe_yield(outcome.verdicts, outcome.frequent_reasons),
        *describe_rewrites(outcome.rewrites),
        *describe_reviews(outcome.reviews, outcome.verdicts),
    ]:
        lines += ["", paragraph]
    if any(item.example for item in outcome.frequent_reasons):
        lines.append(f"{show_rejected(output)} prints such a conversation.")
    if held_back := describe_held_back(counters.abilities, counters.held_back, outcome.verdicts, mix):
        lines += ["", held_back]
    if outcome.verdicts:
        lines.append("")
    return "\n".join([*lines, *_how_far(outcome, output, counters.target)])


def summarize_evaluation(outcome: Outcome, output: Path, planned: int) -> str:
    """Return a few lines: how many of the planned conversations an evaluation has, who answered, and how to go on."""
    counters = outcome.counters
    lines = [f"  {provider.name}: {_work(provider)}" for provider in counters.providers.values()]
    if counters.made:
        lines.insert(0, f"{counters.made:,} conversations evaluated in {spell_duration(outcome.seconds)}.")
    return "\n".join([*lines, *_how_far(outcome, output, planned)])


def _how_far(outcome: Outcome, output: Path, wanted: int) -> Iterator[str]:
    yield f"{outcome.counters.done:,} of {wanted:,} conversations are in {output}"
    if outcome.signal_status:
        yield "Stopped; everything is saved. The same command goes on where this one ended."


def _work(provider: ProviderCounters) -> str:
    work = (
        f"{provider.conversations:,} conversations, {provider.requests:,} requests ({provider.retries:,} retries),"
        f" {provider.prompt_tokens:,} + {provider.completion_tokens:,} tokens"
    )
    if provider.usd:
        work += f", {spell_usd(provider.usd)}"
    if provider.failures:
        work += "; failed: " + ", ".join(f"{count:,} {kind}" for kind, count in provider.failures.most_common())
    return work
