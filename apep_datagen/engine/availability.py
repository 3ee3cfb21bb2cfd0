"""Whether one provider is to be asked now, later, or not any more; and what its answers say about that.

- A refusal for the rate is the provider's state: the pacer pauses and slows down.
- Several transient failures in a row are the provider's state too: it rests (`pacing.breaker`).
- Whose tokens of a month are spent comes back in the next one, if others do until then all that is needed.
- What cannot be used for the rest of the run is out.

While a provider rests, pauses for long, waits for a month or is out, what waits for it waits for any provider, also
what has waited for its turn here: such waits end with `NotNowError`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from apep_datagen.budget.ledger import this_month
from apep_datagen.config.provider_settings import ProviderSettings
from apep_datagen.core.errors import ProviderError, RateLimitedError, TransientError
from apep_datagen.core.messages import ReportedLimits
from apep_datagen.core.spelling import spell_rate
from apep_datagen.engine.context import RunContext
from apep_datagen.engine.counters import ProviderCounters
from apep_datagen.engine.interruption import Interruption
from apep_datagen.engine.streak import Streak
from apep_datagen.pacing.breaker import CircuitBreaker
from apep_datagen.pacing.pacer import Pacer, Permit

__all__ = ["Availability", "spell_seconds"]

Result = TypeVar("Result")

# A provider that pauses for longer lets others take over what it had begun.
_LONG_PAUSE_SECONDS = 30.0
_SECONDS_BETWEEN_PAUSE_MESSAGES = 60.0
# A provider that answers nothing but 429 for so long has another problem than its pace.
_SECONDS_OF_REFUSALS = 300.0
_MINUTES_FROM_SECONDS = 300.0
# How often it is looked whether the month has turned: by the clock on the wall, which can be set.
_SECONDS_BETWEEN_LOOKS_AT_MONTH = 60.0


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
        streak: Whether its answers are of any use.
        out_because: Why the provider is out for the rest of the run, or None.
        spent_month: The month, as `2026-01`, whose tokens are spent, or None.
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
        self.streak = Streak()
        self.out_because: str | None = None
        self.spent_month: str | None = None
        self._context = context
        context.available.append(self)
        self._interruption = Interruption()
        self._pause_told_at = -_SECONDS_BETWEEN_PAUSE_MESSAGES
        self._pause_told_until = 0.0
        self._refused_since: float | None = None
        self._refusals_told = False

    # When to ask.

    def is_over(self) -> bool:
        """Tell whether nothing is to be sent any more."""
        schedule = self._context.schedule
        return self._context.stopping or self.out_because is not None or schedule.finished or schedule.is_stuck

    def rests_for(self) -> float:
        """Return for how many seconds others are to do what waits for this provider; 0 or less if it does."""
        if self.waits_for_month():
            return _SECONDS_BETWEEN_LOOKS_AT_MONTH
        pause = self.pacer.paused_for
        rest = self.breaker.rests_for(asyncio.get_running_loop().time())
        return max(rest, pause if pause > _LONG_PAUSE_SECONDS else 0.0)

    def waits_for_month(self) -> bool:
        """Tell whether the tokens of this month are spent."""
        if self.spent_month is not None and self.spent_month != this_month():
            self.spent_month = None
            self.set_state("")
        return self.spent_month is not None

    def has_to_wait(self) -> bool:
        """Tell whether nothing is to be sent for a while, or any more."""
        return self.is_over() or self.rests_for() > 0

    def interrupt(self) -> None:
        """End all waiting, once nothing is to be sent for a while; requests under way are not touched."""
        self._interruption.end_waits()
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
        return await self._interruption.wait_for(waiting)

    # What answers say.

    def learn(self, reported: ReportedLimits) -> None:
        """Take over what the headers of an answer say about limits."""
        before = self.pacer.paused_for
        self.pacer.learn(reported)
        pause = self.pacer.paused_for
        if pause > max(before, _LONG_PAUSE_SECONDS):
            self._begin_pause(pause, "its limit is used up")

    def note(self, permit: Permit, failure: ProviderError | None) -> None:
        """Take note of how a request ended: None for an answer that can be used."""
        now = asyncio.get_running_loop().time()
        if isinstance(failure, RateLimitedError):
            self.breaker.answered()
            self._begin_pause(self.pacer.rate_limited(permit, failure.retry_after), "rate limited", failure.retry_after)
            self._note_refusal(now)
            return
        self._refused_since = None
        if isinstance(failure, TransientError):
            if failure.retry_after:
                self.pacer.pause(failure.retry_after)
                self._begin_pause(failure.retry_after, str(failure), failure.retry_after)
            if self.breaker.failed(now):
                self._begin_rest(failure)
        else:
            self._context.answered_at = now
            self.pacer.accepted(permit)
            self.breaker.answered()
            if self.rests_for() <= 0:
                self.set_state("")

    def spend_month(self) -> None:
        """Take note that the tokens of this month are spent."""
        self.spent_month = this_month()
        self.set_state("waiting for the next month")
        self.leave_to_others()

    def leave(self, reason: str) -> None:
        """Be out for the rest of the run; what waits for this provider may go on elsewhere."""
        self.out_because = reason
        self._context.schedule.remove_provider(self.name)
        self.interrupt()

    def set_state(self, state: str, **details: Any) -> None:
        """Show and log a change of the provider's state: empty when it works."""
        if self.counters.state not in {state, "out"}:
            self.counters.state = state
            self._context.log.write("provider", provider=self.name, state=state or "working", **details)

    def _note_refusal(self, now: float) -> None:
        """Take note of a 429; tell once where nothing else has been answered for long."""
        if self._refused_since is None:
            self._refused_since, self._refusals_told = now, False
        seconds = now - self._refused_since
        if seconds >= _SECONDS_OF_REFUSALS and not self._refusals_told:
            self._refusals_told = True
            self._context.notify(
                f"{self.name}: it has answered nothing but 429 (too many requests) for {spell_seconds(seconds)}. It is"
                " asked again and again; perhaps another program uses the same key, or its limit is a day's or is lower"
                " than --rps. --patience ends a run in which nobody answers"
            )

    def _begin_pause(self, seconds: float, why: str, retry_after: float | None = None) -> None:
        rate = self.counters.requests_per_second = self.pacer.requests_per_second
        self._context.log.write(
            "pause",
            provider=self.name,
            seconds=round(seconds, 3),
            requests_per_second=round(rate, 4) if rate else None,
            retry_after=retry_after,
        )
        if seconds > _LONG_PAUSE_SECONDS:
            self.set_state("paused")
            self.leave_to_others()
        now = asyncio.get_running_loop().time()
        # What was under way when a long pause began says the same again.
        is_longer = now + seconds > self._pause_told_until + _LONG_PAUSE_SECONDS
        if now - self._pause_told_at >= _SECONDS_BETWEEN_PAUSE_MESSAGES or (
            seconds > _LONG_PAUSE_SECONDS and is_longer
        ):
            self._pause_told_at, self._pause_told_until = now, now + seconds
            at_rate = f", then {spell_rate(rate)} requests/s" if rate else ""
            self._context.notify(f"{self.name}: {why}, waiting {spell_seconds(seconds)}{at_rate}")

    def _begin_rest(self, failure: TransientError) -> None:
        seconds = self.breaker.rests_for(asyncio.get_running_loop().time())
        self.set_state("resting", seconds=round(seconds, 3), error=str(failure))
        self._context.notify(
            f"{self.name}: {self.breaker.failures_in_a_row} failures in a row, the last one: {failure};"
            f" resting for {spell_seconds(seconds)}"
        )
        self.leave_to_others()


def spell_seconds(seconds: float) -> str:
    """Spell a time for a person, e.g. `20 ms`, `1.5 s` or `7 h 05 min`."""
    if seconds < 0.1:  # noqa: PLR2004 - style
        return f"{1000 * seconds:.0f} ms"
    if seconds >= _MINUTES_FROM_SECONDS:
        hours, minutes = divmod(round(seconds / 60), 60)
        return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
    return f"{seconds:.0f} s" if seconds >= 10 or seconds == int(seconds) else f"{seconds:.1f} s"  # noqa: PLR2004 - style
