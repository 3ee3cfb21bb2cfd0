"""A circuit breaker: a provider that fails several times in a row rests for a growing while, then proves itself.

    closed ──(failures in a row)──→ open ──(its time is over)──→ half-open ──(answer)──→ closed
                                      ↑                              │
                                      └───────────(failure)──────────┘

Plain bookkeeping: the time is passed in, in seconds of any clock that never goes back.
"""

from __future__ import annotations

import random

__all__ = ["CircuitBreaker"]

FAILURES_TO_OPEN = 5
_FIRST_REST_SECONDS = 2.0
_LONGEST_REST_SECONDS = 300.0
# A provider that has never answered is more likely misconfigured than out of order for a while.
_RESTS_WITHOUT_ANSWER = 4


class CircuitBreaker:
    """The state of one provider.

    Attributes:
        failures_in_a_row: Failures since it last answered.
        rests_in_a_row: How often it had to rest since it last answered.
    """

    def __init__(self) -> None:
        self.failures_in_a_row = 0
        self.rests_in_a_row = 0
        self._has_answered = False
        self._rests_until = 0.0

    @property
    def is_closed(self) -> bool:
        """Whether requests go out as usual; where not, one at a time is sent to see whether it is back."""
        return self.rests_in_a_row == 0

    @property
    def never_comes_back(self) -> bool:
        """Whether it has never answered, in spite of several rests."""
        return not self._has_answered and self.rests_in_a_row >= _RESTS_WITHOUT_ANSWER

    def rests_for(self, now: float) -> float:
        """Return for how many more seconds nothing is to be sent; 0 or less if something may be."""
        return self._rests_until - now

    def answered(self) -> None:
        """Take note of an answer, be it a refusal: the provider is there."""
        self._has_answered = True
        self.failures_in_a_row = self.rests_in_a_row = 0

    def failed(self, now: float) -> bool:
        """Take note of a failure; tell whether a rest begins with it."""
        self.failures_in_a_row += 1
        if self.rests_for(now) > 0 or (self.is_closed and self.failures_in_a_row < FAILURES_TO_OPEN):
            return False  # a request that was sent before the rest began says nothing new
        rest = min(_LONGEST_REST_SECONDS, _FIRST_REST_SECONDS * 2.0**self.rests_in_a_row)
        self.rests_in_a_row += 1
        self._rests_until = now + rest * random.uniform(0.9, 1.0)  # noqa: S311 - no secret depends on it
        return True
