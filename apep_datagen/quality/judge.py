"""Judging a conversation when it ends: stage by stage, by code."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from apep_datagen.conversation.brief import Brief
from apep_datagen.core.messages import Message
from apep_datagen.people.phrases import Phrases
from apep_datagen.people.story import Change
from apep_datagen.quality import effect, execution, form, novelty, voice
from apep_datagen.quality.novelty import NoveltyLimits
from apep_datagen.quality.problem import Problem
from apep_datagen.quality.sample import Sample, read_sample

__all__ = ["Judge", "Level", "Verdict"]

Level = Literal["off", "form", "strict"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of judging.

    Attributes:
        problem: Why the conversation is not accepted, or None.
        sample: The conversation read back; None where nobody has looked at it, or its form does not permit that.
    """

    problem: Problem | None
    sample: Sample | None


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

    def judge(
        self,
        connection: sqlite3.Connection,
        brief: Brief,
        messages: Sequence[Message],
        change: Change,
    ) -> Verdict:
        """Judge a finished conversation.

        Args:
            connection: The state database, which knows what was accepted.
            brief: What was decided about it.
            messages: The training sample.
            change: What was known, and what it has changed.
        """
        if self.level == "off":
            return Verdict(None, None)
        sample = read_sample(messages)
        if isinstance(sample, Problem):
            return Verdict(sample, None)
        problem = form.check(sample)
        if self.level == "strict" and problem is None:
            problem = (
                execution.check(sample, change.before, change.after, brief.date)
                or effect.check(sample, brief.scenario, change, self.phrases)
                or voice.check(
                    sample,
                    phrases=self.phrases,
                    user_name=brief.user.name,
                    prompt_texts=(sample.system, *self.tester_texts),
                )
                or self._check_novelty(connection, sample)
            )
        return Verdict(problem, sample)

    def remember(self, connection: sqlite3.Connection, conversation_id: int, verdict: Verdict) -> None:
        """Let later conversations be compared with one that was accepted."""
        if verdict.sample is not None:
            novelty.remember(connection, conversation_id, *_spoken(verdict.sample))

    def _check_novelty(self, connection: sqlite3.Connection, sample: Sample) -> Problem | None:
        (accepted,) = connection.execute("SELECT coalesce(max(position), 0) FROM samples").fetchone()
        return novelty.check(
            connection,
            *_spoken(sample),
            accepted=accepted,
            limits=self.limits,
            text_of=lambda conversation_id: _accepted_text(connection, conversation_id),
        )


def _spoken(sample: Sample) -> tuple[str, str]:
    """Return all that the user said, and all that Ada replied."""
    return (
        "\n\n".join(exchange.question for exchange in sample.exchanges),
        "\n\n".join(exchange.reply for exchange in sample.exchanges),
    )


def _accepted_text(connection: sqlite3.Connection, conversation_id: int) -> tuple[str, str] | None:
    row = connection.execute("SELECT line FROM samples WHERE conversation_id = ?", (conversation_id,)).fetchone()
    if row is None:
        return None
    spoken: dict[str, list[str]] = {"user": [], "assistant": []}
    for message in json.loads(row[0])["conversations"]:
        if message["role"] in spoken:
            spoken[message["role"]].append(_visible_part(message["content"]))
    return "\n\n".join(spoken["user"]), "\n\n".join(spoken["assistant"])


def _visible_part(content: str) -> str:
    """Return what the user sees of a message in the one spelling in which it is saved."""
    if content.startswith("<think>"):
        content = content.partition("</think>")[2]
    return content.partition("<tool_call>")[0]
