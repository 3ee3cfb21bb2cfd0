"""Render conversations with chat templates, and print as Markdown what each keeps of them, in every shape of a row.

    uv run --all-groups python benchmarks/templates.py [FILE ...] [--template NAME_OR_PATH ...] [--speed]
        [--tokenizer FILE]

`FILE` is an output, `docs/sample.json` where none is named; without `--template`, all templates that come with the
program are rendered. Templates that do the same stand in one line. `--speed` also measures how many rows of whole
conversations are checked in a second of the processor, and `--tokenizer` how many tokens a row has.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import time
import typing
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from apep_datagen.chat_templates.check import RowCheck
from apep_datagen.chat_templates.known import known_names, load_template
from apep_datagen.chat_templates.tally import CheckTally
from apep_datagen.chat_templates.template import ChatTemplate
from apep_datagen.chat_templates.tokens import TokenCounter
from apep_datagen.core.messages import Message
from apep_datagen.core.sample_json import messages_in
from apep_datagen.core.tools import tool_schemas
from apep_datagen.export.examples import examples_of
from apep_datagen.export.plan import read_retellings
from apep_datagen.formats.chat import chat_messages
from apep_datagen.formats.example import Example, count
from apep_datagen.formats.format import CannotHoldError, Kind, Row
from apep_datagen.formats.instructions import Retelling, retelling_of
from apep_datagen.formats.shape import Calls, Rows, Shape, ToolRole

SAMPLE = Path(__file__).parent.parent / "docs" / "sample.json"
KINDS: tuple[Kind, ...] = ("thoughts", "calls", "results", "messages")


@dataclass(frozen=True, slots=True)
class Way:
    """How a row is written.

    Attributes:
        title: What it is called in the table.
        calls: As text, or as fields.
        tool_role: The role of results.
        thoughts: Where a thought stands, where calls are fields.
    """

    title: str
    calls: Calls = "text"
    tool_role: ToolRole = "tool"
    thoughts: Literal["content", "reasoning_content"] = "content"


WAYS = (
    Way("text"),
    Way("text, results as `user`", tool_role="user"),
    Way("native", calls="native"),
    Way("native, `reasoning_content`", calls="native", thoughts="reasoning_content"),
)
MOST_USUAL = WAYS[0]
CheckableRow = tuple[Sequence[Row], Sequence[Row] | None, Example]


def conversations_in(path: Path) -> Iterator[tuple[Message, ...]]:
    """Yield the conversations of an output."""
    for element in json.loads(path.read_text(encoding="utf-8")):
        if messages := messages_in(element):
            yield messages


def rows_of(conversations: Sequence[tuple[Message, ...]], way: Way, rows: Rows) -> Iterator[CheckableRow]:
    """Yield rows as a template takes them, with the system prompt that belongs to their calls."""
    shape = Shape(rows=rows, calls=way.calls, tool_role=way.tool_role)
    retellings = read_retellings(None, None, ["native"])["native"] if way.calls == "native" else ()
    tools = tool_schemas() if way.calls == "native" else None
    for messages in conversations:
        for example in examples_of(messages, rows):
            told = Example(tuple(retold(message, retellings) for message in example.messages), example.context)
            try:
                yield chat_messages(told, shape, thoughts=way.thoughts), tools, told
            except CannotHoldError as error:
                print(f"(left out, {way.title}: {error})")


def retold(message: Message, retellings: Sequence[Retelling]) -> Message:
    """Return a system prompt that tells of calls as fields; as it is where its words are those of other prompts."""
    with contextlib.suppress(CannotHoldError):
        if retellings and message.role == "system" and (found := retelling_of(message.content, retellings)):
            return Message("system", message.content.replace(*found, 1))
    return message


def checked(template: ChatTemplate, rows: Sequence[CheckableRow], counter: TokenCounter | None = None) -> CheckTally:
    """Return what a template makes of rows."""
    check, tally = RowCheck(template, counter), CheckTally(template.name)
    for number, row in enumerate(rows, 1):
        tally.count(check.check(*row), number)
    return tally


def cell(tally: CheckTally) -> str:
    """Say in a few words what is wrong; `all` where nothing is."""
    parts = []
    if tally.refused:
        parts.append(f"refuses {tally.refused_rows} of {tally.rows} rows" if tally.after.messages else "refuses all")
    for finding, kinds in sorted(tally.findings.items()):
        for kind in KINDS:
            if kind not in kinds or (finding == "lost" and kind == "messages" and len(kinds) > 1):
                continue
            whole = getattr(tally.before, kind) - getattr(tally.in_refused, kind)
            number = "all" if kinds[kind].number == whole else f"{kinds[kind].number} of {whole}"
            parts.append(f"{finding} {number} {kind}")
    if tally.unclear.rows:
        parts.append(f"unclear {tally.unclear.rows}")
    return "; ".join(parts) or "all"


def print_markdown(header: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    print("| " + " | ".join(header) + " |")
    print("| " + " | ".join("---" for _ in header) + " |")
    for line in lines:
        print("| " + " | ".join(line) + " |")
    print()


def main() -> None:
    """Render, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", metavar="FILE", nargs="*", type=Path, default=[SAMPLE])
    parser.add_argument("--template", action="append", metavar="NAME_OR_PATH")
    parser.add_argument("--tokenizer", type=Path, metavar="FILE")
    parser.add_argument("--speed", action="store_true")
    arguments = parser.parse_args()
    templates = [load_template(name) for name in arguments.template or known_names()]
    conversations = [messages for path in arguments.files for messages in conversations_in(path)]
    whole = count(message for messages in conversations for message in messages)
    told = f"{whole.messages} messages, {whole.thoughts} thoughts, {whole.calls} calls, {whole.results} results"
    print(f"{len(conversations)} conversations: {told}.\n")
    for rows in typing.get_args(Rows):
        print_kept(templates, conversations, rows)
    if arguments.speed or arguments.tokenizer:
        print_speed(templates, conversations, arguments.tokenizer)


