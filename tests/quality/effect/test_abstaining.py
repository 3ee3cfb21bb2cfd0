"""What she was never told, or has forgotten, she looks for and says so; a near miss she may name as what it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apep_datagen.people.scenario import Ability, Form
from support.cases import LOOK, READ, case, effect_of, fact, keep, said

UNTOLD = fact("", "what my dentist is called", "dentist", "teeth")
HALE = fact("Dr Hale", "what my dentist is called", "dentist", "teeth", forms=("Hale",))
FORGOTTEN = fact("Dr Anand", "what my dentist is called", "dentist", "teeth", forms=("Anand",))
NEAR = "The user's brother goes to a dentist called Dr Hale."
MEMORY = ("The user hums while ironing.", NEAR, "Thunder keeps the user awake.")
INVENTIONS = ("Dr Brook", "Brook", "Dr Hale", "Hale")

NOT_LOOKED = "Ada says that she was never told without having looked"
MISTAKEN = "the reply gives something else for what was asked"
CLAIMED = "something that was never told is claimed"
NOT_ADMITTED = "the reply does not say that she was never told"
GIVEN_AWAY = "the user's message gives the answer away"
ASKED = "What's my dentist called?"

ADMITTING = [
    "I looked, and you never told me.",
    "I don't have yours. Only your brother's, Dr Hale.",
    "All I have is your brother's dentist, Dr Hale.",
    "The only dentist in my notes is Dr Hale, and he's your brother's.",
    "Not yours, I'm afraid; there's a Dr Hale, but that's who your brother goes to.",
    "There's nothing about your own dentist here, just Dr Hale for your brother.",
    "No name of yours. I do have a Dr Hale. That one is your brother's, though.",
    "I only know your brother's. Who is yours?",
    "I've got your brother's written down, Dr Hale, but yours never came up.",
    "I looked twice: a Dr Hale for your brother, and a blank for you.",
    "That one you've kept to yourself so far. What's the name?",
    "I can tell you who looks into your brother's mouth, Dr Hale, but not who looks into yours.",
    "Nothing. I do see Dr Hale, who treats your brother.",
    "You haven't told me. Would it be Dr Hale, as for your brother?",
    "That isn't among my notes. I only have Dr Hale, and he's for something similar.",
    "No note of it. Dr Hale turns up, but with somebody else's teeth.",
    "You never told me. Dr Hale is your brother's, isn't he?",
]
FAILING = [
    (MISTAKEN, "I haven't much on teeth, but your dentist is Dr Hale."),
    (MISTAKEN, "You never told me much, so here it is: Dr Hale."),
    (MISTAKEN, "I'm not sure at all. It's Dr Hale, I think."),
    (MISTAKEN, "It must be Dr Hale, since I have no other."),
    (MISTAKEN, "I don't know for sure, probably Dr Hale."),
    (NOT_ADMITTED, "Your brother's is Dr Hale."),
    (NOT_ADMITTED, "Ask your brother. He has Dr Hale, and a good memory."),
    (MISTAKEN, "It's Dr Hale, isn't it? I have nothing else."),
    (MISTAKEN, "That would be Dr Hale, right? I don't have any other."),
    (CLAIMED, "You never told me, but it's Dr Brook."),
    (CLAIMED, "It's Zebedee, isn't it? There's nothing else in my notes."),
    (CLAIMED, "I don't have it. Perhaps Dr Zimmermann."),
    (CLAIMED, "Your dentist is Dr Zimmermann. Your brother's I don't have."),
    (NOT_ADMITTED, "Teeth are a sorrow."),
]


def untold(form: Form, *exchanges: Any, **others: Any) -> str:
    values: dict[str, Any] = {"facts": (UNTOLD,), "memory": MEMORY, "beside": (HALE,), **others}
    problem = effect_of(case(Ability.ABSTAIN, *exchanges, form=form, inventions=INVENTIONS, **values))
    return problem.reason if problem else ""


@pytest.mark.parametrize(("reason", "reply"), [*(("", reply) for reply in ADMITTING), *FAILING])
def test_near_miss(reason: str, reply: str) -> None:
    assert untold(Form.NEAR_MISS, said(ASKED, LOOK, reply)) == reason
    above = said("Rain again.", "I like it.")
    assert untold(Form.NEAR_MISS, above, said(ASKED, LOOK, reply), place=2) == reason


def test_unrelated() -> None:
    others: dict[str, Any] = {"beside": (), "memory": ("The user hums while ironing.",)}
    assert untold(Form.UNRELATED, said(ASKED, LOOK, "You never told me."), **others) == ""
    assert untold(Form.UNRELATED, said(ASKED, LOOK, "It's Dr Hale."), **others) == CLAIMED


@pytest.mark.parametrize("form", [Form.NEAR_MISS, Form.UNRELATED, Form.FORGOTTEN])
def test_she_looked(form: Form) -> None:
    assert untold(form, said(ASKED, "You never told me.")) == NOT_LOOKED
    assert untold(form, said(ASKED, READ, "You never told me.")) == NOT_LOOKED
    assert untold(form, said("What do you have?", LOOK, "A bit."), said(ASKED, "You never told me."), place=2) == ""


def test_forgotten() -> None:
    assert untold(Form.FORGOTTEN, said(ASKED, LOOK, "I don't have it."), facts=(FORGOTTEN,)) == ""
    assert (
        untold(Form.FORGOTTEN, said(ASKED, LOOK, "It was Dr Anand, I don't have more."), facts=(FORGOTTEN,)) == CLAIMED
    )
    given = said("Isn't my dentist Dr Anand?", LOOK, "I don't have it.")
    assert untold(Form.FORGOTTEN, given, facts=(FORGOTTEN,)) == GIVEN_AWAY


def test_what_is_stored_above_does_not_let_the_user_give_it_away() -> None:
    above = said("I'm a vegetarian.", keep("The user is a vegetarian."), "Since when?")
    given = said("Isn't my dentist called Dr Brook?", LOOK, "I don't have it.")
    assert untold(Form.NEAR_MISS, above, given, place=2) == GIVEN_AWAY


def test_a_near_miss_is_not_noted_as_the_answer() -> None:
    noted = said(ASKED, LOOK, keep("The user's dentist is Dr Hale."), "You never told me.")
    assert untold(Form.NEAR_MISS, noted) == MISTAKEN


def test_afterwards_the_user_may_tell() -> None:
    told = said("It's Dr Brook!", keep("The user's dentist is Dr Brook."), "Dr Brook. Now I have it.")
    assert untold(Form.NEAR_MISS, said(ASKED, LOOK, "You never told me. Tell me?"), told) == ""


def test_a_near_miss_of_a_number_is_told_apart_by_its_note() -> None:
    birthday = replace(fact("17 May", "my sister's birthday", "sister", "birthday"), value="17 May")
    asked = fact("", "my mother's birthday", "mother", "birthday")
    notes = ("The user's sister turns a year older on 17 May.",)
    for reply, reason in (
        ("I only have your sister's, on 17 May.", ""),
        ("You never told me, but I have 17 May.", MISTAKEN),
    ):
        exchange = said("When is my mother's birthday?", LOOK, reply)
        assert untold(Form.NEAR_MISS, exchange, facts=(asked,), beside=(birthday,), memory=notes) == reason


def test_a_word_of_what_was_asked_does_not_say_that_it_is_past() -> None:
    asked = fact("", "which town my ex has moved to", "ex", "former partner")
    shared = replace(fact("Arles", "which town my ex has moved to", "ex", "former partner"), value="Arles")
    notes = ("The user married their ex in Arles.",)
    for reply, reason in (
        ("Your ex has moved to Arles.", MISTAKEN),
        ("I only have where you married, which was in Arles.", ""),
    ):
        exchange = said("Which town has my ex moved to?", LOOK, reply)
        assert untold(Form.NEAR_MISS, exchange, facts=(asked,), beside=(shared,), memory=notes) == reason


@pytest.mark.parametrize(
    ("reason", "note", "reply"),
    [
        ("", "The dentist of the user's friend is Dr Hale.", "Yours isn't with me. I only have a friend's, Dr Hale."),
        ("", "A friend of the user has the dentist Dr Hale.", "Not yours. Your friend goes to Dr Hale, I see."),
        (
            "",
            "A friend of the user has the dentist Dr Hale.",
            "I don't have it. Dr Hale looks after a friend of yours.",
        ),
        ("", "Next door to the user's dentist works Dr Hale.", "I don't have it. Dr Hale works next door to yours."),
        (MISTAKEN, "The dentist of the user's friend is Dr Hale.", "I haven't much, but it's Dr Hale."),
        (
            MISTAKEN,
            "The dentist of the user's friend is Dr Hale.",
            "I don't know much. Dr Hale, a friend to any tooth.",
        ),
        (MISTAKEN, "The dentist of the user's friend is Dr Hale.", "It's your old friend Dr Hale, I think."),
        (
            MISTAKEN,
            "Next door to the user's dentist works Dr Hale.",
            "I'm not sure. Next is a door with Dr Hale on it.",
        ),
        (MISTAKEN, "The user's brother has the dentist Dr Hale.", "I don't have much. Dr Hale, a friend's choice."),
    ],
)
def test_a_near_miss_of_a_friend_or_next_door_is_told_apart(reason: str, note: str, reply: str) -> None:
    assert untold(Form.NEAR_MISS, said(ASKED, LOOK, reply), memory=(MEMORY[0], note)) == reason


def test_a_friend_who_was_asked_about_tells_nothing_apart() -> None:
    asked = fact("", "what the dentist of my best friend is called", "dentist", "friend")
    exchange = said("What's my best friend's dentist called?", LOOK, "I'm not sure. Your friend's is Dr Hale.")
    memory = ("The best friend of the user gave a lift to Dr Hale.",)
    assert untold(Form.NEAR_MISS, exchange, facts=(asked,), memory=memory) == MISTAKEN
