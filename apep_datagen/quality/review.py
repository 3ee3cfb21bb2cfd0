"""What the reviewer, a model, objects to: the questions that code cannot answer.

It is asked once, when the other stages have passed; what it said is recorded, and counts whenever the conversation is
judged again. The first question with a no is the reason: the last one sums up the others.
"""

from __future__ import annotations

from apep_datagen.conversation.review import Review, ReviewQuestion
from apep_datagen.quality.problem import Problem, Stage

__all__ = ["check"]

_REASONS = {
    ReviewQuestion.MOOD: "the reviewer finds a mood, habit or liking of the user's without evidence",
    ReviewQuestion.FACTS: "the reviewer finds a lasting fact that was told and not noted",
    ReviewQuestion.PERSON: "the reviewer finds that no real person would have written this",
    ReviewQuestion.TRAINING: "the reviewer would not train on it",
}


def check(review: Review | None) -> Problem | None:
    """Return what the reviewer objects to, or None; what was not reviewed, or with no answer of use, passes."""
    for answer in review.objections if review else ():
        return Problem(Stage.REVIEW, _REASONS[answer.question], answer.words)
    return None
