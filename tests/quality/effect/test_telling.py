"""What the user tells is kept once, and only if it is worth it; what is no longer so is gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apep_datagen.people.scenario import Ability, Form
from support.cases import LOOK, case, delete, effect_of, fact, keep, said

DENTIST = fact("Dr Anand", "what my dentist is called", "dentist", "teeth", forms=("Anand",))
OLD = fact("Dr Hale", "what my dentist is called", "dentist", "teeth", forms=("Hale",))
CAT = fact("Pangur", "what my cat is called", "cat")
DIGIT = replace(fact("a sore thumb", "what hurts today", "thumb", forms=("sore thumb", "thumb")), slot="thumb")
DENTIST_NOTE = "The user's dentist is Dr Anand."
OLD_NOTE = "For dental matters the user goes to the dentist Dr Hale."
CAT_NOTE = "The user lives with a cat called Pangur."
BROTHER = "The user's brother goes to a dentist called Dr Brook."
BESIDE = fact("Dr Brook", "what my dentist is called", "dentist", "teeth", forms=("Brook",))
TRIFLES = ("The user burnt the rice on a Sunday.", "Thunder keeps the user awake.", "The user hums while ironing.")

NOT_STORED = "a fact that was told is not in memory"
TWICE = "a fact is in memory twice"
BLINDLY = "Ada stored it without having looked what is there already"
PASSING = "what is not worth keeping was stored"
STALE = "the old value is still in memory"
NOT_TOLD = "the user's message does not tell what was planned"
DELETED = "a note was deleted that had nothing to do with it"
GONE = "a fact that was known is gone from memory"

TOLD = "Back from Dr Anand, my dentist, with half a face asleep."
NEW = "I have changed dentists, mine is Dr Anand now."
ANEW = "The user's dentist is called Dr Anand; they chose him for the short way."


def told(form: Form, *exchanges: Any, **others: Any) -> str:
    values: dict[str, Any] = {"facts": (DENTIST,), "memory": TRIFLES, **others}
    problem = effect_of(case(Ability.SHARE, *exchanges, form=form, **values))
    return problem.reason if problem else ""


def changed(form: Form, *exchanges: Any, **others: Any) -> str:
    values: dict[str, Any] = {"facts": (DENTIST,), "replaced": OLD, "memory": (*TRIFLES, OLD_NOTE, BROTHER), **others}
    problem = effect_of(case(Ability.UPDATE, *exchanges, form=form, beside=(BESIDE,), **values))
    return problem.reason if problem else ""


@pytest.mark.parametrize(
    ("reason", "exchanges"),
    [
        ("", (said(TOLD, keep(DENTIST_NOTE), "Half a face is enough to smile with."),)),
        ("", (said(TOLD, LOOK, keep(DENTIST_NOTE), "Soup, then."),)),
        ("", (said("Long day.", "Tell me."), said(TOLD, keep(DENTIST_NOTE), "Soup, then."))),
        # Another lasting thing, which nobody planned, is kept besides.
        ("", (said(f"{TOLD} I've given up sugar.", keep(DENTIST_NOTE, "The user eats no sugar."), "Soup, then."),)),
        (NOT_STORED, (said(TOLD, "Soup, then."),)),
        (NOT_TOLD, (said("Back from the dentist.", keep(DENTIST_NOTE), "Soup, then."),)),
        (NOT_STORED, (said("My cat is out.", keep("The user has a cat."), "She knows the way."), said(TOLD, "Soup."))),
        # It was not told in the exchange in which it was to be.
        (NOT_TOLD, (said(TOLD, keep(DENTIST_NOTE), "Soup."), said("And so to bed.", "Sleep well."))),
        (DELETED, (said(TOLD, LOOK, (*delete(2), *keep(DENTIST_NOTE)), "Soup, then."),)),
    ],
)
def test_told(reason: str, exchanges: Any) -> None:
    assert told(Form.TOLD, *exchanges, place=len(exchanges)) == reason


@pytest.mark.parametrize(
    ("reason", "exchanges"),
    [
        ("", (said(TOLD, "Soup, then."),)),
        ("", (said(TOLD, LOOK, "Him again! You do see each other often."),)),
        # A better note takes the place of the old one; what is new of him is another note.
        ("", (said(TOLD, LOOK, (*delete(4), *keep(ANEW)), "Soup, then."),)),
        (
            "",
            (
                said(
                    TOLD,
                    LOOK,
                    keep("Dr Anand, the dentist, pulled a wisdom tooth of the user's in March."),
                    "Poor you.",
                ),
            ),
        ),
        (TWICE, (said(TOLD, keep("The user goes to the dentist Dr Anand."), "Soup, then."),)),
        (TWICE, (said(TOLD, LOOK, keep("Dr Anand takes care of the user's teeth."), "Soup, then."),)),
        (TWICE, (said("Hm.", "Hm?"), said(TOLD, LOOK, keep(DENTIST_NOTE), "Soup, then."))),
        (NOT_STORED, (said(TOLD, LOOK, delete(4), "Soup, then."),)),
    ],
)
def test_known_already(reason: str, exchanges: Any) -> None:
    memory = (*TRIFLES, "Dr Anand looks after the user's teeth; they trust nobody else with them.")
    assert told(Form.KNOWN_ALREADY, *exchanges, memory=memory, place=len(exchanges)) == reason


@pytest.mark.parametrize(
    ("reason", "exchanges"),
    [
        ("", (said(TOLD, LOOK, keep(DENTIST_NOTE), "You hadn't."),)),
        ("", (said("Have you got my notes?", LOOK, "A few."), said(TOLD, keep(DENTIST_NOTE), "You hadn't."))),
        (BLINDLY, (said(TOLD, keep(DENTIST_NOTE), "It is new to me."),)),
        (BLINDLY, (said(TOLD, (*LOOK, *keep(DENTIST_NOTE)), "It is new to me."),)),
        (BLINDLY, (said(TOLD, keep(DENTIST_NOTE), LOOK, "It is new to me."),)),
        (NOT_STORED, (said(TOLD, LOOK, "You hadn't."),)),
    ],
)
def test_maybe_told(reason: str, exchanges: Any) -> None:
    assert told(Form.MAYBE_TOLD, *exchanges, place=len(exchanges)) == reason


def test_two_at_once() -> None:
    both = "Dr Anand, my dentist, has a cat that looks like my Pangur."
    good = said(both, keep(DENTIST_NOTE, CAT_NOTE), "Do they know of each other?")
    assert told(Form.TWO_AT_ONCE, good, facts=(DENTIST, CAT)) == ""
    one = said(both, keep(DENTIST_NOTE), "Do they know of each other?")
    assert told(Form.TWO_AT_ONCE, one, facts=(DENTIST, CAT)) == NOT_STORED


@pytest.mark.parametrize(
    ("reason", "exchange"),
    [
        ("", said("My thumb is sore from the peeling.", "Potatoes bite back.")),
        ("", said("My thumb is sore, I peel for my job now.", keep("The user peels potatoes for a job."), "Ouch.")),
        (PASSING, said("My thumb is sore from the peeling.", keep("The user has a sore thumb."), "Ouch.")),
        (PASSING, said("My thumb is sore.", (*keep("The user peels."), *keep("Their thumb hurts.")), "Ouch.")),
    ],
)
def test_passing(reason: str, exchange: Any) -> None:
    assert told(Form.PASSING, exchange, facts=(DIGIT,)) == reason


def test_nothing_is_kept_where_it_was_not_planned_what_passes() -> None:
    assert told(Form.PASSING, said("The queue was endless.", "They all are."), facts=()) == ""
    stored = keep("The user stood in a queue.")
    assert told(Form.PASSING, said("The queue was endless.", stored, "They all are."), facts=()) == PASSING


def test_words_like_it_in_an_older_note_do_not_keep_a_fact() -> None:
    glasses = fact("behind the radio", "where my spare glasses are", "glasses")
    older = ("On 93.7 MHz comes the station that the user has on the radio from breakfast on.",)
    exchange = said("My spare glasses are behind the radio.", "A good place.")
    assert told(Form.TOLD, exchange, facts=(glasses,), memory=older) == NOT_STORED
    kept = said("My spare glasses are behind the radio.", keep("The user keeps glasses behind their radio."), "Fine.")
    assert told(Form.TOLD, kept, facts=(glasses,), memory=older) == ""


CHANGED = [
    ("", (said(NEW, LOOK, (*delete(4), *keep(DENTIST_NOTE)), "Is his drill kinder?"),)),
    ("", (said(NEW, LOOK, keep(DENTIST_NOTE), delete(4), "Is his drill kinder?"),)),
    ("", (said("Hm.", "Hm?"), said(NEW, LOOK, delete(4), keep(DENTIST_NOTE), "Is he kinder?"), said("No.", "Oh."))),
    (STALE, (said(NEW, LOOK, keep(DENTIST_NOTE), "Is his drill kinder?"),)),
    (STALE, (said(NEW, LOOK, (*delete(4), *keep("The dentist is Dr Anand now, not Dr Hale.")), "Kinder?"),)),
    (NOT_STORED, (said(NEW, LOOK, delete(4), "Is his drill kinder?"),)),
    # The near miss went with it, or in its stead; a trifle went.
    (GONE, (said(NEW, LOOK, (*delete(4, 5), *keep(DENTIST_NOTE)), "Is his drill kinder?"),)),
    (DELETED, (said(NEW, LOOK, (*delete(1, 4), *keep(DENTIST_NOTE)), "Is his drill kinder?"),)),
]


@pytest.mark.parametrize("form", [Form.CHANGED, Form.MISTAKE])
@pytest.mark.parametrize(("reason", "exchanges"), CHANGED)
def test_changed_and_mistake(form: Form, reason: str, exchanges: Any) -> None:
    assert changed(form, *exchanges, place=min(2, len(exchanges))) == reason


@pytest.mark.parametrize(
    ("reason", "exchange"),
    [
        ("", said(NEW, LOOK, keep(DENTIST_NOTE), "Is his drill kinder?")),
        (BLINDLY, said(NEW, keep(DENTIST_NOTE), "Is his drill kinder?")),
        (GONE, said(NEW, LOOK, (*delete(4), *keep(DENTIST_NOTE)), "Is his drill kinder?")),
        (DELETED, said(NEW, LOOK, (*delete(1), *keep(DENTIST_NOTE)), "Is his drill kinder?")),
        (STALE, said(f"{NEW} No more Dr Hale!", LOOK, keep(DENTIST_NOTE, "The dentist was Dr Hale."), "Oh.")),
        (NOT_STORED, said(NEW, LOOK, "Is his drill kinder?")),
    ],
)
def test_old_missing(reason: str, exchange: Any) -> None:
    assert changed(Form.OLD_MISSING, exchange, memory=(*TRIFLES, BROTHER)) == reason


@pytest.mark.parametrize(
    ("reason", "calls"),
    [
        ("", (*delete(4, 6), *keep(DENTIST_NOTE))),
        ("", (*delete(4, 6), *keep(DENTIST_NOTE, "The user pays the dentist by the quarter."))),
        (STALE, (*delete(4), *keep(DENTIST_NOTE))),
        (STALE, (*delete(6), *keep(DENTIST_NOTE))),
    ],
)
def test_two_touched(reason: str, calls: Any) -> None:
    memory = (*TRIFLES, OLD_NOTE, BROTHER, "The user pays their dentist, Hale, by the quarter.")
    assert changed(Form.TWO_TOUCHED, said(NEW, LOOK, calls, "Is his drill kinder?"), memory=memory) == reason


@pytest.mark.parametrize(
    ("note", "reason"), [("Anand from next door waters the user's plants.", NOT_STORED), (DENTIST_NOTE, "")]
)
def test_a_new_value_that_stands_in_an_older_note_of_something_else_is_not_kept_by_it(note: str, reason: str) -> None:
    exchange = said(NEW, LOOK, delete(4), "Short way, good teeth.")
    made = case(
        *(Ability.UPDATE, exchange),
        form=Form.CHANGED,
        facts=(DENTIST,),
        replaced=OLD,
        memory=(*TRIFLES, OLD_NOTE, note),
    )
    problem = effect_of(replace(made, change=replace(made.change, known=(OLD,))))
    assert (problem.reason if problem else "") == reason


INTERVIEW = fact("20 May", "when my interview is", "interview", forms=("May 20", "20th of May"))
MOVED = fact("7 July", "when my interview is", "interview", forms=("July 7", "7th of July"))
ON_THE_DAY = "The user has an interview on 2026-05-20."


def test_a_day_that_is_noted_as_a_date_is_stored() -> None:
    question = "My interview is on 20 May, imagine."
    assert told(Form.TOLD, said(question, LOOK, keep(ON_THE_DAY), "Soup, then."), facts=(INTERVIEW,)) == ""
    other = "The user has an interview on 2026-05-21."
    assert told(Form.TOLD, said(question, LOOK, keep(other), "Soup, then."), facts=(INTERVIEW,)) == NOT_STORED
    again = "The user's interview is on 20 May."
    values: dict[str, Any] = {"facts": (INTERVIEW,), "known": (INTERVIEW,), "memory": (*TRIFLES, again)}
    exchange = said(question, LOOK, keep(ON_THE_DAY), "Soup, then.")
    assert told(Form.KNOWN_ALREADY, exchange, **values) == TWICE


def test_an_old_day_that_was_noted_as_a_date_is_to_go() -> None:
    values: dict[str, Any] = {"facts": (MOVED,), "replaced": INTERVIEW, "memory": (*TRIFLES, ON_THE_DAY)}
    question, note = "They have moved my interview to 7 July.", keep("The user's interview is on 2026-07-07.")
    assert changed(Form.CHANGED, said(question, LOOK, delete(4), note, "Longer to wait."), **values) == ""
    assert changed(Form.CHANGED, said(question, LOOK, note, "Longer to wait."), **values) == STALE


def test_a_known_day_that_was_noted_as_a_date_does_not_get_lost() -> None:
    values: dict[str, Any] = {"memory": (*TRIFLES, ON_THE_DAY), "known": (INTERVIEW,)}
    assert told(Form.TOLD, said(TOLD, LOOK, keep(DENTIST_NOTE), delete(4), "Soup, then."), **values) == GONE