def print_kept(templates: Sequence[ChatTemplate], conversations: Sequence[tuple[Message, ...]], rows: Rows) -> None:
    """Print what each template keeps; those that do the same in one line."""
    made = {way: list(rows_of(conversations, way, rows)) for way in WAYS}
    same: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for template in templates:
        name = f"`{Path(template.name).stem}`"
        same[tuple(cell(checked(template, made[way])) for way in WAYS)].append(name)
    print(f"A row for each {rows} ({len(made[MOST_USUAL])} rows):\n")
    print_markdown(
        ["template", *(way.title for way in WAYS)], [[", ".join(names), *cells] for cells, names in same.items()]
    )


def print_speed(
    templates: Sequence[ChatTemplate], conversations: Sequence[tuple[Message, ...]], tokenizer: Path | None
) -> None:
    """Print how many rows a second are checked, as text and as fields, and how many tokens they have."""
    counter = TokenCounter(tokenizer) if tokenizer else None
    header = ["template", "rows/s, text", "rows/s, native"] + (["tokens a row: least, median, most"] if counter else [])
    made = [list(rows_of(conversations, way, "conversation")) for way in (WAYS[0], WAYS[2])]
    lines = []
    for template in templates:
        line = [f"`{Path(template.name).stem}`"]
        for rows in made:
            times = []
            for _ in range(3):
                began = time.process_time()
                tally = checked(template, rows)
                times.append(time.process_time() - began)
            line.append(f"{len(rows) / min(times):,.0f}" if tally.after.messages else "-")
        if counter:
            tokens = checked(template, made[0], counter).tokens
            line.append(", ".join(f"{tokens.quantile(share):,}" for share in (0, 0.5, 1)) if tokens.rows else "-")
        lines.append(line)
    print_markdown(header, lines)


if __name__ == "__main__":
    main()
