"""Which thoughts are a person's own as they are, and so need no rewriting: real ones, and what weaker models write."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.conversation.brief import Rewrites
from apep_datagen.conversation.machine import (
    Finished,
    ModelCall,
    advance_with_completion,
    advance_with_results,
    needs_no_rewrite,
    next_step,
    rebuild,
)
from apep_datagen.conversation.own_voice import is_own_voice
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.conversation.rewriting import NOT_NEEDED
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.messages import Step
from support.briefs import BRIEF
from support.real_conversations import RealConversation, real_conversations

ANALYSES = [
    # Of a case, from outside.
    "The user is sharing that they adopted a dog called Bello. I want to keep the name.",
    "This user's mood seems low tonight, and I feel for them.",
    "They sent a query about plants, and I like plants.",
    "Ada should be glad for them. I would like to answer with a joke.",
    "It's a light conversation about soup, I can join in.",
    "No tools needed here, it's a joke and I like it.",
    "I'll call add_memory with the name and then answer.",
    "They express frustration about the landlord, so I listen.",
    "I should acknowledge how hard the week was and offer something gentle.",
    "Empathy first. I let them talk about the knee.",
    "They are upset; therefore I keep it short.",
    "This indicates a lasting preference, which I keep.",
    "I want to provide comfort and ask about the train.",
    "They want reassurance, so I respond warmly.",
    # Lists, labels, steps.
    "1. They have a dog.\n2. I keep its name.",
    "- tired\n- sad about the cat, I think",
    "**Mood:** sad. I keep it gentle.",
    "Mood: tired. Fact: a dog named Bello. I keep the second.",
    "User feelings: sad. I keep it gentle.",
    "# What I want\nTo be kind.",
    "What they say: the cat is ill. What I do: ask how she is.",
    "First, I look at the list. Then I tell them. Finally, I ask about the interview.",
    "Firstly they are tired, secondly they are hungry, and I can help with the second.",
    "I'll use the list (see [memory]) and answer.",
    "Recall {dog_name}, then I tell them.",
    # A plan from end to end.
    "I should look at the list first. I will take number two out. I must not name it.",
    "They want it gone. I need to look it up. I will delete it. I should say that it is done.",
    "I'll look. Then I'll tell them. I'll ask how the day was.",
    # Of them alone, in whole sentences: a report.
    "They are telling a long story about the landlord and the heating that he never came to repair in the winter.",
    "The person adopted a small dog last week and named it after the river that runs behind the house of their aunt.",
    # To the user, who never sees it.
    "You must be so tired after all that. I would sit down with you if I could.",
    "Your dog sounds lovely, and I want to hear more.",
    # Too long to be a thought.
    "I like that they wrote at once, and the part about the ferry most of all. " * 7,
    # Nothing, or what cannot be read.
    "",
    "…",
    "Sie klingen müde, und ich möchte ihnen etwas Gutes sagen, bevor sie schlafen gehen.",
    "Ils ont l'air fatigués ce soir, et j'aimerais leur dire quelque chose de doux avant la nuit.",
]

PERSONS = [
    "A puppy, at last! I want to remember the name, it will come up again.",
    "Hazelnuts. Good that I looked.",
    "Nothing there, no sister, no Denmark. I can't say it and I won't guess.",
    "They ask about the locker as if it were nothing, but they're late, I can tell. Let me look, quickly.",
    "Done. Not another word about it.",
    "The old town goes, Braga comes in. Then there's only one home in there, as it should be.",
    "Three in the morning and still at the form. I'd rather make them laugh first.",
    "And tomorrow: I don't know what it is, so I'll say so and ask.",
    "That bench with the broken arm... I like how they did it, walking it off.",
    "It's number 2. Only that; the choir stays. I'll take it out.",
    "First the postcard, it has waited long enough. I like that they woke up to a joke.",
    "My memory is empty, so I really don't know which sister they mean.",
    'They said "in bits", and I had to laugh.',
    "I could look it up, and I will, because a wrong number would be worse than none.",
]


@pytest.mark.parametrize("thought", ANALYSES)
def test_a_plan_a_list_or_an_analysis_is_no_persons(thought: str) -> None:
    assert not is_own_voice(thought)


@pytest.mark.parametrize("thought", PERSONS)
def test_what_one_thinks_with_oneself_is_a_persons(thought: str) -> None:
    assert is_own_voice(thought)


def needs_none(real: RealConversation) -> bool:
    return all(is_own_voice(thought) for exchange in real.conversation.exchanges for thought in exchange.thoughts)


def test_most_of_what_a_capable_model_thinks_needs_no_rewriting() -> None:
    reals = real_conversations()
    assert sum(map(needs_none, reals)) == 182
    assert len(reals) == 200


@given(st.text())
def test_whatever_was_thought_it_is_told_and_nothing_raises(thought: str) -> None:
    assert is_own_voice(thought) in (True, False)


# In a conversation it is recorded, so that no later rule changes what was.

OWN, ANALYSIS = "Hazelnuts. Good that I looked.", "The user asks for the allergy. I should respond with it."
CALL = "<tool_call>recall_memories()</tool_call>"


def answered(rewrites: Rewrites, *thoughts: str) -> Conversation:
    """Return a conversation whose only exchange is answered, with these thoughts."""
    conversation = Conversation(replace(BRIEF, rewrites=rewrites), load_prompts())
    conversation = advance_with_completion(conversation, "Hi.", "stop")
    for thought in thoughts[:-1]:
        assert not needs_no_rewrite(conversation)
        conversation = advance_with_completion(conversation, f"<think>{thought}</think>{CALL}", "stop")
        conversation = advance_with_results(conversation, [{"memories": []}])
    return advance_with_completion(conversation, f"<think>{thoughts[-1]}</think>Here it is.", "stop")


@pytest.mark.parametrize(
    ("rewrites", "thoughts", "is_needless"),
    [
        ("needed", (OWN,), True),
        ("needed", (OWN, OWN), True),
        ("needed", (OWN, ANALYSIS), False),
        ("needed", (ANALYSIS, OWN), False),
        ("always", (OWN,), False),
        ("never", (ANALYSIS,), True),
    ],
)
def test_nobody_is_asked_where_each_thought_of_an_exchange_is_a_persons(
    rewrites: Rewrites,
    thoughts: tuple[str, ...],
    is_needless: bool,  # noqa: FBT001 - a case
) -> None:
    assert needs_no_rewrite(answered(rewrites, *thoughts)) is is_needless


def test_what_was_left_out_is_finished_with_her_own_thoughts() -> None:
    conversation = advance_with_completion(answered("needed", OWN, OWN), "", NOT_NEEDED)
    assert isinstance(next_step(conversation), Finished)
    assert conversation.exchanges[0].rewritten == (OWN, OWN)
    assert conversation.exchanges[0].kept == (NOT_NEEDED, NOT_NEEDED)
    assert not needs_no_rewrite(conversation)


@pytest.mark.parametrize("rewrites", ["always", "needed", "never"])
@pytest.mark.parametrize("thought", [OWN, ANALYSIS])
def test_a_conversation_is_rebuilt_as_it_was_recorded_whatever_the_rule_says_today(
    rewrites: Rewrites, thought: str
) -> None:
    """What was left out stays so, and what was rewritten, or waits for it, is not left out later."""
    asked = [("ask", "Hi.", "stop"), ("answer", f"<think>{thought}</think>Here it is.", "stop")]
    brief, prompts = replace(BRIEF, rewrites=rewrites), load_prompts()
    assert next_step(rebuild(brief, prompts, asked)) == ModelCall(Step.REWRITE)
    left_out = rebuild(brief, prompts, [*asked, ("rewrite", "", NOT_NEEDED)])
    assert left_out.exchanges[0].rewritten == (thought,)
    rewritten = rebuild(brief, prompts, [*asked, ("rewrite", f"So. {thought}", "stop")])
    assert rewritten.exchanges[0].rewritten == (f"So. {thought}",)


def test_a_rewriter_cannot_say_that_it_was_not_needed() -> None:
    conversation = advance_with_completion(answered("always", OWN), "Whatever I like.", NOT_NEEDED)
    assert conversation.exchanges[0].kept != (NOT_NEEDED,)
