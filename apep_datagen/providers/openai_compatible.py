"""Any endpoint that speaks OpenAI's chat completions, through `huggingface_hub.AsyncInferenceClient`.

The SDK is used for what it is good at, building requests and reading answers. Three of its defaults are replaced,
because they are meant for Hugging Face's own service:

- Without a key it sends the Hugging Face token that is saved on the machine. Another endpoint must never see it.
- Its HTTP client stops at 100 connections, and refuses to work where `HF_HUB_OFFLINE` is set.
- It puts `/v1` into addresses that do not end in it, although not every endpoint has it there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies

from apep_datagen.core.errors import ProviderError, ProviderUnusableError, TransientError
from apep_datagen.core.messages import Completion, CompletionRequest
from apep_datagen.providers.base import (
    Endpoint,
    error_from_response,
    fold_completion,
    model_names,
    not_a_completion,
    transport_error,
)
from apep_datagen.providers.rate_headers import limits_hooks

if TYPE_CHECKING:
    import httpx2
    from huggingface_hub import AsyncInferenceClient

__all__ = ["OpenAICompatibleProvider", "endpoint_address"]

# The SDK insists on some key; the request hook takes the header that it makes of this one off again.
_NO_KEY = "none"
_CONNECT_SECONDS = 15.0
_LIST_SECONDS = 15.0
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
        self._base_url = endpoint.base_url or ""
        self._api_key = endpoint.api_key
        self._timeout = endpoint.timeout
        self._on_limits = endpoint.on_limits
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
            raise ProviderUnusableError(f"base_url {self._base_url!r} is no address such as http://localhost:11434/v1")
        hooks: dict[str, list[Callable[..., Any]]] = {**limits_hooks(self._on_limits)}
        if not self._api_key:
            hooks["request"] = [_take_off_key]
        self._http = httpx2.AsyncClient(
            event_hooks=hooks,
            follow_redirects=True,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=_KEPT_CONNECTIONS),
            transport=None if self._trust_env and getproxies() else ConnectionStack(trust_env=self._trust_env),
            timeout=httpx2.Timeout(self._timeout, connect=min(_CONNECT_SECONDS, self._timeout)),
            trust_env=self._trust_env,
        )
        self._sdk = AsyncInferenceClient(base_url=address, api_key=self._api_key or _NO_KEY, timeout=self._timeout)
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
        import httpx2
        from huggingface_hub.errors import HfHubHTTPError, InferenceTimeoutError

        if self._sdk is None:
            raise ProviderUnusableError("it was not started")
        try:
            output = await self._sdk.chat_completion(
                [message.as_dict() for message in request.messages],
                model=request.model,
                temperature=request.temperature,
                max_tokens=request.max_tokens,
                seed=request.seed,
                extra_body=dict(extra_body) if extra_body else None,
            )
        except HfHubHTTPError as error:
            raise _classified(error) from error
        except (InferenceTimeoutError, httpx2.TransportError) as error:
            raise transport_error(error, self._timeout) from error
        except httpx2.DecodingError as error:
            raise not_a_completion("its answer cannot be read") from error
        except httpx2.TooManyRedirects as error:
            raise TransientError("its answer cannot be read") from error
        except httpx2.InvalidURL as error:
            raise ProviderUnusableError(f"base_url {self._base_url!r} is no address") from error
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            # The SDK reads any JSON into its classes and fails with whatever the first unfit value brings about.
            raise not_a_completion() from error
        return _read(output)

    async def list_models(self) -> list[str]:
        """Return the names of the models that the endpoint offers; empty where it does not say."""
        import httpx2

        if self._http is None:
            return []
        headers = {"authorization": f"Bearer {self._api_key}"} if self._api_key else {}
        try:
            response = await self._http.get(
                endpoint_address(self._base_url, "models"), headers=headers, timeout=_LIST_SECONDS
            )
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


def _classified(error: Any) -> ProviderError:
    response = error.response
    try:
        text = response.text
    except RuntimeError:  # the body was not read; status and headers still say what happened
        text = ""
    return error_from_response(response.status_code, response.headers, text)


def _read(output: Any) -> Completion:
    """Take the answer out of the SDK's object, whose fields can be of any type."""
    choices = getattr(output, "choices", None)
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = getattr(choice, "message", None)
    content, thinking = _parts_of(getattr(message, "content", None))
    reasoning = _text_of(getattr(message, "reasoning", None)) or _text_of(getattr(message, "reasoning_content", None))
    reasoning = reasoning or thinking
    if message is None or isinstance(message, str | list) or (content is None and not reasoning):
        raise not_a_completion()
    usage = getattr(output, "usage", None)
    return fold_completion(
        content,
        reasoning,
        _text_of(getattr(choice, "finish_reason", None)),
        getattr(usage, "prompt_tokens", None),
        getattr(usage, "completion_tokens", None),
    )


def _parts_of(content: Any) -> tuple[str | None, str | None]:
    """Return text and thinking of a message's content, which may be a list of `text` and `thinking` parts."""
    if not isinstance(content, list):
        return _text_of(content), None
    texts: list[str] = []
    thoughts: list[str] = []
    for part in content:
        if isinstance(part, dict) and part.get("type") == "thinking":
            text, _ = _parts_of(part.get("thinking"))
            thoughts.append(text or "")
        elif isinstance(part, dict):
            texts.append(_text_of(part.get("text")) or "")
    return "".join(texts) or None, "".join(thoughts) or None


def _text_of(value: Any) -> str | None:
    return value if isinstance(value, str) else None
