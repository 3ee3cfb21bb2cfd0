"""Together, through its own SDK."""

from __future__ import annotations

from typing import Any

from apep_datagen.core.messages import Completion, CompletionRequest
from apep_datagen.providers.base import Endpoint, model_names, without_version
from apep_datagen.providers.exchange import client_hooks, exchange

__all__ = ["TogetherProvider"]


class TogetherProvider:
    """Chat completions at `<base_url>/v1/chat/completions`.

    Args:
        endpoint: Another server than Together's has a `base_url`; a trailing `/v1` is the SDK's to add.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._client: Any = None

    async def start(self) -> None:
        """Import the SDK and open the client."""
        import httpx
        from together import AsyncTogether, DefaultAsyncHttpxClient

        # Not bounded here: how many requests are in flight is the pacer's to say.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
        # Its plain limits are for a second: https://docs.together.ai/docs/rate-limits
        hooks = client_hooks(self._endpoint, plain_limit_seconds=1.0)
        self._client = AsyncTogether(
            api_key=self._endpoint.api_key or "",
            base_url=without_version(self._endpoint.base_url),
            max_retries=0,
            http_client=DefaultAsyncHttpxClient(limits=limits, event_hooks=hooks, follow_redirects=False),
        )
        _ = self._client.chat.completions  # imported lazily by the SDK; the first request is not to wait for it

    async def complete(self, request: CompletionRequest) -> Completion:
        """Send one request; see `Provider.complete`."""
        call = self._client.chat.completions.create(
            model=request.model,
            messages=[message.as_dict() for message in request.messages],
            temperature=request.temperature,
            max_tokens=request.max_tokens,
            seed=request.seed,
        )
        return await exchange(call, self._endpoint.timeout, request.spelled)

    async def list_models(self) -> list[str]:
        """Return the names of the models that the server offers; empty where it does not say."""
        import together

        try:
            # The SDK's own `models.list` lists the custom models of a project, and asks for one.
            return model_names(await self._client.get("/v1/models", cast_to=object))
        except (together.APIError, TypeError, ValueError):
            return []

    async def close(self) -> None:
        """Close the client."""
        if self._client is not None:
            await self._client.close()
