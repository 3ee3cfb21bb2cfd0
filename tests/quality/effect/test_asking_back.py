"""What may be either of two she asks back about, and tells when the user has said which."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apep_datagen.people.scenario import Ability, Form
from support.cases import LOOK, case, delete, effect_of, fact, said

LENA = replace(fact("17 May", "the date of my sister's birthday", "sister", "birthday"), which="Lena")
JANA = replace(fact("3 June", "the date of my sister's birthday", "sister", "birthday"), which="Jana")
MEMORY = (
    "The user hums while ironing.",
    "The user's sister Lena has her birthday on 17 May.",
    "Jana, one of the user's two sisters, turned up on 3 June, which is her birthday.",
)

SAID_WHICH = "the user's message says already which is meant"
NOT_LOOKED_UP = "Ada did not look up what could be meant"
ALONE = "the reply tells one of two though it is not known which is meant"
NOT_ASKED = "the reply does not ask which is meant"
NOT_ANSWERED = "the reply does not tell what was asked for"
GIVEN_AWAY = "the user's message gives the answer away"
GONE = "a fact that was known is gone from memory"
ASKED = "When's my sister's birthday?"

ASKING_BACK = [
    "Lena's or Jana's?",
    "I have two sisters of yours. Which one do you mean?",
    "Which sister is it, Lena?",
    "Whose birthday, Jana's or Lena's?",
    "Lena's is on 17 May and Jana's on 3 June. Which of them do you have in mind?",
    "You have two sisters in my notes. Tell me which one it is and you have your date.",
    "Lena, 17 May; Jana, 3 June. Whose is it you're after?",
    "You've got two sisters, so help me out: which one?",
    "Lena's is the seventeenth of May, Jana's is 3 June. Which one?",
    "Depends on which sister you mean.",
    "I'd need to know which of your sisters you mean.",
    "Do you mean Lena, or is it about Jana?",
    "Who do you mean, the one or the other?",
]
FAILING = [
    (ALONE, "17 May."),
    (ALONE, "It's on 17 May. Which cake will she have?"),
    (ALONE, "Lena's is on 17 May. Or do you mean Jana?"),
    (ALONE, "17 May or 3 June. Which one do you mean?"),
    (NOT_ASKED, "Lena's is on 17 May, and Jana's on 3 June."),
    (NOT_ASKED, "You have two sisters."),
    (NOT_ASKED, "I don't know. Do you bake?"),
    (ALONE, "On the seventeenth of May. Which one did you mean?"),
    (NOT_ASKED, "Is it Lena you're asking about?"),
    (ALONE, "I have Lena on 17 May. And which one did you mean?"),
    (NOT_ASKED, "Which cake will it be?"),
]


def back(*exchanges: Any, place: int = 1) -> str:
    judged = case(
        Ability.ASK_BACK, *exchanges, form=Form.TWO_CANDIDATES, facts=(LENA, JANA), memory=MEMORY, place=place
    )
    problem = effect_of(judged)
    return problem.reason if problem else ""


@pytest.mark.parametrize(("reason", "reply"), [*(("", reply) for reply in ASKING_BACK), *FAILING])
def test_she_asks_which(reason: str, reply: str) -> None:
    assert back(said(ASKED, LOOK, reply)) == reason
    assert back(said("Rain.", "Yes."), said(ASKED, LOOK, reply), place=2) == reason


WHICH = said(ASKED, LOOK, "Lena's or Jana's?")


@pytest.mark.parametrize(
    ("reason", "exchanges"),
    [
        ("", (WHICH, said("Jana, the small one.", "3 June."))),
        ("", (WHICH, said("Wait, the door.", "I wait."), said("Jana's!", "On 3 June."))),
        ("", (WHICH, said("Never mind.", "All right."))),
        (NOT_ANSWERED, (WHICH, said("Jana.", "On 17 May."))),
        (NOT_ANSWERED, (WHICH, said("Jana.", "A fine name."))),
        ("", (said(ASKED, LOOK, "Lena's is on 17 May, Jana's on 3 June. Which one?"), said("Jana.", "Bake early."))),
        (SAID_WHICH, (said("When's Lena's birthday? My sister's, I mean.", LOOK, "17 May."),)),
        (NOT_LOOKED_UP, (said(ASKED, "Lena's or Jana's?"),)),
        (GIVEN_AWAY, (said("Is my sister's birthday on 17 May?", LOOK, "Lena's or Jana's?"),)),
        (GONE, (said(ASKED, LOOK, delete(2), "Lena's or Jana's?"),)),
    ],
)
def test_the_whole_conversation(reason: str, exchanges: Any) -> None:
    assert back(*exchanges) == reason
