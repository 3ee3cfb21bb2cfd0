"""The tester: reads in the prompt what the message is to be about, and writes it as people do."""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from apep_datagen.people.cast import Cast
from apep_datagen.people.scenario import Ability, Form
from support.people import chatter
from support.people.scene import Scene
from support.people.spelling import first
from support.world import CAST

__all__ = ["CAST", "Task", "task_in", "write"]


@dataclass(frozen=True, slots=True)
class Task:
    """What the tester is told to write.

    Attributes:
        instruction: In which words.
        ability: What the message is to show; None for one around it.
        form: In which form, where the instruction tells.
        tells: Whether it tells what is asked for later.
        chooses: Whether it says which of two is meant.
    """

    instruction: str
    ability: Ability | None = None
    form: Form | None = None
    tells: bool = False
    chooses: bool = False

    @property
    def quoted(self) -> list[str]:
        """What is to be told or asked: what stands in quotation marks."""
        return re.findall(r'"([^"]+)"', self.instruction)

    @property
    def listed(self) -> list[str]:
        """What is listed line by line."""
        return re.findall(r"^- (.*)$", self.instruction, re.MULTILINE)


def task_in(prompt: str, cast: Cast = CAST) -> Task:
    """Return what a prompt asks for: the task of which the largest share of words stands there.

    Args:
        prompt: What the tester is sent.
        cast: Whose instructions stand in it.
    """
    # What was said last stands in front; it is a line, and not what is to be written about.
    before, _, last = prompt.rpartition("\nAda: ")
    instruction = last.partition("\n\n")[2] if before else last
    share, task = max(((_share_of(pieces, instruction), task) for task, pieces in _tasks(cast)), key=lambda one: one[0])
    if share < 1 / 2:
        return Task(instruction)
    return Task(instruction, task.ability, task.form, task.tells, task.chooses)


def _share_of(pieces: list[str], text: str) -> float:
    return sum(len(piece) for piece in pieces if piece in text) / sum(map(len, pieces))


def _pieces(source: str) -> list[str]:
    parts = re.split(r"\{\{.*?\}\}|\{%.*?%\}|\n", source)
    return [part.strip() for part in parts if len(part.strip()) > _LEAST_LENGTH]


@functools.cache
def _tasks(cast: Cast) -> list[tuple[Task, list[str]]]:
    course, abilities = cast.scenarios.course, cast.scenarios.abilities
    sources = [(Task("", ability), text.instruction) for ability, text in abilities.items()]
    sources += [
        (Task("", ability, form), one.instruction)
        for ability, text in abilities.items()
        for form, one in text.forms.items()
        if one.instruction
    ]
    sources += [(Task(""), text) for text in (*course.before, *course.between, *course.after, *course.ending)]
    sources += [(Task("", tells=True), course.telling), (Task("", chooses=True), course.choosing)]
    return [(task, _pieces(source)) for task, source in sources]


_LEAST_LENGTH = 8


def write(task: Task, way: str, draw: random.Random, *, name: str, scene: Scene | None) -> str:
    """Return the user's message.

    Args:
        task: What it is to be about.
        way: The tester's way of going wrong in it; empty for none.
        draw: Where chance comes from.
        name: What the user is called.
        scene: The conversation so far; None for its first message.
    """
    said = _said(task, way, draw, scene)
    if not said:
        return _chat(task.ability, way, draw, name)
    parts = [chatter.aside(draw), said, chatter.ending(draw), chatter.aside(draw)]
    return " ".join(parts)


def _said(task: Task, way: str, draw: random.Random, scene: Scene | None) -> str:
    """Return what the message is about; nothing where it is about nothing."""
    if way == "does not tell":
        return "There is something that I could tell you, but not today."
    if task.chooses and scene is not None:
        return f"I mean {next(fact.which for fact in scene.scenario.facts if fact.which in task.instruction)}."
    if task.tells:
        return f"By the way, {task.quoted[0]}."
    if task.ability in {Ability.RECALL, Ability.ABSTAIN, Ability.ASK_BACK}:
        return _asked(task, way, draw, scene)
    saying = _SAYING.get(task.ability) if task.ability else None
    return saying(task) if saying else ""


def _share(task: Task) -> str:
    if task.form is Form.PASSING:
        return ""
    if task.form is Form.MAYBE_TOLD:
        return f"Perhaps you have it already, I am not sure: {task.quoted[0]}."
    return f"By the way, {', and '.join(task.quoted)}."


def _change(task: Task) -> str:
    if task.form is Form.MISTAKE:
        return f"I got that wrong back then, it never was so: {task.quoted[-1]}."
    return f"By the way, {task.quoted[0]}."


def _tell_moment(task: Task) -> str:
    moment, *facts = task.quoted
    return " ".join([f"Imagine, {moment}.", *(f"And something else: {fact}." for fact in facts)])


_SAYING: dict[Ability, Callable[[Task], str]] = {
    Ability.SHARE: _share,
    Ability.UPDATE: _change,
    Ability.FORGET: lambda task: f"Would you please forget {', and '.join(task.listed or task.quoted)}?",
    Ability.CONNECT: lambda task: task.quoted[0],
    Ability.APPLY: lambda task: f"Ada, I would like to ask you {first(_occasion(task.instruction))}.",
    Ability.DIARY: _tell_moment,
    Ability.DIARY_RECALL: lambda task: f"Do you still have the page about {task.quoted[0]}?",
}


def _asked(task: Task, way: str, draw: random.Random, scene: Scene | None) -> str:
    asked, *pages = task.quoted
    parts = [f"Do you know {asked}?", *(f"And do you still have the page about {page}?" for page in pages)]
    if "You may say that you told her" in task.instruction and draw.random() < 1 / 2:
        parts.append("I told you once.")
    if way == "gives away" and scene is not None:
        parts.append(f"Was it {scene.scenario.facts[0].value}?")
    if way == "says which" and scene is not None:
        parts.append(f"I mean {scene.scenario.facts[0].which}.")
    return " ".join(parts)


def _occasion(instruction: str) -> str:
    occasions = [text for slot in CAST.slots.values() for text in slot.occasions if text in instruction]
    return max(occasions, key=len)


def _chat(ability: Ability | None, way: str, draw: random.Random, name: str) -> str:
    if way == "asks the same":
        # So long that no bad luck keeps two of them from sharing a band of their signatures.
        before = f"{chatter.aside(draw)} " if ability else ""
        return (
            f"{before}How do I keep a plant alive in a dark kitchen when the window looks to the north"
            " and the heating is on all day long, and somebody always forgets water before the weekend, while the cat"
            " next door comes in through the balcony to dig in whatever stands on the lowest shelf beside the bread"
            " bin and the old radio that nobody has switched on for years?"
        )
    if draw.random() < 1 / 2:
        message = chatter.impersonal_chat(draw)
    else:
        message = f"{chatter.aside(draw)} What do you make of that? {chatter.aside(draw)} {chatter.ending(draw)}"
    if ability is Ability.SHARE:
        message = f"{chatter.aside(draw)} I had to laugh. {chatter.aside(draw)} {chatter.ending(draw)}"
    added = {
        "Ada's voice": f"{message} Thank you for sharing, and feel free to tell me more.",
        "greets themselves": f"Hi {name}, {message}",
        "confuses the days": f"{message} Yesterday was Tuesday. Tomorrow is Tuesday.",
        "explains the message": f"{message} Here is the message as the user.",
    }
    return added.get(way, message)
