"""What an accepted conversation costs: all that was spent, also on what came to nothing, for each of them."""

from __future__ import annotations

from apep_datagen.core.spelling import spell_count, spell_rate, spell_usd
from apep_datagen.engine.counters import RunCounters

__all__ = ["spell_cost_of_accepted", "spell_cost_of_made"]


def spell_cost_of_accepted(
    conversations: int, requests: int, prompt_tokens: int, completion_tokens: int, usd: float | None
) -> str:
    """Return what one of the accepted conversations cost, for a person; empty where there are none.

    Args:
        conversations: How many were accepted.
        requests: How many were sent, for these and all others.
        prompt_tokens: Of these requests.
        completion_tokens: Of these requests.
        usd: What they cost in dollars; 0 or None where that is not known, or nothing.
    """
    if conversations <= 0 or not requests:
        return ""
    tokens = f"{spell_count(prompt_tokens / conversations)} + {spell_count(completion_tokens / conversations)} tokens"
    cost = f", {spell_usd(usd / conversations)}" if usd else ""
    return f"an accepted conversation took {spell_rate(requests / conversations)} requests, {tokens}{cost}"


def spell_cost_of_made(counters: RunCounters) -> str:
    """Return the same of what an invocation has made so far."""
    providers = list(counters.providers.values())
    return spell_cost_of_accepted(
        counters.made,
        sum(provider.requests for provider in providers),
        sum(provider.prompt_tokens for provider in providers),
        sum(provider.completion_tokens for provider in providers),
        counters.usd,
    )
