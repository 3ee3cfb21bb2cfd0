"""What a run will need before it reaches its target: requests, tokens, dollars and time.

All but `read_estimate` is plain arithmetic, and nothing is written. What a conversation needs is measured where the
output has a history, else assumed (`assumptions`). `estimate_report` puts it into words.

Requests go to the providers in proportion to how many each can take in a second, among those that serve their role
(`division`), and all work at once.
Left out: the tail of a run, when few conversations are left, and retries where there is no history to know them from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.budget.account import Limit, run_limits
from apep_datagen.budget.amounts import Amount, dollars
from apep_datagen.budget.ledger import Ledger, this_month
from apep_datagen.budget.prices import Prices
from apep_datagen.config.invocation import Invocation
from apep_datagen.config.provider_settings import ProviderSettings
from apep_datagen.config.serving import Serving
from apep_datagen.config.settings import GenerationSettings
from apep_datagen.core.messages import ModelRole
from apep_datagen.core.paths import is_there
from apep_datagen.core.spelling import rounded
from apep_datagen.inspect.assumptions import ASSUMED_IN_FLIGHT, ASSUMED_SECONDS_PER_ANSWER, ASSUMED_YIELD, assumed_needs
from apep_datagen.inspect.division import divide
from apep_datagen.inspect.need import Need
from apep_datagen.inspect.status import RunStatus, read_status
from apep_datagen.people.exchanges import mean_exchanges
from apep_datagen.storage.access import state_path
from apep_datagen.storage.output import inspect_output
from apep_datagen.storage.spending import ModelUse

__all__ = ["BudgetOutlook", "Estimate", "Share", "read_estimate", "share_out", "total_usd"]

# Conversations of the history that are so much longer or shorter than those to come count in proportion.
_NOTABLE_DIFFERENCE = 0.25
_SECONDS_PER_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Share:
    """What one provider will do.

    Attributes:
        provider: Its name.
        requests_per_second: How many requests it takes.
        bound: What bounds it: `requests`, `tokens` or `in flight`.
        seconds_per_answer: How long an answer takes.
        is_measured: Whether that was measured; else it is assumed.
        conversations: In how many conversations it takes part.
        need: What these are.
        usd: What they cost, or None where a price is not known.
        unpriced: Its models that have no price.
        roles: The roles that it serves; empty where all serve the same.
    """

    provider: str
    requests_per_second: float
    bound: str
    seconds_per_answer: float
    is_measured: bool
    conversations: float
    need: Need
    usd: float | None
    unpriced: tuple[str, ...]
    roles: tuple[ModelRole, ...] = ()


def share_out(
    conversations: float,
    needs: Mapping[ModelRole, Need],
    providers: Mapping[str, ProviderSettings],
    seconds: Mapping[str, float],
    serving: Serving | None = None,
) -> list[Share]:
    """Share out conversations among the providers, in proportion to what each can take of the roles that it serves.

    Args:
        conversations: How many are to be made.
        needs: What one needs, by role.
        providers: Settings by name; one at least.
        seconds: How long an answer takes, by provider; `ASSUMED_SECONDS_PER_ANSWER` for others.
        serving: Who serves whom; all serve all where it is not given.
    """
    serving = serving or Serving.by_all(providers)
    needs = {role: need for role, need in needs.items() if need.requests}
    served = {name: {role: needs[role] for role in serving.roles_of(name) if role in needs} for name in providers}
    rates = {
        name: _rate(settings, _tokens_per_request(served[name] or needs), seconds.get(name, ASSUMED_SECONDS_PER_ANSWER))
        for name, settings in providers.items()
    }
    divided = divide(
        {role: need.requests for role, need in needs.items()},
        {role: serving.providers[role] for role in needs},
        {name: rate for name, (rate, _) in rates.items()},
    )
    shares = []
    for name, (rate, bound) in rates.items():
        part = {role: need * divided[role].get(name, 0.0) for role, need in served[name].items()}
        usd, unpriced = _price(providers[name], part)
        shares.append(
            Share(
                provider=name,
                requests_per_second=rate,
                bound=bound,
                seconds_per_answer=seconds.get(name, ASSUMED_SECONDS_PER_ANSWER),
                is_measured=name in seconds,
                conversations=conversations * max((divided[role].get(name, 0.0) for role in part), default=0.0),
                need=sum(part.values(), Need()) * conversations,
                usd=None if unpriced else usd * conversations,
                unpriced=unpriced,
                roles=() if serving.is_uniform else tuple(part),
            )
        )
    return shares


def _tokens_per_request(needs: Mapping[ModelRole, Need]) -> float:
    one = sum(needs.values(), Need())
    return one.tokens / one.requests


def _rate(settings: ProviderSettings, tokens_per_request: float, seconds: float) -> tuple[float, str]:
    """Return how many requests a provider takes in a second, and what bounds it."""
    rates = []
    if settings.requests_per_second is not None:
        rates.append((settings.requests_per_second, "requests"))
    if settings.tokens_per_minute is not None:
        rates.append((settings.tokens_per_minute / _SECONDS_PER_MINUTE / tokens_per_request, "tokens"))
    if settings.max_in_flight is not None or not rates:
        rates.append(((settings.max_in_flight or ASSUMED_IN_FLIGHT) / seconds, "in flight"))
    return min(rates)


def _price(settings: ProviderSettings, needs: Mapping[ModelRole, Need]) -> tuple[float, tuple[str, ...]]:
    """Return what a conversation costs in dollars, and the models that have no price."""
    usd = 0.0
    unpriced = []
    for role, need in needs.items():
        model = settings.model_for(role)
        price = settings.price_of(model)
        if price is None:
            unpriced.append(model)
        else:
            usd += (need.prompt_tokens * price.input + need.completion_tokens * price.output) / 1_000_000
    return usd, tuple(dict.fromkeys(unpriced))


def total_usd(shares: Iterable[Share]) -> float | None:
    """Return what shares cost together, or None where nobody knows."""
    total = 0.0
    for share in shares:
        if share.usd is None:
            return None
        total += share.usd
    return total


@dataclass(frozen=True, slots=True)
class BudgetOutlook:
    """A limit, and what the target needs of it.

    Attributes:
        name: The option or key that sets it.
        limit: What may be spent.
        spent: What was spent, or None where nobody knows.
        needed: What the target still needs, or None where nobody knows.
        conversations: How many conversations are to be made with it.
        is_usd: Whether these are dollars.
    """

    name: str
    limit: float
    spent: float | None
    needed: float | None
    conversations: float
    is_usd: bool = False

    @property
    def makes(self) -> float | None:
        """For how many of the conversations it suffices, or None where nobody knows."""
        if self.spent is None or self.needed is None:
            return None
        left = max(0.0, self.limit - self.spent)
        return self.conversations if self.needed <= left else self.conversations * left / self.needed


def _budgets_of_run(
    limits: Iterable[Limit], spent: Amount, usd: float | None, shares: list[Share], conversations: float
) -> list[BudgetOutlook]:
    """Return what the target needs of each limit.

    Args:
        limits: The budgets that are set.
        spent: What was spent.
        usd: The same in dollars, or None where nobody knows.
        shares: What the target needs.
        conversations: How many conversations that makes.
    """
    need = sum((share.need for share in shares), Need())
    needed = {"requests": rounded(need.requests), "tokens": rounded(need.tokens)}
    return [
        BudgetOutlook(limit.name, dollars(limit.most), usd, total_usd(shares), conversations, is_usd=True)
        if limit.unit == "picodollars"
        else BudgetOutlook(limit.name, limit.most, limit.of(spent), needed[limit.unit], conversations)
        for limit in limits
    ]


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will need.

    Attributes:
        output: The output.
        target: How many conversations it shall hold.
        done: How many it holds.
        history: What was measured, or None where there is nothing yet.
        lengthened: How many times as long the conversations to come are as those of the history.
        assumed_yield: The share of finished conversations that is taken to be accepted; None where there is a history.
        one: What an accepted conversation needs.
        roles: The roles that it needs.
        conversations: How many are to be paid for.
        shares: What each provider will do.
        budgets: The limits that are set.
    """

    output: Path
    target: int
    done: int
    history: RunStatus | None
    lengthened: float
    assumed_yield: float | None
    one: Need
    roles: tuple[ModelRole, ...]
    conversations: float
    shares: tuple[Share, ...]
    budgets: tuple[BudgetOutlook, ...]

    @property
    def seconds(self) -> float:
        """How long the slowest of the providers works on its share."""
        return max(share.need.requests / share.requests_per_second for share in self.shares)

    @property
    def in_flight(self) -> int:
        """How many conversations are under way at once: as many as requests are (Little's law); at least 1."""
        seconds = self.seconds
        used = (
            (share.need.requests / seconds if seconds else share.requests_per_second, share) for share in self.shares
        )
        return max(1, round(sum(rate * share.seconds_per_answer for rate, share in used)))


