"""What every provider does.

An adapter sends messages, returns text with usage and finish reason, and says what went wrong in the family of
`core.errors`. It never retries, and never waits: pacing, retrying and accounting happen in one place for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from apep_datagen.core.messages import Completion, CompletionRequest, ReportedLimits
from apep_datagen.providers.parameters import RequestParameters

__all__ = ["Endpoint", "Provider", "model_names", "spell_offer", "without_version"]

_SHOWN_MODELS = 12


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an adapter sends its requests.

    Attributes:
        base_url: The address, such as `http://localhost:11434/v1`; None for the SDK's own.
        api_key: The key to send; None sends no key at all.
        timeout: Seconds until the whole answer has to be there.
        on_limits: Called with what an answer's headers say about limits; see `create_provider`.
        parameters: How its requests differ from what the SDK sends.
    """

    base_url: str | None
    api_key: str | None = field(repr=False)
    timeout: float
    on_limits: Callable[[ReportedLimits], None] | None = None
    parameters: RequestParameters = field(default_factory=RequestParameters)


class Provider(Protocol):
    """The adapter of one configured endpoint."""

    async def start(self) -> None:
        """Do what is slow before the first request: import the SDK, open the client, load a model.

        Raises:
            ProviderError: The provider cannot be used; the message says why and what to do.
        """

    async def complete(self, request: CompletionRequest) -> Completion:
        """Send one request and return the answer.

        Raises:
            ProviderError: One of its subclasses, which say whether asking again can help.
        """

    async def list_models(self) -> list[str]:
        """Return the names of the models that the endpoint offers; empty where it does not say."""

    async def close(self) -> None:
        """Free what `start` took."""


def model_names(body: Any) -> list[str]:
    """Return the names of the models in the answer to `GET …/models`, as JSON gives it; none where it is no list."""
    models = body.get("data") if isinstance(body, dict) else body
    if not isinstance(models, list):
        return []
    names = (model.get("id") if isinstance(model, dict) else model for model in models)
    return [name for name in names if isinstance(name, str) and name]


def spell_offer(models: Iterable[str], *, others: str = " and others") -> str:
    """Say what an endpoint offers, behind a sentence; nothing where it does not say. `others` stands for the rest."""
    names = sorted(models)
    shown = ", ".join(names[:_SHOWN_MODELS]) + (others if len(names) > _SHOWN_MODELS else "")
    return f"; it offers {shown}" if names else ""


def without_version(base_url: str | None) -> str | None:
    """Return a base URL without a trailing `/v1`, for an SDK that adds it."""
    return base_url.rstrip("/").removesuffix("/v1") if base_url else None
