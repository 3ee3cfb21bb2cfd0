"""What the state database says of a conversation that has ended: all that it is judged by, as it was at its time."""

from __future__ import annotations

import functools
import sqlite3
from dataclasses import dataclass

from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.machine import Finished, next_step, without_review
from apep_datagen.conversation.review import Review
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.messages import Message
from apep_datagen.core.notebook import Notebook, Notes
from apep_datagen.core.tools import run_call
from apep_datagen.quality.case import Case
from apep_datagen.quality.sample import Sample, read_sample
from apep_datagen.storage.cases import case_of
from apep_datagen.storage.conversations import read_prompt_set, rebuild_conversation
from apep_datagen.storage.faults import is_about_content, spell_finding
from apep_datagen.storage.history import known_before_each
from apep_datagen.storage.notes import notes_from_json, read_notebook_at

__all__ = ["Evidence", "NotToldError", "Rebuilt"]

# Conversations are looked at in the order in which they ended: those of so many timelines come between each other.
_TIMELINES_IN_MEMORY = 256
_PROMPT_SETS_IN_MEMORY = 32


class NotToldError(Exception):
    """The state database does not say what a conversation is judged by.

    Args:
        reason: A sentence that is the same for all of its kind.
        detail: What it is here.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A conversation made again of its steps, by the rules of today.

    Attributes:
        conversation: As a state.
        messages: The training sample that it becomes.
    """

    conversation: Conversation
    messages: tuple[Message, ...]


class Evidence:
    """Reads what conversations are judged by.

    Args:
        connection: The state database.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known = functools.lru_cache(_TIMELINES_IN_MEMORY)(functools.partial(known_before_each, connection))
        self._prompts = functools.lru_cache(_PROMPT_SETS_IN_MEMORY)(functools.partial(read_prompt_set, connection))

    def rebuild(self, number: int) -> Rebuilt:
        """Make a conversation again of its recorded steps, with the prompts that it began with.

        A review counts where it is recorded; where the code rejected the conversation before it, nobody is asked now.

        Raises:
            NotToldError: They are not all there, or lead elsewhere today.
        """
        try:
            conversation = without_review(rebuild_conversation(self._connection, number, self._prompts))
            step = next_step(conversation)
        except Exception as error:  # the prompts are templates, which raise what they like
            if not is_about_content(error):
                raise
            raise NotToldError("it cannot be rebuilt from its steps", spell_finding(error)) from error
        if not isinstance(step, Finished):
            raise NotToldError("it cannot be rebuilt from its steps", "by the rules of today they do not end it")
        return Rebuilt(conversation, step.messages)

    def case_of_accepted(
        self,
        brief: Brief,
        messages: tuple[Message, ...],
        finish_reasons: tuple[str, ...],
        notes_before: str | None,
        review: Review | None,
    ) -> Case:
        """Return what a conversation that was accepted is judged by.

        Args:
            brief: What was decided about it.
            messages: The conversation as it is saved.
            finish_reasons: What the provider said of Ada's turns; empty where that is not known any more.
            notes_before: Memory and diary before it, as JSON, if it stands by itself; else it is one of its timeline.
            review: What the reviewer said of it; None where nobody was asked, or that is not known any more.
        """
        if notes_before is None:
            notebook = self._notebook(brief)
        else:
            notebook = _notebook_before(brief, notes_from_json(notes_before))
            sample = read_sample(messages)
            for exchange in sample.exchanges if isinstance(sample, Sample) else ():
                for turn in exchange.turns:
                    for call in turn.calls:
                        run_call(call, notebook)
        return self._case(brief, messages, finish_reasons, notebook, review)

    def case_of_rejected(self, rebuilt: Rebuilt) -> Case:
        """Return what a conversation that was rejected is judged by: its calls are made again on what was there before.

        Raises:
            NotToldError: They give something else than they gave then, so what was there is not known exactly.
        """
        conversation = rebuilt.conversation
        # One that was accepted first, and rejected by later rules, has left its notes there.
        notebook = _notebook_before(conversation.brief, self._notebook(conversation.brief).notes_before())
        for exchange in conversation.exchanges:
            for turn in exchange.turns:
                for call, recorded in zip(turn.answer.calls, turn.results, strict=False):
                    if run_call(call, notebook) != recorded:
                        raise NotToldError("what was in memory and diary before it is not known exactly", call.label)
        return self._case(
            conversation.brief, rebuilt.messages, conversation.finish_reasons, notebook, conversation.review
        )

    def _notebook(self, brief: Brief) -> Notebook:
        return read_notebook_at(self._connection, brief.timeline_id, brief.conversation_id, brief.date)

    def _case(
        self,
        brief: Brief,
        messages: tuple[Message, ...],
        finish_reasons: tuple[str, ...],
        notebook: Notebook,
        review: Review | None,
    ) -> Case:
        return case_of(
            self._connection,
            brief,
            messages,
            finish_reasons=finish_reasons,
            known=self._known(brief.timeline_id)[brief.conversation_id],
            notebook=notebook,
            review=review,
        )


def _notebook_before(brief: Brief, before: Notes) -> Notebook:
    """Return a notebook in which the calls of a conversation are made anew, booked to it."""
    notebook = Notebook.holding(before, date=brief.date)
    notebook.conversation_id = brief.conversation_id
    return notebook
