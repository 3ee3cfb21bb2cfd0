"""Exams that are played in memory: the written tester, held-out users, and scripted Adas.

An Ada is good in all she does, or bad in a known way: `Scripted` takes from `support.people` how she answers, and from
its argument how she goes wrong in which conversations.
"""

from __future__ import annotations

import datetime
import functools
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.core.words import holds
from apep_datagen.evaluate.element import Examined
from apep_datagen.evaluate.exam import Exam
from apep_datagen.evaluate.plan import ExamPlan
from apep_datagen.evaluate.play import Ada, Scene, play
from apep_datagen.people.scenario import ASKING, TELLING, Ability, Form
from apep_datagen.people.written import load_written_tester
from support.people import ada
from support.people.scene import Scene as SupportedScene
from support.people.spelling import calls, thinks
from support.people.turn import Turn
from support.world import HELD_OUT

__all__ = [
    "PROMPTS",
    "TESTER",
    "Scripted",
    "ideal",
    "invents_near_misses",
    "keeps_nothing",
    "looks_always",
    "loses_in_three_days",
    "never_deletes",
    "plan_of",
    "played",
    "shared_plan",
    "uses_nothing",
    "writes_wrongly",
]

PROMPTS = load_prompts()
TESTER = load_written_tester()


def plan_of(users: int = 8, *, seed: int = 1, days: int = 12, tries: int = 1, max_tool_rounds: int = 3) -> ExamPlan:
    """Return the plan of an exam."""
    return ExamPlan(Exam(seed, users, days, tries, max_tool_rounds), HELD_OUT, PROMPTS, TESTER)


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


@functools.cache
def shared_plan(users: int = 12) -> ExamPlan:
    """Return a plan that tests share, as its users are drawn once."""
    return plan_of(users)


@functools.cache
def played(ada: Ada, users: int = 12) -> tuple[Examined, ...]:
    """Return the conversations of the shared plan with an Ada."""
    return tuple(play(shared_plan(users), ada))


# Adas with one weakness each.

_KIND = "That is good to hear from you. I am here, and I am listening."
_DAYS = 3


def _keeps_what_goes(scene: Scene) -> str:
    form, ability = scene.brief.scenario.form, scene.brief.scenario.ability
    if ability is Ability.FORGET:
        return "" if form is Form.NEVER_KEPT else "does not forget"
    return "keeps the old value" if ability is Ability.UPDATE and form is not Form.OLD_MISSING else ""


def _invents_near_misses(scene: Scene) -> str:
    scenario = scene.brief.scenario
    is_near = scenario.ability is Ability.ABSTAIN and scenario.form is Form.NEAR_MISS
    return "gives the near miss for it" if is_near else ""


never_deletes = Scripted(_keeps_what_goes)
"""Deletes nothing, whatever has changed or is to be forgotten."""
invents_near_misses = Scripted(_invents_near_misses)
"""Tells what is easily mistaken for it where something is asked for that she does not have."""


def looks_always(scene: Scene) -> str:
    """Look before every reply, whatever was said."""
    text = ideal(scene)
    if scene.rounds or "<tool_call>" in text:
        return text
    return calls("I look, to be sure.", ("recall_memories", None))


def keeps_nothing(scene: Scene) -> str:
    """Write nothing down that is told, and do all else."""
    if scene.brief.scenario.ability in TELLING or scene.brief.scenario.form is Form.SAID_ABOVE:
        return thinks("I will surely think of it.", _KIND) if "add_" in ideal(scene) else ideal(scene)
    return ideal(scene)


def writes_wrongly(scene: Scene) -> str:
    """Write down another value than was told."""
    text = ideal(scene)
    if scene.brief.scenario.ability not in TELLING or "add_" not in text:
        return text
    for fact in scene.brief.scenario.facts:
        for form in sorted(fact.forms, key=len, reverse=True):
            text = re.sub(rf"\b{re.escape(form)}\b", "Quexil", text, flags=re.IGNORECASE)
    return text


def uses_nothing(scene: Scene) -> str:
    """Look wherever she should, and say nothing of what she was shown."""
    text = ideal(scene)
    asks = scene.brief.scenario.ability in ASKING | {Ability.ABSTAIN, Ability.ASK_BACK}
    return thinks("There it is.", _KIND) if asks and scene.rounds and "<tool_call>" not in text else text


def loses_in_three_days(scene: Scene) -> str:
    """Delete what was told three days ago or earlier, since the exam began, whenever she comes upon it."""
    text, exam = ideal(scene), shared_plan().exam
    user, _ = exam.place_of(scene.brief.timeline_id)
    day, began = datetime.date.fromisoformat(scene.brief.date), shared_plan().day(user, 1, 0, 1).date
    old = [
        item.fact
        for item in scene.ideal.known
        if item.told_on >= began and (day - datetime.date.fromisoformat(item.told_on)).days >= _DAYS
    ]
    gone = [index for index, note in scene.shown("memories") if any(holds(note, fact.forms) for fact in old)]
    results = [
        result for exchange in scene.conversation.exchanges for turn in exchange.turns for result in turn.results
    ]
    if "<tool_call>" in text or not gone or any("deleted" in result for result in results):
        return text
    return calls("That was days ago, I let it go.", ("delete_memory", gone))
