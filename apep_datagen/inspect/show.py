"""One conversation of a dataset, readable in a terminal: what was said and thought, called and returned.

In colours where the standard output is a terminal, unless `NO_COLOR` is set (https://no-color.org); else as plain text.
What a model wrote is shown as text only: no control character of it reaches the terminal, and no markup is interpreted.
"""

from __future__ import annotations

import datetime
import json
import os
import sqlite3
import sys
import textwrap
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apep_datagen.conversation.brief import Brief
from apep_datagen.core.calls import ToolCall, render_call
from apep_datagen.core.errors import SettingsError, StorageError
from apep_datagen.core.markup import parse_answer, read_results
from apep_datagen.core.messages import Message, Step
from apep_datagen.core.samples import messages_of
from apep_datagen.people.scenario import Fact
from apep_datagen.storage.access import read_only, state_path
from apep_datagen.storage.conversations import brief_from_json
from apep_datagen.storage.output_reader import read_elements, read_line_at
from apep_datagen.terminal.text import plain_text, say

__all__ = ["find_element", "parse_target", "show_conversation"]

_SHORT_RESULT = 100
_MOST_RESULT_LINES = 24
_SHOWN_SYSTEM = 60
_LABEL_WIDTH = 10
_INDENT = 2
_LEAST_WIDTH = 20
_LONGEST_TAIL = 1 << 12

# What each kind of text looks like in a terminal, as rich spells it.
_PLAIN, _HEAD, _ASIDE, _USER, _ADA = "", "bold", "dim", "bold cyan", "bold magenta"
_THINKING, _CALL, _RESULT, _ERROR = "dim italic", "yellow", "green", "red"


@dataclass(frozen=True, slots=True)
class _Text:
    """A text of one kind, of one or more lines, and by how many columns it is indented."""

    text: str
    style: str = _PLAIN
    indent: int = 0


@dataclass(frozen=True, slots=True)
class _Background:
    """What the state database tells about a conversation.

    Attributes:
        brief: What was decided before its first call; None where an older version began it.
        makers: Provider and model with the roles they worked in, e.g. `together / model (ada, rewriter)`.
        timeline: The number of its timeline.
        place: Which of the accepted conversations of the timeline it is, from 1.
        length: How many these are.
    """

    brief: Brief | None
    makers: tuple[str, ...]
    timeline: int
    place: int
    length: int


def parse_target(file: str | None, number: str | None, default: Path) -> tuple[Path, int]:
    """Return which conversation of which file is meant.

    Args:
        file: The first argument: a file, or a number where there is no such file.
        number: The second argument, from 1, or from -1 at the end; None is the last one.
        default: The file where none is named.

    Raises:
        SettingsError: The number is none, or there are two.
    """
    if file is not None and not Path(file).exists():
        if number is None and _as_number(file) is not None:
            file, number = None, file
        elif file.startswith("-"):
            raise SettingsError(f"there is no option {file}; see apep-datagen show --help")
    position = -1 if number is None else _as_number(number)
    if not position:
        raise SettingsError(f"{number} is no number of a conversation: they go from 1, or from -1 at the end")
    return default if file is None else Path(file), position


def _as_number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def find_element(path: Path, number: int) -> tuple[int, bytes]:
    """Return an element of a file and its number from 1.

    Args:
        path: The file.
        number: From 1; from -1 at the end.

    Raises:
        SettingsError: There is no element with this number.
        StorageError: There is no such file, or it is no JSON array.
    """
    if found := _find_by_state(path, number):
        return found
    last: deque[int] = deque(maxlen=max(0, -number))
    count = 0
    for offset, element in read_elements(path):
        count += 1
        if count == number:
            return number, element
        last.append(offset)
    if number < 0 and len(last) == -number:
        return count + 1 + number, read_line_at(path, last[0])
    there = f"its numbers go from 1 to {count}, or from -1 at the end to -{count}" if count else "it holds none yet"
    raise SettingsError(f"{path}: there is no conversation {number}; {there}")


