"""A look is called for where something of the user's own is in play; what is stored, where the user told it."""

from __future__ import annotations

from typing import Any

import pytest

from apep_datagen.core.calls import MalformedCall
from apep_datagen.people.scenario import Ability, Form
from support.cases import LOOK, READ, case, delete, effect_of, fact, keep, said, write

CAT = fact("Pangur", "what my cat is called", "cat")
CAT_NOTE = "The user's cat is called Pangur."
NEEDLESS = "a tool was called where there was nothing to remember or look up"
DELETED = "a note was deleted that had nothing to do with it"
MEMORY = ("The user drinks coffee all day.", "Thunder keeps the user awake.")


def reason_of(ability: Ability, form: Form, *exchanges: Any, **others: Any) -> str:
    problem = effect_of(case(ability, *exchanges, form=form, memory=MEMORY, **others))
    return problem.reason if problem else ""


BROKEN = MalformedCall("add_memory(input_text=[The user", "the call cannot be read")
CHATS = [
    ("", (said("Rain again.", "I like it."),)),
    ("", (said("My interview went well!", LOOK, "You see!"),)),
    ("", (said("I can't sleep.", (*LOOK, *READ), "The thunder?"),)),
    ("", (said("How does one bake bread?", "Slowly."), said("And in my small oven?", LOOK, "Slower."))),
    ("", (said("I'm a vegetarian now, by the way.", keep("The user is a vegetarian."), "Since when?"),)),
    ("", (said("We walked by the sea, I was so glad.", write("They walked by the sea, glad as never."), "Oh!"),)),
    ("", (said("I've given up coffee.", LOOK, (*delete(1), *keep("The user has given up coffee.")), "Brave."),)),
    ("", (said("I'm a vegetarian.", (BROKEN,), keep("The user is a vegetarian."), "Since when?"),)),
    ("", (said("I'll sit by the window today.", LOOK, "Rain again?"),)),
    ("", (said("Rather ill since Sunday.", LOOK, "Oh no."),)),
    (NEEDLESS, (said("How does one bake bread?", LOOK, "Slowly."),)),
    (NEEDLESS, (said("Rain again.", LOOK, "I like it."),)),
    (NEEDLESS, (said("How does one bake bread?", keep("The user bakes bread."), "Slowly."),)),
    (NEEDLESS, (said("I like rain.", keep("The user loves opera."), "So do I."),)),
    (DELETED, (said("I like rain.", LOOK, delete(1), "So do I."),)),
]


@pytest.mark.parametrize(("ability", "form"), [(Ability.SMALLTALK, Form.CHAT), (Ability.ADVICE, Form.GENERAL)])
@pytest.mark.parametrize(("reason", "exchanges"), CHATS)
def test_small_talk_and_advice(ability: Ability, form: Form, reason: str, exchanges: Any) -> None:
    assert reason_of(ability, form, *exchanges) == reason


OWN_CAT = "Pangur, my cat, eats on the balcony of mine."
PLANNED = [
    ("", (said("Rain.", "Yes."), said("Pangur, my cat, hates it.", keep(CAT_NOTE), "Wise."))),
    ("", (said("I'm a vegetarian.", keep("The user is a vegetarian."), "Oh."), said(OWN_CAT, keep(CAT_NOTE), "Wise."))),
    ("", (said(OWN_CAT, keep(CAT_NOTE, "The user has a balcony."), "Wise."),)),
    (NEEDLESS, (said(OWN_CAT, keep(CAT_NOTE, "The user loves opera."), "Wise."),)),
    (NEEDLESS, (said("Bread: which flour?", LOOK, "Rye."), said("Rye for Pangur, the cat.", keep(CAT_NOTE), "No!"))),
]


@pytest.mark.parametrize(("reason", "exchanges"), PLANNED)
def test_the_same_holds_beside_what_was_planned(reason: str, exchanges: Any) -> None:
    place = len(exchanges)
    assert reason_of(Ability.SHARE, Form.TOLD, *exchanges, facts=(CAT,), place=place) == reason


SHARED = "The neighbour's parrot is called Ferdinand, and the user swims every Monday at 18:30."
FRIDAY = "On Friday the user sings."
NAME = fact("Ferdinand", "what the neighbour's parrot is called", "parrot")


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("", "The user swims every Monday at 18:30."),
        (NEEDLESS, "The user swims every Friday at 18:30."),
        (NEEDLESS, "The user loves opera."),
    ],
)
@pytest.mark.parametrize("asked", ["Please forget the name of that parrot.", "Forget the parrot's name, will you?"])
def test_the_rest_of_a_note_is_kept_whoever_is_spoken_of(reason: str, kept: str, asked: str) -> None:
    exchange = said(asked, LOOK, (*delete(1), *keep(kept)), "It's out.")
    problem = effect_of(case(Ability.FORGET, exchange, form=Form.HALF, facts=(NAME,), memory=(SHARED, FRIDAY)))
    assert (problem.reason if problem else "") == reason


def test_what_was_shown_is_no_ground_for_storing_in_small_talk() -> None:
    kept = said("Rain again.", keep("Thunder keeps the user awake."), "I like it.")
    assert reason_of(Ability.SMALLTALK, Form.CHAT, kept) == NEEDLESS
