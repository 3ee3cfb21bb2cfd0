"""Exams that are played in memory: the written tester, held-out users, and scripted Adas.

An Ada is good in all she does, or bad in a known way: `Scripted` takes from `support.people` how she answers, and from
its argument how she goes wrong in which conversations.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass

from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.evaluate.exam import Exam
from apep_datagen.evaluate.plan import ExamPlan
from apep_datagen.evaluate.play import Scene
from apep_datagen.people.written import load_written_tester
from support.people import ada
from support.people.scene import Scene as SupportedScene
from support.people.turn import Turn
from support.world import HELD_OUT

__all__ = ["PROMPTS", "TESTER", "Scripted", "ideal", "plan_of"]

PROMPTS = load_prompts()
TESTER = load_written_tester()


def plan_of(users: int = 8, *, seed: int = 1, days: int = 12, tries: int = 1) -> ExamPlan:
    """Return the plan of an exam."""
    return ExamPlan(Exam(seed, users, days, tries), HELD_OUT, PROMPTS, TESTER)


@dataclass(frozen=True, slots=True)
class Scripted:
    """An Ada who answers as she should, but in some conversations in a known wrong way.

    Attributes:
        way: Returns the name of the way (`support.people.ways`) in which she goes wrong; empty for none.
    """

    way: Callable[[Scene], str] = lambda _scene: ""

    def __call__(self, scene: Scene) -> str:
        exchanges = scene.conversation.exchanges
        turn = Turn(
            SupportedScene(scene.brief, scene.ideal),
            self.way(scene),
            random.Random(json.dumps([scene.brief.seed, scene.number, scene.rounds])),  # noqa: S311 - a test's draw
            tuple(exchange.question for exchange in exchanges),
            [list(one.results) for one in exchanges[-1].turns if one.results],
            [list(one.results) for exchange in exchanges for one in exchange.turns if one.results],
        )
        return ada.answer(turn, "")


ideal = Scripted()
"""Does all that she should, and nothing else."""
