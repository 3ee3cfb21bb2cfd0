"""The state machine of a conversation: every path through it, what is sent on the way, and what is saved."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apep_datagen.conversation.brief import QuestionAnswer
from apep_datagen.conversation.completions import problem_with
from apep_datagen.conversation.machine import (
    Finished,
    ModelCall,
    ToolRound,
    advance_with_completion,
    advance_with_results,
    next_step,
    rebuild,
)
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.conversation.prompting import prompt
from apep_datagen.conversation.state import Conversation, Exchange
from apep_datagen.core.markup import parse_answer
from apep_datagen.core.messages import Completion, Message, Step, Usage, clean_text
from apep_datagen.core.sample_json import sample_line
from apep_datagen.core.tags import strip_tags
from apep_datagen.core.tools import tool_signatures
from support.briefs import BRIEF

PROMPTS = load_prompts()
CALL = '<tool_call>add_memory(input_text=["Likes tea."])</tool_call>'
Outcome = tuple[str, str, str]


def begin(**changes: Any) -> Conversation:
    return Conversation(replace(BRIEF, **changes), PROMPTS)


def say(conversation: Conversation, *texts: str, finish_reason: str = "stop") -> Conversation:
    """Answer the model calls that are due; tool calls are answered with `{"done": true}`."""
    for text in texts:
        assert isinstance(next_step(conversation), ModelCall)
        conversation = advance_with_completion(conversation, text, finish_reason)
        needed = next_step(conversation)
        if isinstance(needed, ToolRound):
            conversation = advance_with_results(conversation, [{"done": True}] * len(needed.calls))
    return conversation


def due(conversation: Conversation) -> Step:
    needed = next_step(conversation)
    assert isinstance(needed, ModelCall)
    return needed.step


def sent(conversation: Conversation) -> list[Message]:
    assert isinstance(next_step(conversation), ModelCall)
    return list(prompt(conversation))


def sample(conversation: Conversation) -> list[tuple[str, str]]:
    """Return the saved messages behind the system prompt."""
    needed = next_step(conversation)
    assert isinstance(needed, Finished)
    assert needed.messages[0].role == "system"
    return [(message.role, message.content) for message in needed.messages[1:]]


def problem(conversation: Conversation, text: str, finish_reason: str = "stop") -> str | None:
    error = problem_with(conversation, Completion(text, finish_reason, Usage()))
    return None if error is None else str(error)


# The paths.


def test_a_conversation_without_tools_is_asked_answered_rewritten_and_finished() -> None:
    conversation = begin()
    assert due(conversation) is Step.ASK
    conversation = say(conversation, "Hi Ada.")
    assert due(conversation) is Step.ANSWER
    conversation = say(conversation, "<think>They greet me.</think>Hi!")
    assert due(conversation) is Step.REWRITE
    conversation = say(conversation, "Oh, they greet me.")
    assert sample(conversation) == [("user", "Hi Ada."), ("assistant", "<think>Oh, they greet me.</think>\n\nHi!")]
    assert conversation.steps == 3


def test_tools_are_run_and_ada_goes_on_with_their_results() -> None:
    conversation = say(begin(), "I like tea.")
    conversation = advance_with_completion(conversation, f"<think>I note it.</think>Wait.\n{CALL}", "stop")
    needed = next_step(conversation)
    assert isinstance(needed, ToolRound)
    conversation = advance_with_results(conversation, [{"added": 1, "indices": [1]}])
    assert due(conversation) is Step.CONTINUE
    conversation = say(conversation, "<think>Noted.</think>Tea is lovely.", "[[1]] Let me keep it.\n[[2]] There.")
    assert sample(conversation) == [
        ("user", "I like tea."),
        ("assistant", f"<think>Let me keep it.</think>\n\nWait.\n\n{CALL}"),
        ("tool", '<tool_result>{"added": 1, "indices": [1]}</tool_result>'),
        ("assistant", "<think>There.</think>\n\nTea is lovely."),
    ]
    assert conversation.exchanges[-1].question_answer == QuestionAnswer("I like tea.", "Wait.\n\nTea is lovely.")


def test_all_results_of_a_round_are_one_message() -> None:
    conversation = advance_with_completion(
        say(begin(), "Hi."), "<tool_call>recall_diary\nrecall_memories</tool_call>", ""
    )
    needed = next_step(conversation)
    assert isinstance(needed, ToolRound)
    assert len(needed.calls) == 2
    conversation = say(advance_with_results(conversation, [{"pages": []}, {"memories": []}]), "Nothing yet.")
    assert sample(conversation)[2] == (
        "tool",
        '<tool_result>{"pages": []}</tool_result>\n<tool_result>{"memories": []}</tool_result>',
    )


def test_a_call_is_accepted_in_its_canonical_spelling() -> None:
    conversation = say(begin(), "Hi.", "<tool_call>add_memory('Likes tea.')</tool_call>", "Noted.")
    assert sample(conversation)[1] == ("assistant", CALL)


def test_a_call_that_cannot_be_understood_is_a_call_all_the_same() -> None:
    conversation = say(begin(), "Hi.", "<tool_call>remember <b>that</tool_call>", "Noted.")
    assert sample(conversation)[1:3] == [
        ("assistant", "<tool_call>remember <b>that</tool_call>"),
        ("tool", '<tool_result>{"done": true}</tool_result>'),
    ]


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_tools_can_be_used_in_as_many_rounds_as_permitted_and_not_in_more(rounds: int) -> None:
    conversation = say(begin(max_tool_rounds=rounds), "Hi.", *[CALL] * rounds)
    assert due(conversation) is Step.CONTINUE
    assert problem(conversation, CALL) == "the answer has no reply"
    assert problem(conversation, f"Well. {CALL}") is None
    conversation = say(conversation, f"Well. {CALL}")
    assert sample(conversation)[-1] == ("assistant", "Well.")
    assert [role for role, _ in sample(conversation)] == ["user", *["assistant", "tool"] * rounds, "assistant"]


def test_without_permitted_rounds_there_are_no_tools() -> None:
    conversation = say(begin(max_tool_rounds=0), "Hi.")
    assert problem(conversation, CALL) == "the answer has no reply"
    assert sample(say(conversation, f"Well. {CALL}")) == [("user", "Hi."), ("assistant", "Well.")]


def test_only_the_last_round_is_told_that_it_was_the_last() -> None:
    conversation = begin(max_tool_rounds=2)
    for texts, is_last in ((("Hi.", CALL), False), ((CALL,), True)):
        conversation = say(conversation, *texts)
        *earlier, last = [message for message in sent(conversation) if "<tool_result>" in message.content][1:]
        assert ("You cannot use any more tools" in last.content) is is_last
        assert not any("You cannot use any more tools" in message.content for message in earlier)


def test_a_conversation_without_thinking_is_not_rewritten() -> None:
    assert sample(say(begin(), "Hi.", "Hello.")) == [("user", "Hi."), ("assistant", "Hello.")]


def test_several_exchanges_follow_each_other() -> None:
    conversation = begin(exchanges=3)
    for number in range(3):
        assert due(conversation) is Step.ASK
        conversation = say(conversation, f"Q{number}", f"<think>T{number}</think>A{number}", f"R{number}")
    assert sample(conversation) == [
        message
        for number in range(3)
        for message in (("user", f"Q{number}"), ("assistant", f"<think>R{number}</think>\n\nA{number}"))
    ]


# What is sent.


def test_ada_is_told_the_date_the_tools_and_how_often_she_may_use_them() -> None:
    system, user = sent(say(begin(max_tool_rounds=2), "Hi."))
    assert (system.role, user) == ("system", Message("user", "Hi."))
    assert BRIEF.date in system.content
    assert tool_signatures() in system.content
    assert "at most 2 rounds" in system.content


def test_the_tester_is_told_what_to_write_and_nothing_of_an_earlier_chat() -> None:
    _, user = sent(begin(previous=QuestionAnswer("Will it hail?", "Take an umbrella.")))
    assert user.content.startswith(BRIEF.scenario.instruction)
    assert not any(words in user.content for words in ("hail", "umbrella"))


def test_a_follow_up_is_asked_from_the_whole_chat_as_the_user_saw_it() -> None:
    conversation = say(begin(exchanges=3), "Q0", f"<think>T0</think>Wait. {CALL}", "A0", "R0", "Q1", "A1")
    _, user = sent(conversation)
    positions = [user.content.index(words) for words in ("You: Q0", "Ada: Wait.", "A0", "You: Q1", "Ada: A1")]
    assert positions == sorted(positions)
    assert not any(hidden in user.content for hidden in ("T0", "R0", "<tool", "<think"))


def test_a_follow_up_is_answered_from_the_whole_chat_as_it_is_accepted() -> None:
    conversation = say(begin(exchanges=2), "Q0", f"<think>T0</think>{CALL}", "<think>T1</think>A0")
    conversation = say(conversation, "[[1]] R0\n[[2]] R1", "Q1")
    messages = sent(conversation)
    final = say(conversation, "A1")
    saved = next_step(final)
    assert isinstance(saved, Finished)
    as_sent = [
        Message("user", message.content) if message.role == "tool" else message for message in saved.messages[:-1]
    ]
    assert messages == as_sent


def test_results_travel_as_the_user_s_message_and_are_saved_as_the_tool_s() -> None:
    conversation = say(begin(), "Hi.", CALL)
    assert [message.role for message in sent(conversation)] == ["system", "user", "assistant", "user"]
    assert sent(conversation)[-1].content.startswith('<tool_result>{"done": true}</tool_result>')
    assert [role for role, _ in sample(say(conversation, "Noted."))] == ["user", "assistant", "tool", "assistant"]


def test_all_thinking_of_an_exchange_is_rewritten_in_one_call() -> None:
    conversation = say(begin(), "Hi.", f"<think>T0</think>{CALL}", CALL, "<think>T1</think>A0")
    assert due(conversation) is Step.REWRITE
    _, user = sent(conversation)
    assert "Hi." in user.content
    assert "[[1]] T0" in user.content
    assert "[[2]] T1" in user.content
    assert isinstance(next_step(say(conversation, "[[1]] R0 [[2]] x\n [[2]] R1")), Finished)


# Questions.


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("User: Hi Ada.", "Hi Ada."),
        ('"Hi Ada."', "Hi Ada."),
        ("You: “Hi Ada.”", "Hi Ada."),
        ("<think>What would I say?</think>Hi Ada.", "Hi Ada."),
        ('"Hi" and "Ada"', '"Hi" and "Ada"'),
        ("Hi Ada.\n<tool_call>f()</tool_call>", "Hi Ada."),
    ],
)
def test_a_question_is_what_the_user_would_say(text: str, question: str) -> None:
    assert say(begin(), text).exchanges[0].question == question


@pytest.mark.parametrize("text", ["", " \n", '""', "User:", "<think>Hm.", "<tool_call>f()</tool_call>"])
def test_an_empty_question_is_a_problem(text: str) -> None:
    assert problem(begin(), text) == "the answer is empty"


# Answers.


@pytest.mark.parametrize("text", ["", " ", "<think>Hm.</think>", "<think>Hm.", "</think>", "<tool_call></tool_call>"])
def test_an_answer_without_a_reply_and_without_a_call_is_a_problem(text: str) -> None:
    assert problem(say(begin(), "Hi."), text) == "the answer has no reply"


def test_an_answer_that_was_cut_off_is_a_problem() -> None:
    conversation = begin()
    for text, role in (("Hi.", "tester"), (CALL, "ada"), ("Noted.", "ada")):
        message = problem(conversation, text, "length")
        assert message == f"the answer was cut off at its length limit (max_tokens in [roles.{role}] sets it)"
        assert problem(conversation, text) is None
        conversation = say(conversation, text)


# Rewrites.

THOUGHT = "They greet me, and I am glad of it."


@pytest.mark.parametrize(
    ("rewrite", "finish_reason"),
    [
        ("", "stop"),
        (" \n ", "stop"),
        ("[[1]]", "stop"),
        ("Oh, <think>they greet me", "stop"),
        ("Oh, they greet me.</think>", "stop"),
        ("Oh. <tool_call>f()</tool_call>", "stop"),
        ("Oh, they greet me. " * 12, "stop"),
        ("[[1]] Oh.\n[[2]] They greet me.", "stop"),
        ("[[2]] Oh, they greet me.", "stop"),
        ("[[0]] Oh, they greet me.", "stop"),
        (f"[[{'9' * 5_000}]] Oh.", "stop"),
        ("Here it is.\n[[1]] Oh, they greet me.", "stop"),
        ("Oh, they greet", "length"),
    ],
)
def test_a_rewrite_that_cannot_be_used_leaves_the_original(rewrite: str, finish_reason: str) -> None:
    conversation = say(begin(), "Hi.", f"<think>{THOUGHT}</think>Hello.")
    assert problem(conversation, rewrite, finish_reason) is None
    conversation = say(conversation, rewrite, finish_reason=finish_reason)
    assert sample(conversation)[-1] == ("assistant", f"<think>{THOUGHT}</think>\n\nHello.")


@pytest.mark.parametrize(
    "rewrite", ["Only one.", "[[1]] One.", "[[1]] One.\n[[2]]", "[[2]] Two.\n[[1]] One.", "[[1]] 1\n[[2]] 2\n[[3]] 3"]
)
def test_a_rewrite_with_another_number_of_parts_leaves_every_original(rewrite: str) -> None:
    conversation = say(begin(), "Hi.", f"<think>T0</think>{CALL}", "<think>T1</think>Hello.", rewrite)
    assert conversation.exchanges[0].rewritten == ("T0", "T1")


@pytest.mark.parametrize(
    "rewrite", ["Oh.", " Oh.\n", "[[1]] Oh.", "<think>How would I put it?</think>\n\nOh.", "<think>x</think>[[1]] Oh."]
)
def test_a_usable_rewrite_takes_the_place_of_the_thought(rewrite: str) -> None:
    conversation = say(begin(), "Hi.", f"<think>{THOUGHT}</think>Hello.", rewrite)
    assert sample(conversation)[-1] == ("assistant", "<think>Oh.</think>\n\nHello.")


def test_a_long_thought_may_become_at_most_three_times_as_long() -> None:
    thought = " ".join(f"They greet me on day {day}." for day in range(20))
    conversation = say(begin(), "Hi.", f"<think>{thought}</think>Hello.")
    syllables = [f" {first}{second}{third}o" for first in "bdfgk" for second in "aeiou" for third in "lmnrst"]
    longest = f"{thought}{''.join(syllables)} {''.join(reversed(syllables))}"[: 3 * len(thought) - 1] + "x"
    for text, rewritten in ((longest, longest), (longest + "x", thought)):
        assert say(conversation, text).exchanges[0].rewritten == (rewritten,)


# Whatever the models write.

WORDS = st.text(max_size=12)
MODEL_TEXT = st.lists(
    st.one_of(
        WORDS,
        st.sampled_from(
            (
                *("<think>", "</think>", "<think>Hm.</think>", "Hello.", "User:", '"', "[[1]] a\n", "[[2]] b\n", CALL),
                *("<tool_call>", "</tool_call>", "delete_memory(3)", "recall_diary()", "<tool_result>", "nonsense(1)"),
            )
        ),
    ),
    max_size=6,
).map(lambda parts: clean_text("".join(parts)))
RESULT = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(), st.sampled_from(["</tool_result>", "<think>"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=2)),
    max_leaves=4,
)


def go_through(data: st.DataObject, conversation: Conversation) -> tuple[Conversation, list[Outcome], list[Step]]:
    """Drive a conversation to its end with any texts, as a worker would; an unusable answer is asked for again."""
    outcomes: list[Outcome] = []
    calls: list[Step] = []
    refused = 0
    while not isinstance(needed := next_step(conversation), Finished):
        assert conversation.steps == len(outcomes)
        if isinstance(needed, ToolRound):
            results = [data.draw(RESULT) for _ in needed.calls]
            conversation = advance_with_results(conversation, results)
            outcomes.append(("tools", json.dumps(results), ""))
            continue
        roles = [message.role for message in prompt(conversation)]
        assert roles == ["system", *["user", "assistant"] * (len(roles) // 2)][: len(roles)]
        assert roles[-1] == "user"
        finish_reason = data.draw(st.sampled_from(["stop", "length"]))
        text = data.draw(MODEL_TEXT) if refused < 3 else "<think>Well.</think>Hello."
        if refused >= 3:
            finish_reason = "stop"
        if problem(conversation, text, finish_reason):
            refused += 1
            continue
        refused = 0
        conversation = advance_with_completion(conversation, text, finish_reason)
        outcomes.append((needed.step.value, text, finish_reason))
        calls.append(needed.step)
    return conversation, outcomes, calls


@settings(max_examples=150)
@given(st.data(), st.integers(1, 3), st.integers(0, 2))
def test_whatever_the_models_write_the_sample_keeps_its_form(data: st.DataObject, exchanges: int, rounds: int) -> None:
    conversation, outcomes, calls = go_through(data, begin(exchanges=exchanges, max_tool_rounds=rounds))

    # It is rebuilt from its outcomes, after each of them.
    assert rebuild(conversation.brief, PROMPTS, outcomes) == conversation
    assert calls.count(Step.ASK) == calls.count(Step.ANSWER) == len(conversation.exchanges) == exchanges
    assert calls.count(Step.CONTINUE) <= rounds * exchanges
    assert calls.count(Step.REWRITE) == sum(bool(exchange.thoughts) for exchange in conversation.exchanges)

    finished = next_step(conversation)
    assert isinstance(finished, Finished)
    previous = "system"
    for message in finished.messages[1:]:
        follows = {"system": "user", "user": "assistant", "tool": "assistant"}
        assert message.role == follows.get(previous, message.role)
        if previous == "assistant":
            assert message.role in ("user", "tool")
        previous = message.role
        content = message.content
        assert content
        if message.role == "assistant":
            assert content.count("<think>") == content.count("</think>") <= 1
            assert content.startswith("<think>") or "<think>" not in content
            assert "<tool_result>" not in content
            answer = parse_answer(content)
            assert answer.reply or answer.calls
        elif message.role == "tool":
            assert strip_tags(content) == content.replace("<tool_result>", "").replace("</tool_result>", "").strip()
        else:
            assert content == strip_tags(content)
    assert previous == "assistant"
    assert json.loads(sample_line(finished.messages))


@given(st.data())
def test_a_conversation_is_rebuilt_from_any_beginning_of_its_outcomes(data: st.DataObject) -> None:
    conversation, outcomes, _ = go_through(data, begin(exchanges=2, max_tool_rounds=1))
    length = data.draw(st.integers(0, len(outcomes)))
    part = rebuild(conversation.brief, PROMPTS, outcomes[:length])
    assert part.steps == length
    if length < len(outcomes):
        needed = next_step(part)
        assert (needed.step if isinstance(needed, ModelCall) else "tools") == outcomes[length][0]


ASK, ANSWER = ("ask", "Hi.", "stop"), ("answer", f"<think>T</think>{CALL}", "stop")
REWRITE = ("rewrite", "R", "stop")


@pytest.mark.parametrize(
    "outcomes",
    [
        [ANSWER],
        [ASK, ASK],
        [ASK, REWRITE],
        [("tools", "[{}]", "")],
        [ASK, ("tools", "[{}]", "")],
        [ASK, ANSWER, ("continue", "A", "stop")],
        [ASK, ANSWER, ("tools", "[]", "")],
        [ASK, ANSWER, ("tools", "[{}, {}]", "")],
        [ASK, ANSWER, ("tools", "[{}]", ""), ("tools", "[{}]", "")],
        [ASK, ANSWER, ("tools", "[{", "")],
        [ASK, ANSWER, ("tools", '{"a": 1}', "")],
        [ASK, ANSWER, ("tools", '"a"', "")],
        [ASK, ANSWER, ("tools", "1", "")],
        [ASK, ANSWER, ("tools", "null", "")],
        [ASK, ANSWER, ("tools", "[{}]", ""), ("continue", "A", "stop"), REWRITE, REWRITE],
        [ASK, ANSWER, ("tools", "[{}]", ""), ("continue", "A", "stop"), REWRITE, ASK],
        [("", "Hi.", "stop")],
        [("nothing", "Hi.", "stop")],
    ],
)
def test_outcomes_that_do_not_follow_from_each_other_are_refused(outcomes: list[Outcome]) -> None:
    with pytest.raises(ValueError, match=r"conversation 1: |Expecting"):
        rebuild(BRIEF, PROMPTS, outcomes)


def test_what_is_not_due_is_refused() -> None:
    conversation = advance_with_completion(say(begin(), "Hi."), CALL, "stop")
    with pytest.raises(ValueError, match="waits for no model call"):
        advance_with_completion(conversation, "A", "stop")
    with pytest.raises(ValueError, match="2 tool results for 1 calls"):
        advance_with_results(conversation, [1, 2])
    with pytest.raises(ValueError, match="waits for no model call"):
        advance_with_completion(say(begin(), "Hi.", "Hello."), "A", "stop")


@given(st.lists(st.builds(Message, st.sampled_from(["user", "assistant"]), st.text(st.characters()))))
@example([Message("user", "a\r\nb\u2028c\x00\x1b")])
def test_a_sample_is_one_line_of_valid_json(messages: list[Message]) -> None:
    line = sample_line(messages)
    assert "\n" not in line
    assert "\r" not in line
    assert json.loads(line) == {"conversations": [message.as_dict() for message in messages]}
    assert list(json.loads(line)) == ["conversations"]


def test_a_sample_can_be_read_by_a_person() -> None:
    line = '{"conversations": [{"role": "user", "content": "Größe 🙂"}]}'
    assert sample_line([Message("user", "Größe 🙂")]) == line


def test_an_exchange_is_finished_when_its_thinking_is_rewritten() -> None:
    assert not Exchange("Hi.").answered
    assert not say(begin(), "Hi.", "<think>T</think>A").exchanges[0].finished
    assert say(begin(), "Hi.", "<think>T</think>A", "R").exchanges[0].finished
