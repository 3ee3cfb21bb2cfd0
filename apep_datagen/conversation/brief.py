"""What is decided about a conversation before its first call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from apep_datagen.core.messages import ModelRole
from apep_datagen.people.scenario import Scenario, User

__all__ = ["Brief", "QuestionAnswer", "Rewrites"]

Rewrites = Literal["always", "needed", "never"]
"""Which exchanges have Ada's thoughts rewritten: all, those in which a thought is no person's own yet, or none."""


@dataclass(frozen=True, slots=True)
class QuestionAnswer:
    """What the user wrote and what Ada replied, without thinking and calls."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Brief:
    """What is decided about a conversation before its first call.

    Attributes:
        conversation_id: Number of the conversation in its run, from 1.
        timeline_id: The simulated user whose memory and diary it works on.
        exchanges: How many exchanges it has.
        max_tool_rounds: How often Ada may use tools in an exchange.
        at: When it takes place, as an ISO date and time to the minute, e.g. `2026-03-14T19:40`.
        user: Who the tester plays.
        scenario: What it is about; the tester is told, Ada is not.
        previous: The last exchange of the same timeline, if there is one.
        seed: Number from which the seeds of its model calls follow.
        way_of_thinking: How Ada's thoughts are to sound; the rewriter is told. Empty where an earlier version began it.
        rewrites: Which of its exchanges have her thoughts rewritten; all of them where an earlier version began it.
        is_reviewed: Whether a model is asked about it, once the code has accepted it.
        messages: What the user says in each exchange, where it is written beforehand.
    """

    conversation_id: int
    timeline_id: int
    exchanges: int
    max_tool_rounds: int
    at: str
    user: User
    scenario: Scenario
    previous: QuestionAnswer | None
    seed: int
    way_of_thinking: str = ""
    rewrites: Rewrites = "always"
    is_reviewed: bool = False
    messages: tuple[str, ...] = ()

    @property
    def roles(self) -> frozenset[ModelRole]:
        """The roles that it needs, or may need."""
        tester = set() if self.messages else {ModelRole.TESTER}
        rewriter = {ModelRole.REWRITER} if self.rewrites != "never" else set()
        reviewer = {ModelRole.REVIEWER} if self.is_reviewed else set()
        return frozenset({ModelRole.ADA, *tester, *rewriter, *reviewer})

    @property
    def date(self) -> str:
        """The day it takes place, as an ISO date."""
        return self.at[:10]
