"""Mistral, through its own SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apep_datagen.core.messages import Completion, CompletionRequest
from apep_datagen.providers.base import Endpoint, without_version
from apep_datagen.providers.exchange import client_hooks, exchange

if TYPE_CHECKING:
    import httpx2

__all__ = ["MistralProvider"]


class MistralProvider:
    """Chat completions at `<base_url>/v1/chat/completions`.

    Args:
        endpoint: Another server than Mistral's has a `base_url`; a trailing `/v1` is the SDK's to add.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._http: httpx2.AsyncClient | None = None
        self._client: Any = None

    async def start(self) -> None:
        """Import the SDK and open the client."""
        import httpx2
        from mistralai.client import Mistral

        # Not bounded here: how many requests are in flight is the pacer's to say.
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
        self._http = httpx2.AsyncClient(event_hooks=client_hooks(self._endpoint), limits=limits)
        self._client = Mistral(
            api_key=self._endpoint.api_key or "",
            server_url=without_version(self._endpoint.base_url),
            async_client=self._http,
        )
        _ = self._client.chat  # imported lazily by the SDK; the first request is not to wait for it

    async def complete(self, request: CompletionRequest) -> Completion:
        """Send one request; see `Provider.complete`."""
        call = self._client.chat.complete_async(
            model=request.model,
            messages=[message.as_dict() for message in request.messages],
            temperature=request.temperature,
            max_tokens=request.max_tokens,
            random_seed=request.seed,
        )
        return await exchange(call, self._endpoint.timeout, request.spelled)

    async def list_models(self) -> list[str]:
        """Return the names of the models that the key may use; empty where the server does not say."""
        import httpx2
        import pydantic
        from mistralai.client import errors

        try:
            models = await self._client.models.list_async()
        except (errors.MistralError, errors.NoResponseError, httpx2.HTTPError, pydantic.ValidationError, ValueError):
            return []
        # A model of a type that the SDK does not know yet comes as an object that only holds what was received.
        found = (getattr(model, "id", None) or _id_of(getattr(model, "raw", None)) for model in models.data or [])
        return [name for name in found if isinstance(name, str)]

    async def close(self) -> None:
        """Close the client."""
        if self._http is not None:
            await self._http.aclose()


def _id_of(raw: Any) -> Any:
    return raw.get("id") if isinstance(raw, dict) else None
