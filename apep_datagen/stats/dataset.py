"""What a dataset contains: from the file alone, and from the state database beside it where there is one.

The file is read once, in chunks. What comes back of a chunk are counts, histograms, and the texts of a sample, so that
memory grows with nothing but the number of different openings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from apep_datagen.core.calls import ToolCall
from apep_datagen.core.errors import StorageError
from apep_datagen.core.markup import parse_answer, read_results
from apep_datagen.core.messages import Message
from apep_datagen.core.paths import is_there
from apep_datagen.core.sample_json import parse_messages
from apep_datagen.people.scenario import Ability
from apep_datagen.quality.wording import notes_in
from apep_datagen.stats.beginnings import Beginnings
from apep_datagen.stats.closings import Closings
from apep_datagen.stats.distribution import Distribution
from apep_datagen.stats.diversity import Diversity, Texts, diversity_of
from apep_datagen.stats.held_out import HeldOutCount, load_held_out
from apep_datagen.stats.run import RunStats, read_run
from apep_datagen.storage.access import read_only, state_path
from apep_datagen.storage.output_reader import map_chunks

__all__ = ["DatasetStats", "FileStats", "Tally", "read_stats"]

_UNREADABLE = "(not understood)"


# What is found out.


@dataclass(frozen=True, slots=True)
class FileStats:
    """What the file tells.

    Attributes:
        conversations: How many it holds.
        others: Elements that are no conversations, and not counted otherwise.
        messages: How many, by role.
        calls: Calls by the tool's name; what was no readable call has a name of its own.
        errors: Results that are errors, by the tool's name.
        with_calls: Conversations in which a tool is called.
        with_errors: Conversations in which a result is an error.
        question_words: Words of each user message.
        reply_words: Words of each reply: all that the user sees of an answer.
        thinking_words: Words of each thought: the thinking in one message of Ada's.
        questions: How different the user messages are.
        replies: How different the replies are, without what they quote.
        first_thoughts: How different the thoughts at what the user said are.
        later_thoughts: How different those after results are.
        closings: How many exchanges end with a question of Ada's, with tools and without.
        beginnings: How thoughts and replies begin, by part: `replies`, `first_thoughts`, `later_thoughts`.
        held_out: How many hold, in a message of the user's or in a note, what is held out for evaluation.
    """

    conversations: int
    others: int
    messages: Mapping[str, int]
    calls: Mapping[str, int]
    errors: Mapping[str, int]
    with_calls: int
    with_errors: int
    question_words: Distribution
    reply_words: Distribution
    thinking_words: Distribution
    questions: Diversity
    replies: Diversity
    first_thoughts: Diversity
    later_thoughts: Diversity
    closings: Closings
    beginnings: Mapping[str, Beginnings]
    held_out: HeldOutCount

    @property
    def exchanges(self) -> int:
        """How many messages of users were answered, or not."""
        return self.question_words.count


@dataclass(frozen=True, slots=True)
class DatasetStats:
    """What a dataset contains.

    Attributes:
        path: The file.
        file: What it tells.
        run: What the state database tells; None where it cannot be asked.
        why_no_run: Why it cannot; else empty.
    """

    path: Path
    file: FileStats
    run: RunStats | None
    why_no_run: str


def read_stats(path: Path, mix: Mapping[Ability, float]) -> DatasetStats:
    """Find out what a dataset contains.

    Args:
        path: The dataset.
        mix: The wished shares of the abilities; they need not add up to anything.

    Raises:
        StorageError: There is no such file, or it is no array of conversations.
    """
    file = _read_file(path)
    try:
        run, why_no_run = read_only(state_path(path), lambda connection: read_run(connection, path, mix)), ""
    except StorageError as error:
        run, why_no_run = None, str(error)
        if not is_there(state_path(path)):
            why_no_run = f"there is no state database {state_path(path)}"
    return DatasetStats(path, file, run, why_no_run)


def _read_file(path: Path) -> FileStats:
    tally = Tally()
    for part in map_chunks(path, _tally_chunk):
        tally.add(part)
    return _file_stats(tally)


# Counting in chunks of the file.


@dataclass(slots=True)
class Tally:
    """What is counted of a part of the file; `FileStats` explains it."""

    conversations: int = 0
    others: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    with_calls: int = 0
    with_errors: int = 0
    questions: Texts = field(default_factory=Texts)
    replies: Texts = field(default_factory=Texts)
    first_thoughts: Texts = field(default_factory=Texts)
    later_thoughts: Texts = field(default_factory=Texts)
    closings: Closings = field(default_factory=Closings)
    held_out: HeldOutCount = field(default_factory=HeldOutCount)

    def add(self, other: Tally) -> None:
        """Count what another one has counted."""
        self.conversations += other.conversations
        self.others += other.others
        self.messages.update(other.messages)
        self.calls.update(other.calls)
        self.errors.update(other.errors)
        self.with_calls += other.with_calls
        self.with_errors += other.with_errors
        self.questions.add(other.questions)
        self.replies.add(other.replies)
        self.first_thoughts.add(other.first_thoughts)
        self.later_thoughts.add(other.later_thoughts)
        self.closings.add(other.closings)
        self.held_out.join(other.held_out)

    def count(self, messages: Iterable[Message], number: int) -> None:
        """Count a conversation; `number` is its number in the file, from 1."""
        self.conversations += 1
        questions: list[str] = []
        replies: list[list[str]] = []
        with_tools: list[bool] = []
        called: list[str] = []
        names: list[str] = []
        follows_results = False
        errors: list[str] = []
        notes: list[str] = []
        first_thoughts: list[str] = []
        later_thoughts: list[str] = []
        for message in messages:
            self.messages[message.role] += 1
            if message.role == "user":
                questions.append(message.content)
                replies.append([])
                with_tools.append(False)
            elif message.role == "assistant":
                answer = parse_answer(message.content)
                if answer.thinking:
                    (later_thoughts if follows_results else first_thoughts).append(answer.thinking)
                if answer.reply and replies:
                    replies[-1].append(answer.reply)
                called = [call.name if isinstance(call, ToolCall) else _UNREADABLE for call in answer.calls]
                names += called
                if called and with_tools:
                    with_tools[-1] = True
            elif message.role == "tool" and '"error"' in message.content:
                failures = [failed for _, failed in read_results(message.content)]
                errors += [name for name, failed in zip(called, failures, strict=False) if failed]
            follows_results = message.role == "tool"
            notes += notes_in(message)
        self.calls.update(names)
        self.errors.update(errors)
        self.with_calls += bool(names)
        self.with_errors += bool(errors)
        self.held_out.add(load_held_out().in_texts(questions, notes))
        for texts, part in (
            (questions, self.questions),
            (first_thoughts, self.first_thoughts),
            (later_thoughts, self.later_thoughts),
        ):
            for index, text in enumerate(texts):
                part.count(text, number, index)
        for index, parts in enumerate(replies):
            if parts:
                self.closings.count(parts[-1], with_tools=with_tools[index])
                self.replies.count("\n\n".join(parts), number, index, notes)


def _tally_chunk(first: int, elements: list[bytes]) -> Tally:
    tally = Tally()
    for number, element in enumerate(elements, start=first):
        messages = parse_messages(element)
        if messages is None:
            tally.others += 1
        else:
            tally.count(messages, number)
    return tally


# Putting it together.


def _file_stats(tally: Tally) -> FileStats:
    return FileStats(
        conversations=tally.conversations,
        others=tally.others,
        messages=tally.messages,
        calls=tally.calls,
        errors=tally.errors,
        with_calls=tally.with_calls,
        with_errors=tally.with_errors,
        question_words=Distribution.of(tally.questions.lengths),
        reply_words=Distribution.of(tally.replies.lengths),
        thinking_words=Distribution.of(tally.first_thoughts.lengths + tally.later_thoughts.lengths),
        questions=diversity_of(tally.questions),
        replies=diversity_of(tally.replies),
        first_thoughts=diversity_of(tally.first_thoughts),
        later_thoughts=diversity_of(tally.later_thoughts),
        closings=tally.closings,
        held_out=tally.held_out,
        beginnings={
            "replies": Beginnings.of(tally.replies.first_words, tally.replies.first_pairs),
            "first_thoughts": Beginnings.of(tally.first_thoughts.first_words, tally.first_thoughts.first_pairs),
            "later_thoughts": Beginnings.of(tally.later_thoughts.first_words, tally.later_thoughts.first_pairs),
        },
    )
