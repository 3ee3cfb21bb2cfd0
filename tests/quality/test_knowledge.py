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


def test_a_later_exchange_may_speak_of_an_earlier_one() -> None:
    messages = conversation(
        "My boat leaks.",
        "<think>Poor boat.</think>\n\nTar it.",
        "Do you know what it is called?",
        "<think>They never told me its name, not a word of it.</think>\n\nNo. You told me before that it leaks.",
    )
    assert check(messages) is None


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
