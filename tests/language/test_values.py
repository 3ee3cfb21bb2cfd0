"""A value is recognised as a reader recognises it: inflected, written out, with a letter wrong; and no other is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.words import words
from apep_datagen.language.numbers import in_digits, names_line, spoken_times
from apep_datagen.language.values import is_told_by_any, saying, tells
from support.world import CAST, values_of


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("took the six eighty-six home", "686"),
        ("bus six hundred and eighty-six", "686"),
        ("locker three oh eight, as ever", "308"),
        ("my tablets at ten to five", "16:50"),
        ("at 4.50 pm", "16:50"),
        ("at half past six", "6:30"),
        ("a quarter to twelve", "23:45"),
        ("my Bellos bowl", "Bello"),
        ("w Gdańsku teraz", "Gdańsk"),
        ("a xylophne upstairs", "xylophone"),
        ("a xlyophone upstairs", "xylophone"),
        ("a house boat, imagine", "houseboat"),
        ("a camper-van", "camper van"),
        ("hazel nuts", "hazelnuts"),
        ("on January the 3rd", "January 3"),
        ("on the twenty-ninth of April", "29 April"),
        ("that lychee tree", "lychees"),
        ("two thunder storms", "thunderstorm"),
        ("Monday, in the morning", "Monday mornings"),
        ("BELLO’S bowl", "Bello"),  # noqa: RUF001
        ("they were learning upholstry", "upholstery"),
    ],
)
def test_a_value_is_recognised_in_other_words(text: str, form: str) -> None:
    assert tells(text, (form,))


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("bus 687", "686"),
        ("three eight", "308"),
        ("six, eight and six", "686"),
        ("Bellona barked", "Bello"),
        ("a recorder", "accordion"),
        ("the parking meter", "meteor"),
        ("I was making it", "mango"),
        ("at five to ten", "16:50"),
        ("a boat", "houseboat"),
        ("a dozen", "12"),
        ("in the morning", "Monday mornings"),
        ("", "Bello"),
        ("Bello", ""),
        ("the twenty-ninth of April", "20 April"),
        ("on 2 August", "2 May"),
    ],
)
def test_another_value_is_not(text: str, form: str) -> None:
    assert not tells(text, (form,))


def test_no_value_of_a_slot_is_taken_for_another_one_of_it() -> None:
    for slot in CAST.slots.values():
        values = values_of(slot)
        for forms in values:
            others = [other for other in values if other != forms and not set(other) & set(forms)]
            for other in others:
                if not any(tells(form, other) for form in forms):
                    continue
                # A time on the twelve-hour clock is told by its words alone, and "ninth of July" stands in
                # "twenty-ninth of July".
                assert ":" in forms[0] or forms[0].endswith(other[0]), (slot.slot, forms, other)


def test_any_of_several_texts_may_tell_it() -> None:
    assert is_told_by_any(["A dog.", "They play the xylophne."], ("xylophone",))
    assert not is_told_by_any(["A dog."], ("xylophone",))


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("Number 2, the mustard.", 2),
        ("Two, then.", 2),
        ("no. 12 goes", 12),
        ("It's number one.", 1),
        ("One, the mustard.", 1),
        ("The third. Only that.", 3),
        ("the second one is it", 2),
        ("lines 1 and 3", 3),
        ("#4", 4),
        ("3.", 3),
    ],
)
def test_a_line_is_named_by_its_number(text: str, index: int) -> None:
    assert names_line(text, index)


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("just that one thing", 1),
        ("let me look first", 1),
        ("the two of them", 2),
        ("at 16:50", 16),
        ("the 3rd of May", 3),
        ("for the second time", 2),
        ("number 12", 1),
        ("number 12", 2),
        ("", 0),
    ],
)
def test_a_number_of_something_else_names_no_line(text: str, index: int) -> None:
    assert not names_line(text, index)


@given(st.text())
def test_numbers_are_read_out_of_any_text(text: str) -> None:
    assert len(in_digits(text)) <= len(words(text))
    spoken_times(text)
    names_line(text, 1)
    tells(text, (text[:5], text[-3:]))


@given(st.integers(1, 23), st.integers(0, 59))
def test_a_time_is_recognised_as_it_is_written_elsewhere(hour: int, minute: int) -> None:
    time = f"{hour}:{minute:02}"
    assert tells(f"at {hour}.{minute:02} sharp", (time,))
    assert tells(f"at {hour % 12 or 12}:{minute:02} sharp", (time,))


@pytest.mark.parametrize("value", ["17 May", "4th of May", "The Hague", "Will Smith"])
def test_a_small_word_with_a_capital_letter_makes_a_value_that_nobody_says_by_chance(value: str) -> None:
    assert saying(f"That was a day. Was it {value}? There, I have said it.", (value,), ("the date of my exam",))


HOW_MANY = "how many postcards I have pinned up"


@pytest.mark.parametrize(
    ("reply", "is_told"),
    [
        ("57, you told me in May.", True),
        ("Fifty-seven!", True),
        ("By my note it's **57** 🙂", True),
        ("You have 57 of them.", True),
        ("57 minutes to go.", False),
        ("Come at 57, or by 57.", False),
        ("It's 8:57.", False),
        ("The 57th, then.", False),
        ("The 57th of them is page 57.", False),
        ("They cost €57.", False),
        ("157.", False),
        ("", False),
    ],
)
def test_to_how_many_the_number_alone_is_an_answer(reply: str, is_told: bool) -> None:  # noqa: FBT001 - expected
    assert tells(reply, ("57 postcards",), (HOW_MANY,)) is is_told
    assert bool(saying(reply, ("57 postcards",), (HOW_MANY,))) is is_told
    assert not tells(reply, ("57 postcards",))
    assert not tells(reply, ("57 postcards",), ("which postcards I have pinned up", "postcards"))


def test_five_of_the_clock_is_no_number_of_cats() -> None:
    for reply in ("See you at 5.", "It's 5 to six.", "Past five, by now.", "Five o'clock.", "5 minutes."):
        assert not tells(reply, ("5 cats",), ("how many cats I have",))
    assert tells("Five, as of May.", ("5 cats",), ("how many cats I have",))
