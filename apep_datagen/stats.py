"""What a dataset contains: from the file alone, and from the state database beside it where there is one.

The file is read once, in chunks. What comes back of a chunk are counts, histograms, and the texts of a sample, so that
memory grows with nothing but the number of different openings.

Diversity is measured on a sample of fixed size, because all of its measures depend on how much text they see:

- Distinct n-grams (Li et al., NAACL 2016) are divided by all n-grams, of which a longer text repeats more. So always
  the same number of them is looked at, 20,000, in messages from all over the file. Liu et al., "Rethinking and Refining
  the Distinct Metric" (ACL 2022), divide instead by what is expected of as many draws from V equally frequent words;
  but words are not equally frequent. Of words with Zipf frequencies, 20,000 and 1,000,000 have 0.43 and 1.00 by this
  formula, and 0.27 both times among a fixed number. A fixed number also needs no V, which is unknown for n-grams.
- The nearest neighbour of a message is the one, of 1,000, with which it shares the most word trigrams (Jaccard).
- The compression ratio (Shaib et al., "Standardizing the Measurement of Text Diversity", 2024) is the size of up to
  1 MB of text, divided by its size when zlib has compressed it. zlib sees repetitions 32 kB apart at most.
"""

from __future__ import annotations

import json
import keyword
import math
import re
import sqlite3
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from apep_datagen.errors import StorageError
from apep_datagen.markup import ToolCall, parse_answer
from apep_datagen.messages import Message, ModelRole, Step
from apep_datagen.quality.text import shingles, words
from apep_datagen.reading import map_chunks, messages_of
from apep_datagen.scenario import Ability
from apep_datagen.schema import read_only
from apep_datagen.state import state_path
from apep_datagen.yields import VerdictCount, read_verdicts

__all__ = [
    "AbilityShare",
    "DatasetStats",
    "Distinct",
    "Distribution",
    "Diversity",
    "FileStats",
    "Maker",
    "RunStats",
    "Tally",
    "read_results",
    "read_stats",
]

NGRAM_SIZES = (1, 2, 3)
NEARLY_THE_SAME = 0.5
NGRAMS_COUNTED = 20_000
_MOST_COMPARED = 1_000
_MOST_COMPRESSED_BYTES = 1_000_000
_COMPRESSION_LEVEL = 6
_OPENING_WORDS = 5
_MOST_FREQUENT = 5

# The sample from which all of this is taken. A text of more characters counts with its beginning.
_MOST_SAMPLED = 5_000
_LONGEST_SAMPLED_TEXT = 4_000

# An answer as nearly all are written. It is read by this alone: `parse_answer` takes several times as long.
_TEXT = r'"(?:[^"\\<\x00-\x1f\ud800-\udfff]|\\(?:["\\bfnrt]|u[0-9a-f]{4}))*"'
_ITEM = rf"(?:{_TEXT}|0|[1-9][0-9]{{0,8}})"
_LIST = rf"\[{_ITEM}(?:, {_ITEM})*\]"
_CALL = rf"<tool_call>[a-z][a-z_]*\((?:(?:input_text|indices)={_LIST})?\)</tool_call>"
_USUAL_ANSWER = re.compile(rf"<think>([^<]+)</think>([^<]*)((?:{_CALL}\n?)*)")
_NAME = re.compile(r"<tool_call>([a-z_]+)")
_LONGEST_USUAL_ANSWER = 10_000
_RESULT_TEXT = re.compile(r"<tool_result>(.*?)</tool_result>", re.DOTALL)
_UNREADABLE = "(not understood)"


# What is found out.


@dataclass(frozen=True, slots=True)
class Distribution:
    """How a number is distributed; percentiles are values that occur (nearest rank).

    Attributes:
        count: How many values there are; where there are none, all others are 0.
        mean: Their mean.
        median: Half of them are at most this.
        p05: 5 % of them are at most this.
        p95: 95 % of them are at most this.
        largest: None is larger.
    """

    count: int
    mean: float
    median: int
    p05: int
    p95: int
    largest: int

    @classmethod
    def of(cls, histogram: Mapping[int, int]) -> Distribution:
        """Return the distribution of values that occur so often."""
        count = sum(histogram.values())
        mean = sum(value * times for value, times in histogram.items()) / count if count else 0.0
        p05, median, p95, largest = (_percentile(histogram, share * count) for share in (0.05, 0.5, 0.95, 1))
        return cls(count, mean, median, p05, p95, largest)


def _percentile(histogram: Mapping[int, int], rank: float) -> int:
    seen = 0
    for value in sorted(histogram):
        seen += histogram[value]
        if seen >= rank:
            return value
    return 0


