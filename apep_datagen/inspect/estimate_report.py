"""What a run will need, in words."""

from __future__ import annotations

from apep_datagen.budget.prices import missing_prices_hint
from apep_datagen.core.spelling import rounded, spell_count, spell_duration, spell_rate, spell_usd
from apep_datagen.inspect.assumptions import (
    ASSUMED_COMPLETION_TOKENS,
    ASSUMED_LATER_TOOL_ROUNDS,
    ASSUMED_REWRITTEN,
    ASSUMED_TOOL_ROUNDS,
    BYTES_PER_TOKEN,
)
from apep_datagen.inspect.estimate import BudgetOutlook, Estimate, total_usd
from apep_datagen.inspect.need import Need
from apep_datagen.terminal.tables import table

__all__ = ["describe_estimate"]


def describe_estimate(estimate: Estimate) -> str:
    """Return the estimate for a person."""
    there = f"{estimate.done:,} of {estimate.target:,} conversations are in {estimate.output}"
    if estimate.done >= estimate.target:
        return f"Nothing to do: {there} already. A larger --target continues this output."
    parts = [
        f"{there}; {estimate.target - estimate.done:,} are missing.\n{_describe_basis(estimate)}",
        _describe_shares(estimate),
        _describe_time(estimate),
    ]
    if unpriced := [(share.provider, model) for share in estimate.shares for model in share.unpriced]:
        parts.append(missing_prices_hint(unpriced))
    if estimate.budgets:
        parts.append(_describe_budgets(estimate.budgets))
    return "\n\n".join(parts)


def _describe_basis(estimate: Estimate) -> str:
    one = estimate.one
    tokens = f"{rounded(one.prompt_tokens):,} + {rounded(one.completion_tokens):,} tokens"
    each = f"{spell_rate(one.requests)} requests with {tokens} each"
    if estimate.history is None:
        completions = ", ".join(f"{ASSUMED_COMPLETION_TOKENS[role]} ({role})" for role in estimate.roles)
        return (
            f"Estimated from the prompts: {each}.\n"
            f"Assumed, as this output has no history: {BYTES_PER_TOKEN} bytes a token, {ASSUMED_TOOL_ROUNDS:g} round"
            f" of tools in the first exchange,\n{ASSUMED_LATER_TOOL_ROUNDS:g} in a later one,"
            f" {ASSUMED_REWRITTEN:.0%} of the exchanges in need of a rewrite,"
            f" {estimate.assumed_yield:.0%} accepted,\nanswers of {completions} tokens;\n"
            "a reasoning model writes several times as much."
        )
    text = f"Estimated from the {estimate.history.made:,} conversations that this program made for it:\n{each}"
    if estimate.lengthened != 1:
        text += f", counted {estimate.lengthened:.2g} times, as --exchanges is another now"
    if in_progress := estimate.history.in_progress:
        text += f";\n{in_progress:,} in progress count as half done"
    return text + "."


def _describe_shares(estimate: Estimate) -> str:
    shares = estimate.shares
    rows = [_cells(share.provider, share.conversations, share.need, share.usd) for share in shares]
    if len(shares) > 1:
        need = sum((share.need for share in shares), Need())
        rows.append(_cells("all", estimate.conversations, need, total_usd(shares)))
    return table(["provider", "conversations", "requests", "prompt", "completion", "cost"], rows)


def _cells(name: str, conversations: float, need: Need, usd: float | None) -> list[str]:
    numbers = (conversations, need.requests, need.prompt_tokens, need.completion_tokens)
    return [name, *(spell_count(rounded(number)) for number in numbers), spell_usd(usd)]


def _describe_time(estimate: Estimate) -> str:
    lines = [f"It takes about {spell_duration(estimate.seconds)}, with all of them working at once:"]
    for share in estimate.shares:
        why = {
            "requests": "its limit of requests",
            "tokens": "its limit of tokens per minute",
            "in flight": f"so many are in flight at once, {spell_rate(share.seconds_per_answer)} s each"
            + ("" if share.is_measured else " (assumed)"),
        }[share.bound]
        roles = f" ({', '.join(share.roles)})" if share.roles else ""
        lines.append(f"  {share.provider}{roles}: {spell_rate(share.requests_per_second)} requests/s ({why})")
    return "\n".join(lines)


def _describe_budgets(budgets: tuple[BudgetOutlook, ...]) -> str:
    rows = []
    for budget in budgets:
        spell = spell_usd if budget.is_usd else spell_count
        amounts = (budget.limit, budget.spent, budget.needed)
        rows.append(
            [budget.name, *("unknown" if amount is None else spell(amount) for amount in amounts), _verdict(budget)]
        )
    return table(["budget", "limit", "spent", "needed", "enough"], rows)


def _verdict(budget: BudgetOutlook) -> str:
    if budget.makes is None:
        return "unknown"
    return "yes" if budget.makes == budget.conversations else f"for about {rounded(budget.makes):,} more"
