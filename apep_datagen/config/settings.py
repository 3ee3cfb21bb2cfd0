"""What a run is to do: the sections of `apep-datagen.toml`, with what is allowed in each."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from apep_datagen.core.files import NOT_QUOTED
from apep_datagen.core.messages import ModelRole
from apep_datagen.people.scenario import Ability

__all__ = [
    "DEFAULT_MIX",
    "DEFAULT_OUTPUT",
    "BudgetSettings",
    "GenerationSettings",
    "PriceSettings",
    "ProviderKind",
    "ProviderSettings",
    "QualitySettings",
    "RoleModels",
    "RoleSettings",
    "RolesSettings",
    "ScenariosSettings",
    "Settings",
]

DEFAULT_OUTPUT = Path("data/trainingData/generatedTrainingData.json")

ProviderKind = Literal["mistral", "together", "huggingface", "openai", "local"]

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

# These decide what is asked, how its answer is read and how much it can cost.
_OWN_FIELDS = ("model", "messages", "stream", "n", "best_of", "max_tokens", "max_completion_tokens")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OWN_HEADERS = ("host", "content-type", "content-length", "content-encoding", "transfer-encoding", "connection")

Positive = Annotated[float, Field(gt=0, le=100_000)]
# The databases hold 64 bits; a little less leaves room for sums.
Count = Annotated[int, Field(ge=1, lt=2**53)]
_FIRST_YEAR, _LAST_YEAR = 1900, 2999


def _address(base_url: str) -> str:
    """Refuse what is no address of a server. No message says what it is: it can hold a key."""
    try:
        host, port = urlsplit(base_url).hostname, urlsplit(base_url).port
    except ValueError:  # its message quotes the address
        host, port = None, 0
    if not host or port == 0 or not base_url.isprintable():
        raise ValueError(
            "it has to be a host, with a port from 1 to 65535 where one is needed; e.g. http://localhost:11434/v1"
        ) from None
    return base_url


def _printable(name: str) -> str:
    if not name.isprintable():
        raise ValueError("it holds a character that cannot be printed")
    return name


Name = Annotated[str, Field(min_length=1), AfterValidator(_printable)]


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
        patience_seconds: For how long the run goes on while no provider answers; without end where it is not set;
            `--patience`.
    """

    target: Count = 5000
    exchanges: tuple[Annotated[int, Field(ge=1, le=50)], Annotated[int, Field(ge=1, le=50)]] = (1, 1)
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    max_tool_rounds: Annotated[int, Field(ge=0, le=20)] = 3
    timeline_length: Annotated[int, Field(ge=1, le=100_000)] = 12
    grace_seconds: Annotated[float, Field(ge=0, le=86_400)] = 30.0
    patience_seconds: Annotated[float, Field(gt=0, le=31_536_000)] | None = None

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

    max_requests: Count | None = None
    max_tokens: Count | None = None
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
        if self.first_day.year < _FIRST_YEAR or self.last_day.year > _LAST_YEAR:
            raise ValueError(f"first_day and last_day have to be from {_FIRST_YEAR} to {_LAST_YEAR}")
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
    max_tokens: Annotated[int, Field(ge=16, le=1_000_000)]


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

    tester: Name | None = None
    ada: Name | None = None
    rewriter: Name | None = None


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
        timeout_seconds: How long one answer may take, from the request to its last byte.
        max_tokens_parameter: What the endpoint calls the most tokens of an answer; newer models of OpenAI and others
            want `max_completion_tokens`.
        omit_parameters: Parameters that the endpoint or its model refuses and that are left out: `seed`,
            `temperature`.
        extra_body: Further fields of each request's body, written as `[providers.NAME.extra_body]`, e.g. to switch a
            model's reasoning off.
        extra_headers: Further headers of each request, written as `[providers.NAME.extra_headers]`; what they hold is
            never printed.
        price_per_million_tokens: What `model` costs.
        prices: What other models cost, by their names.
    """

    kind: ProviderKind
    model: Name
    models: RoleModels = RoleModels()
    base_url: Annotated[str, Field(pattern=r"^https?://[^\s]+$"), AfterValidator(_address)] | None = None
    requests_per_second: Positive | None = None
    tokens_per_minute: Count | None = None
    tokens_per_month: Count | None = None
    max_in_flight: Annotated[int, Field(ge=1, le=10_000)] | None = None
    timeout_seconds: Positive = 300.0
    max_tokens_parameter: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")] = "max_tokens"
    omit_parameters: tuple[Literal["seed", "temperature"], ...] = ()
    extra_body: dict[str, Any] = {}
    extra_headers: dict[str, str] = Field(default={}, repr=False)
    price_per_million_tokens: PriceSettings | None = None
    prices: dict[str, PriceSettings] = {}

    @field_validator("omit_parameters", mode="before")
    @classmethod
    def _a_list_is_a_tuple(cls, names: Any) -> Any:
        return tuple(names) if isinstance(names, list) else names

    @field_validator("extra_body")
    @classmethod
    def _body_can_be_sent(cls, body: dict[str, Any]) -> dict[str, Any]:
        for name in body:
            if name in _OWN_FIELDS:
                raise ValueError(f"{name} is for this program to set; {', '.join(_OWN_FIELDS)} cannot stand here")
        try:
            json.dumps(body, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"it cannot be sent as JSON ({error})") from error
        return body

    @field_validator("extra_headers", mode="before")
    @classmethod
    def _header_names_can_be_sent(cls, headers: Any) -> Any:
        """Refuse names before anything is said of what they name: one that is none can hold a key."""
        if isinstance(headers, dict):
            for number, name in enumerate(headers, start=1):
                if not _HEADER_NAME.fullmatch(name):
                    raise ValueError(f"the name of entry {number} can be no header's")
        return headers

    @field_validator("extra_headers")
    @classmethod
    def _headers_can_be_sent(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if name.lower() in _OWN_HEADERS:
                raise ValueError(f"{name} is no header that can be set")
            if not value.isascii() or not value.isprintable() or value != value.strip():
                raise ValueError(f"the value of {name} holds a character that no header can hold")
        return headers

    @model_validator(mode="after")
    def _embedded_model_has_no_requests(self) -> Self:
        if self.kind == "local":
            for key in ("max_tokens_parameter", "omit_parameters", "extra_body", "extra_headers"):
                if key in self.model_fields_set:
                    raise ValueError(f"{key} is for endpoints; the embedded model has none")
        return self

    def model_for(self, role: ModelRole) -> str:
        """Return the model that a role uses."""
        return getattr(self.models, role.value) or self.model

    def models_by_role(self) -> dict[ModelRole, str]:
        """Return the model that each role uses."""
        return {role: self.model_for(role) for role in ModelRole}

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
    # A key can be put into any text of a provider: into its address, or into a field that there is not.
    providers: Annotated[dict[str, ProviderSettings], NOT_QUOTED] = {}

    def quote(self, provider: str, model: str) -> tuple[float, float] | None:
        """Return what a million tokens of prompts and of completions cost, in dollars; None where nobody said.

        Args:
            provider: Its name; it need not be configured any more.
            model: The model's name there.
        """
        section = self.providers.get(provider)
        price = section.price_of(model) if section else None
        return (price.input, price.output) if price else None
