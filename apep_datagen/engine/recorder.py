"""What came of one provider's calls, recorded: an answer with all that follows from it, or a conversation that failed.

Each is one transaction (`commit`); behind it the schedule, the counters and the log are told. What nobody foresaw in a
transaction, such as a judgement that fails, costs its conversation alone.
"""

from __future__ import annotations

import sqlite3
import traceback
from collections.abc import Callable

from apep_datagen.conversation.prompt_set import UnusablePromptError
from apep_datagen.conversation.rewriting import NO_ANSWER
from apep_datagen.conversation.shortcoming import Shortcoming
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.errors import FailureKind, StorageError
from apep_datagen.core.messages import CompletionRequest, Step
from apep_datagen.engine.commit import Committed, Rules, commit_answer, commit_failure
from apep_datagen.engine.context import RunContext
from apep_datagen.engine.counters import ProviderCounters
from apep_datagen.engine.recent_rewrites import RecentRewrites
from apep_datagen.engine.recent_yield import RecentYield
from apep_datagen.engine.requester import PaidCompletion
from apep_datagen.storage.conversations import StepRecord
from apep_datagen.storage.verdicts import SET_ASIDE

__all__ = ["Recorder"]

Job = Callable[[sqlite3.Connection], None]


class Recorder:
    """Records what came of the calls of one provider.

    A conversation is its Ada's, whoever records its end: her provider's rules decide, and it counts in her yield.

    Args:
        counters: The provider's.
        context: What all providers of the run have in common.
        rules: What decides about the conversations that it plays Ada in.
    """

    def __init__(self, counters: ProviderCounters, context: RunContext, rules: Rules) -> None:
        self._name = counters.name
        self._counters = counters
        self._context = context
        self._rules = context.rules[self._name] = rules
        self._yield = context.recent_yields[self._name] = RecentYield()
        self._rewrites = RecentRewrites(counters.name)

    def complaint(self) -> str | None:
        """Say what is wrong where too few of the provider's conversations are accepted; else None."""
        return self._yield.complaint(self._rules.least_yield)

    async def record(
        self, conversation: Conversation, request: CompletionRequest, answer: PaidCompletion
    ) -> Conversation | None:
        """Commit an answer with all that follows from it.

        Returns:
            The conversation as it goes on, or None where it has ended.

        Raises:
            StorageError: Nothing can be recorded any more.
        """
        completion = answer.completion
        record = StepRecord(
            kind=request.step.value,
            text=completion.text,
            finish_reason=completion.finish_reason,
            provider=self._name,
            model=request.model,
            prompt_tokens=completion.usage.prompt_tokens,
            completion_tokens=completion.usage.completion_tokens,
            seconds=answer.seconds,
        )

        return await self._record(conversation, request.step, record, answer.settle)

    async def record_without(self, conversation: Conversation, step: Step, words: str) -> Conversation | None:
        """Let a conversation go on, or end, without a step that can be left out and is answered for good with nothing.

        Args:
            conversation: Which one.
            step: What is due: its rewrite, in whose place Ada's own thoughts stay, or its review.
            words: What went wrong.

        Returns:
            The conversation, if it goes on.

        Raises:
            StorageError: Nothing can be recorded any more.
        """
        number = conversation.brief.conversation_id
        what = {Step.REWRITE: "keeps Ada's own thoughts", Step.REVIEW: "is not reviewed"}[step]
        event = {Step.REWRITE: "not rewritten", Step.REVIEW: "not reviewed"}[step]
        self._context.log.write(event, provider=self._name, conversation=number, reason=words)
        self._context.notify(f"{self._name}: conversation {number} {what}, {step.value} failed: {words}")
        record = StepRecord(kind=step.value, text="", finish_reason=NO_ANSWER)
        return await self._record(conversation, step, record, lambda _connection: None)

    async def _record(
        self, conversation: Conversation, step: Step, record: StepRecord, settle: Job
    ) -> Conversation | None:
        rules = self._context.rules[self._owner_of(conversation) or self._name]

        def settle_and_record(connection: sqlite3.Connection) -> Committed:
            settle(connection)
            return commit_answer(connection, conversation, record, self._name, rules)

        try:
            committed = await self._context.state.run(settle_and_record)
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it costs this conversation alone
            await self.set_aside_unforeseen(conversation, step, error, settle)
            return None
        self._context.tries.pop(conversation.brief.conversation_id, None)
        self._count_notes(committed)
        self._count_rewrites(committed)
        self._context.counters.last_question = committed.conversation.exchanges[-1].question
        if not committed.is_finished:
            return committed.conversation
        self._end(committed)
        return None

    def _end(self, committed: Committed) -> None:
        """Take note of a judged conversation."""
        context, conversation, problem = self._context, committed.conversation, committed.problem
        owner = self._owner_of(conversation)
        counters = context.counters.providers[owner or self._name]
        context.schedule.end(conversation, is_accepted=problem is None, timeline=committed.timeline)
        if problem is None:
            context.counters.done += 1
            counters.conversations += 1
        else:
            context.counters.rejected += 1
            counters.rejected += 1
            context.log.write(
                "rejected",
                provider=counters.name,
                conversation=conversation.brief.conversation_id,
                ability=conversation.brief.scenario.ability.value,
                stage=problem.stage.value,
                reason=problem.reason,
            )
        why = f"{problem.reason} ({problem.stage.value})" if problem else None
        self._count_yield(owner, conversation, why)
        context.note_verdict(conversation, *((problem.stage.value, problem.reason) if problem else ()))

    async def set_aside(
        self,
        conversation: Conversation,
        step: Step,
        kind: FailureKind,
        words: str,
        settle: Job = lambda _connection: None,
    ) -> None:
        """Set a conversation aside that failed for good, and undo what it did to memory and diary.

        Args:
            conversation: Which one.
            step: Which of its steps failed.
            kind: What that is counted as.
            words: What went wrong.
            settle: Records what its last answer cost, where that is not done yet.

        Raises:
            StorageError: Nothing can be recorded any more.
        """
        number, context = conversation.brief.conversation_id, self._context
        reason = f"{step.value} at {self._name}: {words}"

        def settle_and_set_aside(connection: sqlite3.Connection) -> Committed:
            settle(connection)
            return commit_failure(connection, conversation, kind, reason, provider=self._name, rules=self._rules)

        committed = await context.state.run(settle_and_set_aside)
        context.tries.pop(number, None)
        self._count_notes(committed)
        owner = self._owner_of(conversation)
        context.counters.target -= committed.lost
        context.schedule.end(conversation, is_accepted=False, timeline=None, lost=committed.lost)
        context.counters.set_aside += 1
        self._counters.set_aside += 1
        context.log.write("set aside", provider=self._name, conversation=number, reason=reason)
        context.notify(f"{self._name}: conversation {number} is set aside, {step.value} failed: {words}")
        self._count_yield(owner, conversation, f"set aside ({kind.value})")
        context.note_verdict(conversation, SET_ASIDE)

    async def set_aside_unforeseen(
        self, conversation: Conversation, step: Step, error: Exception, settle: Job = lambda _connection: None
    ) -> None:
        """Set a conversation aside in which something went wrong that nobody foresaw, or a prompt cannot be written.

        Where it came from is in the log, for a developer; other arguments as for `set_aside`.

        Raises:
            StorageError: It cannot even be set aside.
        """
        words = str(error) if isinstance(error, UnusablePromptError) else f"{type(error).__name__}: {error}"
        number = conversation.brief.conversation_id
        self._context.log.write(
            "unforeseen",
            provider=self._name,
            conversation=number,
            error=words,
            traceback="".join(traceback.format_exception(error)),
        )
        try:
            await self.set_aside(conversation, step, FailureKind.UNFORESEEN, words, settle)
        except StorageError:
            raise
        except Exception as second:
            raise StorageError(
                f"Conversation {number} can neither go on ({words}) nor be set aside"
                f" ({type(second).__name__}: {second}); apep-datagen verify shows whether the state database is damaged"
            ) from second

    def _owner_of(self, conversation: Conversation) -> str | None:
        return self._context.schedule.owner_of(conversation, self._name)

    def _count_yield(self, owner: str | None, conversation: Conversation, why: str | None) -> None:
        if owner is not None:
            self._context.recent_yields[owner].count(conversation.brief.scenario.ability, why)

    def _count_notes(self, committed: Committed) -> None:
        self._context.counters.memories += committed.memories
        self._context.counters.diary_pages += committed.diary_pages

    def _count_rewrites(self, committed: Committed) -> None:
        # Those of this answer that judging has put back stand among its own.
        now = sum(bool(why) for why in committed.rewritten)
        earlier = committed.put_back - sum(why == Shortcoming.REJECTED for why in committed.rewritten)
        self._context.counters.kept_originals += now + earlier
        if message := self._rewrites.count(committed.rewritten):
            self._context.notify(message)
