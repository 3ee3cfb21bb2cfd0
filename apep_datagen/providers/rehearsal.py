"""A first request to nobody, so that the first real one goes out as fast as all others.

An SDK's first call imports modules and builds classes, for a tenth of a second and more. A server would see the first
request late, and the second one, sent at its proper time, too early behind it: refused. So each kind of provider makes
its first call to a socket in this very process, before anything is paced.
"""

from __future__ import annotations

import asyncio
import contextlib
import json

from apep_datagen.config.provider_settings import ProviderSettings
from apep_datagen.core.errors import ProviderError
from apep_datagen.core.messages import CompletionRequest, Message, Step
from apep_datagen.providers.factory import create_provider

__all__ = ["rehearse"]

_TIMEOUT_SECONDS = 5.0
_BODY = json.dumps(
    {
        "id": "rehearsal",
        "object": "chat.completion",
        "created": 1,
        "model": "rehearsal",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
).encode()
_RESPONSE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
    % (len(_BODY), _BODY)
)
_REQUEST = CompletionRequest(
    step=Step.ASK,
    messages=(Message("system", "Rehearsal."), Message("user", "Hello.")),
    model="rehearsal",
    temperature=1.0,
    max_tokens=16,
    seed=1,
)


async def rehearse(settings: ProviderSettings) -> None:
    """Let a provider of this kind make one call that leaves the process nowhere; a failure does not matter."""
    try:
        server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    except OSError:  # no socket is to be had; a real request will tell
        return
    port = server.sockets[0].getsockname()[1]
    update = {
        "base_url": f"http://127.0.0.1:{port}/v1",
        "timeout_seconds": _TIMEOUT_SECONDS,
        "extra_headers": {},  # they can hold secrets, and a proxy may be in the way
    }
    provider = create_provider(settings.model_copy(update=update), "rehearsal")
    try:
        await provider.start()
        await provider.complete(_REQUEST)
    except ProviderError:
        pass  # a proxy of the environment's may be in the way; the first real request then is a little late
    finally:
        await provider.close()
        server.close()
        await server.wait_closed()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(_RESPONSE)
        await writer.drain()
    writer.close()
