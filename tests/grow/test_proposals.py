"""Whatever a model answers is read: each whole table and topic is found, and what is none is refused in a sentence."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.grow.proposals import Refused, Topic, read_proposals
from apep_datagen.people.world import Moment, Slot
from support.proposals import kind, moment, proposed


def test_tables_and_topics_are_found_in_fences_in_prose_and_behind_thoughts() -> None:
    tables: list[Slot | Moment] = [kind(), moment(), kind(slot="other")]
    answer = proposed(*tables, topics=('a "good" kiln', "rain, tents"))
    wanted = [Topic("topics", 'a "good" kiln'), Topic("topics", "rain, tents"), kind(), kind(slot="other"), moment()]
    assert list(read_proposals(answer)) == wanted
    assert list(read_proposals(answer.replace("\n", "\r\n"))) == wanted
    bare = answer.partition("```toml\n")[2].partition("```")[0]
    assert list(read_proposals(bare)) == wanted
    assert list(read_proposals(f"<think>Perhaps [[facts]]\nslot = 3</think>\n{answer}")) == wanted
    halves = answer.replace("[[moments]]", "```\nAnd moments:\n```\n[[moments]]")
    assert list(read_proposals(halves)) == wanted


def test_topics_of_all_lists_on_one_line_or_on_many_are_found() -> None:
    answer = """topics = ["one kiln", 'two kilns']
smalltalk_topics = [
  "the moon, rings",   # a comment
  "bad escape \\q",
  "socks [left]",
]
advice_topics = ["stains",
"""
    assert [(topic.key, topic.text) for topic in read_proposals(answer) if isinstance(topic, Topic)] == [
        ("topics", "one kiln"),
        ("topics", "two kilns"),
        ("smalltalk_topics", "the moon, rings"),
        ("smalltalk_topics", "socks [left]"),
        ("advice_topics", "stains"),
    ]


def test_what_is_no_table_of_these_is_refused_with_what_is_wrong() -> None:
    answer = """
[[facts]]
slot = "one"
tell = "it is {value}
[[facts]]
slot = "two"
tell = "it is {value}"
[[facts]]
slot = "three"
tell = "it is"
ask = "what it is"
cues = ["it"]
values = ["Rohde", "Skutt"]
[[facts]]
slot = "four"
colour = "red"
[[trifles]]
text = "Once."
[moments]
slot = "five"
"""
    found = list(read_proposals(answer))
    assert all(isinstance(each, Refused) for each in found)
    told = {each.name: each.reason for each in found if isinstance(each, Refused)}
    assert list(told) == ["one", "two", "three", "four", "table 5", "five"]
    assert told["one"].startswith("no valid TOML: ")
    assert told["two"] == "ask: Field required"
    assert told["three"].startswith("three: tell must contain {value}")
    assert "there is no such key" in told["four"] or "Field required" in told["four"]
    assert told["table 5"] == told["five"] == "it is neither [[facts]] nor [[moments]]"


def test_an_answer_without_proposals_has_none() -> None:
    for answer in ("", "I cannot help with that.", "```toml\n```", "topics = []", '{"topics": ["a", "b"]}'):
        assert list(read_proposals(answer)) == []


@given(st.integers(0, 5000))
def test_of_an_answer_that_is_cut_off_anywhere_each_whole_table_is_read(end: int) -> None:
    tables = [kind(slot="first"), kind(slot="second"), kind(slot="third")]
    answer = proposed(*tables)
    found = list(read_proposals(answer[:end]))
    whole = [table for table in tables if answer.find(f'"{table.slot}"') < 0 or _end_of(answer, table) <= end]
    assert [each for each in found if isinstance(each, Slot)][: len(whole)] == whole
    assert len(found) <= len(whole) + 1


def _end_of(answer: str, table: Slot) -> int:
    following = answer.find("[[", answer.index(f'"{table.slot}"'))
    return following if following >= 0 else answer.index("```\n\nI hope")


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    list(read_proposals(text))


pieces = st.sampled_from(
    [
        "[[facts]]",
        "[[moments]]",
        "slot = ",
        '"',
        "'''",
        '"""',
        "topics = [",
        "]",
        "```",
        "\n",
        "<think>",
        "{value}",
        ",",
        "\\",
    ]
)


@given(st.lists(pieces, max_size=40).map("".join))
def test_any_text_of_pieces_of_toml_is_read_without_an_error(text: str) -> None:
    for each in read_proposals(text):
        assert isinstance(each, Slot | Moment | Topic | Refused)
