"""Every exchange is judged: what is good or bad alone is so behind small talk, too, and before it."""

from __future__ import annotations

import functools
import sqlite3
from dataclasses import replace

import pytest

from apep_datagen.core.messages import Message
from apep_datagen.people.cast import load_cast
from apep_datagen.people.scenario import FORMS
from apep_datagen.quality.case import Case
from apep_datagen.quality.judge import Judge
from apep_datagen.quality.novelty import NoveltyLimits, check, openings_of
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.wording import wording_of
from apep_datagen.storage.accepted import AcceptedConversations
from apep_datagen.storage.schema import migrate
from support.real_conversations import RealConversation, real_conversations
from support.samples import conversation

ABOVE = (
    Message("user", "Hello! The kettle is on."),
    Message("assistant", "<think>A kettle, then a chat. I wait with them.</think>\n\nThen I'll keep you company."),
)
BELOW = (
    Message("user", "Good, then I'll leave it at that."),
    Message("assistant", "<think>They are done. I let them go gently.</think>\n\nThen off with you, and take care."),
)


def new_database() -> AcceptedConversations:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, seed=1, output_name="x", base_count=0, base_end=1)
    return AcceptedConversations(connection)


@functools.cache
def judge() -> Judge:
    return Judge("strict", load_cast().phrases, NoveltyLimits(), ())


def judged(case: Case) -> Problem | None:
    return judge().judge(case, new_database())


def longer(case: Case, *, above: bool) -> Case:
    """Return a conversation with one exchange more, and the plainest form of its ability."""
    scenario = case.brief.scenario
    planned = replace(scenario, form=FORMS[scenario.ability][0], place=1 + above)
    system, *others = case.messages
    messages = (system, *ABOVE, *others) if above else (*case.messages, *BELOW)
    reasons = ("stop", *case.finish_reasons) if above else (*case.finish_reasons, "stop")
    return replace(
        case, brief=replace(case.brief, scenario=planned, exchanges=2), messages=messages, finish_reasons=reasons
    )


def alone(real: RealConversation) -> Problem | None:
    return judged(real.case)


@pytest.mark.parametrize("above", [True, False], ids=["behind small talk", "before small talk"])
def test_a_real_conversation_is_judged_alike_with_small_talk_around_it(above: bool) -> None:  # noqa: FBT001
    differing = []
    for real in real_conversations():
        before, after = alone(real), judged(longer(real.case, above=above))
        if (before and before.reason) != (after and after.reason):
            differing.append((real.number, before, after))
    assert differing == []


FIRST = ("What a day.", "<think>A day like that.</think>\n\nTell me.")
BAD_SECONDS = {
    Stage.FORM: ("It rained.", "<think>Rain all day.</think>\n\nRain, rain, and because"),
    Stage.TIME: ("It rained.", "<think>Rain, then.</think>\n\nGood evening to you, and to the rain."),
    Stage.VOICE: ("It rained.", "<think>Rain, then.</think>\n\nAs a language model I have never been wet."),
    Stage.KNOWLEDGE: ("It rained.", "<think>Rain, then.</think>\n\nI remember your umbrella, you told me last month."),
}


@pytest.mark.parametrize("stage", BAD_SECONDS)
def test_what_is_wrong_in_the_second_exchange_is_found(stage: Stage) -> None:
    real = next(real for real in real_conversations() if real.case.brief.scenario.ability == "smalltalk")
    notes = replace(real.case.change, after=real.case.change.before)
    case = replace(real.case, change=notes, finish_reasons=(), earlier=())
    case = replace(case, brief=replace(case.brief, at="2026-03-11T12:20"))
    assert judged(replace(case, messages=conversation(*FIRST, "It rained.", FIRST[1]))) is None
    problem = judged(replace(case, messages=conversation(*FIRST, *BAD_SECONDS[stage])))
    assert problem is not None
    assert problem.stage is stage


def test_an_opening_is_counted_in_whichever_exchange_it_stands() -> None:
    def with_second(number: int, question: str, reply: str) -> tuple[Message, ...]:
        return conversation(
            f"Day {number}.", f"<think>Hm.</think>\n\nSo {number}.", question, f"<think>X.</think>\n\n{reply}"
        )

    accepted, limits = new_database(), NoveltyLimits(similarity=1.1, least_openings=1)
    accepted.remember(1, wording_of(with_second(1, "Yes, please.", "Oh, I love that you asked for this one.")))
    again = wording_of(with_second(2, "Yes, please.", "Oh, I love that you waited."))
    assert openings_of("reply", again) == ("so 2 oh i love", "oh i love that you")
    problem = check(again, accepted, limits)
    assert problem is not None
    assert problem.reason == "the reply begins as too many others do"
    # A few words that many say are no opening.
    assert check(wording_of(with_second(3, "Yes, please.", "Right away, and with a bow.")), accepted, limits) is None
