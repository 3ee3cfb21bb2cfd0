"""What an exam asks, user by user and day by day: pure functions of its seed and of the tables."""

from __future__ import annotations

import random
from typing import Protocol

from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.prompt_set import PromptSet
from apep_datagen.evaluate.exam import Exam
from apep_datagen.people.cast import Cast
from apep_datagen.people.past import Past
from apep_datagen.people.scenario import Scenario, User
from apep_datagen.people.story import Story

__all__ = ["ExamPlan", "Tester"]


class Tester(Protocol):
    """Writes beforehand what the user says (`people.written.WrittenTester`)."""

    def messages(self, draw: random.Random, scenario: Scenario, user: User, exchanges: int) -> tuple[str, ...]:
        """Return what the user says in each exchange."""


class ExamPlan:
    """What an exam asks.

    Users are drawn one at a time, and those that were drawn last are kept; all of it is the same whenever it is asked.

    Args:
        exam: Its seed and its extent.
        cast: What users and questions are drawn from.
        prompts: The words that a model is sent.
        tester: Who writes the user's messages beforehand; None where a model writes them.
    """

    def __init__(self, exam: Exam, cast: Cast, prompts: PromptSet, tester: Tester | None) -> None:
        self.exam = exam
        self.cast = cast
        self.prompts = prompts
        self._tester = tester

    @property
    def tables(self) -> str:
        """A digest of the tables that users and questions are drawn from."""
        raise NotImplementedError

    def past(self, user: int) -> Past:
        """Return what Ada has noted of a user, from 1, before the first day."""
        raise NotImplementedError

    def day(self, user: int, number_of_try: int, day: int, conversation_id: int) -> Brief:
        """Return what a conversation is to be about.

        What is asked is the same in each try; the seeds of the model calls are not.

        Args:
            user: The number of the user, from 1.
            number_of_try: In which try, from 1.
            day: On which of the user's days, from 0.
            conversation_id: The number that it gets.
        """
        raise NotImplementedError

    def question(self, user: int, day: int) -> str:
        """Return a digest by which what a user (from 1) asks on a day (from 0) is known in another evaluation."""
        raise NotImplementedError

    def notes_before(self, user: int, day: int) -> tuple[int, int]:
        """Return how many notes and pages there are before a day (from 0) if Ada did all that she should."""
        raise NotImplementedError

    def story_before(self, user: int, day: int) -> Story:
        """Return the story of a user (from 1) before a day (from 0), as if Ada had done all that she should."""
        raise NotImplementedError
