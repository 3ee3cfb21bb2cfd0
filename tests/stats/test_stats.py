"""`stats`: what a dataset contains. Small files are counted by hand; measures have to tell what they say they do."""

from __future__ import annotations

import datetime
import itertools
import json
import math
import random
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.config.settings import DEFAULT_MIX, ScenariosSettings
from apep_datagen.core.errors import StorageError
from apep_datagen.core.messages import Message
from apep_datagen.language.quotation import own_words
from apep_datagen.people.scenario import Ability
from apep_datagen.quality.novelty import similarity, trigrams
from apep_datagen.stats.dataset import DatasetStats, FileStats, Tally, _file_stats, read_stats
from apep_datagen.stats.distribution import Distribution
from apep_datagen.stats.diversity import NGRAMS_COUNTED, Frequent, Texts, _distinct, _nearest_similarities, _rank
from apep_datagen.stats.report import describe_stats, stats_as_json
from apep_datagen.stats.run import RunStats
from support.loopback_server import LoopbackServer
from support.program import Program, section

SYSTEM = ("system", "You are Ada.")
Exchange = tuple[str, str]


def write(path: Path, conversations: Iterable[Sequence[tuple[str, str]]]) -> Path:
    lines = [
        json.dumps({"conversations": [{"role": role, "content": content} for role, content in messages]})
        for messages in conversations
    ]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    return path


def conversation(question: str, reply: str) -> list[tuple[str, str]]:
    return [SYSTEM, ("user", question), ("assistant", f"<think>Hm.</think>\n\n{reply}")]


def stats_of(path: Path) -> DatasetStats:
    return read_stats(path, DEFAULT_MIX)


def file_of(path: Path, pairs: Iterable[Exchange]) -> FileStats:
    return stats_of(write(path, [conversation(question, reply) for question, reply in pairs])).file


TWO_CALLS = """<tool_call>add_memory(input_text=["A dog"])</tool_call>
<tool_call>delete_memory(indices=[7])</tool_call>"""
CALLING = [
    SYSTEM,
    ("user", "My dog is called Bello, and my cat Mia."),  # 9 words
    ("assistant", f"<think>I keep that.</think>\n\nOne moment!\n\n{TWO_CALLS}"),
    ("tool", '<tool_result>{"added": 1, "indices": [1]}</tool_result>\n<tool_result>{"error": "none"}</tool_result>'),
    ("assistant", "<think>Now I answer.</think>\n\nHow sweet they are."),  # 2 + 4 words in the reply
    ("user", "Don't they?"),  # 2 words
    ("assistant", "<think>Yes.</think>\n\n<tool_call>add_memory(</tool_call>"),
    ("tool", '<tool_result>{"error": "the call cannot be read"}</tool_result>'),
    ("assistant", "<think>Never mind that at all.</think>\n\nThey do."),
]


def test_everything_in_a_small_file_is_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", [CALLING, conversation("Good morning, Ada!", "Good morning.")])
    stats = stats_of(path)
    file = stats.file
    assert (file.conversations, file.exchanges, file.others) == (2, 3, 0)
    assert file.messages == {"system": 2, "user": 3, "assistant": 5, "tool": 2}
    assert file.calls == {"add_memory": 1, "delete_memory": 1, "(not understood)": 1}
    assert file.errors == {"delete_memory": 1, "(not understood)": 1}
    assert (file.with_calls, file.with_errors) == (1, 1)
    # 9, 2 and 3 words; 6, 2 and 2; 3, 3, 1, 5 and 1.
    assert file.question_words == Distribution(3, 14 / 3, 3, 2, 9, 9)
    assert file.reply_words == Distribution(3, 10 / 3, 2, 2, 6, 6)
    assert file.thinking_words == Distribution(5, 13 / 5, 3, 1, 5, 5)
    begun = (("dont they", 1), ("good morning ada", 1), ("my dog is called bello", 1))
    assert file.questions.openings == Frequent(3, 3, begun)
    assert file.questions.first_words == Frequent(3, 3, (("dont", 1), ("good", 1), ("my", 1)))
    # Of the thoughts, those at what the user said stand apart: "Hm.", "I keep that." and "Yes."
    assert file.first_thoughts.openings == Frequent(3, 3, (("hm", 1), ("i keep that", 1), ("yes", 1)))
    assert file.later_thoughts.first_words == Frequent(2, 2, (("never", 1), ("now", 1)))
    # Of the 14 words, `my` comes twice.
    distinct = file.questions.distinct
    assert [(distinct[n].distinct, distinct[n].counted) for n in (1, 2, 3)] == [(13, 14), (11, 11), (8, 8)]
    assert file.questions.compared == 3
    assert file.questions.nearest_mean == 0
    assert stats.run is None
    assert stats.why_no_run == f"there is no state database {tmp_path / 'a.state.db'}"
    text = describe_stats(stats)
    assert f"2 conversations with 3 exchanges are in {path}" in text
    assert "50.0 % of the conversations use a tool, 50.0 % meet an error of one:" in text
    assert "Not known: abilities, users" in text