def read_estimate(invocation: Invocation, now: float) -> Estimate:
    """Estimate what a run will need; nothing is sent, and nothing written.

    Args:
        invocation: What the run is told.
        now: Seconds since 1970.

    Raises:
        StorageError: The output, its state database or the ledger cannot be read.
    """
    settings, generation = invocation.settings, invocation.settings.generation
    status = _status_if_any(invocation.output, now)
    if status is None:
        foreign = inspect_output(invocation.output)
        done = len(foreign.elements) if foreign else 0
    else:
        done = status.done
    missing = max(0, generation.target - done)
    conversations = float(missing) if status is None else status.unpaid_conversations(missing)
    history = status if status and status.made and status.uses else None
    lengthened, assumed_yield = 1.0, None
    if history is None:
        assumed_yield = ASSUMED_YIELD if _is_strict(invocation) else 1.0
        needs = {
            # What the code rejects costs no review.
            role: need if role is ModelRole.REVIEWER else need * (1 / assumed_yield)
            for role, need in assumed_needs(generation, settings.roles, invocation.prompts, invocation.cast).items()
        }
    else:
        lengthened = _lengthened(history, generation)
        needs = {role: need * lengthened for role, need in history.needs_of_conversation().items()}
    needs = {role: need for role, need in needs.items() if role in invocation.serving.needed}
    uses, prices = (status.uses if status else ()), Prices(settings.quote)
    providers = {name: settings.providers[name] for name in invocation.providers}
    shares = share_out(conversations, needs, providers, _seconds_per_answer(uses), invocation.serving)
    limits = run_limits(settings.budget.max_requests, settings.budget.max_tokens, settings.budget.max_usd)
    budgets = _budgets_of_run(limits, prices.amount(uses), prices.usd(uses), shares, conversations)
    budgets += _budgets_of_month(invocation, status, shares)
    one = sum(needs.values(), Need())
    return Estimate(
        invocation.output,
        generation.target,
        done,
        history,
        lengthened,
        assumed_yield,
        one,
        invocation.serving.needed,
        conversations,
        tuple(shares),
        tuple(budgets),
    )


