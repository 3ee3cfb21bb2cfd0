"""What shows of a conversation: whether the question says "I told you", how a thought begins, what is looked up."""

from __future__ import annotations

import json

import pytest

from apep_datagen.core.messages import Message
from apep_datagen.stats.mentions import speaks_of_telling
from apep_datagen.stats.traits import ends_with_question, traits_of


@pytest.mark.parametrize(
    "message",
    [
        "what's my dog called? i told you",
        "I\u2019ve already told you which street it is.",
        "I must have mentioned the name of the ferry.",
        "Did I ever tell you where we met?",
        "Didn't I say when the plumber comes?",
        "have i mentioned what she plays",
        "Told you once. Which tree was it?",
        "The thing I mentioned it to you about, back in May",
        "Do you remember the name of the boat?",
        "Remind me, when is the exam?",
        "You've been told all of it: I said so myself.",
        "I can't remember which colour it was",
    ],
)
def test_a_question_that_speaks_of_having_told_is_found(message: str) -> None:
    assert speaks_of_telling(message)


@pytest.mark.parametrize(
    "message",
    [
        "Which piece is my choir rehearsing again?",
        "So tell me please, which dance is it that I am learning?",
        "Can you tell me what my boat is called?",
        "My neighbour told me that the bridge is closed.",
        "She said it would rain. What would you say?",
        "He mentioned a lake, and I want to go there.",
        "Would you like to hear what they say about you?",
        "The fortune teller was a saint.",
        "",
    ],
)
def test_others_do_not(message: str) -> None:
    assert not speaks_of_telling(message)


@pytest.mark.parametrize(
    ("reply", "asks"),
    [
        ("How was it?", True),
        ("How was it? 😊", True),
        ('She asked: "How was it?"', True),
        ("*Is it far?*", True),
        ("Really?!", False),
        ("How was it? I want to know.", False),
        ("Fine.", False),
        ("どうでしたか？", True),  # noqa: RUF001 - as it is written there
        ("", False),
        ("?", True),
        ("How was it? (Tell me tomorrow)", False),
    ],
)
def test_a_closing_question_is_told_by_the_end_of_the_last_sentence(reply: str, asks: bool) -> None:  # noqa: FBT001 - what is expected
    assert ends_with_question(reply) is asks


def call(name: str) -> str:
    arguments = "" if name.startswith("recall") else "input_text=['A dog']"
    return f"<tool_call>{name}({arguments})</tool_call>"


RESULT = f"<tool_result>{json.dumps({'memories': []})}</tool_result>"
GREETING = (Message("system", "You are Ada."), Message("user", "Good morning, Ada!"))


def test_the_question_and_the_thought_are_those_of_the_exchange_in_which_the_ability_comes() -> None:
    messages = (
        *GREETING,
        Message("assistant", "<think>How nice of them.</think>\n\nGood morning!"),
        Message("user", "What did I say the boat is called?"),
        Message("assistant", f"<think>I'll look, quickly.</think>\n\n{call('recall_memories')}"),
        Message("tool", RESULT),
        Message("assistant", "<think>Nothing there.</think>\n\nI do not know."),
    )
    second = traits_of(messages, 2)
    assert second.message_words == (3, 8)
    assert (second.first_word, second.first_pair, second.says_told) == ("what", "what did", True)
    assert (second.thought_pair, second.thought_words) == ("ill look", frozenset({"ill", "look", "quickly"}))
    assert (second.looks, second.adds, second.looks_first) == (True, False, False)
    first = traits_of(messages)
    assert (first.first_pair, first.thought_pair, first.says_told) == ("good morning", "how nice", False)
    assert traits_of(messages, 9) == second, "a place behind the end is the last"


@pytest.mark.parametrize(
    ("rounds", "looks", "looks_first"),
    [
        ([["add_memory"]], False, False),
        ([["recall_memories"], ["add_memory"]], True, True),
        ([["recall_diary", "add_diary"]], True, True),
        ([["add_memory"], ["recall_memories"], ["add_memory"]], True, False),
        ([["add_memory", "recall_memories"]], True, False),
    ],
)
def test_a_look_counts_as_first_where_it_comes_before_anything_is_added(
    rounds: list[list[str]],
    looks: bool,  # noqa: FBT001 - what is expected
    looks_first: bool,  # noqa: FBT001 - as above
) -> None:
    messages = [*GREETING]
    for calls in rounds:
        messages += [Message("assistant", "<think>Hm.</think>\n\n" + "\n".join(map(call, calls)))]
        messages += [Message("tool", RESULT)]
    found = traits_of([*messages, Message("assistant", "<think>So.</think>\n\nI keep it.")])
    assert (found.looks, found.adds, found.looks_first) == (looks, True, looks_first)


def test_of_a_conversation_without_words_nothing_shows() -> None:
    found = traits_of([Message("system", "You are Ada."), Message("user", "🙂"), Message("assistant", "🙂")])
    assert (found.first_word, found.first_pair, found.thought_pair, found.thought_words) == ("", "", "", frozenset())
    assert traits_of([]).message_words == ()
