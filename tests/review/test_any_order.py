"""Whatever order of runs, kills, verdicts, undoing and judging anew: what is promised of output and state is kept."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from apep_datagen.config.settings_file import load_settings
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.core.messages import Message
from apep_datagen.core.sample_json import line_digest, parse_messages, sample_line
from apep_datagen.people.cast import load_cast
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.wording import wording_of
from apep_datagen.rejudge.rejudging import rejudge
from apep_datagen.review.applying import apply, apply_waiting, undo
from apep_datagen.review.verdicts_file import read_verdicts_file, spelled
from apep_datagen.storage import opening, replacement
from apep_datagen.storage.accepted import AcceptedConversations
from apep_datagen.storage.access import connect
from apep_datagen.storage.conversations import (
    StepRecord,
    record_acceptance,
    record_rejection,
    record_start,
    record_step,
)
from apep_datagen.storage.notes import read_notebook
from apep_datagen.storage.opening import OpenedRun
from apep_datagen.storage.reviewed import Word, read_opinion
from apep_datagen.storage.waiting_verdicts import new_waiting_path, waiting_verdicts, write_waiting
from apep_datagen.verify.verification import verify
from support.real_conversations import RealConversation, real_conversations, recorded_rows
from support.real_state import everything, go_through, query, saved_messages
from support.verdicts import digests_of, write_verdicts

FORM = load_settings(None, quality={"level": "form"})
STEPS = 16
LENGTH = 12


class Scene:
    """An output in the hands of somebody who does anything with it.

    Args:
        output: The output.
        seed: What is done follows from it.
    """

    def __init__(self, output: Path, seed: int) -> None:
        self.output = output
        self.draw = random.Random(seed)  # noqa: S311 - a test's draw
        self.made = 0
        self.done: list[str] = []

    # What somebody does.

    def run(self) -> None:
        """Go on as a run does: the next real conversations, with all that they stored."""
        apply_waiting(self.output, lambda _: None)
        begun = OpenedRun(self.output, seed=1, notify=lambda _: None)
        try:
            for at in range(self.made, self.made + 12):
                begun.connection.execute("BEGIN IMMEDIATE")
                if not query(self.output, f"SELECT 1 FROM conversations WHERE id = {at + 1}"):  # noqa: S608 - a number
                    record(begun.connection, real_conversations()[at], recorded_rows()[at])
                begun.before_commit()
                begun.connection.execute("COMMIT")
                begun.projection.bring_up_to_date()
        finally:
            begun.close()

    def review(self) -> None:
        """Say something of some that are there, or were."""
        source = self.output.parent / "v.json"
        said = read_verdicts_file(source)
        with_dependents = source.stat().st_size % 2 == 0
        apply(self.output, source, said, name="Ann", with_dependents=with_dependents, notify=lambda _: None)

    def undo(self) -> None:
        undo(self.output, lambda _: None)

    def judge_anew(self) -> None:
        drops = len(self.done) % 2 == 0
        rejudge(self.output, FORM, load_prompts(), load_cast(), drops=drops, is_dry_run=False, notify=lambda _: None)

    def lay_out_anew(self) -> None:
        """Write the file as another program writes it; all that is in it counts as that one's then."""
        OpenedRun(self.output, seed=1, notify=lambda _: None).close()
        elements = json.loads(self.output.read_bytes())
        self.output.write_text(json.dumps(elements, indent=1, ensure_ascii=False), encoding="utf-8")
        OpenedRun(self.output, seed=1, notify=lambda _: None).close()

    # How it is done.

    def step(self) -> None:
        """Do something, or begin it and be killed."""
        names = ["run", "review", "review", "undo", "wait", "judge_anew", "lay_out_anew"]
        name = self.draw.choice(names) if self.made else "run"
        if name in {"review", "wait"}:
            self.write_verdicts()
        if name == "wait":
            said = read_verdicts_file(self.output.parent / "v.json").said
            write_waiting(new_waiting_path(self.output), spelled(self.output, said, name="Ben", with_dependents=True))
        else:
            action: Callable[[], None] = getattr(self, name)
            if name != "lay_out_anew" and self.made and self.draw.random() < 0.4:
                name += self.killed(action)
            if "killed" not in name or self.draw.random() < 0.5 or name.startswith("run"):
                action()
            self.made += 12 * name.startswith("run")
        self.done.append(name)

    def killed(self, action: Callable[[], None]) -> str:
        """Do something in a process that is killed on the way, or behind it; nothing has happened, or all of it."""
        before, waited = everything(self.output), bool(waiting_verdicts(self.output))
        point = self.draw.choice(["_copy", "sync_directory", *range(1, 400, 13)])
        child = os.fork()
        if not child:
            try:
                kill_at(point)
                action()
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        assert status == 0 or os.WTERMSIG(status) == signal.SIGKILL
        OpenedRun(self.output, seed=1, notify=lambda _: None).close()
        if action == self.review and not waited:  # what waited is applied by itself before
            there = everything(self.output)
            if there != before:
                action()
                assert everything(self.output) == there, "a kill let half of it happen"
        return f", killed at {point}"

    def write_verdicts(self) -> None:
        """Write what somebody says of some that are in the output, and some that were."""
        there = digests_of(self.output) + [
            digest for (digest,) in query(self.output, "SELECT digest FROM person_removed")
        ]
        count = min(len(there), self.draw.randint(1, 6))
        words = [self.draw.choice(["good", "bad", "bad", "unsure"]) for _ in range(count)]
        write_verdicts(
            self.output.parent / "v.json",
            dict(zip(self.draw.sample(there, count), words, strict=True)),
            tags=["tone"] * self.draw.randint(0, 1),
            note="x" * self.draw.randint(0, 1),
        )

    # What is promised.

    def check(self, *, whole: bool) -> None:
        output, told = self.output, self.done
        lines = [json.dumps(element) for element in json.loads(output.read_bytes())]
        assert len(set(lines)) == len(lines), told
        kept = [number for (number,) in query(output, "SELECT conversation_id FROM samples ORDER BY position")]
        assert len(lines) == len(kept), told
        removed = [number for (number,) in query(output, "SELECT conversation_id FROM person_removed")]
        judged = [n for (n,) in query(output, "SELECT id FROM conversations WHERE stage != 'person' AND stage != ''")]
        everyone = [number for (number,) in query(output, "SELECT id FROM conversations ORDER BY id")]
        assert sorted([*kept, *removed, *judged]) == everyone, told
        counted = query(
            output, "SELECT coalesce(stage, ''), coalesce(reason, ''), count(*) FROM conversations GROUP BY 1, 2"
        )
        assert sorted(query(output, "SELECT stage, reason, sum(count) FROM verdicts GROUP BY 1, 2")) == sorted(
            counted
        ), told
        remembered = {number for (number,) in query(output, "SELECT DISTINCT conversation_id FROM near")}
        assert remembered == set(kept), told
        self.check_what_people_said({line_digest(sample_line(messages_of(line)).encode()).hex() for line in lines})
        if whole:
            assert verify(output, FORM).findings == (), told

    def check_what_people_said(self, there: set[str]) -> None:
        """Check that the output is what follows of what counts."""
        connection = sqlite3.connect(self.output.with_name("out.state.db"))
        opinion = read_opinion(connection)
        removed = {digest for (digest,) in connection.execute("SELECT digest FROM person_removed")}
        connection.close()
        for digest in {*opinion.said, *opinion.roots, *removed}:
            said = opinion.said.get(digest)
            is_bad = said is not None and said.word is Word.BAD
            is_good = said is not None and said.word is Word.GOOD
            if is_bad or (opinion.bad_roots(digest) and not is_good):
                assert digest not in there, self.done
            else:
                assert digest not in removed, self.done