def _is_strict(invocation: Invocation) -> bool:
    """Tell whether any provider's conversations are judged strictly."""
    levels = {
        invocation.settings.quality.level_for(invocation.settings.providers[name].kind) for name in invocation.providers
    }
    return "strict" in levels


def _status_if_any(output: Path, now: float) -> RunStatus | None:
    path = state_path(output)
    return read_status(output, now) if is_there(path) and path.stat().st_size else None


def _seconds_per_answer(uses: Iterable[ModelUse]) -> dict[str, float]:
    """Return how long an answer took on average, by provider, as far as there were any."""
    answers: dict[str, int] = {}
    seconds: dict[str, float] = {}
    for use in uses:
        answers[use.provider] = answers.get(use.provider, 0) + use.answers
        seconds[use.provider] = seconds.get(use.provider, 0.0) + use.seconds
    return {name: seconds[name] / count for name, count in answers.items() if count and seconds[name] > 0}


def _lengthened(history: RunStatus, generation: GenerationSettings) -> float:
    """Return how many times as many exchanges a conversation to come has as one of the history."""
    asked = sum(item.answers for item in history.uses if item.role is ModelRole.TESTER)
    before = asked / history.paid_conversations
    factor = mean_exchanges(*generation.exchanges) / before if before else 1.0
    return factor if abs(factor - 1) > _NOTABLE_DIFFERENCE else 1.0


def _budgets_of_month(invocation: Invocation, status: RunStatus | None, shares: list[Share]) -> list[BudgetOutlook]:
    month = this_month()
    others = Ledger(invocation.ledger, invocation.output).booked_by_others(month)
    budgets = []
    for share in shares:
        limit = invocation.settings.providers[share.provider].tokens_per_month
        if limit is not None:
            own = status.tokens_by_month.get((month, share.provider), 0) if status else 0
            spent = others.get(share.provider, 0) + own
            name = f"tokens_per_month of {share.provider}"
            budgets.append(BudgetOutlook(name, limit, spent, rounded(share.need.tokens), share.conversations))
    return budgets
