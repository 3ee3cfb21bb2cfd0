"""Conversations as they are judged, put together by hand: who said what, and what was in memory and diary before."""

from __future__ import annotations

from collections.abc import Sequence

from apep_datagen.core.calls import MalformedCall, ToolCall
from apep_datagen.core.markup import render_answer, result_block
from apep_datagen.core.messages import Message
from apep_datagen.core.notebook import Notebook
from apep_datagen.core.tools import run_call
from apep_datagen.people.cast import load_cast
from apep_datagen.people.scenario import Ability, Fact, Form, Scenario
from apep_datagen.people.story import Change, notes_that_hold
from apep_datagen.quality import effect
from apep_datagen.quality.case import Case
from apep_datagen.quality.problem import Problem
from apep_datagen.quality.sample import Sample, read_sample
from support.briefs import brief

__all__ = ["LOOK", "READ", "case", "delete", "effect_of", "fact", "keep", "said", "write"]

Calls = tuple[ToolCall | MalformedCall, ...]
Turn = tuple[str, str, Calls]
"""A thought, a reply and calls."""

LOOK = (ToolCall("recall_memories", {}),)
READ = (ToolCall("recall_diary", {}),)

_BEFORE = "2026-02-20"
_SYSTEM = "You are Ada, an AI companion.\n\nIt is Wednesday, 11 March 2026, 15:20 (afternoon)."


def keep(*texts: str) -> tuple[ToolCall, ...]:
    return (ToolCall("add_memory", {"input_text": list(texts)}),)


def write(*pages: str) -> tuple[ToolCall, ...]:
    return (ToolCall("add_diary", {"input_text": list(pages)}),)


def said(question: str, *turns: str | Calls, thought: str = "I see.") -> tuple[str, list[Turn]]:
    """Return an exchange: what the user says, then calls or a reply for each turn; all thoughts are the same."""
    return question, [(thought, turn, ()) if isinstance(turn, str) else (thought, "", turn) for turn in turns]


def delete(*indices: int) -> tuple[ToolCall, ...]:
    return (ToolCall("delete_memory", {"indices": list(indices)}),)


def fact(value: str, ask: str, *cues: str, forms: Sequence[str] = ()) -> Fact:
    return Fact(cues[0], value, (value, *forms) if value else (), cues, f"{ask}: {value}", ask)


def case(
    ability: Ability,
    *exchanges: tuple[str, Sequence[Turn]],
    memory: Sequence[str] = (),
    diary: Sequence[str] = (),
    facts: Sequence[Fact] = (),
    known: Sequence[Fact] = (),
    replaced: Fact | None = None,
    inventions: Sequence[str] = (),
    form: Form | None = None,
    place: int = 1,
    beside: Sequence[Fact] = (),
    earlier: Sequence[Fact] = (),
) -> Case:
    """Return a conversation of the afternoon of 11 March 2026; its calls are executed."""
    notebook = Notebook(date=_BEFORE)
    if memory:
        notebook.add("memory", list(memory))
    if diary:
        notebook.add("diary", list(diary))
    before = notebook.notes()
    scenario = Scenario(
        ability,
        *("a day", "calm", "short", "Write."),
        tuple(facts),
        replaced,
        tuple(inventions),
        form,
        place,
        beside=tuple(beside),
        earlier=tuple(earlier),
    )
    now = brief(at="2026-03-11T15:20", exchanges=len(exchanges), scenario=scenario)
    notebook.date = now.date
    messages = [Message("system", _SYSTEM)]
    reasons = []
    for question, turns in exchanges:
        messages.append(Message("user", question))
        for thought, reply, calls in turns:
            messages.append(Message("assistant", render_answer(thought, reply, calls)))
            reasons.append("stop")
            if calls:
                results = "\n".join(result_block(run_call(call, notebook)) for call in calls)
                messages.append(Message("tool", results))
    planned = (*facts, *([replaced] if replaced else []), *known)
    held = tuple(item for item in planned if item.value and not item.which and notes_that_hold(item, before))
    return Case(now, tuple(messages), Change(held, before, notebook.notes()), tuple(reasons))


def effect_of(case: Case) -> Problem | None:
    """Return what the stage `effect` says of a conversation."""
    sample = read_sample(case.messages)
    assert isinstance(sample, Sample), sample
    return effect.check(sample, case.brief.scenario, case.change, load_cast().phrases)
