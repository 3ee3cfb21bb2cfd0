"""What the reviewer says of a finished conversation, and how it is read.

Models answer in the form that they are asked for, or nearly so: with marks around a name, as JSON, with more words. A
name of a question with a yes or a no behind it is an answer, wherever it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from apep_datagen.core.dialects import own_markup
from apep_datagen.core.markup import visible_text
from apep_datagen.core.messages import ReviewQuestion

__all__ = ["Review", "ReviewAnswer", "read_review"]


@dataclass(frozen=True, slots=True)
class ReviewAnswer:
    """One answer.

    Attributes:
        question: To which question.
        is_yes: Whether it is yes.
        words: What the reviewer wrote behind it; empty for nothing.
    """

    question: ReviewQuestion
    is_yes: bool
    words: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """What the reviewer said of a conversation.

    Attributes:
        answers: One to each question, in their order; empty where it gave none that is of use.
    """

    answers: tuple[ReviewAnswer, ...] = ()

    @property
    def objections(self) -> tuple[ReviewAnswer, ...]:
        """The answers that are no."""
        return tuple(answer for answer in self.answers if not answer.is_yes)


_NAMES = "|".join(ReviewQuestion)
# Between a name and its answer stand a colon, quotation marks, the stars of Markdown; no word, and no end of a line.
_ANSWER = re.compile(rf"\b(?P<name>{_NAMES})\b[^\w\n]{{1,8}}(?P<answer>yes|no|n/a)\b(?P<words>[^\n]*)", re.IGNORECASE)
_NEXT_NAME = re.compile(rf"[^\w\n]*\b(?:{_NAMES})\b[^\w\n]{{1,8}}(?:yes|no|n/a)\b", re.IGNORECASE)
_AROUND_WORDS = " \t\r,;:.-–—*_`{}[]|"  # noqa: RUF001 - dashes that models write
_LONGEST_WORDS = 300


def read_review(text: str) -> Review | None:
    """Return what the reviewer answered, or None where an answer is missing.

    Of two answers to one question the later counts: what stands before it was thought aloud.
    """
    found: dict[ReviewQuestion, ReviewAnswer] = {}
    visible, position = visible_text(own_markup(text)), 0
    while match := _ANSWER.search(visible, position):
        question = ReviewQuestion(match["name"].lower())
        words = match["words"]
        if following := _NEXT_NAME.search(words):  # all on one line
            words = words[: following.start()]
        found[question] = ReviewAnswer(question, match["answer"].lower() != "no", _without_marks(words))
        position = match.start("words") + len(words)
    answers = tuple(found[question] for question in ReviewQuestion if question in found)
    return Review(answers) if len(answers) == len(ReviewQuestion) else None


def _without_marks(words: str) -> str:
    words = words.strip(_AROUND_WORDS)[:_LONGEST_WORDS]
    # One that has no partner is JSON's.
    return words.strip('"').strip(_AROUND_WORDS) if words.count('"') % 2 else words
