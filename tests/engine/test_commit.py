"""What recording an answer tells of memory and diary is what the state database holds."""

from __future__ import annotations

import pytest

from apep_datagen.conversation.machine import begin
from apep_datagen.core.calls import ToolCall
from apep_datagen.core.markup import call_block
from apep_datagen.engine.commit import Rules, commit_answer
from apep_datagen.engine.ending import JudgedEnding
from apep_datagen.people.phrases import load_phrases
from apep_datagen.quality.judge import Judge
from apep_datagen.quality.novelty import NoveltyLimits
from apep_datagen.storage.conversations import StepRecord
from apep_datagen.storage.notes import count_notes
from support.exams import PROMPTS, plan_of
from support.notes import database

NO_WORDS = "".join(
    f"{name} = []\n"
    for name in (
        "refusals",
        "machine_talk",
        "sincere_questions",
        "role_labels",
        "ada_voice",
        "prompt_talk",
        "admissions",
    )
)
RULES = Rules(
    JudgedEnding(Judge("off", load_phrases(f"{NO_WORDS}[intents]\n", "phrases.toml"), NoveltyLimits(), ())),
    timeline_length=99,
    least_yield=0.0,
)
LOOK = call_block(ToolCall("recall_memories", {}))
WRITE = call_block(ToolCall("add_memory", {"input_text": "The user has a horse."}))


@pytest.mark.parametrize("answer", ["Well, well.", f"{LOOK}", f"{WRITE}\n{WRITE}"], ids=["says", "looks", "writes"])
def test_what_a_user_begins_with_counts_whatever_the_first_answer_is(answer: str) -> None:
    """Where the user's messages are written, the first answer is Ada's: it may call a tool, or be all there is."""
    plan = plan_of()
    with database() as connection:
        memories = pages = 0
        for number in range(1, 9):
            conversation = begin(plan.day(number, 1, 1, number), PROMPTS, plan.past(number))
            step = StepRecord(
                "answer", f"<think>What a day.</think>\n\n{answer}", "stop", "model", "model-one", 1, 1, 0.1
            )
            committed = commit_answer(connection, conversation, step, "model", RULES)
            memories, pages = memories + committed.memories, pages + committed.diary_pages
            assert (memories, pages) == count_notes(connection)
        assert memories > 0
        assert pages > 0
