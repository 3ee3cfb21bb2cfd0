"""What a reviewer objected to is a stage of its own: behind all others, at each level, the first no as the reason."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from apep_datagen.conversation.review import Review, ReviewAnswer
from apep_datagen.core.messages import Message, ReviewQuestion
from apep_datagen.people.cast import load_cast
from apep_datagen.quality.judge import Judge, Level
from apep_datagen.quality.novelty import NoveltyLimits
from apep_datagen.quality.problem import Stage
from apep_datagen.quality.review import check
from apep_datagen.storage.accepted import AcceptedConversations
from apep_datagen.storage.schema import migrate
from support.real_conversations import judge_one_by_one

MESSAGES = (
    Message("system", "You are Ada. I broke my wrist."),
    Message("user", "I painted a gate today, with a broken wrist."),
    Message("assistant", "<think>They painted a gate, and it hurts.</think>\n\nA gate! And your poor wrist."),
)


def review(**noes: str) -> Review:
    return Review(
        tuple(
            ReviewAnswer(question, question.value not in noes, noes.get(question.value, ""))
            for question in ReviewQuestion
        )
    )


def test_the_first_no_is_the_reason() -> None:
    reasons = []
    for question in ReviewQuestion:
        problem = check(review(**{question.value: "so it is", "training": "and so"}), MESSAGES)
        assert problem is not None
        assert problem.stage is Stage.REVIEW
        assert problem.detail == ("and so" if question is ReviewQuestion.TRAINING else "so it is")
        reasons.append(problem.reason)
    assert len(set(reasons)) == len(ReviewQuestion)
    for passes in (None, Review(), review()):
        assert check(passes, MESSAGES) is None


@pytest.mark.parametrize(
    ("words", "quote"),
    [
        ('"a broken wrist" is not stored', "a broken wrist"),
        ("“your poor wrist” is no wrist that was stored", "your poor wrist"),
        ('"the wrist", said of "a gate"', "a gate"),
        ('"I broke my wrist" is not stored', ""),  # the system prompt is nobody's word
        ("it is not stored", ""),
        ('"', ""),
        ('""', ""),
    ],
)
def test_the_words_that_it_quotes_are_its_undoing_where_somebody_said_them(words: str, quote: str) -> None:
    problem = check(review(facts=words), MESSAGES)
    assert problem is not None
    assert (problem.detail, problem.quote) == (words, quote)


@pytest.mark.parametrize("level", ["off", "form", "strict"])
def test_it_counts_at_each_level_and_behind_what_the_code_finds(level: Level) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, seed=1, output_name="x", base_count=0, base_end=1)
    accepted = AcceptedConversations(connection)
    judge = Judge(level, load_cast().phrases, NoveltyLimits(), ())
    judged = list(judge_one_by_one())
    good = next(real for real, problem in judged if problem is None)
    bad, found = next((real, problem) for real, problem in judged if problem is not None)

    assert judge.judge(replace(good.case, review=review()), accepted) is None
    problem = judge.judge(replace(good.case, review=review(person="nobody would")), accepted)
    assert problem is not None
    assert (problem.stage, problem.detail) == (Stage.REVIEW, "nobody would")

    problem = judge.judge(replace(bad.case, review=review(person="nobody would")), accepted)
    assert problem == found if level == "strict" else problem is not None and problem.stage is Stage.REVIEW
