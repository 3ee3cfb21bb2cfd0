"""Making a model call at one provider: paying for it, waiting for its turn, sending it, and again where that can help.

    reservation → permit → request → cost, state of the provider, log

A transient failure is tried again, and so is an answer that cannot be used, three times at most. Everything else is for
the worker.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tenacity

from apep_datagen.budget.amounts import dollars
from apep_datagen.budget.obstacles import NotNowError
from apep_datagen.budget.purse import Purse, Reservation
from apep_datagen.conversation.completions import problem_with
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.errors import (
    FailureKind,
    ForbiddenError,
    ProviderError,
    RateLimitedError,
    RequestRefusedError,
    RetryableError,
    TransientError,
    UnusableAnswerError,
)
from apep_datagen.core.messages import Completion, CompletionRequest, ModelRole, Usage
from apep_datagen.engine.availability import Availability, spell_seconds
from apep_datagen.engine.context import RunContext, Tries
from apep_datagen.pacing.pacer import Permit
from apep_datagen.providers.base import Provider

__all__ = ["PaidCompletion", "Requester"]

# How much may go wrong with a call: three failures, or two refusals, for what is refused is asked for once more, of
# another provider where one has time. Where others are refused as well, it says less of the conversation: a provider
# that refuses how it is asked costs none, as it is found out before.
_MOST_TRIES = 6
_OF_A_FAILURE, _OF_A_REFUSAL, _OF_ONE_AMONG_OTHERS = 2, 3, 1
_FIRST_BACKOFF_SECONDS = 1.0
_LONGEST_BACKOFF_SECONDS = 60.0


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
    """Makes the calls of one provider.

    Args:
        provider: Its adapter, started.
        availability: Its state.
        purse: What it pays from.
        context: What all providers of the run have in common.
    """

    def __init__(self, provider: Provider, availability: Availability, purse: Purse, context: RunContext) -> None:
        self._provider = provider
        self._availability = availability
        self._counters = availability.counters
        self._pacer = availability.pacer
        self._purse = purse
        self._context = context

    def may_succeed(self, conversation: Conversation) -> bool:
        """Tell whether it makes sense to ask once more for what failed."""
        return self._context.tries_of(conversation.brief.conversation_id).counted < _MOST_TRIES

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
            NotNowError: Nothing is to be sent for a while, or any more.
            StorageError: What it cost could not be recorded.
        """
        retrying = tenacity.AsyncRetrying(
            stop=lambda _state: self._is_in_vain(conversation, request),
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
            NotNowError: Nothing is to be sent for a while, or any more; the reservation is given back.
        """
        if not self._availability.has_to_wait():
            with contextlib.suppress(NotNowError):
                permit = await self._availability.unless_interrupted(self._pacer.acquire())
                if not self._availability.has_to_wait():
                    return permit
                self._pacer.release(permit, 0)  # it came in the moment of an interruption
        await self._context.state.run(self._purse.settle(reservation, Usage(), requests=0))
        raise NotNowError

    async def _send(
        self,
        conversation: Conversation,
        request: CompletionRequest,
        reservation: Reservation,
        permit: Permit,
        *,
        attempt: int,
    ) -> PaidCompletion:
        """Send one request; what fails is booked, and counted against its conversation."""
        counters, loop = self._counters, asyncio.get_running_loop()
        under_way, role = self._availability.streak.under_way, request.step.model_role
        under_way[role] += 1
        counters.requests += 1
        counters.requests_per_second = self._pacer.requests_per_second
        counters.in_flight = self._pacer.in_flight
        began = loop.time()
        tokens: int | None = None
        completion: Completion | None = None
        failure: ProviderError | None = None
        try:
            try:
                completion = await self._provider.complete(request)
                if not (self._context.takes_any_answer and role is ModelRole.ADA):
                    _require_use(conversation, completion)
            except ForbiddenError as error:
                # Where key and model are known to be good, it is what the request says: some moderate so.
                is_proven = self._availability.streak.is_proven(request.model)
                failure = RequestRefusedError(str(error)) if is_proven else error
            except ProviderError as error:
                failure = error
            seconds = round(loop.time() - began, 3)
            usage = _usage(completion, failure)
            tokens = usage.total_tokens if usage else None
            self._availability.note(permit, failure)
            self._count_try(conversation, request, failure)
        finally:
            under_way[role] -= 1
            self._pacer.release(permit, tokens)
            counters.in_flight = self._pacer.in_flight
        self._log(conversation, request, completion, failure, attempt=attempt, seconds=seconds)
        self._count_cost(request, usage or reservation.usage)
        if completion and not failure:
            return PaidCompletion(
                completion, self._purse.settle(reservation, usage, answers=1, seconds=seconds), seconds
            )
        assert failure is not None  # noqa: S101 - there is an answer, or a failure
        counters.failures[failure.kind.value] += 1
        requests = 0 if failure.kind in (FailureKind.NOT_REACHED, FailureKind.NOT_SENT) else 1
        await self._context.state.run(self._purse.settle(reservation, usage, requests=requests, failure=failure.kind))
        raise failure

    def _is_in_vain(self, conversation: Conversation, request: CompletionRequest) -> bool:
        """Tell whether asking once more, now and here, cannot help."""
        is_useless = self._availability.streak.complaint(request.step.model_role) is not None
        return is_useless or self._availability.has_to_wait() or not self.may_succeed(conversation)

    def _count_try(self, conversation: Conversation, request: CompletionRequest, failure: ProviderError | None) -> None:
        """Count what failed against its conversation: a transient failure only where the provider worked until then."""
        if isinstance(failure, UnusableAnswerError):
            self._availability.streak.note_useless_answer(request.step.model_role)
        if not isinstance(failure, TransientError | UnusableAnswerError | RequestRefusedError):
            return
        number = conversation.brief.conversation_id
        tries = self._context.tries.setdefault(number, Tries())
        tries.total += 1
        if isinstance(failure, RequestRefusedError):
            is_alone = self._availability.streak.fails_alone(request.step.model_role, number)
            tries.counted += _OF_A_REFUSAL if is_alone else _OF_ONE_AMONG_OTHERS
        elif isinstance(failure, UnusableAnswerError) or self._availability.breaker.failures_in_a_row == 1:
            tries.counted += _OF_A_FAILURE

    def _count_cost(self, request: CompletionRequest, usage: Usage) -> None:
        self._counters.prompt_tokens += usage.prompt_tokens
        self._counters.completion_tokens += usage.completion_tokens
        if usage.total_tokens and not self._purse.has_price(request.model):
            self._counters.usd = None
        elif self._counters.usd is not None:
            self._counters.usd += dollars(self._purse.amount(request.model, usage).picodollars)

    def _log(
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
            provider=self._availability.name,
            model=request.model,
            role=request.step.model_role.value,
            step=request.step.value,
            conversation=conversation.brief.conversation_id,
            **values,
            prompt_tokens=completion.usage.prompt_tokens if completion else None,
            completion_tokens=completion.usage.completion_tokens if completion else None,
            outcome=failure.kind.value if failure else "answer",
            error=str(failure) if failure else None,
            traceback=failure.origin if failure else None,
            messages=request.sent.messages if log.with_text else None,
            tools=request.sent.tools or None if log.with_text else None,
            answer=completion.text if log.with_text and completion else None,
        )

    # Asking again.

    def _before_retry(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        self._counters.retries += 1
        if isinstance(error, ProviderError) and not isinstance(error, RateLimitedError):
            seconds = spell_seconds(state.next_action.sleep if state.next_action else 0.0)
            kind = "unusable answer" if isinstance(error, UnusableAnswerError) else error.kind.value
            self._context.notify(f"{self._availability.name}: {kind}, asking again in {seconds}: {error}")

    def _seconds_to_wait(self, conversation: Conversation, state: tenacity.RetryCallState) -> float:
        """An exponential back-off with jitter; after a refusal for the rate, the pacer's pause is waited for."""
        if state.outcome and isinstance(state.outcome.exception(), RateLimitedError):
            return 0.0
        failures = self._context.tries_of(conversation.brief.conversation_id).total
        longest = min(_LONGEST_BACKOFF_SECONDS, _FIRST_BACKOFF_SECONDS * 2.0 ** (failures - 1))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret depends on it

    async def _sleep(self, seconds: float) -> None:
        await self._availability.unless_interrupted(asyncio.sleep(seconds))


def _require_use(conversation: Conversation, completion: Completion) -> None:
    """Refuse an answer that cannot be used, or whose reading fails in a way that nobody foresaw.

    Raises:
        UnusableAnswerError: So it is.
    """
    try:
        problem = problem_with(conversation, completion)
    except Exception as error:
        words = f"reading the answer failed ({type(error).__name__}: {error})"
        unreadable = UnusableAnswerError(words, FailureKind.UNFORESEEN)
        unreadable.origin = "".join(traceback.format_exception(error))
        raise unreadable from error
    if problem is not None:
        raise problem


def _usage(completion: Completion | None, failure: ProviderError | None) -> Usage | None:
    """Return what a request was charged for, or None where nobody knows."""
    if completion:
        return completion.usage if completion.usage.total_tokens else None
    return None if failure and failure.may_be_billed else Usage()
