"""What is taken of a model's text, and what is asked for again: markup of others, announcements, loops, lengths."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apep_datagen.conversation.completions import LONGEST_ANSWER, problem_with, read_question
from apep_datagen.conversation.machine import advance_with_completion, next_step, rebuild
from apep_datagen.conversation.preamble import is_announced
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.errors import FailureKind
from apep_datagen.core.messages import Completion, Usage
from support.briefs import BRIEF

PROMPTS = load_prompts()
QUESTION = "went to the lake, got wet. worth it"
THOUGHT = "They went to the lake, and I would like to know with whom."


def begun(*texts: str) -> Conversation:
    conversation = Conversation(replace(BRIEF, exchanges=1), PROMPTS)
    for text in texts:
        conversation = advance_with_completion(conversation, text, "stop")
    return conversation


def problem(conversation: Conversation, text: str) -> str | None:
    error = problem_with(conversation, Completion(text, "stop", Usage()))
    return None if error is None else str(error)


# Questions.


@pytest.mark.parametrize(
    "text",
    [
        f'Sure, here\'s what they might say:\n\n"{QUESTION}"',
        f"Certainly! Here is the user's next message:\n\n{QUESTION}",
        f"**Here's what Marta could write:**\n“{QUESTION}”",
        f"[THINK]They went to the lake.[/THINK]{QUESTION}",
        f"They went to the lake, so I say that.</think>\n{QUESTION}",
        f"<|channel|>analysis<|message|>The lake.<|end|><|start|>assistant<|channel|>final<|message|>{QUESTION}",
        f"{QUESTION}<|im_end|>\n<|im_start|>assistant\n",
        f"{QUESTION}</s>[INST] How lovely! [/INST]",
        f"<message>\n{QUESTION}\n</message>",
        f"<answer>User: {QUESTION}</answer>",
    ],
)
def test_a_question_is_freed_of_what_is_not_the_user_s(text: str) -> None:
    assert read_question(text) == QUESTION


@pytest.mark.parametrize(
    "text",
    [
        "Here's the thing:\n\nI like it when it rains.",
        "So here is my list:\n\n- tea\n- a rope",
        'Message from the landlord:\n\n"please move your bike"',
        "What my brother would say:\n\nnothing at all",
        "Things the neighbours could write:\n\n- thank you",
        "Rewriting chapter two. First line so far:\n\nIt was cold.",
        "ok so:\nthe user interface they gave us at work is upside down",
        "how do you write <b>bold</b>? and what does a <- b mean? <3",
    ],
)
def test_what_a_user_may_say_is_left_alone(text: str) -> None:
    assert read_question(text) == text
    assert not is_announced(text)


@pytest.mark.parametrize("text", ["Here is the message:\n\nhello", "Sure! Here's a casual version:\n\n“hello”"])
def test_what_hardly_anybody_says_is_left_to_the_judge(text: str) -> None:
    assert read_question(text) == text
    assert is_announced(text)


# What is asked for again.


@pytest.mark.parametrize(
    "text", ["<|im_start|>assistant\n<|im_end|>", "<eos>", "[THINK]Hm.[/THINK]</s>", "</think><|eot_id|>"]
)
def test_an_answer_of_nothing_but_special_tokens_is_asked_for_again(text: str) -> None:
    assert problem(begun(), text) == "the answer is empty"
    assert problem(begun(QUESTION), text) == "the answer has no reply"


LOOP = "And then the lake again, as every day. " * 20


def test_an_answer_in_a_loop_is_asked_for_again() -> None:
    expected = "the answer says the same again and again: and then the lake again as every day"
    assert problem(begun(), LOOP) == expected
    assert problem(begun(QUESTION), f"<think>Hm.</think>{LOOP}") == expected
    assert problem(begun(QUESTION), f"<think>{LOOP}</think>Hello.") == expected


def test_an_answer_of_any_length_but_a_sensible_one_is_asked_for_again() -> None:
    words = " ".join(f"w{number}" for number in range(20_000))
    for conversation in (begun(), begun(QUESTION)):
        assert problem(conversation, words[:LONGEST_ANSWER]) is None
        assert problem(conversation, words[: LONGEST_ANSWER + 1]) == "the answer is longer than 100,000 characters"


@pytest.mark.parametrize(
    ("text", "finish_reason", "kind"),
    [
        ("", "stop", FailureKind.EMPTY_ANSWER),
        ("Hello.", "length", FailureKind.CUT_OFF),
        ("Hello.", "error", FailureKind.BROKEN_OFF),
        (LOOP, "stop", FailureKind.ENDLESS_ANSWER),
        ("x " * LONGEST_ANSWER, "", FailureKind.ENDLESS_ANSWER),
    ],
)
def test_an_answer_of_no_use_is_counted_as_what_it_is(text: str, finish_reason: str, kind: FailureKind) -> None:
    error = problem_with(begun(), Completion(text, finish_reason, Usage()))
    assert error is not None
    assert error.kind is kind


def test_a_rewrite_is_never_asked_for_again() -> None:
    conversation = begun(QUESTION, f"<think>{THOUGHT}</think>Hello.")
    for text in (LOOP, "x" * (LONGEST_ANSWER + 1), "<eos>"):
        assert problem(conversation, text) is None
        assert advance_with_completion(conversation, text, "stop").exchanges[0].rewritten == (THOUGHT,)


def test_a_call_that_an_earlier_version_took_for_a_reply_sets_the_conversation_aside() -> None:
    """Its results were never recorded, so the steps behind it do not follow any more."""
    steps = [("ask", QUESTION, "stop"), ("answer", "<think>Hm.</think>[TOOL_CALLS]recall_diary[ARGS]{}", "stop")]
    assert next_step(rebuild(BRIEF, PROMPTS, steps)) == next_step(
        begun(QUESTION, "<think>Hm.</think><tool_call>recall_diary()</tool_call>")
    )
    with pytest.raises(ValueError, match="does not fit its state"):
        rebuild(BRIEF, PROMPTS, [*steps, ("rewrite", "Hm.", "stop")])
