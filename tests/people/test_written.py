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

from apep_datagen.core.calls import ToolCall
from apep_datagen.core.files import read_text
from apep_datagen.core.notebook import Notes
from apep_datagen.core.templates import path_of_prompt
from apep_datagen.core.words import holds, words
from apep_datagen.language.values import tells
from apep_datagen.people.cast import load_cast
from apep_datagen.people.drawing import draw_scenario, draw_user, generator, possible_abilities
from apep_datagen.people.frames import filled, frames_of
from apep_datagen.people.past import draw_past
from apep_datagen.people.phrasings import load_phrasings
from apep_datagen.people.scenario import FORMS, Ability, Form, Scenario, User
from apep_datagen.people.story import Change
from apep_datagen.people.written import load_written_tester
from apep_datagen.quality import effect, form, time, voice
from apep_datagen.quality.sample import Sample, SavedExchange, SavedTurn
from support.briefs import SCENARIO, USER, brief
from support.cases import fact

CAST = load_cast()
CASTS = (CAST, load_cast(part="held out"))
TESTER = load_written_tester()
TESTER_PHRASINGS = load_phrasings()
EVERY_FORM = [(ability, form) for ability, forms in FORMS.items() for form in forms]
WRITING = [entry for group in CAST.users.writing for entry in group]
AT = "2026-03-04T19:40"
MOST_EXCHANGES = 4
USERS_FOR_ALL_FORMS = 60
TESTER_FILES = ("tester_system.txt", "tester_user.txt")
# What `quality/effect/tools.py` goes by.
PERSONAL = {"i", "im", "ill", "id", "ive", "me", "my", "mine", "myself", "we", "weve", "us", "our", "ours"}

NOTHING_CHANGED = Change((), Notes((), ()), Notes((), ()))

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
        cast = CASTS[seed % 2]
        user = draw_user(cast, generator(seed, "user"))
        story = draw_past(cast, generator(seed, "past"), user, AT[:10]).story
        if story.known:  # something has been forgotten
            story = replace(story, forgotten=(story.known[0].fact,), known=story.known[1:])
        for exchanges in range(1, MOST_EXCHANGES + 1):
            for ability in possible_abilities(cast, story, AT[:10], exchanges):
                draw = generator(seed, ability, exchanges)
                yield Case(draw_scenario(cast, draw, ability, story, at=AT, exchanges=exchanges), user, exchanges)


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
    found = effect.check(sample, scenario, NOTHING_CHANGED, CAST.phrases)
    assert found is None or not found.reason.startswith("the user's message"), (found, messages)


@given(every_form, seeds, habits, st.sampled_from(["2026-03-07T06:40", AT, "2026-12-31T23:20"]))
def test_no_message_is_out_of_time_or_out_of_its_part(case: Case, seed: int, writing: str, at: str) -> None:
    messages = case.messages(seed, writing)
    sample = case.sample(messages)
    now = brief(at=at, exchanges=case.exchanges, scenario=case.scenario, user=case.user)
    assert time.check(sample, now) is None, messages
    assert form.check(sample) is None, messages
    spoken = voice.check(sample, phrases=CAST.phrases, user_name=case.user.name, prompt_texts=prompt_texts())
    assert spoken is None, (spoken, messages)


@functools.cache
def prompt_texts() -> tuple[str, ...]:
    """All that generation tells a model, as it stands in its files."""
    system, user = (read_text(path_of_prompt(name, None), "the file") for name in TESTER_FILES)
    return (system, user, *CAST.instruction_sources)


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
        for told in case.scenario.facts:
            assert tells(message, told.forms) or number != case.scenario.place, messages
            assert not holds(message, told.forms) or number == case.scenario.place, messages


@given(seeds, st.data())
def test_a_mistake_is_said_to_have_been_wrong_all_along(seed: int, data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(cases()[Ability.UPDATE, Form.MISTAKE]))
    assert holds(case.messages(seed)[case.scenario.place - 1], ("wrong", "mistake", "mixed", "slip"))


@given(seeds, st.data(), habits)
def test_what_is_asked_for_later_in_a_chat_is_told_at_its_beginning_alone(
    seed: int, data: st.DataObject, writing: str
) -> None:
    case = data.draw(st.sampled_from(cases()[Ability.RECALL, Form.SAID_ABOVE]))
    first, *others = case.messages(seed, writing)
    (told,) = case.scenario.facts
    assert tells(first, told.forms)
    assert not holds("\n".join(others), told.forms), others


NOT_TOLD = {Ability.FORGET, Ability.RECALL, Ability.CONNECT, Ability.ABSTAIN, Ability.APPLY, Ability.ASK_BACK}
NOT_SAID = st.sampled_from([each for each in EVERY_FORM if each[0] in NOT_TOLD and each[1] is not Form.SAID_ABOVE])


