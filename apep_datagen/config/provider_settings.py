"""`[providers.NAME]` of `apep-datagen.toml`: one endpoint, with what is allowed there."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from apep_datagen.config.section import Count, Name, Positive, Section
from apep_datagen.core.messages import ModelRole

__all__ = ["PriceSettings", "ProviderKind", "ProviderSettings", "RoleModels"]

ProviderKind = Literal["mistral", "together", "huggingface", "openai", "local"]

# These decide what is asked, how its answer is read and how much it can cost.
_FIELDS_OF_QUESTION = ("model", "messages", "stream", "n", "best_of")
_OWN_FIELDS = (*_FIELDS_OF_QUESTION, "max_tokens", "max_completion_tokens")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OWN_HEADERS = ("host", "content-type", "content-length", "content-encoding", "transfer-encoding", "connection")


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


class PriceSettings(Section):
    """In dollars for a million tokens.

    Attributes:
        input: Of the prompt.
        output: Of the completion.
    """

    input: Annotated[float, Field(ge=0, le=1_000_000)]
    output: Annotated[float, Field(ge=0, le=1_000_000)]


class RoleModels(Section):
    """`[providers.NAME.models]`: another model than `model` for a role.

    Attributes:
        tester: Writes the user's message.
        ada: Answers it.
        rewriter: Rewrites Ada's thinking.
        reviewer: Reviews conversations that the code has accepted.
    """

    tester: Name | None = None
    ada: Name | None = None
    rewriter: Name | None = None
    reviewer: Name | None = None


class ProviderSettings(Section):
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
            waits for the next month. Mistral's free tier has 1,000,000,000
            (https://docs.mistral.ai/deployment/ai-studio/tier).
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
    extra_body: dict[str, Any] = Field(default={})
    extra_headers: dict[str, str] = Field(default={}, repr=False)
    price_per_million_tokens: PriceSettings | None = None
    prices: dict[str, PriceSettings] = Field(default={})

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
    def _length_is_bounded(self) -> Self:
        """Refuse what would take another field's place, or the place of the length that budgets count on."""
        name = self.max_tokens_parameter
        if name in self.extra_body:
            raise ValueError(f"{name} is for this program to set; it cannot stand in extra_body as well")
        if name in (*_FIELDS_OF_QUESTION, "temperature", "seed", "random_seed"):
            raise ValueError(f"max_tokens_parameter cannot be {name}, which stands for something else")
        return self

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