@dataclass(frozen=True, slots=True)
class Distinct:
    """How many different n-grams there are among so many; `counted` is 20,000 unless there are fewer."""

    distinct: int
    counted: int

    @property
    def share(self) -> float:
        """The different ones among them, from 0 to 1."""
        return self.distinct / self.counted if self.counted else 0.0


@dataclass(frozen=True, slots=True)
class Diversity:
    """How different the messages of one kind are.

    Attributes:
        distinct: The different n-grams, by n.
        compared: How many messages were compared with each other.
        nearest_mean: Mean of their similarities to the most similar other one, from 0 to 1.
        nearest_above_half: The share that has another one with a similarity above 0.5.
        begun: How many messages have a word.
        openings: How many different first five words these have.
        most_frequent: The most frequent first five words, and how many messages begin so.
        compressed_bytes: The size of the text that was compressed, before that, in UTF-8.
        compression_ratio: By how much it became smaller; the larger, the more repetitions. 0 where there is no text.
    """

    distinct: Mapping[int, Distinct]
    compared: int
    nearest_mean: float
    nearest_above_half: float
    begun: int
    openings: int
    most_frequent: tuple[tuple[str, int], ...]
    compressed_bytes: int
    compression_ratio: float


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
        replies: How different the replies are.
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

    @property
    def exchanges(self) -> int:
        """How many messages of users were answered, or not."""
        return self.question_words.count


@dataclass(frozen=True, slots=True)
class AbilityShare:
    """How many accepted conversations show an ability, and which shares this is and was to be, in percent."""

    ability: Ability
    count: int
    percent: float
    wished_percent: float


@dataclass(frozen=True, slots=True)
class Maker:
    """A provider's model, in what role it worked on accepted conversations, and on how many."""

    provider: str
    model: str
    role: ModelRole
    conversations: int


@dataclass(frozen=True, slots=True)
class RunStats:
    """What the state database tells about the accepted conversations.

    Attributes:
        accepted: How many there are.
        foreign: Conversations at the beginning of the file of which the state database does not know what they are:
            they were there before the run, or the file was changed by another hand.
        abilities: By ability, all of them.
        users: Different users.
        conversations_of_user: Conversations of each of them.
        timeline_length: Conversations of each timeline that has any.
        topics: Different topics.
        most_frequent_topics: Topics, and how often each was drawn.
        moods: Different moods.
        styles: Different ways of building a message.
        first_day: The day of the earliest conversation, as an ISO date; empty where there is none.
        last_day: That of the latest.
        makers: The models that made them.
        verdicts: How the finished conversations were judged.
    """

    accepted: int
    foreign: int
    abilities: tuple[AbilityShare, ...]
    users: int
    conversations_of_user: Distribution
    timeline_length: Distribution
    topics: int
    most_frequent_topics: tuple[tuple[str, int], ...]
    moods: int
    styles: int
    first_day: str
    last_day: str
    makers: tuple[Maker, ...]
    verdicts: tuple[VerdictCount, ...]


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
        run, why_no_run = read_only(state_path(path), lambda connection: _read_run(connection, path, mix)), ""
    except StorageError as error:
        run, why_no_run = None, str(error)
        if not state_path(path).exists():
            why_no_run = f"there is no state database {state_path(path)}"
    return DatasetStats(path, file, run, why_no_run)


def _read_file(path: Path) -> FileStats:
    tally = Tally()
    for part in map_chunks(path, _tally_chunk):
        tally.add(part)
    return _file_stats(tally)


# Counting in chunks of the file.


@dataclass(slots=True)
class _Part:
    """What is counted of the messages of one kind: user messages, or replies.

    Attributes:
        lengths: How many have so many words.
        openings: How many begin with these words.
        sample: Texts with their rank; those with the lowest ranks are the sample.
    """

    lengths: Counter[int] = field(default_factory=Counter)
    openings: Counter[str] = field(default_factory=Counter)
    sample: list[tuple[int, str]] = field(default_factory=list)

    def count(self, text: str, number: int, index: int) -> None:
        """Count a text: the one with this index in the conversation with this number."""
        said = words(text)
        self.lengths[len(said)] += 1
        if not said:
            return
        self.openings[" ".join(said[:_OPENING_WORDS])] += 1
        rank = _rank(number, index)
        if rank * number < _LARGEST_RANK_IN_SAMPLE:
            self.sample.append((rank, text[:_LONGEST_SAMPLED_TEXT]))

    def add(self, other: _Part) -> None:
        """Count what another one has counted."""
        self.lengths.update(other.lengths)
        self.openings.update(other.openings)
        self.sample += other.sample
        if len(self.sample) > 2 * _MOST_SAMPLED:
            self.sample = sorted(self.sample)[:_MOST_SAMPLED]

    def texts(self) -> list[str]:
        """Return the texts of the sample; the first so many of them come from all over the file, however many."""
        return [text for _, text in sorted(self.sample)[:_MOST_SAMPLED]]


