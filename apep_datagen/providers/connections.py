"""Connections whose upkeep costs the same however many there are.

httpcore's pool looks at each of its connections at the beginning and the end of each request, and asks the operating
system about the idle ones: with 64 requests in flight a fifth of the processor's time went there. Here each connection
is a transport of its own, and the idle ones lie on a stack: a request takes the top one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2

__all__ = ["ConnectionStack"]

_ONE = httpx2.Limits(max_connections=None, max_keepalive_connections=1)


class ConnectionStack(httpx2.AsyncBaseTransport):
    """A transport with as many connections as there are requests at once.

    Args:
        trust_env: Whether certificates named in the environment are used. Proxies are not.
    """

    def __init__(self, *, trust_env: bool) -> None:
        self._ssl_context = httpx2.create_ssl_context(trust_env=trust_env)
        self._idle: list[httpx2.AsyncHTTPTransport] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request over the connection that was used last; see `httpx2.AsyncBaseTransport`."""
        connection = (
            self._idle.pop() if self._idle else httpx2.AsyncHTTPTransport(verify=self._ssl_context, limits=_ONE)
        )
        try:
            response = await connection.handle_async_request(request)
        except BaseException:
            await connection.aclose()
            raise
        assert isinstance(response.stream, httpx2.AsyncByteStream)  # noqa: S101 - the transport is asynchronous
        response.stream = _Returning(response.stream, connection, self._idle)
        return response

    async def aclose(self) -> None:
        """Close the idle connections; one that is in use is closed with its response."""
        while self._idle:
            await self._idle.pop().aclose()


class _Returning(httpx2.AsyncByteStream):
    """A response's body that gives its connection back when it is closed."""

    def __init__(
        self,
        stream: httpx2.AsyncByteStream,
        connection: httpx2.AsyncHTTPTransport,
        idle: list[httpx2.AsyncHTTPTransport],
    ) -> None:
        self._stream = stream
        self._connection: httpx2.AsyncHTTPTransport | None = connection
        self._idle = idle

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        await self._stream.aclose()
        if connection is not None:
            self._idle.append(connection)
