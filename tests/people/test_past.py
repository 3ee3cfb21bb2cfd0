"""What a timeline begins with is what the story says of it, and older than the first conversation."""

from __future__ import annotations

import datetime
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.notebook import Note, Notes
from apep_datagen.core.words import holds
from apep_datagen.people.cast import load_cast
from apep_datagen.people.drawing import draw_user, generator
from apep_datagen.people.past import Past, draw_past
from apep_datagen.people.story import notes_that_hold

CAST = load_cast()
DAY = "2026-03-04"
seeds = st.integers(0, 2**32)


def past_of(seed: int, day: str = DAY) -> Past:
    user = draw_user(CAST, generator(seed, "user"))
    return draw_past(CAST, generator(seed, "past"), user, day)


def notes_of(past: Past) -> Notes:
    memory = [note for note in past.notes if note.shelf == "memory"]
    diary = [note for note in past.notes if note.shelf == "diary"]
    return Notes(*(tuple(Note(n, one.date, one.text) for n, one in enumerate(on, start=1)) for on in (memory, diary)))


@given(seeds)
def test_notes_are_older_than_the_first_conversation_and_in_order(seed: int) -> None:
    past = past_of(seed)
    dates = [note.date for note in past.notes]
    assert dates == sorted(dates)
    assert all(date < DAY for date in dates)
    assert past.story.began == (dates[0] if dates else "")


@given(seeds)
def test_there_are_up_to_60_notes_and_12_pages(seed: int) -> None:
    shelves = Counter(note.shelf for note in past_of(seed).notes)
    assert shelves["memory"] <= 60
    assert shelves["diary"] <= 12
    assert shelves["memory"] >= 6 or not shelves.total()


@given(seeds)
def test_what_the_story_knows_stands_in_a_note_and_in_no_other(seed: int) -> None:
    past = past_of(seed)
    notes = notes_of(past)
    for item in past.story.known:
        if item.fact.shelf == "memory":
            assert len(notes_that_hold(item.fact, notes)) == item.notes, item
        else:
            assert notes_that_hold(item.fact, notes), item
        for earlier in item.earlier:
            assert notes_that_hold(earlier, notes), earlier
    for near in past.story.near:
        assert len(notes_that_hold(near.fact, notes)) == 1, near
    for twins in past.story.twins:
        for fact in (twins.first, twins.second):
            (note,) = notes_that_hold(fact, notes)
            assert holds(note.text, (fact.which,))


@given(seeds)
def test_what_shares_a_note_is_in_one_note_with_the_other(seed: int) -> None:
    past = past_of(seed)
    known = {item.fact.slot: item.fact for item in past.story.known}
    for item in past.story.known:
        if item.shared_with in known:
            (note,) = notes_that_hold(item.fact, notes_of(past))
            assert holds(note.text, known[item.shared_with].forms)


@given(seeds)
def test_nothing_is_left_to_be_filled_in(seed: int) -> None:
    for note in past_of(seed).notes:
        assert not set(note.text) & set("{}"), note
        assert note.text == note.text.strip()
        assert not note.text[:1].islower(), note


@given(seeds)
def test_the_newest_state_is_the_youngest_note(seed: int) -> None:
    past = past_of(seed)
    dates = {note.text: note.date for note in past.notes}
    for item in past.story.known:
        if item.earlier and item.notes == 1:
            (newest,) = notes_that_hold(item.fact, notes_of(past))
            older = [note for fact in item.earlier for note in notes_that_hold(fact, notes_of(past))]
            assert all(dates[note.text] <= dates[newest.text] for note in older)


def test_a_share_begins_empty_and_memories_of_any_size_come() -> None:
    sizes = [sum(note.shelf == "memory" for note in past_of(seed).notes) for seed in range(600)]
    assert 0.08 < sizes.count(0) / 600 < 0.17
    for least, most in ((6, 8), (9, 14), (15, 28), (29, 44), (45, 60)):
        assert sum(least <= size <= most for size in sizes) > 600 * 0.04, (least, most)


def test_where_there_is_something_there_is_something_to_ask_and_something_like_it() -> None:
    for seed in range(300):
        story = past_of(seed).story
        known = {item.fact.slot for item in story.known if item.fact.shelf == "memory"}
        if story.began:
            assert known
            assert any(near.slot in known for near in story.near)
            assert any(near.slot not in known for near in story.near), seed


@given(seeds)
def test_the_same_seed_gives_the_same(seed: int) -> None:
    assert past_of(seed) == past_of(seed)


@pytest.mark.parametrize("day", ["2025-01-01", "2026-12-31"])
def test_a_date_that_is_over_is_not_known_any_more(day: str) -> None:
    expiring = {slot.slot for slot in CAST.slots.values() if slot.expires}
    assert expiring
    for seed in range(300):
        for item in past_of(seed, day).story.known:
            if item.fact.slot in expiring:
                told = datetime.date.fromisoformat(item.told_on)
                assert (datetime.date.fromisoformat(day) - told).days <= 200
