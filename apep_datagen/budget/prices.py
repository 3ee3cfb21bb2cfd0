"""What models cost, as far as the configuration says it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from apep_datagen.budget.amounts import NOTHING, Amount, Price, dollars
from apep_datagen.core.errors import SettingsError
from apep_datagen.core.words import one_line
from apep_datagen.storage.spending import ModelUse

__all__ = ["Prices", "missing_prices_hint"]

Quote = Callable[[str, str], tuple[float, float] | None]


class Prices:
    """The prices of all models.

    Args:
        quote: Returns for a provider and a model what a million tokens of prompts and of completions cost, in dollars;
            None where nobody knows.
    """

    def __init__(self, quote: Quote) -> None:
        self._quote = quote

    def of(self, provider: str, model: str) -> Price | None:
        """Return what a model costs, or None where nobody knows."""
        quoted = self._quote(provider, model)
        return Price.per_million_tokens(*quoted) if quoted else None

    def amount(self, uses: Iterable[ModelUse]) -> Amount:
        """Add up what was spent, at the prices of now; a model without a price counts as free."""
        amounts = (Amount.of(use.requests, use.usage, self.of(use.provider, use.model)) for use in uses)
        return sum(amounts, NOTHING)

    def usd(self, uses: Iterable[ModelUse]) -> float | None:
        """Return what was spent in dollars, or None where a price of it is missing."""
        uses = tuple(uses)
        return None if self.missing(uses) else dollars(self.amount(uses).picodollars)

    def missing(self, uses: Iterable[ModelUse]) -> list[tuple[str, str]]:
        """Return provider and model of what tokens were spent with and no price is known for."""
        spent = dict.fromkeys((use.provider, use.model) for use in uses if use.usage.total_tokens)
        return [(provider, model) for provider, model in spent if self.of(provider, model) is None]

    def require(self, models: Iterable[tuple[str, str]]) -> None:
        """Refuse a budget in dollars where a price is missing that it needs; `models` are provider and model.

        Raises:
            SettingsError: One has no price; it says where the price goes.
        """
        for provider, model in models:
            if self.of(provider, model) is None:
                raise SettingsError(
                    f"--max-usd: there is no price for {model} at {provider}; write it into the configuration file,"
                    f" e.g.\n{_example(provider, model)}  # $ for a million tokens"
                )


def missing_prices_hint(models: Iterable[tuple[str, str]]) -> str:
    """Say which prices are not known, and where they go; `models` are provider and model."""
    lines = ["These prices are not known; they go into the configuration file, in $ for a million tokens, e.g."]
    return "\n".join([*lines, *(_example(provider, model) for provider, model in models)])


def _example(provider: str, model: str) -> str:
    provider, model = one_line(provider), one_line(model)
    return f'  [providers.{provider}.prices]\n  "{model}" = {{ input = 0.5, output = 1.5 }}'
