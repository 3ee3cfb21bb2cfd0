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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apep_datagen.core.calls import ToolCall, render_call
from apep_datagen.core.errors import StorageError
from apep_datagen.core.markup import parse_answer, read_results
from apep_datagen.core.messages import Message
from apep_datagen.core.paths import is_there
from apep_datagen.core.sample_json import parse_messages
from apep_datagen.core.words import one_line
from apep_datagen.inspect.lookup import Background, find_element, read_background
from apep_datagen.people.scenario import Fact
from apep_datagen.storage.access import read_only, state_path
from apep_datagen.terminal.streams import obeyed
from apep_datagen.terminal.text import plain_text, say

__all__ = ["show_conversation"]

_SHORT_RESULT = 100
_MOST_RESULT_LINES = 24
_SHOWN_SYSTEM = 60
_LABEL_WIDTH = 10
_INDENT = 2
_LEAST_WIDTH = 20


# What each kind of text looks like in a terminal, as rich spells it.
_PLAIN, _HEAD, _ASIDE, _USER, _ADA = "", "bold", "dim", "bold cyan", "bold magenta"
_THINKING, _CALL, _RESULT, _ERROR = "dim italic", "yellow", "green", "red"


@dataclass(frozen=True, slots=True)
class _Text:
    """A text of one kind, of one or more lines, and by how many columns it is indented."""

    text: str
    style: str = _PLAIN
    indent: int = 0


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
    _print([*_head(path, number, element), *_body(messages, with_system=with_system)])


# The head: what the state database knows.


def _head(path: Path, number: int, element: bytes) -> Iterator[_Text]:
    yield _Text(f"Conversation {number} of {path}", _HEAD)
    if not is_there(state_path(path)):
        yield _Text(f"(there is no state database {state_path(path)}, which knows user, day and ability)", _ASIDE)
        return
    try:
        background = read_only(state_path(path), lambda connection: _background(connection, number, element))
    except StorageError as error:
        yield _Text(f"({error})", _ASIDE)
        return
    if background is None:
        yield _Text(f"({state_path(path)} does not know this conversation)", _ASIDE)
        return
    for label, text in background:
        yield _Text(f"{label.ljust(_LABEL_WIDTH)}  {one_line(text)}")


def _background(connection: sqlite3.Connection, number: int, element: bytes) -> list[tuple[str, str]] | None:
    background = read_background(connection, number, element)
    return None if background is None else list(_describe(background))


def _describe(background: Background) -> Iterator[tuple[str, str]]:
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
    place = "by itself" if background.place is None else f"conversation {background.place} of {background.length}"
    yield "Timeline", f"{background.timeline}, {place}"


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

    console = rich.console.Console(file=obeyed(), highlight=False, markup=False, emoji=False)
    for text in texts:
        for line in Text(_clean(text), text.style).wrap(console, max(_LEAST_WIDTH, console.width - text.indent)):
            line.rstrip()
            line.pad_left(text.indent if line else 0)
            console.print(line, soft_wrap=True)


def _clean(text: _Text) -> str:
    """Return the text without control characters; a tab is four spaces."""
    return plain_text(text.text.replace("\t", "    "))
