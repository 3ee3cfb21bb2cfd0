"""What the state database says at a start: what was begun, what was spent, and what is still to be made."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from apep_datagen.budget.account import Account, run_limits
from apep_datagen.budget.prices import Prices
from apep_datagen.config.invocation import Invocation
from apep_datagen.core.messages import ModelRole
from apep_datagen.engine.ability_yields import AbilityYields
from apep_datagen.engine.counters import RunCounters
from apep_datagen.engine.purpose import Purpose
from apep_datagen.engine.schedule import Schedule
from apep_datagen.people.exchanges import mean_exchanges
from apep_datagen.storage.conversations import (
    ActiveConversation,
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
from apep_datagen.storage.timelines import (
    Timeline,
    left_on_closed,
    open_timelines,
    reopen_unfinished,
    unbegun_timelines,
)
from apep_datagen.storage.verdicts import accepted_by_ability, recent_yields, rejected_count

__all__ = ["Resumed", "resume"]

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
    purpose: Purpose,
    prices: Prices,
    counters: RunCounters,
    *,
    notify: Callable[[str], None],
) -> Resumed:
    """Read what there is, in one transaction, and count what a crash left behind.

    Args:
        connection: The state database; the caller commits.
        invocation: What the run is told.
        purpose: What it is for.
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
    yields = _yields(connection, invocation)
    active = list(active_conversations(connection, notify))
    length = invocation.settings.generation.timeline_length
    if purpose.timelines is not None:  # nothing takes the place of what failed, so it is asked for again
        reopen_unfinished(connection, length)
    timelines = open_timelines(connection, notify)
    if purpose.timelines is not None:
        counters.target -= left_on_closed(connection, length)
    schedule = _schedule(
        connection,
        invocation,
        purpose,
        prices,
        account,
        yields=yields,
        missing=counters.target - counters.done,
        active=active,
        timelines=timelines,
    )
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
    purpose: Purpose,
    prices: Prices,
    account: Account,
    *,
    yields: AbilityYields,
    missing: int,
    active: Iterable[ActiveConversation],
    timelines: Iterable[Timeline],
) -> Schedule:
    generation = invocation.settings.generation
    if invocation.settings.budget.max_usd is not None:
        prices.require(_models_of_begun(invocation, active))
    free = {name: _is_free(invocation, name, prices) for name in invocation.providers}
    last_conversation_id, last_timeline_id = last_ids(connection)
    requests = _REQUESTS_IN_EXCHANGE * mean_exchanges(*generation.exchanges)
    requests += ModelRole.REVIEWER in invocation.serving.needed
    return Schedule(
        missing=missing,
        source=purpose.source(run_seed(connection) if generation.seed is None else generation.seed),
        timelines=timelines,
        active=active,
        serving=invocation.serving,
        may_finish=lambda provider, conversations: account.may_finish(conversations, requests, for_free=free[provider]),
        accepted=accepted_by_ability(connection),
        held_back=lambda: yields.held_back,
        last_conversation_id=last_conversation_id,
        new_timelines=(
            itertools.count(last_timeline_id + 1)
            if purpose.timelines is None
            else unbegun_timelines(connection, purpose.timelines)
        ),
    )


def _models_of_begun(invocation: Invocation, active: Iterable[ActiveConversation]) -> Iterator[tuple[str, str]]:
    """Yield provider and model of what conversations that were begun need and new ones do not."""
    roles = {role for item in active for role in item.conversation.brief.roles} - set(invocation.serving.needed)
    for role in sorted(roles):
        for name in invocation.serving.providers[role]:
            yield name, invocation.settings.providers[name].model_for(role)


def _is_free(invocation: Invocation, provider: str, prices: Prices) -> bool:
    """Tell whether no dollars are asked for what a provider begins, whoever ends it, as far as prices are known."""
    serving, settings = invocation.serving, invocation.settings.providers
    makers = (
        (name, settings[name].model_for(role))
        for role in serving.needed
        for name in ((provider,) if serving.serves(provider, role) else serving.providers[role])
    )
    known = (prices.of(*maker) for maker in makers)
    return not any(price.input or price.output for price in known if price)
