"""A provider's dispatcher: it pulls the conversation that is to go on, pays for its call, and makes it in its turn.

    conversation → reservation → permit → request (again, where that can help) → transaction: cost, step, tools, finish

A conversation is pulled just so early that its reservation is on the disk when the permit comes: by one permit at the
rates of most providers. So no commit comes between a permit and its request, and few conversations are half-done.

What fails is classified by the adapter, and dealt with here, once for all providers:

- A refusal for the rate is the provider's state: the pacer pauses and slows down, and the request goes out again.
- A transient failure is tried again. Several in a row are the provider's state too: it rests (`breaker`), and others
  take over what it had begun.
- What fails for good sets its conversation aside, not the run.
- A provider that cannot be used, or has spent its budget, leaves the run.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import tenacity

from apep_datagen.breaker import CircuitBreaker
from apep_datagen.budget import Price, dollars
from apep_datagen.conversation import (
    Conversation,
    ModelCall,
    next_step,
    problem_with,
    prompt,
)
from apep_datagen.counters import ProviderCounters, RunCounters
from apep_datagen.errors import (
    FailureKind,
    ModelUnknownError,
    ProviderError,
    ProviderUnusableError,
    RateLimitedError,
    RetryableError,
    TransientError,
    UnusableAnswerError,
)
from apep_datagen.event_log import EventLog
from apep_datagen.limits import Pacer, Permit
from apep_datagen.messages import Completion, CompletionRequest, ReportedLimits, Usage
from apep_datagen.payment import MONTH, Allowance, BudgetSpentError, OverError, Purse, Reservation, Treasury
from apep_datagen.providers import Provider
from apep_datagen.recording import Recorded, record_answer, record_failure
from apep_datagen.records import StepRecord
from apep_datagen.schedule import Schedule
from apep_datagen.settings import ProviderSettings, RolesSettings
from apep_datagen.state import StateDatabase

__all__ = ["Dispatcher", "Shared"]

Result = TypeVar("Result")

ATTEMPTS = 3
_FIRST_BACKOFF_SECONDS = 1.0
_LONGEST_BACKOFF_SECONDS = 60.0
# A provider that pauses for longer lets others take over what it had begun.
_LONG_PAUSE_SECONDS = 30.0
_SECONDS_BETWEEN_PAUSE_MESSAGES = 60.0
_SHOWN_MODELS = 12
# A commit takes less, and so many requests' reservations may be on their way to the disk at once.
_RESERVED_AHEAD_SECONDS = 0.05
_MOST_AHEAD = 32
# How a task knows that it was interrupted by its dispatcher, and not ended by its task group.
_INTERRUPTED = "interrupted"


@dataclass(slots=True)
class _Tries:
    """How often a conversation's due call failed: in all, and while its provider worked otherwise.

    Where a provider fails altogether, that says nothing of the conversation.
    """

    total: int = 0
    counted: int = 0


@dataclass(slots=True)
class Shared:
    """What all dispatchers of a run have in common.

    Attributes:
        schedule: Which conversation goes on next.
        state: Where outcomes are recorded.
        treasury: What requests are paid from.
        counters: What the view of progress shows.
        roles: How each role's model is sampled.
        notify: Is told, in a sentence, what a person should know.
        log: Every request, every pause, every change of a provider's state.
        work_changed: Set, and replaced, whenever the schedule has changed.
        stopping: Whether nothing new is to be sent.
        tries: By conversation, where its due call failed.
    """

    schedule: Schedule
    state: StateDatabase
    treasury: Treasury
    counters: RunCounters
    roles: RolesSettings
    notify: Callable[[str], None]
    log: EventLog
    work_changed: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: bool = False
    tries: dict[int, _Tries] = field(default_factory=dict)

    def wake(self) -> None:
        """Let every dispatcher look at the schedule again."""
        self.work_changed.set()
        self.work_changed = asyncio.Event()
        self.treasury.note_settlement()


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer that can be used, not recorded yet."""

    completion: Completion
    reservation: Reservation
    usage: Usage | None
    seconds: float


