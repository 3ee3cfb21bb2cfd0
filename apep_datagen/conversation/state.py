"""The state of a conversation: plain values, and which call is due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apep_datagen.conversation.brief import Brief, QuestionAnswer
from apep_datagen.conversation.prompt_set import PromptSet
from apep_datagen.conversation.review import Review
from apep_datagen.core.markup import Answer
from apep_datagen.core.messages import Step
from apep_datagen.people.past import Past

__all__ = ["Conversation", "Exchange", "Turn", "due_call"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer of Ada's.

    Attributes:
        answer: What she wrote.
        results: If it has calls, their results (JSON values, in order); empty until they are run.
        finish_reason: What the provider said of its end; empty where it said nothing.
    """

    answer: Answer
    results: tuple[Any, ...] = ()
    finish_reason: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A user message and Ada's full answer to it.

    Attributes:
        question: The user's message.
        turns: Ada's turns; all but the last have calls.
        rewritten: Her thinking in each turn that has any, as the rewriter wrote it, or as it was where that is worse;
            None until the rewrite is done or left out.
        kept: For each of these why it is as it was, in a fixed sentence; empty where it is as the rewriter wrote it.
    """

    question: str
    turns: tuple[Turn, ...] = ()
    rewritten: tuple[str, ...] | None = None
    kept: tuple[str, ...] = ()

    @property
    def thoughts(self) -> tuple[str, ...]:
        """Her original thinking, in each turn that has any."""
        return tuple(turn.answer.thinking for turn in self.turns if turn.answer.thinking)

    @property
    def saved_thoughts(self) -> tuple[str, ...]:
        """The same as they are saved; as they are, where the rewrite is not done yet."""
        return self.thoughts if self.rewritten is None else self.rewritten

    @property
    def answered(self) -> bool:
        """Whether Ada has given her final reply."""
        return bool(self.turns) and not self.turns[-1].answer.calls

    @property
    def finished(self) -> bool:
        """Whether nothing more is to be done for this exchange."""
        return self.answered and (self.rewritten is not None or not self.thoughts)

    @property
    def question_answer(self) -> QuestionAnswer:
        """What both said aloud."""
        return QuestionAnswer(self.question, "\n\n".join(turn.answer.reply for turn in self.turns if turn.answer.reply))


@dataclass(frozen=True, slots=True)
class Conversation:
    """The state of one conversation.

    Attributes:
        brief: What was decided before its first call.
        prompts: The prompts that it began with.
        exchanges: What was said.
        steps: How many steps led to it.
        review: What the reviewer said of it; None until that is there, and where nobody is to be asked.
        past: What its timeline begins with, if it is the first of it; not needed any more once that is stored.
    """

    brief: Brief
    prompts: PromptSet
    exchanges: tuple[Exchange, ...] = ()
    steps: int = 0
    review: Review | None = None
    past: Past | None = None

    @property
    def is_new(self) -> bool:
        """Whether no call of it was made: nothing of it is stored yet."""
        return self.steps == bool(self.brief.messages)

    @property
    def finish_reasons(self) -> tuple[str, ...]:
        """What the provider said of the end of each of Ada's turns, in order; empty where it said nothing."""
        return tuple(turn.finish_reason for exchange in self.exchanges for turn in exchange.turns)


def due_call(conversation: Conversation) -> Step | None:
    """Return the model call that is due, or None where there are tools to run or nothing is left to do."""
    exchange = conversation.exchanges[-1] if conversation.exchanges else None
    if exchange is None or (exchange.finished and len(conversation.exchanges) < conversation.brief.exchanges):
        return Step.ASK
    if exchange.finished:
        return Step.REVIEW if conversation.brief.is_reviewed and conversation.review is None else None
    if not exchange.turns:
        return Step.ANSWER
    if exchange.answered:
        return Step.REWRITE
    return Step.CONTINUE if exchange.turns[-1].results else None
