"""The judge that settings, prompts and tables make."""

from __future__ import annotations

from apep_datagen.config.settings import QualitySettings
from apep_datagen.conversation.prompt_set import PromptSet
from apep_datagen.people.cast import Cast
from apep_datagen.quality.judge import Judge, Level
from apep_datagen.quality.novelty import NoveltyLimits

__all__ = ["judge_at"]


def judge_at(level: Level, quality: QualitySettings, prompts: PromptSet, cast: Cast) -> Judge:
    """Return a judge.

    Args:
        level: How strictly it judges.
        quality: What it judges by.
        prompts: Those of the tester are not to be in a conversation.
        cast: By which words text is recognised.
    """
    texts = (prompts.texts["tester_system.txt"], prompts.texts["tester_user.txt"], *cast.instruction_sources)
    limits = NoveltyLimits(
        similarity=quality.similarity,
        opening_share=quality.opening_share,
        thought_opening_share=quality.thought_opening_share,
        thought_phrase_share=quality.thought_phrase_share,
        thought_habit_share=quality.thought_habit_share,
    )
    return Judge(level, cast.phrases, limits, texts)
