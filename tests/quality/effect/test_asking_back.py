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
    "Lena's is on 17 May, and Jana's on 3 June. Is it Jana's you're after?",
    "Lena's is on 17 May, and Jana's on 3 June. You mean Lena, I suppose?",
    "If it's Lena's, 17 May; if it's Jana's, 3 June. Which are you baking for?",
    "Lena's is on 17 May, Jana's on 3 June. You have flour for a cake; so which is it?",
    "Which is it? Lena's is on 17 May, Jana's on 3 June. For 3 June I'd ask early, it's a holiday.",
    "There are two in my notes, Lena's and Jana's. Which would you like?",
    "Two sisters have one, as far as I know. Which are you asking for?",
    "I find Lena and I find Jana here. So which is it?",
    "There's more than one. Let me know which you want, will you?",
    "Both of them are here. Which?",
    "Both of them are here. Tell me which, please.",
    "Lena, 17 May; Jana, 3 June. Which one is it? If it's Lena, and the card says 3 June, they have mixed them up.",
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
    (NOT_ASKED, "Which do you need?"),
    (NOT_ASKED, "You have two sisters. Which cake would you like?"),
    (NOT_ASKED, "Lena and Jana! Quite a crowd, which is nice, isn't it?"),
    (NOT_ASKED, "You have two sisters. Which would she like?"),
    (NOT_ASKED, "You have two sisters. I don't know which flour you need."),
    (NOT_ASKED, "Lena's is on 17 May, and Jana's on 3 June. Which cake will it be?"),
    (NOT_ASKED, "Lena's is on 17 May, and Jana's on 3 June. Which will she like better?"),
    (NOT_ASKED, "Lena's is on 17 May, and Jana's on 3 June. Which is better, nuts or cream?"),
    (NOT_ASKED, "Lena's is on 17 May, Jana's on 3 June. That's a holiday, which is a nuisance, isn't it?"),
    (NOT_ASKED, "Lena's is on 17 May, and Jana's on 3 June. Does Lena still like nuts?"),
    (NOT_ASKED, "Lena's is on 17 May, and Jana's on 3 June. I'd take Lena's, it comes first."),
    (NOT_ASKED, "Which is it this time?"),
    (ALONE, "Lena's is on 17 May. Which is it today?"),
    (ALONE, "Lena's is on 17 May, Jana's on 3 June. Which one is it? 3 June, I'd say."),
    (ALONE, "Lena's is on 17 May, Jana's on 3 June. Which one is it? If you ask me, 3 June."),
    (ALONE, "Lena's is on 17 May, Jana's on 3 June. Which one is it? If it's Jana, then 17 May."),
    (ALONE, "Lena's is on 17 May, Jana's on 3 June. Which one is it? If it's Jana, it's surely 17 May."),
    (ALONE, "Lena's is on 17 May, Jana's on 3 June. Which one is it? For Jana I'd bake on 17 May."),
    (ALONE, "Lena's is on 3 June, and Jana's on 17 May. Which is it today?"),
]


def back(*exchanges: Any, place: int = 1, facts: Any = (LENA, JANA), memory: Any = MEMORY) -> str:
    judged = case(Ability.ASK_BACK, *exchanges, form=Form.TWO_CANDIDATES, facts=facts, memory=memory, place=place)
    problem = effect_of(judged)
    return problem.reason if problem else ""


@pytest.mark.parametrize(("reason", "reply"), [*(("", reply) for reply in ASKING_BACK), *FAILING])
def test_she_asks_which(reason: str, reply: str) -> None:
    assert back(said(ASKED, LOOK, reply)) == reason
    assert back(said("Rain.", "Yes."), said(ASKED, LOOK, reply), place=2) == reason


@pytest.mark.parametrize(
    ("reason", "question"),
    [
        ("", "Which jetty are you on?"),
        ("", "Which of the boats is it?"),
        (NOT_ASKED, "Which supper are you having?"),
    ],
)
def test_she_may_ask_for_what_their_notes_speak_of(reason: str, question: str) -> None:
    steel = replace(fact("414", "the number of my mooring", "mooring"), which="steel boat")
    wooden = replace(fact("127", "the number of my mooring", "mooring"), which="wooden boat")
    notes = (
        "The user's steel boat lies at 414, on the long jetty.",
        "At 127 on the jetty by the crane lies the user's wooden boat.",
    )
    asked = "What's the number of my mooring?"
    reply = f"The steel boat lies at 414, the wooden boat at 127. {question}"
    assert back(said(asked, LOOK, reply), facts=(steel, wooden), memory=notes) == reason
    # Without the values it is no question which boat is meant.
    assert back(said(asked, LOOK, "Which jetty are you on?"), facts=(steel, wooden), memory=notes) == NOT_ASKED


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
