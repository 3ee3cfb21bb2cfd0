"""Session traces, as the Hugging Face hub shows them: https://huggingface.co/docs/hub/session-traces-format.

A session is all that one user and Ada have said to each other, in order, as it happened: nothing in it is reworded, so
the system prompts are those that Ada had. Of a row, `session` becomes the first line of a file, and each of `messages`
one of the following.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from apep_datagen.core.messages import Message, Spelled
from apep_datagen.formats.chat import read_chat
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import CannotHoldError, Files, Format, Row
from apep_datagen.formats.native import call_id, checked_answer, checked_calls, result_texts
from apep_datagen.formats.origin import Origin
from apep_datagen.formats.shape import Shape
from apep_datagen.formats.spelling import spell_chat

__all__ = ["TRACES", "chat_message", "read_session", "session_lines", "session_name"]

_HARNESS = "apep-datagen"
"""By which the hub knows what produced a session."""


# From messages to lines.


def _write(example: Example, shape: Shape) -> Row:  # noqa: ARG001 - there is one shape
    rows: list[Row] = []
    waiting: tuple[str, ...] = ()
    number = 0
    for message in example.messages:
        if message.role == "assistant":
            row, names = _answer_row(message, number)
            waiting = tuple(call_id(number + index) for index in range(1, names + 1))
            number += names
            rows.append(row)
        elif message.role == "tool":
            rows.extend(_result_rows(message, waiting))
        else:
            rows.append(dict(message.as_dict()))
    return {"messages": rows}


def _answer_row(message: Message, number: int) -> tuple[Row, int]:
    """Return what Ada wrote, and how many calls are fields of it, behind so many of the session.

    What cannot be a field, such as a call that was not understood, happened all the same: then it is text, as it was.
    """
    try:
        answer = checked_answer(message)
        calls = checked_calls(answer)
    except CannotHoldError:
        return dict(message.as_dict()), 0
    row: Row = {"role": "assistant", "content": answer.reply}
    if answer.thinking:
        row["reasoningContent"] = answer.thinking
    if calls:
        row["toolCalls"] = [
            {
                "id": call_id(number + index),
                "function": {"name": call.name, "arguments": json.dumps(call.arguments, ensure_ascii=False)},
            }
            for index, call in enumerate(calls, start=1)
        ]
    return row, len(calls)


def _result_rows(message: Message, waiting: Sequence[str]) -> Iterator[Row]:
    """Yield a message for each result, by the id of its call; one for all, in their tags, where they do not match."""
    texts = result_texts(message)
    if len(texts) == len(waiting):
        for identity, text in zip(waiting, texts, strict=True):
            yield {"role": "tool", "toolCallId": identity, "content": text}
    else:
        yield dict(message.as_dict())


def _columns(origin: Origin) -> Row:
    """Return the first line of a session: what the hub asks for, and what else is known, which it ignores."""
    count = len(origin.numbers)
    known = {
        "user": origin.user,
        "conversations": list(origin.numbers),
        "abilities": list(origin.abilities),
        "days": list(origin.days),
        "models": list(origin.models),
        "level": origin.level,
    }
    name = f"{count} conversation{'' if count == 1 else 's'} with {origin.name or 'a user'}"
    if origin.days:
        first, last = origin.days[0][:10], origin.days[-1][:10]
        name += f", {first}" if first == last else f", {first} to {last}"
    return {
        "session": {
            "type": "session",
            "harness": _HARNESS,
            "id": _session_id(origin),
            "name": name,
            **{key: value for key, value in known.items() if value not in (None, "", [])},
        }
    }


def _session_id(origin: Origin) -> str:
    """Return what no other session has: the user's name, or that of a conversation outside a user's days."""
    if origin.user and not origin.stands_by_itself:
        return origin.user
    number = min(origin.numbers, default=0)  # which is of one place in the output, also where it is there twice
    return f"{origin.user}-{number}" if origin.user else f"conversation-{number}"


def session_name(row: Row) -> str:
    """Return by which name a session is known: no other one of the dataset has it, also when the run goes on."""
    return str(row["session"]["id"])


def session_lines(row: Row) -> Iterator[str]:
    """Yield the lines of a session's file, without line ends.

    Each system prompt begins another conversation; where the days of all of them are known, its messages have their
    day and minute as `timestamp`, in milliseconds of the epoch, as if they had been in UTC.
    """
    session, messages = row["session"], row["messages"]
    yield json.dumps(session, ensure_ascii=False)
    times = _times(session.get("days", ()))
    beginnings = sum(message["role"] == "system" for message in messages)
    is_known = beginnings == len(times)
    place = -1
    for message in messages:
        place += message["role"] == "system"
        time = {"timestamp": times[place]} if is_known and place >= 0 else {}
        yield json.dumps({"type": "message", "message": {**message, **time}}, ensure_ascii=False)


def _times(days: Iterable[str]) -> list[int]:
    """Return days and times as milliseconds of the epoch."""
    utc = datetime.UTC
    return [int(datetime.datetime.fromisoformat(day).replace(tzinfo=utc).timestamp()) * 1000 for day in days]


# The way back.


def read_session(lines: Iterable[str]) -> Row:
    """Return the row that the lines of a session's file are.

    Raises:
        ValueError: It is no session.
    """
    session: Row | None = None
    messages: list[Any] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        event = json.loads(line)
        kind = event.get("type") if isinstance(event, Mapping) else None
        if session is None:
            if kind != "session":
                raise ValueError("the first line is not of the type session")
            session = event
        elif kind == "message" and isinstance(event.get("message"), Mapping):
            messages.append(event["message"])
        else:
            raise ValueError(f"line {number} is no message")
    if session is None:
        raise ValueError("there is no line of the type session")
    return {"session": session, "messages": messages}


def _read(row: Row) -> Example:
    return read_chat([chat_message(message) for message in row["messages"]])


def _spell(row: Row) -> Spelled:
    return spell_chat({"messages": [chat_message(message) for message in row["messages"]]})


def chat_message(message: Any) -> Any:
    """Return a message of a session with its fields called as chat APIs call them; what is none stays as it is."""
    if not isinstance(message, Mapping):
        return message
    return {_FIELDS.get(name, name): value for name, value in message.items()}


_FIELDS = {"reasoningContent": "reasoning_content", "toolCalls": "tool_calls", "toolCallId": "tool_call_id"}


def _recognises(row: Row) -> bool:
    return isinstance(row.get("session"), Mapping) and "messages" in row


def _guide(shape: Shape, files: Files) -> str:  # noqa: ARG001 - there is one shape
    folders = ", ".join(f"`{name}`" for name in files.values())
    return f"""\
Each file below {folders} is one session: a user's whole history with Ada. They are for looking at: uploaded to the
Hugging Face hub, as `push` does, they open in its trace viewer, with thoughts, calls and results where they happened.
To train on a dataset, take the form of your trainer.

The first line says whose session it is; each other one is a message: `{{"type": "message", "message": …}}`. Its
`timestamp` is the day of the conversation that the message belongs to, not when a model wrote it.
"""


TRACES = Format(
    name="traces",
    default=Shape(calls="native"),
    rows=("conversation",),
    tool_roles=("tool",),
    calls=("native",),
    write=_write,
    read=_read,
    recognises=_recognises,
    guide=_guide,
    instructions=lambda _: "text",
    spell=_spell,
    columns=_columns,
    container="sessions",
)
