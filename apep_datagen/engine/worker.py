"""A provider's worker: it pulls the conversation that is to go on, has its call made, and records what came of it.

    conversation → call (`requester`) → transaction (`commit`): cost, step, tools, finish → it waits again

A conversation is pulled just so early that its call is paid for on the disk when its permit comes: by one permit, at
the rates of most providers. So no commit comes between a permit and its request, and few conversations are half-done.

What fails for good sets its conversation aside, not the run: a refusal, an answer of no use, whatever nobody foresaw in
one request or one prompt. A provider that cannot be used, is of no use to several conversations in a row (`streak`) or
has spent its budget leaves the run, and others take over what it had begun; so they do while it rests.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping

from apep_datagen.budget.account import ENDING_LIMITS, Account
from apep_datagen.budget.amounts import Price
from apep_datagen.budget.month import MONTH_LIMIT
from apep_datagen.budget.obstacles import BudgetSpentError, NotNowError
from apep_datagen.budget.purse import Purse
from apep_datagen.config.provider_settings import ProviderSettings
from apep_datagen.conversation.machine import ModelCall, next_step
from apep_datagen.conversation.prompt_set import UnusablePromptError
from apep_datagen.conversation.prompting import prompt, prompt_as_trained
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.errors import (
    ModelUnknownError,
    ProviderError,
    ProviderUnusableError,
    RequestRefusedError,
    StorageError,
)
from apep_datagen.core.messages import CompletionRequest, ModelRole, Step
from apep_datagen.engine.availability import Availability
from apep_datagen.engine.commit import Rules
from apep_datagen.engine.context import RunContext
from apep_datagen.engine.recorder import Recorder
from apep_datagen.engine.requester import Requester
from apep_datagen.providers.base import Provider, spell_offer

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
        self._context = context
        purse = Purse(self.name, prices, context.treasury, open_month, availability.is_over)
        self._requester = Requester(provider, availability, purse, context)
        self._counters = context.counters.providers[self.name] = availability.counters
        # One at a time is strictly so: the next is chosen when the last is committed, and the same seed and answers
        # then lead to the same choices.
        self._is_serial = settings.max_in_flight == 1
        self._ahead = asyncio.Semaphore(_most_ahead(settings))
        self._recorder = Recorder(self._counters, context, rules)
        self._streak = availability.streak

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
                    conversation = None if availability.has_to_wait() else self._take(is_probe=is_probe)
                    if conversation is None:
                        # What there was is gone meanwhile: another provider began the last conversation.
                        self._ahead.release()
                    elif is_probe:
                        availability.set_state("probing")
                        await self._call(conversation)
                    else:
                        calls.create_task(self._call(conversation))
                        if conversation.is_new:
                            # New conversations go round: where permits need no waiting, the others get their turn.
                            await asyncio.sleep(0)
        finally:
            schedule.release_provider(self.name)
            self._context.wake()

    def _take(self, *, is_probe: bool) -> Conversation | None:
        """Take the conversation to go on with: where it is in doubt if the provider is of use, one that has not failed.

        Not where one at a time is made, in an order that follows from seed and answers alone.
        """
        is_in_doubt = self._streak.is_in_doubt() and not self._is_serial
        return self._context.schedule.take(self.name, is_probe=is_probe, is_in_doubt=is_in_doubt)

    async def _wait_for_work(self) -> bool:
        """Wait until this provider has something to do, and may do it; False when it never will have."""
        while not self.availability.is_over():
            rest = self.availability.rests_for()
            if rest <= 0 and self._context.schedule.has_work(self.name):
                return True
            if self.availability.waits_for_month() and not self._context.is_complete():
                self.spent_budget = MONTH_LIMIT
                await self._leave("its tokens_per_month are spent; raise the limit or use another provider")
                return False
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
        role = needed.step.model_role
        sent: Callable[[], None] = (lambda: None) if self._is_serial else self._ahead.release
        try:
            request = self._request(conversation, needed)
        except Exception as error:  # noqa: BLE001 - a prompt is a user's program, and costs this conversation alone
            sent()
            await self._set_aside_unforeseen(conversation, needed.step, error)
            return
        try:
            answer = await self._requester.ask(conversation, request, sent)
        except ProviderUnusableError as error:
            self._put_back(conversation)  # before the list of models is waited for
            if self._streak.believe_verdict(role, request.model):
                await self._leave(str(error), with_models=isinstance(error, ModelUnknownError))
        except BudgetSpentError as error:
            await self._end_budget(error.budget)
            self._put_back(conversation)
        except NotNowError:
            self._put_back(conversation)
        except ProviderError as error:
            await self._end_call(conversation, needed, error)
        except StorageError:
            raise  # nothing can be recorded any more
        except Exception as error:  # noqa: BLE001 - whatever it is, it costs this conversation alone
            await self._set_aside_unforeseen(conversation, needed.step, error)
        else:
            self._streak.note_use(role, request.model)
            going_on = await self._recorder.record(conversation, request, answer)
            if going_on is not None:
                self._put_back(going_on)
        if complaint := self._recorder.complaint():
            await self._leave(complaint)

    async def _set_aside_unforeseen(self, conversation: Conversation, step: Step, error: Exception) -> None:
        if step.can_be_left_out and isinstance(error, UnusablePromptError):
            await self._go_on_without(conversation, step, str(error))
            return
        await self._recorder.set_aside_unforeseen(conversation, step, error)
        self._streak.note_failure(step.model_role, conversation.brief.conversation_id)
        await self._leave_if_useless(step.model_role, error)

    async def _leave_if_useless(self, role: ModelRole, error: Exception) -> bool:
        """Leave the run where this provider is of no use for a role, as `error` showed last; tell if so."""
        if complaint := self._streak.complaint(role):
            await self._leave(_spell_complaint(self.name, complaint, error))
        return complaint is not None

    async def _end_budget(self, budget: str) -> None:
        """Wait for the next month, or leave: until then others may work, or not."""
        if budget == MONTH_LIMIT:
            if not self.availability.waits_for_month():
                self.availability.spend_month()
                if self._context.is_complete():
                    self._context.notify(
                        f"{self.name}: its tokens_per_month are spent; it comes back when the month turns"
                    )
            return
        self.spent_budget = budget
        await self._leave(f"the budget {budget} is reached")

    async def _end_call(self, conversation: Conversation, call: ModelCall, error: ProviderError) -> None:
        """Let a conversation whose call failed be tried again, or set it aside; leave the run where others fail too."""
        role, number = call.step.model_role, conversation.brief.conversation_id
        is_refused = isinstance(error, RequestRefusedError)
        if is_refused or not self._requester.may_succeed(conversation):
            self._streak.note_failure(role, number)
        if await self._leave_if_useless(role, error):
            # That says nothing of its conversations, which others may have taken over already.
            for useless in self._streak.conversations():
                if useless in self._context.tries:
                    self._context.tries[useless].counted = 0
        elif self.availability.breaker.never_comes_back:
            await self._leave(f"it has never answered; the last failure: {error}")
        if self._requester.may_succeed(conversation):
            if is_refused and self.availability.out_because is None:
                self._context.notify(f"{self.name}: refused, asking once more: {error}")
            self._put_back(conversation, to_any=is_refused)
        elif call.step.can_be_left_out:
            await self._go_on_without(conversation, call.step, str(error))
        else:
            await self._recorder.set_aside(conversation, call.step, error.kind, str(error))

    async def _go_on_without(self, conversation: Conversation, step: Step, words: str) -> None:
        going_on = await self._recorder.record_without(conversation, step, words)
        if going_on is not None:
            self._put_back(going_on)

    def _put_back(self, conversation: Conversation, *, to_any: bool = False) -> None:
        """Let a conversation wait for its next call; from any provider where its own does not send for a while."""
        tries, away = self._context.tries_of(conversation.brief.conversation_id), self._context.away()
        if to_any:
            away.add(self.name)
        self._context.schedule.put_back(conversation, self.name, away=away, failures=tries.total)

    def _request(self, conversation: Conversation, call: ModelCall) -> CompletionRequest:
        role = call.step.model_role
        sampling = self._context.roles.of(role)
        wire = self._context.wire if role is ModelRole.ADA else None
        return CompletionRequest(
            step=call.step,
            messages=() if wire else prompt(conversation),
            model=self._settings.model_for(role),
            temperature=sampling.temperature,
            max_tokens=sampling.max_tokens,
            # Some servers read the seed as a signed 32-bit number.
            seed=(conversation.brief.seed + conversation.steps) % 2**31,
            spelled=prompt_as_trained(conversation, wire) if wire else None,
        )

    async def _leave(self, reason: str, *, with_models: bool = False) -> None:
        """Take this provider out of the run; what waits for it may go on elsewhere."""
        if self.availability.out_because is not None:
            return
        self.availability.leave(reason)
        if with_models:
            self.availability.out_because = reason + spell_offer(await self._provider.list_models())
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


def _spell_complaint(provider: str, complaint: str, error: Exception) -> str:
    """Say that a provider is of no use, in its own words, and what to change."""
    said = f"{complaint}, the last time: {str(error).rstrip('.')}"
    if isinstance(error, RequestRefusedError):
        said += (
            ". If it refuses a parameter, change how it is asked: max_tokens_parameter, omit_parameters or extra_body"
            f" in [providers.{provider}]"
        )
    return said
