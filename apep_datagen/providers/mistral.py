"""Mistral, through its own SDK."""

from __future__ import annotations

from typing import Any

from apep_datagen.core.messages import Completion, CompletionRequest
from apep_datagen.providers.base import (
    Endpoint,
    error_from_response,
    fold_completion,
    not_a_completion,
    transport_error,
    without_version,
)
from apep_datagen.providers.rate_headers import limits_hooks

__all__ = ["MistralProvider"]


class MistralProvider:
    """Chat completions at `<base_url>/v1/chat/completions`.

    Args:
        endpoint: Another server than Mistral's has a `base_url`; a trailing `/v1` is the SDK's to add.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._client: Any = None

    async def start(self) -> None:
        """Import the SDK and open the client."""
        import httpx2
        from mistralai.client import Mistral

        # Not bounded here: how many requests are in flight is the pacer's to say.
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
        hooks = limits_hooks(self._endpoint.on_limits)
        self._http = httpx2.AsyncClient(event_hooks=hooks, follow_redirects=True, limits=limits)
        self._client = Mistral(
            api_key=self._endpoint.api_key or "",
            server_url=without_version(self._endpoint.base_url),
            async_client=self._http,
            timeout_ms=int(self._endpoint.timeout * 1000),
        )
        _ = self._client.chat  # imported lazily by the SDK; the first request is not to wait for it

    async def complete(self, request: CompletionRequest) -> Completion:
        """Send one request; see `Provider.complete`."""
        import httpx2
        import pydantic
        from mistralai.client import errors

        try:
            response = await self._client.chat.complete_async(
                model=request.model,
                messages=[message.as_dict() for message in request.messages],
                temperature=request.temperature,
                max_tokens=request.max_tokens,
                random_seed=request.seed,
            )
        except errors.ResponseValidationError as error:
            raise not_a_completion() from error
        except errors.MistralError as error:
            raise error_from_response(error.status_code, error.headers, error.body) from error
        except (errors.NoResponseError, httpx2.HTTPError) as error:
            raise transport_error(error, self._endpoint.timeout) from error
        except (pydantic.ValidationError, ValueError, TypeError) as error:
            raise not_a_completion() from error
        if not response.choices:
            raise not_a_completion("its answer holds no choice")
        choice, usage = response.choices[0], response.usage
        content, reasoning = _split_content(choice.message.content if choice.message else None)
        return fold_completion(content, reasoning, choice.finish_reason, usage.prompt_tokens, usage.completion_tokens)

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
        if self._client is not None:
            await self._http.aclose()


def _id_of(raw: Any) -> Any:
    return raw.get("id") if isinstance(raw, dict) else None


def _split_content(content: Any) -> tuple[str, str]:
    """Split a message's content, a text or a list of chunks, into text and thinking."""
    if not isinstance(content, list):
        return (content if isinstance(content, str) else ""), ""
    texts: list[str] = []
    thoughts: list[str] = []
    for chunk in content:
        if isinstance(getattr(chunk, "text", None), str):
            texts.append(chunk.text)
        elif isinstance(thinking := getattr(chunk, "thinking", None), list):
            thoughts += [part.text for part in thinking if isinstance(getattr(part, "text", None), str)]
    return "".join(texts), "".join(thoughts)