# A message's rank is a hash of its place, so that those with the lowest ranks come from all over the file, in whatever
# rhythm it repeats itself. Of n messages, about r * n have a rank below r (from 0 to 1). With twice as many as needed
# before it, a message is not in the sample, and its text need not leave the process.
_RANKS = 2**64
_LARGEST_RANK_IN_SAMPLE = 2 * _MOST_SAMPLED * _RANKS


def _rank(number: int, index: int) -> int:
    return int.from_bytes(blake2b(f"{number} {index}".encode(), digest_size=8).digest(), "little")


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
    thinking_lengths: Counter[int] = field(default_factory=Counter)
    questions: _Part = field(default_factory=_Part)
    replies: _Part = field(default_factory=_Part)

    def add(self, other: Tally) -> None:
        """Count what another one has counted."""
        self.conversations += other.conversations
        self.others += other.others
        self.messages.update(other.messages)
        self.calls.update(other.calls)
        self.errors.update(other.errors)
        self.with_calls += other.with_calls
        self.with_errors += other.with_errors
        self.thinking_lengths.update(other.thinking_lengths)
        self.questions.add(other.questions)
        self.replies.add(other.replies)

    def count(self, messages: Iterable[Message], number: int) -> None:
        """Count a conversation; `number` is its number in the file, from 1."""
        self.conversations += 1
        questions: list[str] = []
        replies: list[list[str]] = []
        called: list[str] = []
        names: list[str] = []
        errors: list[str] = []
        for message in messages:
            self.messages[message.role] += 1
            if message.role == "user":
                questions.append(message.content)
                replies.append([])
            elif message.role == "assistant":
                thinking, reply, called = _read_answer(message.content)
                if thinking:
                    self.thinking_lengths[len(words(thinking))] += 1
                if reply and replies:
                    replies[-1].append(reply)
                names += called
            elif message.role == "tool" and '"error"' in message.content:
                failures = [failed for _, failed in read_results(message.content)]
                errors += [name for name, failed in zip(called, failures, strict=False) if failed]
        self.calls.update(names)
        self.errors.update(errors)
        self.with_calls += bool(names)
        self.with_errors += bool(errors)
        for index, question in enumerate(questions):
            self.questions.count(question, number, index)
        for index, parts in enumerate(replies):
            if parts:
                self.replies.count("\n\n".join(parts), number, index)


def _read_answer(content: str) -> tuple[str, str, list[str]]:
    """Return Ada's thinking, her reply and the names of the tools that she calls."""
    usual = _USUAL_ANSWER.fullmatch(content) if len(content) <= _LONGEST_USUAL_ANSWER else None
    if usual:
        names = _NAME.findall(usual[3])
        if not any(map(keyword.iskeyword, names)):
            return usual[1].strip(), usual[2].strip(), names
    answer = parse_answer(content)
    names = [call.name if isinstance(call, ToolCall) else _UNREADABLE for call in answer.calls]
    return answer.thinking, answer.reply, names


def read_results(content: str) -> Iterator[tuple[Any, bool]]:
    """Yield each result in a `tool` message: its JSON value, and whether it is an error.

    One that is no JSON has itself, as a text, for its value.
    """
    for text in _RESULT_TEXT.findall(content):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = text
        yield value, isinstance(value, dict) and "error" in value


def _tally_chunk(first: int, elements: list[bytes]) -> Tally:
    tally = Tally()
    for number, element in enumerate(elements, start=first):
        messages = messages_of(element)
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
        thinking_words=Distribution.of(tally.thinking_lengths),
        questions=_diversity(tally.questions),
        replies=_diversity(tally.replies),
    )


def _diversity(part: _Part) -> Diversity:
    texts = part.texts()
    said = [words(text) for text in texts]
    nearest = _nearest_similarities([shingles(text) for text in texts[:_MOST_COMPARED]])
    sample = "\n".join(texts).encode("utf-8", "replace")[:_MOST_COMPRESSED_BYTES]
    return Diversity(
        distinct={size: _distinct(said, size) for size in NGRAM_SIZES},
        compared=len(nearest),
        nearest_mean=sum(nearest) / len(nearest) if nearest else 0.0,
        nearest_above_half=sum(share > NEARLY_THE_SAME for share in nearest) / len(nearest) if nearest else 0.0,
        begun=sum(part.openings.values()),
        openings=len(part.openings),
        most_frequent=_most_frequent(part.openings),
        compressed_bytes=len(sample),
        compression_ratio=len(sample) / len(zlib.compress(sample, _COMPRESSION_LEVEL)) if sample else 0.0,
    )


