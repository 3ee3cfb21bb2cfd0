"""Two hundred conversations that a capable model wrote through the program, with careful readers' labels.

`tests/real_model/README.md` tells how they came about and what the labels mean.
"""

from __future__ import annotations

import functools
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.machine import Finished, next_step, rebuild
from apep_datagen.conversation.prompt_set import PromptSet
from apep_datagen.conversation.prompting import training_sample
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.messages import Message
from apep_datagen.core.notebook import Notebook, Notes
from apep_datagen.core.sample_json import sample_line
from apep_datagen.core.tools import run_call
from apep_datagen.people.cast import load_cast
from apep_datagen.people.scenario import TELLING, Fact
from apep_datagen.people.story import Change, notes_that_hold
from apep_datagen.quality.case import Case
from apep_datagen.quality.judge import Judge
from apep_datagen.quality.novelty import NoveltyLimits
from apep_datagen.quality.problem import Problem
from apep_datagen.quality.second_look import judge_rewritten
from apep_datagen.storage.accepted import AcceptedConversations
from apep_datagen.storage.schema import migrate

_FOLDER = Path(__file__).parents[1] / "real_model"


@dataclass(frozen=True, slots=True)
class Fault:
    """What a reader found.

    Attributes:
        kind: As the labels name it.
        where: `user`, `raw thought`, `rewritten thought`, `reply`, `note`; empty where the reader did not say.
        quote: The words.
        is_severe: Whether the conversation is bad because of it alone.
        by: `first reader` or `second reader`.
    """

    kind: str
    where: str
    quote: str
    is_severe: bool
    by: str


@dataclass(frozen=True, slots=True)
class Label:
    """What readers said of a conversation: `good`, `flawed`, or `doubtful` where they do not agree or are not sure."""

    verdict: str
    faults: tuple[Fault, ...]

    def has(self, *kinds: str) -> bool:
        """Tell whether a fault of these kinds was found that is severe."""
        return any(fault.kind in kinds and fault.is_severe for fault in self.faults)


@dataclass(frozen=True, slots=True)
class RealConversation:
    """One of them.

    Attributes:
        case: As it is judged.
        conversation: As a state.
        label: What the readers said.
        was_rejected: Whether it was rejected at the time.
    """

    case: Case
    conversation: Conversation
    label: Label
    was_rejected: bool

    @property
    def number(self) -> int:
        """Its number in the run."""
        return self.case.brief.conversation_id


@functools.cache
def real_conversations() -> tuple[RealConversation, ...]:
    """Return all of them, in order."""
    prompts = PromptSet(json.loads((_FOLDER / "prompts.json").read_text("utf-8")))
    labels = dict(map(_label, _lines("labels.jsonl")))
    made: list[RealConversation] = []
    known: dict[int, dict[str, Fact]] = {}
    told: dict[int, list[str]] = {}
    for row in recorded_rows():
        brief = TypeAdapter(Brief).validate_python(row["plan"], strict=False)
        conversation = rebuild(brief, prompts, [_step(step) for step in row["steps"]])
        finished = next_step(conversation)
        assert isinstance(finished, Finished)
        before = _notes(row["notes_before"], brief.date)
        facts = known.setdefault(brief.timeline_id, {})
        said = told.setdefault(brief.timeline_id, [])
        change = Change(
            tuple(fact for fact in facts.values() if notes_that_hold(fact, before)),
            before,
            _after(conversation, before),
        )
        reasons = tuple(turn.finish_reason for exchange in conversation.exchanges for turn in exchange.turns)
        case = Case(brief, finished.messages, change, reasons, tuple(said))
        was_rejected = row["verdict"]["status"] == "rejected"
        made.append(RealConversation(case, conversation, labels[brief.conversation_id], was_rejected))
        said.append(conversation.exchanges[-1].question)
        if brief.scenario.ability in TELLING and not was_rejected:
            facts.update((fact.slot, fact) for fact in brief.scenario.facts)
    return tuple(made)


def recorded_rows() -> list[dict[str, Any]]:
    """Return what was recorded of each of them, in order; `tests/real_model/README.md` tells what it holds."""
    return _lines("conversations.jsonl")


def judge_all() -> list[tuple[RealConversation, Problem | None]]:
    """Return each of them with what is wrong with it, judged one after the other as a run does it."""
    return list(judge_one_by_one())


def judge_one_by_one() -> Iterator[tuple[RealConversation, Problem | None]]:
    """Yield what `judge_all` returns, each as soon as it is judged."""
    return ((real, problem) for real, problem, _ in judge_all_as_saved())


def judge_all_as_saved() -> Iterator[tuple[RealConversation, Problem | None, tuple[Message, ...]]]:
    """Yield the same, with the messages that are saved where it is accepted."""
    judge = Judge("strict", load_cast().phrases, NoveltyLimits(), ())
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, seed=1, output_name="x", base_count=0, base_end=1)
    accepted = AcceptedConversations(connection)
    for real in real_conversations():
        judged_as = judge_rewritten(judge, real.conversation, real.case, accepted)
        problem, messages = judged_as.problem, training_sample(judged_as.conversation)
        if problem is None:
            judge.remember(real.number, messages, accepted)
            connection.execute(
                "INSERT INTO samples (position, conversation_id, line, end) VALUES (?, ?, ?, 0)",
                (real.number, real.number, sample_line(messages)),
            )
        yield real, problem, messages


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (_FOLDER / name).read_text("utf-8").splitlines()]


def _label(row: dict[str, Any]) -> tuple[int, Label]:
    faults = tuple(
        Fault(fault["kind"], fault["where"], fault["quote"], fault["severe"], fault["by"]) for fault in row["faults"]
    )
    return row["id"], Label(row["verdict"], faults)


def _step(row: dict[str, Any]) -> tuple[str, str, str]:
    text = json.dumps(row["text"]) if row["kind"] == "tools" else row["text"]
    return row["kind"], text, row["finish_reason"]


def _notes(row: dict[str, list[dict[str, str]]], date: str) -> Notes:
    notebook = Notebook(date=date)
    for shelf in ("memory", "diary"):
        for note in row[shelf]:
            notebook.date = note["date"]
            notebook.add(shelf, [note["text"]])
    return notebook.notes()


def _after(conversation: Conversation, before: Notes) -> Notes:
    notebook = Notebook.holding(before, date=conversation.brief.date)
    for exchange in conversation.exchanges:
        for turn in exchange.turns:
            for call in turn.answer.calls:
                run_call(call, notebook)
    return notebook.notes()
