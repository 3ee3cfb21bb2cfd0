"""Texts as words: what counts as the same word, and where a phrase is found."""

# ruff: noqa: RUF001 - texts stand here as people type them

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apep_datagen.core.words import holds, shingles, words

LETTERS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)
TEXTS = st.lists(LETTERS, min_size=1, max_size=12).map(" ".join)
# What people write in, with all that is difficult, and now and then anything at all.
ANYTHING = st.one_of(st.text("aäÉ '’.,-\n\u0301ßİはガｶﾞ東हिम", max_size=40), st.text(max_size=40))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("don't don’t! DONT don`t don´t donʼt", ["dont"] * 6),
        ("Café CAFE cafe\u0301", ["cafe"] * 3),
        ("Straße ﬁnd İstanbul", ["strasse", "find", "istanbul"]),
        ("a_b-c/d…e—f\tg\u200bh", list("abcdefgh")),
        ("3.5 km, 10:30, x²", ["3", "5", "km", "10", "30", "x2"]),
        ("co\u00adoperate, \ufeffnaïve", ["cooperate", "naive"]),
        ("❤️ 1️⃣ 👨‍👩‍👧 ok", ["1", "ok"]),
        ("half a word \ud800 gone", ["half", "a", "word", "gone"]),
        ("…", []),
        ("", []),
    ],
)
def test_words_have_no_case_no_accents_and_no_apostrophes(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("हिन्दी में किताब", ["हिन्दी", "में", "किताब"]),
        ("สวัสดี ครับ", ["สวัสดี", "ครับ"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("Привет, ёж", ["привет", "еж"]),
        ("ΟΔΟΣ οδός", ["οδοσ", "οδοσ"]),
        ("مُحَمَّد محمد", ["محمد", "محمد"]),
        ("שָׁלוֹם שלום", ["שלום", "שלום"]),
        ("東京へ行くｶﾞガ", ["東", "京", "へ", "行", "く", "ガ", "ガ"]),
    ],
)
def test_words_of_other_scripts_stay_whole(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(ANYTHING)
def test_words_are_their_own_words(text: str) -> None:
    said = words(text)
    assert all(said)
    assert words(" ".join(said)) == said


@given(st.text("abc dé'’,.", max_size=40))
def test_case_does_not_matter(text: str) -> None:
    assert words(text.upper()) == words(text.lower()) == words(text.title())


@given(ANYTHING, st.data())
def test_each_run_of_words_of_a_text_is_held(text: str, data: st.DataObject) -> None:
    said = words(text)
    assume(said)
    first = data.draw(st.integers(0, len(said) - 1))
    last = data.draw(st.integers(first + 1, len(said)))
    assert holds(text, [" ".join(said[first:last])])
    assert holds(text, ["not this", " ".join(said[first:last]), "nor this"])


@given(TEXTS, LETTERS)
def test_only_whole_words_are_held(text: str, form: str) -> None:
    assert holds(text, [form]) == (form in text.split())


@given(TEXTS, TEXTS)
def test_only_words_in_their_order_are_held(text: str, form: str) -> None:
    said, wanted = text.split(), form.split()
    runs = [said[start : start + len(wanted)] for start in range(len(said))]
    assert holds(text, [form]) == (wanted in runs)


@given(TEXTS, LETTERS, st.sampled_from(["'s", "’s", "'S", "ʼs"]), st.sampled_from(["", " bowl", ".", ", then"]))
def test_the_last_word_may_be_a_possessive(before: str, owner: str, ending: str, after: str) -> None:
    text = f"{before} {owner}{ending}{after}"
    assert holds(text, [owner])
    assert holds(text, [f"{before} {owner}"])
    assert holds(text, [f"{owner}'s"])


@pytest.mark.parametrize(
    ("text", "form", "is_held"),
    [
        ("Bellona is a moth", "Bello", False),
        ("bello!", "Bello", True),
        ("That is Bello’s bowl", "Bello", True),
        ("Two Bellos at once", "Bello", False),
        ("Bello's", "ello", False),
        ("Mia's dog's bone", "Mia's dog", True),
        ("Mia's dog's bone", "Mias dog", True),
        ("Mia's dog's bone", "Mia dog", False),
        ("Bello'sque", "Bello", False),
        ("Mr. Biscuit, of course", "Mr Biscuit", True),
        ("Mr. Old Biscuit", "Mr. Biscuit", False),
        ("the crème brûlée", "creme brulee", True),
        ("Dinner at O’Brien’s tonight", "O'Brien", True),
        ("I can’t do that", "I can't", True),
        ("東京へ行く", "東京", True),
        ("anything", "", False),
        ("anything", "…", False),
        ("", "anything", False),
    ],
)
def test_forms_are_found_as_people_write_them(text: str, form: str, *, is_held: bool) -> None:
    assert holds(text, (form,)) is is_held


def test_looking_for_a_form_takes_memory_in_proportion_to_the_text() -> None:
    """However many possessives there are: nothing is kept for each of them but its place."""
    text = "Tom's cat's basket's " * 1_500
    tracemalloc.start()
    try:
        assert holds(text, ("the basket", "toms cats basket"))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 100 * len(text)


def test_no_form_is_held_where_there_is_none() -> None:
    assert not holds("anything", ())


def test_forms_may_come_from_a_generator() -> None:
    assert holds("my dog Bello", (form for form in ["Rex", "Bello"]))


def test_shingles_are_the_runs_of_three_words() -> None:
    assert shingles("One, two; three four") == {("one", "two", "three"), ("two", "three", "four")}
    assert shingles("one two three", size=2) == {("one", "two"), ("two", "three")}


def test_a_short_text_is_one_shingle_and_an_empty_one_has_none() -> None:
    assert shingles("Ok, thanks") == {("ok", "thanks")}
    assert shingles("…") == frozenset()


@given(TEXTS, st.integers(1, 5))
def test_there_are_as_many_shingles_as_runs(text: str, size: int) -> None:
    said = text.split()
    found = shingles(text, size)
    assert len(found) <= max(1, len(said) - size + 1)
    assert {word for shingle in found for word in shingle} == set(said)


@pytest.mark.parametrize(
    ("text", "form", "is_held"),
    [
        ("The user flies home on 2027-05-03.", "3 May", True),
        ("from 1999-12-24 on", "24 December", True),
        ("before 2026-08-30's rain", "30 August", True),
        ("noted 2026-08-30", "2026-08-30", True),
        ("noted on 30 August 2026", "2026-08-30", True),
        ("noted 2026-08-30", "2026", True),
        ("2027-05-03", "5 March", False),
        ("2027-05-13", "3 May", False),
        ("2027-13-03", "3 May", False),
        ("part 2027-05-03-7", "3 May", False),
        ("at 05:03", "3 May", False),
    ],
)
def test_an_iso_date_is_the_day_in_words(text: str, form: str, is_held: bool) -> None:  # noqa: FBT001 - expected
    assert holds(text, (form,)) is is_held
