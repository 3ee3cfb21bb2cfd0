"""What a run is to do: options, and `apep-datagen.toml` for what belongs in a file."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from apep_datagen.core.errors import SettingsError
from apep_datagen.core.files import parse_toml, read_text, validate
from apep_datagen.core.messages import ModelRole
from apep_datagen.people.scenario import Ability

__all__ = [
    "BUILT_IN_PROVIDERS",
    "DEFAULT_CONFIG",
    "DEFAULT_MIX",
    "DEFAULT_OUTPUT",
    "BudgetSettings",
    "GenerationSettings",
    "PriceSettings",
    "ProviderSettings",
    "QualitySettings",
    "RoleSettings",
    "ScenariosSettings",
    "Settings",
    "load_settings",
]

DEFAULT_CONFIG = Path("apep-datagen.toml")
DEFAULT_OUTPUT = Path("data/trainingData/generatedTrainingData.json")

ProviderKind = Literal["mistral", "together", "huggingface", "openai", "local"]

# Defaults of the built-in providers. The limits are those of the free tiers, or what is safe where a limit is dynamic:
# https://docs.mistral.ai/deployment/ai-studio/tier, https://docs.together.ai/docs/rate-limits,
# https://huggingface.co/docs/inference-providers/pricing. They move; the configuration file overrides them.
BUILT_IN_PROVIDERS: dict[str, dict[str, Any]] = {
    "mistral": {"model": "mistral-large-latest", "requests_per_second": 1.0, "tokens_per_minute": 500_000},
    "together": {"model": "meta-llama/Llama-3.3-70B-Instruct-Turbo", "requests_per_second": 1.0},
    "huggingface": {"model": "meta-llama/Llama-3.3-70B-Instruct", "requests_per_second": 0.5},
    # As many at once as the engine has slots; each takes the processor that there is.
    "local": {"model": "smollm2", "max_in_flight": 2},
}
_DEFAULT_IN_FLIGHT_WITHOUT_RATE = 4

# Shares of the accepted conversations, in percent. No tool is needed in 40 %.
DEFAULT_MIX: dict[Ability, float] = {
    Ability.SHARE: 14,
    Ability.UPDATE: 8,
    Ability.FORGET: 7,
    Ability.RECALL: 9,
    Ability.CONNECT: 4,
    Ability.ABSTAIN: 10,
    Ability.DIARY: 5,
    Ability.DIARY_RECALL: 3,
    Ability.SMALLTALK: 20,
    Ability.ADVICE: 20,
}

Positive = Annotated[float, Field(gt=0, le=100_000)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class GenerationSettings(_Section):
    """`[generation]`: what is to be made.

    Attributes:
        target: How many conversations the output shall hold in the end; `--target`.
        exchanges: The least and the most exchanges (question and answer) in a conversation; `--exchanges`.
        seed: Users, days and scenarios are drawn from this number, to get the same ones again; random where it is not
            set; `--seed`.
        max_tool_rounds: How often Ada may use tools before she answers.
        timeline_length: Conversations that share a memory and a diary, before a new user begins.
        grace_seconds: How long requests under way may still come in after a signal to stop; `--grace-seconds`.
    """

    target: Annotated[int, Field(ge=1)] = 5000
    exchanges: tuple[Annotated[int, Field(ge=1, le=50)], Annotated[int, Field(ge=1, le=50)]] = (1, 1)
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    max_tool_rounds: Annotated[int, Field(ge=0, le=20)] = 3
    timeline_length: Annotated[int, Field(ge=1)] = 12
    grace_seconds: Annotated[float, Field(ge=0, le=86_400)] = 30.0

    @model_validator(mode="before")
    @classmethod
    def _lists_are_tuples(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("exchanges"), list):
            return {**values, "exchanges": tuple(values["exchanges"])}
        return values

    @field_validator("exchanges")
    @classmethod
    def _exchanges_in_order(cls, exchanges: tuple[int, int]) -> tuple[int, int]:
        if exchanges[0] > exchanges[1]:
            raise ValueError("the least number is larger than the most")
        return exchanges


class BudgetSettings(_Section):
    """`[budget]`: what a run may spend over all invocations for its output; there is no limit where none is set.

    Attributes:
        max_requests: Requests, also those that failed after they had reached the server; `--max-requests`.
        max_tokens: Tokens of prompts and completions together; `--max-tokens`.
        max_usd: Dollars, at the prices of the provider's section; `--max-usd`.
    """

    max_requests: Annotated[int, Field(ge=1, lt=2**53)] | None = None
    max_tokens: Annotated[int, Field(ge=1, lt=2**53)] | None = None
    max_usd: Annotated[float, Field(gt=0, le=1_000_000)] | None = None


class QualitySettings(_Section):
    """`[quality]`: what is accepted.

    Attributes:
        level: How strictly conversations are judged; where it is not set, `form` for `local`, else `strict`;
            `--quality`.
        least_yield: A provider leaves the run where a smaller share of its last 24 to 60 conversations is accepted; 0
            lets it stay.
        similarity: Texts that share this much of their three-word sequences are nearly the same (Jaccard similarity).
        opening_share: The largest share of conversations that may begin with the same five words (three may always).
    """

    level: Literal["off", "form", "strict"] | None = None
    least_yield: Annotated[float, Field(ge=0, le=1)] = 0.25
    similarity: Annotated[float, Field(gt=0, le=1)] = 0.6
    opening_share: Annotated[float, Field(gt=0, le=1)] = 0.02

    def level_for(self, kind: str) -> Literal["off", "form", "strict"]:
        """Return how strictly the conversations of a provider of this kind are judged."""
        return self.level or ("form" if kind == "local" else "strict")


class ScenariosSettings(_Section):
    """`[scenarios]`: what conversations are about, and when they take place.

    Attributes:
        mix: Shares of the abilities among what is accepted, written as `[scenarios.mix]`; only their proportions count,
            0 leaves an ability out, and one that is not named keeps its default.
        first_day: The first day on which a timeline may begin.
        last_day: The last day on which a timeline may begin.
    """

    mix: dict[Ability, Annotated[float, Field(ge=0, le=1_000_000)]] = {}
    first_day: datetime.date = datetime.date(2025, 1, 1)
    last_day: datetime.date = datetime.date(2026, 12, 31)

    @field_validator("mix", mode="before")
    @classmethod
    def _abilities_by_name(cls, mix: Any) -> Any:
        if not isinstance(mix, dict):
            return mix
        names = [ability.value for ability in Ability]
        for name in mix:
            if name not in names:
                raise ValueError(f"there is no ability {name}; there are {', '.join(names)}")
        return {Ability(name): share for name, share in mix.items()}

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.first_day > self.last_day:
            raise ValueError("first_day is after last_day")
        if not any(self.shares.values()):
            raise ValueError("mix: all shares are 0")
        return self

    @property
    def shares(self) -> dict[Ability, float]:
        """The wished share of each ability; they need not add up to anything."""
        return {**DEFAULT_MIX, **self.mix}


class RoleSettings(_Section):
    """`[roles.tester]`, `[roles.ada]`, `[roles.rewriter]`: how a role's model is sampled.

    Attributes:
        temperature: How freely the model draws its words; 0 takes the most probable.
        max_tokens: The most tokens of one answer; more are needed where a model reasons. Budgets reserve so many.
    """

    temperature: Annotated[float, Field(ge=0, le=2)]
    max_tokens: Annotated[int, Field(ge=16)]


class RolesSettings(_Section):
    """`[roles]`: the three parts that models play.

    Attributes:
        tester: Writes the user's message.
        ada: Answers it.
        rewriter: Rewrites Ada's thinking.
    """

    tester: RoleSettings = RoleSettings(temperature=1.0, max_tokens=400)
    ada: RoleSettings = RoleSettings(temperature=0.8, max_tokens=1500)
    rewriter: RoleSettings = RoleSettings(temperature=0.7, max_tokens=1500)

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        defaults = {name: field.default.model_dump() for name, field in cls.model_fields.items()}
        return {
            name: {**defaults[name], **value} if name in defaults and isinstance(value, dict) else value
            for name, value in values.items()
        }

    def of(self, role: ModelRole) -> RoleSettings:
        """Return the settings of one role."""
        settings: RoleSettings = getattr(self, role.value)
        return settings


class PriceSettings(_Section):
    """In dollars for a million tokens.

    Attributes:
        input: Of the prompt.
        output: Of the completion.
    """

    input: Annotated[float, Field(ge=0, le=1_000_000)]
    output: Annotated[float, Field(ge=0, le=1_000_000)]


class RoleModels(_Section):
    """`[providers.NAME.models]`: another model than `model` for a role.

    Attributes:
        tester: Writes the user's message.
        ada: Answers it.
        rewriter: Rewrites Ada's thinking.
    """

    tester: Annotated[str, Field(min_length=1)] | None = None
    ada: Annotated[str, Field(min_length=1)] | None = None
    rewriter: Annotated[str, Field(min_length=1)] | None = None


class ProviderSettings(_Section):
    """`[providers.NAME]`: one endpoint, its model and its limits.

    Attributes:
        kind: How it is spoken to; known for the built-in providers, and `openai` for any other endpoint that speaks
            OpenAI's chat completions.
        model: The model's name there; for `local`, the path of a GGUF file, or `hf:OWNER/NAME/FILE.gguf`, which is
            downloaded once.
        models: Another model for a role.
        base_url: Where the server is; needed for `openai`, else the provider's own.
        requests_per_second: The rate that you are entitled to; `--rps`. No limit where it is not set.
        tokens_per_minute: Prompts and completions together. No limit where it is not set.
        tokens_per_month: Prompts and completions together, over all runs and outputs; when they are spent, the provider
            is out. Mistral's free tier has 1,000,000,000 (https://docs.mistral.ai/deployment/ai-studio/tier).
        max_in_flight: The most requests at the same time; 4 for an `openai` endpoint without a rate, else as many as
            rate and latency ask for.
        timeout_seconds: How long one answer may take.
        price_per_million_tokens: What `model` costs.
        prices: What other models cost, by their names.
    """

    kind: ProviderKind
    model: Annotated[str, Field(min_length=1)]
    models: RoleModels = RoleModels()
    base_url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")] | None = None
    requests_per_second: Positive | None = None
    tokens_per_minute: Annotated[int, Field(ge=1)] | None = None
    tokens_per_month: Annotated[int, Field(ge=1)] | None = None
    max_in_flight: Annotated[int, Field(ge=1, le=10_000)] | None = None
    timeout_seconds: Positive = 300.0
    price_per_million_tokens: PriceSettings | None = None
    prices: dict[str, PriceSettings] = {}

    def model_for(self, role: ModelRole) -> str:
        """Return the model that a role uses."""
        return getattr(self.models, role.value) or self.model

    def price_of(self, model: str) -> PriceSettings | None:
        """Return what a model costs, or None where nobody said."""
        if self.kind == "local":
            return PriceSettings(input=0.0, output=0.0)
        return self.prices.get(model) or (self.price_per_million_tokens if model == self.model else None)


class Settings(_Section):
    """Everything that a run is told."""

    generation: GenerationSettings = GenerationSettings()
    budget: BudgetSettings = BudgetSettings()
    roles: RolesSettings = RolesSettings()
    quality: QualitySettings = QualitySettings()
    scenarios: ScenariosSettings = ScenariosSettings()
    providers: dict[str, ProviderSettings] = {}

    def quote(self, provider: str, model: str) -> tuple[float, float] | None:
        """Return what a million tokens of prompts and of completions cost, in dollars; None where nobody said.

        Args:
            provider: Its name; it need not be configured any more.
            model: The model's name there.
        """
        section = self.providers.get(provider)
        price = section.price_of(model) if section else None
        return (price.input, price.output) if price else None


def load_settings(
    config: Path | None,
    *,
    generation: Mapping[str, Any] | None = None,
    budget: Mapping[str, Any] | None = None,
    quality: Mapping[str, Any] | None = None,
    models: Mapping[str, str] | None = None,
    rates: Mapping[str, float] | None = None,
) -> Settings:
    """Read the configuration file and put the options over it.

    Args:
        config: The file; None for `apep-datagen.toml` if that exists.
        generation: Keys of `[generation]` that were given as options; None is not given.
        budget: The same for `[budget]`.
        quality: The same for `[quality]`.
        models: Model by provider, from `--model`.
        rates: Requests per second by provider, from `--rps`.

    Raises:
        SettingsError: The file is missing or no TOML, or a key is unknown, of a wrong type or impossible.
    """
    models, rates = models or {}, rates or {}
    path = config or DEFAULT_CONFIG
    if config is not None and not path.exists():
        raise SettingsError(f"{path}: there is no such file; check --config")
    is_there = config is not None or path.is_file()
    values = parse_toml(read_text(path, "the configuration"), str(path)) if is_there else {}
    providers = values.get("providers", {})
    if not isinstance(providers, dict) or not all(isinstance(section, dict) for section in providers.values()):
        raise SettingsError(f"{path}: providers: write one section for each, e.g. [providers.mistral]")
    for name in (*models, *rates):
        if name not in BUILT_IN_PROVIDERS and name not in providers:
            known = ", ".join([*BUILT_IN_PROVIDERS, *(key for key in providers if key not in BUILT_IN_PROVIDERS)])
            option = "--model" if name in models else "--rps"
            raise SettingsError(
                f"{option} {name}=…: there is no provider of this name; there are {known}, and what has a section"
                f" [providers.NAME] in {path}"
            )
    for name, rate in rates.items():
        if not 0 < rate < math.inf:
            raise SettingsError(f"--rps {name}={rate:g}: the rate must be a number above 0")
    values["providers"] = {
        name: _provider_values(path, name, providers.get(name, {}), models.get(name), rates.get(name))
        for name in dict.fromkeys([*BUILT_IN_PROVIDERS, *providers])
    }
    given: dict[str, str] = {}
    for key, options in (("generation", generation), ("budget", budget), ("quality", quality)):
        chosen = {name: value for name, value in (options or {}).items() if value is not None}
        section = values.get(key, {})
        values[key] = {**section, **chosen} if isinstance(section, dict) else section
        given |= {f"{key}.{name}": _option(key, name) for name in chosen}
    return validate(Settings, values, str(path), options=given)


def _option(section: str, key: str) -> str:
    """Return the option that gives a key of a section."""
    return "--quality" if section == "quality" else f"--{key.replace('_', '-')}"


def _provider_values(
    path: Path, name: str, section: dict[str, Any], model: str | None, rate: float | None
) -> dict[str, Any]:
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
        raise SettingsError(f"{path}: providers.{name}: a provider's name is lower-case letters, digits, - and _")
    values = {**BUILT_IN_PROVIDERS.get(name, {}), **section}
    if name in BUILT_IN_PROVIDERS:
        values.setdefault("kind", name)
    elif "kind" not in values:
        raise SettingsError(
            f'{path}: providers.{name}: kind is missing; for an OpenAI-compatible endpoint write kind = "openai"'
        )
    if model is not None and model != values.get("model"):
        # The price that was given is the other model's.
        price = values.pop("price_per_million_tokens", None)
        if price is not None and isinstance(values.get("prices", {}), dict):
            values["prices"] = {values.get("model", ""): price, **values.get("prices", {})}
        values["model"] = model
    if rate is not None:
        values["requests_per_second"] = rate
    if values["kind"] == "openai":
        for key, example in (("base_url", "http://localhost:11434/v1"), ("model", "qwen3:8b")):
            if key not in values:
                raise SettingsError(f'{path}: providers.{name}: {key} is missing; write e.g. {key} = "{example}"')
        if "requests_per_second" not in values:
            values.setdefault("max_in_flight", _DEFAULT_IN_FLIGHT_WITHOUT_RATE)
    return values