class Dispatcher:
    """Drives one provider for a run.

    Args:
        name: The provider's name.
        settings: Its model and limits.
        provider: Its adapter, started.
        shared: What all dispatchers have in common.
        prices: By model.
        allowance: Its tokens of the month, or None for no limit.

    Attributes:
        unusable: Why the provider is out for the rest of the run, or None.
        spent_budget: The budget that it is out for, or None.
    """

    def __init__(
        self,
        name: str,
        settings: ProviderSettings,
        provider: Provider,
        shared: Shared,
        *,
        prices: dict[str, Price],
        allowance: Allowance | None,
    ) -> None:
        self.name = name
        self.unusable: str | None = None
        self.spent_budget: str | None = None
        self._settings = settings
        self._provider = provider
        self._shared = shared
        self._prices = prices
        self._purse = Purse(name, prices, shared.treasury, allowance, self._is_over)
        self._breaker = CircuitBreaker()
        self._interruptible: set[asyncio.Task[Any]] = set()
        self._pacer = Pacer(
            requests_per_second=settings.requests_per_second,
            tokens_per_minute=settings.tokens_per_minute,
            max_in_flight=settings.max_in_flight,
        )
        self._ahead = asyncio.Semaphore(_most_ahead(settings))
        self._pause_told_at = -_SECONDS_BETWEEN_PAUSE_MESSAGES
        self._counters = ProviderCounters(name, settings.requests_per_second)
        shared.counters.providers[name] = self._counters

    async def run(self) -> None:
        """Make calls until the output lacks nothing, the provider is out or the run is stopping.

        Returns when no request is in flight any more.

        Raises:
            StorageError: An outcome could not be recorded (in an ExceptionGroup).
        """
        schedule = self._shared.schedule
        try:
            async with asyncio.TaskGroup() as calls:
                while await self._wait_for_work():
                    try:
                        await self._unless_interrupted(self._ahead.acquire())
                    except OverError:
                        continue
                    is_probe = not self._breaker.is_closed
                    conversation = None if self._has_to_wait() else schedule.take(self.name, is_probe=is_probe)
                    if conversation is None:
                        # What there was is gone meanwhile: another provider began the last conversation.
                        self._ahead.release()
                    elif is_probe:
                        self._set_state("probing")
                        await self._call(conversation)
                    else:
                        calls.create_task(self._call(conversation))
                        if conversation.steps == 0:
                            # New conversations go round: where permits need no waiting, the others get their turn.
                            await asyncio.sleep(0)
        finally:
            schedule.release_provider(self.name)
            self._shared.wake()

    def learn(self, reported: ReportedLimits) -> None:
        """Take note of what the provider's headers say about its limits."""
        self._pacer.learn(reported)

    def interrupt(self) -> None:
        """End all waiting, once nothing is to be sent for a while; requests under way are not touched."""
        for task in self._interruptible:
            task.cancel(_INTERRUPTED)
        self._shared.wake()

    def _is_over(self) -> bool:
        return self._shared.stopping or self.unusable is not None or self._shared.schedule.finished

    def _rests_for(self) -> float:
        """Return for how many seconds this provider leaves its conversations to others; 0 or less if it does not."""
        pause = self._pacer.paused_for
        rest = self._breaker.rests_for(asyncio.get_running_loop().time())
        return max(rest, pause if pause > _LONG_PAUSE_SECONDS else 0.0)

    def _has_to_wait(self) -> bool:
        return self._is_over() or self._rests_for() > 0

    async def _wait_for_work(self) -> bool:
        """Wait until this provider has something to do, and may do it; False when it never will have."""
        while not self._is_over():
            rest = self._rests_for()
            if rest <= 0 and self._shared.schedule.has_work(self.name):
                return True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rest if rest > 0 else None):
                    await self._shared.work_changed.wait()
        return False

    async def _unless_interrupted(self, waiting: Coroutine[Any, Any, Result]) -> Result:
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

    async def _call(self, conversation: Conversation) -> None:
        """Make the call that `conversation` waits for, record what came of it, and let the schedule know."""
        try:
            await self._call_and_record(conversation)
        finally:
            self._shared.wake()

    async def _call_and_record(self, conversation: Conversation) -> None:
        needed = next_step(conversation)
        assert isinstance(needed, ModelCall)  # noqa: S101 - only such conversations are in the schedule
        request = self._request(conversation, needed)
        try:
            answer = await self._complete(conversation, request)
        except ProviderUnusableError as error:
            await self._leave(str(error), with_models=isinstance(error, ModelUnknownError))
            self._put_back(conversation)
        except BudgetSpentError as error:
            self.spent_budget = error.budget
            await self._leave(_spell_budget(error.budget))
            self._put_back(conversation)
        except OverError:
            self._put_back(conversation)
        except ProviderError as error:
            if self._breaker.never_comes_back:
                await self._leave(f"it has never answered; the last failure: {error}")
            if isinstance(error, RetryableError) and self._may_succeed(conversation):
                self._put_back(conversation)
            else:
                await self._set_aside(conversation, needed, error)
        else:
            await self._record(conversation, request, answer)

    def _put_back(self, conversation: Conversation) -> None:
        """Let a conversation wait for its next call; from any provider where this one does not send for a while."""
        tries = self._shared.tries.get(conversation.plan.conversation_id, _Tries())
        provider = None if self._has_to_wait() else self.name
        self._shared.schedule.put_back(conversation, provider, failures=tries.total)

    def _request(self, conversation: Conversation, call: ModelCall) -> CompletionRequest:
        role = call.step.model_role
        sampling = self._shared.roles.of(role)
        return CompletionRequest(
            step=call.step,
            messages=prompt(conversation),
            model=self._settings.model_for(role),
            temperature=sampling.temperature,
            max_tokens=sampling.max_tokens,
            # Some servers read the seed as a signed 32-bit number.
            seed=(conversation.plan.seed + conversation.steps) % 2**31,
        )

    # Asking, and asking again.

    async def _complete(self, conversation: Conversation, request: CompletionRequest) -> _Answer:
        """Send the request until it is answered, or asking again here cannot help.

        Raises:
            ProviderError: The last attempt failed.
            BudgetSpentError: A budget does not permit the request.
            OverError: Nothing is to be sent for a while, or any more.
        """
        retrying = tenacity.AsyncRetrying(
            stop=lambda _state: self._has_to_wait() or not self._may_succeed(conversation),
            retry=tenacity.retry_if_exception_type(RetryableError),
            wait=_seconds_to_wait,
            before_sleep=self._before_retry,
            sleep=self._sleep,
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                number = attempt.retry_state.attempt_number
                try:
                    reservation = await self._purse.reserve(request)
                    permit = await self._permit_for(request, reservation)
                finally:
                    if number == 1:
                        self._ahead.release()
                return await self._send(conversation, request, reservation, permit, attempt=number)
        raise AssertionError  # the last attempt returns or raises

    def _may_succeed(self, conversation: Conversation) -> bool:
        """Tell whether it makes sense to ask once more for what failed."""
        tries = self._shared.tries.get(conversation.plan.conversation_id)
        return tries is None or tries.counted < ATTEMPTS

    async def _permit_for(self, request: CompletionRequest, reservation: Reservation) -> Permit:
        """Wait until a request may be sent now.

        Raises:
            OverError: Nothing is to be sent for a while, or any more; the reservation is given back.
        """
        if not self._has_to_wait():
            with contextlib.suppress(OverError):
                return await self._unless_interrupted(self._pacer.acquire())
        await self._shared.state.run(self._purse.settle(reservation, Usage(), model=request.model, requests=0))
        raise OverError

    async def _send(
        self,
        conversation: Conversation,
        request: CompletionRequest,
        reservation: Reservation,
        permit: Permit,
        *,
        attempt: int,
    ) -> _Answer:
        """Send one request; what fails is booked, and tells the pacer and the breaker."""
        counters, loop = self._counters, asyncio.get_running_loop()
        counters.requests += 1
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
            return _Answer(completion, reservation, usage, seconds)
        assert failure is not None  # noqa: S101 - there is an answer, or a failure
        counters.failures[failure.kind.value] += 1
        requests = 0 if failure.kind is FailureKind.NOT_REACHED else 1
        await self._shared.state.run(
            self._purse.settle(reservation, usage, model=request.model, requests=requests, failure=failure.kind)
        )
        raise failure

    def _count_cost(self, request: CompletionRequest, usage: Usage) -> None:
        self._counters.prompt_tokens += usage.prompt_tokens
        self._counters.completion_tokens += usage.completion_tokens
        if price := self._prices.get(request.model):
            self._counters.usd += dollars(price.of(usage))

    def _note_outcome(self, conversation: Conversation, permit: Permit, failure: ProviderError | None) -> None:
        """Let pacer and breaker know how a request ended, and count what failed against its conversation."""
        now = asyncio.get_running_loop().time()
        number = conversation.plan.conversation_id
        if isinstance(failure, RateLimitedError):
            self._breaker.answered()
            self._note_pause(self._pacer.rate_limited(permit, failure.retry_after), failure)
        elif isinstance(failure, TransientError):
            rest_begins = self._breaker.failed(now)
            tries = self._shared.tries.setdefault(number, _Tries())
            tries.total += 1
            tries.counted += self._breaker.failures_in_a_row == 1
            if rest_begins:
                self._begin_rest(failure)
        else:
            self._pacer.accepted(permit)
            self._breaker.answered()
            self._set_state("")
            if isinstance(failure, UnusableAnswerError):
                tries = self._shared.tries.setdefault(number, _Tries())
                tries.total += 1
                tries.counted += 1

    def _note_pause(self, seconds: float, failure: RateLimitedError) -> None:
        rate = self._pacer.requests_per_second
        self._counters.requests_per_second = rate
        self._shared.log.write(
            "pause",
            provider=self.name,
            seconds=round(seconds, 3),
            requests_per_second=round(rate, 4) if rate else None,
            retry_after=failure.retry_after,
        )
        if seconds > _LONG_PAUSE_SECONDS:
            self._set_state("paused")
            self._leave_to_others()
        now = asyncio.get_running_loop().time()
        if now - self._pause_told_at >= _SECONDS_BETWEEN_PAUSE_MESSAGES or seconds > _LONG_PAUSE_SECONDS:
            self._pause_told_at = now
            at_rate = f", then {rate:.3g} requests/s" if rate else ""
            self._shared.notify(f"{self.name}: rate limited, waiting {_spell_seconds(seconds)}{at_rate}")

    def _begin_rest(self, failure: TransientError) -> None:
        """Send nothing for a while, and let others take over."""
        seconds = self._breaker.rests_for(asyncio.get_running_loop().time())
        self._set_state("resting", seconds=round(seconds, 3), error=str(failure))
        self._shared.notify(
            f"{self.name}: {self._breaker.failures_in_a_row} failures in a row, the last one: {failure};"
            f" resting for {_spell_seconds(seconds)}"
        )
        self._leave_to_others()

    def _leave_to_others(self) -> None:
        self._shared.schedule.release_provider(self.name)
        self.interrupt()

    def _set_state(self, state: str, **details: Any) -> None:
        """Show and log a change of the provider's state: empty when it works."""
        if self._counters.state not in {state, "out"}:
            self._counters.state = state
            self._shared.log.write("provider", provider=self.name, state=state or "working", **details)

    def _log_request(
        self,
        conversation: Conversation,
        request: CompletionRequest,
        completion: Completion | None,
        failure: ProviderError | None,
        **values: Any,
    ) -> None:
        log = self._shared.log
        log.write(
            "request",
            provider=self.name,
            model=request.model,
            role=request.step.model_role.value,
            step=request.step.value,
            conversation=conversation.plan.conversation_id,
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
        self._counters.retries += 1
        if isinstance(error, ProviderError) and not isinstance(error, RateLimitedError):
            seconds = state.next_action.sleep if state.next_action else 0.0
            kind = "unusable answer" if isinstance(error, UnusableAnswerError) else error.kind.value
            self._shared.notify(f"{self.name}: {kind}, asking again in {_spell_seconds(seconds)}: {error}")

    async def _sleep(self, seconds: float) -> None:
        await self._unless_interrupted(asyncio.sleep(seconds))

    # Recording what came of it.

    async def _record(self, conversation: Conversation, request: CompletionRequest, answer: _Answer) -> None:
        """Commit an answer with all that follows from it, and let the conversation go on."""
        shared, completion = self._shared, answer.completion
        record = StepRecord(
            kind=request.step.value,
            text=completion.text,
            finish_reason=completion.finish_reason,
            provider=self.name,
            model=request.model,
            prompt_tokens=completion.usage.prompt_tokens,
            completion_tokens=completion.usage.completion_tokens,
            seconds=answer.seconds,
        )
        timeline_length = shared.schedule.settings.timeline_length
        settle = self._purse.settle(
            answer.reservation, answer.usage, model=request.model, answers=1, seconds=answer.seconds
        )

        def settle_and_record(connection: Any) -> Recorded:
            settle(connection)
            return record_answer(connection, conversation, record, self.name, timeline_length)

        recorded = await shared.state.run(settle_and_record)
        shared.tries.pop(conversation.plan.conversation_id, None)
        self._count(recorded)
        shared.counters.last_question = recorded.conversation.exchanges[-1].question
        if recorded.is_finished:
            shared.counters.done += 1
            self._counters.conversations += 1
            shared.schedule.end(recorded.conversation, is_saved=True)
        else:
            self._put_back(recorded.conversation)

    def _count(self, recorded: Recorded) -> None:
        self._shared.counters.memories += recorded.memories
        self._shared.counters.diary_pages += recorded.diary_pages

    async def _set_aside(self, conversation: Conversation, call: ModelCall, error: ProviderError) -> None:
        number = conversation.plan.conversation_id
        reason = f"{call.step.value} at {self.name}: {error}"
        recorded = await self._shared.state.run(
            lambda connection: record_failure(connection, conversation, reason, self.name)
        )
        self._shared.tries.pop(number, None)
        self._count(recorded)
        self._shared.schedule.end(conversation, is_saved=False)
        self._shared.counters.set_aside += 1
        self._counters.set_aside += 1
        self._shared.log.write("set aside", provider=self.name, conversation=number, reason=reason)
        self._shared.notify(f"{self.name}: conversation {number} is set aside, {call.step.value} failed: {error}")

    async def _leave(self, reason: str, *, with_models: bool = False) -> None:
        """Take this provider out of the run; what waits for it may go on elsewhere."""
        if self.unusable is not None:
            return
        self.unusable = reason
        self._leave_to_others()
        if with_models and (names := sorted(await self._provider.list_models())):
            others = " and others" if len(names) > _SHOWN_MODELS else ""
            self.unusable += f"; it offers {', '.join(names[:_SHOWN_MODELS])}{others}"
        self._set_state("out", reason=self.unusable)
        if self.spent_budget not in ("--max-requests", "--max-tokens"):  # these end the run, which says so itself
            self._shared.notify(f"{self.name} is out for the rest of this run: {self.unusable}")


def _most_ahead(settings: ProviderSettings) -> int:
    """Return for how many requests at once a reservation is made before their permit."""
    if settings.requests_per_second is not None:
        most = settings.requests_per_second * _RESERVED_AHEAD_SECONDS
    else:
        most = (settings.max_in_flight or _MOST_AHEAD) / 2
    return min(_MOST_AHEAD, max(1, round(most)))


def _usage(completion: Completion | None, failure: ProviderError | None) -> Usage | None:
    """Return what a request was charged for, or None where nobody knows."""
    if completion:
        return completion.usage if completion.usage.total_tokens else None
    return None if failure and failure.may_be_billed else Usage()


def _spell_budget(budget: str) -> str:
    if budget == MONTH:
        return "its tokens_per_month are spent; raise the limit or use another provider"
    return f"the budget {budget} is reached"


def _seconds_to_wait(state: tenacity.RetryCallState) -> float:
    """An exponential back-off with jitter; after a refusal for the rate, the pacer's pause is what is waited for."""
    if state.outcome and isinstance(state.outcome.exception(), RateLimitedError):
        return 0.0
    longest = min(_LONGEST_BACKOFF_SECONDS, _FIRST_BACKOFF_SECONDS * 2.0 ** (state.attempt_number - 1))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret depends on it


def _spell_seconds(seconds: float) -> str:
    if seconds < 0.1:  # noqa: PLR2004 - style
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.0f} s" if seconds >= 10 or seconds == int(seconds) else f"{seconds:.1f} s"  # noqa: PLR2004 - style
