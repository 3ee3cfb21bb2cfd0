"""What a reviewer answers is read as models write it, and nothing else is taken for an answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.conversation.completions import problem_with
from apep_datagen.conversation.machine import (
    Finished,
    ModelCall,
    advance_with_completion,
    advance_with_originals,
    advance_with_results,
    next_step,
    rebuild,
    without_review,
)
from apep_datagen.conversation.prompt_set import PromptSet, load_prompts
from apep_datagen.conversation.prompting import prompt, training_sample
from apep_datagen.conversation.review import Review, ReviewAnswer, read_review
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.errors import FailureKind
from apep_datagen.core.messages import Completion, ModelRole, ReviewQuestion, Step, Usage
from support.briefs import BRIEF

PROMPTS = load_prompts()
YES = "mood: yes\nfacts: yes\nperson: yes\ntraining: yes"
CALL = '<tool_call>add_memory(input_text=["The user has a cat."])</tool_call>'
QUESTIONS = st.sampled_from(list(ReviewQuestion))


def objections(text: str) -> dict[str, str] | None:
    review = read_review(text)
    return None if review is None else {answer.question.value: answer.words for answer in review.objections}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (YES, {}),
        (YES.upper(), {}),
        (
            YES.replace("facts: yes", 'facts: no, "I broke my wrist" is not stored'),
            {"facts": '"I broke my wrist" is not stored'},
        ),
        (
            '**Mood:** No — "tired"\n**Facts:** Yes\n**Person:** yes.\n**Training:** No',
            {"mood": '"tired"', "training": ""},
        ),
        ("1. mood: yes\n2. facts: n/a (nothing told)\n3. person: yes\n4. training: yes", {}),
        (
            '{"mood": "no", "facts": "yes", "person": "yes", "training": "no, the mood"}',
            {"mood": "", "training": "the mood"},
        ),
        ('| mood | yes |\n| facts | no | "x" |\n| person | yes |\n| training | yes |', {"facts": '"x"'}),
        ("mood: yes, facts: no, the cat; person: yes; training: no", {"facts": "the cat", "training": ""}),
        (f"<think>mood: no? facts: no?</think>\n{YES}", {}),
        # What is thought aloud before it does not count.
        (f"Let me see. mood: no, perhaps?\n\n{YES}", {}),
        (f"```\n{YES}\n```", {}),
        # A name in a reason, and a no in one, are no answers.
        (
            YES.replace("person: yes", "person: no, facts of training are no talk"),
            {"person": "facts of training are no talk"},
        ),
    ],
)
def test_a_review_is_read_as_models_write_it(text: str, found: dict[str, str]) -> None:
    assert objections(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yes",
        "yes\nyes\nyes\nno",
        "mood: yes\nfacts: yes\nperson: yes",
        "mood: maybe\nfacts: yes\nperson: yes\ntraining: yes",
        "I am sorry, but I cannot review private thoughts.",
        "mood:\nyes\nfacts:\nyes\nperson:\nyes\ntraining:\nyes",
        "moody: yes\nfacts: yes\nperson: yes\ntraining: yes",
        "mood: yesterday\nfacts: yes\nperson: yes\ntraining: yes",
        f"<think>{YES}</think>",
    ],
)
def test_what_does_not_answer_each_question_is_no_review(text: str) -> None:
    assert read_review(text) is None


@given(st.text())
def test_whatever_a_reviewer_writes_is_read(text: str) -> None:
    review = read_review(text)
    assert review is None or [answer.question for answer in review.answers] == list(ReviewQuestion)


@given(
    st.permutations(list(ReviewQuestion)),
    st.sets(QUESTIONS),
    st.sampled_from(["{}: {}", "**{}**: {}", "- {}: {}", '"{}": "{}",', "{} = {}", "{} — {}"]),
    st.sampled_from(["\n", "\n\n", "  \n", "\r\n"]),
)
def test_the_form_of_a_review_says_nothing(
    order: list[ReviewQuestion], noes: set[ReviewQuestion], form: str, between: str
) -> None:
    text = between.join(form.format(question, "no" if question in noes else "yes") for question in order)
    assert set(objections(text) or ()) == noes


# In a conversation.


def begin(*, exchanges: int = 1, is_reviewed: bool = True) -> Conversation:
    return Conversation(replace(BRIEF, exchanges=exchanges, is_reviewed=is_reviewed), PROMPTS)


def say(conversation: Conversation, *texts: str) -> Conversation:
    for text in texts:
        conversation = advance_with_completion(conversation, text, "stop")
    return conversation


def due(conversation: Conversation) -> Step | None:
    needed = next_step(conversation)
    return needed.step if isinstance(needed, ModelCall) else None


EXCHANGE = ("Hi.", "<think>They greet me.</think>Hello.", "Oh, they greet me.")


def test_a_review_is_due_behind_the_last_exchange_alone() -> None:
    conversation = say(begin(exchanges=2), *EXCHANGE)
    assert due(conversation) is Step.ASK
    conversation = say(conversation, *EXCHANGE)
    assert due(conversation) is Step.REVIEW
    assert Step.REVIEW.model_role is ModelRole.REVIEWER
    reviewed = say(conversation, YES)
    assert next_step(reviewed) == Finished(training_sample(conversation))
    assert reviewed.review == read_review(YES)
    with pytest.raises(ValueError, match="waits for no model call"):
        say(reviewed, YES)


def test_where_no_thought_is_rewritten_it_is_due_behind_the_reply() -> None:
    assert due(say(begin(), "Hi.", "Hello.")) is Step.REVIEW


def test_a_conversation_that_is_not_to_be_reviewed_is_finished_without() -> None:
    conversation = say(begin(is_reviewed=False), *EXCHANGE)
    assert isinstance(next_step(conversation), Finished)
    assert without_review(conversation) is conversation


def test_what_is_of_no_use_is_asked_for_again_and_recorded_is_a_review_without_answers() -> None:
    conversation = say(begin(), *EXCHANGE)

    def problem(text: str, finish_reason: str = "stop") -> str | None:
        found = problem_with(conversation, Completion(text, finish_reason, Usage()))
        return str(found) if found else None

    assert problem(YES) is None
    assert problem(f"{YES}, but", "length") is None
    assert problem("Fine.") == "the review does not say yes or no to each of mood, facts, person, training"
    cut_off = problem_with(conversation, Completion("mood: yes\nfac", "length", Usage()))
    assert cut_off is not None
    assert cut_off.kind is FailureKind.CUT_OFF
    assert "max_tokens in [roles.reviewer]" in str(cut_off)

    for nothing in ("", "Fine."):
        reviewed = say(conversation, nothing)
        assert reviewed.review == Review()
        assert isinstance(next_step(reviewed), Finished)
    assert without_review(conversation).review == Review()
    assert without_review(say(begin(), "Hi.")).review is None


def test_it_is_rebuilt_from_its_steps() -> None:
    steps = [("ask", EXCHANGE[0], "stop"), ("answer", EXCHANGE[1], "stop"), ("rewrite", EXCHANGE[2], "stop")]
    brief = begin().brief
    assert due(rebuild(brief, PROMPTS, steps)) is Step.REVIEW
    reviewed = rebuild(brief, PROMPTS, [*steps, ("review", YES.replace("mood: yes", "mood: no, x"), "stop")])
    assert isinstance(next_step(reviewed), Finished)
    assert reviewed.steps == len(steps) + 1
    assert reviewed.review is not None
    assert reviewed.review.objections == (ReviewAnswer(ReviewQuestion.MOOD, is_yes=False, words="x"),)
    with pytest.raises(ValueError, match="does not fit its state"):
        rebuild(replace(brief, is_reviewed=False), PROMPTS, [*steps, ("review", YES, "stop")])


def test_thoughts_that_judging_put_back_are_as_they_were_over_a_crash() -> None:
    steps = [("ask", EXCHANGE[0], "stop"), ("answer", EXCHANGE[1], "stop"), ("rewrite", EXCHANGE[2], "stop")]
    judged = rebuild(begin().brief, PROMPTS, [*steps, ("originals", "[[0, 0]]", "")])
    assert judged == advance_with_originals(say(begin(), *EXCHANGE), [(0, 0)])
    assert "<think>They greet me.</think>" in training_sample(judged)[-1].content
    assert "Ada thinks: They greet me." in prompt(judged)[-1].content
    assert due(judged) is Step.REVIEW
    assert judged.steps == len(steps) + 1
    for wrong in ([steps[0], ("originals", "[[0, 0]]", "")], [*steps, ("originals", "[[0]]", "")]):
        with pytest.raises(ValueError, match=r"conversation 1: |waits for no review|unpack"):
            rebuild(begin().brief, PROMPTS, wrong)


# What is sent.


def test_the_reviewer_reads_what_is_saved_and_the_day() -> None:
    conversation = say(begin(), "Hi, my cat is ill.", f"<think>T0</think>{CALL}")
    conversation = advance_with_results(conversation, [{"added": 1, "indices": [1]}])
    conversation = say(
        conversation, "<think>T1</think>Poor cat!", "[[1]] They have a cat.\n[[2]] It's noted, poor thing."
    )
    system, user = prompt(conversation)
    assert system.content == PROMPTS.render("reviewer_system.txt")
    thoughts = conversation.exchanges[0].saved_thoughts
    parts = (
        "The user: Hi, my cat is ill.",
        f"Ada thinks: {thoughts[0]}",
        'Ada calls: add_memory(input_text=["The user has a cat."])',
        'The result: {"added": 1, "indices": [1]}',
        f"Ada thinks: {thoughts[1]}",
        "Ada says: Poor cat!",
    )
    assert "\n\n".join(parts) in user.content
    assert BRIEF.date in user.content
    for question in ReviewQuestion:
        assert f"\n{question}: " in system.content


def test_it_is_sent_no_list_twice() -> None:
    looks = "<think>Let me look.</think><tool_call>recall_memories()</tool_call>"
    listed = {"memories": [{"index": 1, "date": "2026-01-01", "text": "The user has a cat."}]}
    conversation = begin(exchanges=2)
    for _ in range(2):
        conversation = advance_with_results(say(conversation, "Do I have a cat?", looks), [listed])
        conversation = say(conversation, "<think>Yes.</think>You do.", "[[1]] Let me look.\n[[2]] Yes.")
    user = prompt(conversation)[-1].content
    assert user.count("The user has a cat.") == 1
    assert user.count("Listed again below.") == 1


def test_prompts_that_know_of_no_reviewer_go_on_with_what_they_began() -> None:
    texts = {name: text for name, text in PROMPTS.texts.items() if not name.startswith("reviewer")}
    stored = PromptSet.from_json(PromptSet(texts).to_json())
    conversation = Conversation(replace(BRIEF, exchanges=1), stored)
    for text in EXCHANGE:
        assert prompt(conversation)
        conversation = say(conversation, text)
    assert isinstance(next_step(conversation), Finished)