def _distinct(texts: Iterable[Sequence[str]], size: int) -> Distinct:
    """Count the different n-grams among the first 20,000; an n-gram does not reach from one text into the next."""
    seen: set[tuple[str, ...]] = set()
    counted = 0
    for said in texts:
        for ngram in zip(*(said[start:] for start in range(size)), strict=False):
            seen.add(ngram)
            counted += 1
            if counted == NGRAMS_COUNTED:
                return Distinct(len(seen), counted)
    return Distinct(len(seen), counted)


def _nearest_similarities(texts: Sequence[frozenset[tuple[str, ...]]]) -> list[float]:
    """Return the Jaccard similarity of each set of trigrams to the most similar other one."""
    nearest = [0.0] * len(texts)
    holders: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, trigrams in enumerate(texts):
        common: Counter[int] = Counter()
        for trigram in trigrams:
            common.update(holders[trigram])
            holders[trigram].append(index)
        for other, shared in common.items():
            similarity = shared / (len(trigrams) + len(texts[other]) - shared)
            nearest[index] = max(nearest[index], similarity)
            nearest[other] = max(nearest[other], similarity)
    return nearest


def _most_frequent(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    """Return the most frequent texts; equally frequent ones in alphabetical order, whatever order they came in."""
    least = min((times for _, times in counts.most_common(_MOST_FREQUENT)), default=0)
    candidates = [(text, times) for text, times in counts.items() if times >= least]
    return tuple(sorted(candidates, key=lambda item: (-item[1], item[0]))[:_MOST_FREQUENT])


# Asking the state database.

# One parse of each plan, and only what is counted leaves SQLite.
_PLANS = """
    SELECT json_extract(plan, '$.scenario.ability', '$.scenario.topic', '$.scenario.mood', '$.scenario.style', '$.at')
    FROM conversations WHERE id IN (SELECT conversation_id FROM samples)
"""
_TIMELINES = "SELECT json_extract(story, '$.user'), conversations FROM timelines WHERE conversations > 0"
_ROLES = " ".join(f"WHEN '{step.value}' THEN '{step.model_role.value}'" for step in Step)
_MAKERS = f"""
    SELECT provider, model, CASE kind {_ROLES} END, count(DISTINCT conversation_id) FROM steps
    WHERE provider IS NOT NULL AND conversation_id IN (SELECT conversation_id FROM samples)
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""  # noqa: S608 - of constants


def _read_run(connection: sqlite3.Connection, path: Path, mix: Mapping[Ability, float]) -> RunStats:
    output_name, foreign = connection.execute("SELECT output_name, base_count FROM run").fetchone()
    if output_name != path.name and path.with_name(output_name).exists():
        raise StorageError(f"{state_path(path)} belongs to {path.with_name(output_name)}")
    (accepted,) = connection.execute("SELECT count(*) FROM samples").fetchone()
    abilities, topics, moods, styles, days = _count_plans(connection)
    users: Counter[str] = Counter()
    lengths: Counter[int] = Counter()
    for user, conversations in connection.execute(_TIMELINES):
        lengths[conversations] += 1
        if user is not None:  # else an older version began it
            users[user] += conversations
    return RunStats(
        accepted=accepted,
        foreign=foreign,
        abilities=_ability_shares(abilities, mix),
        users=len(users),
        conversations_of_user=Distribution.of(Counter(users.values())),
        timeline_length=Distribution.of(lengths),
        topics=len(topics),
        most_frequent_topics=_most_frequent(topics),
        moods=len(moods),
        styles=len(styles),
        first_day=min(days, default=""),
        last_day=max(days, default=""),
        makers=tuple(_makers(connection)),
        verdicts=read_verdicts(connection),
    )


def _count_plans(connection: sqlite3.Connection) -> tuple[Counter[str], ...]:
    """Return how often each ability, topic, mood, style and day was planned."""
    counts: tuple[Counter[str], ...] = tuple(Counter() for _ in range(5))
    for (values,) in connection.execute(_PLANS):
        *texts, at = json.loads(values)
        for counter, text in zip(counts, (*texts, at and at[:10]), strict=True):
            if text is not None:  # else the plan is an older version's
                counter[text] += 1
    return counts


def _ability_shares(counts: Mapping[str, int], mix: Mapping[Ability, float]) -> tuple[AbilityShare, ...]:
    whole, wished = sum(counts.values()), math.fsum(mix.values())
    return tuple(
        AbilityShare(
            ability,
            counts.get(ability.value, 0),
            100 * counts.get(ability.value, 0) / whole if whole else 0.0,
            100 * mix.get(ability, 0) / wished,
        )
        for ability in Ability
    )


def _makers(connection: sqlite3.Connection) -> Iterator[Maker]:
    for provider, model, role, conversations in connection.execute(_MAKERS):
        yield Maker(provider, model, ModelRole(role), conversations)
