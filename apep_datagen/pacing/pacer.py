"""When a provider's next request may be sent.

A `Pacer` keeps four bounds at once: how many requests are in flight, requests per second, tokens per minute, and
pauses that the provider asked for. What the provider answers can lower the rate and the tokens below what was
configured, and raise them again. Time is the event loop's monotonic clock, so a clock that jumps changes nothing.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

import aiolimiter

from apep_datagen.core.messages import ReportedLimits
from apep_datagen.pacing.adaptive_rate import FORGIVEN_SECONDS, AdaptiveRate, Sending
from apep_datagen.pacing.token_window import FIRST_ESTIMATE_TOKENS, Charge, TokenWindow

__all__ = ["Pacer", "Permit"]


@dataclass(frozen=True, slots=True)
class Permit:
    """The right to send one request; `Pacer.release` it when the request is over.

    Attributes:
        sending: When, and at which rate, the request was permitted.
        charge: What it is charged in the token window, if there was one.
    """

    sending: Sending
    charge: Charge | None


class Pacer:
    """All bounds of one provider.

    Args:
        requests_per_second: The rate, or None for no limit. What the provider answers can lower it, and raise it again
            up to this.
        tokens_per_minute: Prompt and completion tokens together, or None for no limit; likewise.
        max_in_flight: How many requests may be under way at once, or None for as many as rate and latency ask for.
    """

    def __init__(
        self,
        *,
        requests_per_second: float | None = None,
        tokens_per_minute: int | None = None,
        max_in_flight: int | None = None,
    ) -> None:
        self.in_flight = 0
        self._configured_rate = requests_per_second
        self._configured_tokens = tokens_per_minute
        self._rate = AdaptiveRate(requests_per_second)
        self._line = asyncio.Lock()
        self._places = asyncio.Semaphore(max_in_flight) if max_in_flight else None
        self._tokens = TokenWindow(tokens_per_minute) if tokens_per_minute else None
        self._requests: aiolimiter.AsyncLimiter | None = None
        if requests_per_second:
            permits = 1 + requests_per_second * FORGIVEN_SECONDS
            self._requests = aiolimiter.AsyncLimiter(permits, permits / requests_per_second)
        self._paused_until = 0.0

    async def acquire(self) -> Permit:
        """Wait until a request may be sent now."""
        if self._places:
            await self._places.acquire()
        charge: Charge | None = None
        try:
            if self._tokens:
                charge = await self._tokens.acquire()
            # The rate comes last: a permit that is held while something else is waited for would be used late, and
            # the next one right behind it.
            sending = await self._wait_for_turn()
        except BaseException:
            self._give_back(charge, 0)
            raise
        self.in_flight += 1
        return Permit(sending, charge)

    def release(self, permit: Permit, tokens: int | None) -> None:
        """End a request.

        Args:
            permit: What `acquire` returned.
            tokens: What it cost: 0 if it was refused, None if nobody knows.
        """
        self.in_flight -= 1
        self._give_back(permit.charge, tokens)

    def accepted(self, permit: Permit) -> None:
        """Take note that a request was answered with something other than a 429; before its `release`."""
        self._rate.accepted(permit.sending)

    def rate_limited(self, permit: Permit, retry_after: float | None) -> float:
        """Take note that a request was answered with a 429: lower the rate, and pause; before its `release`.

        Args:
            permit: The request's.
            retry_after: Seconds that the provider asked to wait, or None if it did not say.

        Returns:
            Seconds of the pause that is now in force.
        """
        self.pause(self._rate.refused(permit.sending, retry_after, asyncio.get_running_loop().time()))
        return max(0.0, self.paused_for)

    def learn(self, reported: ReportedLimits) -> None:
        """Take over what the provider says about its limits; never more than was configured."""
        if reported.requests_per_second is not None and 0 < reported.requests_per_second < math.inf:
            self._rate.set_ceiling(min(reported.requests_per_second, self._configured_rate or math.inf))
        if reported.tokens_per_minute is not None and reported.tokens_per_minute > 0:
            limit = min(reported.tokens_per_minute, self._configured_tokens or reported.tokens_per_minute)
            if self._tokens:
                self._tokens.set_limit(limit)
            else:
                self._tokens = TokenWindow(limit)
        # Where no reset is said, nothing is paused for: the rate and the window hold what was spent here, and what
        # others spent with the same key shows in a 429.
        if reported.requests_left == 0:
            self._pause_until_reset(reported.requests_reset_seconds)
        if reported.tokens_left is not None and reported.tokens_left < self._assumed_cost():
            self._pause_until_reset(reported.tokens_reset_seconds)

    def pause(self, seconds: float) -> None:
        """Send nothing for so long; a pause that ends later stays."""
        self._paused_until = max(self._paused_until, asyncio.get_running_loop().time() + seconds)

    @property
    def requests_per_second(self) -> float | None:
        """The rate in force now, or None for no limit."""
        return self._rate.requests_per_second

    @property
    def paused_for(self) -> float:
        """Seconds until requests may be sent again; 0 or less if they may."""
        return self._paused_until - asyncio.get_running_loop().time()

    async def _wait_for_turn(self) -> Sending:
        """Wait until no pause is in force and the rate permits a request.

        The bucket keeps the configured rate. A lower one is kept by turns, because the bucket's rate cannot be changed.
        """
        async with self._line:
            while True:
                while (seconds := max(self.paused_for, self._next_turn_in())) > 0:  # noqa: ASYNC110 - a known time
                    await asyncio.sleep(seconds)
                if self._requests:
                    await self._requests.acquire()
                if self.paused_for <= 0:
                    return self._rate.sent(asyncio.get_running_loop().time())

    def _next_turn_in(self) -> float:
        if self._rate.requests_per_second == self._configured_rate:
            return 0.0
        return self._rate.wait(asyncio.get_running_loop().time())

    def _assumed_cost(self) -> int:
        """Tokens that must be left for a request; no more than a minute ever holds."""
        return min(self._tokens.estimate, self._tokens.tokens_per_minute) if self._tokens else FIRST_ESTIMATE_TOKENS

    def _pause_until_reset(self, seconds: float | None) -> None:
        if seconds is not None and 0 < seconds < math.inf:
            self.pause(seconds)

    def _give_back(self, charge: Charge | None, tokens: int | None) -> None:
        if self._tokens and charge:
            self._tokens.settle(charge, tokens)
        if self._places:
            self._places.release()
