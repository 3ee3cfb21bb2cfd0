"""What chat templates keep of the thoughts, calls and results of an output, for each shape that a row can have.

    uv run --all-groups python benchmarks/chat_templates.py [--source OUTPUT] [TEMPLATE …]

A template is one that comes with the program, by its name, or a `.jinja` file; without any, all that come with it are
taken. Printed is a table in Markdown. A cell says what is lost of thoughts, calls and results; how many rows are
refused, of which nothing else is counted; how many calls are glued to what Ada answers, the results left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from apep_datagen.chat_templates.check import RowCheck
from apep_datagen.chat_templates.known import known_names, load_template
from apep_datagen.core.messages import Message
from apep_datagen.core.sample_json import messages_in
from apep_datagen.core.tools import tool_schemas
from apep_datagen.export.examples import examples_of
from apep_datagen.formats.chat import chat_messages
from apep_datagen.formats.example import NOTHING
from apep_datagen.formats.shape import Shape

_SHAPES = (
    Shape(rows="conversation", tool_role="tool"),
    Shape(rows="conversation", tool_role="user"),
    Shape(rows="exchange", tool_role="tool"),
    Shape(rows="exchange", tool_role="user"),
    Shape(rows="answer", tool_role="tool"),
    Shape(rows="answer", tool_role="user"),
    Shape(rows="answer", calls="native"),
)


def main() -> None:
    """Print the table, and how many templates lose nothing in each shape."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("templates", nargs="*", metavar="TEMPLATE")
    parser.add_argument("--source", type=Path, default=Path(__file__).parents[1] / "docs/sample.json")
    arguments = parser.parse_args()
    elements = json.loads(arguments.source.read_text(encoding="utf-8"))
    conversations = [messages for element in elements if (messages := messages_in(element))]
    print("| template |", " | ".join(map(_heading, _SHAPES)), "|")
    print("| --- |" + " --- |" * len(_SHAPES))
    whole = Counter[Shape]()
    names = arguments.templates or known_names()
    for name in names:
        cells = []
        for shape in _SHAPES:
            said = "; ".join(_losses(RowCheck(load_template(name)), shape, conversations))
            whole[shape] += not said
            cells.append(said or "all kept")
        print(f"| `{Path(name).stem}` |", " | ".join(cells), "|")
        sys.stdout.flush()
    print(f"| lose nothing, of {len(names)} |", " | ".join(str(whole[shape]) for shape in _SHAPES), "|")


def _heading(shape: Shape) -> str:
    return f"{shape.rows}, native" if shape.calls == "native" else f"{shape.rows}, `{shape.tool_role}`"


def _losses(check: RowCheck, shape: Shape, conversations: Sequence[tuple[Message, ...]]) -> Iterator[str]:
    before = after = NOTHING
    rows = refused = glued = 0
    for messages in conversations:
        for example in examples_of(messages, shape.rows):
            tools = tool_schemas() if shape.calls == "native" else None
            checked = check.check(chat_messages(example, shape), tools, example)
            rows += 1
            if checked.refused is not None:
                refused += 1
                continue
            before += checked.before
            after += checked.after
            glued += sum(number for (finding, _), number in checked.findings.items() if finding == "glued")
    for kind in ("thoughts", "calls", "results"):
        had, has = getattr(before, kind), getattr(after, kind)
        if has < had:
            yield f"{had - has} of {had} {kind} lost"
    if glued:
        yield f"{glued} calls glued"
    if refused:
        yield "refused" if refused == rows else f"{refused} of {rows} rows refused"


if __name__ == "__main__":
    main()
