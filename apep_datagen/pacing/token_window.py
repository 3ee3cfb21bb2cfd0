"""Tokens per minute, as a sliding window."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from dataclasses import dataclass

__all__ = ["FIRST_ESTIMATE_TOKENS", "Charge", "TokenWindow"]

_WINDOW_SECONDS = 60.0
# What a request is assumed to cost until answers have told.
FIRST_ESTIMATE_TOKENS = 4_000
_REMEMBERED_ANSWERS = 64


@dataclass(slots=True)
class Charge:
    """What a request is charged; `expires` on the event loop's clock."""

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
        self._charges: deque[Charge] = deque()
        self._total = 0
        self._recent: deque[int] = deque(maxlen=_REMEMBERED_ANSWERS)
        self._changed = asyncio.Event()

    @property
    def estimate(self) -> int:
        """Tokens that the next request is assumed to cost."""
        return max(self._recent, default=FIRST_ESTIMATE_TOKENS)

    def set_limit(self, tokens_per_minute: int) -> None:
        """Replace the limit; what is charged stays charged."""
        self.tokens_per_minute = tokens_per_minute
        self._changed.set()

    async def acquire(self) -> Charge:
        """Wait until a request fits into the window, and charge it."""
        while True:
            estimate = self.estimate
            now = asyncio.get_running_loop().time()
            next_expiry = self._expire(now)
            # A request that is larger than the limit itself can only be sent into an empty window.
            if not self._charges or self._total + estimate <= self.tokens_per_minute:
                charge = Charge(estimate)
                self._charges.append(charge)
                self._total += estimate
                return charge
            self._changed.clear()
            timeout = None if next_expiry == math.inf else max(0.0, next_expiry - now)
            # Not `asyncio.wait_for`, which in Python 3.11 swallows a cancellation that comes with its result.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._changed.wait()

    def settle(self, charge: Charge, tokens: int | None) -> None:
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
