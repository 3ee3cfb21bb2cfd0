"""Whether one provider is to be asked now, later, or not any more; and what its answers say about that.

- A refusal for the rate is the provider's state: the pacer pauses and slows down.
- Several transient failures in a row are the provider's state too: it rests (`pacing.breaker`).
- What cannot be used for the rest of the run is out.

While a provider rests, pauses for long or is out, what waits for it waits for any provider, also what has waited for
its turn here: such waits end with `NotNowError`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from apep_datagen.budget.obstacles import NotNowError
from apep_datagen.config.settings import ProviderSettings
from apep_datagen.core.errors import ProviderError, RateLimitedError, TransientError
from apep_datagen.engine.context import RunContext
from apep_datagen.engine.counters import ProviderCounters
from apep_datagen.pacing.breaker import CircuitBreaker
from apep_datagen.pacing.pacer import Pacer, Permit

__all__ = ["Availability", "spell_seconds"]

Result = TypeVar("Result")

# A provider that pauses for longer lets others take over what it had begun.
_LONG_PAUSE_SECONDS = 30.0
_SECONDS_BETWEEN_PAUSE_MESSAGES = 60.0
# How a task knows that it was interrupted by its worker, and not ended by its task group.
_INTERRUPTED = "interrupted"


class Availability:
    """One provider's state in a run.

    Args:
        name: The provider's name.
        settings: Its limits.
        context: What all providers of the run have in common.

    Attributes:
        name: The provider's name.
        counters: What the view of progress shows.
        pacer: When its next request may be sent.
        breaker: Whether it rests.
        out_because: Why the provider is out for the rest of the run, or None.
    """

    def __init__(self, name: str, settings: ProviderSettings, context: RunContext) -> None:
        self.name = name
        self.counters = ProviderCounters(name, settings.requests_per_second)
        self.pacer = Pacer(
            requests_per_second=settings.requests_per_second,
            tokens_per_minute=settings.tokens_per_minute,
            max_in_flight=settings.max_in_flight,
        )
        self.breaker = CircuitBreaker()
        self.out_because: str | None = None
        self._context = context
        self._interruptible: set[asyncio.Task[Any]] = set()
        self._pause_told_at = -_SECONDS_BETWEEN_PAUSE_MESSAGES

    # When to ask.

    def is_over(self) -> bool:
        """Tell whether nothing is to be sent any more."""
        return self._context.stopping or self.out_because is not None or self._context.schedule.finished

    def rests_for(self) -> float:
        """Return for how many seconds others are to do what waits for this provider; 0 or less if it does."""
        pause = self.pacer.paused_for
        rest = self.breaker.rests_for(asyncio.get_running_loop().time())
        return max(rest, pause if pause > _LONG_PAUSE_SECONDS else 0.0)

    def has_to_wait(self) -> bool:
        """Tell whether nothing is to be sent for a while, or any more."""
        return self.is_over() or self.rests_for() > 0

    def interrupt(self) -> None:
        """End all waiting, once nothing is to be sent for a while; requests under way are not touched."""
        for task in self._interruptible:
            task.cancel(_INTERRUPTED)
        self._context.wake()

    def leave_to_others(self) -> None:
        """Let any provider go on with what waits for this one, also for its turn."""
        self._context.schedule.release_provider(self.name)
        self.interrupt()

    async def unless_interrupted(self, waiting: Coroutine[Any, Any, Result]) -> Result:
        """Wait, until `interrupt` ends it.

        Raises:
            NotNowError: It did.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        self._interruptible.add(task)
        try:
            return await waiting
        except asyncio.CancelledError as error:
            if error.args != (_INTERRUPTED,) or task.uncancel() > 0:
                raise
            raise NotNowError from None
        finally:
            self._interruptible.discard(task)

    # What answers say.

    def note(self, permit: Permit, failure: ProviderError | None) -> None:
        """Take note of how a request ended: None for an answer that can be used."""
        if isinstance(failure, RateLimitedError):
            self.breaker.answered()
            self._begin_pause(self.pacer.rate_limited(permit, failure.retry_after), failure)
        elif isinstance(failure, TransientError):
            if self.breaker.failed(asyncio.get_running_loop().time()):
                self._begin_rest(failure)
        else:
            self.pacer.accepted(permit)
            self.breaker.answered()
            self.set_state("")

    def set_state(self, state: str, **details: Any) -> None:
        """Show and log a change of the provider's state: empty when it works."""
        if self.counters.state not in {state, "out"}:
            self.counters.state = state
            self._context.log.write("provider", provider=self.name, state=state or "working", **details)

    def _begin_pause(self, seconds: float, failure: RateLimitedError) -> None:
        rate = self.counters.requests_per_second = self.pacer.requests_per_second
        self._context.log.write(
            "pause",
            provider=self.name,
            seconds=round(seconds, 3),
            requests_per_second=round(rate, 4) if rate else None,
            retry_after=failure.retry_after,
        )
        if seconds > _LONG_PAUSE_SECONDS:
            self.set_state("paused")
            self.leave_to_others()
        now = asyncio.get_running_loop().time()
        if now - self._pause_told_at >= _SECONDS_BETWEEN_PAUSE_MESSAGES or seconds > _LONG_PAUSE_SECONDS:
            self._pause_told_at = now
            at_rate = f", then {rate:.3g} requests/s" if rate else ""
            self._context.notify(f"{self.name}: rate limited, waiting {spell_seconds(seconds)}{at_rate}")

    def _begin_rest(self, failure: TransientError) -> None:
        seconds = self.breaker.rests_for(asyncio.get_running_loop().time())
        self.set_state("resting", seconds=round(seconds, 3), error=str(failure))
        self._context.notify(
            f"{self.name}: {self.breaker.failures_in_a_row} failures in a row, the last one: {failure};"
            f" resting for {spell_seconds(seconds)}"
        )
        self.leave_to_others()


def spell_seconds(seconds: float) -> str:
    """Spell a short time for a person, e.g. `20 ms` or `1.5 s`."""
    if seconds < 0.1:  # noqa: PLR2004 - style
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.0f} s" if seconds >= 10 or seconds == int(seconds) else f"{seconds:.1f} s"  # noqa: PLR2004 - style