@given(NOT_SAID.flatmap(lambda each: st.sampled_from(cases()[each])), seeds, habits)
def test_what_ada_is_to_look_up_is_never_said_nor_a_word_of_it_beside_the_question(
    case: Case, seed: int, writing: str
) -> None:
    scenario = case.scenario
    planned = " ".join((scenario.question, *(fact.ask for fact in scenario.facts), scenario.topic))
    secret = [form for fact in (*scenario.facts, *scenario.beside) if fact.shelf == "memory" for form in fact.forms]
    secret += scenario.inventions
    for message in case.messages(seed, writing):
        assert not holds(message, [form for form in secret if not holds(planned, (form,))]), message


def test_a_sentence_that_holds_an_answer_by_chance_is_not_said() -> None:
    for value in ("kettle", "reason", "form", "strike", "coffee", "funny", "head", "minute", "wrong"):
        asked = fact(value, "what my boat is called", "boat")
        slot = replace(asked, value="", forms=())
        scenario = replace(SCENARIO, ability=Ability.RECALL, facts=(slot,), place=2)
        for having_it in (
            replace(scenario, facts=(asked,)),
            replace(scenario, beside=(asked,)),
            replace(scenario, earlier=(asked,)),
            replace(scenario, replaced=asked),
            replace(scenario, inventions=(value,)),
            replace(scenario, facts=(replace(slot, which=value),)),
        ):
            for seed in range(20):
                said = "\n".join(Case(having_it, USER, 4).messages(seed))
                assert not holds(said, (value,)), said


def test_a_chat_does_not_begin_with_a_topic_or_a_mood_that_holds_an_answer() -> None:
    asked = fact("Plum", "what my boat is called", "boat")
    scenario = replace(
        SCENARIO, ability=Ability.RECALL, facts=(asked,), place=2, topic="plum jam, too thin", mood="plum tired"
    )
    for seed in range(100):
        assert not holds("\n".join(Case(scenario, USER, 2).messages(seed)), ("plum",))


def test_nobody_greets_themselves() -> None:
    for seed in range(100):
        first, *_ = Case(replace(SCENARIO, ability=Ability.ADVICE), replace(USER, name="Ada"), 1).messages(seed)
        assert not holds(first, ("Ada",))


@given(seeds, st.data(), habits)
def test_which_of_two_is_meant_is_said_in_the_message_after_the_question(
    seed: int, data: st.DataObject, writing: str
) -> None:
    case = data.draw(st.sampled_from(cases()[Ability.ASK_BACK, Form.TWO_CANDIDATES]))
    place = case.scenario.place
    for number, message in enumerate(case.messages(seed, writing), start=1):
        named = [fact for fact in case.scenario.facts if holds(message, (fact.which,))]
        assert len(named) == (number == place + 1), message


ALIKE = [
    (Ability.SHARE, Form.KNOWN_ALREADY, Ability.SHARE, Form.TOLD),
    (Ability.UPDATE, Form.OLD_MISSING, Ability.UPDATE, Form.CHANGED),
    (Ability.UPDATE, Form.TWO_TOUCHED, Ability.UPDATE, Form.CHANGED),
    (Ability.FORGET, Form.NEVER_KEPT, Ability.FORGET, Form.ONE),
    (Ability.FORGET, Form.HALF, Ability.FORGET, Form.ONE),
    (Ability.RECALL, Form.NEAR_MISS, Ability.RECALL, Form.AMONG_MANY),
    (Ability.RECALL, Form.NEWEST, Ability.RECALL, Form.AMONG_MANY),
    (Ability.ABSTAIN, Form.NEAR_MISS, Ability.RECALL, Form.AMONG_MANY),
    (Ability.ABSTAIN, Form.UNRELATED, Ability.RECALL, Form.AMONG_MANY),
    (Ability.ABSTAIN, Form.FORGOTTEN, Ability.RECALL, Form.AMONG_MANY),
    (Ability.ASK_BACK, Form.TWO_CANDIDATES, Ability.RECALL, Form.AMONG_MANY),
]


@pytest.mark.parametrize(("ability", "one", "plain_ability", "plain"), ALIKE)
def test_what_differs_in_memory_alone_is_said_in_the_same_words(
    ability: Ability, one: Form, plain_ability: Ability, plain: Form
) -> None:
    for seed, case in enumerate(cases()[ability, one]):
        if case.exchanges == 1:
            other = replace(case, scenario=replace(case.scenario, ability=plain_ability, form=plain))
            assert case.messages(seed) == other.messages(seed)


# ------------------------------------------------------------------------------------------- chats without a memory


