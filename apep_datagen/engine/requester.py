"""Asking one provider: paying for a request, waiting for its turn, sending it, and asking again where that can help.

    reservation → permit → request → cost, pace, rest, log

What fails is classified by the adapter, and dealt with here, once for all providers:

- A refusal for the rate is the provider's state: the pacer pauses and slows down, and the request goes out again.
- A transient failure is tried again. Several in a row are the provider's state too: it rests (`breaker`).
- An answer that cannot be used is asked for again, at most `ATTEMPTS` times in all.
- Everything else is for the worker.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import tenacity

from apep_datagen.budget.account import Account
from apep_datagen.budget.amounts import Price, dollars
from apep_datagen.budget.purse import OverError, Purse, Reservation
from apep_datagen.config.settings import ProviderSettings
from apep_datagen.conversation.completions import problem_with
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.errors import (
    FailureKind,
    ProviderError,
    RateLimitedError,
    RetryableError,
    TransientError,
    UnusableAnswerError,
)
from apep_datagen.core.messages import Completion, CompletionRequest, ReportedLimits, Usage
from apep_datagen.engine.context import RunContext, Tries
from apep_datagen.engine.counters import ProviderCounters
from apep_datagen.pacing.breaker import CircuitBreaker
from apep_datagen.pacing.pacer import Pacer, Permit
from apep_datagen.providers import Provider

__all__ = ["PaidCompletion", "Requester"]

Result = TypeVar("Result")

ATTEMPTS = 3
_FIRST_BACKOFF_SECONDS = 1.0
_LONGEST_BACKOFF_SECONDS = 60.0
# A provider that pauses for longer lets others take over what it had begun.
_LONG_PAUSE_SECONDS = 30.0
_SECONDS_BETWEEN_PAUSE_MESSAGES = 60.0
# How a task knows that it was interrupted by its worker, and not ended by its task group.
_INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class PaidCompletion:
    """An answer that can be used, not recorded yet.

    Attributes:
        completion: What the model answered.
        settle: Records what it cost, in the transaction that records the answer.
        seconds: How long it took.
    """

    completion: Completion
    settle: Callable[[sqlite3.Connection], None]
    seconds: float


class Requester:
    """Asks one provider.

    Args:
        name: The provider's name.
        settings: Its model and limits.
        provider: Its adapter, started.
        context: What all providers of the run have in common.
        prices: By model.
        open_month: Opens the account of its tokens of a month; None for no limit.
        is_out: Tells whether the provider is out for the rest of the run.

    Attributes:
        counters: What the view of progress shows.
        breaker: Whether it rests.
    """

    def __init__(
        self,
        name: str,
        settings: ProviderSettings,
        provider: Provider,
        context: RunContext,
        *,
        prices: Mapping[str, Price],
        open_month: Callable[[str], Account] | None,
        is_out: Callable[[], bool],
    ) -> None:
        self.counters = ProviderCounters(name, settings.requests_per_second)
        self.breaker = CircuitBreaker()
        self._name = name
        self._provider = provider
        self._context = context
        self._is_out = is_out
        self._purse = Purse(name, prices, context.treasury, open_month, self.is_over)
        self._pacer = Pacer(
            requests_per_second=settings.requests_per_second,
            tokens_per_minute=settings.tokens_per_minute,
            max_in_flight=settings.max_in_flight,
        )
        self._interruptible: set[asyncio.Task[Any]] = set()
        self._pause_told_at = -_SECONDS_BETWEEN_PAUSE_MESSAGES

    # When to ask.

    def is_over(self) -> bool:
        """Tell whether nothing is to be sent any more."""
        return self._context.stopping or self._is_out() or self._context.schedule.finished

    def rests_for(self) -> float:
        """Return for how many seconds others are to do what waits for this provider; 0 or less if it does."""
        pause = self._pacer.paused_for
        rest = self.breaker.rests_for(asyncio.get_running_loop().time())
        return max(rest, pause if pause > _LONG_PAUSE_SECONDS else 0.0)

    def has_to_wait(self) -> bool:
        """Tell whether nothing is to be sent for a while, or any more."""
        return self.is_over() or self.rests_for() > 0

    def may_succeed(self, conversation: Conversation) -> bool:
        """Tell whether it makes sense to ask once more for what failed."""
        tries = self._context.tries.get(conversation.brief.conversation_id)
        return tries is None or tries.counted < ATTEMPTS

    def learn(self, reported: ReportedLimits) -> None:
        """Take note of what the provider's headers say about its limits."""
        self._pacer.learn(reported)

    def interrupt(self) -> None:
        """End all waiting, once nothing is to be sent for a while; requests under way are not touched."""
        for task in self._interruptible:
            task.cancel(_INTERRUPTED)
        self._context.wake()

    def leave_to_others(self) -> None:
        """Let any provider go on with what waits for this one, also for its turn."""
        self._context.schedule.release_provider(self._name)
        self.interrupt()

    async def unless_interrupted(self, waiting: Coroutine[Any, Any, Result]) -> Result:
        """Wait, until `interrupt` ends it.

        Raises:
            OverError: It did.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        self._interruptible.add(task)
        try:
            return await waiting
        except asyncio.CancelledError as error:
            if error.args != (_INTERRUPTED,) or task.uncancel() > 0:
                raise
            raise OverError from None
        finally:
            self._interruptible.discard(task)

    # Asking, and asking again.

    async def ask(
        self, conversation: Conversation, request: CompletionRequest, when_permitted: Callable[[], None]
    ) -> PaidCompletion:
        """Send a request until it is answered, or asking again here cannot help.

        Args:
            conversation: Which one the request is of.
            request: What to send.
            when_permitted: Called once: when the first permit is there, or none comes.

        Raises:
            ProviderError: The last attempt failed.
            BudgetSpentError: A budget does not permit the request.
            OverError: Nothing is to be sent for a while, or any more.
            StorageError: What it cost could not be recorded.
        """
        retrying = tenacity.AsyncRetrying(
            stop=lambda _state: self.has_to_wait() or not self.may_succeed(conversation),
            retry=tenacity.retry_if_exception_type(RetryableError),
            wait=lambda state: self._seconds_to_wait(conversation, state),
            before_sleep=self._before_retry,
            sleep=self._sleep,
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                number = attempt.retry_state.attempt_number
                try:
                    reservation = await self._purse.reserve(request)
                    permit = await self._permit_for(reservation)
                finally:
                    if number == 1:
                        when_permitted()
                return await self._send(conversation, request, reservation, permit, attempt=number)
        raise AssertionError  # the last attempt returns or raises

    async def _permit_for(self, reservation: Reservation) -> Permit:
        """Wait until a request may be sent now.

        Raises:
            OverError: Nothing is to be sent for a while, or any more; the reservation is given back.
        """
        if not self.has_to_wait():
            with contextlib.suppress(OverError):
                return await self.unless_interrupted(self._pacer.acquire())
        await self._context.state.run(self._purse.settle(reservation, Usage(), requests=0))
        raise OverError

    async def _send(
        self,
        conversation: Conversation,
        request: CompletionRequest,
        reservation: Reservation,
        permit: Permit,
        *,
        attempt: int,
    ) -> PaidCompletion:
        """Send one request; what fails is booked, and tells the pacer and the breaker."""
        counters, loop = self.counters, asyncio.get_running_loop()
        counters.requests += 1
        counters.requests_per_second = self._pacer.requests_per_second
        counters.in_flight = self._pacer.in_flight
        began = loop.time()
        tokens: int | None = None
        completion: Completion | None = None
        try:
            try:
                completion = await self._provider.complete(request)
                if problem := problem_with(conversation, completion):
                    is_cut = completion.finish_reason == "length"
                    raise UnusableAnswerError(problem, FailureKind.CUT_OFF if is_cut else FailureKind.EMPTY_ANSWER)
                failure = None
            except ProviderError as error:
                failure = error
            seconds = round(loop.time() - began, 3)
            usage = _usage(completion, failure)
            tokens = usage.total_tokens if usage else None
            self._note_outcome(conversation, permit, failure)
        finally:
            self._pacer.release(permit, tokens)
            counters.in_flight = self._pacer.in_flight
        self._log_request(conversation, request, completion, failure, attempt=attempt, seconds=seconds)
        self._count_cost(request, usage or reservation.usage)
        if completion and not failure:
            settle = self._purse.settle(reservation, usage, answers=1, seconds=seconds)
            return PaidCompletion(completion, settle, seconds)
        assert failure is not None  # noqa: S101 - there is an answer, or a failure
        counters.failures[failure.kind.value] += 1
        requests = 0 if failure.kind is FailureKind.NOT_REACHED else 1
        await self._context.state.run(self._purse.settle(reservation, usage, requests=requests, failure=failure.kind))
        raise failure

    def _count_cost(self, request: CompletionRequest, usage: Usage) -> None:
        self.counters.prompt_tokens += usage.prompt_tokens
        self.counters.completion_tokens += usage.completion_tokens
        self.counters.usd += dollars(self._purse.amount(request.model, usage).picodollars)

    def _note_outcome(self, conversation: Conversation, permit: Permit, failure: ProviderError | None) -> None:
        """Let pacer and breaker know how a request ended, and count what failed against its conversation."""
        now = asyncio.get_running_loop().time()
        number = conversation.brief.conversation_id
        if isinstance(failure, RateLimitedError):
            self.breaker.answered()
            self._note_pause(self._pacer.rate_limited(permit, failure.retry_after), failure)
        elif isinstance(failure, TransientError):
            rest_begins = self.breaker.failed(now)
            tries = self._context.tries.setdefault(number, Tries())
            tries.total += 1
            tries.counted += self.breaker.failures_in_a_row == 1
            if rest_begins:
                self._begin_rest(failure)
        else:
            self._pacer.accepted(permit)
            self.breaker.answered()
            self.set_state("")
            if isinstance(failure, UnusableAnswerError):
                tries = self._context.tries.setdefault(number, Tries())
                tries.total += 1
                tries.counted += 1

    def _note_pause(self, seconds: float, failure: RateLimitedError) -> None:
        rate = self.counters.requests_per_second = self._pacer.requests_per_second
        self._context.log.write(
            "pause",
            provider=self._name,
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
            self._context.notify(f"{self._name}: rate limited, waiting {_spell_seconds(seconds)}{at_rate}")

    def _begin_rest(self, failure: TransientError) -> None:
        """Send nothing for a while, and let others take over."""
        seconds = self.breaker.rests_for(asyncio.get_running_loop().time())
        self.set_state("resting", seconds=round(seconds, 3), error=str(failure))
        self._context.notify(
            f"{self._name}: {self.breaker.failures_in_a_row} failures in a row, the last one: {failure};"
            f" resting for {_spell_seconds(seconds)}"
        )
        self.leave_to_others()

    def set_state(self, state: str, **details: Any) -> None:
        """Show and log a change of the provider's state: empty when it works."""
        if self.counters.state not in {state, "out"}:
            self.counters.state = state
            self._context.log.write("provider", provider=self._name, state=state or "working", **details)

    def _log_request(
        self,
        conversation: Conversation,
        request: CompletionRequest,
        completion: Completion | None,
        failure: ProviderError | None,
        **values: Any,
    ) -> None:
        log = self._context.log
        log.write(
            "request",
            provider=self._name,
            model=request.model,
            role=request.step.model_role.value,
            step=request.step.value,
            conversation=conversation.brief.conversation_id,
            **values,
            prompt_tokens=completion.usage.prompt_tokens if completion else None,
            completion_tokens=completion.usage.completion_tokens if completion else None,
            outcome=failure.kind.value if failure else "answer",
            error=str(failure) if failure else None,
            messages=[message.as_dict() for message in request.messages] if log.with_text else None,
            answer=completion.text if log.with_text and completion else None,
        )

    def _before_retry(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        self.counters.retries += 1
        if isinstance(error, ProviderError) and not isinstance(error, RateLimitedError):
            seconds = state.next_action.sleep if state.next_action else 0.0
            kind = "unusable answer" if isinstance(error, UnusableAnswerError) else error.kind.value
            self._context.notify(f"{self._name}: {kind}, asking again in {_spell_seconds(seconds)}: {error}")

    def _seconds_to_wait(self, conversation: Conversation, state: tenacity.RetryCallState) -> float:
        """An exponential back-off with jitter; after a refusal for the rate, the pacer's pause is waited for."""
        if state.outcome and isinstance(state.outcome.exception(), RateLimitedError):
            return 0.0
        failures = self._context.tries[conversation.brief.conversation_id].total
        longest = min(_LONGEST_BACKOFF_SECONDS, _FIRST_BACKOFF_SECONDS * 2.0 ** (failures - 1))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret depends on it

    async def _sleep(self, seconds: float) -> None:
        await self.unless_interrupted(asyncio.sleep(seconds))


def _usage(completion: Completion | None, failure: ProviderError | None) -> Usage | None:
    """Return what a request was charged for, or None where nobody knows."""
    if completion:
        return completion.usage if completion.usage.total_tokens else None
    return None if failure and failure.may_be_billed else Usage()


def _spell_seconds(seconds: float) -> str:
    if seconds < 0.1:  # noqa: PLR2004 - style
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.0f} s" if seconds >= 10 or seconds == int(seconds) else f"{seconds:.1f} s"  # noqa: PLR2004 - style
