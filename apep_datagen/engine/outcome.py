"""How an invocation ended, and why before its target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.budget.month import MONTH_LIMIT
from apep_datagen.core.errors import ApepError, BudgetReachedError, NoProviderLeftError
from apep_datagen.core.messages import ModelRole
from apep_datagen.core.words import one_line
from apep_datagen.engine.availability import spell_seconds
from apep_datagen.engine.counters import RunCounters
from apep_datagen.engine.worker import Worker
from apep_datagen.storage.reviews import ReviewCount
from apep_datagen.storage.rewrites import RewriteCount
from apep_datagen.storage.verdicts import FrequentReason, VerdictCount

__all__ = ["Outcome", "why_nothing_is_sent"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended.

    Attributes:
        counters: What was made.
        verdicts: How the finished conversations of the run were judged, over all invocations.
        frequent_reasons: Why most of those that were not accepted were not.
        rewrites: What became of rewritten thoughts, over all invocations.
        reviews: How many reviews the providers were asked for, over all invocations.
        signal_status: The exit status of the signal that stopped it, or 0.
        error: Why it ended before the target, where no signal stopped it.
        seconds: How long it took.
    """

    counters: RunCounters
    seconds: float
    verdicts: tuple[VerdictCount, ...] = ()
    frequent_reasons: tuple[FrequentReason, ...] = ()
    rewrites: tuple[RewriteCount, ...] = ()
    reviews: tuple[ReviewCount, ...] = ()
    signal_status: int = 0
    error: ApepError | None = None

    @property
    def exit_status(self) -> int:
        """What the program exits with."""
        return self.error.exit_status if self.error else self.signal_status


def why_nothing_is_sent(
    counters: RunCounters,
    output: Path,
    failures: Mapping[str, str],
    workers: Sequence[Worker],
    *,
    silent_for: float | None = None,
    lacking: Sequence[ModelRole] = (),
    may_be_others: bool = True,
) -> ApepError:
    """Say why nothing can be sent any more, and how to go on.

    Args:
        counters: What was made.
        output: Where it is.
        failures: Why providers could not be started, by name.
        workers: Of the other providers.
        silent_for: For how many seconds nobody had answered, if that is why the run ended.
        lacking: The roles that nobody serves any more.
        may_be_others: Whether the same command may name other providers.
    """
    there = f"{counters.done:,} of {counters.target:,} conversations are in {output}; nothing is lost."
    if silent_for is not None:
        return NoProviderLeftError(
            f"No provider has answered for {spell_seconds(silent_for)}, as long as --patience permits. {there}\n"
            "The same command goes on; apep-datagen providers shows which of them answer."
        )
    budgets = {worker.spent_budget for worker in workers if worker.spent_budget}
    if run_budgets := sorted(budgets - {MONTH_LIMIT}):
        return BudgetReachedError(
            f"The budget {' and '.join(run_budgets)} is reached. {there}\n"
            "It counts all invocations for this output; with a larger one, the same command goes on."
        )
    out = {worker.name: worker.availability.out_because for worker in workers if worker.availability.out_because}
    reasons = dict(failures) | out
    lines = "\n".join(f"  {name}: {one_line(reason)}" for name, reason in reasons.items())
    kind = BudgetReachedError if budgets else NoProviderLeftError
    if lacking and any(worker.name not in out for worker in workers):
        names = " and ".join(role.value for role in lacking)
        others = f", or name others with --role {lacking[0].value}=NAME" if may_be_others else ""
        return kind(
            f"No provider is left for {names}. {there}\n{lines}\nMend this{others}; the same command then goes on."
        )
    others = ", or name other providers with --providers" if may_be_others else ""
    return kind(f"No provider is left. {there}\n{lines}\nMend this{others}; the same command then goes on.")
