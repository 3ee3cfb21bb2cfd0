"""What a run is to do: the sections of `apep-datagen.toml`, with what is allowed in each."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from apep_datagen.config.provider_settings import ProviderSettings
from apep_datagen.config.section import Count, Name, Section
from apep_datagen.conversation.brief import Rewrites
from apep_datagen.core.files import NOT_QUOTED
from apep_datagen.core.messages import ModelRole
from apep_datagen.people.scenario import Ability

__all__ = [
    "DEFAULT_MIX",
    "DEFAULT_OUTPUT",
    "BudgetSettings",
    "GenerationSettings",
    "QualitySettings",
    "ReviewerSettings",
    "RewriterSettings",
    "RoleSettings",
    "RolesSettings",
    "ScenariosSettings",
    "Settings",
]

DEFAULT_OUTPUT = Path("data/trainingData/generatedTrainingData.json")

# Shares of the accepted conversations, in percent. No tool is needed in about a quarter.
DEFAULT_MIX: dict[Ability, float] = {
    Ability.SHARE: 14,
    Ability.UPDATE: 8,
    Ability.FORGET: 7,
    Ability.RECALL: 12,
    Ability.CONNECT: 4,
    Ability.ABSTAIN: 10,
    Ability.DIARY: 5,
    Ability.DIARY_RECALL: 4,
    Ability.APPLY: 6,
    Ability.ASK_BACK: 3,
    Ability.SMALLTALK: 14,
    Ability.ADVICE: 13,
}

_FIRST_YEAR, _LAST_YEAR = 1900, 2999


class GenerationSettings(Section):
    """`[generation]`: what is to be made.

    Attributes:
        target: How many conversations the output shall hold in the end; `--target`.
        exchanges: The least and the most exchanges (question and answer) in a conversation; half of all have the least,
            the others any number up to the most; `--exchanges`.
        seed: Users, days and scenarios are drawn from this number, to get the same ones again; random where it is not
            set; `--seed`.
        max_tool_rounds: How often Ada may use tools before she answers.
        timeline_length: Conversations that share a memory and a diary, before a new user begins.
        grace_seconds: How long requests under way may still come in after a signal to stop; `--grace-seconds`.
        patience_seconds: For how long the run goes on while no provider answers: more than a slow answer takes, and
            than `--rps` puts between two; without end where it is not set; `--patience`.
    """

    target: Count = 5000
    exchanges: tuple[Annotated[int, Field(ge=1, le=50)], Annotated[int, Field(ge=1, le=50)]] = (1, 4)
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


class BudgetSettings(Section):
    """`[budget]`: what a run may spend over all invocations for its output; there is no limit where none is set.

    Attributes:
        max_requests: Requests, also those that failed after they had reached the server; `--max-requests`.
        max_tokens: Tokens of prompts and completions together; `--max-tokens`.
        max_usd: Dollars, at the prices of the provider's section; `--max-usd`.
    """

    max_requests: Count | None = None
    max_tokens: Count | None = None
    max_usd: Annotated[float, Field(gt=0, le=1_000_000)] | None = None


class QualitySettings(Section):
    """`[quality]`: what is accepted.

    Attributes:
        level: How strictly conversations are judged; where it is not set, `form` for `local`, else `strict`;
            `--quality`.
        least_yield: A provider leaves the run where a smaller share of its last 24 to 60 conversations is accepted; 0
            lets it stay.
        least_ability_yield: An ability is held back where a smaller share of its last conversations, 60 at most, is
            accepted, and these are enough to know: no more of it is sent than its share in `[scenarios.mix]`, until
            it passes again; 0 holds none back.
        similarity: Texts that share this much of their three-word sequences are nearly the same (Jaccard similarity).
        opening_share: The largest share of conversations that may begin with the same five words (three may always).
        thought_opening_share: The largest share of conversations whose thoughts may begin with the same five words (ten
            may always); first thoughts and those after results are counted apart.
        thought_phrase_share: The largest share of conversations whose thoughts may have the same six words in a row
            (ten may always).
        thought_habit_share: The largest share of conversations whose thoughts may begin with the same word, or have the
            same four words in a row (ten may always).
    """

    level: Literal["off", "form", "strict"] | None = None
    least_yield: Annotated[float, Field(ge=0, le=1)] = 0.25
    least_ability_yield: Annotated[float, Field(ge=0, le=1)] = 0.25
    similarity: Annotated[float, Field(gt=0, le=1)] = 0.6
    opening_share: Annotated[float, Field(gt=0, le=1)] = 0.02
    thought_opening_share: Annotated[float, Field(gt=0, le=1)] = 0.1
    thought_phrase_share: Annotated[float, Field(gt=0, le=1)] = 0.15
    thought_habit_share: Annotated[float, Field(gt=0, le=1)] = 0.6

    def level_for(self, kind: str) -> Literal["off", "form", "strict"]:
        """Return how strictly the conversations of a provider of this kind are judged."""
        return self.level or ("form" if kind == "local" else "strict")


class ScenariosSettings(Section):
    """`[scenarios]`: what conversations are about, and when they take place.

    Attributes:
        mix: Shares of the abilities among what is accepted, written as `[scenarios.mix]`; only their proportions count,
            0 leaves an ability out, and one that is not named keeps its default.
        first_day: The first day on which a timeline may begin.
        last_day: The last day on which a timeline may begin.
    """

    mix: dict[Ability, Annotated[float, Field(ge=0, le=1_000_000)]] = Field(default={})
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


class RoleSettings(Section):
    """`[roles.ROLE]`: how a role's model is sampled, and who serves it.

    Attributes:
        providers: Who makes this role's calls; where it is not set, every provider of `--providers` or
            `enabled_providers`; `--role`.
        temperature: How freely the model draws its words; 0 takes the most probable.
        max_tokens: The most tokens of one answer; more are needed where a model reasons. Budgets reserve so many.
    """

    providers: Annotated[tuple[Name, ...], NOT_QUOTED, Field(min_length=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)]
    max_tokens: Annotated[int, Field(ge=16, le=1_000_000)]

    @field_validator("providers", mode="before")
    @classmethod
    def _a_list_is_a_tuple(cls, names: Any) -> Any:
        return tuple(names) if isinstance(names, list) else names


class RewriterSettings(RoleSettings):
    """`[roles.rewriter]`: how its model is sampled, and when it is asked.

    Attributes:
        when: When Ada's thoughts are rewritten: `always`; where one of an exchange is not a person's own as it is
            (`needed`); or never (`off`), which is also spelled `never`; `--rewriter`.
    """

    when: Literal["always", "needed", "off"] = "needed"

    @field_validator("when", mode="before")
    @classmethod
    def _never_is_off(cls, when: Any) -> Any:
        return "off" if when == "never" else when

    @property
    def rewrites(self) -> Rewrites:
        """The same, as a conversation's `Brief` says it."""
        return "never" if self.when == "off" else self.when


