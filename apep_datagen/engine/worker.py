"""A provider's worker: it pulls the conversation that is to go on, has its call made, and records what came of it.

    conversation → call (`requester`) → transaction (`commit`): cost, step, tools, finish → it waits again

A conversation is pulled just so early that its call is paid for on the disk when its permit comes: by one permit, at
the rates of most providers. So no commit comes between a permit and its request, and few conversations are half-done.

What fails for good sets its conversation aside, not the run. A provider that cannot be used, or has spent its budget,
leaves the run, and others take over what it had begun; so they do while it rests.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Mapping

from apep_datagen.budget.account import ENDING_LIMITS, Account
from apep_datagen.budget.amounts import Price
from apep_datagen.budget.month import MONTH_LIMIT
from apep_datagen.budget.obstacles import BudgetSpentError, NotNowError
from apep_datagen.budget.purse import Purse
from apep_datagen.config.settings import ProviderSettings
from apep_datagen.conversation.machine import ModelCall, next_step
from apep_datagen.conversation.prompting import prompt
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.errors import ModelUnknownError, ProviderError, ProviderUnusableError, RetryableError
from apep_datagen.core.messages import CompletionRequest
from apep_datagen.engine.availability import Availability
from apep_datagen.engine.commit import Committed, Rules, commit_answer, commit_failure
from apep_datagen.engine.context import RunContext, Tries
from apep_datagen.engine.recent_yield import RecentYield
from apep_datagen.engine.requester import PaidCompletion, Requester
from apep_datagen.providers.base import Provider, spell_offer
from apep_datagen.storage.conversations import StepRecord

__all__ = ["Worker"]

# A commit takes less, and so many calls may be on their way to the disk at once.
_PAID_AHEAD_SECONDS = 0.05
_MOST_AHEAD = 32


class Worker:
    """Drives one provider for a run.

    Args:
        availability: The provider's state.
        settings: Its model and limits.
        provider: Its adapter, started.
        context: What all workers have in common.
        prices: By model.
        open_month: Opens the account of its tokens of a month; None for no limit.
        rules: What decides about its finished conversations.

    Attributes:
        name: The provider's name.
        availability: As above.
        spent_budget: The budget that it is out for, or None.
    """

    def __init__(
        self,
        availability: Availability,
        settings: ProviderSettings,
        provider: Provider,
        context: RunContext,
        *,
        prices: Mapping[str, Price],
        open_month: Callable[[str], Account] | None,
        rules: Rules,
    ) -> None:
        self.name = availability.name
        self.availability = availability
        self.spent_budget: str | None = None
        self._settings = settings
        self._provider = provider
        self._rules = rules
        self._context = context
        purse = Purse(self.name, prices, context.treasury, open_month, availability.is_over)
        self._requester = Requester(provider, availability, purse, context)
        self._counters = context.counters.providers[self.name] = availability.counters
        # One at a time is strictly so: the next is chosen when the last is committed, and the same seed and answers
        # then lead to the same choices.
        self._is_serial = settings.max_in_flight == 1
        self._ahead = asyncio.Semaphore(_most_ahead(settings))
        self._yield = RecentYield()

    async def run(self) -> None:
        """Make calls until the output lacks nothing, the provider is out or the run is stopping.

        Returns when no request is in flight any more.

        Raises:
            StorageError: An outcome could not be committed (in an ExceptionGroup).
        """
        schedule, availability = self._context.schedule, self.availability
        try:
            async with asyncio.TaskGroup() as calls:
                while await self._wait_for_work():
                    try:
                        await availability.unless_interrupted(self._ahead.acquire())
                    except NotNowError:
                        continue
                    is_probe = not availability.breaker.is_closed
                    conversation = None if availability.has_to_wait() else schedule.take(self.name, is_probe=is_probe)
                    if conversation is None:
                        # What there was is gone meanwhile: another provider began the last conversation.
                        self._ahead.release()
                    elif is_probe:
                        availability.set_state("probing")
                        await self._call(conversation)
                    else:
                        calls.create_task(self._call(conversation))
                        if conversation.steps == 0:
                            # New conversations go round: where permits need no waiting, the others get their turn.
                            await asyncio.sleep(0)
        finally:
            schedule.release_provider(self.name)
            self._context.wake()

    async def _wait_for_work(self) -> bool:
        """Wait until this provider has something to do, and may do it; False when it never will have."""
        while not self.availability.is_over():
            rest = self.availability.rests_for()
            if rest <= 0 and self._context.schedule.has_work(self.name):
                return True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rest if rest > 0 else None):
                    await self._context.work_changed.wait()
        return False

    async def _call(self, conversation: Conversation) -> None:
        """Make the call that `conversation` waits for, record what came of it, and let the schedule know."""
        try:
            await self._call_and_record(conversation)
        finally:
            if self._is_serial:
                self._ahead.release()
            self._context.wake()

    async def _call_and_record(self, conversation: Conversation) -> None:
        needed = next_step(conversation)
        assert isinstance(needed, ModelCall)  # noqa: S101 - only such conversations are in the schedule
        request = self._request(conversation, needed)
        try:
            sent = (lambda: None) if self._is_serial else self._ahead.release
            answer = await self._requester.ask(conversation, request, sent)
        except ProviderUnusableError as error:
            await self._leave(str(error), with_models=isinstance(error, ModelUnknownError))
            self._put_back(conversation)
        except BudgetSpentError as error:
            self.spent_budget = error.budget
            await self._leave(_spell_budget(error.budget))
            self._put_back(conversation)
        except NotNowError:
            self._put_back(conversation)
        except ProviderError as error:
            if self.availability.breaker.never_comes_back:
                await self._leave(f"it has never answered; the last failure: {error}")
            if isinstance(error, RetryableError) and self._requester.may_succeed(conversation):
                self._put_back(conversation)
            else:
                await self._set_aside(conversation, needed, error)
        else:
            await self._record(conversation, request, answer)

    def _put_back(self, conversation: Conversation) -> None:
        """Let a conversation wait for its next call; from any provider where this one does not send for a while."""
        tries = self._context.tries.get(conversation.brief.conversation_id, Tries())
        provider = None if self.availability.has_to_wait() else self.name
        self._context.schedule.put_back(conversation, provider, failures=tries.total)

    def _request(self, conversation: Conversation, call: ModelCall) -> CompletionRequest:
        role = call.step.model_role
        sampling = self._context.roles.of(role)
        return CompletionRequest(
            step=call.step,
            messages=prompt(conversation),
            model=self._settings.model_for(role),
            temperature=sampling.temperature,
            max_tokens=sampling.max_tokens,
            # Some servers read the seed as a signed 32-bit number.
            seed=(conversation.brief.seed + conversation.steps) % 2**31,
        )

    # Recording what came of it.

    async def _record(self, conversation: Conversation, request: CompletionRequest, answer: PaidCompletion) -> None:
        """Commit an answer with all that follows from it, and let the conversation go on."""
        context, completion = self._context, answer.completion
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

        def settle_and_record(connection: sqlite3.Connection) -> Committed:
            answer.settle(connection)
            return commit_answer(connection, conversation, record, self.name, self._rules)

        committed = await context.state.run(settle_and_record)
        context.tries.pop(conversation.brief.conversation_id, None)
        self._count(committed)
        context.counters.last_question = committed.conversation.exchanges[-1].question
        if committed.is_finished:
            await self._end(committed)
        else:
            self._put_back(committed.conversation)

    async def _end(self, committed: Committed) -> None:
        """Take note of a judged conversation; leave the run where too few are accepted."""
        context, problem = self._context, committed.problem
        context.schedule.end(committed.conversation, is_accepted=problem is None, timeline=committed.timeline)
        if problem is None:
            context.counters.done += 1
            self._counters.conversations += 1
        else:
            context.counters.rejected += 1
            self._counters.rejected += 1
            context.log.write(
                "rejected",
                provider=self.name,
                conversation=committed.conversation.brief.conversation_id,
                ability=committed.conversation.brief.scenario.ability.value,
                stage=problem.stage.value,
                reason=problem.reason,
            )
        self._yield.count(committed.conversation.brief.scenario.ability, problem)
        if complaint := self._yield.complaint(self._rules.least_yield):
            await self._leave(complaint)

    def _count(self, committed: Committed) -> None:
        self._context.counters.memories += committed.memories
        self._context.counters.diary_pages += committed.diary_pages

    async def _set_aside(self, conversation: Conversation, call: ModelCall, error: ProviderError) -> None:
        number = conversation.brief.conversation_id
        reason = f"{call.step.value} at {self.name}: {error}"
        committed = await self._context.state.run(
            lambda connection: commit_failure(connection, conversation, reason, self.name)
        )
        self._context.tries.pop(number, None)
        self._count(committed)
        self._context.schedule.end(conversation, is_accepted=False, timeline=None)
        self._context.counters.set_aside += 1
        self._counters.set_aside += 1
        self._context.log.write("set aside", provider=self.name, conversation=number, reason=reason)
        self._context.notify(f"{self.name}: conversation {number} is set aside, {call.step.value} failed: {error}")

    async def _leave(self, reason: str, *, with_models: bool = False) -> None:
        """Take this provider out of the run; what waits for it may go on elsewhere."""
        if self.availability.out_because is not None:
            return
        self.availability.out_because = reason
        self.availability.leave_to_others()
        if with_models:
            self.availability.out_because += spell_offer(await self._provider.list_models())
        self.availability.set_state("out", reason=self.availability.out_because)
        if self.spent_budget not in ENDING_LIMITS:  # these end the run, which says so itself
            self._context.notify(f"{self.name} is out for the rest of this run: {self.availability.out_because}")


def _most_ahead(settings: ProviderSettings) -> int:
    """Return how many calls are paid for before their permits come."""
    if settings.max_in_flight == 1:
        return 1
    if settings.requests_per_second is not None:
        most = settings.requests_per_second * _PAID_AHEAD_SECONDS
    else:
        most = (settings.max_in_flight or _MOST_AHEAD) / 2
    return min(_MOST_AHEAD, max(1, round(most)))


def _spell_budget(budget: str) -> str:
    if budget == MONTH_LIMIT:
        return "its tokens_per_month are spent; raise the limit or use another provider"
    return f"the budget {budget} is reached"
