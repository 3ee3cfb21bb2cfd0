"""A provider's dispatcher: it waits for a permit, pulls the conversation that is to go on, and makes one call of it.

    permit → conversation → request (retried) → transaction: step, tools, finish → the conversation waits again

Retrying is here, once for all providers. What fails for good sets its conversation aside, not the run; a provider that
cannot be used, or fails conversation after conversation, leaves the run, and others take over what it had begun.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import tenacity

from apep_datagen.conversation import (
    Conversation,
    ModelCall,
    next_step,
    problem_with,
    prompt,
)
from apep_datagen.counters import ProviderCounters, RunCounters
from apep_datagen.errors import (
    ModelUnknownError,
    ProviderError,
    ProviderUnusableError,
    RateLimitedError,
    RequestRefusedError,
    RetryableError,
    TransientError,
    UnusableAnswerError,
)
from apep_datagen.limits import Pacer, Permit
from apep_datagen.messages import Completion, CompletionRequest
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
# A provider that fails so many conversations in a row, each after all its attempts, is not coming back by itself.
_FAILURES_IN_A_ROW = 10
_SHOWN_MODELS = 12


@dataclass(slots=True)
class Shared:
    """What all dispatchers of a run have in common.

    Attributes:
        schedule: Which conversation goes on next.
        state: Where outcomes are recorded.
        counters: What the view of progress shows.
        roles: How each role's model is sampled.
        notify: Is told, in a sentence, what a person should know.
        work_changed: Set, and replaced, whenever the schedule has changed.
        stopping: Whether nothing new is to be sent.
    """

    schedule: Schedule
    state: StateDatabase
    counters: RunCounters
    roles: RolesSettings
    notify: Callable[[str], None]
    work_changed: asyncio.Event
    stopping: bool = False

    def wake(self) -> None:
        """Let every dispatcher look at the schedule again."""
        self.work_changed.set()
        self.work_changed = asyncio.Event()


class Dispatcher:
    """Drives one provider for a run.

    Args:
        name: The provider's name.
        settings: Its model and limits.
        provider: Its adapter, started.
        shared: What all dispatchers have in common.
        tokens_left: What is left of `tokens_per_month`, or None for no limit.
    """

    def __init__(
        self,
        name: str,
        settings: ProviderSettings,
        provider: Provider,
        shared: Shared,
        *,
        tokens_left: int | None,
    ) -> None:
        self.name = name
        self.unusable: str | None = None
        self._settings = settings
        self._provider = provider
        self._shared = shared
        self._tokens_left = tokens_left
        self._failures_in_a_row = 0
        self._interruptible: set[asyncio.Task[Any]] = set()
        self._pacer = Pacer(
            requests_per_second=settings.requests_per_second,
            tokens_per_minute=settings.tokens_per_minute,
            max_in_flight=settings.max_in_flight,
        )
        self._counters = ProviderCounters(name, settings.requests_per_second)
        shared.counters.providers[name] = self._counters

    async def run(self) -> None:
        """Make calls until the output lacks nothing, the provider is out or the run is stopping.

        Returns when no request is in flight any more.

        Raises:
            StorageError: An outcome could not be recorded (in an ExceptionGroup).
        """
        try:
            await self._spend(0)
            async with asyncio.TaskGroup() as calls:
                while await self._wait_for_work():
                    try:
                        permit = await self._permit()
                    except _StoppingError:
                        continue
                    conversation = None if self._over() else self._shared.schedule.take(self.name)
                    if conversation is None:
                        # What there was is gone meanwhile: another provider began the last conversation.
                        self._pacer.release(permit, 0)
                        continue
                    calls.create_task(self._call(conversation, permit))
                    if conversation.steps == 0:
                        # New conversations go round: where permits need no waiting, the others get their turn.
                        await asyncio.sleep(0)
        finally:
            self._shared.schedule.release_provider(self.name)
            self._shared.wake()

    def interrupt(self) -> None:
        """End all waiting, once the run is stopping or this provider is out; requests under way are not touched."""
        for task in self._interruptible:
            task.cancel()

    def _over(self) -> bool:
        return self._shared.stopping or self.unusable is not None or self._shared.schedule.finished

    async def _wait_for_work(self) -> bool:
        """Wait until this provider has something to do; False when it never will have."""
        while not self._over():
            if self._shared.schedule.has_work(self.name):
                return True
            await self._shared.work_changed.wait()
        return False

    async def _permit(self) -> Permit:
        """Wait until a request may be sent now.

        Raises:
            _StoppingError: Nothing is to be sent any more.
        """
        return await self._unless_interrupted(self._pacer.acquire())

    async def _unless_interrupted(self, waiting: Coroutine[Any, Any, Result]) -> Result:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        self._interruptible.add(task)
        try:
            return await waiting
        except asyncio.CancelledError:
            if not self._over():
                raise
            task.uncancel()
            raise _StoppingError from None
        finally:
            self._interruptible.discard(task)

    async def _call(self, conversation: Conversation, permit: Permit) -> None:
        """Make the call that `conversation` waits for, record what came of it, and let the schedule know."""
        try:
            await self._call_and_record(conversation, permit)
        finally:
            self._shared.wake()

    async def _call_and_record(self, conversation: Conversation, permit: Permit) -> None:
        schedule = self._shared.schedule
        needed = next_step(conversation)
        assert isinstance(needed, ModelCall)  # noqa: S101 - only such conversations are in the schedule
        request = self._request(conversation, needed)
        began = time.monotonic()
        try:
            completion = await self._complete(conversation, request, permit)
        except ProviderUnusableError as error:
            await self._leave(str(error), with_models=isinstance(error, ModelUnknownError))
            schedule.put_back(conversation, None)
        except _StoppingError:
            schedule.put_back(conversation, self.name if self.unusable is None else None)
        except ProviderError as error:
            if self.unusable is not None:
                schedule.put_back(conversation, None)
            else:
                await self._set_aside(conversation, needed, error)
        else:
            self._failures_in_a_row = 0
            record = StepRecord(
                kind=needed.step.value,
                text=completion.text,
                finish_reason=completion.finish_reason,
                provider=self.name,
                model=request.model,
                prompt_tokens=completion.usage.prompt_tokens,
                completion_tokens=completion.usage.completion_tokens,
                seconds=round(time.monotonic() - began, 3),
            )
            await self._record(conversation, record)

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

    async def _complete(self, conversation: Conversation, request: CompletionRequest, permit: Permit) -> Completion:
        """Send the request until it is answered, at most `ATTEMPTS` times.

        Raises:
            ProviderError: The last attempt failed, or asking again cannot help.
            _StoppingError: The run is stopping, and the request would have to be sent again.
        """
        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            retry=tenacity.retry_if_exception_type(RetryableError),
            wait=_seconds_to_wait,
            before_sleep=self._before_retry,
            sleep=self._sleep,
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                if attempt.retry_state.attempt_number > 1:
                    permit = await self._permit()
                return await self._send(conversation, request, permit)
        raise AssertionError  # the last attempt returns or raises

    async def _send(self, conversation: Conversation, request: CompletionRequest, permit: Permit) -> Completion:
        if self._over():
            self._pacer.release(permit, 0)
            raise _StoppingError
        counters = self._counters
        counters.requests += 1
        counters.in_flight = self._pacer.in_flight
        tokens: int | None = None
        try:
            completion = await self._provider.complete(request)
            tokens = completion.usage.total_tokens
            counters.prompt_tokens += completion.usage.prompt_tokens
            counters.completion_tokens += completion.usage.completion_tokens
        except (RateLimitedError, RequestRefusedError, ProviderUnusableError):
            tokens = 0
            raise
        finally:
            self._pacer.release(permit, tokens)
            counters.in_flight = self._pacer.in_flight
        await self._spend(tokens)
        problem = problem_with(conversation, completion)
        if problem:
            raise UnusableAnswerError(problem)
        return completion

    def _before_retry(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        seconds = state.next_action.sleep if state.next_action else 0.0
        kind = "failed"
        if isinstance(error, RateLimitedError):
            kind = "rate limited"
            self._pacer.pause(seconds)
        elif isinstance(error, TransientError):
            kind = "unavailable"
        elif isinstance(error, UnusableAnswerError):
            kind = "unusable answer"
        self._counters.retries += 1
        detail = "" if isinstance(error, RateLimitedError) else f": {error}"
        self._shared.notify(
            f"{self.name}: {kind} (attempt {state.attempt_number}/{ATTEMPTS}),"
            f" waiting {_spell_seconds(seconds)}{detail}"
        )

    async def _sleep(self, seconds: float) -> None:
        await self._unless_interrupted(asyncio.sleep(seconds))

    async def _spend(self, tokens: int) -> None:
        if self._tokens_left is not None:
            self._tokens_left -= tokens
            if self._tokens_left <= 0:
                await self._leave("its tokens_per_month are spent; raise the limit or use another provider")

    # Recording what came of it.

    async def _record(self, conversation: Conversation, record: StepRecord) -> None:
        """Commit an answer with all that follows from it, and let the conversation go on."""
        shared = self._shared
        timeline_length = shared.schedule.settings.timeline_length
        recorded = await shared.state.run(
            lambda connection: record_answer(connection, conversation, record, self.name, timeline_length)
        )
        self._count(recorded)
        shared.counters.last_question = recorded.conversation.exchanges[-1].question
        if recorded.is_finished:
            shared.counters.done += 1
            self._counters.conversations += 1
            shared.schedule.end(recorded.conversation, is_saved=True)
        else:
            shared.schedule.put_back(recorded.conversation, self.name if self.unusable is None else None)

    def _count(self, recorded: Recorded) -> None:
        self._shared.counters.memories += recorded.memories
        self._shared.counters.diary_pages += recorded.diary_pages

    async def _set_aside(self, conversation: Conversation, call: ModelCall, error: ProviderError) -> None:
        number = conversation.plan.conversation_id
        reason = f"{call.step.value} at {self.name}: {error}"
        recorded = await self._shared.state.run(
            lambda connection: record_failure(connection, conversation, reason, self.name)
        )
        self._count(recorded)
        self._shared.schedule.end(conversation, is_saved=False)
        self._shared.counters.set_aside += 1
        self._counters.set_aside += 1
        self._shared.notify(f"{self.name}: conversation {number} is set aside, {call.step.value} failed: {error}")
        if isinstance(error, RetryableError):
            self._failures_in_a_row += 1
            if self._failures_in_a_row >= _FAILURES_IN_A_ROW:
                await self._leave(f"{_FAILURES_IN_A_ROW} conversations failed in a row, the last one with: {error}")

    async def _leave(self, reason: str, *, with_models: bool = False) -> None:
        """Take this provider out of the run; what waits for it may go on elsewhere."""
        if self.unusable is not None:
            return
        self.unusable = reason
        self._counters.state = "out"
        if with_models and (names := sorted(await self._provider.list_models())):
            others = " and others" if len(names) > _SHOWN_MODELS else ""
            self.unusable += f"; it offers {', '.join(names[:_SHOWN_MODELS])}{others}"
        self._shared.notify(f"{self.name} is out for the rest of this run: {self.unusable}")
        self._shared.schedule.release_provider(self.name)
        self._shared.wake()
        self.interrupt()


class _StoppingError(Exception):
    """The run is stopping, and the request was not sent."""


def _seconds_to_wait(state: tenacity.RetryCallState) -> float:
    """What the provider asked for, else an exponential back-off with jitter."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, RateLimitedError) and error.retry_after is not None:
        return error.retry_after
    longest = min(_LONGEST_BACKOFF_SECONDS, _FIRST_BACKOFF_SECONDS * 2.0 ** (state.attempt_number - 1))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret depends on it


def _spell_seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds >= 10 or seconds == int(seconds) else f"{seconds:.1f} s"  # noqa: PLR2004 - style
