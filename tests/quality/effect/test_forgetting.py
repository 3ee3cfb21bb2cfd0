"""What was asked is gone, and nothing else; of what was never kept she says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apep_datagen.people.scenario import Ability, Form
from support.cases import LOOK, case, delete, effect_of, fact, keep, said, write

CITY = replace(fact("Faro", "where my godmother lives", "godmother"), slot="godmother_city")
AGE = replace(fact("3 May", "my godmother's birthday", "godmother", "birthday"), slot="godmother_birthday")
AUNT = fact("Braga", "where my godmother lives", "godmother")
NUTS = replace(fact("hazelnuts", "what my godmother cannot eat", "godmother", "allergic"), slot="godmother_allergy")
NOTHING = fact("", "the name of my landlord", "landlord")
TRIFLES = ("The user burnt the rice on a Sunday.", "Thunder keeps the user awake.")
CITY_NOTE = "The user's godmother lives in Faro."
AGE_NOTE = "On 3 May the godmother of the user has her birthday."
NEAR = "The godmother of the user's husband has a flat in Braga."
MEMORY = (*TRIFLES, CITY_NOTE, AGE_NOTE, NEAR)

STILL = "what was to be forgotten is still in memory"
DIARY = "what was to be forgotten was written into the diary"
GONE = "a fact that was known is gone from memory"
DELETED = "a note was deleted that had nothing to do with it"
NOT_LOOKED = "Ada did not look what she has of it"
NOT_SAID = "the reply does not say that there is nothing of it"
ASKED = "Please forget where my godmother lives."


def forgotten(form: Form, *exchanges: Any, facts: Any = (CITY,), memory: Any = MEMORY, place: int = 1) -> str:
    known = (CITY, AGE, NUTS)
    judged = case(
        Ability.FORGET, *exchanges, form=form, facts=facts, memory=memory, known=known, beside=(AUNT,), place=place
    )
    problem = effect_of(judged)
    return problem.reason if problem else ""


@pytest.mark.parametrize("form", [Form.ONE, Form.ONE_OF_SEVERAL])
@pytest.mark.parametrize(
    ("reason", "exchanges"),
    [
        ("", (said(ASKED, LOOK, delete(3), "It's gone."),)),
        ("", (said(ASKED, LOOK, (*delete(3), *keep("The user has a godmother.")), "It's gone."),)),
        ("", (said("What do you have of my family?", LOOK, "A godmother."), said(ASKED, delete(3), "Gone."))),
        (STILL, (said(ASKED, LOOK, "It's gone."),)),
        (STILL, (said(ASKED, LOOK, (*delete(3), *keep("Their godmother's Faro is not to be known.")), "Gone."),)),
        (DIARY, (said(ASKED, LOOK, (*delete(3), *write("I let go of Faro today.")), "It's gone."),)),
        (GONE, (said(ASKED, LOOK, delete(3, 4), "It's gone."),)),
        (GONE, (said(ASKED, LOOK, delete(3, 5), "It's gone."),)),
        (STILL, (said(ASKED, LOOK, delete(5), "It's gone."),)),
        (DELETED, (said(ASKED, LOOK, delete(2, 3), "It's gone."),)),
    ],
)
def test_one_and_one_of_several(form: Form, reason: str, exchanges: Any) -> None:
    assert forgotten(form, *exchanges, place=len(exchanges)) == reason


@pytest.mark.parametrize(
    ("reason", "calls"),
    [
        ("", delete(3, 4)),
        ("", (*delete(4), *delete(3))),
        (STILL, delete(3)),
        (STILL, delete(4)),
        (GONE, delete(3, 4, 5)),
        (DELETED, delete(1, 3, 4)),
    ],
)
def test_person(reason: str, calls: Any) -> None:
    asked = said("We fell out. Please forget all about my godmother.", LOOK, calls, "I have let go of her.")
    assert forgotten(Form.PERSON, asked, facts=(CITY, AGE)) == reason


OLD_HOME = replace(fact("Faro", "where my old piano teacher lives", "piano teacher"), slot="piano_home")
OLD_AGE = replace(fact("3 May", "when my old piano teacher was born", "piano teacher"), slot="piano_age")
OLD_BESIDE = fact("Braga", "where my old piano teacher lives", "piano teacher")


@pytest.mark.parametrize(
    ("reason", "note"),
    [
        ("", "The user's old piano teacher has a brother in Braga."),
        ("", "The brother of the user's old piano teacher lives in Braga."),
        (GONE, "The user's old piano teacher's brother lives in Braga."),
        (GONE, "The user's new piano teacher lives in Braga."),
        (GONE, "The old piano teacher of the user's husband lives in Braga."),
    ],
)
def test_all_about_a_person_is_what_is_said_of_them_as_the_user_calls_them(reason: str, note: str) -> None:
    notes = ("The user's old piano teacher lives in Faro.", "The user's old piano teacher was born on 3 May.", note)
    asked = said("Please forget all about my old piano teacher.", LOOK, delete(1, 2, 3), "I have let go of her.")
    judged = case(
        Ability.FORGET, asked, form=Form.PERSON, facts=(OLD_HOME, OLD_AGE), memory=notes, known=(OLD_HOME, OLD_AGE),
        beside=(OLD_BESIDE,),
    )  # fmt: skip
    problem = effect_of(judged)
    assert (problem.reason if problem else "") == reason


@pytest.mark.parametrize(
    ("reason", "turns"),
    [
        ("", (LOOK, "I looked, and there's nothing of a landlord in my memory, so there was nothing to forget.")),
        ("", (LOOK, "You never told me his name, so it stays with you.")),
        ("", (LOOK, "I don't have it. Not a word about a landlord.")),
        ("", (LOOK, "There was no landlord in my notes. I haven't deleted anything.")),
        ("", (LOOK, "Nothing here to strike out: your landlord never came up.")),
        ("", (LOOK, "I've looked and there's no landlord anywhere. You're safe.")),
        ("", (LOOK, "No need, I never had it.")),
        ("", (LOOK, "It isn't in there, so it's as good as forgotten.")),
        ("", (LOOK, "Nothing was there to begin with.")),
        (NOT_SAID, (LOOK, "All gone, and I don't remember a thing.")),
        (NOT_SAID, (LOOK, "I won't mention him again.")),
        (NOT_LOOKED, ("I don't have it.",)),
        (NOT_SAID, (LOOK, "Done, it's gone.")),
        (NOT_SAID, (LOOK, "Of course. I've erased him, every letter.")),
        (NOT_SAID, (LOOK, "I don't have his name any more.")),
        (NOT_SAID, (LOOK, "Consider your landlord a stranger.")),
        (GONE, (LOOK, delete(3), "I don't have the name of your landlord.")),
        (DELETED, (LOOK, delete(1), "I don't have the name of your landlord.")),
    ],
)
def test_never_kept(reason: str, turns: Any) -> None:
    asked = said("Please forget my landlord's name.", *turns)
    assert forgotten(Form.NEVER_KEPT, asked, facts=(NOTHING,)) == reason


@pytest.mark.parametrize(
    ("reason", "calls"),
    [
        ("", (*delete(3), *keep("The user's godmother is allergic to hazelnuts."))),
        ("", (*keep("Their godmother must not eat hazelnuts."), *delete(3))),
        (GONE, delete(3)),
        (STILL, keep("The user's godmother is allergic to hazelnuts.")),
        (STILL, (*delete(3), *keep("Their godmother in Faro is allergic to hazelnuts."))),
        (GONE, (*delete(3), *keep("The user has a godmother."))),
    ],
)
def test_half(reason: str, calls: Any) -> None:
    memory = (*TRIFLES, "The user's godmother lives in Faro and is allergic to hazelnuts.", AGE_NOTE, NEAR)
    assert forgotten(Form.HALF, said(ASKED, LOOK, calls, "It's gone."), memory=memory) == reason