def test_percentiles_are_values_that_occur() -> None:
    assert Distribution.of(dict.fromkeys(range(1, 101), 1)) == Distribution(100, 50.5, 50, 5, 95, 100)
    assert Distribution.of({10: 1, 20: 8, 99: 1}) == Distribution(10, 26.9, 20, 10, 99, 99)
    assert Distribution.of({}) == Distribution(0, 0.0, 0, 0, 0, 0)


@given(st.dictionaries(st.integers(0, 50), st.integers(1, 5), min_size=1))
def test_a_distribution_says_of_a_histogram_what_it_says_of_its_values(histogram: dict[int, int]) -> None:
    values = sorted(itertools.chain.from_iterable([value] * times for value, times in histogram.items()))
    found = Distribution.of(histogram)
    assert found.count == len(values)
    assert found.mean == pytest.approx(sum(values) / len(values))
    for share, value in ((0.05, found.p05), (0.5, found.median), (0.95, found.p95), (1.0, found.largest)):
        assert sum(other <= value for other in values) >= share * len(values)
        assert sum(other < value for other in values) < share * len(values)


# What is said about diversity.


class Writer:
    """Writes sentences of words that are as unequally frequent as those of a language (Zipf's law)."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a test's draw
        self._words = [f"w{rank}" for rank in range(5_000)]
        self._weights = list(itertools.accumulate(1 / rank for rank in range(1, 5_001)))

    def pairs(self, count: int) -> list[Exchange]:
        return [(self._text(20), self._text(40)) for _ in range(count)]

    def _text(self, length: int) -> str:
        return " ".join(self._random.choices(self._words, cum_weights=self._weights, k=length))


def shares(file: FileStats, kind: str = "questions") -> list[float]:
    return [distinct.share for distinct in getattr(file, kind).distinct.values()]


def test_nearly_identical_conversations_are_told_from_varied_ones(tmp_path: Path) -> None:
    varied = file_of(tmp_path / "varied.json", Writer(1).pairs(400))
    question, reply = Writer(2).pairs(1)[0]
    alike = [(f"{question} {number}", f"{reply} {number}") for number in range(400)]
    identical = file_of(tmp_path / "alike.json", alike)
    for kind in ("questions", "replies"):
        one, other = getattr(varied, kind), getattr(identical, kind)
        assert all(low < high / 3 for low, high in zip(shares(identical, kind), shares(varied, kind), strict=True))
        assert (one.nearest_mean, one.nearest_above_half) == (pytest.approx(0, abs=0.1), 0)
        assert other.nearest_mean > 0.85
        assert other.nearest_above_half == 1
        assert other.compression_ratio > 5 * one.compression_ratio
        assert (one.openings.distinct, other.openings.distinct) == (400, 1)
        assert other.openings.most_frequent[0][1] == other.openings.messages == 400


def test_distinct_ngrams_do_not_depend_on_how_long_a_file_is(tmp_path: Path) -> None:
    """Twice and four times as much of the same kind of text has the same shares; the plain measure would fall."""
    pairs = Writer(3).pairs(5_000)
    files = [file_of(tmp_path / f"{count}.json", pairs[:count]) for count in (1_250, 2_500, 5_000)]
    for file in files:
        assert {file.questions.distinct[size].counted for size in (1, 2, 3)} == {NGRAMS_COUNTED}
        assert shares(file) == pytest.approx(shares(files[0]), abs=0.01)
        assert shares(file, "replies") == pytest.approx(shares(files[0], "replies"), abs=0.01)
    every = [question.split() for question, _ in pairs]
    plain = [len({word for said in every[:count] for word in said}) / (20 * count) for count in (1_250, 5_000)]
    assert plain[1] < 0.5 * plain[0]


def test_what_is_repeated_later_in_the_file_counts_too(tmp_path: Path) -> None:
    pairs = Writer(4).pairs(2_500)
    once = file_of(tmp_path / "once.json", pairs)
    twice = file_of(tmp_path / "twice.json", pairs[:1250] * 2)
    assert shares(twice)[2] < 0.85 * shares(once)[2]
    assert once.questions.nearest_above_half == 0
    assert twice.questions.nearest_above_half > 0.25  # both are among 1,000 of 2,500 seldom, but they are


def test_text_of_few_words_says_of_how_many_ngrams_its_shares_are(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", [conversation("one two one", "Hello you."), conversation("🙂", "Hello you.")])
    found = stats_as_json(stats_of(path))["diversity"]
    assert found["user_messages"]["distinct_ngrams"]["1"] == {"distinct": 2, "counted": 3, "share": 2 / 3}
    assert found["user_messages"]["distinct_ngrams"]["3"] == {"distinct": 1, "counted": 1, "share": 1.0}
    assert found["user_messages"]["openings"]["messages"] == 1  # the other has no word
    assert found["replies"]["openings"]["most_frequent"] == [{"opening": "hello you", "count": 2, "share": 1.0}]
    assert found["replies"]["nearest"] == {"compared": 2, "mean_similarity": 1.0, "share_above_half": 1.0}


@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=8).map(" ".join), max_size=8))
def test_the_nearest_neighbour_is_the_one_that_comparing_all_finds(texts: list[str]) -> None:
    own = [own_words(text) for text in texts]
    found = _nearest_similarities([trigrams(text) for text in own])
    for index, text in enumerate(own):
        others = [similarity(text, other) for place, other in enumerate(own) if place != index]
        assert found[index] == pytest.approx(max(others, default=0.0))


PAGE = "The user told me that the lighthouse keeper waved with a striped towel until the ferry was behind the island."


def telling(reply: str, thought: str = "Here.") -> list[tuple[str, str]]:
    """Return a conversation in which the page is looked up, and told in the reply."""
    result = json.dumps({"pages": [{"index": 1, "date": "2026-02-11", "text": PAGE}]})
    return [
        SYSTEM,
        ("user", "What does your page say?"),
        ("assistant", "<think>I look.</think>\n\n<tool_call>recall_diary()</tool_call>"),
        ("tool", f"<tool_result>{result}</tool_result>"),
        ("assistant", f"<think>{thought}</think>\n\n{reply}"),
    ]


def test_what_a_reply_quotes_is_left_out(tmp_path: Path) -> None:
    """As where novelty is judged: two that tell of the same page are not near each other."""
    told = "The lighthouse keeper waved with a striped towel until the ferry was behind the island."
    framings = (
        "Sit down by the stove then and I will read it out: {} Such a towel!",
        "got it here, thats how it goes: {} u ok?",
    )
    tellings = [telling(framing.format(told)) for framing in framings]
    recited = [conversation("What does your page say?", framing.format(told)) for framing in framings]
    found, whole = (stats_of(write(tmp_path / "a.json", part)).file for part in (tellings, recited))
    assert (found.replies.nearest_mean, found.replies.nearest_above_half) == (0, 0)
    assert whole.replies.nearest_mean > 0.3
    assert found.replies.distinct[1].counted == 26
    assert found.reply_words.mean == whole.reply_words.mean > 13, "how long a reply is, is told of all of it"
    assert found.replies.compression_ratio > 0
    assert found.replies.openings.distinct == 2
    begun_by_the_page = stats_of(write(tmp_path / "a.json", [telling(f"{told} Yes!")])).file
    assert begun_by_the_page.replies.openings == Frequent(0, 0, ())
    assert begun_by_the_page.replies.first_words == Frequent(0, 0, ())


def test_what_thoughts_have_most_often_is_shown(tmp_path: Path) -> None:
    later = ["Oh, there it is, and nothing else.", "There it is, and it is short.", "Ah, I see: there it is, and well."]
    pairs = [("Hello.", f"Well number {number}.") for number in range(5)]
    path = write(
        tmp_path / "a.json", [telling("Look.", text) for text in later] + [conversation(*pair) for pair in pairs]
    )
    stats = stats_of(path)
    first, after = stats.file.first_thoughts, stats.file.later_thoughts
    assert first.openings == Frequent(8, 2, (("hm", 5), ("i look", 3)))
    assert first.first_words == Frequent(8, 2, (("hm", 5), ("i", 3)))
    assert first.phrases == Frequent(0, 0, ())
    assert after.phrases.messages == 3
    assert after.phrases.most_frequent == (("there it is and", 3),)
    value = stats_as_json(stats)["diversity"]["later_thoughts"]
    assert value["phrases"]["most_frequent"] == [{"phrase": "there it is and", "count": 3, "share": 1.0}]
    assert value["first_words"]["most_frequent"][0] == {"word": "ah", "count": 1, "share": 1 / 3}
    text = describe_stats(stats)
    assert re.search(r"^hm +first thoughts +5 +62.5 %$", text, re.MULTILINE)
    assert re.search(r"^there it is and +later thoughts +3 +100.0 %$", text, re.MULTILINE)
    assert re.search(r"^share of the most frequent first word +0.625 +0.625 +0.625 +0.333$", text, re.MULTILINE)


def test_a_phrase_counts_once_for_each_message_and_reaches_across_no_quotation(tmp_path: Path) -> None:
    told = (
        "now the lighthouse keeper waved with a striped towel until the ferry was behind the island now then and there"
    )
    file = stats_of(write(tmp_path / "a.json", [telling(f"{told} now then and there"), telling(told)])).file
    assert file.replies.phrases.most_frequent == (("now then and there", 2),)
    assert file.replies.phrases.messages == 2


def test_ngrams_do_not_reach_from_one_message_into_the_next() -> None:
    assert _distinct([["a", "b"], ["c"], []], 2).counted == 1
    assert _distinct([["a"]] * (NGRAMS_COUNTED + 5), 1).counted == NGRAMS_COUNTED


def test_a_sample_comes_from_all_over_the_file() -> None:
    """Of 100,000 conversations, each tenth has about a tenth of the sample, and so has each weekday of a rhythm."""
    chosen = sorted(range(1, 100_001), key=lambda number: _rank(number, 0))[:5_000]
    for place in (lambda number: (number - 1) // 10_000, lambda number: number % 10):
        counts = Counter(map(place, chosen))
        assert all(400 < counts[tenth] < 600 for tenth in range(10))


def test_the_sample_is_of_5000_messages_however_many_there_are() -> None:
    part = Texts()
    for number in range(1, 20_001):
        part.count(f"text {number}", number, 0)
    chosen = sorted(range(1, 20_001), key=lambda number: _rank(number, 0))[:5_000]
    assert part.texts() == [f"text {number}" for number in chosen]
    assert len(part.sample) < 17_500  # most of the others need not leave a process
    merged = Texts()
    merged.count("the first message", 1, 0)
    merged.count("the second message of the same conversation", 1, 1)
    assert len({rank for rank, _ in merged.sample}) == 2
    for _ in range(3):
        merged.add(part)
        assert len(merged.sample) <= 10_000 + len(part.sample)


# Reading.


def test_a_file_that_is_read_by_several_processes_has_the_same_statistics(tmp_path: Path) -> None:
    pairs = Writer(5).pairs(1_500)
    path = write(tmp_path / "a.json", [conversation(*pair) for pair in pairs])
    tally = Tally()
    for number, pair in enumerate(pairs, start=1):
        tally.count([Message(role, content) for role, content in conversation(*pair)], number)  # type: ignore[arg-type]
    assert stats_of(path).file == _file_stats(tally)


def test_what_is_no_conversation_is_counted_apart(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", [conversation("Hello Ada", "Hello you")])
    path.write_text(path.read_text()[:-3] + ',\n{"conversations": []},\n7\n]\n')
    stats = stats_of(path)
    assert (stats.file.conversations, stats.file.others) == (1, 2)
    assert "2 other elements are no conversations, and not counted; apep-datagen verify" in describe_stats(stats)
    assert stats_as_json(stats)["not_conversations"] == 2


def test_an_empty_file_has_statistics_and_a_missing_or_torn_one_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("[\n]\n")
    stats = stats_of(path)
    assert stats.file.conversations == 0
    assert describe_stats(stats).startswith(f"0 conversations with 0 exchanges are in {path}")
    json.dumps(stats_as_json(stats))
    with pytest.raises(StorageError, match="there is no such file"):
        stats_of(tmp_path / "b.json")
    path.write_text('[\n{"conversations": [')
    with pytest.raises(StorageError, match="no JSON array"):
        stats_of(path)


# With the state database of a run.


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Eight conversations of two providers, on timelines of different lengths."""
    program = Program(tmp_path_factory.mktemp("run"))
    with LoopbackServer() as server:
        program.configure(
            "".join(section(name, server.url(name), max_in_flight=1) for name in ("one", "two"))
            + "[generation]\ntimeline_length = 3\n"
        )
        for target in ("3", "8"):  # the second invocation carries the timelines of the first on
            ended = program.run("--providers", "one,two", "--target", target, "--seed", "3")
            assert ended.status == 0, ended.said
    return program


