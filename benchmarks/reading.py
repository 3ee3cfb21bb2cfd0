"""Measure how the time grows that it takes to read an answer, for answers that are made of markup.

    uv run --all-groups python benchmarks/reading.py --characters 100000 --combinations 100

Each shape is one or a few pieces of markup, again and again, once at the length and once at twice the length. Where
reading takes time in proportion to the length, it takes twice the time. Shown are the shapes that grow most, and those
that take longest.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from apep_datagen.conversation.completions import read_question
from apep_datagen.conversation.rewritten_parts import read_parts
from apep_datagen.core.dialects import foreign_markup, own_markup
from apep_datagen.core.markup import parse_answer, render_answer
from apep_datagen.core.repetition import repeated_words
from apep_datagen.core.words import holds
from common import print_table
from support.hostile_texts import MARKUP_PIECES

_SHOWN = 12
_LEAST_SECONDS = 0.02
"""What is shorter says nothing of growth."""


@dataclass(frozen=True, slots=True)
class _Growth:
    shape: str
    seconds: float
    factor: float


def main() -> None:
    """Measure, and print the worst."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--characters", type=int, default=100_000)
    parser.add_argument("--combinations", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    measured = [_measure(shape, options.characters) for shape in _shapes(options.combinations, options.seed)]
    slow = [growth for growth in measured if growth.seconds >= _LEAST_SECONDS]
    print(f"{len(measured)} shapes of {2 * options.characters:,} characters, {len(slow)} above {_LEAST_SECONDS} s")
    for title, worst in (
        ("growth at twice the length", sorted(slow, key=lambda growth: -growth.factor)),
        ("longest", sorted(slow, key=lambda growth: -growth.seconds)),
    ):
        print(f"\n{title}")
        print_table(
            [[f"{growth.factor:.1f}", f"{growth.seconds:.2f}", growth.shape] for growth in worst[:_SHOWN]],
            ["times", "seconds", "shape"],
        )


def _shapes(combinations: int, seed: int) -> Iterator[tuple[str, str, str]]:
    """Yield what stands once before, what is said again and again, and what closes it as often."""
    draw = random.Random(seed)  # noqa: S311 - no secret depends on it
    units = [*MARKUP_PIECES, *("".join(draw.sample(MARKUP_PIECES, draw.randint(2, 4))) for _ in range(combinations))]
    for unit in units:
        for before in ("", "<tool_call>", "<think>", "\n{"):
            yield before, unit, ""
    for opening, closing in (
        ("<answer>", "</answer>"),
        ("<thi", "nk>"),
        ("</tool_", "call>"),
        ("[f(x=", ")]"),
        ('{"name": ', "}"),
    ):
        yield "", opening, closing


def _measure(shape: tuple[str, str, str], characters: int) -> _Growth:
    before, unit, closing = shape
    times = []
    for length in (characters, 2 * characters):
        count = length // len(unit + closing)
        text = before + unit * count + closing * count
        times.append(min(_seconds(text) for _ in range(2)))
    return _Growth(
        "".join(repr(part)[1:-1] + " … " for part in shape if part), times[1], times[1] / max(times[0], 1e-4)
    )


def _seconds(text: str) -> float:
    """Return the CPU seconds of this thread that it takes to read a text in every way."""
    began = time.thread_time()
    answer = parse_answer(own_markup(text))
    parse_answer(render_answer(answer.thinking, answer.reply, answer.calls))
    foreign_markup(text)
    repeated_words(text)
    holds(text, ("nobody says this",))
    read_question(text)
    read_parts(("a", "b"), text, is_whole=True)
    return time.thread_time() - began


if __name__ == "__main__":
    main()
