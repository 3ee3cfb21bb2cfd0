"""Who makes which call where the providers do not all serve every role: whatever happens, in any order."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.config.serving import Serving
from apep_datagen.config.settings import DEFAULT_MIX
from apep_datagen.conversation.machine import advance_with_completion
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.conversation.state import Conversation, due_call
from apep_datagen.core.messages import ModelRole
from apep_datagen.engine.backlog import FEW
from apep_datagen.engine.briefs import BriefSource
from apep_datagen.engine.schedule import Schedule
from apep_datagen.people.cast import load_cast
from apep_datagen.storage.conversations import ActiveConversation
from support import briefs

PROMPTS, CAST = load_prompts(), load_cast()
TESTER, ADA, REWRITER = NEEDED = (ModelRole.TESTER, ModelRole.ADA, ModelRole.REWRITER)
NAMES = ("a", "b", "c", "d")
WHO = st.fixed_dictionaries(
    dict.fromkeys(NEEDED, st.lists(st.sampled_from(NAMES), min_size=1, unique=True).map(tuple))
).filter(lambda who: not Serving(NEEDED, who).is_uniform)


def make(
    who: Mapping[ModelRole, tuple[str, ...]], missing: int = 9, active: Iterable[ActiveConversation] = ()
) -> Schedule:
    days = ("2025-01-01", "2026-12-31")
    everybody = tuple(name for name in NAMES if any(name in names for names in who.values()))
    return Schedule(
        missing=missing,
        source=BriefSource(1, (2, 3), 3, PROMPTS, CAST, DEFAULT_MIX, *days, "always"),
        timelines=(),
        active=active,
        serving=Serving(NEEDED, {**dict.fromkeys(ModelRole, everybody), **who}),
        accepted={},
        last_conversation_id=0,
        new_timelines=itertools.count(1),
    )


def role_of(conversation: Conversation) -> ModelRole:
    step = due_call(conversation)
    assert step is not None
    return step.model_role


def step(conversation: Conversation) -> Conversation:
    text = "Hello." if role_of(conversation) is TESTER else "<think>Nice to hear that.</think>\n\nHow nice!"
    return advance_with_completion(conversation, text, "stop")


def taken(schedule: Schedule, provider: str) -> Conversation:
    conversation = schedule.take(provider)
    assert conversation is not None
    return conversation


@given(data=st.data(), who=WHO, missing=st.integers(1, 6))
def test_no_call_goes_to_who_does_not_serve_its_role_and_none_is_lost(
    data: st.DataObject, who: Mapping[ModelRole, tuple[str, ...]], missing: int
) -> None:
    schedule, names = make(who, missing), [name for name in NAMES if any(name in served for served in who.values())]
    there, held, adas = set(names), list[tuple[Conversation, str]](), dict[int, str]()
    for _ in range(data.draw(st.integers(1, 120))):
        deed = data.draw(st.sampled_from([*["take", "step"] * 5, "fail", "rest", "end", "leave"]))
        if deed == "take":
            provider = data.draw(st.sampled_from(names))
            could = schedule.has_work(provider)
            conversation = schedule.take(provider, is_probe=data.draw(st.booleans()))
            assert (conversation is not None) == could
            if conversation is None:
                continue
            assert provider in there
            role, number = role_of(conversation), conversation.brief.conversation_id
            assert provider in who[role]
            if role is ADA:
                assert adas.setdefault(number, provider) == provider
            held.append((conversation, provider))
        elif deed == "rest":
            provider = data.draw(st.sampled_from(names))
            schedule.release_provider(provider)
            adas = {number: ada for number, ada in adas.items() if ada != provider}
        elif deed == "leave":
            provider = data.draw(st.sampled_from(names))
            there.discard(provider)
            schedule.remove_provider(provider)
            adas = {number: ada for number, ada in adas.items() if ada != provider}
        elif held and deed in {"step", "fail", "end"}:
            conversation, provider = held.pop(data.draw(st.integers(0, len(held) - 1)))
            after = conversation if deed == "fail" else step(conversation)
            if deed == "end" or due_call(after) is None:
                schedule.end(after, is_accepted=data.draw(st.booleans()), timeline=None)
                adas.pop(after.brief.conversation_id, None)
            else:
                schedule.put_back(after, provider, failures=data.draw(st.integers(0, 1)) if deed == "fail" else 0)
        if schedule.finished:
            return
        assert schedule.in_progress <= schedule.missing + 1
    # Whatever was held is put back: then somebody has something to do, or a role is named that nobody serves.
    for conversation, provider in held:
        schedule.put_back(conversation, provider)
    served = [name for name in sorted(there) if schedule.has_work(name)]
    assert served or schedule.is_stuck
    if schedule.is_stuck:
        assert schedule.lacking
        assert all(not there & set(who[role]) for role in schedule.lacking)


@given(data=st.data(), who=WHO)
def test_whoever_serves_what_the_target_is_reached_by_those_who_take_what_there_is(
    data: st.DataObject, who: Mapping[ModelRole, tuple[str, ...]]
) -> None:
    schedule, names = make(who, 4), [name for name in NAMES if any(name in served for served in who.values())]
    for _ in range(1_000):
        able = [name for name in names if schedule.has_work(name)]
        assert able
        provider = data.draw(st.sampled_from(able)) if len(able) > 1 else able[0]
        after = step(taken(schedule, provider))
        if due_call(after) is None:
            schedule.end(after, is_accepted=True, timeline=None)
        else:
            schedule.put_back(after, provider)
        if schedule.finished:
            return
    raise AssertionError


ONE_EACH = {TESTER: ("a",), ADA: ("b",), REWRITER: ("c",)}


def test_a_conversation_keeps_its_ada_and_goes_round_among_the_others() -> None:
    schedule = make({TESTER: ("a",), ADA: ("b", "c"), REWRITER: ("d",)})
    conversation = step(taken(schedule, "a"))
    schedule.put_back(conversation, "a")
    conversation = step(taken(schedule, "c"))  # whoever of the two comes first
    schedule.put_back(conversation, "c")
    schedule.put_back(step(taken(schedule, "d")), "d")
    schedule.put_back(step(taken(schedule, "a")), "a")
    assert not schedule.has_work("b")
    assert taken(schedule, "c").brief.conversation_id == conversation.brief.conversation_id


def test_what_waits_for_an_ada_that_rests_goes_to_another_who_keeps_it_then() -> None:
    schedule = make({TESTER: ("a",), ADA: ("b", "c"), REWRITER: ("b", "c")}, missing=1)
    schedule.put_back(step(taken(schedule, "a")), "a")
    conversation = taken(schedule, "b")
    schedule.put_back(conversation, "b", away={"b"})
    conversation = step(step(taken(schedule, "c")))
    schedule.put_back(conversation, "c")
    schedule.put_back(step(taken(schedule, "a")), "a")
    assert not schedule.has_work("b")
    assert schedule.has_work("c")


@pytest.mark.parametrize("ada", ["b", "gone"])
def test_a_conversation_of_another_invocation_keeps_its_ada_if_it_is_there(ada: str) -> None:
    conversation = Conversation(briefs.brief(exchanges=3), PROMPTS)
    for _ in range(3):
        conversation = step(conversation)
    schedule = make({TESTER: ("a",), ADA: ("b", "c"), REWRITER: ("d",)}, 1, [ActiveConversation(conversation, ada)])
    schedule.put_back(step(taken(schedule, {TESTER: "a", REWRITER: "d"}[role_of(conversation)])), "a")
    assert schedule.has_work("b")
    assert schedule.has_work("c") == (ada == "gone")


def test_who_serves_the_first_role_alone_begins_few_while_nobody_goes_on_with_them() -> None:
    schedule = make(ONE_EACH, missing=10_000)
    begun = 0
    while (conversation := schedule.take("a")) is not None:
        schedule.put_back(step(conversation), "a")
        begun += 1
    assert begun == FEW
    assert schedule.has_work("b")
    assert not schedule.has_work("c")


def test_where_a_role_has_nobody_left_what_does_not_need_it_goes_on_to_its_end() -> None:
    schedule = make(ONE_EACH, missing=2)
    first, second = taken(schedule, "a"), taken(schedule, "a")
    schedule.put_back(step(first), "a")
    schedule.remove_provider("a")
    schedule.put_back(second, "a")
    assert not schedule.is_stuck
    assert schedule.lacking == (TESTER,)
    answered = step(taken(schedule, "b"))
    schedule.put_back(answered, "b")
    rewritten = step(taken(schedule, "c"))
    assert not schedule.is_stuck
    schedule.put_back(rewritten, "c")  # the next message is the tester's
    assert schedule.is_stuck


def test_who_is_to_show_if_it_is_back_gets_a_conversation_that_has_not_failed() -> None:
    schedule = make(ONE_EACH, missing=1)
    schedule.put_back(step(taken(schedule, "a")), "a")
    failed = schedule.take("b")
    assert failed is not None
    schedule.put_back(failed, "b", failures=1)
    assert not schedule.has_work("a")
    again = schedule.take("b", is_probe=True)  # there is no other yet
    assert again == failed
    schedule.put_back(failed, "b", failures=2)
    other = step(taken(schedule, "a"))  # one more than are missing
    schedule.put_back(other, "a")
    assert not schedule.has_work("a")
    assert schedule.take("b", is_probe=True) == other


def test_a_conversation_is_its_adas_whoever_ends_it() -> None:
    schedule = make(ONE_EACH, missing=1)
    conversation = taken(schedule, "a")
    assert schedule.owner_of(conversation, "a") is None
    schedule.put_back(step(conversation), "a")
    schedule.put_back(step(taken(schedule, "b")), "b")
    assert schedule.owner_of(taken(schedule, "c"), "c") == "b"