def test_two_of_three_chats_give_nothing_to_look_up() -> None:
    for ability, each in ((Ability.SMALLTALK, Form.CHAT), (Ability.ADVICE, Form.GENERAL)):
        needless = [needs_no_look(case, seed) for seed, case in enumerate(cases()[ability, each] * 2)]
        assert 0.58 < sum(needless) / len(needless) < 0.75, ability


def needs_no_look(case: Case, seed: int) -> bool:
    """Whether an Ada who looks in a chat is found to look for nothing."""
    look = SavedTurn("I look.", "", (ToolCall("recall_memories", {}),), ({"memories": []},))
    answer = SavedTurn("Fine.", "That is a fine thing to talk about, and there is a lot to be said about it.")
    messages = case.messages(seed)
    sample = Sample("You are Ada.", tuple(SavedExchange(message, (look, answer)) for message in messages))
    found = effect.check(sample, case.scenario, NOTHING_CHANGED, CAST.phrases)
    is_personal = not PERSONAL.isdisjoint(words("\n".join(messages)))
    assert is_personal == (found is None), messages
    return found is not None


# ------------------------------------------------------------------------------------------------------ for everyone


@given(all_cases, seeds)
def test_whoever_is_examined_with_the_same_seed_is_told_the_same(case: Case, seed: int) -> None:
    messages = case.messages(seed)
    assert load_written_tester().messages(generator(seed), case.scenario, case.user, case.exchanges) == messages


@pytest.mark.parametrize(("ability", "each"), EVERY_FORM)
def test_hardly_a_message_comes_twice(ability: Ability, each: Form) -> None:
    case = next(case for case in cases()[ability, each] if case.exchanges > 1)
    said = {case.messages(seed)[case.scenario.place - 1] for seed in range(200)}
    assert len(said) > 150


def test_a_scenario_says_what_is_asked_where_that_is_no_fact() -> None:
    connections = {connection.ask for cast in CASTS for connection in cast.connections}
    occasions = {occasion for cast in CASTS for slot in cast.slots.values() for occasion in slot.occasions}
    asked = {Ability.CONNECT: connections, Ability.APPLY: occasions}
    for ability, each in EVERY_FORM:
        assert {case.scenario.question for case in cases()[ability, each]} <= asked.get(ability, {""})


def test_a_scenario_of_an_earlier_version_that_does_not_say_what_is_asked_is_refused() -> None:
    for ability, each in ((Ability.CONNECT, Form.TWO_FACTS), (Ability.APPLY, Form.USE)):
        case = cases()[ability, each][0]
        assert case.scenario.question
        with pytest.raises(ValueError, match=f"the scenario of {ability.value} does not say what is asked"):
            replace(case, scenario=replace(case.scenario, question="")).messages(1)


def test_where_there_are_fewer_exchanges_than_planned_the_last_shows_the_ability() -> None:
    case = next(case for case in cases()[Ability.SHARE, Form.TOLD] if case.scenario.place == 3)
    _, last = replace(case, exchanges=2).messages(1)
    assert tells(last, case.scenario.facts[0].forms)


# --------------------------------------------------------------------------------------------- of whom all is forgotten


def test_what_begins_a_sentence_begins_with_a_capital_letter_and_a_question_ends_it() -> None:
    values = {"ask": "my {x} size", "tell": "x {tell} is mine", "question": "Am I here. Where am I?"}
    assert filled("{ask}: do you know {tell}?", values) == "My {x} size: do you know x {tell} is mine?"
    assert filled("Well. {tell}. So {ask}.", values) == "Well. X {tell} is mine. So my {x} size."
    assert filled("Hm: {question}. Wait... {question} Quick.", values) == (
        "Hm: Am I here. Where am I? Wait... Am I here. Where am I? Quick."
    )


def test_everybody_of_the_world_is_called_by_what_they_are_to_the_user() -> None:
    persons = TESTER_PHRASINGS.persons.values()
    for name in CAST.world.persons:
        facts = tuple(slot.fact(("x",)) for cast in CASTS for slot in cast.slots_of.get(name, ()))
        scenario = replace(SCENARIO, ability=Ability.FORGET, form=Form.PERSON, facts=facts)
        _, values = frames_of(TESTER_PHRASINGS, scenario)
        assert values["person"] in persons, name


def test_somebody_of_another_world_is_called_by_all_that_is_known() -> None:
    facts = (fact("Bello", "what my griffin is called", "griffin"), fact("straw", "what my griffin eats", "eats"))
    scenario = replace(SCENARIO, ability=Ability.FORGET, form=Form.PERSON, facts=facts)
    _, values = frames_of(TESTER_PHRASINGS, scenario)
    assert values["person"] == "what my griffin is called and what my griffin eats"
