"""Several conversations of one user in one row: for those who train on long chats, and as sessions."""

from __future__ import annotations

import pickle
import random
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from io import RawIOBase
from itertools import groupby

from apep_datagen.conversation.prompting import spoken_time
from apep_datagen.core.errors import StorageError
from apep_datagen.core.messages import Message
from apep_datagen.core.sample_json import line_digest
from apep_datagen.export.source import Source, SourceConversation
from apep_datagen.formats.origin import Origin

__all__ = ["conversations_by_user", "joined", "joined_origin", "series_of"]

_DAYS = (
    "\n\nWhere a message begins with a day and an hour in brackets, it was written then, and what stands above it was"
    " said before."
)


def conversations_by_user(
    conversations: Iterable[SourceConversation], source: Source
) -> Iterator[list[SourceConversation]]:
    """Yield the conversations of each user, in the order of their days; whoever is not known comes last, one by one.

    The file is read twice, and what is in memory does not grow with it.

    Args:
        conversations: Those of the source that are wanted.
        source: Where they are read again.

    Raises:
        StorageError: The file was changed meanwhile.
    """
    # A database without a name is in memory while it is small, else in a file that nobody sees.
    with closing(sqlite3.connect("", isolation_level=None)) as index:
        index.execute(
            "CREATE TABLE found (user INTEGER, conversation INTEGER, number INTEGER, size INTEGER, digest BLOB,"
            " known BLOB)"
        )
        index.executemany("INSERT INTO found VALUES (?, ?, ?, ?, ?, ?)", map(_row, conversations))
        rows = index.execute(
            "SELECT user, size, digest, known FROM found ORDER BY user IS NULL, user, conversation, number"
        )
        with source.path.open("rb", buffering=0) as file:
            for user, found in groupby(rows, key=lambda row: row[0]):
                known = (_read_again(file, source, *row) for _, *row in found)
                # Of those whom nobody knows there may be any number.
                yield from ([each] for each in known) if user is None else [list(known)]


def _row(conversation: SourceConversation) -> tuple[int | None, int, int, int, bytes, bytes]:
    element = conversation.element
    known = pickle.dumps(replace(conversation, element=b""))
    run_number = conversation.origin.conversations[0] if conversation.origin.conversations else 0
    return conversation.user, run_number, conversation.number, len(element), line_digest(element), known


def _read_again(file: RawIOBase, source: Source, size: int, digest: bytes, known: bytes) -> SourceConversation:
    conversation: SourceConversation = pickle.loads(known)  # noqa: S301 - written above
    file.seek(conversation.end - size)
    element = file.read(size)
    if element is None or line_digest(element) != digest:
        raise StorageError(f"{source.path}: the output was changed while it was read; start again")
    return replace(conversation, element=element)


def series_of(
    conversations: Sequence[SourceConversation], least: int, most: int, seed: int | None
) -> Iterator[list[SourceConversation]]:
    """Yield the conversations of a user in series of `least` to `most`, in order; the last series may be shorter.

    What stands by itself had no effect on the days after it, which would contradict it, and is a series of its own.

    Args:
        conversations: All of one user, in the order of their days.
        least: The shortest series.
        most: The longest one.
        seed: From which, with the user, the lengths are drawn.
    """
    drawn = random.Random(f"{seed}/{conversations[0].user}/series")  # noqa: S311 - lengths, no secret
    series: list[SourceConversation] = []
    length = drawn.randint(least, most)
    for conversation in conversations:
        if conversation.origin.stands_by_itself:
            yield [conversation]
            continue
        series.append(conversation)
        if len(series) == length:
            yield series
            series, length = [], drawn.randint(least, most)
    if series:
        yield series


def joined(parts: Sequence[tuple[Message, ...]], days: Sequence[str], *, as_session: bool) -> tuple[Message, ...]:
    """Return the messages of several conversations as those of one.

    Args:
        parts: Their messages.
        days: When each took place, as ISO dates and times; a date alone, or nothing, where no more is known.
        as_session: Whether the system prompt of each stays where it is; else that of the first stays alone, and the
            first message of each of the others begins with its day and hour.
    """
    if as_session or len(parts) == 1:
        return tuple(message for part in parts for message in part)
    messages = list(parts[0])
    if messages and messages[0].role == "system":
        messages[0] = Message("system", messages[0].content + _DAYS)
    for part, day in zip(parts[1:], days[1:], strict=True):
        rest = [message for message in part if message.role != "system"]
        if day and rest and rest[0].role == "user":
            when = spoken_time(day) if "T" in day else day
            rest[0] = Message("user", f"[{when}]\n\n{rest[0].content}")
        messages += rest
    return tuple(messages)


def joined_origin(origins: Sequence[Origin]) -> Origin:
    """Return where what is joined comes from."""
    first = origins[0]
    if len(origins) == 1:
        return first
    return replace(
        first,
        numbers=tuple(number for origin in origins for number in origin.numbers),
        conversations=tuple(number for origin in origins for number in origin.conversations),
        days=tuple(day for origin in origins for day in origin.days),
        abilities=tuple(ability for origin in origins for ability in origin.abilities),
        forms=tuple(form for origin in origins for form in origin.forms),
        topics=tuple(topic for origin in origins for topic in origin.topics),
        provider=", ".join(dict.fromkeys(origin.provider for origin in origins)),
        models=tuple(dict.fromkeys(model for origin in origins for model in origin.models)),
        prompt_tokens=sum(origin.prompt_tokens for origin in origins),
        completion_tokens=sum(origin.completion_tokens for origin in origins),
    )