def messages_of(line: str) -> tuple[Message, ...]:
    messages = parse_messages(line.encode())
    assert messages is not None
    return messages


def kill_at(point: str | int) -> None:
    """Let this process be killed at a step of writing the output anew, or before a statement of a number."""
    left = [point if isinstance(point, int) else 0]

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def count(_statement: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            die()

    def counting(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.set_trace_callback(count)
        return connection

    if isinstance(point, str):
        vars(replacement)[point] = die
    else:
        vars(opening)["connect"] = counting


def record(connection: sqlite3.Connection, real: RealConversation, row: dict[str, object]) -> None:
    """Record a conversation as a run records it, from its beginning to its end."""
    brief, steps, verdict = real.case.brief, row["steps"], row["verdict"]
    assert isinstance(steps, list)
    assert isinstance(verdict, dict)
    record_start(connection, real.conversation, "oracle")
    for number, step in enumerate(steps, start=1):
        text = json.dumps(step["text"], ensure_ascii=False) if step["kind"] == "tools" else step["text"]
        record_step(connection, real.number, number, StepRecord(step["kind"], text, step["finish_reason"]))
    notebook = read_notebook(connection, brief.timeline_id, real.number, brief.date)
    if verdict["status"] == "rejected":
        record_rejection(connection, real.conversation, Problem(Stage(verdict["stage"]), verdict["reason"]))
        return
    story = go_through(connection, real, notebook)
    messages = saved_messages()[real.number]
    record_acceptance(connection, real.conversation, sample_line(messages), story, LENGTH)
    AcceptedConversations(connection).remember(real.number, wording_of(messages))


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_done_each_is_there_once_and_all_agrees(tmp_path: Path, seed: int) -> None:
    scene = Scene(tmp_path / "out.json", seed)
    for number in range(STEPS):
        scene.step()
        scene.check(whole=number % 5 == 0)
    # Undone to the end, nothing is left of what anybody said.
    apply_waiting(scene.output, lambda _: None)
    while undo(scene.output, lambda _: None).batch is not None:
        scene.check(whole=False)
    assert query(scene.output, "SELECT * FROM person_removed") == []
    assert query(scene.output, "SELECT * FROM conversations WHERE stage = 'person'") == []
    scene.check(whole=True)
