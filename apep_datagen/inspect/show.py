"""One conversation of a dataset, readable in a terminal."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from apep_datagen.core.errors import StorageError
from apep_datagen.core.paths import is_there
from apep_datagen.core.sample_json import parse_messages
from apep_datagen.inspect.lookup import Background, find_element, read_background
from apep_datagen.inspect.readable import ASIDE, HEAD, Text, brief_rows, labelled, message_texts, print_texts
from apep_datagen.storage.access import read_only, state_path

__all__ = ["show_conversation"]


def show_conversation(path: Path, number: int, *, with_system: bool = False) -> None:
    """Print a conversation on the standard output.

    Args:
        path: The dataset.
        number: From 1; from -1 at the end.
        with_system: Whether the system prompt is printed as a whole, and not its beginning alone.

    Raises:
        SettingsError: There is no conversation with this number.
        StorageError: There is no such file, or it is no array of conversations.
    """
    number, element = find_element(path, number)
    messages = parse_messages(element)
    if messages is None:
        raise StorageError(f"{path}: element {number} is no conversation; apep-datagen verify says what is wrong")
    print_texts([*_head(path, number, element), *message_texts(messages, with_system=with_system)])


# The head: what the state database knows.


def _head(path: Path, number: int, element: bytes) -> Iterator[Text]:
    yield Text(f"Conversation {number} of {path}", HEAD)
    if not is_there(state_path(path)):
        yield Text(f"(there is no state database {state_path(path)}, which knows user, day and ability)", ASIDE)
        return
    try:
        background = read_only(state_path(path), lambda connection: _background(connection, number, element))
    except StorageError as error:
        yield Text(f"({error})", ASIDE)
        return
    if background is None:
        yield Text(f"({state_path(path)} does not know this conversation)", ASIDE)
        return
    for label, text in background:
        yield labelled(label, text)


def _background(connection: sqlite3.Connection, number: int, element: bytes) -> list[tuple[str, str]] | None:
    background = read_background(connection, number, element)
    return None if background is None else list(_describe(background))


def _describe(background: Background) -> Iterator[tuple[str, str]]:
    """Yield what is known, with its label."""
    if background.brief is not None:
        yield from brief_rows(background.brief)
    if background.makers:
        yield "Made by", ", ".join(background.makers)
    place = "by itself" if background.place is None else f"conversation {background.place} of {background.length}"
    yield "Timeline", f"{background.timeline}, {place}"
