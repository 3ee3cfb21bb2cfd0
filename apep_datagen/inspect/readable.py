"""A conversation as a person reads it: what was said and thought, called and returned, and who it is about.

In colours where the standard output is a terminal, unless `NO_COLOR` is set (https://no-color.org); else as plain text.
What a model wrote is shown as text only: no control character of it reaches the terminal, and no markup is interpreted.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from apep_datagen.conversation.brief import Brief
from apep_datagen.core.calls import ToolCall, render_call
from apep_datagen.core.markup import parse_answer, read_results
from apep_datagen.core.messages import Message
from apep_datagen.core.words import one_line
from apep_datagen.people.scenario import Fact
from apep_datagen.terminal.screen import can_draw
from apep_datagen.terminal.streams import obeyed
from apep_datagen.terminal.text import plain_text, say

__all__ = ["ASIDE", "HEAD", "INDENT", "Text", "brief_rows", "labelled", "message_texts", "print_texts"]

_SHORT_RESULT = 100
_MOST_RESULT_LINES = 24
_SHOWN_SYSTEM = 60
_LABEL_WIDTH = 10
_LEAST_WIDTH = 20
INDENT = 2

# What each kind of text looks like in a terminal, as rich spells it.
HEAD, ASIDE = "bold", "dim"
_PLAIN, _USER, _ADA = "", "bold cyan", "bold magenta"
_THINKING, _CALL, _RESULT, _ERROR = "dim italic", "yellow", "green", "red"
_MARKED = "reverse"


@dataclass(frozen=True, slots=True)
class Text:
    """A text of one kind, of one or more lines, and by how many columns it is indented.

    Attributes:
        text: What it says.
        style: What it looks like in a terminal.
        indent: In columns.
        is_said: Whether it is of the conversation, in which words can be marked.
    """

    text: str
    style: str = _PLAIN
    indent: int = 0
    is_said: bool = False


def labelled(label: str, text: str) -> Text:
    """Return a line with a label in front of it."""
    return Text(f"{label.ljust(_LABEL_WIDTH)}  {one_line(text)}")


def brief_rows(brief: Brief) -> Iterator[tuple[str, str]]:
    """Yield who the user is and what was planned, with a label each."""
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


def _spell_fact(fact: Fact) -> str:
    return f"{fact.slot} = {fact.value}" if fact.value else f"{fact.slot} (never told)"


# The messages.


def message_texts(
    messages: Sequence[Message], *, with_system: bool = False, originals: Iterable[str] = ()
) -> Iterator[Text]:
    """Yield the texts of a conversation.

    Args:
        messages: The conversation, as it is saved.
        with_system: Whether the system prompt is shown as a whole, and not its beginning alone.
        originals: What Ada thought in each of her messages before it was rewritten, where that is known.
    """
    thoughts = iter(originals)
    for message in messages:
        yield Text("")
        if message.role == "system":
            yield from _system(message.content, whole=with_system)
        elif message.role == "assistant":
            yield from _answer(message.content, next(thoughts, ""))
        elif message.role == "tool":
            yield Text("Results", ASIDE)
            yield from _results(message.content)
        else:
            yield Text(message.role.capitalize(), _USER)
            yield Text(message.content, indent=INDENT, is_said=True)


def _system(content: str, *, whole: bool) -> Iterator[Text]:
    if whole:
        yield Text("System prompt", ASIDE)
        yield Text(content, indent=INDENT)
    else:
        line = " ".join(content.split())
        shown = line if len(line) <= _SHOWN_SYSTEM else line[:_SHOWN_SYSTEM].rstrip() + "…"
        yield Text(f"System prompt, {len(content):,} characters: {shown}", ASIDE)


def _answer(content: str, original: str) -> Iterator[Text]:
    answer = parse_answer(content)
    if answer.thinking:
        yield Text("Ada thinks", ASIDE)
        yield Text(answer.thinking, _THINKING, INDENT, is_said=True)
    if original and original.split() != answer.thinking.split():
        yield Text("Ada thought, before it was rewritten", ASIDE)
        yield Text(original, _THINKING, INDENT, is_said=True)
    yield Text("Ada", _ADA)
    if answer.reply:
        yield Text(answer.reply, indent=INDENT, is_said=True)
    for call in answer.calls:
        if isinstance(call, ToolCall):
            yield Text(f"→ {render_call(call)}", _CALL, INDENT, is_said=True)
        else:
            yield Text(f"→ {call.text} (not understood)", _ERROR, INDENT, is_said=True)


def _results(content: str) -> Iterator[Text]:
    results = list(read_results(content))
    if not results:
        yield Text(content, indent=INDENT, is_said=True)
    for value, failed in results:
        yield Text(f"← {_spell_result(value)}", _ERROR if failed else _RESULT, INDENT, is_said=True)


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


def print_texts(texts: Iterable[Text], *, marked: str = "") -> None:
    """Print texts on the standard output.

    Args:
        texts: What is printed.
        marked: Words that are marked wherever they are said, also where they are spaced otherwise: highlighted in
            colours, else between `»` and `«`.
    """
    texts = list(texts)
    pattern = _pattern(marked, texts)
    if can_draw() and not os.environ.get("NO_COLOR"):
        _print_in_colours(texts, pattern)
    else:
        say("\n".join(textwrap.indent(_mark(text, pattern), " " * text.indent) for text in texts))


def _pattern(marked: str, texts: Iterable[Text]) -> re.Pattern[str] | None:
    """Return what finds words however they are spaced: as whole words, unless they are only there as parts of others.

    None where there are none.
    """
    pieces = _clean(marked).split()
    if not pieces:
        return None
    anywhere = r"\s+".join(map(re.escape, pieces))
    before = r"(?<!\w)" if pieces[0][0].isalnum() else ""
    behind = r"(?!\w)" if pieces[-1][-1].isalnum() else ""
    whole = re.compile(before + anywhere + behind)
    is_there = any(text.is_said and whole.search(_clean(text.text)) for text in texts)
    return whole if is_there else re.compile(anywhere)


def _print_in_colours(texts: Iterable[Text], pattern: re.Pattern[str] | None) -> None:
    import rich.console
    from rich.text import Text as RichText

    console = rich.console.Console(file=obeyed(), highlight=False, markup=False, emoji=False)
    for text in texts:
        drawn = RichText(_clean(text.text), text.style)
        if pattern and text.is_said:
            drawn.highlight_regex(pattern, _MARKED)
        for line in drawn.wrap(console, max(_LEAST_WIDTH, console.width - text.indent)):
            line.rstrip()
            line.pad_left(text.indent if line else 0)
            console.print(line, soft_wrap=True)


def _mark(text: Text, pattern: re.Pattern[str] | None) -> str:
    clean = _clean(text.text)
    return pattern.sub(lambda found: f"»{found[0]}«", clean) if pattern and text.is_said else clean


def _clean(text: str) -> str:
    """Return the text without control characters; a tab is four spaces."""
    return plain_text(text.replace("\t", "    "))
