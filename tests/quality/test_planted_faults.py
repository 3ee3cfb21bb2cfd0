"""Faults are planted by code into the conversations of a real model: so many of them are found."""

from __future__ import annotations

import functools
import random
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from apep_datagen.core.messages import Message
from apep_datagen.people.cast import load_cast
from apep_datagen.people.scenario import Ability
from apep_datagen.quality.case import Case
from apep_datagen.quality.judge import Judge
from apep_datagen.quality.novelty import NoveltyLimits
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.sample import Sample, read_sample
from apep_datagen.storage.accepted import AcceptedConversations
from apep_datagen.storage.schema import migrate
from support.real_conversations import real_conversations

CAST = load_cast()
VOICE, EFFECT, FORM = Stage.VOICE, Stage.EFFECT, Stage.FORM
UNSUPPORTED = "the thinking does not lead to the call"
CUT_OFF = "a reply is cut off"


@functools.cache
def judge() -> Callable[[Case], Problem | None]:
    """Return what judges a case as if it were the first."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, seed=1, output_name="x", base_count=0, base_end=1)
    accepted = AcceptedConversations(connection)
    judging = Judge("strict", CAST.phrases, NoveltyLimits(), ())
    return lambda case: judging.judge(case, accepted)


@functools.cache
def good_cases() -> tuple[Case, ...]:
    """Return the conversations that readers call good and that pass."""
    cases = (real.case for real in real_conversations() if real.label.verdict == "good")
    return tuple(case for case in cases if judge()(case) is None)


def test_none_that_readers_call_good_is_rejected_by_form_effect_or_voice() -> None:
    problems = [(real.number, judge()(real.case)) for real in real_conversations() if real.label.verdict == "good"]
    assert len(problems) >= 100
    assert [found for found in problems if found[1] and found[1].stage in (FORM, EFFECT, VOICE)] == []


def sample_of(case: Case) -> Sample:
    sample = read_sample(case.messages)
    assert isinstance(sample, Sample)
    return sample


def reply_of(case: Case) -> str:
    return sample_of(case).exchanges[-1].turns[-1].reply


def with_message(case: Case, position: int, content: str) -> Case:
    messages = list(case.messages)
    messages[position] = Message(messages[position].role, content)
    return replace(case, messages=tuple(messages))


def with_reply(case: Case, reply: str) -> Case:
    thinking = case.messages[-1].content.partition("\n\n")[0]
    return with_message(case, len(case.messages) - 1, f"{thinking}\n\n{reply}")


def calls_in(case: Case) -> Iterator[tuple[int, str, str, str]]:
    """Yield position, tools, thought and what stands behind it, of each message with calls."""
    for position, message in enumerate(case.messages):
        if message.role == "assistant" and "<tool_call>" in message.content:
            thought, _, rest = message.content.partition("</think>")
            yield position, " ".join(re.findall(r"<tool_call>(\w+)", rest)), thought.removeprefix("<think>"), rest


def share_found(planted: list[Case], stage: Stage, *reasons: str) -> float:
    problems = [judge()(case) for case in planted]
    found = [problem for problem in problems if problem and problem.stage is stage and problem.reason in reasons]
    assert all(problem.quote for problem in found)
    return len(found) / len(planted)


@pytest.mark.parametrize(("same_tools", "floor"), [(True, 0.55), (False, 0.68)])
def test_a_thought_of_another_conversation_is_found(same_tools: bool, floor: float) -> None:  # noqa: FBT001
    """Measured: 69 % where the other thought led to the same tools, 76 % where it led to any."""
    draw = random.Random(7)  # noqa: S311 - an example
    thoughts = [(case, *called) for case in good_cases() for called in calls_in(case)]
    planted = []
    for case, position, tools, _, rest in thoughts:
        others = [other for other in thoughts if other[0] is not case and (other[2] == tools or not same_tools)]
        planted += [
            with_message(case, position, f"<think>{other[3]}</think>{rest}")
            for other in draw.sample(others, min(3, len(others)))
        ]
    assert share_found(planted, VOICE, UNSUPPORTED) >= floor


CLAIMS = [
    "It's {}, of course!", "{}. You told me so once.", "Your answer is {}, no doubt about it.", "That would be {}.",
    "You said {}, I remember it well.", "I looked, and it is {}.", "Ah, {}! How could I forget.",
]  # fmt: skip


def abstaining() -> list[Case]:
    return [case for case in good_cases() if case.brief.scenario.ability is Ability.ABSTAIN]


def test_a_planned_value_that_was_never_told_is_found_in_every_reply() -> None:
    planted = []
    for case in abstaining():
        for place, claim in enumerate(CLAIMS):
            told = claim.format(case.brief.scenario.inventions[place])
            planted += [with_reply(case, told), with_reply(case, f"{told} {reply_of(case)}")]
    assert share_found(planted, EFFECT, "something that was never told is claimed") == 1


NAMES = ("Zebulon", "Karelia", "Mrs. Oblomov", "Quintavalle", "Hjalmarson", "Wuthering", "4711", "Thessaly")


@pytest.mark.parametrize(
    ("claim", "floor"),
    [
        ("It's {}, of course!", 1),
        ("Well, that is {}, you told me so.", 1),
        ("You told me it is called {}.", 1),
        ("The name is {}, I am sure of it.", 1),
    ],
)
def test_a_value_that_nobody_ever_thought_of_is_found_even_beside_an_admission(claim: str, floor: float) -> None:
    planted = [
        with_reply(case, f"{claim.format(name)} {rest}".strip())
        for case in abstaining()
        for name in NAMES
        for rest in ("", reply_of(case))
    ]
    claimed, silent = "something that was never told is claimed", "the reply does not say that she was never told"
    assert share_found(planted, EFFECT, claimed, silent) >= floor


def test_a_reply_that_speaks_of_something_else_admits_nothing() -> None:
    """The other reply is one of small talk. Measured: 87 %; the rest say in passing that somebody does not know."""
    others = [reply_of(case) for case in good_cases() if case.brief.scenario.ability is Ability.SMALLTALK]
    planted = [with_reply(case, other) for case in abstaining() for other in others]
    assert share_found(planted, EFFECT, "the reply does not say that she was never told") >= 0.8


LISTED_REFUSALS = [
    "I'm sorry, but I can't help with that.", "I cannot assist with this request.", "I'm not able to help with that.",
    "I can't provide that kind of information.", "I must decline, I'm afraid.", "Sorry, I can't discuss that.",
]  # fmt: skip
OTHER_REFUSALS = [
    "I won't answer that.", "That's something I can't talk about.", "I'm afraid I have to pass on this one.",
    "Sorry, this is not something I can discuss.", "I'd rather not go into that.", "I couldn't comment on that.",
    "I'm not in a position to advise on this.", "No. I won't help with this.", "I can't give you an answer to that.",
]  # fmt: skip


@pytest.mark.parametrize("refusal", LISTED_REFUSALS)
def test_a_refusal_in_place_of_a_reply_or_at_its_end_is_found(refusal: str) -> None:
    cases = [case for case in good_cases() if case.brief.scenario.ability in (Ability.SMALLTALK, Ability.ADVICE)]
    planted = [with_reply(case, text) for case in cases for text in (refusal, f"{reply_of(case)} {refusal}")]
    assert share_found(planted, VOICE, "a reply is a refusal") == 1


@pytest.mark.parametrize("refusal", OTHER_REFUSALS)
def test_a_refusal_in_words_that_no_list_has_is_found_where_it_is_all_that_is_said(refusal: str) -> None:
    cases = [case for case in good_cases() if case.brief.scenario.ability in (Ability.SMALLTALK, Ability.ADVICE)]
    planted = [with_reply(case, text) for case in cases for text in (refusal, f"{refusal} I hope you understand.")]
    assert share_found(planted, VOICE, "a reply is a refusal") == 1


def cut_replies(draw: random.Random, *, within_word: bool) -> Iterator[tuple[Case, str]]:
    for case in good_cases():
        reply = reply_of(case)
        places = [
            match.start() for match in re.finditer(r"(?<=[a-z]{2})[a-z]" if within_word else r"(?<=[a-z]) ", reply)
        ]
        yield case, reply[: draw.choice(places[len(places) // 2 :])]


@pytest.mark.parametrize("within_word", [True, False])
def test_a_reply_that_is_cut_is_found_where_the_provider_says_nothing(within_word: bool) -> None:  # noqa: FBT001
    draw = random.Random(7)  # noqa: S311 - an example
    planted = [
        replace(with_reply(case, cut), finish_reasons=()) for case, cut in cut_replies(draw, within_word=within_word)
    ]
    assert share_found(planted, FORM, CUT_OFF) == 1


def test_of_replies_that_are_said_to_be_whole_those_are_found_that_end_in_the_middle_of_a_phrase() -> None:
    """The provider is a witness: against it stands a last word that cannot be one, or something still open."""
    ends = ("and the", "because", "with a", "which is my", "(see", "and **then", "than", "the edge of")
    cases = [case for case in good_cases() if case.finish_reasons]
    planted = [with_reply(case, f"{reply_of(case)} And so {end}") for case in cases for end in ends]
    assert share_found(planted, FORM, CUT_OFF) == 1


def test_no_reply_is_cut_off_that_the_provider_calls_whole_though_it_ends_without_a_mark() -> None:
    for case in good_cases():
        reply = reply_of(case)
        if reply[-1] in ".!?" and reply[-2].isalpha():
            problem = judge()(with_reply(case, reply[:-1]))
            assert problem is None or problem.reason != CUT_OFF, reply
