"""Which examples a conversation becomes."""

from __future__ import annotations

from hypothesis import given

from apep_datagen.core.messages import Message
from apep_datagen.export.examples import examples_of
from apep_datagen.formats.example import Example
from apep_datagen.formats.shape import Rows
from support.examples import examples

_ROWS: tuple[Rows, ...] = ("conversation", "exchange", "answer")


@given(examples(with_context=False))
def test_the_examples_of_a_conversation_teach_each_message_once_and_in_order(example: Example) -> None:
    for rows in _ROWS:
        made = list(examples_of(example.messages, rows))
        assert [message for part in made for message in part.new] == list(example.messages)
        assert all(part.messages == example.messages[: len(part.messages)] for part in made)


@given(examples(with_context=False))
def test_there_is_an_example_for_each_exchange_or_for_each_message_of_adas(example: Example) -> None:
    roles = [message.role for message in example.messages]
    assert len(list(examples_of(example.messages, "conversation"))) == 1
    assert len(list(examples_of(example.messages, "exchange"))) == roles.count("user")
    answers = list(examples_of(example.messages, "answer"))
    assert [[message.role for message in part.new].count("assistant") for part in answers] == [1] * len(answers)
    assert all(part.messages[-1].role == "assistant" for part in answers)


def test_what_nobody_answers_belongs_to_the_exchange_before_it_and_to_no_answer() -> None:
    user, ada, results = Message("user", "Hi"), Message("assistant", "Hello."), Message("tool", "{}")
    for rows in _ROWS:
        assert list(examples_of((user,), rows)) == [Example((user,))]
        assert [part.new for part in examples_of((user, ada), rows)] == [(user, ada)]
    assert [part.new for part in examples_of((user, ada, results), "exchange")] == [(user, ada, results)]
    for behind in (user, results):
        # A completion is learnt whole, so what stands behind the answer would be learnt as if Ada said it.
        assert [part.new for part in examples_of((user, ada, behind), "answer")] == [(user, ada), (behind,)]
