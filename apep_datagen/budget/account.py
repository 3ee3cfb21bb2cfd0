"""What may be spent: the worst case of a request is reserved before it is sent, and settled after.

Plain arithmetic, without waiting and without I/O. Money is counted in whole picodollars (10⁻¹² $), so that
sums are exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from apep_datagen.config.settings import Settings
from apep_datagen.core.errors import SettingsError
from apep_datagen.core.messages import CompletionRequest, Usage

__all__ = [
    "Account",
    "Amount",
    "BudgetLimits",
    "Price",
    "Spent",
    "cost_so_far",
    "dollars",
    "known_prices",
    "missing_price",
    "picodollars",
    "worst_case",
]

_PICODOLLARS = 1_000_000_000_000
# What a chat template puts around a message, and around the whole prompt, at most: role names, control tokens, a date.
_TOKENS_AROUND_MESSAGE = 16
_TOKENS_AROUND_PROMPT = 64


def picodollars(usd: float) -> int:
    """Return an amount of dollars in whole picodollars."""
    return round(usd * _PICODOLLARS)


def dollars(amount: int) -> float:
    """Return an amount of picodollars in dollars."""
    return amount / _PICODOLLARS


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, in picodollars a token."""

    input: int
    output: int

    @classmethod
    def per_million_tokens(cls, usd_input: float, usd_output: float) -> Price:
        """Make a price of what providers quote: dollars for a million tokens."""
        return cls(picodollars(usd_input) // 1_000_000, picodollars(usd_output) // 1_000_000)

    def of(self, usage: Usage) -> int:
        """Return what `usage` costs, in picodollars."""
        return self.input * usage.prompt_tokens + self.output * usage.completion_tokens


@dataclass(frozen=True, slots=True)
class Amount:
    """Something that was or may be spent: requests, tokens (prompt and completion together), picodollars."""

    requests: int = 0
    tokens: int = 0
    picodollars: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.requests + other.requests, self.tokens + other.tokens, self.picodollars + other.picodollars)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.requests - other.requests, self.tokens - other.tokens, self.picodollars - other.picodollars)


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """What a run may spend over all its invocations; None is no limit."""

    requests: int | None = None
    tokens: int | None = None
    picodollars: int | None = None

    def exceeded_by(self, amount: Amount) -> str | None:
        """Return the option of the first limit that `amount` is above, or None."""
        for option, limit, value in (
            ("--max-requests", self.requests, amount.requests),
            ("--max-tokens", self.tokens, amount.tokens),
            ("--max-usd", self.picodollars, amount.picodollars),
        ):
            if limit is not None and value > limit:
                return option
        return None


class Account:
    """What was spent, and what requests under way may still cost.

    As long as no request costs more than what was reserved for it, `spent` is never above the limits: a reservation
    is only made where it fits together with all others.

    Args:
        limits: What may be spent.
        spent: What was spent before.
    """

    def __init__(self, limits: BudgetLimits, spent: Amount = Amount()) -> None:
        self.limits = limits
        self.spent = spent
        self.reserved = Amount()

    def try_reserve(self, amount: Amount) -> bool:
        """Reserve `amount` if it fits; tell whether it did."""
        if self.limits.exceeded_by(self.spent + self.reserved + amount):
            return False
        self.reserved += amount
        return True

    def settle(self, reserved: Amount, spent: Amount) -> None:
        """Replace a reservation by what was spent."""
        self.reserved -= reserved
        self.spent += spent

    def may_finish(self, conversations: int, requests_each: float, *, for_free: bool) -> bool:
        """Tell whether so many conversations can probably be finished, at what requests cost so far on average.

        Args:
            conversations: How many.
            requests_each: How many requests one takes.
            for_free: Whether no dollars are asked for it.
        """
        so_far = self.spent + self.reserved
        requests = conversations * requests_each
        share = requests / so_far.requests if so_far.requests else 0.0
        needed_picodollars = 0 if for_free else round(so_far.picodollars * share)
        needed = Amount(round(requests), round(so_far.tokens * share), needed_picodollars)
        return self.limits.exceeded_by(self.spent + needed) is None

    def obstacle(self, amount: Amount) -> str | None:
        """Return the option of the budget that `amount` does not fit into even when all reservations are given back."""
        return self.limits.exceeded_by(self.spent + amount)


def worst_case(request: CompletionRequest) -> Usage:
    """Return the most that a request can be charged for, in tokens.

    A token stands for one byte of UTF-8 at least (byte-level BPE and its relatives), so a prompt has no more tokens
    than bytes, and what the chat template adds. A completion ends at `max_tokens`.
    """
    prompt = sum(len(message.content.encode()) + _TOKENS_AROUND_MESSAGE for message in request.messages)
    return Usage(prompt + _TOKENS_AROUND_PROMPT, request.max_tokens)


@dataclass(frozen=True, slots=True)
class Spent:
    """What one model of one provider was used for so far."""

    provider: str
    model: str
    requests: int
    usage: Usage


def known_prices(settings: Settings, models: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Price]:
    """Return what models cost, as far as the configuration says it.

    Args:
        settings: The configuration.
        models: Provider and model; the provider need not be configured any more.
    """
    prices: dict[tuple[str, str], Price] = {}
    for provider, model in models:
        section = settings.providers.get(provider)
        if section and (price := section.price_of(model)):
            prices[provider, model] = Price.per_million_tokens(price.input, price.output)
    return prices


def cost_so_far(spent: Iterable[Spent], prices: Mapping[tuple[str, str], Price], *, needs_prices: bool) -> Amount:
    """Add up what was spent, at the prices that are configured now.

    Args:
        spent: What there was.
        prices: By provider and model.
        needs_prices: Whether a model without a price is an error; else it counts as free.

    Raises:
        SettingsError: A model that tokens were spent with has no price.
    """
    total = Amount()
    for item in spent:
        price = prices.get((item.provider, item.model))
        if price is None and needs_prices and item.usage.total_tokens:
            raise SettingsError(missing_price(item.provider, item.model))
        total += Amount(item.requests, item.usage.total_tokens, price.of(item.usage) if price else 0)
    return total


def missing_price(provider: str, model: str) -> str:
    """Say which price `--max-usd` needs, and where it goes."""
    return (
        f"--max-usd: there is no price for {model} at {provider}; write it into the configuration file, e.g.\n"
        f'  [providers.{provider}.prices]\n  "{model}" = {{ input = 0.5, output = 1.5 }}  # $ for a million tokens'
    )
