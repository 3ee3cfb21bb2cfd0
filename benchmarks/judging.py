"""Measure what it costs to judge a conversation, stage by stage.

    uv run --all-groups python benchmarks/judging.py --conversations 5000 --notes 60 --pages 12 --exchanges 2

In turn, conversations tell a fact, which Ada keeps, ask for one, which she looks up, or are small talk, with messages
of 40 words, replies of 80 and thoughts of 60, as `novelty.py` writes them, and the program's own prompts. What is
shown comes in the last exchange; those before are small talk. A timeline of ten conversations has so many notes and
pages, and a third of the notes are facts that are known. Nearly all are accepted, so that the next ones have
something to be compared with. The 200 of a capable model in `tests/real_model` are judged first, as a run does it.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.machine import (
    Finished,
    ToolRound,
    advance_with_completion,
    advance_with_results,
    next_step,
)
from apep_datagen.conversation.prompt_set import PromptSet, load_prompts
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.messages import Message
from apep_datagen.core.notebook import Note, Notebook, Notes
from apep_datagen.core.sample_json import sample_line
from apep_datagen.core.tools import run_call
from apep_datagen.people.cast import Cast, load_cast
from apep_datagen.people.drawing import draw_user, generator
from apep_datagen.people.scenario import FORMS, Ability, Fact, Scenario
from apep_datagen.people.story import Change
from apep_datagen.quality import effect, execution, form, knowledge, notes, novelty, thinking, voice
from apep_datagen.quality import time as time_stage
from apep_datagen.quality import wording as wording_module
from apep_datagen.quality.case import Case
from apep_datagen.quality.judge import Judge
from apep_datagen.quality.novelty import Accepted, NoveltyLimits
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import read_sample
from apep_datagen.quality.wording import wording_of
from apep_datagen.storage.accepted import AcceptedConversations
from apep_datagen.storage.schema import migrate
from common import print_table
from novelty import Writer

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.real_conversations import judge_one_by_one, real_conversations

_QUESTION_WORDS, _REPLY_WORDS, _THOUGHT_WORDS = 40, 80, 60
_CONVERSATIONS_OF_A_TIMELINE = 10
_WORDS_OF_A_NOTE, _WORDS_OF_A_PAGE = 10, 50
# So many conversations meet an empty cache.
_COLD = 20
# What leads to either call, and claims nothing.
_LEADS = "Let me look, and write it down."


def main() -> None:
    """Judge, and print what it took of the processor: what else the machine does is not measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--conversations", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--notes", type=int, default=60)
    parser.add_argument("--pages", type=int, default=12)
    parser.add_argument("--exchanges", type=int, default=2)
    options = parser.parse_args()
    size = Size(options.notes, options.pages, options.exchanges)
    costs = {"a real conversation": list(measure_real()), **measure(options.conversations, options.seed, size)}
    rows = [
        [name, f"{1000 * statistics.mean(seconds):.2f}", f"{1000 * statistics.quantiles(seconds, n=100)[98]:.2f}"]
        for name, seconds in costs.items()
    ]
    print_table(rows, ["", "mean ms", "99th percentile ms"])


def measure_real() -> Iterator[float]:
    """Yield the seconds that judging took for each of the 200 of `tests/real_model`, but the first few."""
    real_conversations()
    judged = judge_one_by_one()
    for number in range(len(real_conversations())):
        began = time.process_time()
        next(judged)
        if number >= _COLD:
            yield time.process_time() - began


@dataclass(frozen=True)
class Size:
    """How much is in memory and diary, and how many exchanges a conversation has."""

    notes: int
    pages: int
    exchanges: int


