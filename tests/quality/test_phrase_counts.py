"""Counts of phrases are never too low, hardly too high, and of one size."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.quality.phrase_counts import PhraseCounts
from apep_datagen.storage.schema import migrate

CONVERSATIONS = st.lists(st.sets(st.text("abc ", max_size=4), max_size=6), max_size=12)


@given(CONVERSATIONS)
def test_a_phrase_is_found_in_as_many_conversations_as_have_it(conversations: list[set[str]]) -> None:
    counts = PhraseCounts()
    for phrases in conversations:
        counts.add(phrases)
        counts = PhraseCounts(counts.stored())
    for phrase in set().union(*conversations):
        have = sum(phrase in phrases for phrases in conversations)
        assert have <= counts.times(phrase) <= len(conversations)


def test_others_add_little_however_many_there_are() -> None:
    counts = PhraseCounts()
    for number in range(2_000):
        counts.add({f"phrase {number} {place}" for place in range(94)})
        if number % 10 == 0:
            counts.add({"nothing to keep here"})
    assert 200 <= counts.times("nothing to keep here") <= 240
    unknown = [counts.times(f"unknown {number}") for number in range(1_000)]
    assert max(unknown) < 50
    assert sum(unknown) / len(unknown) < 0.0125 * 2_000
    assert len(counts.stored()) == len(PhraseCounts().stored()) == 65_536


def test_counts_are_the_same_on_every_machine() -> None:
    counts = PhraseCounts()
    counts.add({"there is nothing to", "is nothing to keep"})
    places = [place for place, byte in enumerate(counts.stored()) if byte]
    assert places == [24792, 24876, 48336, 56524]


def test_something_else_is_refused() -> None:
    """Also by the table in which they are kept, whoever writes to it."""
    with pytest.raises(ValueError, match="counts of phrases are 65536 bytes, and there are 3"):
        PhraseCounts(b"abc")
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, seed=1, output_name="x", base_count=0, base_end=1)
    insert = "INSERT INTO phrases (id, counts) VALUES (1, ?)"
    for value in (None, 7, b"abc", "a" * 65_536):
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(insert, (value,))
    connection.execute(insert, (PhraseCounts().stored(),))