def _find_by_state(path: Path, number: int) -> tuple[int, bytes] | None:
    """Return what `find_element` does, without reading the file from its beginning; None where that is needed.

    The state database knows at which byte each conversation ends. That the file is as it was written is seen from its
    bytes there, and, to count from the end, from what stands behind the last one.
    """

    def query(connection: sqlite3.Connection) -> tuple[int, str, int, int] | None:
        base_count, base_position = connection.execute("SELECT base_count, base_position FROM run").fetchone()
        last, last_end = connection.execute("SELECT max(position), end FROM samples").fetchone()
        from_start = number if number > 0 else base_count + (last or 0) - base_position + 1 + number
        row = connection.execute(
            "SELECT line, end FROM samples WHERE position = ? AND position > ?",
            (from_start - base_count + base_position, base_position),
        ).fetchone()
        return (from_start, *row, last_end) if row else None

    try:
        row = read_only(state_path(path), query) if state_path(path).exists() else None
        if row is None:
            return None
        from_start, line, end, last_end = row
        element = line.encode()
        with path.open("rb") as file:
            file.seek(max(0, end - len(element)))
            if file.read(len(element)) != element:
                return None
            if number < 0:
                file.seek(last_end)
                if file.read(_LONGEST_TAIL).strip() != b"]" or file.read(1):
                    return None
    except (StorageError, OSError):
        return None
    return from_start, element


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
    messages = messages_of(element)
    if messages is None:
        raise StorageError(f"{path}: element {number} is no conversation; apep-datagen verify says what is wrong")
    _print([*_head(path, number, element), *_body(messages, with_system=with_system)])


# The head: what the state database knows.


def _head(path: Path, number: int, element: bytes) -> Iterator[_Text]:
    yield _Text(f"Conversation {number} of {path}", _HEAD)
    if not state_path(path).exists():
        yield _Text(f"(there is no state database {state_path(path)}, which knows user, day and ability)", _ASIDE)
        return
    try:
        background = read_only(state_path(path), lambda connection: _read_background(connection, number, element))
    except StorageError as error:
        yield _Text(f"({error})", _ASIDE)
        return
    if background is None:
        yield _Text(f"({state_path(path)} does not know this conversation)", _ASIDE)
        return
    for label, text in _describe(background):
        yield _Text(f"{label.ljust(_LABEL_WIDTH)}  {text}")


def _read_background(connection: sqlite3.Connection, number: int, element: bytes) -> _Background | None:
    conversation_id = _conversation_id(connection, number, element)
    if conversation_id is None:
        return None
    plan, timeline, length = connection.execute(
        "SELECT plan, timeline_id, timelines.conversations FROM conversations"
        " JOIN timelines ON timelines.id = timeline_id WHERE conversations.id = ?",
        (conversation_id,),
    ).fetchone()
    (place,) = connection.execute(
        "SELECT count(*) FROM conversations JOIN samples ON conversation_id = id WHERE timeline_id = ? AND position <="
        " (SELECT position FROM samples WHERE conversation_id = ?)",
        (timeline, conversation_id),
    ).fetchone()
    steps = connection.execute(
        "SELECT kind, provider, model FROM steps WHERE conversation_id = ? AND provider IS NOT NULL ORDER BY number",
        (conversation_id,),
    )
    roles: dict[str, dict[str, None]] = {}
    for kind, provider, model in steps:
        roles.setdefault(f"{provider} / {model}", {})[Step(kind).model_role.value] = None
    makers = tuple(f"{maker} ({', '.join(names)})" for maker, names in roles.items())
    try:
        return _Background(brief_from_json(plan), makers, timeline, place, length)
    except ValueError:  # an older version's
        return _Background(None, makers, timeline, place, length)


def _conversation_id(connection: sqlite3.Connection, number: int, element: bytes) -> int | None:
    """Return which conversation an element of the output is, or None where it is none of the run's.

    It is looked for where it has to be; where the output was changed by another hand, also everywhere else.
    """
    base_count, base_position = connection.execute("SELECT base_count, base_position FROM run").fetchone()
    line = element.decode()
    row = None
    if number > base_count:
        row = connection.execute(
            "SELECT conversation_id FROM samples WHERE position = ? AND line = ?",
            (number - base_count + base_position, line),
        ).fetchone()
    row = row or connection.execute("SELECT conversation_id FROM samples WHERE line = ?", (line,)).fetchone()
    return row[0] if row else None


