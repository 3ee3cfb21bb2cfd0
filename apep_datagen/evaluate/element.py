"""An evaluated conversation, as an element of the file of an evaluation: a JSON array with a line for each.

An element has `evaluation` and `messages`; it never has the key `conversations`, by which an element of a dataset is
known. So no evaluation is taken for a dataset, by this program or by another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from apep_datagen.core.messages import Message
from apep_datagen.evaluate.exam import Exam
from apep_datagen.evaluate.outcome import Outcome
from apep_datagen.people.scenario import Ability, Form

__all__ = ["Examined", "Examinee", "read_examined"]


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
        notes: How many notes were in Ada's memory before it.
        pages: How many pages were in her diary before it.
        outcome: What came of it.
        ada: Who answered.
        seconds: How long each of her answers took, in order; empty where nobody measured.
        prompt_tokens: How many tokens each of these answers was asked with; 0 where the provider does not say.
        completion_tokens: How many tokens each of them has; 0 where the provider does not say.
        calls: How often she called each tool; what was not understood as a call is none.
        messages: The conversation, as a sample of the output has it.
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
        raise NotImplementedError


def read_examined(path: Path) -> Iterator[Examined]:
    """Yield the conversations of an evaluation's file, in order; it is never in memory as a whole.

    Raises:
        StorageError: The file is missing or cannot be read, or is no evaluation.
    """
    raise NotImplementedError
