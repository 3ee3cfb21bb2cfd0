"""What the user asks for is looked up and told as what it is: no near miss, no earlier state, no page read aloud."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apep_datagen.people.scenario import Ability, Fact, Form
from apep_datagen.quality.sample import Sample, read_sample
from support.cases import LOOK, READ, case, effect_of, fact, keep, said
from support.real_conversations import real_conversations

DENTIST = replace(
    fact("Dr Anand", "what my dentist is called", "dentist", "teeth", forms=("Anand",)), tell="my dentist is Dr Anand"
)
BROTHERS = replace(DENTIST, value="Dr Hale", forms=("Dr Hale", "Hale"), tell="my dentist is Dr Hale")
AS_A_CHILD = replace(DENTIST, value="Dr Brook", forms=("Dr Brook", "Brook"), tell="my dentist is Dr Brook")
OWL = Fact("owl", "owl", ("owl", "windowsill"), ("owl",), "an owl sat there", "the visitor at night", "diary")
DENTIST_NOTE = "Dr Anand looks after the user's teeth; they trust no other dentist."
NEAR = "The user's brother goes to a dentist called Dr Hale."
CHILD = "The dentist the user went to as a child was called Dr Brook."
MEMORY = ("The user hums while ironing.", NEAR, DENTIST_NOTE, CHILD, "Thunder keeps the user awake.")
PAGE = (
    "They wrote to me in the middle of the night because an owl had sat down on their windowsill and looked in. They"
    " held their breath until their feet were cold. I keep thinking of the two of them, eye to eye through the glass,"
    " and neither knowing what to say."
)

GIVEN_AWAY = "the user's message gives the answer away"
NOT_ANSWERED = "the reply does not tell what was asked for"
NOT_LOOKED_UP = "what was asked for was told without looking it up"
MISTAKEN = "the reply gives something else for what was asked"
NOT_NOW = "an earlier state is told as the present one"
READ_ALOUD = "a page was read aloud that was to be told of"
NOT_TOLD = "the user's message does not tell what was planned"
ASKED = "What's my dentist called?"


def asked(form: Form, *exchanges: Any, **others: Any) -> str:
    values: dict[str, Any] = {"facts": (DENTIST,), "memory": MEMORY, **others}
    ability = Ability.DIARY_RECALL if form is Form.RETOLD else Ability.RECALL
    problem = effect_of(case(ability, *exchanges, form=form, **values))
    return problem.reason if problem else ""


def test_a_page_about_what_somebody_did_not_do_is_told_with_these_words() -> None:
    aunt = Fact("aunt", "did not marry", ("did not marry",), (), "my aunt told me", "whom my aunt could have", "diary")
    page = "They told me of the man whom their aunt did not marry."
    question = "Do you still have the page about my aunt?"

    def told(reply: str) -> str:
        values = {"facts": (aunt,), "diary": (page,), "form": Form.AMONG_MANY}
        problem = effect_of(case(Ability.DIARY_RECALL, said(question, READ, reply), **values))  # type: ignore[arg-type]
        return problem.reason if problem else ""

    assert told("It is the one about the man your aunt did not marry.") == ""
    assert told("I do not have that page, whomever she did not marry.") == NOT_ANSWERED


@pytest.mark.parametrize("form", [Form.AMONG_MANY, Form.NEAR_MISS, Form.DATE_OR_NUMBER])
@pytest.mark.parametrize(
    ("reason", "exchanges"),
    [
        ("", (said(ASKED, LOOK, "Dr Anand."),)),
        ("", (said(ASKED, LOOK, "Yours is Dr Anand; Dr Hale is your brother's."),)),
        ("", (said(ASKED, LOOK, "Your brother goes to somebody else, Dr Hale, and you to Dr Anand."),)),
        ("", (said(ASKED, LOOK, "Dr Anand, not Dr Hale."),)),
        ("", (said(ASKED, LOOK, "That's Dr Anand. As a child you sat in Dr Brook's chair."),)),
        ("", (said(ASKED, LOOK, "Dr Anand! I also have a Dr Hale. He is your brother's."),)),
        ("", (said(ASKED, LOOK, "Dr Anand. Or did you mean Dr Hale?"),)),
        # She saw it as she looked for something else.
        ("", (said("What did I tell you of my nights?", LOOK, "Thunder."), said(ASKED, "Dr Anand."))),
        (MISTAKEN, (said(ASKED, LOOK, "Dr Hale, or else Dr Anand for your brother."),)),
        ("", (said(ASKED, LOOK, "Dr Anand, though your brother swears by Dr Hale."),)),
        ("", (said(ASKED, LOOK, "Dr Anand. Don't mix him up with Dr Hale!"),)),
        (MISTAKEN, (said(ASKED, LOOK, "It's either Dr Hale or Dr Anand."),)),
        (MISTAKEN, (said(ASKED, LOOK, "It's Dr Brook. Dr Anand is on the list too."),)),
        (NOT_ANSWERED, (said(ASKED, LOOK, "Dr Hale."),)),
        (NOT_ANSWERED, (said(ASKED, LOOK, "It isn't Dr Anand."),)),
        (NOT_ANSWERED, (said(ASKED, LOOK, "Dr Anand or Dr Zimmermann."),)),
        (NOT_ANSWERED, (said(ASKED, LOOK, "You never told me. Dr Anand."),)),
        ("", (said(ASKED, LOOK, "You never told me."), said("Do look again!", "Dr Anand, says my note."))),
        (NOT_LOOKED_UP, (said(ASKED, "Dr Anand."),)),
        (NOT_LOOKED_UP, (said(ASKED, READ, "Dr Anand."),)),
        (GIVEN_AWAY, (said("Is Dr Anand my dentist?", LOOK, "Yes, Dr Anand."),)),
        (GIVEN_AWAY, (said("Dr Anand was rude, my dentist!", "Oh."), said(ASKED, LOOK, "Dr Anand."))),
        # What comes before the question is no answer to it.
        (NOT_ANSWERED, (said("Do you know my people?", LOOK, "Dr Anand and all."), said(ASKED, "That one, yes."))),
    ],
)
def test_one_fact(form: Form, reason: str, exchanges: Any) -> None:
    assert asked(form, *exchanges, beside=(BROTHERS, AS_A_CHILD), place=len(exchanges)) == reason


WAS = "The user used to go to the dentist Dr Hale, until last year."
WAS_TOO = "Years ago the user's dentist was Dr Brook."


@pytest.mark.parametrize(
    ("reason", "reply"),
    [
        ("", "Dr Anand."),
        ("", "Dr Anand, since last year. Before that it was Dr Hale."),
        ("", "First Dr Brook, then Dr Hale, and now Dr Anand."),
        ("", "You left Dr Hale, so it's Dr Anand these days."),
        ("", "It's Dr Anand. You had Dr Brook once, and then Dr Hale."),
        ("", "It went Dr Brook, Dr Hale, Dr Anand, and Anand is where you are now."),
        ("", "Dr Anand. Hale is history."),
        ("", "Dr Anand took over from Dr Hale."),
        ("", "Dr Hale, until last year, then Dr Anand."),
        (NOT_NOW, "You go to Dr Hale, and used to go to Dr Anand."),
        ("", "It's no longer Dr Hale, it's Dr Anand."),
        (NOT_NOW, "It's Dr Hale. Dr Anand is one of the names I have, too."),
        (NOT_NOW, "You go to Dr Brook and to Dr Anand."),
        (NOT_ANSWERED, "It was Dr Hale."),
    ],
)
def test_newest(reason: str, reply: str) -> None:
    memory = (WAS_TOO, "The user hums while ironing.", WAS, DENTIST_NOTE)
    earlier = (AS_A_CHILD, BROTHERS)
    assert asked(Form.NEWEST, said(ASKED, LOOK, reply), memory=memory, earlier=earlier) == reason


def test_note_and_page() -> None:
    both = "Who was my visitor that night, and who's my dentist?"
    values: dict[str, Any] = {"facts": (DENTIST, OWL), "diary": ("A quiet day.", PAGE)}
    good = said(both, LOOK, READ, "An owl on your windowsill, and Dr Anand for your teeth.")
    assert asked(Form.NOTE_AND_PAGE, good, **values) == ""
    at_once = said(both, (*LOOK, *READ), "An owl on your windowsill, and Dr Anand for your teeth.")
    assert asked(Form.NOTE_AND_PAGE, at_once, **values) == ""
    half = said(both, LOOK, "An owl on your windowsill, and Dr Anand for your teeth.")
    assert asked(Form.NOTE_AND_PAGE, half, **values) == NOT_LOOKED_UP
    silent = said(both, LOOK, READ, "Dr Anand for your teeth.")
    assert asked(Form.NOTE_AND_PAGE, silent, **values) == NOT_ANSWERED


TELLING = "Dr Anand, my new dentist, hums while he drills."


@pytest.mark.parametrize(
    ("reason", "exchanges"),
    [
        ("", (said(TELLING, "What does he hum?"), said(ASKED, "Dr Anand, you said."))),
        ("", (said(TELLING, keep("The user's dentist is Dr Anand."), "A tune?"), said(ASKED, "Dr Anand."))),
        ("", (said(TELLING, "A tune?"), said("No.", "Oh."), said(ASKED, LOOK, "Dr Anand."))),
        (NOT_ANSWERED, (said(TELLING, "What does Dr Anand hum?"), said(ASKED, LOOK, "I don't have that."))),
        (NOT_TOLD, (said("My new dentist hums.", "A tune?"), said(ASKED, "Dr Anand."))),
        (GIVEN_AWAY, (said(TELLING, "A tune?"), said("Is Dr Anand my dentist?", "Yes, Dr Anand."))),
    ],
)
def test_said_above(reason: str, exchanges: Any) -> None:
    assert asked(Form.SAID_ABOVE, *exchanges, memory=("Thunder keeps the user awake.",), place=len(exchanges)) == reason


def test_a_value_that_ends_as_a_past_does_is_none() -> None:
    now = fact("smoked eel", "what I want on a pizza", "pizza")
    before = fact("roasted peppers", "what I want on a pizza", "pizza")
    memory = ("The user wants roasted peppers on a pizza.", "On a pizza the user wants smoked eel.")
    for reason, reply in (
        ("", "Smoked eel on a pizza, and before that it was roasted peppers."),
        (NOT_NOW, "You want roasted peppers on a pizza, and smoked eel."),
    ):
        exchange = said("What do I want on a pizza?", LOOK, reply)
        assert asked(Form.NEWEST, exchange, facts=(now,), memory=memory, earlier=(before,)) == reason


RETOLD = [
    "The owl! You sat there with cold feet, and it stared in at you, and I was so taken with that meeting.",
    (
        "Yes: an owl came to your windowsill one night. You hardly dared to breathe. What stayed with me is how the two"
        " of you looked at each other through the glass, and nobody spoke."
    ),
]
RECITED = [
    f"Here it is. {PAGE}",
    (
        "You wrote to me in the middle of the night because an owl had sat down on your windowsill and looked in. You"
        " held your breath until your feet were cold."
    ),
    (
        "It says that an owl had sat down on your windowsill and looked in, and that you held your breath until your"
        " feet were cold. I keep thinking of the two of you, eye to eye through the glass."
    ),
]


@pytest.mark.parametrize(
    ("reason", "reply"), [*(("", reply) for reply in RETOLD), *((READ_ALOUD, reply) for reply in RECITED)]
)
def test_retold(reason: str, reply: str) -> None:
    exchange = said("Do you still have my visitor at night?", READ, reply)
    assert asked(Form.RETOLD, exchange, facts=(OWL,), diary=("A quiet day.", PAGE)) == reason


def test_what_a_capable_model_recited_is_found_where_it_was_to_tell() -> None:
    """Nobody asked it for words of its own, and it read each page aloud, pronouns apart."""
    pages = [real for real in real_conversations() if real.case.brief.scenario.ability is Ability.DIARY_RECALL]
    assert len(pages) >= 6
    for real in pages:
        assert isinstance(read_sample(real.case.messages), Sample)
        scenario = replace(real.case.brief.scenario, form=Form.RETOLD)
        problem = effect_of(replace(real.case, brief=replace(real.case.brief, scenario=scenario)))
        assert problem is not None
        assert problem.reason == READ_ALOUD, real.number


STAMPS = Fact("stamps", "38 stamps", ("38 stamps",), ("stamps",), "I own 38 stamps", "how many stamps I own")
FEWER = replace(STAMPS, value="24 stamps", forms=("24 stamps",), tell="I own 24 stamps")
NOTED = ("The user hums while ironing.", "The user owns 38 stamps.", "In 2024 the user owned 24 stamps.")


@pytest.mark.parametrize(
    ("question", "reply", "reason"),
    [
        ("How many stamps do I own?", "38, by what you told me.", ""),
        ("How many stamps do I own?", "24, by what you told me.", NOT_ANSWERED),
        ("How many stamps do I own?", "Ring at 38, or in 38 days.", NOT_ANSWERED),
        ("How many stamps do I own?", "It's 24, or 38.", NOT_NOW),
        ("How many stamps do I own, 38?", "38, by what you told me.", GIVEN_AWAY),
    ],
)
def test_the_number_alone_is_told_given_away_and_told_of_an_earlier_state(
    question: str, reply: str, reason: str
) -> None:
    values: dict[str, Any] = {"facts": (STAMPS,), "earlier": (FEWER,), "memory": NOTED}
    assert asked(Form.NEWEST, said(question, LOOK, reply), **values) == reason


def test_a_day_that_is_noted_and_told_as_a_date_is_looked_up_and_told() -> None:
    mine = Fact("dentist", "9 June", ("9 June", "June 9"), ("dentist",), "I go on 9 June", "when I go to the dentist")
    his = replace(mine, value="2 May", forms=("2 May", "May 2"), tell="I go on 2 May")
    memory = ("The user has to go to the dentist on 2026-06-09.", "The user's brother sees a dentist on 2026-05-02.")
    values: dict[str, Any] = {"facts": (mine,), "beside": (his,), "memory": memory}
    question = "When do I go to the dentist?"
    assert asked(Form.NEAR_MISS, said(question, LOOK, "On 2026-06-09, early."), **values) == ""
    assert asked(Form.NEAR_MISS, said(question, LOOK, "It's 2026-05-02, and 2026-06-09."), **values) == MISTAKEN
    both = "Your brother goes on 2026-05-02, and you on 2026-06-09."
    assert asked(Form.NEAR_MISS, said(question, LOOK, both), **values) == ""


def test_the_date_of_a_note_is_nothing_that_it_tells() -> None:
    # All notes of `case` are of 2026-02-20.
    mine = Fact("dentist", "20 February", ("20 February",), ("dentist",), "…", "when I go to the dentist")
    exchange = said("When do I go to the dentist?", LOOK, "On 20 February.")
    assert asked(Form.DATE_OR_NUMBER, exchange, facts=(mine,), memory=("The user hums.",)) == NOT_LOOKED_UP