def _describe(background: _Background) -> Iterator[tuple[str, str]]:
    """Yield what is known, with its label."""
    brief = background.brief
    if brief is not None:
        user, scenario = brief.user, brief.scenario
        yield "User", f"{user.name}, {user.age}, {user.place}"
        moment = datetime.datetime.fromisoformat(brief.at)
        yield "When", f"{moment:%Y-%m-%d %H:%M}"
        yield "Ability", scenario.ability.value
        yield "Topic", scenario.topic
        if scenario.facts:
            yield "Facts", "; ".join(_spell_fact(fact) for fact in scenario.facts)
        if scenario.replaced:
            yield "Instead of", _spell_fact(scenario.replaced)
    if background.makers:
        yield "Made by", ", ".join(background.makers)
    yield "Timeline", f"{background.timeline}, conversation {background.place} of {background.length}"


def _spell_fact(fact: Fact) -> str:
    return f"{fact.slot} = {fact.value}" if fact.value else f"{fact.slot} (never told)"


# The messages.


def _body(messages: Sequence[Message], *, with_system: bool) -> Iterator[_Text]:
    for message in messages:
        yield _Text("")
        if message.role == "system":
            yield from _system(message.content, whole=with_system)
        elif message.role == "assistant":
            yield from _answer(message.content)
        elif message.role == "tool":
            yield _Text("Results", _ASIDE)
            yield from _results(message.content)
        else:
            yield _Text(message.role.capitalize(), _USER)
            yield _Text(message.content, indent=_INDENT)


def _system(content: str, *, whole: bool) -> Iterator[_Text]:
    if whole:
        yield _Text("System prompt", _ASIDE)
        yield _Text(content, indent=_INDENT)
    else:
        line = " ".join(content.split())
        shown = line if len(line) <= _SHOWN_SYSTEM else line[:_SHOWN_SYSTEM].rstrip() + "…"
        yield _Text(f"System prompt, {len(content):,} characters: {shown}", _ASIDE)


def _answer(content: str) -> Iterator[_Text]:
    answer = parse_answer(content)
    if answer.thinking:
        yield _Text("Ada thinks", _ASIDE)
        yield _Text(answer.thinking, _THINKING, _INDENT)
    yield _Text("Ada", _ADA)
    if answer.reply:
        yield _Text(answer.reply, indent=_INDENT)
    for call in answer.calls:
        if isinstance(call, ToolCall):
            yield _Text(f"→ {render_call(call)}", _CALL, _INDENT)
        else:
            yield _Text(f"→ {call.text} (not understood)", _ERROR, _INDENT)


def _results(content: str) -> Iterator[_Text]:
    results = list(read_results(content))
    if not results:
        yield _Text(content, indent=_INDENT)
    for value, failed in results:
        yield _Text(f"← {_spell_result(value)}", _ERROR if failed else _RESULT, _INDENT)


def _spell_result(value: Any) -> str:
    """Spell a result in a line if it is short, else over several, of which the last are left out if they are many."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) <= _SHORT_RESULT:
        return line
    lines = json.dumps(value, ensure_ascii=False, indent=2).split("\n")
    if left_out := len(lines[_MOST_RESULT_LINES:]):
        lines = [*lines[:_MOST_RESULT_LINES], f"… {left_out} more lines"]
    return "\n  ".join(lines)


# Printing.


def _print(texts: Iterable[_Text]) -> None:
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR"):
        _print_in_colours(texts)
    else:
        say("\n".join(textwrap.indent(_clean(text), " " * text.indent) for text in texts))


def _print_in_colours(texts: Iterable[_Text]) -> None:
    import rich.console
    from rich.text import Text

    console = rich.console.Console(highlight=False, markup=False, emoji=False)
    for text in texts:
        for line in Text(_clean(text), text.style).wrap(console, max(_LEAST_WIDTH, console.width - text.indent)):
            line.rstrip()
            line.pad_left(text.indent if line else 0)
            console.print(line, soft_wrap=True)


def _clean(text: _Text) -> str:
    """Return the text without control characters; a tab is four spaces."""
    return plain_text(text.text.replace("\t", "    "))
