"""The rewriter's answer, taken apart: what stands in it for each thought, or why nothing does."""

from __future__ import annotations

import re
from collections.abc import Sequence

from apep_datagen.conversation.preamble import without_preamble
from apep_datagen.conversation.shortcoming import Shortcoming
from apep_datagen.core.dialects import foreign_markup, own_markup
from apep_datagen.core.marks import trim_marks
from apep_datagen.core.repetition import repeated_words
from apep_datagen.core.tags import strip_tags

__all__ = ["read_parts"]

# A rewrite several times as long as the thought is no rewrite; a short thought may be unfolded a little.
_LONGEST_REWRITE_FACTOR = 3
_ALWAYS_PERMITTED_LENGTH = 200
_MARK = re.compile(r"^[ \t]*\[\[(\d+)\]\]", re.MULTILINE)
_LONGEST_NUMBER = 9
_OWN_THINKING = re.compile(r"\A(?:\s*<think>.*?</think>)+", re.DOTALL)
_THOUGHT_IN_TAG = re.compile(r"\A<think>(.*?)</think>\Z", re.DOTALL)


def read_parts(thoughts: Sequence[str], text: str, *, is_whole: bool) -> tuple[str | Shortcoming, ...]:
    """Return what stands in the rewriter's answer for each thought, or why nothing that could be used does.

    What a reasoning model thinks about the rewriting itself is dropped, and so is a line that announces the rest. Where
    a mark is missing or there twice, those parts are taken that can be no others.

    Args:
        thoughts: What was to be rewritten.
        text: The answer, not longer than any that is of use.
        is_whole: Whether the provider says that the answer ends where the model ended it.
    """
    text = trim_marks(_OWN_THINKING.sub("", own_markup(text)))
    parts = _marked_parts(len(thoughts), text, is_whole=is_whole)
    if parts is None:
        if not is_whole:
            return (Shortcoming.CUT_OFF,) * len(thoughts)
        if len(thoughts) != 1:
            return (Shortcoming.MARKS,) * len(thoughts)
        parts = (without_preamble(text, also_in_doubt=True),)
    return tuple(
        part if isinstance(part, Shortcoming) else _read_part(thought, part)
        for thought, part in zip(thoughts, parts, strict=True)
    )


def _marked_parts(count: int, text: str, *, is_whole: bool) -> tuple[str | Shortcoming, ...] | None:
    """Return what stands behind each mark; None where the text has no marks."""
    marks = list(_MARK.finditer(text))
    if not marks:
        return None
    numbers = [int(mark[1][:_LONGEST_NUMBER]) for mark in marks]
    before = text[: marks[0].start()].strip()
    # Text before the first mark may be the first part, if the marks stand behind the parts; and marks that do not rise,
    # or go beyond the last thought, are those of another division.
    if numbers != sorted(numbers) or not 1 <= numbers[0] <= numbers[-1] <= count:
        return (Shortcoming.MARKS,) * count
    if before and not _is_announcement(before):
        return (Shortcoming.MARKS,) * count
    parts: list[str | Shortcoming] = [Shortcoming.MARKS] * count
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    for place, (mark, number, end) in enumerate(zip(marks, numbers, ends, strict=True)):
        following = numbers[place + 1] if place + 1 < len(numbers) else count + 1
        # What is followed by a later mark than the next may hold a part that has no mark.
        if numbers.count(number) == 1 and following == number + 1:
            parts[number - 1] = text[mark.end() : end]
    if not is_whole:
        parts[numbers[-1] - 1 :] = [Shortcoming.CUT_OFF] * (count - numbers[-1] + 1)
    return tuple(parts)


def _is_announcement(before: str) -> bool:
    """Tell whether what stands before the first mark is one line that ends in a colon, and so no thought."""
    return "\n" not in before and before.rstrip("*").endswith((":", "："))  # noqa: RUF001 - the colon of wide scripts


def _read_part(thought: str, part: str) -> str | Shortcoming:
    """Return the rewritten thought that stands behind a mark, or why it cannot stand for the thought."""
    part = _THOUGHT_IN_TAG.sub(r"\1", part.strip()).strip()
    rewritten = trim_marks(part)
    if not rewritten:
        return Shortcoming.EMPTY
    if len(rewritten) > max(_LONGEST_REWRITE_FACTOR * len(thought), _ALWAYS_PERMITTED_LENGTH):
        return Shortcoming.TOO_LONG
    if part != strip_tags(part) or foreign_markup(rewritten):
        return Shortcoming.MARKUP
    return Shortcoming.LOOP if repeated_words(rewritten) else rewritten
