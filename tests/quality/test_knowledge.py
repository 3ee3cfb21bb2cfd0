"""Before she has looked, Ada knows nothing of other days: not the answer, and not whether she was told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apep_datagen.core.messages import Message
from apep_datagen.core.notebook import Note, Notes
from apep_datagen.people.scenario import Ability, Fact, Scenario
from apep_datagen.people.story import Change
from apep_datagen.quality import knowledge, leak
from apep_datagen.quality.case import Case
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample, read_sample
from support.briefs import SCENARIO, brief
from support.real_conversations import real_conversations
from support.samples import FAULTLESS, conversation

LOOK = "<tool_call>recall_memories()</tool_call>"
RESULT = (
    '<tool_result>{"memories": [{"index": 1, "date": "2026-01-02", "text": "The user\'s boat is called Albatross."}]}'
    "</tool_result>"
)
BOAT = Fact("boat", "Albatross", ("Albatross",), ("boat",), "my boat is called Albatross", "what my boat is called")
NOTES = Notes((Note(1, "2026-01-02", "The user's boat is called Albatross."),))


def check(messages: tuple[Message, ...], scenario: Scenario = SCENARIO) -> Problem | None:
    sample = read_sample(messages)
    assert isinstance(sample, Sample), sample
    return knowledge.check(sample, Case(brief(scenario=scenario), messages, Change((), NOTES, NOTES)))


def asked(thought: str, reply: str = "Albatross, that is what it says.") -> tuple[Message, ...]:
    return conversation(
        "What is my boat called again?",
        f"<think>{thought}</think>\n\n{LOOK}",
        RESULT,
        f"<think>There it stands.</think>\n\n{reply}",
    )


RECALL = replace(SCENARIO, ability=Ability.RECALL, facts=(BOAT,))


@pytest.mark.parametrize(
    "thought",
    [
        "Albatross, I would think. Let me look.",
        "It was some bird, albatross, and I check.",
    ],
)
def test_the_answer_before_the_look_is_a_leak(thought: str) -> None:
    problem = check(asked(thought), RECALL)
    assert problem is not None
    assert (problem.stage, problem.reason) == (Stage.KNOWLEDGE, leak.REASON)
    assert "lbatross" in problem.quote


def test_the_old_value_before_the_look_is_a_leak_too() -> None:
    told = replace(BOAT, value="Heron", forms=("Heron",), tell="my new boat is called Heron")
    update = replace(SCENARIO, ability=Ability.UPDATE, facts=(told,), replaced=BOAT)
    messages = conversation(
        "I sold the boat. The new one is called Heron.",
        f"<think>Heron now, no longer Albatross. I look for the old note.</think>\n\n{LOOK}",
        RESULT,
        "<think>There it stands.</think>\n\nHeron, a lighter bird.",
    )
    problem = check(messages, update)
    assert problem is not None
    assert "Albatross" in problem.quote


def test_what_the_user_says_first_is_known() -> None:
    messages = conversation(
        "Is it Albatross that my boat is called, or was that my brother's?",
        f"<think>Albatross, they say, or the brother's. I look.</think>\n\n{LOOK}",
        RESULT,
        "<think>There it stands.</think>\n\nYours is the Albatross.",
    )
    assert check(messages, RECALL) is None


def test_a_claim_counts_until_a_result_has_come() -> None:
    before = asked("I believe I noted it once. Let me look.")
    after = asked("They want the name. Let me look.", "I noted it once, back in winter: Albatross.")
    found = check(before, RECALL)
    assert found is not None
    assert found.quote == "I believe I noted it once."
    assert check(after, RECALL) is None


LEAKING = ("My boat leaks, and it was in the yard all winter.", "<think>Poor boat.</think>\n\nTar it.")
KEEP = '<tool_call>add_memory(input_text=["The user has a boat that leaks."])</tool_call>'
STORED = (
    "My boat leaks.",
    f"<think>A leaking boat, that I keep.</think>\n\n{KEEP}",
    '<tool_result>{"added": 1, "indices": [2]}</tool_result>',
    "<think>Kept.</think>\n\nTar it.",
)


@pytest.mark.parametrize(
    ("above", "thought", "reply"),
    [
        (LEAKING, "They told me that it leaks, so the tar comes first.", "You told me before that it leaks."),
        (LEAKING, "They want to know when.", "In spring, after the winter in the yard that you mentioned earlier."),
        (LEAKING, "They want to know when.", "In spring. I remember you saying that before."),
        (STORED, "I noted that the boat leaks, and tar will do.", "As you said before, it leaks: two coats."),
    ],
)
def test_a_later_exchange_may_speak_of_what_was_said_above(above: tuple[str, ...], thought: str, reply: str) -> None:
    assert check(conversation(*above, "And when do I do that?", f"<think>{thought}</think>\n\n{reply}")) is None


@pytest.mark.parametrize("above", [LEAKING, STORED])
@pytest.mark.parametrize(
    ("question", "thought", "reply"),
    [
        ("Do you know my sister?", "They never told me anything of a sister.", "No, who is she?"),
        ("Do you know its name?", f"I do believe I noted the name.|{LOOK}", "Albatross."),
        ("Do you know its name?", f"I do believe I have it.|{LOOK}", "Albatross."),
        ("Do you know its name?", f"There must be a line of it in my list.|{LOOK}", "Albatross."),
        ("I met my sister.", "How nice.", "I remember your sister. You told me last month that she sails."),
    ],
)
def test_what_nothing_above_bears_out_is_a_claim_in_any_exchange(
    above: tuple[str, ...], question: str, thought: str, reply: str
) -> None:
    thought, _, call = thought.partition("|")
    looking = (f"<think>{thought}</think>\n\n{call}", RESULT, f"<think>There.</think>\n\n{reply}")
    answer = looking if call else (f"<think>{thought}</think>\n\n{reply}",)
    problem = check(conversation(*above, question, *answer))
    assert problem is not None
    assert problem.stage is Stage.KNOWLEDGE
    # After a look in an earlier exchange she knows what was said on other days.
    looked = ("Hello!", f"<think>Let me see.</think>\n\n{LOOK}", RESULT, "<think>A boat.</think>\n\nHello!")
    assert check(conversation(*looked, *above, question, *answer)) is None


def test_a_near_miss_and_an_earlier_state_are_not_known_before_the_look_either() -> None:
    other = replace(BOAT, value="Heron", forms=("Heron",), tell="my boat is called Heron")
    asking = replace(SCENARIO, ability=Ability.RECALL, facts=(BOAT,))
    for scenario in (replace(asking, beside=(other,)), replace(asking, earlier=(other,))):
        problem = check(asked("Heron, or was that another? I look."), scenario)
        assert problem is not None
        assert problem.reason == leak.REASON
    twins = replace(SCENARIO, ability=Ability.ASK_BACK, facts=(BOAT, other))
    assert check(asked("Heron or what was it? I look."), twins) is not None


def test_what_was_told_above_is_known() -> None:
    told = ("My boat is the Albatross.", "<think>A fine name.</think>\n\nDoes she fly?")
    again = ("What is she called?", "<think>Albatross, they said so.</think>\n\nAlbatross.")
    assert check(conversation(*told, *again), RECALL) is None


def test_a_reply_without_a_look_does_not_remember() -> None:
    problem = check(conversation("Hello!", "<think>A greeting.</think>\n\nHello! I remember your boat. Is it dry?"))
    assert problem is not None
    assert problem.stage is Stage.KNOWLEDGE


@pytest.mark.parametrize("name", FAULTLESS)
def test_faultless_samples_claim_nothing(name: str) -> None:
    assert check(FAULTLESS[name]) is None


def test_of_the_claims_that_readers_found_most_are_found_and_no_good_conversation_is_wronged() -> None:
    kinds = ("claims to remember before looking", "claims to know her memory without looking", "foresees the result")
    found = set()
    for real in real_conversations():
        sample = read_sample(real.case.messages)
        assert isinstance(sample, Sample)
        if knowledge.check(sample, real.case):
            found.add(real.number)
    claiming = {real.number for real in real_conversations() if real.label.has(*kinds)}
    good = {real.number for real in real_conversations() if real.label.verdict == "good"}
    # One of them (38) stands in a rewritten thought alone: the original is saved, and claims nothing.
    assert len(claiming & found) >= 12
    assert not good & found
