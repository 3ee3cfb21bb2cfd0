"""No rewrite costs a conversation: what is rejected as it was rewritten, and passes as Ada thought it, is saved so."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from apep_datagen.conversation.machine import advance_with_completion
from apep_datagen.conversation.prompt_set import load_prompts
from apep_datagen.conversation.prompting import training_sample
from apep_datagen.conversation.shortcoming import Shortcoming
from apep_datagen.conversation.state import Conversation
from apep_datagen.core.notebook import Notes
from apep_datagen.people.cast import load_cast
from apep_datagen.people.story import Change
from apep_datagen.quality.case import Case
from apep_datagen.quality.judge import Judge
from apep_datagen.quality.novelty import Accepted, NoveltyLimits
from apep_datagen.quality.problem import Problem, Stage
from apep_datagen.quality.second_look import judge_rewritten
from support.briefs import BRIEF

BAD = "and the kettle is purple"
CHANGE = Change((), Notes(), Notes())


@dataclass(frozen=True, slots=True)
class Strict(Judge):
    """Rejects what says a word that no comparison of thoughts knows of, wherever it stands."""

    def judge(self, case: Case, accepted: Accepted) -> Problem | None:  # noqa: ARG002 - it looks at the texts alone
        said = " ".join(message.content for message in case.messages[1:])
        return Problem(Stage.VOICE, "a purple kettle", BAD) if "purple" in said else None


JUDGE = Strict("strict", load_cast().phrases, NoveltyLimits(), ())


class Nothing:
    """Nothing was accepted before."""


def conversation(*exchanges: tuple[str, str, str]) -> Conversation:
    """Return a finished conversation of exchanges: Ada's thought, her reply, and the thought as it was rewritten."""
    state = Conversation(replace(BRIEF, exchanges=len(exchanges)), load_prompts())
    for thought, reply, rewritten in exchanges:
        for text in ("Tea or coffee?", f"<think>{thought}</think>{reply}", rewritten):
            state = advance_with_completion(state, text, "stop")
    return state


def judged(state: Conversation) -> tuple[Conversation, Problem | None, tuple[tuple[int, int], ...]]:
    result = judge_rewritten(JUDGE, state, Case(BRIEF, training_sample(state), CHANGE), Nothing())  # type: ignore[arg-type]
    return result.conversation, result.problem, result.put_back


THOUGHT = "They ask about tea, and I would take the tea."
GOOD = "Tea, they ask... well, I would take the tea."


def test_a_conversation_that_passes_is_left_alone() -> None:
    state = conversation((THOUGHT, "Tea!", GOOD))
    assert state.exchanges[0].rewritten == (GOOD,)
    assert judged(state) == (state, None, ())


def test_the_thought_whose_rewrite_would_cost_the_conversation_is_put_back_and_no_other() -> None:
    state = conversation((THOUGHT, "Tea!", GOOD), (THOUGHT, "Tea!", f"{GOOD} {BAD}"), (THOUGHT, "Tea!", GOOD))
    saved, problem, put_back = judged(state)
    assert (problem, put_back) == (None, ((1, 0),))
    assert [exchange.rewritten for exchange in saved.exchanges] == [(GOOD,), (THOUGHT,), (GOOD,)]
    assert [exchange.kept for exchange in saved.exchanges] == [("",), (Shortcoming.REJECTED.value,), ("",)]
    assert "purple" not in " ".join(message.content for message in training_sample(saved))


def test_where_more_than_one_rewrite_is_at_fault_all_are_put_back() -> None:
    state = conversation((THOUGHT, "Tea!", f"{GOOD} {BAD}"), (THOUGHT, "Tea!", f"{GOOD} {BAD}"))
    saved, problem, put_back = judged(state)
    assert (problem, put_back) == (None, ((0, 0), (1, 0)))
    assert [exchange.rewritten for exchange in saved.exchanges] == [(THOUGHT,), (THOUGHT,)]


@pytest.mark.parametrize("rewritten", [GOOD, f"{GOOD} {BAD}"])
def test_what_is_rejected_for_something_else_stays_rejected_as_it_was(rewritten: str) -> None:
    state = conversation((THOUGHT, "Tea, and purple.", rewritten))
    saved, problem, put_back = judged(state)
    assert saved == state
    assert problem is not None
    assert put_back == ()
