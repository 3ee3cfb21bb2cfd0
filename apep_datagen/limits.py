"""When a provider's next request may be sent.

A `Pacer` keeps four bounds at once: how many requests are in flight, requests per second, tokens per minute, and
pauses that the provider asked for. Time is the event loop's monotonic clock, so a clock that jumps changes nothing.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass

import aiolimiter

__all__ = ["Pacer", "Permit"]

# A bucket of exactly one permit loses what the event loop oversleeps. With this much slack a late request is followed
# by one that is as much early, and the rate is kept; servers forgive some tens of milliseconds.
_FORGIVEN_SECONDS = 0.02

_WINDOW_SECONDS = 60.0
# What a request is assumed to cost until answers have told.
_FIRST_ESTIMATE_TOKENS = 4_000
_REMEMBERED_ANSWERS = 64


@dataclass(slots=True)
class _Charge:
    tokens: int
    expires: float = math.inf  # while the request is in flight


class TokenWindow:
    """Tokens per minute, as a sliding window.

    A request is charged what it is assumed to cost when it is sent, and what it did cost when it is answered; the
    charge counts until a minute after the answer. So whether a server counts a request when it comes or when it is
    answered, no minute of its clock holds more than the limit, as long as the assumption is not too low: it is the
    most that one of the last answers cost.

    Args:
        tokens_per_minute: The limit.
    """

    def __init__(self, tokens_per_minute: int) -> None:
        self.tokens_per_minute = tokens_per_minute
        self._charges: deque[_Charge] = deque()
        self._total = 0
        self._recent: deque[int] = deque(maxlen=_REMEMBERED_ANSWERS)
        self._changed = asyncio.Event()

    async def acquire(self) -> _Charge:
        """Wait until a request fits into the window, and charge it."""
        while True:
            estimate = max(self._recent, default=_FIRST_ESTIMATE_TOKENS)
            now = asyncio.get_running_loop().time()
            next_expiry = self._expire(now)
            # A request that is larger than the limit itself can only be sent into an empty window.
            if not self._charges or self._total + estimate <= self.tokens_per_minute:
                charge = _Charge(estimate)
                self._charges.append(charge)
                self._total += estimate
                return charge
            self._changed.clear()
            try:
                timeout = None if next_expiry == math.inf else max(0.0, next_expiry - now)
                await asyncio.wait_for(self._changed.wait(), timeout)
            except TimeoutError:
                pass

    def settle(self, charge: _Charge, tokens: int | None) -> None:
        """Replace the assumption by what the request did cost; None leaves it."""
        if tokens is not None:
            self._total += tokens - charge.tokens
            charge.tokens = tokens
            if tokens:
                self._recent.append(tokens)
        charge.expires = asyncio.get_running_loop().time() + _WINDOW_SECONDS
        self._changed.set()

    def _expire(self, now: float) -> float:
        """Forget charges that are older than the window; return when the next one will be."""
        self._charges = deque(charge for charge in self._charges if charge.expires > now and charge.tokens)
        self._total = sum(charge.tokens for charge in self._charges)
        return min((charge.expires for charge in self._charges), default=math.inf)


@dataclass(slots=True)
class Permit:
    """The right to send one request; `Pacer.release` it when the request is over."""

    charge: _Charge | None


class Pacer:
    """All bounds of one provider.

    Args:
        requests_per_second: The rate, or None for no limit.
        tokens_per_minute: Prompt and completion tokens together, or None for no limit.
        max_in_flight: How many requests may be under way at once, or None for as many as rate and latency ask for.
    """

    def __init__(
        self,
        *,
        requests_per_second: float | None = None,
        tokens_per_minute: int | None = None,
        max_in_flight: int | None = None,
    ) -> None:
        self.requests_per_second = requests_per_second
        self.in_flight = 0
        self._slots = asyncio.Semaphore(max_in_flight) if max_in_flight else None
        self._tokens = TokenWindow(tokens_per_minute) if tokens_per_minute else None
        self._requests: aiolimiter.AsyncLimiter | None = None
        if requests_per_second:
            permits = 1 + requests_per_second * _FORGIVEN_SECONDS
            self._requests = aiolimiter.AsyncLimiter(permits, permits / requests_per_second)
        self._paused_until = 0.0

    async def acquire(self) -> Permit:
        """Wait until a request may be sent now."""
        if self._slots:
            await self._slots.acquire()
        charge: _Charge | None = None
        try:
            if self._tokens:
                charge = await self._tokens.acquire()
            # The rate comes last: a permit that is held while something else is waited for would be used late, and
            # the next one right behind it.
            while True:
                await self._pause()
                if self._requests:
                    await self._requests.acquire()
                if self.paused_for <= 0:
                    break
        except BaseException:
            self._give_back(charge, 0)
            raise
        self.in_flight += 1
        return Permit(charge)

    def release(self, permit: Permit, tokens: int | None) -> None:
        """End a request.

        Args:
            permit: What `acquire` returned.
            tokens: What it cost: 0 if it was refused, None if nobody knows.
        """
        self.in_flight -= 1
        self._give_back(permit.charge, tokens)

    def pause(self, seconds: float) -> None:
        """Send nothing for so long; a pause that ends later stays."""
        self._paused_until = max(self._paused_until, asyncio.get_running_loop().time() + seconds)

    @property
    def paused_for(self) -> float:
        """Seconds until requests may be sent again; 0 or less if they may."""
        return self._paused_until - asyncio.get_running_loop().time()

    async def _pause(self) -> None:
        while (seconds := self.paused_for) > 0:  # noqa: ASYNC110 - the end is a known time, which can move meanwhile
            await asyncio.sleep(seconds)

    def _give_back(self, charge: _Charge | None, tokens: int | None) -> None:
        if self._tokens and charge:
            self._tokens.settle(charge, tokens)
        if self._slots:
            self._slots.release()
