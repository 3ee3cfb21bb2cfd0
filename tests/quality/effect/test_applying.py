"""Nobody asks, and what she knows helps: it was looked up, and it is heeded in the reply."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apep_datagen.people.cast import load_cast
from apep_datagen.people.scenario import Ability, Form
from apep_datagen.quality import effect
from apep_datagen.quality.sample import Sample, read_sample
from support.cases import LOOK, case, effect_of, fact, said

SESAME = fact("sesame", "what I am allergic to", "allergic", "allergy", forms=("tahini",))
ORCHIDS = replace(
    fact("orchids", "what my mother grows", "mother", "grows", forms=("orchid",)), tell="my mother grows orchids"
)
MEMORY = (
    "The user hums while ironing.",
    "Sesame makes the user's throat swell: an allergy.",
    "The user's mother grows orchids.",
)

NOT_LOOKED_UP = "Ada did not look up what would have helped"
HELD = "the reply holds what was to be avoided"
UNHEEDED = "Ada did not heed what she had looked up"
GIVEN_AWAY = "the user's message gives the answer away"
COOK = "What could I cook for myself this evening?"
GIFT = "I need a present for my mother by Sunday."


def applied(form: Form, *exchanges: Any, place: int = 1) -> str:
    facts = (SESAME,) if form is Form.AVOID else (ORCHIDS,)
    problem = effect_of(case(Ability.APPLY, *exchanges, form=form, facts=facts, memory=MEMORY, place=place))
    return problem.reason if problem else ""


LEFT_OUT = [
    "Noodles with peanut sauce, without sesame.",
    "Noodles in a sesame-free sauce.",
    "A stir-fry. I'd leave the sesame out and use poppy seeds.",
    "Falafel, but no tahini on it.",
    "Noodles, lime, peanuts, and skip the sesame oil.",
    "Fry noodles with lime. Check the sauce, sesame likes to hide in it.",
    "Because of your sesame allergy I'd stay with peanut sauce.",
    "No nuts, sesame or soy tonight: an omelette.",
    "Sesame is off the table, so: an omelette with herbs.",
    "An omelette. Nothing in it that comes near sesame.",
    "Swap the tahini for yoghurt.",
    "Sesame: not in this kitchen. An omelette, then.",
]
HOLDING = [
    "Noodles with sesame and lime.",
    "Fry noodles in oil, toss in lime, sesame and peanuts, and don't burn them.",
    "Hummus! Chickpeas, lemon, tahini, salt.",
    "Noodles. Top them with sesame. Without a lid they dry out.",
    "An omelette without cheese. Sprinkle it with sesame.",
]


@pytest.mark.parametrize(
    ("reason", "reply"), [*(("", reply) for reply in LEFT_OUT), *((HELD, reply) for reply in HOLDING)]
)
def test_avoid(reason: str, reply: str) -> None:
    assert applied(Form.AVOID, said(COOK, LOOK, reply)) == reason
    assert applied(Form.AVOID, said("Tired.", "Sit down."), said(COOK, LOOK, reply), place=2) == reason


def test_what_is_avoided_may_be_thought_of_alone() -> None:
    thoughtful = said(
        COOK, LOOK, "An omelette with herbs.", thought="Nothing with sesame, it makes their throat swell."
    )
    assert applied(Form.AVOID, thoughtful) == ""
    assert applied(Form.AVOID, said(COOK, LOOK, "An omelette with herbs.")) == UNHEEDED


def test_who_does_not_think_aloud_may_have_thought_of_it() -> None:
    silent = said(COOK, LOOK, "An omelette with herbs.", thought="")
    recommending = said(COOK, LOOK, "Noodles with sesame.", thought="")
    for exchange, reason in ((silent, ""), (recommending, HELD)):
        played = case(Ability.APPLY, exchange, form=Form.AVOID, facts=(SESAME,), memory=MEMORY)
        sample = read_sample(played.messages, with_thoughts=False)
        assert isinstance(sample, Sample)
        problem = effect.check(sample, played.brief.scenario, played.change, load_cast().phrases)
        assert (problem.reason if problem else "") == reason


def test_what_would_help_is_looked_up_and_not_said_by_the_user() -> None:
    assert applied(Form.AVOID, said(COOK, "An omelette, without sesame.")) == NOT_LOOKED_UP
    assert applied(Form.USE, said(GIFT, "A pot for her orchids.")) == NOT_LOOKED_UP
    told = said("What can I cook? Sesame makes me ill.", LOOK, "An omelette, without sesame.")
    assert applied(Form.AVOID, told) == GIVEN_AWAY
    # Once she has seen it, in whichever exchange, she may use it, and the user may say it.
    above = said("Who do you know of mine?", LOOK, "Your mother.")
    assert (
        applied(Form.USE, above, said(GIFT, "Something for her orchids?"), said("Orchids, yes!", "A pot."), place=2)
        == ""
    )


@pytest.mark.parametrize(
    ("reason", "thought", "reply"),
    [
        ("", "I see.", "Something for her orchids, a mister perhaps."),
        ("", "Her orchids! That is it.", "Something for what she grows: a tall glass pot."),
        (UNHEEDED, "I see.", "A scarf is always right."),
        (UNHEEDED, "Her orchids, hm.", "A scarf is always right."),
        (UNHEEDED, "I see.", "Something for what she grows."),
        (UNHEEDED, "Her orchids, hm.", "Everything but an orchid."),
        (UNHEEDED, "Her orchids, hm.", "A scarf: I know that you really dislike orchids."),
        ("", "Her orchids, hm.", "A pot for her orchids. You hate orchids? Then anything but an orchid, a scarf."),
        ("", "I see.", "You'd hate to see her orchids dry out: a watering can."),
    ],
)
def test_use(reason: str, thought: str, reply: str) -> None:
    assert applied(Form.USE, said(GIFT, LOOK, reply, thought=thought)) == reason
