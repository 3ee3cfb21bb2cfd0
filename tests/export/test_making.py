"""Each message, thought, call and result of a conversation is new in exactly one row, or the tally tells of it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apep_datagen.core.messages import Message
from apep_datagen.core.sample_json import sample_line
from apep_datagen.export import making
from apep_datagen.export.loss import lost_between
from apep_datagen.export.making import MadeOfTarget, make_rows
from apep_datagen.export.plan import Plan, Target, read_retellings
from apep_datagen.export.source import SourceConversation
from apep_datagen.formats.example import NOTHING, Counts, Example, count
from apep_datagen.formats.format import Instructions, Kind, Row
from apep_datagen.formats.instructions import Retelling
from apep_datagen.formats.origin import Origin
from apep_datagen.formats.registry import FORMATS
from apep_datagen.formats.shape import Shape, Thoughts
from apep_datagen.storage.access import read_only, state_path
from support.examples import examples
from support.hostile_texts import MARKUP_PIECES
from support.outputs import chat
from support.real_state import saved_messages, write_real_state

_THOUGHTS: tuple[Thoughts, ...] = ("keep", "last", "drop")
_KINDS: tuple[Kind, ...] = ("messages", "thoughts", "calls", "results")


def targets_of(name: str) -> list[Target]:
    """Return a form in every shape that it has."""
    form = FORMATS[name]
    return [
        Target(name, Shape(rows, thoughts, "tool" if calls == "native" else role, calls, weights))
        for rows, thoughts, role, calls, weights in product(
            form.rows, _THOUGHTS, form.tool_roles, form.calls, (False, True)
        )
        if calls == "text" or role == form.tool_roles[0]
    ]


RETELLINGS = read_retellings(None, None, ("native", "hermes"))


def made_of(
    conversations: Sequence[tuple[Message, ...]],
    target: Target,
    series: tuple[int, int] | None = None,
    *,
    retellings: dict[Instructions, tuple[Retelling, ...]] = RETELLINGS,
) -> MadeOfTarget:
    form = FORMATS[target.name]
    plan = Plan((target,), retellings, series=series, sessions=form.container == "sessions")
    sources = [
        SourceConversation(
            number,
            sample_line(messages).encode(),
            number * 1_000,
            Origin(numbers=(number,), conversations=(number,), user="user-1", days=("2026-05-04T07:30",)),
            1,
        )
        for number, messages in enumerate(conversations, start=1)
    ]
    is_by_user = series is not None or plan.sessions
    (made,) = make_rows(plan, [sources] if is_by_user else [[source] for source in sources])
    return made


@pytest.fixture(scope="module")
def real_retellings(tmp_path_factory: pytest.TempPathFactory) -> dict[Instructions, tuple[Retelling, ...]]:
    """What the prompts of the real conversations tell of the tools."""
    output = write_real_state(tmp_path_factory.mktemp("real"), count=2)
    return read_only(state_path(output), lambda connection: read_retellings(connection, None, ("native", "hermes")))


def read_rows(target: Target, made: MadeOfTarget) -> Iterator[Example]:
    """Yield what the rows say, as they lie on the disk."""
    form = FORMATS[target.name]
    for lines in made.lines.values():
        yield from (form.read(json.loads(line)) for line in lines.splitlines())
    for rows in made.rows.values():
        yield from map(form.read, rows)


def as_example(rows: Iterator[Example]) -> Example:
    return Example(tuple(message for row in rows for message in row.new))


def told(made: MadeOfTarget) -> Counts:
    tally = made.tally
    lost = Counts(*(tally.lost[kind] for kind in _KINDS))
    return tally.chosen_away + tally.left_out_counts + tally.after + lost


def assert_all_is_there_once(conversation: tuple[Message, ...], target: Target, made: MadeOfTarget) -> None:
    """All is new in one row, but for what the tally tells of."""
    assert made.tally.before == count(conversation)
    assert told(made) == made.tally.before, target
    whole, taught = Example(conversation), as_example(read_rows(target, made))
    missing, added = lost_between(whole, taught), lost_between(taught, whole)
    if target.instructions != "text":  # of the system prompt, the section on tools is another one
        missing.pop("messages", None), added.pop("messages", None)
    assert not added, target
    if target.shape.thoughts == "keep" and not made.tally.left_out:
        assert missing == made.tally.lost, target
        assert all(kind in FORMATS[target.name].cannot_hold(target.shape) for kind in missing)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=50)
@given(data=st.data())
def test_nothing_is_lost_or_doubled_in_any_shape(name: str, data: st.DataObject) -> None:
    target = data.draw(st.sampled_from(targets_of(name)))
    whole = data.draw(examples(with_context=False))
    assert_all_is_there_once(whole.messages, target, made_of([whole.messages], target))


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_of_real_conversations_is_lost_or_doubled(
    name: str, real_retellings: dict[Instructions, tuple[Retelling, ...]]
) -> None:
    conversations = itertools.cycle(saved_messages().values())
    for target in targets_of(name):
        for conversation in itertools.islice(conversations, 3):
            made = made_of([conversation], target, retellings=real_retellings)
            assert_all_is_there_once(conversation, target, made)
            assert not made.tally.left_out, target
            assert not made.tally.lost, target


_anything = st.lists(
    st.builds(
        Message,
        st.sampled_from(["system", "user", "assistant", "tool"]),
        st.one_of(
            st.lists(st.sampled_from([*MARKUP_PIECES, "words"]), max_size=6).map("".join),
            st.text(max_size=8),
            st.sampled_from(["", "<think>a</think>", '<tool_result>{"a": 1}</tool_result>', "</think>b"]),
        ),
    ),
    min_size=1,
    max_size=6,
).map(tuple)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=50)
@given(conversations=st.lists(_anything, min_size=1, max_size=2), data=st.data())
def test_of_what_another_hand_has_written_nothing_goes_without_a_word(
    name: str, conversations: list[tuple[Message, ...]], data: st.DataObject
) -> None:
    target = data.draw(st.sampled_from(targets_of(name)))
    before = sum(map(count, conversations), NOTHING)
    made = made_of(conversations, target)
    assert made.tally.before == before
    for kind in _KINDS:  # what is read back as something else is lost, and there as well
        assert getattr(told(made), kind) >= getattr(before, kind), kind
    assert len(list(read_rows(target, made))) == made.tally.rows.total()  # whatever was written can be read


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        (b'{"conversations": [{"role": "user", "content": "\\ud83d"}]}', "half of a character"),
        (b'{"conversations": [{"role": "critic", "content": "Hm."}]}', "role that is not known"),
    ],
)
def test_what_no_form_can_hold_is_left_out_and_told(element: bytes, reason: str) -> None:
    for name, form in FORMATS.items():
        target = Target(name, form.default)
        plan = Plan((target,), RETELLINGS, sessions=form.container == "sessions")
        (made,) = make_rows(plan, [[SourceConversation(1, element, 9, Origin(numbers=(1,)))]])
        assert [text for text in made.tally.left_out if reason in text]
        assert told(made) == made.tally.before == Counts(messages=1)
        assert not made.lines
        assert not made.rows


@pytest.mark.parametrize(
    "field",
    [
        {"tool_calls": [{"function": {"name": "recall_diary", "arguments": "{}"}}]},
        {"function_call": {"name": "recall_diary", "arguments": "{}"}},
        {"reasoning_content": "They greet me."},
        {"thinking": "They greet me."},
    ],
    ids=lambda field: next(iter(field)),
)
def test_thoughts_and_calls_beside_the_text_of_a_message_are_told_and_not_left_out_in_silence(
    field: dict[str, Any],
) -> None:
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello.", **field}]
    source = SourceConversation(1, json.dumps({"conversations": messages}).encode(), 9, Origin(numbers=(1,)))
    for name, form in FORMATS.items():
        (made,) = make_rows(Plan((Target(name, form.default),), RETELLINGS), [[source]])
        assert [reason for reason in made.tally.left_out if "fields of their own" in reason]
        assert not made.tally.rows


def made_of_element(element: dict[str, Any], name: str) -> MadeOfTarget:
    source = SourceConversation(1, json.dumps(element).encode(), 9, Origin(numbers=(1,)))
    (made,) = make_rows(Plan((Target(name, FORMATS[name].default),), RETELLINGS), [[source]])
    return made


@pytest.mark.parametrize("mark", [{"weight": 0}, {"train": False}, {"loss": 0.0}], ids=str)
def test_an_answer_that_is_marked_as_not_to_be_learnt_is_no_row(mark: dict[str, Any]) -> None:
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello.", **mark}]
    for name in FORMATS:
        made = made_of_element({"conversations": messages}, name)
        assert [reason for reason in made.tally.left_out if "not to be trained on" in reason]
        assert not made.tally.rows


def test_fields_that_no_row_has_a_place_for_are_told() -> None:
    messages = [
        {"role": "system", "content": "Be kind.", "weight": 0, "cache": None},
        {"role": "user", "content": "Hi", "name": "Lina", "train": True},
        {"role": "assistant", "content": "Hello.", "weight": 1, "loss": True},
        {"role": "user", "content": "Bye", "name": "Lina"},
        {"role": "assistant", "content": "Bye.", "weight": 0.5},
    ]
    element = {"id": 7, "tags": [], "source": "x", "conversations": messages}
    for name in FORMATS:
        made = made_of_element(element, name)
        assert made.tally.rows.total() >= 1
        told_fields = ("id", "source", "conversations.name", "conversations.train", "conversations.weight")
        assert made.tally.without_place == dict.fromkeys(told_fields, 1)
    assert not made_of_element({"conversations": messages[:1] + messages[2:3]}, "openai").tally.without_place


def test_words_about_such_fields_are_words() -> None:
    said = (Message("user", 'What is "tool_calls": [] in JSON?'), Message("assistant", 'A "thinking": field beside.'))
    for name, form in FORMATS.items():
        made = made_of([said], Target(name, form.default))
        assert made.tally.rows.total() == 1
        assert not made.tally.left_out


_CALLED = Message("assistant", "<tool_call>recall_diary()</tool_call>")
_RESULTS = '<tool_result>{"pages": []}</tool_result>'


def test_what_nobody_could_tell_apart_in_a_row_is_told_and_no_mistake() -> None:
    answer = Message("assistant", "Hello.")
    typed, bare = (
        (Message("user", _RESULTS), answer),
        (Message("user", "Hi"), _CALLED, Message("tool", "nothing"), answer),
    )
    for name in FORMATS:
        for target in targets_of(name):
            (reason,) = made_of([typed], target).tally.left_out
            assert reason.startswith("a message of the user's is nothing but results")
            made = made_of([bare], target)
            assert "a message of the role tool holds something else than results" in made.tally.left_out
            assert not made.tally.lost


def test_a_row_that_its_own_form_cannot_read_is_a_silent_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(_: Row) -> Example:
        raise ValueError("broken")

    target = Target("trl", FORMATS["trl"].default)
    monkeypatch.setattr(making, "FORMATS", {**FORMATS, "trl": replace(FORMATS["trl"], read=read)})
    made = made_of([chat(1)], target)
    assert made.tally.lost == {"messages": 9, "thoughts": 4, "calls": 2, "results": 2}
    assert made.tally.first_lost == dict.fromkeys(made.tally.lost, 1)


def test_words_beside_a_thought_do_not_go_with_it() -> None:
    said = (Message("user", "Hi"), Message("assistant", "<think>a</think>\n\n<tool_call>recall_diary()</tool_call>Bye"))
    made = made_of([said], Target("trl", Shape(thoughts="drop", rows="conversation")))
    assert made.tally.left_out == {"an answer holds more than thoughts, a reply and calls": 1}
    assert told(made) == made.tally.before


@settings(max_examples=15)
@given(st.integers(1, 7), st.integers(1, 4), st.integers(0, 3))
def test_joined_conversations_are_all_there_once(conversations: int, least: int, more: int) -> None:
    parts = [chat(number) for number in range(1, conversations + 1)]
    for name, form in FORMATS.items():
        if form.container == "sessions":
            continue
        for rows in form.rows:
            target = Target(name, Shape(rows, calls=form.default.calls, tool_role=form.default.tool_role))
            made = made_of(parts, target, series=(least, least + more))
            assert told(made) == made.tally.before
            assert not made.tally.lost
            assert not made.tally.left_out
            taught = as_example(read_rows(target, made))
            wanted = Example(tuple(message for part in parts for message in part if message.role == "assistant"))
            assert not lost_between(wanted, taught)
            assert count(taught.messages).thoughts == count(wanted.messages).thoughts
