"""What came of a conversation: whose fault it is, on which day it went wrong, and in which way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from apep_datagen.core.messages import Message
from apep_datagen.core.notebook import Entry, Notes
from apep_datagen.evaluate.failures import Failure
from apep_datagen.evaluate.outcome import Outcome, broken, examine
from apep_datagen.evaluate.root_cause import known_before, root_cause
from apep_datagen.people.scenario import Ability, Fact, Form, KnownFact
from apep_datagen.people.story import Story, Twins
from apep_datagen.quality.case import Case
from support.briefs import SCENARIO, USER
from support.cases import LOOK, case, delete, fact, keep, said, write
from support.world import CAST

DOG = fact("Bello", "what my dog is called", "dog")
CAT = fact("Mia", "what my cat is called", "cat")
DAY = "2026-02-20"  # on which all notes of `case` were written


def story(*facts: Fact, told_on: str = DAY, forgotten: Iterable[Fact] = ()) -> Story:
    return Story(USER, known=tuple(KnownFact(one, told_on) for one in facts), forgotten=tuple(forgotten))


def outcome(played: Case, ideal: Story | None = None, gone: Iterable[Entry] = ()) -> Outcome:
    """Return what came of a conversation, on a timeline that had these notes besides, before it."""
    before = played.change.before
    entries = [Entry("memory", note.date, note.text) for note in before.memory]
    entries += [Entry("diary", note.date, note.text) for note in before.diary]
    return examine(played, CAST.phrases, ideal or story(), [*entries, *gone])


def recall(*turns: object, memory: Iterable[str] = (), asked: Fact = DOG, question: str = "") -> Case:
    question = question or f"Do you know {asked.ask}?"
    return case(
        Ability.RECALL,
        said(question, *turns),  # type: ignore[arg-type]
        memory=list(memory),
        facts=[asked],
        form=Form.AMONG_MANY,
    )


# What is right, and what is void.


def test_what_was_asked_for_looked_up_and_told_is_right() -> None:
    found = outcome(recall(LOOK, "Your dog is called Bello.", memory=["The user's dog is Bello."]), story(DOG))
    assert found == Outcome(None)
    assert found.is_right


@pytest.mark.parametrize(
    "question", ["Is my dog Bello still called that, or what is my dog called?", "Do you </think> know it?", "  "]
)
def test_what_the_user_says_wrongly_is_nobodys_failure(question: str) -> None:
    played = recall("I have no idea.", memory=["The user's dog is Bello."], question=question)
    found = outcome(played, story(DOG))
    assert found.is_void
    assert not found.is_right
    assert (found.failure, bool(found.reason)) == (None, True)


def test_a_message_in_a_loop_is_the_testers_and_a_reply_in_one_is_adas() -> None:
    loop = "Tell me it again, and do so right away. " * 12
    played = recall(LOOK, "Bello.", memory=["The user's dog is Bello."], question=loop + "What is my dog called?")
    assert outcome(played, story(DOG)).is_void
    reply = recall(LOOK, f"Bello. {loop}", memory=["The user's dog is Bello."])
    assert outcome(reply, story(DOG)).failure is Failure.FORM


def test_records_that_do_not_fit_together_are_nobodys_failure() -> None:
    played = recall(LOOK, "Your dog is called Bello.", memory=["The user's dog is Bello."])
    tampered = tuple(
        Message("tool", message.content.replace("Bello", "Rex")) if message.role == "tool" else message
        for message in played.messages
    )
    assert outcome(replace(played, messages=tampered), story(DOG)).is_void


def test_an_answer_of_no_use_is_a_failure_of_form() -> None:
    found = broken("the answer is empty")
    assert (found.failure, found.detail, found.is_right) == (Failure.FORM, "the answer is empty", False)


def test_a_message_without_a_thought_is_no_failure() -> None:
    played = recall(LOOK, "Your dog is called Bello.", memory=["The user's dog is Bello."])
    bare = tuple(
        replace(message, content=message.content.replace("<think>I see.</think>\n\n", ""))
        for message in played.messages
    )
    assert not any("<think>" in message.content for message in bare)
    assert outcome(replace(played, messages=bare), story(DOG)).is_right


# What else a reason can stand for.


def test_something_else_told_is_invented_whether_she_looked_or_not() -> None:
    memory = ["The user's dog is Bello."]
    for turns in ((LOOK, "Your dog is called Zebulon."), ("Your dog is called Zebulon.",)):
        assert outcome(recall(*turns, memory=memory), story(DOG)).failure is Failure.INVENTED


def test_nothing_told_is_a_look_too_few_or_a_look_that_was_not_used() -> None:
    memory = ["The user's dog is Bello."]
    assert outcome(recall("I do not know.", memory=memory), story(DOG)).failure is Failure.DID_NOT_LOOK
    used = outcome(recall(LOOK, "I do not know.", memory=memory), story(DOG)).failure
    assert used is Failure.LOOKED_AND_DID_NOT_USE


def abstain(*turns: object) -> Case:
    asked = replace(DOG, value="", forms=())
    return case(
        Ability.ABSTAIN,
        said("Do you know what my dog is called?", *turns),  # type: ignore[arg-type]
        memory=["The user's cat is Mia."],
        facts=[asked],
        inventions=["Rex"],
        form=Form.UNRELATED,
    )


@pytest.mark.parametrize(
    ("turns", "failure"),
    [
        ((LOOK, "You never told me what your dog is called."), None),
        (("You never told me what your dog is called.",), Failure.DID_NOT_LOOK),
        (("Your dog is called Rex.",), Failure.INVENTED),
        (("Your dog is called Zebulon.",), Failure.INVENTED),
        ((LOOK, "Your dog is called Rex."), Failure.INVENTED),
        ((LOOK, "What a lovely day it is."), Failure.LOOKED_AND_DID_NOT_USE),
    ],
)
def test_what_is_not_there_is_admitted_after_a_look(turns: tuple[object, ...], failure: Failure | None) -> None:
    assert outcome(abstain(*turns), story(CAT)).failure is failure


def share(*turns: object, memory: Iterable[str] = (), form: Form = Form.TOLD) -> Case:
    return case(
        Ability.SHARE,
        said("My dog is called Bello.", *turns),  # type: ignore[arg-type]
        memory=list(memory),
        facts=[DOG],
        form=form,
    )


@pytest.mark.parametrize(
    ("turns", "failure"),
    [
        ((keep("The user's dog is Bello."), "How nice."), None),
        (("How nice.",), Failure.DID_NOT_WRITE),
        ((keep("The user's dog is Rex."), "How nice."), Failure.WROTE_WRONGLY),
        ((keep("It is a sunny day."), "How nice."), Failure.DID_NOT_WRITE),
        (
            (keep("The user's dog is Bello.", "What the user's dog is called: Bello."), "How nice."),
            Failure.WROTE_WRONGLY,
        ),
        ((delete(4), "How nice."), Failure.FORM),
    ],
)
def test_what_is_told_is_kept_once_and_rightly(turns: tuple[object, ...], failure: Failure | None) -> None:
    assert outcome(share(*turns)).failure is failure


def test_what_is_there_and_is_written_again_was_not_looked_for_or_is_written_wrongly() -> None:
    memory, again = ["The user's dog is called Bello."], keep("The user's dog is Bello.")
    known = Form.KNOWN_ALREADY
    assert outcome(share("I know.", memory=memory, form=known), story(DOG)).is_right
    blind = outcome(share(again, "How nice.", memory=memory, form=known), story(DOG))
    assert blind.failure is Failure.DID_NOT_LOOK
    looked = outcome(share(LOOK, again, "How nice.", memory=memory, form=known), story(DOG))
    assert looked.failure is Failure.WROTE_WRONGLY


def test_what_should_be_there_and_is_not_may_be_written_when_it_is_told_again() -> None:
    found = outcome(share(keep("The user's dog is Bello."), "How nice.", form=Form.KNOWN_ALREADY), story(DOG))
    assert found.is_right


PAGE = Fact("storm", "storm", ("storm",), (), "I watched the storm from the roof", "the storm", shelf="diary")


@pytest.mark.parametrize(
    ("turns", "failure"),
    [
        ((write("They told me how they watched the storm."), "What a sight."), None),
        (("What a sight.",), Failure.DID_NOT_WRITE),
        ((write("They told me of their cellar."), "What a sight."), Failure.WROTE_WRONGLY),
    ],
)
def test_a_page_is_about_what_was_told(turns: tuple[object, ...], failure: Failure | None) -> None:
    played = case(
        Ability.DIARY,
        said("I watched the storm from the roof, and it was grand.", *turns),  # type: ignore[arg-type]
        facts=[PAGE],
        form=Form.MOMENT,
    )
    assert outcome(played).failure is failure


# What went wrong on an earlier day.

ASKING = replace(SCENARIO, ability=Ability.RECALL, form=Form.AMONG_MANY, facts=(DOG,))
EMPTY = Notes()


def notes(*texts: str, date: str = DAY) -> Notes:
    return case(Ability.SMALLTALK, said("Hi.", "Hi."), memory=texts).change.before if date == DAY else EMPTY


def test_what_is_there_has_no_cause() -> None:
    assert root_cause(ASKING, story(DOG), notes("The user's dog is Bello."), []) is None
    # In whatever words, where it was written on the day on which it was told.
    assert root_cause(ASKING, story(DOG), notes("They call him Bello."), []) is None


def test_a_value_of_something_else_is_not_taken_for_it() -> None:
    elsewhere = story(DOG, told_on="2026-02-25")
    found = root_cause(ASKING, elsewhere, notes("The user's favourite wine is Bello."), [])
    assert found is not None
    assert found.failure is Failure.DID_NOT_WRITE


@pytest.mark.parametrize(
    ("ever", "failure"),
    [
        ([], Failure.DID_NOT_WRITE),
        ([Entry("memory", DAY, "The user's cat is Mia.")], Failure.DID_NOT_WRITE),
        ([Entry("memory", "2026-01-01", "The user's dog is Rex.")], Failure.DID_NOT_WRITE),
        ([Entry("memory", DAY, "The user's dog is Rex.")], Failure.WROTE_WRONGLY),
        ([Entry("memory", DAY, "The user's dog is Bello.", deleted_in=3)], Failure.WROTE_WRONGLY),
        ([Entry("memory", "2024-01-01", "The user's dog is Bello.", deleted_in=3)], Failure.WROTE_WRONGLY),
        ([Entry("diary", DAY, "Their dog is Bello.")], Failure.DID_NOT_WRITE),
    ],
)
def test_what_is_missing_was_never_written_or_written_wrongly_or_lost(ever: list[Entry], failure: Failure) -> None:
    found = root_cause(ASKING, story(DOG), EMPTY, ever)
    assert found is not None
    assert found.failure is failure


def test_all_that_a_question_needs_has_to_be_there() -> None:
    connecting = replace(ASKING, ability=Ability.CONNECT, form=Form.TWO_FACTS, facts=(DOG, CAT))
    found = root_cause(connecting, story(DOG, CAT), notes("The user's dog is Bello."), [])
    assert found is not None
    assert found.detail == CAT.tell


def test_of_what_is_to_be_forgotten_a_part_is_enough() -> None:
    forgetting = replace(ASKING, ability=Ability.FORGET, form=Form.PERSON, facts=(DOG, CAT))
    assert root_cause(forgetting, story(DOG, CAT), notes("The user's dog is Bello."), []) is None
    found = root_cause(forgetting, story(DOG, CAT), EMPTY, [])
    assert found is not None
    assert found.failure is Failure.DID_NOT_WRITE


def test_of_two_candidates_both_have_to_be_there() -> None:
    first, second = replace(DOG, which="Rita"), replace(DOG, value="Rex", forms=("Rex",), which="Ben")
    twins = Story(USER, twins=(Twins(first, second, DAY),))
    asking_back = replace(ASKING, ability=Ability.ASK_BACK, form=Form.TWO_CANDIDATES, facts=(first, second))
    both = notes("Rita's dog is Bello.", "Ben's dog is Rex.")
    assert root_cause(asking_back, twins, both, []) is None
    assert root_cause(asking_back, twins, notes("Rita's dog is Bello."), []) is not None


@pytest.mark.parametrize(
    ("ability", "form"),
    [
        (Ability.UPDATE, Form.CHANGED),
        (Ability.SHARE, Form.KNOWN_ALREADY),
        (Ability.RECALL, Form.SAID_ABOVE),
        (Ability.FORGET, Form.NEVER_KEPT),
        (Ability.ABSTAIN, Form.UNRELATED),
    ],
)
def test_what_can_be_right_all_the_same_has_no_cause(ability: Ability, form: Form) -> None:
    scenario = replace(ASKING, ability=ability, form=form, replaced=DOG if ability is Ability.UPDATE else None)
    assert root_cause(scenario, story(DOG), EMPTY, []) is None


def test_what_was_to_be_forgotten_and_is_there_was_written_wrongly() -> None:
    asked = replace(ASKING, ability=Ability.ABSTAIN, form=Form.FORGOTTEN, facts=(replace(DOG, value="", forms=()),))
    ideal = story(CAT, forgotten=[DOG])
    found = root_cause(asked, ideal, notes("The user's dog is Bello."), [])
    assert found is not None
    assert found.failure is Failure.WROTE_WRONGLY
    assert root_cause(asked, ideal, notes("The user's cat is Mia."), []) is None


def test_an_earlier_day_comes_before_this_one_and_a_broken_answer_before_both() -> None:
    invented = recall(LOOK, "Your dog is called Zebulon.", memory=["The user's cat is Mia."])
    assert outcome(invented, story(DOG, CAT)).failure is Failure.DID_NOT_WRITE
    looped = recall(LOOK, "I would say that it was a long day for all. " * 8, memory=["The user's cat is Mia."])
    assert outcome(looped, story(DOG, CAT)).failure is Failure.FORM


def test_what_she_wrote_just_now_is_not_what_was_there() -> None:
    played = recall(LOOK, keep("The user's dog is Bello."), "Bello.", memory=["The user's cat is Mia."])
    mine = Entry("memory", played.brief.date, "The user's dog is Bello.", added_in=played.brief.conversation_id)
    assert outcome(played, story(DOG), [mine]).failure is Failure.DID_NOT_WRITE


def test_what_is_known_is_what_is_really_there() -> None:
    assert known_before(ASKING, story(DOG, CAT), notes("The user's cat is Mia.")) == (CAT,)
    assert known_before(ASKING, story(DOG, CAT), EMPTY) == ()
