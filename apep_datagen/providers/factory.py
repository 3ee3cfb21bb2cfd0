"""Making an adapter from the settings of its provider."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from apep_datagen.config.provider_settings import ProviderSettings
from apep_datagen.core.errors import FailureKind, ProviderError, ProviderUnusableError, TransientError
from apep_datagen.core.messages import Completion, CompletionRequest, ReportedLimits
from apep_datagen.core.words import shorten
from apep_datagen.providers.base import Endpoint, Provider
from apep_datagen.providers.environment import problem_of_machine, problem_of_variables
from apep_datagen.providers.parameters import RequestParameters

__all__ = ["create_provider"]

_SHOWN_LENGTH = 400
_LONGEST_FINISH_REASON = 40
_LIST_SECONDS = 15.0
# What is shorter is no key but a word that a local server was given, and stands in other words.
_SHORTEST_SECRET = 6
_SHORTEST_SECRET_IN_PATH = 20
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
    parameters = RequestParameters(
        settings.max_tokens_parameter, settings.omit_parameters, settings.extra_body, settings.extra_headers
    )
    endpoint = Endpoint(settings.base_url, api_key, settings.timeout_seconds, on_limits, parameters)
    return _WithShowableErrors(_create_adapter(settings, endpoint), _secrets(settings, api_key))


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


def _secrets(settings: ProviderSettings, api_key: str | None) -> frozenset[str]:
    """Return what a server knows of this endpoint's user and may quote: the key, and what else can hold one."""
    address = urlsplit(settings.base_url or "")
    texts = [api_key or "", address.netloc.rpartition("@")[0], *settings.extra_headers.values()]
    texts += [value for _, value in parse_qsl(address.query)]
    words = {word for text in texts for word in (text, *text.split(), *text.split(":"))}
    # A part of a path that is longer is no word: some services have an account, or a key, there.
    parts = {part for part in address.path.split("/") if len(part) >= _SHORTEST_SECRET_IN_PATH}
    return frozenset(word for word in words if len(word) >= _SHORTEST_SECRET) | parts


class _WithShowableErrors:
    """Makes all that an adapter says fit to be shown: without secrets, which servers quote, and short.

    Whatever an adapter raises is one of the errors of a provider here, also what nobody foresaw.
    """

    def __init__(self, adapter: Provider, secrets: frozenset[str]) -> None:
        self._adapter = adapter
        # The longest first: what is left of it otherwise would not be found.
        self._secrets = sorted(secrets, key=len, reverse=True)

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
            completion = await self._adapter.complete(request)
            # It is said in errors.
            reason = shorten(self._without_secrets(completion.finish_reason), _LONGEST_FINISH_REASON)
            return replace(completion, finish_reason=reason)
        except ProviderError as error:
            self._make_fit(error)
            raise
        except Exception as error:
            unforeseen = TransientError(f"{error} ({type(error).__name__})", FailureKind.UNFORESEEN, may_be_billed=True)
            unforeseen.__cause__ = error
            self._make_fit(unforeseen)
            raise unforeseen from error

    async def list_models(self) -> list[str]:
        try:
            async with asyncio.timeout(_LIST_SECONDS):
                return [self._without_secrets(name) for name in await self._adapter.list_models()]
        except Exception:  # noqa: BLE001 - it is a help for who reads an error, and never an error of its own
            return []

    async def close(self) -> None:
        # What cannot be closed any more is none of the run's concern.
        with contextlib.suppress(Exception):
            await self._adapter.close()

    def _make_fit(self, error: ProviderError) -> None:
        if error.kind is FailureKind.UNFORESEEN:
            error.origin = self._without_secrets("".join(traceback.format_exception(error)))
        # Before it is cut: a key that the cut went through would not be found.
        error.args = (shorten(self._without_secrets(str(error)), _SHOWN_LENGTH),)

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[API key]")
        return text
