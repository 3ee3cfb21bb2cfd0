"""What became of what was to be exported: counted on both sides, never declared."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from apep_datagen.core.calls import ToolCall, render_call
from apep_datagen.core.markup import parse_answer, read_results
from apep_datagen.core.messages import Message
from apep_datagen.core.tools import canonical_call
from apep_datagen.formats.example import NOTHING, Counts, Example, count
from apep_datagen.formats.format import Kind

__all__ = ["LossTally", "lost_between"]


@dataclass(slots=True)
class LossTally:
    """What became of the conversations that were read; two of them add up.

    Attributes:
        conversations: How many were read.
        others: Elements of the file that are no conversations.
        not_selected: Conversations that the selection leaves out.
        without_place: Fields of elements and of their messages that no row has a place for: in how many they are.
        before: What the selected conversations hold.
        chosen_away: What the options leave out of them: thoughts.
        left_out: Examples that are no rows, by reason.
        left_out_counts: What these hold.
        rows: How many rows were written, by split.
        after: What the rows hold, as it is read back from them.
        lost: What is missing in them, by kind.
        lost_rows: In how many rows something of a kind is missing.
        first_lost: The first of these rows, by kind: the number of its conversation in the file.
        short_series: Joined rows of fewer conversations than asked for, because their user has no more.
    """

    conversations: int = 0
    others: int = 0
    not_selected: int = 0
    without_place: Counter[str] = field(default_factory=Counter)
    before: Counts = NOTHING
    chosen_away: Counts = NOTHING
    left_out: Counter[str] = field(default_factory=Counter)
    left_out_counts: Counts = NOTHING
    rows: Counter[str] = field(default_factory=Counter)
    after: Counts = NOTHING
    lost: Counter[Kind] = field(default_factory=Counter)
    lost_rows: Counter[Kind] = field(default_factory=Counter)
    first_lost: dict[Kind, int] = field(default_factory=dict)
    short_series: int = 0

    def add(self, other: LossTally) -> None:
        """Count what another one has counted, which comes behind this one."""
        self.conversations += other.conversations
        self.others += other.others
        self.not_selected += other.not_selected
        self.without_place.update(other.without_place)
        self.before += other.before
        self.chosen_away += other.chosen_away
        self.left_out.update(other.left_out)
        self.left_out_counts += other.left_out_counts
        self.rows.update(other.rows)
        self.after += other.after
        self.lost.update(other.lost)
        self.lost_rows.update(other.lost_rows)
        for kind, number in other.first_lost.items():
            self.first_lost.setdefault(kind, number)
        self.short_series += other.short_series

    def count_left_out(self, example: Example, reason: str) -> None:
        """Count an example that is no row."""
        self.left_out[reason] += 1
        self.left_out_counts += count(example.new)

    def count_row(self, split: str, number: int, wanted: Example, found: Example) -> None:
        """Count a row that was written.

        Args:
            split: Where it went.
            number: The number in the file of the conversation that it comes of.
            wanted: What it was to hold.
            found: What was read back from it.
        """
        self.rows[split] += 1
        self.after += count(found.new)
        if found == wanted:
            return
        missing_kinds = lost_between(wanted, found)
        if not missing_kinds and not _is_as_wanted(wanted, found):
            missing_kinds["messages"] = 1  # nothing is missing, and yet the row teaches something else
        for kind, missing in missing_kinds.items():
            self.lost[kind] += missing
            self.lost_rows[kind] += 1
            self.first_lost.setdefault(kind, number)


def lost_between(wanted: Example, found: Example) -> Counter[Kind]:
    """Return how much of what an example teaches is not in another one, by kind; white space tells nothing."""
    missing: Counter[Kind] = Counter()
    for (kind, _), lacks in (Counter(_parts(wanted.new)) - Counter(_parts(found.new))).items():
        missing[kind] += lacks
    return missing


def _is_as_wanted(wanted: Example, found: Example) -> bool:
    """Tell whether an example teaches the same in the same order, and nothing beside it, behind the same context."""
    return _same(wanted.new, found.new) and _same(wanted.messages, found.messages)


def _same(wanted: Iterable[Message], found: Iterable[Message]) -> bool:
    return list(_parts(wanted)) == list(_parts(found))


def _parts(messages: Iterable[Message]) -> Iterator[tuple[Kind, str]]:
    for message in messages:
        if message.role == "assistant":
            answer = parse_answer(message.content)
            yield "messages", f"assistant {_squeezed(answer.reply)}"
            if answer.thinking:
                yield "thoughts", _squeezed(answer.thinking)
            for call in map(canonical_call, answer.calls):
                yield "calls", render_call(call) if isinstance(call, ToolCall) else _squeezed(call.text)
        elif message.role == "tool":
            yield "messages", "tool"
            for value, _ in read_results(message.content):
                yield "results", json.dumps(value, ensure_ascii=False)
        else:
            yield "messages", f"{message.role} {_squeezed(message.content)}"


def _squeezed(text: str) -> str:
    return " ".join(text.split())
