"""Any endpoint that speaks OpenAI's chat completions, through `huggingface_hub.AsyncInferenceClient`.

The SDK is used for what it is good at, building requests and reading answers. Three of its defaults are replaced,
because they are meant for Hugging Face's own service:

- Without a key it sends the Hugging Face token that is saved on the machine. Another endpoint must never see it.
- Its HTTP client stops at 100 connections, and refuses to work where `HF_HUB_OFFLINE` is set.
- It puts `/v1` into addresses that do not end in it, although not every endpoint has it there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies

from apep_datagen.core.errors import ProviderUnusableError
from apep_datagen.core.messages import Completion, CompletionRequest
from apep_datagen.providers.base import Endpoint, model_names
from apep_datagen.providers.exchange import client_hooks, exchange

if TYPE_CHECKING:
    import httpx2
    from huggingface_hub import AsyncInferenceClient

__all__ = ["OpenAICompatibleProvider", "endpoint_address"]

# The SDK insists on some key; the request hook takes the header that it makes of this one off again.
_NO_KEY = "none"
_KEPT_CONNECTIONS = 256


def endpoint_address(base_url: str, route: str) -> str:
    """Return the address of one route of an endpoint.

    Args:
        base_url: The endpoint, such as `http://localhost:11434/v1`; without any path, `/v1` is meant. A query stays.
        route: What is asked for, such as `chat/completions`.
    """
    parts = urlsplit(base_url.strip())
    path = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
    return urlunsplit(parts._replace(path=f"{path}/{route}"))


class OpenAICompatibleProvider:
    """One endpoint that speaks OpenAI's chat completions.

    Args:
        endpoint: Where it is; it has a `base_url`.
        trust_env: Whether proxies named in the environment are used.
    """

    def __init__(self, endpoint: Endpoint, *, trust_env: bool = True) -> None:
        self._endpoint = endpoint
        self._base_url = endpoint.base_url or ""
        self._api_key = endpoint.api_key
        self._timeout = endpoint.timeout
        self._trust_env = trust_env
        self._http: httpx2.AsyncClient | None = None
        self._sdk: AsyncInferenceClient | None = None

    async def start(self) -> None:
        """Import the SDK and open its client.

        Raises:
            ProviderUnusableError: The address is none.
        """
        import httpx2
        from huggingface_hub import AsyncInferenceClient

        from apep_datagen.providers.connections import ConnectionStack

        try:
            address = endpoint_address(self._base_url, "chat/completions")
            usable = urlsplit(address).scheme in ("http", "https") and bool(urlsplit(address).hostname)
        except ValueError:
            usable = False
        if not usable:
            raise ProviderUnusableError("its base_url is no address such as http://localhost:11434/v1")
        hooks = client_hooks(self._endpoint)
        if not self._api_key:
            hooks["request"].insert(0, _take_off_key)
        self._http = httpx2.AsyncClient(
            event_hooks=hooks,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=_KEPT_CONNECTIONS),
            transport=None if self._trust_env and getproxies() else ConnectionStack(trust_env=self._trust_env),
            trust_env=self._trust_env,
        )
        self._sdk = AsyncInferenceClient(base_url=address, api_key=self._api_key or _NO_KEY)
        # The SDK has no argument for this; a factory exists, but it is global to the process.
        self._sdk._async_client = self._http  # noqa: SLF001

    async def complete(self, request: CompletionRequest, extra_body: Mapping[str, Any] | None = None) -> Completion:
        """Send one request and return the answer.

        Args:
            request: What to ask.
            extra_body: Further fields of the request's body, which this endpoint alone understands.

        Raises:
            ProviderError: One of its subclasses, which say whether asking again can help.
        """
        if self._sdk is None:
            raise ProviderUnusableError("it was not started")
        call = self._sdk.chat_completion(
            [message.as_dict() for message in request.messages],
            model=request.model,
            temperature=request.temperature,
            max_tokens=request.max_tokens,
            seed=request.seed,
            extra_body=dict(extra_body) if extra_body else None,
        )
        return await exchange(call, self._timeout, request.spelled)

    async def list_models(self) -> list[str]:
        """Return the names of the models that the endpoint offers; empty where it does not say."""
        import httpx2

        if self._http is None:
            return []
        headers = {"authorization": f"Bearer {self._api_key}"} if self._api_key else {}
        try:
            response = await self._http.get(endpoint_address(self._base_url, "models"), headers=headers)
            return model_names(response.raise_for_status().json())
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, RecursionError):
            return []

    async def close(self) -> None:
        """Close the connections."""
        http, self._http, self._sdk = self._http, None, None
        if http is not None:
            await http.aclose()


async def _take_off_key(request: httpx2.Request) -> None:
    request.headers.pop("authorization", None)
