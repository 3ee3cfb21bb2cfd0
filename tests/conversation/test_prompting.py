"""What the tester is told in each exchange, and that what Ada is sent does not grow with how often she looks."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from apep_datagen.conversation.machine import (
    ModelCall,
    ToolRound,
    advance_with_completion,
    advance_with_results,
    needs_no_rewrite,
    next_step,
)
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.conversation.prompting import prompt, training_sample
from apep_datagen.conversation.rewriting import NOT_NEEDED
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.notebook import Notebook
from apep_datagen.core.tools import run_call
from support.briefs import BRIEF

PROMPTS = load_prompts()
GENERAL = "react to what she just said"


def begin(*, exchanges: int, course: tuple[str, ...] = ()) -> Conversation:
    scenario = replace(BRIEF.scenario, course=course)
    return Conversation(replace(BRIEF, exchanges=exchanges, scenario=scenario, rewrites="never"), PROMPTS)


def say(conversation: Conversation, notebook: Notebook, *texts: str) -> Conversation:
    """Answer the calls that are due, with tools that are really run; nothing is rewritten."""
    for text in texts:
        assert isinstance(next_step(conversation), ModelCall)
        conversation = advance_with_completion(conversation, text, "stop")
        needed = next_step(conversation)
        if isinstance(needed, ToolRound):
            results = [run_call(call, notebook) for call in needed.calls]
            conversation = advance_with_results(conversation, results)
        if needs_no_rewrite(conversation):
            conversation = advance_with_completion(conversation, "", NOT_NEEDED)
    return conversation


def told(conversation: Conversation) -> str:
    return prompt(conversation)[-1].content


@pytest.mark.parametrize("length", range(6))
def test_the_tester_is_told_in_each_exchange_what_the_course_says_for_it(length: int) -> None:
    course = tuple(f"Write of thing {number}." for number in range(length))
    conversation = begin(exchanges=3, course=course)
    for number in range(3):
        said = told(conversation)
        others = [text for place, text in enumerate(course) if place != number]
        assert not any(text in said for text in others)
        if number < length:
            assert course[number] in said
            assert GENERAL not in said
            assert BRIEF.scenario.instruction not in said
        else:
            assert (BRIEF.scenario.instruction in said) is (number == 0)
            assert (GENERAL in said) is (number > 0)
        conversation = say(conversation, Notebook(), f"Q{number}", f"A{number}")
    assert not isinstance(next_step(conversation), ModelCall)


def test_a_prompt_of_an_earlier_version_goes_on_with_its_own_follow_up() -> None:
    texts = {**PROMPTS.texts, "tester_user.txt": "{% if history %}Go on.{% else %}{{ instruction }}{% endif %}"}
    conversation = replace(begin(exchanges=2), prompts=type(PROMPTS)(texts))
    assert told(conversation) == BRIEF.scenario.instruction
    assert told(say(conversation, Notebook(), "Q", "A")) == "Go on."


# What is sent again.


def full_notebook(memories: int = 60, pages: int = 12) -> Notebook:
    notebook = Notebook(date="2026-01-31")
    notebook.add("memory", [f"The user's neighbour of number {number} likes walnuts." for number in range(memories)])
    notebook.add("diary", [f"Evening {number}: they told me of the lake, and I was moved." for number in range(pages)])
    return notebook


LOOK = "<think>I want to look.</think>\n\n<tool_call>recall_memories()</tool_call>"
READ = "<think>I want to read.</think>\n\n<tool_call>recall_diary()</tool_call>"
REPLY = "<think>So that is it.</think>\n\nThere it is."


def sizes(exchanges: int, *rounds: str) -> list[int]:
    """Return how long the longest prompt of each exchange is, where Ada looks in all of them."""
    conversation, notebook, longest = begin(exchanges=exchanges), full_notebook(), []
    for _ in range(exchanges):
        lengths = []
        for text in ("Do you know it?", *rounds, REPLY):
            lengths.append(sum(len(message.content) for message in prompt(conversation)))
            conversation = say(conversation, notebook, text)
        longest.append(max(lengths))
    return longest


def test_however_often_she_looks_each_list_is_sent_once() -> None:
    whole = sum(len(str(run_call(call, full_notebook()))) for call in _calls(LOOK, READ))
    lengths = sizes(6, LOOK, READ, LOOK)
    growth = [later - earlier for earlier, later in itertools.pairwise(lengths)]
    # What grows is what was said, and that somebody has looked.
    assert max(growth) < 1_000 < whole
    assert lengths[-1] < lengths[0] + 5 * 1_000


def _calls(*texts: str) -> list[Any]:
    conversation = advance_with_completion(begin(exchanges=1), "Q", "stop")
    needed = [next_step(advance_with_completion(conversation, text, "stop")) for text in texts]
    return [call for item in needed if isinstance(item, ToolRound) for call in item.calls]


def test_the_latest_list_is_sent_whole_and_the_sample_holds_them_all() -> None:
    notebook = full_notebook(memories=3)
    add = '<think>I keep it.</think>\n\n<tool_call>add_memory(input_text=["The user likes quinces."])</tool_call>'
    conversation = say(begin(exchanges=2), notebook, "Q", LOOK, add, REPLY, "Q", LOOK)
    results = [message.content for message in prompt(conversation) if "<tool_result>" in message.content][1:]
    assert [result.count("walnuts") for result in results] == [0, 0, 3]
    assert "Listed again below." in results[0]
    assert '"added": 1' in results[1]
    assert "quinces" in results[2]
    saved = [message.content for message in training_sample(conversation) if message.role == "tool"]
    assert [result.count("walnuts") for result in saved] == [3, 0, 3]
    assert "again below" not in "".join(saved)


def test_a_memory_is_no_diary_and_a_look_that_failed_or_found_nothing_takes_no_list_away() -> None:
    notebook = full_notebook(memories=2, pages=2)
    wrong = "<think>I look.</think>\n\n<tool_call>recall_memories(5, 6)</tool_call>"
    conversation = say(begin(exchanges=2), notebook, "Q", LOOK, READ, wrong, REPLY, "Q")
    sent = "\n".join(message.content for message in prompt(conversation))
    assert sent.count("walnuts") == sent.count("the lake") == 2
    assert "Listed again below." not in sent

    empty = Notebook()
    conversation = say(begin(exchanges=1), empty, "Q", LOOK, LOOK)
    assert sum("There are no memories yet." in message.content for message in prompt(conversation)) == 2
