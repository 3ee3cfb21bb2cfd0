"""Making an adapter from the settings of its provider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from apep_datagen.config.settings import ProviderSettings
from apep_datagen.core.errors import ProviderError, ProviderUnusableError
from apep_datagen.core.messages import Completion, CompletionRequest, ReportedLimits
from apep_datagen.core.words import shorten
from apep_datagen.providers.base import Endpoint, Provider
from apep_datagen.providers.environment import problem_of_machine, problem_of_variables

__all__ = ["create_provider"]

_SHOWN_LENGTH = 400
# What is shorter is no key but a word that a local server was given, and stands in other words.
_SHORTEST_SECRET = 6
# Hugging Face's router to its inference providers speaks the OpenAI protocol:
# https://huggingface.co/docs/inference-providers/index
_HUGGING_FACE_URL = "https://router.huggingface.co/v1"


def create_provider(
    settings: ProviderSettings, api_key: str | None, on_limits: Callable[[ReportedLimits], None] | None = None
) -> Provider:
    """Make the adapter for one configured endpoint; it does nothing until it is started.

    Args:
        settings: The endpoint.
        api_key: Its key; None where it has none.
        on_limits: Called with what an answer's headers say about the endpoint's limits, on every answer, errors
            included, whose headers say anything. It is not called for the embedded model, which has no limits.
    """
    endpoint = Endpoint(settings.base_url, api_key, settings.timeout_seconds, on_limits)
    return _WithShowableErrors(_create_adapter(settings, endpoint), api_key)


def _create_adapter(settings: ProviderSettings, endpoint: Endpoint) -> Provider:
    if settings.kind == "mistral":
        from apep_datagen.providers.mistral import MistralProvider

        return MistralProvider(endpoint)
    if settings.kind == "together":
        from apep_datagen.providers.together import TogetherProvider

        return TogetherProvider(endpoint)
    if settings.kind == "local":
        from apep_datagen.providers.local import LocalProvider

        return LocalProvider(model=settings.model, timeout=settings.timeout_seconds)
    from apep_datagen.providers.openai_compatible import OpenAICompatibleProvider

    return OpenAICompatibleProvider(replace(endpoint, base_url=endpoint.base_url or _HUGGING_FACE_URL))


class _WithShowableErrors:
    """Makes every error of an adapter fit to be shown: without the API key, which servers quote, and short."""

    def __init__(self, adapter: Provider, api_key: str | None) -> None:
        self._adapter = adapter
        self._api_key = api_key
        self.list_models = adapter.list_models
        self.close = adapter.close

    async def start(self) -> None:
        try:
            await self._adapter.start()
        except ProviderError as error:
            self._make_fit(error)
            raise
        except Exception as error:
            # Importing an SDK and making its client can raise anything; the other providers go on.
            problem = problem_of_machine(error) or problem_of_variables(error)
            unusable = ProviderUnusableError(problem or f"it cannot be started ({type(error).__name__}: {error})")
            self._make_fit(unusable)
            raise unusable from error

    async def complete(self, request: CompletionRequest) -> Completion:
        try:
            return await self._adapter.complete(request)
        except ProviderError as error:
            self._make_fit(error)
            raise

    def _make_fit(self, error: ProviderError) -> None:
        words = str(error)
        if self._api_key and len(self._api_key) >= _SHORTEST_SECRET:
            # Before it is cut: a key that the cut went through would not be found.
            words = words.replace(self._api_key, "[API key]")
        error.args = (shorten(words, _SHOWN_LENGTH),)