class ReviewerSettings(RoleSettings):
    """`[roles.reviewer]`: how its model is sampled, and when it is asked.

    Attributes:
        when: Which conversations a model reviews: none (`off`), or those that the code has accepted (`accepted`).
    """

    when: Literal["off", "accepted"] = "off"

    @property
    def is_asked(self) -> bool:
        """Whether new conversations are reviewed."""
        return self.when == "accepted"


class RolesSettings(Section):
    """`[roles]`: the parts that models play.

    Attributes:
        tester: Writes the user's message.
        ada: Answers it.
        rewriter: Rewrites Ada's thinking.
        reviewer: Reviews conversations that the code has accepted.
    """

    tester: RoleSettings = RoleSettings(temperature=1.0, max_tokens=400)
    ada: RoleSettings = RoleSettings(temperature=0.8, max_tokens=1500)
    rewriter: RewriterSettings = RewriterSettings(temperature=0.7, max_tokens=1500)
    reviewer: ReviewerSettings = ReviewerSettings(temperature=0.0, max_tokens=400)

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

    @property
    def needed(self) -> tuple[ModelRole, ...]:
        """The roles that a new conversation needs, in the order in which it comes to them."""
        return tuple(role for role in ModelRole if getattr(self.of(role), "when", "always") != "off")


class Settings(Section):
    """Everything that a run is told."""

    generation: GenerationSettings = GenerationSettings()
    budget: BudgetSettings = BudgetSettings()
    roles: RolesSettings = RolesSettings()
    quality: QualitySettings = QualitySettings()
    scenarios: ScenariosSettings = ScenariosSettings()
    # A key can be put into any text of a provider: into its address, or into a field that there is not.
    providers: Annotated[dict[str, ProviderSettings], NOT_QUOTED] = Field(default={})

    def level_of(self, provider: str) -> Literal["off", "form", "strict"]:
        """Return how strictly a provider's conversations are judged; it need not be configured any more."""
        section = self.providers.get(provider)
        return self.quality.level_for(section.kind) if section else self.quality.level or "strict"

    def quote(self, provider: str, model: str) -> tuple[float, float] | None:
        """Return what a million tokens of prompts and of completions cost, in dollars; None where nobody said.

        Args:
            provider: Its name; it need not be configured any more.
            model: The model's name there.
        """
        section = self.providers.get(provider)
        price = section.price_of(model) if section else None
        return (price.input, price.output) if price else None
