"""Rows that are parts of one conversation become one, with every thought; all others stay what they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.messages import Message, MessageRole
from apep_datagen.export.examples import examples_of
from apep_datagen.formats.example import Example, count
from apep_datagen.formats.shape import Rows, Thoughts
from apep_datagen.formats.thoughts import with_thoughts
from apep_datagen.importing.joining import Joined, joined
from support.examples import examples

ROLES = {"s": "system", "u": "user", "a": "assistant", "t": "tool"}


def messages(text: str) -> tuple[Message, ...]:
    """Return messages, each from its role's first letter and what is said."""
    found = []
    for said in text.split(" | "):
        letter, _, content = said.partition(" ")
        found.append(Message(cast("MessageRole", ROLES[letter]), content))
    return tuple(found)


def of_rows(*rows: tuple[str, int]) -> list[Joined]:
    return list(joined((str(number), Example(messages(text), context)) for number, (text, context) in enumerate(rows)))


def texts(found: Sequence[Joined]) -> list[str]:
    return [" | ".join(f"{each.role[0]} {each.content}" for each in conversation.messages) for conversation in found]


@given(
    st.lists(examples(with_context=False).map(lambda example: example.messages), min_size=1, max_size=3, unique=True),
    st.sampled_from(["conversation", "exchange", "answer"]),
    st.sampled_from(["keep", "last"]),
)
def test_whatever_was_divided_is_put_together_again(
    conversations: list[tuple[Message, ...]], rows: Rows, thoughts: Thoughts
) -> None:
    parts = [
        with_thoughts(example, "keep" if rows == "conversation" else thoughts)
        for each in conversations
        for example in examples_of(each, rows)
    ]
    found = list(joined((str(number), example) for number, example in enumerate(parts)))
    assert [conversation.messages for conversation in found] == conversations
    assert [conversation.counts for conversation in found] == [count(each) for each in conversations]
    assert sum(conversation.rows for conversation in found) == len(parts)


def test_thoughts_that_the_context_lacks_are_those_of_the_rows_before() -> None:
    found = of_rows(
        ("s x | u a | a <think>one</think>\n\nb", 0),
        ("s x | u a | a b | u c | a <think>two</think>\n\nd", 3),
        ("s x | u a | a b | u c | a d | u e | a f", 5),
    )
    assert texts(found) == ["s x | u a | a <think>one</think>\n\nb | u c | a <think>two</think>\n\nd | u e | a f"]
    assert found[0].rows == 3


@pytest.mark.parametrize(
    ("first", "second", "context"),
    [
        ("u a | a b", "u a | a b | u c | a d", 0),  # it teaches all of it, and so is a conversation by itself
        ("u a | a b", "u a | a x | u c | a d", 2),
        ("u a | a <think>one</think>\n\nb", "u a | a <think>two</think>\n\nb | u c | a d", 2),
        ("u a | a b", "u x | a b | u c | a d", 2),
        ("u a | a b | u c | a d", "u a | a b | u c | a d", 2),
        ("u a | a b | u c | a d", "u a | a b", 1),
        ("u a | a b", "u a | t b | u c | a d", 2),
    ],
)
def test_a_row_that_does_not_go_on_with_the_one_before_is_a_conversation_by_itself(
    first: str, second: str, context: int
) -> None:
    found = of_rows((first, 0), (second, context))
    assert texts(found) == [first, second]
    assert [conversation.place for conversation in found] == ["0", "1"]


@pytest.mark.parametrize(
    ("rows", "alone"),
    [
        ([("u a | a b", 0), ("u a | a b | u c | a d", 2)], [False]),
        ([("s x | u a | a b", 2)], [False]),
        ([("u a | a b | u c | a d", 2)], [True]),
        ([("u a | a b", 0), ("u a | a b | u c | a d | u e | a f", 4)], [True]),
        ([("u a | a b | u c | a d", 2), ("u a | a b | u c | a d | u e | a f", 4)], [True]),
        ([("u a | a b", 0), ("u a | a x | u c | a d", 2)], [False, True]),
    ],
)
def test_an_answer_that_is_context_in_every_row_is_told(rows: list[tuple[str, int]], alone: list[bool]) -> None:
    assert [conversation.has_context_alone for conversation in of_rows(*rows)] == alone


def test_where_a_row_is_missing_its_messages_are_those_of_the_context() -> None:
    found = of_rows(("u a | a b", 0), ("u a | a b | u c | a d | u e | a f", 4))
    assert texts(found) == ["u a | a b | u c | a d | u e | a f"]
    assert found[0].counts == count(found[0].messages)
