"""What becomes of a model's text: the user's message, Ada's answer, or nothing of use."""

from __future__ import annotations

import re
from dataclasses import replace

from apep_datagen.conversation.preamble import without_preamble
from apep_datagen.conversation.review import read_review
from apep_datagen.conversation.state import Conversation, due_call
from apep_datagen.core.dialects import own_markup
from apep_datagen.core.errors import FailureKind, UnusableAnswerError
from apep_datagen.core.markup import Answer, parse_answer, visible_text
from apep_datagen.core.messages import Completion, Ending, ReviewQuestion, Step, ending_of
from apep_datagen.core.repetition import repeated_words
from apep_datagen.core.tools import canonical_call
from apep_datagen.core.words import shorten

__all__ = ["LONGEST_ANSWER", "problem_with", "read_answer", "read_question"]

LONGEST_ANSWER = 100_000
"""Characters of what a model may answer, many times what can be accepted of it."""

_EXCERPT_LENGTH = 60


def problem_with(conversation: Conversation, completion: Completion) -> UnusableAnswerError | None:
    """Return why `completion` cannot be used as the answer to the call that is due, or None where it can.

    A rewrite is never refused: where it is of no use, the original thoughts stay (`rewriting`). A review is of use
    wherever it answers all questions, also if it was cut off behind them.
    """
    step = due_call(conversation)
    if step is None or step is Step.REWRITE:
        return None
    if step is Step.REVIEW:
        return None if read_review(completion.text) else _problem_with_review(completion)
    if problem := _problem_with_ending(completion, step):
        return problem
    if step is Step.ASK:
        question = read_question(completion.text)
        return _problem_with_texts(question) if question else UnusableAnswerError("the answer is empty")
    answer = read_answer(conversation, completion.text)
    if not answer.reply and not answer.calls:
        return UnusableAnswerError("the answer has no reply")
    return _problem_with_texts(answer.thinking, answer.reply)


def _problem_with_review(completion: Completion) -> UnusableAnswerError:
    ending = _problem_with_ending(completion, Step.REVIEW)
    asked = ", ".join(ReviewQuestion)
    return ending or UnusableAnswerError(f"the review does not say yes or no to each of {asked}")


def _problem_with_ending(completion: Completion, step: Step) -> UnusableAnswerError | None:
    match ending_of(completion.finish_reason):
        case Ending.CUT_OFF:
            remedy = f"max_tokens in [roles.{step.model_role}] sets it"
            return UnusableAnswerError(f"the answer was cut off at its length limit ({remedy})", FailureKind.CUT_OFF)
        case Ending.BROKEN_OFF:
            said = f'finish reason "{completion.finish_reason}"'
            return UnusableAnswerError(f"the answer was broken off ({said})", FailureKind.BROKEN_OFF)
    if len(completion.text) > LONGEST_ANSWER:
        return UnusableAnswerError(
            f"the answer is longer than {LONGEST_ANSWER:,} characters", FailureKind.ENDLESS_ANSWER
        )
    return None


def _problem_with_texts(*texts: str) -> UnusableAnswerError | None:
    for text in texts:
        if repeated := repeated_words(text):
            return UnusableAnswerError(
                f"the answer says the same again and again: {shorten(repeated, _EXCERPT_LENGTH)}",
                FailureKind.ENDLESS_ANSWER,
            )
    return None


def read_answer(conversation: Conversation, text: str) -> Answer:
    """Read Ada's answer; beyond the last permitted round of tools, calls beside a reply are dropped."""
    answer = parse_answer(own_markup(text))
    rounds = sum(bool(turn.answer.calls) for turn in conversation.exchanges[-1].turns)
    if rounds >= conversation.brief.max_tool_rounds:
        return replace(answer, calls=())
    return replace(answer, calls=tuple(canonical_call(call) for call in answer.calls))


_LABEL = re.compile(r"\A(?:user|you|me|human|person|message)\s*:\s*", re.IGNORECASE)
_QUOTES = {'"': '"', "“": "”", "«": "»"}


def read_question(text: str) -> str:
    """Return the user's message that the tester wrote, without a label in front or quotation marks around it."""
    question = _LABEL.sub("", without_preamble(visible_text(own_markup(text))))
    closing = _QUOTES.get(question[:1])
    if closing and question.endswith(closing) and closing not in question[1:-1]:
        question = question[1:-1].strip()
    return question
