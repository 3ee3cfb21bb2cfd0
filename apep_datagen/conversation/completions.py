"""What becomes of a model's text: the user's message, Ada's answer, her rewritten thinking, or nothing of use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from apep_datagen.conversation.preamble import without_preamble
from apep_datagen.conversation.state import Conversation, due_call
from apep_datagen.core.dialects import foreign_markup, own_markup
from apep_datagen.core.errors import FailureKind, UnusableAnswerError
from apep_datagen.core.marks import trim_marks
from apep_datagen.core.markup import Answer, parse_answer, visible_text
from apep_datagen.core.messages import Completion, Ending, Step, ending_of
from apep_datagen.core.repetition import repeated_words
from apep_datagen.core.tags import strip_tags
from apep_datagen.core.tools import canonical_call
from apep_datagen.core.words import shorten

__all__ = ["LONGEST_ANSWER", "problem_with", "read_answer", "read_question", "read_rewritten_thoughts"]

LONGEST_ANSWER = 100_000
"""Characters of what a model may answer, many times what can be accepted of it."""

_EXCERPT_LENGTH = 60


def problem_with(conversation: Conversation, completion: Completion) -> UnusableAnswerError | None:
    """Return why `completion` cannot be used as the answer to the call that is due, or None where it can.

    A rewrite is never refused: where it cannot be used, the original thinking stays.
    """
    step = due_call(conversation)
    if step is None or step is Step.REWRITE:
        return None
    if problem := _problem_with_ending(completion, step):
        return problem
    if step is Step.ASK:
        question = read_question(completion.text)
        return _problem_with_texts(question) if question else UnusableAnswerError("the answer is empty")
    answer = read_answer(conversation, completion.text)
    if not answer.reply and not answer.calls:
        return UnusableAnswerError("the answer has no reply")
    return _problem_with_texts(answer.thinking, answer.reply)


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


# A rewrite several times as long as the thought is no rewrite; a short thought may be unfolded a little.
_LONGEST_REWRITE_FACTOR = 3
_ALWAYS_PERMITTED_LENGTH = 200
_MARK = re.compile(r"^[ \t]*\[\[(\d+)\]\]", re.MULTILINE)
_OWN_THINKING = re.compile(r"\A(?:\s*<think>.*?</think>)+", re.DOTALL)
_THOUGHT_IN_TAG = re.compile(r"\A<think>(.*?)</think>\Z", re.DOTALL)


def read_rewritten_thoughts(thoughts: Sequence[str], text: str) -> tuple[str, ...] | None:
    """Read the rewriter's answer; None if it cannot stand for `thoughts`.

    What a reasoning model thinks about the rewriting itself is dropped, and so is a line that announces the rest.
    """
    if len(text) > LONGEST_ANSWER:
        return None
    text = trim_marks(_OWN_THINKING.sub("", own_markup(text)))
    marks = list(_MARK.finditer(text))
    if marks:
        expected = [str(number) for number in range(1, len(marks) + 1)]
        before = text[: marks[0].start()].strip()
        if [mark[1] for mark in marks] != expected or (before and not _is_announcement(before)):
            return None
        ends = [mark.start() for mark in marks[1:]] + [len(text)]
        parts = [text[mark.end() : end] for mark, end in zip(marks, ends, strict=True)]
    else:
        parts = [without_preamble(text, also_in_doubt=True)]
    if len(parts) != len(thoughts):
        return None
    rewritten = [_read_part(thought, part) for thought, part in zip(thoughts, parts, strict=True)]
    return tuple(part for part in rewritten if part) if all(rewritten) else None


def _is_announcement(before: str) -> bool:
    """Tell whether what stands before the first mark is one line that ends in a colon, and so no thought."""
    return "\n" not in before and before.rstrip("*").endswith((":", "："))  # noqa: RUF001 - the colon of wide scripts


def _read_part(thought: str, part: str) -> str:
    """Return the rewritten thought that stands behind a mark; empty if it cannot stand for the thought."""
    part = _THOUGHT_IN_TAG.sub(r"\1", part.strip()).strip()
    rewritten = trim_marks(part)
    longest = max(_LONGEST_REWRITE_FACTOR * len(thought), _ALWAYS_PERMITTED_LENGTH)
    if part != strip_tags(part) or len(rewritten) > longest:
        return ""
    return "" if foreign_markup(rewritten) or repeated_words(rewritten) else rewritten
