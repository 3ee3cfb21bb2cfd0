"""Judging a conversation when it ends: stage by stage, by code, and by what the reviewer said where one was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from apep_datagen.core.messages import Message
from apep_datagen.people.phrases import Phrases
from apep_datagen.quality import effect, execution, form, knowledge, notes, novelty, review, thinking, time, voice
from apep_datagen.quality.case import Case
from apep_datagen.quality.novelty import Accepted, NoveltyLimits
from apep_datagen.quality.problem import Problem
from apep_datagen.quality.sample import read_sample
from apep_datagen.quality.wording import wording_of

__all__ = ["Judge", "Level"]

Level = Literal["off", "form", "strict"]


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges conversations.

    Attributes:
        level: `off` accepts everything, `form` looks at the form alone, `strict` at everything.
        phrases: By what text is recognised.
        limits: What counts as new.
        tester_texts: The words of the tester's prompts, which are not to be in a conversation.
    """

    level: Level
    phrases: Phrases
    limits: NoveltyLimits
    tester_texts: tuple[str, ...]

    def judge(self, case: Case, accepted: Accepted) -> Problem | None:
        """Return why a finished conversation is not accepted, or None.

        Where it has a review, what that objects to counts at each level, behind all else.

        Args:
            case: The conversation.
            accepted: What was accepted before.
        """
        return self._judge_by_code(case, accepted) or review.check(case.review, case.messages)

    def _judge_by_code(self, case: Case, accepted: Accepted) -> Problem | None:
        if self.level == "off":
            return None
        brief, change = case.brief, case.change
        sample = read_sample(case.messages)
        if isinstance(sample, Problem):
            return sample
        problem = form.check(sample, case.finish_reasons)
        if self.level == "form" or problem is not None:
            return problem
        prompt_texts = (sample.system, *self.tester_texts)
        return (
            execution.check(sample, change.before, change.after, brief.date)
            or effect.check(sample, brief.scenario, change, self.phrases)
            or notes.check(sample, brief.scenario, change)
            or knowledge.check(sample, case)
            or time.check(sample, brief)
            or voice.check(
                sample,
                phrases=self.phrases,
                user_name=brief.user.name,
                prompt_texts=prompt_texts,
                topics=_topics(case),
            )
            or novelty.check(wording_of(case.messages), accepted, self.limits)
            or thinking.check(wording_of(case.messages), accepted, self.limits)
        )

    def remember(self, conversation_id: int, messages: Sequence[Message], accepted: Accepted) -> None:
        """Let later conversations be compared with one that was accepted, if its form is known to be right."""
        if self.level != "off":
            accepted.remember(conversation_id, wording_of(messages))


def _topics(case: Case) -> tuple[str, ...]:
    """Return what may be spoken of: who the user is, and what the conversation is about; not notes that nobody saw."""
    user, scenario = case.brief.user, case.brief.scenario
    return (
        *(user.job, *user.interests, *user.people, *user.animals),
        *(scenario.topic, *(text for fact in scenario.facts for text in (fact.tell, fact.ask))),
    )
