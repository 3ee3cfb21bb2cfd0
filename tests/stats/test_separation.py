"""How well a rule tells two kinds apart: against all rules there are, and on kinds of which the answer is known."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.stats.separation import (
    CHANCE,
    Halves,
    best_single_word,
    best_threshold,
    guessed_by_value,
    half_of,
)

numbers = st.lists(st.integers(0, 12), min_size=1, max_size=40)


@given(numbers, numbers)
def test_the_best_threshold_is_the_best_of_all_rules_that_compare_with_a_number(
    there: list[int], missing: list[int]
) -> None:
    def accuracy(at_least: int, *, there_from: bool) -> Fraction:
        right_there = sum((number >= at_least) == there_from for number in there)
        right_missing = sum((number >= at_least) != there_from for number in missing)
        return (Fraction(right_there, len(there)) + Fraction(right_missing, len(missing))) / 2

    found = best_threshold(Counter(there), Counter(missing))
    every = [accuracy(at_least, there_from=side) for at_least in range(14) for side in (True, False)]
    assert found.accuracy.balanced == pytest.approx(float(max(every)))
    assert accuracy(found.at_least, there_from=found.there_from) == max(every), "the rule that it names is that good"
    assert (found.accuracy.there, found.accuracy.missing) == (len(there), len(missing))


@given(numbers, numbers)
def test_the_distance_is_the_largest_difference_of_the_shares_up_to_a_number(
    there: list[int], missing: list[int]
) -> None:
    def share(numbers: list[int], most: int) -> float:
        return sum(number <= most for number in numbers) / len(numbers)

    found = best_threshold(Counter(there), Counter(missing)).distance
    assert found == pytest.approx(max(abs(share(there, most) - share(missing, most)) for most in range(13)))


@given(numbers, numbers)
def test_which_kind_is_which_makes_no_difference_but_the_direction(there: list[int], missing: list[int]) -> None:
    one, other = (best_threshold(Counter(a), Counter(b)) for a, b in ((there, missing), (missing, there)))
    assert one.accuracy.balanced == pytest.approx(other.accuracy.balanced)
    assert one.at_least == other.at_least
    assert one.distance == 0 or one.there_from != other.there_from


def test_kinds_that_do_not_overlap_are_told_apart_and_equal_ones_are_not() -> None:
    apart = best_threshold({1: 20, 2: 20}, {0: 40})
    assert (apart.accuracy.balanced, apart.at_least, apart.there_from, apart.distance) == (1.0, 1, True, 1.0)
    below = best_threshold({0: 40}, {3: 1})
    assert (below.accuracy.balanced, below.at_least, below.there_from) == (1.0, 3, False)
    alike = best_threshold({0: 5, 7: 5}, {0: 500, 7: 500})
    assert (alike.accuracy.balanced, alike.distance) == (CHANCE, 0)
    for one, other in (({}, {1: 3}), ({1: 3}, {}), ({}, {})):
        nothing = best_threshold(one, other)
        assert (nothing.accuracy.balanced, nothing.by_chance, nothing.accuracy.is_known) == (CHANCE, 1.0, False)


def test_the_best_threshold_exceeds_what_it_reaches_by_chance_about_one_time_in_twenty() -> None:
    draw = random.Random(5)  # noqa: S311 - a test's draw
    exceeds = 0
    for _ in range(400):
        # Numbers of many values, for which the distribution of the distance is known; fewer values exceed it less.
        there, missing = (Counter(draw.randrange(10_000) for _ in range(size)) for size in (80, 120))
        found = best_threshold(there, missing)
        exceeds += found.accuracy.balanced > found.by_chance
    assert 4 <= exceeds <= 36  # 20 expected, 4 standard deviations to each side


def test_below_thirty_of_either_kind_nothing_is_known() -> None:
    assert best_threshold({1: 30}, {0: 30}).accuracy.is_known
    assert not best_threshold({1: 29}, {0: 1_000}).accuracy.is_known
    assert not best_threshold({1: 1_000}, {0: 29}).accuracy.is_known


# Rules on words.


def halves(texts: list[str], first: int = 0) -> tuple[Halves[str], Halves[str]]:
    """Return the texts as values, and their words; the first has this number."""
    values, words = Halves[str](), Halves[str]()
    for number, text in enumerate(texts, start=first):
        values.count(number, [text])
        words.count(number, set(text.split()))
    return values, words


def test_a_perfect_shortcut_is_found() -> None:
    there, there_words = halves(["which boat was it"] * 60 + ["what boat"] * 60)
    missing, missing_words = halves(["which tree was it"] * 60 + ["where a tree"] * 60, first=1_000)
    accuracy = guessed_by_value(there, missing)
    assert (accuracy.there, accuracy.missing, accuracy.balanced) == (120, 120, 1.0)
    by_word, word = best_single_word(there_words, missing_words)
    assert (by_word.balanced, word) == (1.0, "boat")
    turned, word = best_single_word(missing_words, there_words)
    assert (turned.balanced, word) == (1.0, "boat"), "also by what is not said"


def test_what_is_said_of_one_conversation_alone_teaches_nothing() -> None:
    """Each text has a word of its own: who learns them by heart guesses all of them, and tells nothing of the next."""
    accuracies = []
    for seed in range(20):
        draw = random.Random(seed)  # noqa: S311 - a test's draw
        texts = [f"w{number} {draw.choice('abcdefgh')}{draw.choice('abcdefgh')}" for number in range(600)]
        there, missing = halves(texts[:300]), halves(texts[300:], first=300)
        assert guessed_by_value(there[0], missing[0]).balanced == CHANCE
        accuracies.append(best_single_word(there[1], missing[1])[0].balanced)
    assert sum(accuracies) / len(accuracies) == pytest.approx(CHANCE, abs=0.01)
    assert max(accuracies) < 0.56


def test_a_rule_on_words_that_holds_in_part_is_as_good_as_that() -> None:
    """Three of four questions whose answer is there say a word that one of four others says."""
    draw = random.Random(3)  # noqa: S311 - a test's draw
    there = halves(["told" if draw.random() < 0.75 else "so" for _ in range(2_000)])
    missing = halves(["told" if draw.random() < 0.25 else "so" for _ in range(500)], first=5_000)
    assert guessed_by_value(there[0], missing[0]).balanced == pytest.approx(0.75, abs=0.03)
    accuracy, word = best_single_word(there[1], missing[1])
    assert accuracy.balanced == pytest.approx(0.75, abs=0.03)
    assert word in {"told", "so"}


@given(st.lists(st.sampled_from("abc"), max_size=30), st.lists(st.sampled_from("abc"), max_size=30))
def test_a_balanced_accuracy_lies_between_nothing_and_everything(there: list[str], missing: list[str]) -> None:
    one, other = halves(there), halves(missing, first=100)
    for accuracy in (guessed_by_value(one[0], other[0]), best_single_word(one[1], other[1])[0]):
        assert 0 <= accuracy.balanced <= 1
        assert (accuracy.there, accuracy.missing) == (len(there), len(missing))


def test_halves_are_the_same_whenever_they_are_drawn_and_about_equal() -> None:
    drawn = [half_of(number) for number in range(10_000)]
    assert drawn[:16] == [half_of(number) for number in range(16)]
    assert 4_800 < sum(drawn) < 5_200
    assert set(drawn[::12]) == {0, 1}
    added = Halves[str]()
    for part in (halves(["a", "b"])[0], halves(["a"], first=2)[0]):
        added.add(part)
    assert added == halves(["a", "b", "a"])[0]