def measure(conversations: int, seed: int, size: Size) -> dict[str, list[float]]:
    """Return the seconds that judging took, and each stage of it, for each conversation."""
    cast = load_cast()
    made = Maker(cast, load_prompts(), Writer(seed), Writer(seed + 1), size)
    judge = Judge("strict", cast.phrases, NoveltyLimits(), made.tester_texts)
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, seed=1, output_name="x", base_count=0, base_end=1)
    accepted = AcceptedConversations(connection)
    costs: dict[str, list[float]] = defaultdict(list)
    for number in range(1, conversations + 1):
        brief, messages, change = made.conversation(number)
        _measure_novelty(messages, judge, accepted, costs)
        began = time.process_time()
        case = Case(brief, messages, change)
        problem = judge.judge(case, accepted)
        if problem is None:
            judge.remember(number, messages, accepted)
        costs["all, with novelty"].append(time.process_time() - began)
        if problem is not None and problem.stage is Stage.NOVELTY:
            continue  # a stock phrase was drawn for the opening too often
        _expect_none(problem)
        row = (number, number, sample_line(messages))
        connection.execute("INSERT INTO samples (position, conversation_id, line, end) VALUES (?, ?, ?, 0)", row)
        _measure_stages(case, judge, costs)
    return costs


def _measure_novelty(
    messages: tuple[Message, ...], judge: Judge, accepted: Accepted, costs: dict[str, list[float]]
) -> None:
    """Measure novelty before anything else is done; nobody profits from that, as what it has kept is forgotten."""
    times = [time.process_time()]
    wording = wording_of(messages)
    times.append(time.process_time())
    novelty.check(wording, accepted, judge.limits)
    times.append(time.process_time())
    thinking.check(wording, accepted, judge.limits)
    times.append(time.process_time())
    for name, began, ended in zip(("own words", "novelty", "novelty of thinking"), times, times[1:], strict=False):
        costs[name].append(ended - began)
    for kept in (novelty.band_keys, novelty._minima, wording_module._wording_of):  # noqa: SLF001 - to measure
        kept.cache_clear()


def _measure_stages(case: Case, judge: Judge, costs: dict[str, list[float]]) -> None:
    brief, change = case.brief, case.change
    times = [time.process_time()]
    sample = read_sample(case.messages)
    assert not isinstance(sample, Problem), sample
    _expect_none(form.check(sample))
    times.append(time.process_time())
    _expect_none(execution.check(sample, change.before, change.after, brief.date))
    times.append(time.process_time())
    _expect_none(effect.check(sample, brief.scenario, change, judge.phrases))
    times.append(time.process_time())
    _expect_none(notes.check(sample, brief.scenario, change))
    times.append(time.process_time())
    _expect_none(knowledge.check(sample, case))
    times.append(time.process_time())
    _expect_none(time_stage.check(sample, brief))
    times.append(time.process_time())
    texts = (sample.system, *judge.tester_texts)
    _expect_none(voice.check(sample, phrases=judge.phrases, user_name=brief.user.name, prompt_texts=texts))
    times.append(time.process_time())
    for name, began, ended in zip(
        ("form", "execution", "effect", "notes", "knowledge", "time", "voice"), times, times[1:], strict=False
    ):
        costs[name].append(ended - began)


def _expect_none(problem: Problem | None) -> None:
    assert problem is None, problem


