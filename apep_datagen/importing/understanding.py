"""What a row of a dataset says: of which form it is, and the conversation in it, or why there is none."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from apep_datagen.core.messages import Message, clean_text
from apep_datagen.core.sample_json import is_evaluated
from apep_datagen.formats.chat import read_chat
from apep_datagen.formats.example import Example
from apep_datagen.formats.format import CannotHoldError, Format, Row
from apep_datagen.formats.registry import FORMATS
from apep_datagen.formats.traces import TRACES, read_session
from apep_datagen.importing.columns import columns_of, columns_without_place
from apep_datagen.importing.pairs import columns_of_pair, read_pair
from apep_datagen.importing.rows import NotTakenError, parse_json

__all__ = ["OWN_FORM", "Understood", "understand"]

OWN_FORM = "output"
"""What the report calls rows as this program's output has them."""
_TEXTS = "columns of text"
_LISTS = ("messages", "conversations", "conversation")
_INSTEAD_OF_LIST = {"prompt", "completion"}
_SYSTEM = ("system", "system_prompt")


@dataclass(frozen=True, slots=True)
class Understood:
    """What a row says.

    Attributes:
        form: As the report calls it.
        examples: The conversation; a session is several.
        columns: What else is in the row, and in its messages, and has no place in a conversation.
        is_mended: Whether it held characters that cannot be stored, or other line ends, which were replaced.
    """

    form: str
    examples: tuple[Example, ...]
    columns: tuple[str, ...]
    is_mended: bool


def understand(row: Row, form: Format | None = None) -> Understood:
    """Return what a row says.

    Args:
        row: The row.
        form: Of which form it is; None to find that out.

    Raises:
        NotTakenError: It is of no form that is known, or holds nothing that can be taken.
    """
    if row.get("chosen") is not None or row.get("rejected") is not None:
        raise NotTakenError("it says which of two answers is preferred, and is no conversation")
    if is_evaluated(row):
        raise NotTakenError("a model was evaluated in it, so it is nothing to train on")
    if row.get("label") is False:
        raise NotTakenError("its answer is marked as a bad one")
    row = {column: _spelled_out(value) if column in _LISTS else value for column, value in row.items()}
    name, example, known = _read_as(row, form) if form else _read(row)
    if not any(message.role == "assistant" and message.content.strip() for message in example.messages):
        raise NotTakenError("nobody answers in it")
    example, used = _with_system(row, example)
    messages = tuple(Message(message.role, clean_text(message.content)) for message in example.messages)
    is_session = name in FORMATS and FORMATS[name].container == "sessions"
    cleaned = replace(example, messages=messages)
    return Understood(
        form=name,
        examples=tuple(map(Example, _conversations(messages))) if is_session else (cleaned,),
        columns=tuple(columns_without_place(row, known | {used})),
        is_mended=messages != example.messages,
    )


def _spelled_out(value: Any) -> Any:
    """Return messages as a list, where they are a text, or a list for each of their fields, as tables have them."""
    if isinstance(value, str) and value.startswith("["):
        with contextlib.suppress(NotTakenError):
            return parse_json(value)
    if isinstance(value, Mapping) and value and all(isinstance(field, list) for field in value.values()):
        with contextlib.suppress(ValueError):  # they differ in length
            return [dict(zip(value, fields, strict=True)) for fields in zip(*value.values(), strict=True)]
    return value


_Read = tuple[str, Example, frozenset[str]]
"""Of which form a row is, what it says, and the columns that it was read from."""


def _read(row: Row) -> _Read:
    if session := _session(row):
        return TRACES.name, _example(TRACES.read, session), frozenset(row)
    if not any(_holds_messages(row.get(column)) for column in _LISTS) and (pair := columns_of_pair(row)):
        return f"{_TEXTS} ({', '.join(pair)})", read_pair(row), frozenset(pair)
    if _is_own(row):
        return OWN_FORM, _example(read_chat, row["conversations"]), frozenset(row)
    for form in FORMATS.values():
        if _recognises(form, row):
            return _read_as(row, form)
    for column in _LISTS:
        if isinstance(row.get(column), list):
            return f"{column} of another program", _example(read_chat, row[column]), frozenset({column})
    if any(map(_holds_rows, row.values())):
        raise NotTakenError("it is no row, and has a list of rows in it: write that list into a file of its own")
    raise NotTakenError("it is of no form that is known")


def _holds_rows(value: Any) -> bool:
    row = value[0] if isinstance(value, list) and value else None
    return isinstance(row, dict) and bool(
        columns_of_pair(row) or any(_holds_messages(row.get(name)) for name in _LISTS)
    )


def _holds_messages(value: Any) -> bool:
    """Tell whether a value is a list of messages, be they of a known kind or not."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, Mapping) and ("role" in each or "from" in each) for each in value)
    )


def _session(row: Row) -> Row | None:
    """Return the session that a row of `formats.trace_rows` holds as a text; None if it is no such row."""
    text = row.get("trace")
    if not isinstance(text, str) or "session_id" not in row:
        return None
    try:
        text = parse_json(text)  # as Parquet has it
        return read_session(text.split("\n")) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def _read_as(row: Row, form: Format) -> _Read:
    columns = columns_of(form)
    if any(column in row for column in columns.intersection(_LISTS)):
        columns -= _INSTEAD_OF_LIST
    return form.name, _example(form.read, row), columns


def _recognises(form: Format, row: Row) -> bool:
    try:
        return form.recognises(row)
    except (LookupError, TypeError, ValueError, AttributeError):  # its columns are of other kinds
        return False


def _example(read: Callable[[Any], Example], value: Any) -> Example:
    """Return what `read` makes of a value; every error that comes of what the value holds is one of few reasons."""
    try:
        return read(value)
    except NotTakenError:
        raise
    except (CannotHoldError, json.JSONDecodeError) as error:
        is_json = isinstance(error, json.JSONDecodeError)
        raise NotTakenError("a text in it that should be JSON is none" if is_json else str(error)) from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        says = type(error) is ValueError
        raise NotTakenError(str(error) if says else "its columns are of other kinds than that form has") from error


def _is_own(row: Row) -> bool:
    """Tell whether a row is what this program's output has for a conversation, and nothing else."""
    messages = row.get("conversations")
    return len(row) == 1 and isinstance(messages, list) and all(map(_is_own_message, messages))


def _is_own_message(message: Any) -> bool:
    return isinstance(message, dict) and message.keys() == {"role", "content"}


def _with_system(row: Row, example: Example) -> tuple[Example, str]:
    """Return an example with the system prompt that stands in a column, if it has none, and that column's name."""
    first = example.messages[0]
    for column in _SYSTEM:
        text = row.get(column)
        if not isinstance(text, str) or not text.strip():
            continue
        if first.role != "system":
            context = example.context + 1 if example.context else 0
            return Example((Message("system", text), *example.messages), context), column
        if first.content == text:  # the form itself reads the column
            return example, column
    return example, ""


def _conversations(messages: tuple[Message, ...]) -> Iterator[tuple[Message, ...]]:
    """Yield the conversations of a session: each system prompt begins another one."""
    beginnings = [index for index, message in enumerate(messages) if message.role == "system" or not index]
    for start, stop in pairwise((*beginnings, len(messages))):
        yield messages[start:stop]
