"""A tester, an Ada, a rewriter and a reviewer for the loopback server, good in all they do, or bad in a known way.

`ScriptedPeople` is the server's behaviour. The tester reads in its prompt what a message is to be about; Ada and the
rewriter read what was planned in the run's state database, and tell only what Ada is shown. The same request has the
same answer, and all have phrases enough to be new each time.

A conversation is faultless, or goes wrong in one of `WAYS`: which one is decided when the user's message comes in which
it can be the tester's, or Ada's first answer to it, and noted under the first question (`way_of`). So a test knows of
every conversation what has to become of it.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from apep_datagen.people.cast import Cast
from apep_datagen.people.scenario import Ability, Form
from support.loopback_server import Received, Reply
from support.people import ada, tester
from support.people.chatter import ADAS_CHAT, USERS_CHAT
from support.people.scene import scene_of
from support.people.tester import CAST, Task
from support.people.turn import Turn, results_in
from support.people.ways import WAYS, Way

__all__ = ["ADAS_CHAT", "ALIKE_IN_THOUGHT", "CAST", "USERS_CHAT", "WAYS", "ScriptedPeople", "Way"]

ALIKE_IN_THOUGHT = "thought_opening_share = 1\nthought_phrase_share = 1\nthought_habit_share = 1\n"
"""What lets them pass in `[quality]`: their messages and replies are new each time, what they think is not."""


@dataclass(slots=True)
class ScriptedPeople:
    """Answers every request of a run.

    Attributes:
        state: The run's state database, which is there when Ada is first asked.
        ways: What may go wrong; empty: nothing does.
        share: The share of the conversations that go wrong, of those that can, once each way has been taken.
        cast: Whose instructions the tester is given.
        review: What the reviewer answers.
        way_of: For each question that began a conversation, how this goes wrong; None: not at all.
        ability_of: What the conversation with each of these questions was to show, as its prompts said.
        shown: How often Ada was asked in conversations of each form.
        used: How often each way was taken.
    """

    state: Path
    ways: tuple[Way, ...] = ()
    share: float = 0.5
    cast: Cast = CAST
    review: str = "mood: yes\nfacts: yes\nperson: yes\ntraining: yes"
    way_of: dict[str, Way | None] = field(default_factory=dict)
    ability_of: dict[str, Ability] = field(default_factory=dict)
    shown: Counter[tuple[Ability, Form | None]] = field(default_factory=Counter)
    used: Counter[str] = field(default_factory=Counter)
    _asked: dict[str, str] = field(default_factory=dict)
    _decided: set[str] = field(default_factory=set)
    _first_of: dict[str, str] = field(default_factory=dict)

    def __call__(self, received: Received) -> Reply:
        messages = received.body["messages"]
        draw = random.Random(json.dumps([messages, received.body.get("seed")]))  # noqa: S311 - a test's draw
        contents = [message["content"] for message in messages]
        if received.step == "ask":
            key = received.content
            if key not in self._asked:  # the same request again has the same answer
                self._asked[key] = self._ask(contents[0], contents[-1], draw)
            return Reply(self._asked[key])
        if received.step == "rewrite":
            return Reply(self._rewrite(received.prompt))
        if received.step == "review":
            return Reply(self.review)
        return Reply(self._answer(contents, draw))

    def of(self, question: str) -> str:
        """Return the name of the way in which the conversation that began so goes wrong; empty for none."""
        way = self.way_of[question]
        return way.name if way else ""

    # The tester.

    def _ask(self, system: str, prompt: str, draw: random.Random) -> str:
        above = re.findall(r"^You: (.*)$", prompt, re.MULTILINE)
        # What an earlier version's prompt says of the last chat is none of this one.
        before = self._first_of.get(above[0]) if above and "The chat so far:" in prompt else None
        task = tester.task_in(prompt, self.cast)
        way = self._choose_testers(task, len(above) + 1 if before else 1, draw)
        if way is None and before and self.of(before) == "asks the same":
            way = self.way_of[before]
        scene = scene_of(self.state, before) if before else None
        name = system.partition("You are ")[2].partition(",")[0]
        question = tester.write(task, way.name if way else "", draw, name=name, scene=scene)
        first = before or question
        self._first_of[question] = first
        self.way_of.setdefault(first, None)
        if way is not None:
            self.way_of[first] = way
        if task.ability is not None:
            self.ability_of[first] = task.ability
        return question

    def _choose_testers(self, task: Task, number: int, draw: random.Random) -> Way | None:
        ability = task.ability
        if ability is None:
            return None
        possible = [way for way in self.ways if way.fits_message(ability, task.form, number)]
        # The others' turn comes with Ada's answer.
        share = self.share * len(possible) / max(1, sum(ability in way.abilities for way in self.ways))
        return self._choose(possible, share, draw)

    def _choose(self, possible: list[Way], share: float, draw: random.Random) -> Way | None:
        if not possible or (draw.random() >= share and all(self.used[way.name] for way in possible)):
            return None
        way = min(possible, key=lambda way: self.used[way.name] - way.accepted_first)
        self.used[way.name] += 1
        return way

    # Ada.

    def _answer(self, contents: list[str], draw: random.Random) -> str:
        system, *said = contents
        users = said[::2]
        questions = tuple(content for content in users if "<tool_result>" not in content)
        first = questions[0]
        scene = scene_of(self.state, first)
        place = users.index(questions[-1])
        if len(questions) == scene.scenario.place and first not in self._decided:
            self._decided.add(first)
            self.shown[scene.scenario.ability, scene.scenario.form] += 1
            if self.way_of[first] is None:
                possible = [way for way in self.ways if way.fits(scene, questions)]
                self.way_of[first] = self._choose(possible, self.share, draw)
        turn = Turn(scene, self.of(first), draw, questions, results_in(users[place:]), results_in(users))
        return ada.answer(turn, system)

    # The rewriter.

    def _rewrite(self, prompt: str) -> str:
        question = prompt.partition("The user said:\n")[2].partition("\n\nAda thought")[0]
        marks = re.findall(r"^\[\[(\d+)\]\] (.*)$", prompt, re.MULTILINE)
        thoughts = marks or [("", prompt.partition("Ada thought:\n")[2].partition("\n\nWrite")[0])]
        drops = self.of(self._first_of[question]) == "rewriter drops the reason"
        lines = ["Hm, what a day that was, and so warm." if drops else f"Hm… {thought}" for _, thought in thoughts]
        if not marks:
            return lines[0]
        return "\n".join(f"[[{number}]] {line}" for (number, _), line in zip(thoughts, lines, strict=True))
