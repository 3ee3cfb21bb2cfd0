"""No form is shown by itself, and whatever is said in one can be judged."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.calls import ToolCall
from apep_datagen.people.scenario import FORMS, Ability, Fact, Form
from support.cases import LOOK, READ, case, effect_of, fact, keep, said

CITY = replace(fact("Faro", "where my godmother lives", "godmother"), slot="city", which="Rosa")
OTHER = replace(CITY, value="Braga", forms=("Braga",), which="Ines")
OWL = Fact("owl", "owl", ("owl", "windowsill"), ("owl",), "an owl sat there", "the visitor at night", "diary")
MEMORY = ("The user's godmother Rosa lives in Faro.", "The user's godmother Ines lives in Braga.", "Thunder again.")
PAGES = ("An owl sat on their windowsill.",)

SHOWING = [
    (ability, form)
    for ability, forms in FORMS.items()
    for form in forms
    if ability not in (Ability.SMALLTALK, Ability.ADVICE)
]
ALL = [(ability, form) for ability, forms in FORMS.items() for form in forms]


def facts_of(ability: Ability, form: Form) -> tuple[Fact, ...]:
    if ability is Ability.ABSTAIN or form is Form.NEVER_KEPT:
        return (replace(CITY, value="", forms=()),)
    if ability is Ability.ASK_BACK:
        return (CITY, OTHER)
    if ability in (Ability.DIARY, Ability.DIARY_RECALL):
        return (OWL,)
    return (CITY,)


@pytest.mark.parametrize(("ability", "form"), SHOWING)
@pytest.mark.parametrize("place", [1, 2])
def test_where_nothing_happens_nothing_is_shown(ability: Ability, form: Form, place: int) -> None:
    exchanges = [said("Rain again.", "Yes, again.")] * place
    judged = case(
        ability, *exchanges, memory=MEMORY, diary=PAGES, facts=facts_of(ability, form), form=form, place=place
    )
    assert effect_of(judged) is not None


@given(
    st.sampled_from(ALL),
    st.lists(st.tuples(st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=60)), min_size=1, max_size=3),
    st.integers(1, 4),
    st.sampled_from([(), LOOK, READ, keep("The user lives in Faro.")]),
)
def test_whatever_is_said_it_can_be_judged(
    shown: tuple[Ability, Form], texts: list[tuple[str, str]], place: int, calls: tuple[ToolCall, ...]
) -> None:
    ability, form = shown
    # Of each text what can be saved; where the conversation is shorter than planned, the last exchange shows it.
    exchanges = [
        said(f"Q{_plain(question)}", *([calls] if calls else []), f"R{_plain(reply)}") for question, reply in texts
    ]
    judged = case(
        ability,
        *exchanges,
        memory=MEMORY,
        diary=PAGES,
        facts=facts_of(ability, form),
        form=form,
        place=place,
        beside=(OTHER,),
        earlier=(OTHER,),
        inventions=("Lagos",),
    )
    effect_of(judged)


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable() and letter not in "<>[]").rstrip()