def run_of(path: Path) -> RunStats:
    run = read_stats(path, ScenariosSettings(mix={Ability.SMALLTALK: 60, Ability.CONNECT: 0}).shares).run
    assert run is not None
    return run


def test_it_tells_what_a_run_made(program: Program) -> None:
    before = {path: path.read_bytes() for path in program.output.parent.iterdir()}
    run = run_of(program.output)
    assert (run.accepted, run.foreign) == (8, 0)
    planned = [json.loads(plan) for (plan,) in program.query("SELECT plan FROM conversations")]
    for item in run.abilities:
        assert item.count == sum(plan["scenario"]["ability"] == item.ability.value for plan in planned)
        assert item.percent == pytest.approx(100 * item.count / 8)
    wished = {item.ability: item.wished_percent for item in run.abilities}
    assert sum(wished.values()) == pytest.approx(100)
    whole = math.fsum((DEFAULT_MIX | {Ability.SMALLTALK: 60, Ability.CONNECT: 0}).values())
    assert wished[Ability.SMALLTALK] == pytest.approx(100 * 60 / whole)
    assert wished[Ability.CONNECT] == 0
    assert run.users == len({json.dumps(plan["user"]) for plan in planned})
    assert run.conversations_of_user.mean == pytest.approx(8 / run.users)
    lengths = [length for (length,) in program.query("SELECT count(*) FROM conversations GROUP BY timeline_id")]
    assert run.timeline_length.count == len(lengths) == run.conversations_of_user.count
    assert 2 <= run.timeline_length.largest == max(lengths) <= 3
    assert run.timeline_length.mean == pytest.approx(8 / len(lengths))
    for name, found in (("topic", run.topics), ("mood", run.moods), ("style", run.styles)):
        assert found == len({plan["scenario"][name] for plan in planned})
    assert sum(count for _, count in run.most_frequent_topics) <= 8
    days = sorted(plan["at"][:10] for plan in planned)
    assert (run.first_day, run.last_day) == (days[0], days[-1])
    by_role = {
        role: sum(maker.conversations for maker in run.makers if maker.role == role) for role in ("ada", "tester")
    }
    assert min(by_role.values()) >= 8
    assert {(maker.provider, maker.model) for maker in run.makers} <= {("one", "model-one"), ("two", "model-one")}
    assert sum(item.count for item in run.verdicts if not item.stage) == 8
    assert run.held_out.conversations == 0
    assert {path: path.read_bytes() for path in program.output.parent.iterdir()} == before


