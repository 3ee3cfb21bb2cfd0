"""An evaluated conversation, as an element of the file of an evaluation: a JSON array with a line for each.

An element has `evaluation` and `transcript`, and none of the keys under which trainers look for what to train on, such
as `conversations` and `messages`. So no evaluation is taken for a dataset, by this program or by another one.
"""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from apep_datagen.conversation.brief import Brief
from apep_datagen.core.calls import ToolCall
from apep_datagen.core.errors import StorageError
from apep_datagen.core.markup import parse_answer
from apep_datagen.core.messages import Message
from apep_datagen.evaluate.exam import Exam
from apep_datagen.evaluate.outcome import Outcome
from apep_datagen.evaluate.plan import ExamPlan
from apep_datagen.people.scenario import FORMS, Ability, Form
from apep_datagen.storage.output_reader import read_elements

__all__ = ["Examined", "Examinee", "examined", "read_examined"]


@dataclass(frozen=True, slots=True)
class Examinee:
    """Whose answers are examined.

    Attributes:
        provider: Who served the model.
        model: Its name there.
        as_trained: In which form it was talked with (`--as-trained`); empty for this program's own prompts.
    """

    provider: str
    model: str
    as_trained: str = ""


@dataclass(frozen=True, slots=True)
class Examined:
    """An evaluated conversation.

    Attributes:
        exam: What it is part of.
        tables: A digest of the tables that users and questions were drawn from (`ExamPlan.tables`).
        user: The number of the user, from 1.
        number_of_try: In which try, from 1.
        day: On which of the user's days, from 1.
        question: A digest by which the same question is known in another file (`ExamPlan.question`).
        ability: What it was to show.
        form: In which form.
        place: In which exchange, from 1.
        exchanges: How many exchanges it was to have.
        at: When it takes place, an ISO date with hour and minute.
        notes: How many notes there are in Ada's memory before it, if she has done all that she should; so it is the
            same whoever answers.
        pages: How many pages there are in her diary then.
        outcome: What came of it.
        ada: Who answered.
        seconds: How long each of her answers took, in order, one for each model call; empty where nobody measured.
        prompt_tokens: How many tokens each of these was asked with; 0 where the provider does not say.
        completion_tokens: How many tokens each of them has; 0 where the provider does not say.
        calls: How often she called each tool; what was not understood as a call is none.
        messages: The conversation, as a sample of an output has it.
    """

    exam: Exam
    tables: str
    user: int
    number_of_try: int
    day: int
    question: str
    ability: Ability
    form: Form
    place: int
    exchanges: int
    at: str
    notes: int
    pages: int
    outcome: Outcome
    ada: Examinee
    seconds: tuple[float, ...]
    prompt_tokens: tuple[int, ...]
    completion_tokens: tuple[int, ...]
    calls: Mapping[str, int]
    messages: tuple[Message, ...]

    def to_line(self) -> str:
        """Return it as a line of JSON, without the line's end."""
        values = asdict(self)
        transcript = [message.as_dict() for message in self.messages]
        del values["messages"]
        return json.dumps({"evaluation": values, "transcript": transcript}, ensure_ascii=False)


def examined(
    plan: ExamPlan,
    brief: Brief,
    day: int,
    *,
    messages: Sequence[Message],
    outcome: Outcome,
    ada: Examinee,
    seconds: Sequence[float] = (),
    prompt_tokens: Sequence[int] = (),
    completion_tokens: Sequence[int] = (),
) -> Examined:
    """Return a conversation that was played and examined.

    Args:
        plan: What was asked.
        brief: What was decided about the conversation.
        day: On which of the user's days, from 0, as `ExamPlan.day` was asked.
        messages: The conversation, as a sample of an output has it.
        outcome: What came of it.
        ada: Who answered.
        seconds: How long each of Ada's answers took; empty where nobody measured.
        prompt_tokens: How many tokens each of these was asked with.
        completion_tokens: How many tokens each of them has.
    """
    user, number_of_try = plan.exam.place_of(brief.timeline_id)
    scenario = brief.scenario
    notes, pages = plan.notes_before(user, day)
    return Examined(
        exam=plan.exam,
        tables=plan.tables,
        user=user,
        number_of_try=number_of_try,
        day=day + 1,
        question=plan.question(user, day),
        ability=scenario.ability,
        form=scenario.form or FORMS[scenario.ability][0],
        place=scenario.place,
        exchanges=brief.exchanges,
        at=brief.at,
        notes=notes,
        pages=pages,
        outcome=outcome,
        ada=ada,
        seconds=tuple(seconds),
        prompt_tokens=tuple(prompt_tokens),
        completion_tokens=tuple(completion_tokens),
        calls=_calls_in(messages),
        messages=tuple(messages),
    )


def _calls_in(messages: Sequence[Message]) -> dict[str, int]:
    answers = (parse_answer(message.content) for message in messages if message.role == "assistant")
    return dict(Counter(call.name for answer in answers for call in answer.calls if isinstance(call, ToolCall)))


def read_examined(path: Path) -> Iterator[Examined]:
    """Yield the conversations of an evaluation's file, in order; it is never in memory as a whole.

    Raises:
        StorageError: The file is missing or cannot be read, or is no evaluation, or holds conversations of two exams.
    """
    first = None
    for number, (_, element) in enumerate(read_elements(path), start=1):
        examined = _read(path, number, element)
        first = first or examined
        if (examined.exam, examined.tables) != (first.exam, first.tables):
            raise StorageError(f"{path}: element {number} is of another exam than the first; no run writes such a file")
        yield examined


def _read(path: Path, number: int, element: bytes) -> Examined:
    try:
        value = json.loads(element)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and "conversations" in value:
        raise StorageError(f"{path}: this is a dataset; name a file that `apep-datagen evaluate` has written")
    if not isinstance(value, dict) or not isinstance(value.get("evaluation"), dict) or "transcript" not in value:
        raise _no_evaluation(path, number, "it has not the keys evaluation and transcript")
    try:
        return _adapter().validate_python({**value["evaluation"], "messages": value["transcript"]})
    except ValidationError as error:
        first = error.errors()[0]
        raise _no_evaluation(path, number, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _no_evaluation(path: Path, number: int, why: str) -> StorageError:
    return StorageError(
        f"{path}: element {number} is no evaluated conversation of this version ({why});"
        " name a file that `apep-datagen evaluate` has written"
    )


@functools.cache
def _adapter() -> TypeAdapter[Examined]:
    return TypeAdapter(Examined)
