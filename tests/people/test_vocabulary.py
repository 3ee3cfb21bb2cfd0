"""What stands in braces is drawn with all spellings by which it is recognised, the same in all of one thing's."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.errors import SettingsError
from apep_datagen.core.words import holds
from apep_datagen.people.drawing import generator
from apep_datagen.people.vocabulary import Vocabulary, coming_day

DAY = datetime.date(2026, 3, 4)
MADE = ["{dates}", "{coming_dates}", "{times}", "{weekdays}", "{months}", "{phones}", "{codes}"]
NUMBERS = ["{numbers 300-799}", "{years 1950-2015}", "{prices 20-900}"]
seeds = st.integers(0, 2**32)


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    directory = tmp_path_factory.mktemp("prompts")
    words = directory / "world" / "words"
    words.mkdir(parents=True)
    (words / "towns.txt").write_text("Kraków | Krakow | Cracow\n\nGraz\n", encoding="utf-8")
    (words / "empty.txt").write_text("\n", encoding="utf-8")
    return Vocabulary(directory)


@pytest.mark.parametrize("text", [*MADE, *NUMBERS, "flat {numbers 2-60}, {phones}"])
def test_what_is_drawn_has_no_braces_and_is_recognised_by_each_spelling(text: str) -> None:
    for seed in range(200):
        forms = Vocabulary().draw(generator(seed), (text,), DAY)
        assert len(set(forms)) == len(forms)
        for form in forms:
            assert "{" not in form
            assert holds(f"It is {form}, they said.", (form,))


def test_other_spellings_come_with_a_word(vocabulary: Vocabulary) -> None:
    drawn = {vocabulary.draw(generator(seed), ("to {towns}",), DAY) for seed in range(50)}
    assert drawn == {("to Kraków", "to Krakow", "to Cracow"), ("to Graz",)}


def test_the_same_is_drawn_in_all_spellings_of_one_thing(vocabulary: Vocabulary) -> None:
    for seed in range(50):
        forms = vocabulary.draw(generator(seed), ("bus {numbers 600-699}", "the {numbers 600-699}"), DAY)
        assert forms[0].removeprefix("bus ") == forms[1].removeprefix("the ")


@given(seeds)
def test_a_coming_date_is_still_to_come(seed: int) -> None:
    (value, *_) = Vocabulary().draw(generator(seed), ("{coming_dates}",), DAY)
    day = coming_day(value, DAY)
    assert day is not None
    assert DAY < day <= DAY + datetime.timedelta(days=200)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("3 March", datetime.date(2027, 3, 3)),
        ("4 March", DAY),
        ("31 December", datetime.date(2026, 12, 31)),
        ("29 February", None),
        ("March", None),
        ("half past", None),
        ("", None),
    ],
)
def test_a_date_means_the_next_one(text: str, day: datetime.date | None) -> None:
    assert coming_day(text, DAY) == day


@pytest.mark.parametrize(
    ("text", "is_known"),
    [
        ("{towns}", True),
        ("plain", True),
        ("{numbers 1-9} {towns}", True),
        ("{villages}", False),
        ("{numbers}", False),
        ("{numbers 9-1}", False),
        ("{towns 1-9}", False),
        ("{towns", False),
        ("{}", False),
    ],
)
def test_what_cannot_be_drawn_is_known_before(vocabulary: Vocabulary, text: str, is_known: bool) -> None:  # noqa: FBT001 - a case
    assert vocabulary.knows(text) is is_known


def test_how_many_there_are_is_told(vocabulary: Vocabulary) -> None:
    assert vocabulary.count("plain") == 1
    assert vocabulary.count("{towns}") == 2
    assert vocabulary.count("{numbers 1-9} {towns}") == 18
    assert vocabulary.count("{dates}") == 28 * 12


def test_an_empty_list_is_told(vocabulary: Vocabulary) -> None:
    with pytest.raises(SettingsError, match=r"empty\.txt: the list of words is empty"):
        vocabulary.draw(generator(1), ("{empty}",), DAY)