def test_it_says_so_in_words_and_as_json(program: Program) -> None:
    stats = stats_of(program.output)
    text, value = describe_stats(stats), stats_as_json(stats)
    assert text.startswith("8 conversations with 8 exchanges are in ")
    for words in ("8 conversations were accepted", "different users", "timelines with", "difference in points"):
        assert words in text
    assert "Accepted 8 of 8 conversations (100 %)" in text
    assert "Not known" not in text
    assert "Held out for evaluation: nothing of it was drawn" in text
    assert value["held_out"]["run"] == {"conversations": 0, "most_frequent": []}
    assert "-0.0" not in text
    assert json.loads(json.dumps(value)) == value
    assert value["conversations"] == value["run"]["accepted"] == value["run"]["quality"]["accepted"] == 8
    assert value["messages"]["user"] == value["exchanges"] == value["words"]["user_messages"]["count"] == 8
    assert value["tools"]["calls"]["add_memory"] == sum(
        content.count("<tool_call>")
        for messages in program.conversations()
        for content in [message["content"] for message in messages if message["role"] == "assistant"]
    )
    for item in value["run"]["abilities"]:
        assert item["difference"] == pytest.approx(item["percent"] - item["wished_percent"])
    datetime.date.fromisoformat(value["run"]["first_day"])
    assert value["why_no_run"] is None


