"""What the written tester says: what it is to say, nothing that it is not, and the same for the same seed."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.notebook import Notes
from apep_datagen.core.words import holds
from apep_datagen.language.values import tells
from apep_datagen.people.cast import load_cast
from apep_datagen.people.drawing import draw_scenario, draw_user, generator, possible_abilities
from apep_datagen.people.past import draw_past
from apep_datagen.people.scenario import FORMS, Ability, Form, Scenario, User
from apep_datagen.people.story import Change
from apep_datagen.people.written import load_written_tester
from apep_datagen.quality import effect, form, time, voice
from apep_datagen.quality.sample import Sample, SavedExchange, SavedTurn
from support.briefs import brief

CAST = load_cast()
TESTER = load_written_tester()
EVERY_FORM = [(ability, form) for ability, forms in FORMS.items() for form in forms]
WRITING = [entry for group in CAST.users.writing for entry in group]
AT = "2026-03-04T19:40"
MOST_EXCHANGES = 4
USERS_FOR_ALL_FORMS = 60
PERSONAL = {"i", "im", "ive", "id", "ill", "me", "my", "mine", "myself", "we", "us", "our", "ours"}

seeds = st.integers(0, 2**32)


@dataclass(frozen=True, slots=True)
class Case:
    """What one conversation is about, who writes it, and how many exchanges it has."""

    scenario: Scenario
    user: User
    exchanges: int

    def messages(self, seed: int, writing: str = "") -> tuple[str, ...]:
        user = replace(self.user, writing=writing) if writing else self.user
        return TESTER.messages(generator(seed), self.scenario, user, self.exchanges)

    def sample(self, messages: tuple[str, ...]) -> Sample:
        """The conversation with an Ada who only nods."""
        nod = (SavedTurn("Okay.", "Okay."),)
        return Sample("You are Ada.", tuple(SavedExchange(message, nod) for message in messages))


@functools.cache
def cases() -> dict[tuple[Ability, Form | None], list[Case]]:
    """What the program's own tables give, in all forms, places and lengths."""
    found = defaultdict(list)
    for case in _drawn():
        found[case.scenario.ability, case.scenario.form].append(case)
    return found


def _drawn() -> Iterator[Case]:
    for seed in range(USERS_FOR_ALL_FORMS):
        user = draw_user(CAST, generator(seed, "user"))
        story = draw_past(CAST, generator(seed, "past"), user, AT[:10]).story
        if story.known:  # something has been forgotten
            story = replace(story, forgotten=(story.known[0].fact,), known=story.known[1:])
        for exchanges in range(1, MOST_EXCHANGES + 1):
            for ability in possible_abilities(CAST, story, AT[:10], exchanges):
                draw = generator(seed, ability, exchanges)
                yield Case(draw_scenario(CAST, draw, ability, story, at=AT, exchanges=exchanges), user, exchanges)


all_cases = st.sampled_from([case for each in EVERY_FORM for case in cases()[each]])
every_form = st.sampled_from(EVERY_FORM).flatmap(lambda each: st.sampled_from(cases()[each]))
habits = st.sampled_from(WRITING)


def test_all_forms_are_tried() -> None:
    assert set(cases()) == set(EVERY_FORM)


# ------------------------------------------------------------------------------------------- what the judge asks of it


@given(every_form, seeds, habits)
def test_no_message_is_to_blame_for_what_ada_does(case: Case, seed: int, writing: str) -> None:
    messages = case.messages(seed, writing)
    sample, scenario = case.sample(messages), case.scenario
    found = effect.check(sample, scenario, Change((), Notes((), ()), Notes((), ())), CAST.phrases)
    assert found is None or not found.reason.startswith("the user's message"), (found, messages)


@given(every_form, seeds, habits)
def test_no_message_is_out_of_time_or_out_of_its_part(case: Case, seed: int, writing: str) -> None:
    messages = case.messages(seed, writing)
    sample = case.sample(messages)
    now = brief(at=AT, exchanges=case.exchanges, scenario=case.scenario, user=case.user)
    assert time.check(sample, now) is None, messages
    assert form.check(sample) is None, messages
    spoken = voice.check(sample, phrases=CAST.phrases, user_name=case.user.name, prompt_texts=prompt_texts())
    assert spoken is None, (spoken, messages)


@functools.cache
def prompt_texts() -> tuple[str, ...]:
    """All that generation tells a model, as it stands in its files."""
    return CAST.instruction_sources


@given(every_form, seeds, habits)
def test_there_is_one_message_for_each_exchange_in_plain_text(case: Case, seed: int, writing: str) -> None:
    messages = case.messages(seed, writing)
    assert len(messages) == case.exchanges
    for message in messages:
        assert message == message.strip()
        assert message
        assert not re.search(r"[{}<>\n]|  |(?<!\.)\.\.(?!\.)|[?!]\.|,\.", message), message
    assert len(set(messages)) == len(messages)


# --------------------------------------------------------------------------------------------------- what it says


TOLD = [(ability, each) for ability, each in EVERY_FORM if ability in {Ability.SHARE, Ability.UPDATE, Ability.DIARY}]


@pytest.mark.parametrize(("ability", "each"), TOLD)
@given(data=st.data(), seed=seeds, writing=habits)
def test_what_is_to_be_told_is_told_where_the_ability_comes(
    ability: Ability, each: Form, data: st.DataObject, seed: int, writing: str
) -> None:
    case = data.draw(st.sampled_from(cases()[ability, each]))
    messages = case.messages(seed, writing)
    for number, message in enumerate(messages, start=1):
        for fact in case.scenario.facts:
            assert tells(message, fact.forms) or number != case.scenario.place, messages
            assert not holds(message, fact.forms) or number == case.scenario.place, messages
