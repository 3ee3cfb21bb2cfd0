"""What becomes of a model's text: the user's message, Ada's answer, her rewritten thinking, or nothing of use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from apep_datagen.conversation.state import Conversation, due_call
from apep_datagen.core.markup import Answer, parse_answer, visible_text
from apep_datagen.core.messages import Completion, Ending, Step, ending_of
from apep_datagen.core.tags import strip_tags
from apep_datagen.core.tools import canonical_call

__all__ = ["problem_with", "read_answer", "read_question", "read_rewritten_thoughts"]


def problem_with(conversation: Conversation, completion: Completion) -> str | None:
    """Say why `completion` cannot be used as the answer to the call that is due, or None where it can.

    A rewrite is never refused: where it cannot be used, the original thinking stays.
    """
    step = due_call(conversation)
    if step is None or step is Step.REWRITE:
        return None
    match ending_of(completion.finish_reason):
        case Ending.CUT_OFF:
            return f"the answer was cut off at its length limit (max_tokens in [roles.{step.model_role}] sets it)"
        case Ending.BROKEN_OFF:
            return f'the answer was broken off (finish reason "{completion.finish_reason}")'
    if step is Step.ASK:
        return None if read_question(completion.text) else "the answer is empty"
    answer = read_answer(conversation, completion.text)
    if not answer.reply and not answer.calls:
        return "the answer has no reply"
    return None


def read_answer(conversation: Conversation, text: str) -> Answer:
    """Read Ada's answer; beyond the last permitted round of tools, calls beside a reply are dropped."""
    answer = parse_answer(text)
    rounds = sum(bool(turn.answer.calls) for turn in conversation.exchanges[-1].turns)
    if rounds >= conversation.brief.max_tool_rounds:
        return replace(answer, calls=())
    return replace(answer, calls=tuple(canonical_call(call) for call in answer.calls))


_LABEL = re.compile(r"\A(?:user|you|me|human|person|message)\s*:\s*", re.IGNORECASE)
_QUOTES = {'"': '"', "“": "”", "«": "»"}


def read_question(text: str) -> str:
    """Return the user's message that the tester wrote, without a label in front or quotation marks around it."""
    question = _LABEL.sub("", visible_text(text))
    closing = _QUOTES.get(question[:1])
    if closing and question.endswith(closing) and closing not in question[1:-1]:
        question = question[1:-1].strip()
    return question


# A rewrite several times as long as the thought is no rewrite; a short thought may be unfolded a little.
_LONGEST_REWRITE_FACTOR = 3
_ALWAYS_PERMITTED_LENGTH = 200
_MARK = re.compile(r"^[ \t]*\[\[(\d+)\]\]", re.MULTILINE)


def read_rewritten_thoughts(thoughts: Sequence[str], text: str) -> tuple[str, ...] | None:
    """Read the rewriter's answer; None if it cannot stand for `thoughts`."""
    text = _outside_own_thinking(text)
    marks = list(_MARK.finditer(text))
    if marks:
        expected = [str(number) for number in range(1, len(marks) + 1)]
        if [mark[1] for mark in marks] != expected or text[: marks[0].start()].strip():
            return None
        ends = [mark.start() for mark in marks[1:]] + [len(text)]
        parts = [text[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=True)]
    else:
        parts = [text.strip()]
    if len(parts) != len(thoughts):
        return None
    for thought, part in zip(thoughts, parts, strict=True):
        longest = max(_LONGEST_REWRITE_FACTOR * len(thought), _ALWAYS_PERMITTED_LENGTH)
        if not part or part != strip_tags(part) or len(part) > longest:
            return None
    return tuple(parts)


def _outside_own_thinking(text: str) -> str:
    """Drop the thinking that a reasoning model does about the rewriting itself: a leading `<think>` block."""
    return re.sub(r"\A\s*<think>.*?</think>", "", text, count=1, flags=re.DOTALL)
