"""A conversation that is rejected as it was rewritten is judged once more with Ada's own thoughts.

So no rewrite costs a conversation, whatever a stage looks for in a thought: where the conversation passes with the
originals, they are what is saved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from apep_datagen.conversation.prompting import training_sample
from apep_datagen.conversation.rewriting import Place, with_originals
from apep_datagen.conversation.state import Conversation
from apep_datagen.quality.case import Case
from apep_datagen.quality.judge import Judge
from apep_datagen.quality.novelty import Accepted
from apep_datagen.quality.problem import Problem

__all__ = ["Judged", "judge_rewritten"]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a conversation came to.

    Attributes:
        conversation: As it is saved.
        problem: Why it is rejected, or None.
        put_back: The thoughts that are as they were again.
    """

    conversation: Conversation
    problem: Problem | None
    put_back: tuple[Place, ...] = ()


def judge_rewritten(judge: Judge, conversation: Conversation, case: Case, accepted: Accepted) -> Judged:
    """Judge a finished conversation, with no more rewritten thoughts than it passes with.

    Args:
        judge: Who judges it.
        conversation: It.
        case: It, as it is judged.
        accepted: What was accepted before.
    """

    def passes(places: Iterable[Place]) -> bool:
        return (
            judge.judge(replace(case, messages=training_sample(with_originals(conversation, places))), accepted) is None
        )

    problem = judge.judge(case, accepted)
    rewritten = tuple(_rewritten(conversation))
    if problem is None or not rewritten or not passes(rewritten):
        return Judged(conversation, problem)
    single = ((place,) for place in rewritten if len(rewritten) > 1 and passes([place]))
    places = next(single, rewritten)
    return Judged(with_originals(conversation, places), None, places)


def _rewritten(conversation: Conversation) -> Iterator[Place]:
    """Yield where thoughts are saved otherwise than as they were."""
    for number, exchange in enumerate(conversation.exchanges):
        for index, (thought, saved) in enumerate(zip(exchange.thoughts, exchange.rewritten or (), strict=False)):
            if thought != saved:
                yield number, index
