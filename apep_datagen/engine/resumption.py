"""What the state database says at a start: what was begun, what was spent, and what is still to be made."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from apep_datagen.budget.account import Account, run_limits
from apep_datagen.budget.prices import Prices
from apep_datagen.config.invocation import Invocation
from apep_datagen.engine.ability_yields import AbilityYields
from apep_datagen.engine.briefs import BriefSource
from apep_datagen.engine.counters import RunCounters
from apep_datagen.engine.schedule import Schedule
from apep_datagen.people.exchanges import mean_exchanges
from apep_datagen.storage.conversations import (
    active_conversations,
    last_ids,
    record_target,
    reset_tools,
    run_seed,
    set_aside_count,
)
from apep_datagen.storage.notes import count_notes
from apep_datagen.storage.rewrites import kept_originals
from apep_datagen.storage.spending import book_lost, read_uses, tokens_by_month
from apep_datagen.storage.timelines import open_timelines
from apep_datagen.storage.verdicts import accepted_by_ability, recent_yields, rejected_count

__all__ = ["Resumed", "brief_source", "resume"]

# Ask, answer, a continuation where tools were used, and a rewrite where it is needed: more than most exchanges take.
_REQUESTS_IN_EXCHANGE = 4


@dataclass(frozen=True, slots=True)
class Resumed:
    """Where a run goes on.

    Attributes:
        schedule: What is to be made, and what of it was begun.
        account: The run's budgets, with what was spent.
        yields: What became of the last conversations of each ability.
        tokens_by_month: Tokens spent, by month (as `2026-01`) and provider.
    """

    schedule: Schedule
    account: Account
    yields: AbilityYields
    tokens_by_month: dict[tuple[str, str], int]


def resume(
    connection: sqlite3.Connection,
    invocation: Invocation,
    prices: Prices,
    counters: RunCounters,
    notify: Callable[[str], None],
) -> Resumed:
    """Read what there is, in one transaction, and count what a crash left behind.

    Args:
        connection: The state database; the caller commits.
        invocation: What the run is told.
        prices: What models cost.
        counters: Gets what earlier invocations came to.
        notify: Is told, in a sentence, what of it cannot be gone on with.

    Raises:
        SettingsError: A budget in dollars needs a price that is not there.
        Exception: What the run cannot do without makes no sense.
    """
    if invocation.reset_tools:
        reset_tools(connection)
    book_lost(connection)
    account = _account(connection, invocation, prices)
    missing = counters.target - counters.done
    yields = _yields(connection, invocation)
    schedule = _schedule(connection, invocation, prices, account, notify, yields=yields, missing=missing)
    counters.memories, counters.diary_pages = count_notes(connection)
    counters.set_aside = set_aside_count(connection)
    counters.rejected = rejected_count(connection)
    counters.kept_originals = kept_originals(connection)
    record_target(connection, counters.target)
    return Resumed(schedule, account, yields, tokens_by_month(connection))


def _account(connection: sqlite3.Connection, invocation: Invocation, prices: Prices) -> Account:
    budget, uses = invocation.settings.budget, read_uses(connection)
    if budget.max_usd is not None:
        prices.require(prices.missing(uses))
    return Account(run_limits(budget.max_requests, budget.max_tokens, budget.max_usd), prices.amount(uses))


def _yields(connection: sqlite3.Connection, invocation: Invocation) -> AbilityYields:
    settings, prompts = invocation.settings, invocation.prompts.digest
    return AbilityYields(
        recent_yields(connection, prompts),
        settings.scenarios.shares,
        settings.quality.least_ability_yield,
        prompts=prompts,
        output=invocation.output,
    )


def _schedule(
    connection: sqlite3.Connection,
    invocation: Invocation,
    prices: Prices,
    account: Account,
    notify: Callable[[str], None],
    *,
    yields: AbilityYields,
    missing: int,
) -> Schedule:
    generation = invocation.settings.generation
    active = list(active_conversations(connection, notify))
    timelines = open_timelines(connection, notify)
    free = {name: _is_free(invocation, name, prices) for name in invocation.providers}
    last_conversation_id, last_timeline_id = last_ids(connection)
    source = brief_source(invocation, run_seed(connection) if generation.seed is None else generation.seed)
    return Schedule(
        missing=missing,
        source=source,
        timelines=timelines,
        active=active,
        providers=invocation.providers,
        may_finish=lambda provider, conversations: account.may_finish(
            conversations,
            _REQUESTS_IN_EXCHANGE * mean_exchanges(*generation.exchanges) + source.is_reviewed,
            for_free=free[provider],
        ),
        accepted=accepted_by_ability(connection),
        held_back=lambda: yields.held_back,
        last_conversation_id=last_conversation_id,
        last_timeline_id=last_timeline_id,
    )


def brief_source(invocation: Invocation, seed: int) -> BriefSource:
    """Return what the conversations of a run with this seed are drawn from."""
    generation, scenarios = invocation.settings.generation, invocation.settings.scenarios
    return BriefSource(
        seed=seed,
        exchanges=generation.exchanges,
        max_tool_rounds=generation.max_tool_rounds,
        prompts=invocation.prompts,
        cast=invocation.cast,
        mix=scenarios.shares,
        first_day=scenarios.first_day.isoformat(),
        last_day=scenarios.last_day.isoformat(),
        rewrites=invocation.settings.roles.rewriter.when,
        is_reviewed=invocation.settings.roles.reviewer.when == "accepted",
    )


def _is_free(invocation: Invocation, provider: str, prices: Prices) -> bool:
    """Tell whether no dollars are asked for any role's model, as far as prices are known."""
    settings = invocation.settings.providers[provider]
    known = (prices.of(provider, model) for model in settings.models_by_role().values())
    return not any(price.input or price.output for price in known if price)
