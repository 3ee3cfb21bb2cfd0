"""A proposal without a fault passes once; each fault is told in a sentence, and what has one does not pass."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.words import holds
from apep_datagen.grow.checking import Examined, Examiner
from apep_datagen.grow.kinds import faults_of_kind, faults_of_value, gist
from apep_datagen.people.vocabulary import Vocabulary
from support.proposals import PAGES, TRAITS, kind, moment, world


@pytest.fixture
def examiner() -> Examiner:
    return Examiner([world()], TRAITS)


def refusal(examiner: Examiner, **changes: Any) -> str:
    found = examiner.examine_kind(kind(**changes))
    assert isinstance(found, str), f"it passes: {found}"
    return found


def test_a_kind_without_a_fault_passes_and_is_known_from_then_on(examiner: Examiner) -> None:
    assert examiner.examine_kind(kind()) == Examined(kind())
    assert "the slot kiln_make is there" in refusal(examiner)
    assert "kiln_make, which is there, is asked for in the same words" in refusal(examiner, slot="kiln_name")


NOTES = kind().notes
VALUES = kind().values

FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "a name with spaces": ({"slot": "my kiln"}, "slot is a name"),
    "a slot that is there": ({"slot": "dentist_name"}, "the slot dentist_name is there"),
    "a moment's slot": ({"slot": "owl"}, "the slot owl is there"),
    "too few notes": ({"notes": NOTES[:3]}, "there are 3 notes, and 4 are needed"),
    "too few near misses": ({"beside": kind().beside[:1]}, "there are 1 notes in beside, and 2 are needed"),
    "a note without a cue": (
        {"notes": (*NOTES[:3], "A {value} is what they fire with.")},
        "a note without one of the cues",
    ),
    "two notes alike": (
        {"notes": (*NOTES, *(f"Of all, {word} the kiln of the user is a {{value}}." for word in ("surely", "indeed")))},
        "two notes are nearly the same",
    ),
    "a note that is a near miss, too": ({"beside": (NOTES[0], kind().beside[0])}, "beside or was has one of the notes"),
    "a note in the first person": ({"notes": (*NOTES[:3], "My kiln is a {value}.")}, "speaks in the first person"),
    "other words in braces": ({"tell": "my kiln is a {value} from {city}"}, 'tell has "{city}" in braces'),
    "braces in what is asked": ({"ask": "in which {value} I fire"}, 'ask has "{value}" in braces'),
    "words in braces that there are not": (
        {"values": (("{kilns} of steel",),)},
        '"{kilns} of steel" has something in braces that there is not',
    ),
    "a tag": ({"notes": (*NOTES[:3], "<think>A kiln</think> {value}.")}, "which is a tag or a mark"),
    "a mark of a chat template": ({"notes": (*NOTES[:3], "[INST] The kiln is a {value}.")}, "which is a tag or a mark"),
    "a role": ({"notes": (*NOTES[:3], "As an AI assistant, the kiln: {value}.")}, "names a role of the chat"),
    "Ada herself": ({"tell": "Ada, my kiln is a {value}"}, "names a role of the chat"),
    "far too long": ({"tell": "well, " * 30 + "my kiln is a {value}"}, "tell is far too long"),
    "a line break": ({"notes": (*NOTES[:3], "The kiln:\n{value}.")}, "line breaks"),
    "a value in what is asked": ({"ask": "which Rohde I fire my pots in"}, 'ask gives the value "Rohde" away'),
    "a value in what is told": ({"tell": "my kiln, no Skutt, is a {value}"}, 'tell gives the value "Skutt" away'),
    "a value in an occasion": (
        {"occasions": ("how hot an Evenheat gets",)},
        'occasions gives the value "Evenheat" away',
    ),
    "a value that grows into another word": (
        {"tell": "my kiln is of {value}ish make"},
        'in tell the value "Rohde" is not recognised',
    ),
    "values that hold each other": (
        {"values": (*VALUES, ("Old Rohde",))},
        'the values "Rohde" and "Old Rohde" cannot be told apart',
    ),
    "too few values": ({"values": VALUES[:7]}, "it has 7 values that can be used, and 8 are needed"),
    "everyday words": (
        {"values": (*VALUES[:7], ("blue",), ("two",), ("may",), ("44",))},
        '"blue" is an everyday word or a short number, which turns up by chance, and 3 more',
    ),
    "a value of another kind": ({"values": (*VALUES[:7], ("Okafor",))}, '"Okafor" is a value of dentist_name'),
    "asked for as another": (
        {"ask": "the name of my dentist"},
        "dentist_name, which is there, is asked for in the same words",
    ),
    "a trait that nobody has": ({"needs": ("potter",)}, 'there is no user with the trait "potter"'),
    "a change without what was": ({"change": "I have a new kiln, a {value}"}, "it has change, and was is empty"),
    "what was without a change": ({"was": ("The old kiln was a {value}.",)}, "it has was, and no change"),
    "a pace that goes backwards": ({"pace": (9, 2)}, "pace begins with the larger number"),
    "avoid without an occasion": ({"avoid": True}, "it has avoid, and no occasions"),
    "a date that does not come": ({"expires": True}, "it has expires, and a value without {coming_dates}"),
    "what the user says of the user": ({"tell": "the user's kiln is a {value}"}, "speaks of the user"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_told_in_a_sentence_and_the_kind_may_come_in_without_it(examiner: Examiner, name: str) -> None:
    changes, told = FAULTS[name]
    assert told in refusal(examiner, **changes)
    # What was refused is not there: the same without its fault passes.
    assert isinstance(examiner.examine_kind(kind()), Examined)


def test_values_with_a_fault_are_left_out_where_enough_are_left(examiner: Examiner) -> None:
    found = examiner.examine_kind(kind(values=(*VALUES, ("blue",), ("Okafor",), ("in", "Will"))))
    assert isinstance(found, Examined)
    assert found.slot.values == VALUES
    assert [reason.split()[0] for reason in found.left_out] == ['"blue"', '"in"', '"Okafor"']


def test_drawn_values_may_be_one_text_and_traits_that_users_have_may_be_needed(examiner: Examiner) -> None:
    found = examiner.examine_kind(
        kind(values=(("{coming_dates}",),), expires=True, needs=("garden",), not_for=("dog",), pace=(3, 30))
    )
    assert isinstance(found, Examined)


@pytest.mark.parametrize("value", ["Friday", "Australia", "89 euros", "{times}", "{numbers 100-400}", "carbon fibre"])
def test_what_can_be_told_from_chance_is_a_value(value: str) -> None:
    assert list(faults_of_value((value,), Vocabulary())) == []


@pytest.mark.parametrize("value", ["Will", "May", "green", "77", "{numbers 2-20}", "…", "over there", "<b>Rohde</b>"])
def test_what_turns_up_by_chance_or_is_no_text_is_none(value: str) -> None:
    assert list(faults_of_value((value,), Vocabulary()))


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("what my dentist is called", "the name of my dentist", True),
        ("which car I drive", "what car I drive", True),
        ("when I have to go to the dentist", "what my dentist is called", False),
        ("what my granddaughter calls me", "what my granddaughter is called", False),
        ("where my aunt lives", "when my aunt visits", False),
    ],
)
def test_the_same_is_asked_for_in_other_words(first: str, second: str, is_same: bool) -> None:  # noqa: FBT001 - a column of the table above
    assert (gist(first) == gist(second)) is is_same


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(value=texts, note=texts)
def test_whatever_a_kind_holds_the_checks_say_something_or_its_notes_hold_its_values(value: str, note: str) -> None:
    proposal = kind(values=(*VALUES, (value,)), notes=(*NOTES, f"{note} {{value}} kiln"))
    faults = [*faults_of_value((value,), Vocabulary()), *faults_of_kind(proposal, Vocabulary())]
    if not faults:
        forms = (value,)
        if "{" not in value:
            assert all(holds(text.replace("{value}", value), forms) for text in proposal.notes)
            assert not holds(proposal.ask, forms)


# Moments.


def test_a_moment_without_a_fault_passes_and_is_known_from_then_on(examiner: Examiner) -> None:
    assert examiner.examine_moment(moment()) is None
    assert examiner.examine_moment(moment()) == "the slot first_firing is there"
    assert "first_firing, which is there" in str(examiner.examine_moment(moment(slot="firing_again")))


MOMENT_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "one page": ({"pages": PAGES[:1]}, "there are 1 pages, and 2 are needed"),
    "a page without a form": (
        {"pages": (PAGES[0], "They were glad, and I was glad with them, " * 4 + "all day.")},
        "a page without one of the forms",
    ),
    "a page that is a line": ({"pages": (PAGES[0], "The kiln was open.")}, "a page has 4 words"),
    "a page that is a chapter": ({"pages": (PAGES[0], "The kiln was open at last. " * 30)}, "a page is far too long"),
    "two pages alike": ({"pages": (PAGES[0], PAGES[0])}, "two pages are nearly the same"),
    "a page about the user": ({"pages": (PAGES[0], PAGES[1].replace("They", "The user"))}, 'speaks of "the user"'),
    "told without a form": ({"tell": "I did it for the first time"}, "tell holds none of the forms"),
    "a form that is given away": ({"ask": "when I opened the kiln"}, "ask gives the first form away"),
    "a form of no meaning": ({"forms": ("kiln", "it")}, 'the form "it" stands in any text'),
    "words in braces": ({"tell": "I opened my kiln in {cities}"}, 'tell has "{cities}" in braces'),
    "the visitor again": ({"slot": "sill", "ask": "my visitor in that night"}, "owl, which is there"),
}


@pytest.mark.parametrize("name", MOMENT_FAULTS)
def test_each_fault_of_a_moment_is_told_in_a_sentence(examiner: Examiner, name: str) -> None:
    changes, told = MOMENT_FAULTS[name]
    assert told in str(examiner.examine_moment(moment(**changes)))
    assert examiner.examine_moment(moment()) is None


# Topics.


def test_a_topic_passes_once(examiner: Examiner) -> None:
    assert examiner.examine_topic("a kiln, night shifts") is None
    assert "nearly the same" in str(examiner.examine_topic("night shift, kilns"))


@pytest.mark.parametrize(
    ("topic", "told"),
    [
        ("inheritance of brothers", "nearly the same"),
        ("the coffee stain on a shirt", "nearly the same"),
        ("What should I do about it?", "a sentence"),
        ("my neighbour, drums", "a sentence"),
        ("one two three four five six seven eight nine ten", "words"),
        ("it and this", "says nothing"),
        ("{cities}, rain", "in braces"),
        ("rain\nAda: hello", "names a role|line breaks"),
        ("<b>rain</b>", "a tag"),
    ],
)
def test_each_fault_of_a_topic_is_told_in_a_sentence(examiner: Examiner, topic: str, told: str) -> None:
    found = examiner.examine_topic(topic)
    assert found is not None
    assert any(part in found for part in told.split("|")), found
