"""An Ada for the loopback server who is evaluated: good in all she does, or bad in a known way.

She knows what an evaluation asks, because all of that follows from its seed; which conversation a request is of, she
knows by the request's own seed. So the same request has the same answer, and no database is read.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from apep_datagen.conversation.brief import Brief
from apep_datagen.core.calls import ToolCall
from apep_datagen.core.markup import parse_answer
from apep_datagen.evaluate.exam import WRITTEN, Exam
from apep_datagen.evaluate.plan import ExamPlan
from support.exams import PROMPTS, TESTER
from support.loopback_server import Received, Reply
from support.people import ada
from support.people.scene import Scene
from support.people.turn import Results, Turn
from support.world import HELD_OUT

__all__ = ["Asked", "Examinee", "answers_in_fields"]

# More than any conversation of an evaluation has.
_MOST_STEPS = 60
_RESULT = re.compile("<tool_result>|<tool_response>")
_JSON_OF_RESULT = re.compile(r"^(?:<\w+>)?\s*(\{.*\})\s*(?:</\w+>)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which conversation a request is of.

    Attributes:
        user: The number of the user, from 1.
        number_of_try: In which try, from 1.
        day: On which of the user's days, from 0.
        brief: What it is about.
    """

    user: int
    number_of_try: int
    day: int
    brief: Brief

    @property
    def place(self) -> tuple[int, int, int]:
        """User, try and day, each from 1."""
        return self.user, self.number_of_try, self.day + 1


class Examinee:
    """Answers every request of an evaluation.

    Args:
        users: How many users it has.
        days: How many days.
        tries: How many tries.
        seed: Its seed.
        written: Whether the users' messages come from tables; else she plays the users too.
        way: Returns in which known way she goes wrong in a conversation; empty for none.
    """

    def __init__(
        self,
        users: int,
        days: int,
        *,
        tries: int = 1,
        seed: int = 1,
        written: bool = True,
        way: Callable[[Asked], str] = lambda _asked: "",
    ) -> None:
        exam = Exam(seed, users, days, tries, tester=WRITTEN if written else "model")
        self.plan = ExamPlan(exam, HELD_OUT, PROMPTS, TESTER if written else None)
        self._way = way
        self._conversations = dict(self._seeds())

    def __call__(self, received: Received) -> Reply:
        return Reply(self.answer(received))

    def asked(self, received: Received) -> Asked:
        """Return which conversation a request of Ada's is of."""
        sent = int(received.body["seed"])
        return next(
            self._conversations[seed] for seed in range(sent, sent - _MOST_STEPS, -1) if seed in self._conversations
        )

    def answer(self, received: Received) -> str:
        """Return what she says, in her own markup."""
        draw = random.Random(received.asked)  # noqa: S311 - a test's draw
        if received.step == "ask":
            return self._ask(received)
        asked = self.asked(received)
        questions, rounds = _said_in(received.body["messages"])
        story = self.plan.story_before(asked.user, asked.day)
        shown = [results for of_exchange in rounds for results in of_exchange]
        turn = Turn(Scene(asked.brief, story), self._way(asked), draw, tuple(questions), rounds[-1], shown)
        return ada.answer(turn, "")

    def _ask(self, received: Received) -> str:
        asked = self.asked(received)
        if self._way(asked):
            return "There is something that I could tell you, but not today."
        brief = asked.brief
        draw = random.Random(brief.seed)  # noqa: S311 - a test's draw; the messages of a conversation belong together
        messages = TESTER.messages(draw, brief.scenario, brief.user, brief.exchanges)
        above = re.findall(r"^You: ", received.prompt, re.MULTILINE) if "The chat so far:" in received.prompt else []
        return messages[len(above)]

    def _seeds(self) -> Iterator[tuple[int, Asked]]:
        exam = self.plan.exam
        for user in range(1, exam.users + 1):
            for number_of_try in range(1, exam.tries + 1):
                for day in range(exam.days):
                    brief = self.plan.day(user, number_of_try, day, 1)
                    yield brief.seed, Asked(user, number_of_try, day, brief)


def answers_in_fields(reply: Reply) -> Reply:
    """Return an answer with its calls as an API's fields have them, as models that were trained on such call."""
    answer = parse_answer(reply.text)
    calls = [
        {
            "id": f"call{number}",
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
        }
        for number, call in enumerate(answer.calls)
        if isinstance(call, ToolCall)
    ]
    if not calls:
        return reply
    text = f"<think>{answer.thinking}</think>\n\n{answer.reply}".strip()
    return Reply(text, message={"content": text, "tool_calls": calls}, finish_reason="tool_calls")


def _result_in(value: dict[str, Any]) -> dict[str, object]:
    """Return what a call gave; Hermes has the tool's name beside it."""
    inner = value.get("content", value)
    result: dict[str, object] = json.loads(inner) if isinstance(inner, str) else inner
    return result


def _said_in(messages: Iterable[dict[str, Any]]) -> tuple[list[str], list[Results]]:
    """Return the user's messages, and for each exchange its rounds of results, however these are spelled."""
    questions: list[str] = []
    rounds: list[Results] = []
    was_result = False
    for message in messages:
        text = str(message.get("content") or "")
        is_users = message["role"] == "user"
        is_result = message["role"] == "tool" or (is_users and _RESULT.search(text) is not None)
        if is_result:
            found = [_result_in(json.loads(line)) for line in _JSON_OF_RESULT.findall(text)]
            if was_result:
                rounds[-1][-1].extend(found)
            else:
                rounds[-1].append(found)
        elif is_users:
            questions.append(text)
            rounds.append([])
        was_result = is_result
    return questions, rounds
