"""The columns of the form `parquet`: what is known of where a row comes from, and null where nobody knows."""

from __future__ import annotations

from apep_datagen.core.messages import Message
from apep_datagen.formats.example import Example
from apep_datagen.formats.origin import Origin
from apep_datagen.formats.parquet import CHECKS, COLUMNS, PARQUET
from apep_datagen.formats.shape import Shape
from apep_datagen.quality.problem import Stage
from support.real_state import saved_messages

# Who reviewed stands in `models`, and what a person rejects is in no row.
BY_CODE = [stage.value for stage in Stage if stage not in {Stage.REVIEW, Stage.PERSON}]
_ONE = Origin(
    numbers=(3,),
    conversations=(5,),
    user="user-00017",
    name="Marta",
    days=("2026-01-04T07:30",),
    abilities=("recall",),
    forms=("plain",),
    topics=("a dog",),
    provider="mistral",
    models=("mistral / large (ada)",),
    prompt_tokens=100,
    completion_tokens=20,
    seed=7,
    level="strict",
)


def test_all_that_is_known_is_a_column() -> None:
    assert PARQUET.columns(_ONE) == {
        "user": "user-00017",
        "name": "Marta",
        "ability": "recall",
        "form": "plain",
        "topic": "a dog",
        "day": "2026-01-04T07:30",
        "provider": "mistral",
        "models": ["mistral / large (ada)"],
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "seed": 7,
        "level": "strict",
        "checked": BY_CODE,
        "conversations": [
            {"number": 3, "ability": "recall", "form": "plain", "topic": "a dog", "day": "2026-01-04T07:30"}
        ],
    }
    assert list({**PARQUET.write(Example(()), Shape()), **PARQUET.columns(_ONE)}) == list(COLUMNS)


def test_every_stage_of_judging_is_told_in_plain_words() -> None:
    assert list(CHECKS) == BY_CODE
    assert PARQUET.columns(Origin(level="form"))["checked"] == ["form"]
    assert PARQUET.columns(Origin(level="off"))["checked"] == []


def test_what_nobody_knows_is_null() -> None:
    columns = PARQUET.columns(Origin(numbers=(3,)))
    assert columns.pop("conversations") == [{"number": 3, "ability": None, "form": None, "topic": None, "day": None}]
    assert {name: value for name, value in columns.items() if value} == {}
    assert set(columns) == set(COLUMNS) - {"messages", "conversations"}


def test_of_a_row_that_joins_conversations_a_column_holds_what_they_have_in_common() -> None:
    joined = Origin(numbers=(3, 9), abilities=("share", "recall"), forms=("", ""), topics=("a dog", "a dog"), seed=7)
    columns = PARQUET.columns(joined)
    assert columns["seed"] is None  # each has one of its own
    assert (columns["ability"], columns["topic"], columns["form"]) == (None, "a dog", None)
    assert [each["ability"] for each in columns["conversations"]] == ["share", "recall"]


def test_messages_come_back_as_they_were() -> None:
    for messages in saved_messages().values():
        for shape in (Shape(), Shape(tool_role="user")):
            assert PARQUET.read(PARQUET.write(Example(messages), shape)) == Example(messages)
    assert PARQUET.read({"messages": [{"role": "user", "content": "Hi"}]}) == Example((Message("user", "Hi"),))


def test_the_guide_names_all_shards() -> None:
    guide = PARQUET.guide(PARQUET.default, {"train": "train-00000.parquet", "test": "test-00000.parquet"})
    assert 'data_files={"train": "train-*.parquet", "test": "test-*.parquet"}' in guide
