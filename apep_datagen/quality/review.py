"""What the reviewer, a model, objects to: the questions that code cannot answer.

It is asked once, when the other stages have passed; what it said is recorded, and counts whenever the conversation is
judged again. The first question with a no is the reason: the last one sums up the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from apep_datagen.conversation.review import Review
from apep_datagen.core.messages import Message, ReviewQuestion
from apep_datagen.quality.problem import Problem, Stage

__all__ = ["check"]

_REASONS = {
    ReviewQuestion.MOOD: "the reviewer finds a mood, habit or liking of the user's without evidence",
    ReviewQuestion.FACTS: "the reviewer finds a lasting fact that was told and not noted",
    ReviewQuestion.PERSON: "the reviewer finds that no real person would have written this",
    ReviewQuestion.TRAINING: "the reviewer would not train on it",
}


_QUOTED = re.compile('["“]([^"“”]+)["”]')


def check(review: Review | None, messages: Iterable[Message]) -> Problem | None:
    """Return what the reviewer objects to, or None; what was not reviewed, or with no answer of use, passes.

    Args:
        review: What it said.
        messages: The conversation, in which the words that it quotes are looked for.
    """
    for answer in review.objections if review else ():
        said = [message.content for message in messages if message.role != "system"]
        quotes = (quote for quote in _QUOTED.findall(answer.words) if any(quote in text for text in said))
        return Problem(Stage.REVIEW, _REASONS[answer.question], answer.words, next(quotes, ""))
    return None
