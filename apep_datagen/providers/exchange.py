"""One request to an endpoint, and what its server answered, whatever the SDK in between makes of either.

The SDKs build requests, sign them and keep connections. What they make of an answer differs: fields are dropped, an
error inside a success is an empty object, what does not fit raises whatever comes first. So the answer is taken where
all of them pass it on, in the hooks of their HTTP client, and read in one place (`response`). What they make of
messages with fields that they do not know differs as much, so what is spelled already is put into the body there. Here
is also what holds for each request: a deadline for the whole answer, and a largest size.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, MutableMapping
from typing import Any, Protocol

from apep_datagen.core.messages import Completion, Spelled
from apep_datagen.providers.base import Endpoint
from apep_datagen.providers.failures import transport_error
from apep_datagen.providers.parameters import RequestParameters
from apep_datagen.providers.rate_headers import read_limits
from apep_datagen.providers.response import LARGEST_BODY, SUCCESSES, Response, read_completion

__all__ = ["client_hooks", "exchange"]

_LONGEST_CONNECT_SECONDS = 15.0
# How an answer may be compressed, and what zlib calls it: zlib or gzip by what it begins with, deflate without either.
_CODINGS = "gzip, deflate"
_WINDOWS = {"gzip": (zlib.MAX_WBITS | 32,), "deflate": (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS)}
# What the call under way has received; None where nobody calls `exchange`, as for a list of models.
_received: contextvars.ContextVar[list[Response] | None] = contextvars.ContextVar("received", default=None)
# What the call under way is to send word for word; None where that is up to the SDK.
_spelled: contextvars.ContextVar[Spelled | None] = contextvars.ContextVar("spelled", default=None)


class _Request(Protocol):
    """A request of httpx or of httpx2."""

    @property
    def method(self) -> str: ...
    @property
    def headers(self) -> MutableMapping[str, str]: ...
    async def aread(self) -> bytes: ...

    stream: Any
    extensions: Any


class _Answer(Protocol):
    """A response of httpx or of httpx2."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    def aiter_raw(self) -> AsyncIterator[bytes]: ...
    async def aclose(self) -> None: ...

    _content: bytes


async def exchange(call: Coroutine[Any, Any, object], seconds: float, spelled: Spelled | None = None) -> Completion:
    """Make one call of an SDK whose client has the hooks of `client_hooks`, and return what the server answered.

    Args:
        call: Sends one request.
        seconds: Until when the whole answer has to be there.
        spelled: What is sent in the place of the messages that the SDK was given, word for word; None where these are.

    Raises:
        ProviderError: One of its subclasses, which say whether asking again can help.
    """
    received: list[Response] = []
    token, token_of_spelled = _received.set(received), _spelled.set(spelled)
    failure: Exception | None = None
    try:
        async with asyncio.timeout(seconds):
            await call
    except Exception as error:  # noqa: BLE001 - what was received says what happened, not what an SDK makes of it
        failure = error
    finally:
        _received.reset(token)
        _spelled.reset(token_of_spelled)
    if received:
        return read_completion(received[-1])
    raise transport_error(failure or RuntimeError("nothing was sent"), seconds) from failure


def client_hooks(
    endpoint: Endpoint, *, plain_limit_seconds: float | None = None
) -> dict[str, list[Callable[[Any], Awaitable[None]]]]:
    """Return the event hooks of an HTTP client of httpx or httpx2 with which an SDK speaks to an endpoint.

    Args:
        endpoint: Its `parameters` are put into requests, and its `on_limits` is told what the headers of every answer
            say about limits, errors included, before the body is read.
        plain_limit_seconds: See `read_limits`.
    """
    parameters = endpoint.parameters
    # The whole has its deadline in `exchange`. Connecting has less: a server that was never reached is told from one
    # that does not answer.
    connect_seconds = min(_LONGEST_CONNECT_SECONDS, endpoint.timeout / 2)
    timeouts = {"connect": connect_seconds, "pool": connect_seconds, "read": None, "write": None}

    async def complete_request(request: _Request) -> None:
        request.extensions["timeout"] = timeouts
        request.headers["accept-encoding"] = _CODINGS
        request.headers.update(parameters.extra_headers)
        spelled = _spelled.get()
        if request.method == "POST" and (spelled is not None or parameters != RequestParameters()):
            content = parameters.apply(await request.aread(), spelled)
            request.stream = type(request.stream)(content)
            request.headers["content-length"] = str(len(content))

    async def take_answer(answer: _Answer) -> None:
        limits = read_limits(answer.headers, plain_limit_seconds=plain_limit_seconds)
        if limits is not None and endpoint.on_limits is not None:
            endpoint.on_limits(limits)
        body, received = bytearray(), _received.get()
        try:
            await _read_body(answer, body)
        except BaseException:  # the deadline too
            if received is not None and answer.status_code not in SUCCESSES:
                # Status and headers say what happened, however the body ends.
                received.append(_response(answer, body))
            raise
        response = _response(answer, body)
        # The SDK finds the body read.
        answer._content = response.body  # noqa: SLF001 - there is no other way to bound it
        if received is not None:
            received.append(response)

    return {"request": [complete_request], "response": [take_answer]}


async def _read_body(answer: _Answer, body: bytearray) -> None:
    """Append a body as it comes to `body`, or a little more than its largest size."""
    async for part in answer.aiter_raw():
        body += part
        if len(body) > LARGEST_BODY:
            await answer.aclose()
            return


def _response(answer: _Answer, body: bytearray) -> Response:
    codings = answer.headers.get("content-encoding", "")
    return Response(answer.status_code, answer.headers, _decompress(bytes(body), codings))


def _decompress(body: bytes, codings: str) -> bytes:
    """Return a body as it was before it was compressed, or the first part of it, a little more than the largest size.

    HTTP clients decompress too, but all at once: a few kilobytes that stand for gigabytes would take the memory. What
    cannot be decompressed stays as it is: some say that it is compressed, and it is not.
    """
    for coding in reversed(codings.lower().replace("x-gzip", "gzip").split(",")):
        for window in _WINDOWS.get(coding.strip(), ()):
            with contextlib.suppress(zlib.error):
                body = zlib.decompressobj(window).decompress(body, LARGEST_BODY + 1)
                break
    return body
