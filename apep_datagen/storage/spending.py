"""What requests cost, in the state database: reserved before they are sent, settled after.

A reservation is committed before its request is sent. A crash leaves it behind, and the next start counts it in full:
nobody knows whether the request was answered, and charged for. So no crash makes a run spend more than its budget.

All functions take the connection; the caller commits.
"""

from __future__ import annotations

import sqlite3

from pydantic.dataclasses import dataclass

from apep_datagen.core.errors import FailureKind
from apep_datagen.core.messages import ModelRole, Usage
from apep_datagen.storage.checked import CHECKED, integer

__all__ = ["ModelUse", "book_lost", "read_uses", "record_reservation", "record_settlement", "tokens_by_month"]


_ADD_UP = """
    ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, answers = answers + excluded.answers,
        lost = lost + excluded.lost, prompt_tokens = prompt_tokens + excluded.prompt_tokens,
        completion_tokens = completion_tokens + excluded.completion_tokens, seconds = seconds + excluded.seconds
"""
_BOOK_SETTLED = f"""
    INSERT INTO spending (month, provider, model, role, requests, answers, prompt_tokens, completion_tokens, seconds)
        SELECT month, provider, model, role, ?, ?, ?, ?, ? FROM reservations WHERE id = ?
    {_ADD_UP}
"""  # noqa: S608 - constant text
_BOOK_LOST = f"""
    INSERT INTO spending (month, provider, model, role, requests, lost, prompt_tokens, completion_tokens)
        SELECT month, provider, model, role, count(*), count(*), sum(prompt_tokens), sum(completion_tokens)
        FROM reservations WHERE true GROUP BY month, provider, model, role
    {_ADD_UP}
"""  # noqa: S608 - constant text


@dataclass(frozen=True, slots=True, config=CHECKED)
class ModelUse:
    """What one model of one provider was used for in one role, over all invocations for an output.

    Attributes:
        provider: The provider's name.
        model: The model's name there.
        role: Who was spoken as.
        requests: Sent.
        answers: That are used; each is a step of a conversation.
        lost: Requests under way at a crash, counted with the most that they can have cost.
        usage: The tokens of all of them.
        seconds: That the used answers took, together.
    """

    provider: str
    model: str
    role: ModelRole
    requests: int
    answers: int
    lost: int
    usage: Usage
    seconds: float

    def __post_init__(self) -> None:
        if min(self.answers, self.lost, self.usage.prompt_tokens, self.usage.completion_tokens, self.seconds) < 0:
            raise ValueError(f"what was spent at {self.provider} is less than nothing")
        if self.answers > self.requests:
            raise ValueError(f"{self.provider} has given {self.answers} answers to {self.requests} requests")


def read_uses(connection: sqlite3.Connection) -> tuple[ModelUse, ...]:
    """Return what each model of each provider was used for, over all invocations."""
    rows = connection.execute(
        "SELECT provider, model, role, sum(requests), sum(answers), sum(lost), sum(prompt_tokens),"
        " sum(completion_tokens), sum(seconds) FROM spending GROUP BY provider, model, role ORDER BY provider, model"
    )
    return tuple(
        ModelUse(provider, model, ModelRole(role), requests, answers, lost, Usage(prompt, completion), seconds)
        for provider, model, role, requests, answers, lost, prompt, completion, seconds in rows
    )


def record_reservation(
    connection: sqlite3.Connection, *, month: str, provider: str, model: str, role: ModelRole, most: Usage
) -> int:
    """Record that a request is about to be sent.

    Args:
        connection: In a transaction that the caller commits.
        month: When, as `2026-01`, in local time.
        provider: Whom it goes to.
        model: The model that is asked.
        role: Who the model speaks as.
        most: The most that it can cost.

    Returns:
        The reservation's number.
    """
    cursor = connection.execute(
        "INSERT INTO reservations (month, provider, model, role, prompt_tokens, completion_tokens)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (month, provider, model, role.value, most.prompt_tokens, most.completion_tokens),
    )
    assert cursor.lastrowid is not None  # noqa: S101 - of an INSERT
    return cursor.lastrowid


def record_settlement(
    connection: sqlite3.Connection,
    reservation: int,
    usage: Usage,
    *,
    requests: int = 1,
    answers: int = 0,
    seconds: float = 0.0,
    failure: FailureKind | None = None,
) -> None:
    """Replace a reservation by what the request cost.

    Args:
        connection: In a transaction that the caller commits.
        reservation: Its number.
        usage: What it cost.
        requests: 1, or 0 for a request that never went out.
        answers: 1 for an answer that is used, else 0.
        seconds: How long the answer took.
        failure: What went wrong, if something did.
    """
    if failure is not None:
        connection.execute(
            "INSERT INTO failures (provider, kind, count) SELECT provider, ?, 1 FROM reservations WHERE id = ?"
            " ON CONFLICT DO UPDATE SET count = count + 1",
            (failure.value, reservation),
        )
    connection.execute(
        _BOOK_SETTLED,
        (requests, answers, usage.prompt_tokens, usage.completion_tokens, seconds, reservation),
    )
    connection.execute("DELETE FROM reservations WHERE id = ?", (reservation,))


def book_lost(connection: sqlite3.Connection) -> None:
    """Book what a crashed invocation left behind as spent in full."""
    connection.execute(_BOOK_LOST)
    connection.execute("DELETE FROM reservations")


def tokens_by_month(connection: sqlite3.Connection) -> dict[tuple[str, str], int]:
    """Return the tokens spent by month and provider, reservations included."""
    rows = connection.execute(
        "SELECT month, provider, sum(prompt_tokens + completion_tokens) FROM"
        " (SELECT month, provider, prompt_tokens, completion_tokens FROM spending"
        " UNION ALL SELECT month, provider, prompt_tokens, completion_tokens FROM reservations)"
        " GROUP BY month, provider"
    )
    return {(month, provider): integer(tokens) for month, provider, tokens in rows}