class Maker:
    """Makes faultless conversations of random words."""

    def __init__(self, cast: Cast, prompts: PromptSet, writer: Writer, of_notes: Writer, size: Size) -> None:
        self.tester_texts = (
            prompts.texts["tester_system.txt"],
            prompts.texts["tester_user.txt"],
            *cast.instruction_sources,
        )
        self._cast, self._prompts, self._writer = cast, prompts, writer
        # In words of their own: who says what stands in a note that nobody has read knows too much.
        self._of_notes = of_notes
        self._slots = list(cast.slots.values())
        self._size = size
        self._notes: list[str] = []
        self._pages: list[str] = []
        self._known: tuple[Fact, ...] = ()

    def conversation(self, number: int) -> tuple[Brief, tuple[Message, ...], Change]:
        """Return a conversation with its brief and what it changes."""
        ability = (Ability.SHARE, Ability.RECALL, Ability.SMALLTALK)[number % 3]
        slot = self._slots[number % len(self._slots)]
        fact = slot.fact(slot.values[number % len(slot.values)])
        if number % _CONVERSATIONS_OF_A_TIMELINE == 1:
            self._begin_timeline(number)
        notes = [f"User: {fact.tell}"] if ability is Ability.RECALL else []
        before = Notes(_numbered([*self._notes, *notes]), _numbered(self._pages))
        brief = Brief(
            conversation_id=number,
            timeline_id=number,
            exchanges=self._size.exchanges,
            max_tool_rounds=3,
            at="2026-03-14T19:40",
            user=draw_user(self._cast, generator(number)),
            scenario=Scenario(
                *(ability, "", "", "", ""),
                (fact,) if ability is not Ability.SMALLTALK else (),
                form=FORMS[ability][0],
                place=self._size.exchanges,
            ),
            previous=None,
            seed=0,
        )
        notebook = Notebook.holding(before, date=brief.date)
        conversation = Conversation(brief, self._prompts)
        chats = (text for _ in range(self._size.exchanges - 1) for text in self._answers(Ability.SMALLTALK, fact))
        for text in (*chats, *self._answers(ability, fact)):
            conversation = advance_with_completion(conversation, text, "stop")
            needed = next_step(conversation)
            if isinstance(needed, ToolRound):
                results = [run_call(call, notebook) for call in needed.calls]
                conversation = advance_with_results(conversation, results)
        finished = next_step(conversation)
        assert isinstance(finished, Finished), finished
        return brief, finished.messages, Change(self._known, before, notebook.notes())

    def _begin_timeline(self, number: int) -> None:
        """Fill memory and diary: a third of the notes with facts that are known, of slots that are not told soon."""
        slots = [self._slots[(number + place) % len(self._slots)] for place in range(12, 12 + self._size.notes // 3)]
        self._known = tuple(slot.fact(slot.values[number % len(slot.values)]) for slot in slots)
        told = [f"User: {fact.tell}" for fact in self._known]
        others = self._size.notes - len(told)
        self._notes = [*told, *(self._text(_WORDS_OF_A_NOTE, self._of_notes) for _ in range(others))]
        self._pages = [self._text(_WORDS_OF_A_PAGE, self._of_notes) for _ in range(self._size.pages)]

    def _answers(self, ability: Ability, fact: Fact) -> list[str]:
        told = f"{fact.tell}. " if ability is Ability.SHARE else ""
        found = f"{fact.value}. " if ability is Ability.RECALL else ""
        call = {
            Ability.SHARE: f'add_memory(input_text=["User: {fact.tell}"])',
            Ability.RECALL: "recall_memories()",
        }.get(ability)
        thought = f"{self._text(_THOUGHT_WORDS)} {_LEADS}"
        calling = [f"<think>{thought}</think>\n\n<tool_call>{call}</tool_call>"] if call else []
        reply = f"{self._text(_REPLY_WORDS // 2)} {found}{self._text(_REPLY_WORDS // 2)}"
        rewritten = [f"{self._text(_THOUGHT_WORDS)} {_LEADS}" for _ in (*calling, reply)]
        marked = "\n".join(f"[[{index}]] {text}" for index, text in enumerate(rewritten, start=1))
        return [
            f"{told}{self._text(_QUESTION_WORDS)}",
            *calling,
            f"<think>{thought}</think>\n\n{reply}",
            marked if calling else rewritten[0],
        ]

    def _text(self, length: int, writer: Writer | None = None) -> str:
        return " ".join((writer or self._writer).write(length)).capitalize() + "."


def _numbered(texts: list[str]) -> tuple[Note, ...]:
    return tuple(Note(index, "2026-01-01", text) for index, text in enumerate(texts, start=1))


if __name__ == "__main__":
    main()
