"""Habits of writing change how a message looks, and not what it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.words import words
from apep_datagen.people.cast import load_cast
from apep_datagen.people.drawing import generator
from apep_datagen.people.habits import as_typed

SENTENCES = (
    "I don't know.",
    "What's my dog's name?",
    "The kettle's on.",
    "Ó Briain's here!",
    "Wait...",
    "It is 7.",
)
WRITING = [entry for group in load_cast().users.writing for entry in group]
HABITS = [
    ("all lower case", "i don't know. it is 7."),
    ("leaves out apostrophes (dont, im)", "I dont know. It is 7."),
    ("no full stop at the end", "I don't know. It is 7"),
    ("three dots here and there", "I don't know... It is 7."),
    ("now and then a dash", "I don't know - it is 7."),
    ("sometimes two sentences run together", "I don't know, it is 7."),
    ("an exclamation mark when something matters", "I don't know. It is 7!"),
    ("all lower case; no full stop at the end; leaves out apostrophes (dont, im)", "i dont know. it is 7"),
]


@pytest.mark.parametrize(("writing", "typed"), HABITS)
def test_a_habit_shows_sometimes(writing: str, typed: str) -> None:
    assert typed in {as_typed(("I don't know.", "It is 7."), writing, generator(seed)) for seed in range(30)}


def test_an_emoji_comes_now_and_then() -> None:
    typed = [as_typed(("Fine.",), "an emoji now and then", generator(seed)) for seed in range(100)]
    assert 10 < sum(text != "Fine." for text in typed) < 60


def test_who_has_no_habit_that_is_known_writes_as_a_book_does() -> None:
    assert as_typed(SENTENCES, "like a book", generator(1)) == " ".join(SENTENCES)


@given(
    st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=5),
    st.lists(st.sampled_from(WRITING), max_size=3).map("; ".join),
    st.integers(),
)
def test_every_word_is_still_there(sentences: list[str], writing: str, seed: int) -> None:
    assert words(as_typed(sentences, writing, generator(seed))) == words(" ".join(sentences))
