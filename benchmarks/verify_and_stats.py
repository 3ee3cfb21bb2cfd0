"""Measure how long it takes to look through a finished dataset, and how much memory: `verify` and `stats`.

    uv run --all-groups python benchmarks/verify_and_stats.py --conversations 100000

The output is made by the program's own steps, tools, journal and projection, without a model: timelines of 12, of which
five share, recall or update a fact. Texts are those of the benchmark of novelty, of realistic length; the prompts are
the program's own. Making it takes several minutes; `--directory` keeps it for another time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

from apep_datagen.config.settings import DEFAULT_OUTPUT
from apep_datagen.conversation.brief import Brief
from apep_datagen.conversation.machine import ModelCall, next_step
from apep_datagen.conversation.prompt_set import PromptSet, load_prompts
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.messages import Step
from apep_datagen.engine.commit import Rules, commit_answer
from apep_datagen.engine.ending import JudgedEnding
from apep_datagen.people.cast import Cast, load_cast
from apep_datagen.people.drawing import draw_scenario, draw_time, draw_user, generator, possible_abilities
from apep_datagen.people.scenario import Ability
from apep_datagen.people.story import Story
from apep_datagen.quality.judge import Judge
from apep_datagen.quality.novelty import NoveltyLimits
from apep_datagen.storage.conversations import StepRecord
from apep_datagen.storage.database import StateDatabase
from apep_datagen.storage.timelines import Timeline
from common import Measured, print_table
from novelty import Writer

_QUESTION_WORDS, _REPLY_WORDS, _THINKING_WORDS = 40, 80, 60
_SENTENCE_WORDS = 12
_TIMELINE_LENGTH = 12
_OPEN_TIMELINES = 240
_ABILITIES = tuple(
    Ability(name)
    for name in (
        "share smalltalk share advice recall smalltalk update advice smalltalk recall advice smalltalk".split()  # noqa: SIM905 - reads better
    )
)


class Author:
    """Writes what models would, and has it recorded.

    Args:
        cast: What users and scenarios are drawn from.
        prompts: The prompts.
    """

    def __init__(self, cast: Cast, prompts: PromptSet) -> None:
        self._cast, self._prompts = cast, prompts
        self._writer = Writer(1)
        judge = Judge("off", cast.phrases, NoveltyLimits(), ())
        self._rules = Rules(JudgedEnding(judge), _TIMELINE_LENGTH, 0)

    def converse(self, connection: sqlite3.Connection, timeline: Timeline, number: int) -> Timeline | None:
        """Record a conversation from its beginning to its end, and return its timeline if that goes on."""
        conversation = Conversation(self._plan(timeline, number), self._prompts)
        while isinstance(needed := next_step(conversation), ModelCall):
            step = StepRecord(
                needed.step.value, self._text(conversation, needed.step), "stop", "benchmark", "model", 1000, 150, 2.0
            )
            recorded = commit_answer(connection, conversation, step, "benchmark", self._rules)
            conversation = recorded.conversation
        return recorded.timeline

    def new_timeline(self, number: int) -> Timeline:
        """Begin a timeline."""
        return Timeline(number, Story(draw_user(self._cast, generator(1, "user", number))))

    def _plan(self, timeline: Timeline, number: int) -> Brief:
        draw = generator(1, "scenario", number)
        at = draw_time(draw, timeline.story.at, "2025-01-01", "2026-12-31")
        ability = _ABILITIES[timeline.conversations % len(_ABILITIES)]
        if ability not in possible_abilities(self._cast, timeline.story, at[:10]):
            ability = Ability.SMALLTALK
        scenario = draw_scenario(self._cast, draw, ability, timeline.story, at=at)
        return Brief(number, timeline.id, 1, 3, at, timeline.story.user, scenario, timeline.previous, number)

    def _text(self, conversation: Conversation, step: Step) -> str:
        scenario = conversation.brief.scenario
        told = " ".join(f"{fact.tell[:1].upper()}{fact.tell[1:]}." for fact in scenario.facts)
        if step is Step.ASK:
            return f"{self._write(_QUESTION_WORDS)} {'' if scenario.ability is Ability.RECALL else told}"
        thought = f"<think>{self._write(_THINKING_WORDS)}</think>\n\n"
        if step is Step.REWRITE:
            thoughts = range(1, len(conversation.exchanges[-1].thoughts) + 1)
            return "\n\n".join(f"[[{mark}]] {self._write(_THINKING_WORDS)}" for mark in thoughts)
        if calls := self._calls(conversation):
            return thought + "\n".join(f"<tool_call>{call}</tool_call>" for call in calls)
        return f"{thought}{self._write(_REPLY_WORDS)} {told}"

    def _calls(self, conversation: Conversation) -> list[str]:
        """Return the calls of the next turn; a turn of its own looks before something is deleted."""
        scenario, turns = conversation.brief.scenario, conversation.exchanges[-1].turns
        notes = json.dumps([f"She says: {fact.tell}." for fact in scenario.facts], ensure_ascii=False)
        match scenario.ability, len(turns):
            case Ability.RECALL | Ability.UPDATE, 0:
                return ["recall_memories()"]
            case Ability.SHARE, 0:
                return [f"add_memory(input_text={notes})"]
            case Ability.UPDATE, 1:
                found = turns[0].results[0]["memories"]
                stale = [
                    note["index"] for note in found if scenario.replaced and scenario.replaced.value in note["text"]
                ]
                return [f"delete_memory(indices={stale or [1]})", f"add_memory(input_text={notes})"]
        return []

    def _write(self, length: int) -> str:
        words = iter(self._writer.write(length))
        sentences = iter(lambda: " ".join(itertools.islice(words, _SENTENCE_WORDS)), "")
        return " ".join(f"{sentence.capitalize()}." for sentence in sentences)


async def make(output: Path, conversations: int) -> None:
    """Make an output with its state database; many timelines go on at once, as in a run."""
    state = StateDatabase(output, seed=1, notify=print)
    author = Author(load_cast(), load_prompts())
    numbers = iter(range(1, conversations + 1))
    timelines = (author.new_timeline(number) for number in itertools.count(1))
    going_on: list[Timeline] = []

    async def converse(timeline: Timeline, number: int) -> Timeline | None:
        return await state.run(lambda connection: author.converse(connection, timeline, number))

    while batch := list(itertools.islice(numbers, _OPEN_TIMELINES)):
        going_on += itertools.islice(timelines, max(0, len(batch) - len(going_on)))
        ended = await asyncio.gather(*map(converse, going_on, batch))
        going_on = [timeline for timeline in ended if timeline is not None] + going_on[len(batch) :]
    await state.close()


def measure(directory: Path, *command: str) -> Measured:
    """Run a command of the program in `directory`, and measure it with the processes that it starts.

    Memory is the most that all of them had resident at one time, pages that they share counted for each.
    """
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, *command], cwd=directory, stdout=subprocess.DEVNULL)
    watched = psutil.Process(process.pid)
    resident, cpu = 0, 0.0
    while process.poll() is None:
        with contextlib.suppress(psutil.Error):
            family = [watched, *watched.children(recursive=True)]
            resident = max(resident, sum(_resident(member) for member in family))
            cpu = max(cpu, sum(_cpu(member) for member in family))
        time.sleep(0.02)
    assert process.returncode == 0, f"{' '.join(command)} ended with {process.returncode}"
    return Measured(time.monotonic() - began, cpu, resident)


def _resident(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        return process.memory_info().rss
    return 0


def _cpu(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.Error):
        times = process.cpu_times()
        return times.user + times.system
    return 0.0


@contextlib.contextmanager
def kept_or_temporary(kept: Path | None) -> Iterator[Path]:
    """Give a directory that stays, or, where none is named, one that goes."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory() as place:
        yield Path(place)


def _row(name: str, measured: Measured) -> Iterable[str]:
    return (
        name,
        f"{measured.seconds:.1f}",
        f"{measured.cpu_seconds:.1f}",
        f"{measured.resident_bytes / 1e6:.0f}",
    )


def main() -> None:
    """Make an output, if there is none, and measure the commands that look through it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--commands", default="verify,stats")
    parser.add_argument("--directory", type=Path, help="where the output is kept; else it is made and removed")
    options = parser.parse_args()
    with kept_or_temporary(options.directory) as directory:
        output = directory / DEFAULT_OUTPUT
        if not output.exists():
            began = time.monotonic()
            asyncio.run(make(output, options.conversations))
            print(f"made in {time.monotonic() - began:.0f} s")
        print(f"an output of {output.stat().st_size / 1e6:.0f} MB")
        rows = [
            list(_row(name, measure(directory, "-m", "apep_datagen", name, str(DEFAULT_OUTPUT))))
            for name in options.commands.split(",")
        ]
    print_table(rows, ("command", "seconds", "seconds of processors", "MB resident"))


if __name__ == "__main__":
    main()
