"""An exam played in memory with an Ada that is a function: the bounds, and whoever is measured without a provider."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.completions import problem_with
from apep_datagen.conversation.machine import (
    Finished,
    ModelCall,
    ToolRound,
    advance_with_completion,
    advance_with_results,
    begin,
    next_step,
    uncalled_step,
)
from apep_datagen.conversation.prompting import training_sample
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.errors import SettingsError
from apep_datagen.core.messages import Completion, Message, Usage
from apep_datagen.core.notebook import Entry, Notebook
from apep_datagen.core.tools import run_call
from apep_datagen.evaluate.element import Examined, Examinee, examined
from apep_datagen.evaluate.outcome import broken, examine
from apep_datagen.evaluate.plan import ExamPlan
from apep_datagen.people.story import Change, Story
from apep_datagen.quality.case import Case

__all__ = ["Ada", "Scene", "play"]

_SCRIPTED = Examinee("", "scripted")


@dataclass(frozen=True, slots=True)
class Scene:
    """What a scripted Ada has before her.

    Attributes:
        conversation: What was said so far; her answer is due.
        ideal: The story before it, as if she had done all that she should.
    """

    conversation: Conversation
    ideal: Story

    @property
    def brief(self) -> Brief:
        """What the conversation is to be about, which a model is not told."""
        return self.conversation.brief

    @property
    def number(self) -> int:
        """The number of the exchange, from 1."""
        return len(self.conversation.exchanges)

    @property
    def question(self) -> str:
        """What the user has said last."""
        return self.conversation.exchanges[-1].question

    @property
    def rounds(self) -> int:
        """How often she has used tools since."""
        return sum(bool(turn.results) for turn in self.conversation.exchanges[-1].turns)

    def shown(self, plural: str) -> tuple[tuple[int, str], ...]:
        """Return index and text of what the latest list shows: of her `memories`, or of her diary's `pages`."""
        turns = [turn for exchange in self.conversation.exchanges for turn in exchange.turns]
        results: list[Any] = [result for turn in turns for result in turn.results]
        lists = [result[plural] for result in results if isinstance(result, dict) and plural in result]
        return tuple((note["index"], note["text"]) for note in lists[-1]) if lists else ()


Ada = Callable[[Scene], str]
"""Answers as a model does: with thought, reply and calls in Ada's markup."""


def play(plan: ExamPlan, ada: Ada, examinee: Examinee = _SCRIPTED) -> Iterator[Examined]:
    """Play an exam, and yield its conversations timeline by timeline.

    Args:
        plan: What is asked; by a tester whose messages are written beforehand.
        ada: Who answers; one answer after the other, and the same for the same scene.
        examinee: Under which name.

    Raises:
        SettingsError: The user's messages are not written beforehand.
    """
    if plan.exam.conversations and not plan.day(1, 1, 0, 1).messages:
        raise SettingsError("an exam whose messages a model writes cannot be played without one")
    numbers = itertools.count(1)
    for timeline_id in range(1, plan.exam.timelines + 1):
        user, number_of_try = plan.exam.place_of(timeline_id)
        notebook = Notebook(Entry(note.shelf, note.date, note.text) for note in plan.past(user).notes)
        for day in range(plan.exam.days):
            brief = plan.day(user, number_of_try, day, next(numbers))
            yield _play_day(plan, ada, examinee, brief=brief, day=day, notebook=notebook)


def _play_day(plan: ExamPlan, ada: Ada, examinee: Examinee, *, brief: Brief, day: int, notebook: Notebook) -> Examined:
    notebook.conversation_id, notebook.date = brief.conversation_id, brief.date
    user, _ = plan.exam.place_of(brief.timeline_id)
    ideal, before = plan.story_before(user, day), notebook.notes()
    messages, why_broken = _converse(begin(brief, plan.prompts), ideal, ada, notebook)
    if why_broken:
        outcome = broken(why_broken)
    else:
        case = Case(brief, messages, Change((), before, notebook.notes()))
        outcome = examine(case, plan.cast.phrases, ideal, notebook.entries)
    return examined(plan, brief, day, messages=messages, outcome=outcome, ada=examinee)


def _converse(
    conversation: Conversation, ideal: Story, ada: Ada, notebook: Notebook
) -> tuple[tuple[Message, ...], str]:
    """Carry on a conversation, and return its messages; and why it has no end, which is empty where it has one."""
    while True:
        match next_step(conversation):
            case Finished(messages):
                return messages, ""
            case ToolRound(calls):
                conversation = advance_with_results(conversation, [run_call(call, notebook) for call in calls])
            case ModelCall():
                text = ada(Scene(conversation, ideal))
                if problem := problem_with(conversation, Completion(text, "stop", Usage())):
                    return training_sample(conversation), str(problem)
                conversation = advance_with_completion(conversation, text, "stop")
        while (uncalled := uncalled_step(conversation)) is not None:
            conversation = advance_with_completion(conversation, uncalled.text, uncalled.finish_reason)
