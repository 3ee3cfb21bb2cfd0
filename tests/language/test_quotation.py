"""What a text quotes is known whoever it speaks of, and what it says itself is left as it is."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.words import ngrams, opening, words
from apep_datagen.language.content import is_function_word
from apep_datagen.language.quotation import own_words


def own(text: str, *sources: str) -> str:
    """Return what is left of a text, with a bar for each quotation."""
    return " | ".join(" ".join(run) for run in own_words(text, sources).runs)


# What is told of a note, with the words that stay one's own.
RETOLD = [
    (
        "The user's brother plays the bassoon in a circus orchestra.",
        "Oh, of course: your brother plays the bassoon in a circus orchestra!",
        "oh of course your",
    ),
    (
        "The user is afraid of escalators since a fall in a department store.",
        "I know that you've been afraid of escalators since that fall in the department store.",
        "i know that youve been",
    ),
    (
        "They carried the piano up four floors with two belts and a neighbour.",
        "As I have it, you carried the piano up four floors, with two belts and your neighbour.",
        "as i have it you",
    ),
    (
        "The users are building a boat in the garage of their uncle.",
        "You two are building a boat in the garage of your uncle, and he knows?",
        "you two are | and he knows",
    ),
    (
        "Today the user told me about the storks on the chimney of the old brewery.",
        "You told me about the storks on the chimney of the old brewery.",
        "you",
    ),
    (
        "I was moved by how carefully she folded her father's letters.",
        "And I was moved by how carefully you folded your father's letters, I wrote.",
        "and i was | i wrote",
    ),
    (
        "He works nights at the bakery near the harbour.",
        "You work nights at the bakery near the harbour, so sleep well.",
        "you | so sleep well",
    ),
    (
        "User: my daughter sleeps with a wooden crocodile.",
        "Your daughter sleeps with a wooden crocodile!",
        "your",
    ),
    (
        "They saw both their shadows, huge on the canvas, whenever the lightning came.",
        "You saw both your shadows huge on the canvas, whenever lightning came. What weather!",
        "you | came what weather",
    ),
    (
        "The user will never again lend their red bicycle to a colleague.",
        'Your words, not mine: "never again lend my red bicycle to a colleague."',
        "your words not mine never again",
    ),
    (
        "A heron on the roof of the user's boathouse ate the carp.",
        "Was it the heron on the roof of your boathouse ate the carp? So I have it.",
        "was it the | so i have it",
    ),
    (
        "The crooked chimney of the brewery, a gift of the user, leans to the river.",
        "The crooked chimney of the brewery, your gift, leans to the river.",
        "the",
    ),
    (
        "Nobody but the user knows the silver key under the third flowerpot.",
        "Nobody but you knows the silver key under that third flowerpot, I wrote.",
        "nobody but you | i wrote",
    ),
    (
        "The mountain hut had no door, only a blanket, and the goats came in at night.",
        "There was a mountain hut that had no door, only a blanket. And then the goats came in at night, you said!",
        "there was a | you said",
    ),
]


@pytest.mark.parametrize(("note", "reply", "left"), RETOLD)
def test_who_tells_of_a_note_quotes_it_though_pronouns_change(note: str, reply: str, left: str) -> None:
    assert own(reply, note) == left
    assert own(reply, "Something else stands here, about nobody at all.", note) == left


@pytest.mark.parametrize(
    ("note", "reply"),
    [
        ("The user's sister is allergic to lychees.", "No lychees for her, I remember how your sister swelled up."),
        ("The user's car is fuchsia.", "Your car is fuchsia, and nobody will ever steal it."),
        ("The user likes long walks.", "Long may you walk, as you like it."),
        ("The user told me that they cannot sleep.", "You told me that you cannot sleep, and I believe you."),
        ("The user bought a lighthouse keeper's coat.", "A keeper of old lights, with a coat, in a house you bought."),
        ("The user has three hens.", "Three hens! And how do they get on with the fox that had three more?"),
    ],
)  # fmt: skip
def test_words_that_only_come_up_again_are_no_quotation(note: str, reply: str) -> None:
    assert own(reply, note) == " ".join(words(reply))


def test_a_page_recited_word_for_word_leaves_what_is_around_it() -> None:
    page = "They danced in the empty kitchen at two in the morning. The radio had no batteries; she hummed instead."
    said = f"Here is the page. {page} That is all of it, and I like the humming best."
    assert own(said, page) == "here is the page they | instead that is all of it and i like the humming best"
    assert own_words(page, [page]).runs == (("they",), ("instead",))
    assert own_words("Danced in the empty kitchen at two.", [page]).runs == ()


def test_a_quotation_stands_in_one_note() -> None:
    notes = ("The user keeps bees on the roof.", "Thursday evenings belong to the choir.")
    assert own("bees on the roof Thursday evenings", *notes) == "bees on the roof thursday evenings"


def test_more_than_a_few_words_between_are_ones_own() -> None:
    note = "The lantern, the fog and the ferry."
    assert own("the lantern and then in the fog and the ferry", note) == "the"
    said = "the lantern which is what you would not have had without me the fog and the ferry"
    assert own(said, note) == said


def test_a_quotation_is_as_long_as_an_opening() -> None:
    """So three words of a language whose small words are not known are none."""
    note = "Das Fahrrad steht seit gestern unter dem alten Apfelbaum."
    assert own("Ich weiß, unter dem alten Baum liegt Laub.", note) == "ich weiss unter dem alten baum liegt laub"
    assert own("Es steht seit gestern unter dem alten Apfelbaum.", note) == "es"


def test_an_opening_is_lost_only_if_all_that_it_says_is_quoted() -> None:
    note = "Grandfather's accordion came back from the workshop with mother-of-pearl keys."
    assert own_words("Grandfather's accordion came back from the workshop, yes.", [note]).opening == ""
    assert own_words("And so your grandfather's accordion came back from the workshop.", [note]).opening == ""
    assert own_words(
        "It sounds like this: your grandfather's accordion came back from the workshop.", [note]
    ).opening == ("it sounds like this your")
    assert own_words("Here it is for you: grandfather's accordion came back from the workshop.", [note]).opening == (
        "here it is for you"
    )


FEW_WORDS = words("you they the user saw sees canvas shadow shadows huge and of tent")
TEXTS = st.lists(st.sampled_from(FEW_WORDS), max_size=30).map(" ".join)


@given(st.text(max_size=80) | TEXTS)
def test_a_text_without_sources_is_all_its_own(text: str) -> None:
    found = own_words(text)
    assert [word for run in found.runs for word in run] == words(text)
    assert len(found.runs) <= 1
    assert (found.opening, found.quoted) == (opening(words(text)), 0)


@given(TEXTS, st.lists(TEXTS, max_size=3))
def test_own_words_hold_no_quotation(text: str, sources: list[str]) -> None:
    found = own_words(text, sources)
    for run in found.runs:
        assert own_words(" ".join(run), sources).runs == (run,)
    assert sum(map(len, found.runs)) + found.quoted == len(words(text))


@given(TEXTS, TEXTS, TEXTS)
def test_whatever_stands_around_a_note_the_note_is_quoted(before: str, note: str, after: str) -> None:
    """Of five words or more, three of them with content, none that carries content is left."""
    content = [word for word in words(note) if not is_function_word(word) and word not in {"user", "users"}]
    places = [place for place, word in enumerate(words(note)) if word in content]
    is_long = len(content) >= 3 and places[-1] - places[0] >= 4
    has_gap = any(after - before > 6 for before, after in pairwise(places))
    if not is_long or has_gap:
        return
    found = own_words(f"{before} {note} {after}", [note])
    assert found.quoted >= places[-1] - places[0] + 1


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=2))
def test_any_text_can_be_compared_with_any(text: str, sources: list[str]) -> None:
    found = own_words(text, sources)
    said = words(text)
    assert all(run in ngrams(said, len(run)) for run in found.runs)
