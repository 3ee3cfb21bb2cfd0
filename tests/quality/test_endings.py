"""How a reply ends: without a mark in many voices, and in the middle of a phrase in none."""

from __future__ import annotations

import pytest

from apep_datagen.core.calls import ToolCall
from apep_datagen.quality import form
from apep_datagen.quality.sample import Sample, SavedExchange, SavedTurn

RECALL = SavedTurn("Hm.", "", (ToolCall("recall_memories", {}),), ({"memories": []},))

WHOLE = [
    "gone, and it never was here", "sleep well", "you don't have to if you don't want to", "that's what it's made of",
    "i put it down, next to the tea\n\nnow go and eat something", "Gone. Sleep well",
    "No idea, where is she living now",
    "Tell me tomorrow (or never)", "**Done**, it's out", "Your list:\n\n- tea\n- honey", "Ich habe es notiert",
    "c'est noté, bonne nuit", "Right you are, see you at 5", "hold on to that one", "the one you came with",
    "it is what one waits for", "I think so too", "Well, there you are then", "Take your time and breathe",
    "ok 👍 done",
    "she will laugh at it, just wait", "no worries mate", "you know whom to ask and what to listen to",
    "Aye, that I do",
    "let it be\nlet it snow", "(as you like) I am here", "*nods* go on", "it's at 16:50", "call it a day",
]  # fmt: skip
IN_THE_MIDDLE = [
    "gone, and it never was in the", "Sleep well, and", "you could ask her because", "That is what your", "it is a",
    "I put it down next to my", "She would be happier than", "Tell me (or never", "**Done, it's out", "Ask the",
    "He said “come in", "The rest of the story belongs to", "Then go there with", "Three things come to mind:",
    "There are plums,", "I was think-", "Do this.\n1. Rest.\n2.", "Try this:\n```\nprint(1)", "we could make a cup of",
]  # fmt: skip
WITHOUT_MARKS = [
    "gone, and it never was here",
    "i put it down next to the tea\n\nnow go and eat",
    "ok so it's out, go eat",
]


def is_cut_off(reply: str, *finish_reasons: str) -> bool:
    problem = form.check(Sample("You are Ada.", (SavedExchange("Hello.", (SavedTurn("Hm.", reply),)),)), finish_reasons)
    return problem is not None and problem.reason == "a reply is cut off"


@pytest.mark.parametrize("reply", WHOLE)
@pytest.mark.parametrize("finish_reason", ["stop", "end_turn", "COMPLETE"])
def test_a_reply_without_a_mark_is_whole_where_the_provider_says_so(reply: str, finish_reason: str) -> None:
    assert not is_cut_off(reply, finish_reason)


@pytest.mark.parametrize("reply", IN_THE_MIDDLE)
def test_the_middle_of_a_phrase_is_no_end_whatever_the_provider_says(reply: str) -> None:
    assert is_cut_off(reply, "stop")
    assert is_cut_off(reply)


@pytest.mark.parametrize("reply", WITHOUT_MARKS)
def test_where_the_provider_says_nothing_the_style_of_the_reply_counts(reply: str) -> None:
    assert not is_cut_off(reply)
    assert is_cut_off(f"Well. {reply}") or "\n" in reply
    assert not is_cut_off(f"Well. {reply}", "stop")


def test_the_finish_reason_is_that_of_the_last_turn_of_the_exchange() -> None:
    exchanges = tuple(SavedExchange("Hello.", (RECALL, SavedTurn("Hm.", reply))) for reply in ("Yes.", "Sleep well"))
    sample = Sample("You are Ada.", exchanges)
    assert form.check(sample, ("", "", "", "stop")) is None
    problem = form.check(sample, ("stop", "stop", "stop", ""))
    assert problem is not None
    assert problem.reason == "a reply is cut off"
