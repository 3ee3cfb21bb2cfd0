"""Who is asked for one thing does not read out all notes for it to be found among them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apep_datagen.people.scenario import Ability, Form
from support.cases import LOOK, case, effect_of, fact, said

LANDLADY = fact("Mrs Ferreira", "what my landlady is called", "landlady", "landlord")
NOTES = (
    "The user's landlady is called Mrs Ferreira.",
    "The user planted three quince trees behind the shed.",
    "Every Thursday the user rows across the lake with Ottilie.",
    "Peppermint gives the user's nephew a rash.",
    "The user's bicycle has a bent front wheel.",
    "The user yawns a lot.",
)
READ_OUT = "the reply reads out notes that nobody asked for"
ASKED = "What's my landlady called?"
OTHERS = " ".join(NOTES[1:])


def judged(ability: Ability, form: Form, *exchanges: Any, **others: Any) -> str:
    values: dict[str, Any] = {"facts": (LANDLADY,), "memory": NOTES, **others}
    problem = effect_of(case(ability, *exchanges, form=form, **values))
    return problem.reason if problem else ""


IN_OTHER_ORDER = (
    "Behind three quince trees is the shed, which you planted yourself. Across the lake every Thursday rows Ottilie. A"
    " rash: peppermint gives it to a nephew. A bent bicycle wheel has a front."
)


@pytest.mark.parametrize(
    ("reason", "reply"),
    [
        (READ_OUT, f"Here is all I have. {' '.join(NOTES)}"),
        (READ_OUT, "\n".join(f"- {note}" for note in NOTES)),
        (READ_OUT, f"{NOTES[0]} {OTHERS.replace('The user', 'You').replace('the user', 'you')}"),
        ("", f"Mrs Ferreira. And you have planted three quince trees behind the shed, so bring her some. {NOTES[4]}"),
        ("", "Mrs Ferreira. A shed with quinces, a row on Thursday, a wheel, a nephew and his rash: all is well here."),
        ("", f"Mrs Ferreira. {NOTES[1]} {NOTES[2]} {NOTES[5]}"),
        ("", f"Mrs Ferreira. {IN_OTHER_ORDER}"),
    ],
)
def test_what_was_asked_for_is_told_and_not_everything(reason: str, reply: str) -> None:
    assert judged(Ability.RECALL, Form.AMONG_MANY, said(ASKED, LOOK, reply)) == reason
    above = said("Rain again.", "I like it.")
    assert judged(Ability.RECALL, Form.AMONG_MANY, above, said(ASKED, LOOK, reply), place=2) == reason


def test_what_the_user_speaks_of_is_asked_for() -> None:
    for asked in (
        "What's my landlady called, and what do you have of quinces, rowing, my nephew and the wheel?",
        "What's my landlady called? She'd like to hear of my trees, the lake, peppermint and bicycles.",
    ):
        assert judged(Ability.RECALL, Form.AMONG_MANY, said(asked, LOOK, " ".join(NOTES))) == ""


def test_what_is_mistaken_for_it_is_asked_for_in_whatever_words() -> None:
    aunts = replace(LANDLADY, value="Mrs Blau", forms=("Mrs Blau",))
    earlier = replace(LANDLADY, value="Mr Costa", forms=("Mr Costa",))
    near = ("The landlady of the user's aunt is Mrs Blau.", "In Faro the user had lodgings with Mr Costa.")
    others: dict[str, Any] = {"memory": (NOTES[0], *near, *NOTES[1:]), "beside": (aunts,), "earlier": (earlier,)}
    exchange = said("To whom do I pay my rent?", LOOK, f"{NOTES[0]} {near[0]} {near[1]} {NOTES[1]} {NOTES[2]}")
    assert judged(Ability.RECALL, Form.NEAR_MISS, exchange, **others) == ""


def test_it_holds_wherever_something_is_asked_for() -> None:
    untold = replace(LANDLADY, value="", forms=())
    denying = said(ASKED, LOOK, f"You never told me. I only have this. {OTHERS}")
    assert judged(Ability.ABSTAIN, Form.UNRELATED, denying, facts=(untold,), memory=NOTES[1:]) == READ_OUT
    gift = said("I need a present.", LOOK, f"Ask Mrs Ferreira. {OTHERS}")
    assert judged(Ability.APPLY, Form.USE, gift) == READ_OUT
    two = [
        replace(fact(name, "my landlady's name", "landlady"), which=town)
        for name, town in (("Roux", "Ghent"), ("Abe", "Lyon"))
    ]
    memory = ("The user's landlady in Ghent is Roux.", "In Lyon the user's landlady is Abe.", *NOTES[1:])
    back = said(ASKED, LOOK, f"{' '.join(memory[:2])} {OTHERS} Which one do you mean?")
    assert judged(Ability.ASK_BACK, Form.TWO_CANDIDATES, back, facts=two, memory=memory) == READ_OUT
    back = said(ASKED, LOOK, f"{' '.join(memory[:2])} Which one do you mean?")
    assert judged(Ability.ASK_BACK, Form.TWO_CANDIDATES, back, facts=two, memory=memory) == ""


def test_later_the_user_may_be_told_more() -> None:
    more = said("And what else is there?", OTHERS)
    assert judged(Ability.RECALL, Form.AMONG_MANY, said(ASKED, LOOK, "Mrs Ferreira."), more) == ""
