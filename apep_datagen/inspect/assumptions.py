"""What an estimate assumes where an output has no history, and what a conversation needs by these assumptions.

The prompts are rendered as they will be, so that only what models answer is a guess.
"""

from __future__ import annotations

from dataclasses import replace

from apep_datagen.config.settings import GenerationSettings, RolesSettings
from apep_datagen.conversation.brief import Brief, QuestionAnswer
from apep_datagen.conversation.machine import advance_with_completion, advance_with_results
from apep_datagen.conversation.prompt_set import PromptSet
from apep_datagen.conversation.prompting import prompt
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.messages import ModelRole, Step
from apep_datagen.inspect.need import Need
from apep_datagen.people.cast import Cast
from apep_datagen.people.drawing import draw_scenario, draw_user, generator
from apep_datagen.people.exchanges import shares_of_exchanges
from apep_datagen.people.scenario import Ability
from apep_datagen.people.story import Story

__all__ = [
    "ASSUMED_COMPLETION_TOKENS",
    "ASSUMED_IN_FLIGHT",
    "ASSUMED_LATER_TOOL_ROUNDS",
    "ASSUMED_REWRITTEN",
    "ASSUMED_SECONDS_PER_ANSWER",
    "ASSUMED_TOOL_ROUNDS",
    "ASSUMED_YIELD",
    "BYTES_PER_TOKEN",
    "assumed_needs",
]

# Of chat models that do not reason at length.
ASSUMED_COMPLETION_TOKENS = {ModelRole.TESTER: 50, ModelRole.ADA: 220, ModelRole.REWRITER: 100, ModelRole.REVIEWER: 40}
ASSUMED_SECONDS_PER_ANSWER = 5.0
# In the exchange that shows a conversation's ability: none in a quarter of the default mix, two where something is
# stored or has changed, else one. In the others people chat, mostly.
ASSUMED_TOOL_ROUNDS = 1.0
ASSUMED_LATER_TOOL_ROUNDS = 0.2
# Of the exchanges, where thoughts are rewritten as needed. A capable model needs it in a tenth (`benchmarks/
# prompt_tokens.py`), a small one nearly always.
ASSUMED_REWRITTEN = 0.3
# Of finished conversations, where they are judged strictly.
ASSUMED_YIELD = 0.75
BYTES_PER_TOKEN = 4
# Where neither a rate nor a number of requests in flight is configured.
ASSUMED_IN_FLIGHT = 4

_AT = "2026-01-31T19:40"

# What the models are taken to have answered in the prompts that follow.
_WORD = "word "
_QUESTION = _WORD * 40
_THOUGHT = _WORD * 90
_REPLY = _WORD * 90
_CALL = f"<think>{_THOUGHT}</think>\n\n<tool_call>recall_memories()</tool_call>"
# As many notes as stand in a memory, with those of the past that a timeline begins with.
_LIST = {"memories": [{"index": number, "date": _AT[:10], "text": _WORD * 12} for number in range(1, 21)]}


def assumed_needs(
    generation: GenerationSettings, roles: RolesSettings, prompts: PromptSet, cast: Cast
) -> dict[ModelRole, Need]:
    """Return what a conversation will need on average, by role."""
    shares = shares_of_exchanges(*generation.exchanges)
    rewritten = {"always": 1.0, "needed": ASSUMED_REWRITTEN, "off": 0.0}[roles.rewriter.when]
    needs = {role: Need() for role in ModelRole}

    def ask(step: Step, conversation: Conversation, weight: float) -> None:
        role = step.model_role
        completion = min(ASSUMED_COMPLETION_TOKENS[role], roles.of(role).max_tokens)
        size = sum(len(message.content.encode()) for message in prompt(conversation))
        needs[role] += Need(1, size / BYTES_PER_TOKEN, completion) * weight

    conversation = Conversation(_sample_brief(generation, cast), prompts)
    for number in range(1, max(shares) + 1):
        # This is how many of all conversations are so long.
        weight = sum(share for length, share in shares.items() if length >= number)
        ask(Step.ASK, conversation, weight)
        conversation = advance_with_completion(conversation, _QUESTION, "stop")
        ask(Step.ANSWER, conversation, weight)
        if generation.max_tool_rounds:
            after_call = advance_with_results(advance_with_completion(conversation, _CALL, "stop"), [_LIST])
            rounds = ASSUMED_TOOL_ROUNDS if number == 1 else ASSUMED_LATER_TOOL_ROUNDS
            ask(Step.CONTINUE, after_call, weight * rounds)
            if number == 1:
                conversation = after_call  # its list stays in sight
        conversation = advance_with_completion(conversation, f"<think>{_THOUGHT}</think>\n\n{_REPLY}", "stop")
        ask(Step.REWRITE, conversation, weight * rewritten)
        conversation = advance_with_completion(conversation, _THOUGHT, "stop")
        if roles.reviewer.is_asked:
            brief = replace(conversation.brief, exchanges=number, is_reviewed=True)
            ask(Step.REVIEW, replace(conversation, brief=brief), shares.get(number, 0.0))
    return needs


def _sample_brief(generation: GenerationSettings, cast: Cast) -> Brief:
    """Return the brief of a longest conversation, in which a fact is told."""
    draw = generator(0)
    story = Story(draw_user(cast, draw))
    return Brief(
        conversation_id=1,
        timeline_id=1,
        exchanges=generation.exchanges[1],
        max_tool_rounds=generation.max_tool_rounds,
        at=_AT,
        user=story.user,
        scenario=draw_scenario(cast, draw, Ability.SHARE, story, at=_AT, exchanges=generation.exchanges[1]),
        # All conversations of a timeline but the first are told of the one before.
        previous=QuestionAnswer(_QUESTION, _REPLY) if generation.timeline_length > 1 else None,
        seed=0,
        way_of_thinking=cast.ways_of_thinking[0],
    )
