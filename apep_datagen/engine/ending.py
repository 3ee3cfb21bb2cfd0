"""What a finished conversation comes to: in a dataset it is judged, and accepted or rejected.

One that is to be reviewed is judged before that, and once more with the review.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Protocol

from apep_datagen.conversation.prompting import training_sample
from apep_datagen.conversation.rewriting import Place
from apep_datagen.conversation.shortcoming import Shortcoming
from apep_datagen.conversation.state import Conversation, due_call
from apep_datagen.core.messages import Step
from apep_datagen.core.notebook import Notebook
from apep_datagen.core.sample_json import sample_line
from apep_datagen.people.story import Story, story_after
from apep_datagen.quality.judge import Judge
from apep_datagen.quality.problem import Problem
from apep_datagen.quality.second_look import judge_rewritten
from apep_datagen.storage.accepted import AcceptedConversations
from apep_datagen.storage.cases import case_of
from apep_datagen.storage.rewrites import put_back
from apep_datagen.storage.timelines import read_story

__all__ = ["Acceptance", "Ended", "Ending", "JudgedEnding"]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What of a finished conversation stays.

    Attributes:
        line: What the output gets.
        story: The story of its timeline, with it.
    """

    line: str
    story: Story


@dataclass(frozen=True, slots=True)
class Ended:
    """What a finished conversation has come to.

    Attributes:
        conversation: As it is saved.
        verdict: What of it stays; or why it is undone; None where it has passed, and waits for its review.
        put_back: The rewritten thoughts that are as they were again.
    """

    conversation: Conversation
    verdict: Acceptance | Problem | None
    put_back: tuple[Place, ...] = ()


class Ending(Protocol):
    """Decides what a finished conversation comes to."""

    def __call__(self, connection: sqlite3.Connection, conversation: Conversation, notebook: Notebook) -> Ended:
        """Decide it.

        Args:
            connection: In the transaction in which the conversation ends.
            conversation: What is finished, but for its review where one is due.
            notebook: Memory and diary at its end, in which its changes are booked to it.
        """


@dataclass(frozen=True, slots=True)
class JudgedEnding:
    """Has a judge accept or reject it.

    Attributes:
        judge: Who judges.
    """

    judge: Judge

    def __call__(self, connection: sqlite3.Connection, conversation: Conversation, notebook: Notebook) -> Ended:
        """As for `Ending`; what is accepted is remembered."""
        brief = conversation.brief
        story = read_story(connection, brief.timeline_id)
        accepted = AcceptedConversations(connection)
        case = case_of(
            connection,
            brief,
            training_sample(conversation),
            finish_reasons=conversation.finish_reasons,
            known=story.known,
            notebook=notebook,
            review=conversation.review,
        )
        judged = judge_rewritten(self.judge, conversation, case, accepted)
        for number, _ in judged.put_back:
            rewrites = sum(bool(exchange.thoughts) for exchange in judged.conversation.exchanges[:number])
            put_back(connection, brief.conversation_id, rewrites, Shortcoming.REJECTED)
        if judged.problem is not None:
            return Ended(judged.conversation, judged.problem, judged.put_back)
        if due_call(judged.conversation) is Step.REVIEW:
            return Ended(judged.conversation, None, judged.put_back)
        messages = training_sample(judged.conversation)
        self.judge.remember(brief.conversation_id, messages, accepted)
        story = story_after(story, brief.scenario, brief.at, notebook.notes())
        return Ended(judged.conversation, Acceptance(sample_line(messages), story), judged.put_back)