def keys_of(value: Any) -> set[str]:
    """Return the keys of objects, also of those inside; not where keys are names of things that are counted."""
    if isinstance(value, list):
        return set().union(*map(keys_of, value))
    if not isinstance(value, dict):
        return set()
    # The keys of shortcuts and of reviews are documented where they are made.
    counted = ("messages", "calls", "errors", "distinct_ngrams", "quality", "by_provider", "shortcuts", "reviews")
    return set(value) | {key for name, item in value.items() if name not in counted for key in keys_of(item)}


def test_each_key_of_the_json_is_documented(program: Program) -> None:
    documented = stats_as_json.__doc__ or ""
    for key in keys_of(stats_as_json(stats_of(program.output))):
        assert f"`{key}`" in documented


def test_what_was_there_before_the_run_is_told(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.output.parent.mkdir(parents=True)
    write(program.output, [conversation("Hello Ada", "Hello you")] * 2)
    with LoopbackServer() as server:
        program.configure(section("one", server.url("one")))
        ended = program.run("--providers", "one", "--target", "3")
    assert ended.status == 0, ended.said
    stats = stats_of(program.output)
    assert stats.file.conversations == 3
    assert stats.run is not None
    assert (stats.run.accepted, stats.run.foreign) == (1, 2)
    assert "nothing more is known of 2 in the file" in describe_stats(stats)


def test_a_state_database_that_cannot_be_asked_leaves_the_rest(program: Program, tmp_path: Path) -> None:
    """One of another program, and one that belongs to another output of the same name."""
    path = write(tmp_path / "a.json", [conversation("Hello Ada", "Hello you")])
    other = tmp_path / "a.state.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE t (x)")
    connection.commit()
    connection.close()
    stats = stats_of(path)
    assert stats.run is None
    assert "a database of another program" in stats.why_no_run
    assert "1 conversations with 1 exchanges" in describe_stats(stats)
    sibling = program.output.with_suffix(".jsonl")
    write(sibling, [conversation("Hello Ada", "Hello you")])
    try:
        assert f"belongs to {program.output}" in stats_of(sibling).why_no_run
    finally:
        sibling.unlink()


def test_a_conversation_that_an_older_version_planned_is_counted_without_its_plan(program: Program) -> None:
    path = program.output.with_name("older.json")
    path.write_bytes(program.output.read_bytes())
    state = path.with_name("older.state.db")
    state.write_bytes(program.state.read_bytes())
    connection = sqlite3.connect(state)
    connection.execute("""UPDATE conversations SET plan = '{"date": "2025-01-01", "topic": "tea"}' WHERE id = 1""")
    connection.execute("UPDATE run SET output_name = 'older.json'")
    connection.execute("INSERT INTO timelines (id, story) VALUES (99, '{}')")  # without an accepted conversation
    connection.execute("UPDATE timelines SET story = NULL WHERE id = 1")
    connection.commit()
    connection.close()
    try:
        run = run_of(path)
    finally:
        path.unlink()
        state.unlink()
    assert run.accepted == 8
    assert sum(item.count for item in run.abilities) == 7
    assert run.timeline_length.count == run.users + 1
