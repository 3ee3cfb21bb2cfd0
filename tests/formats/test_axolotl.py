"""Rows for Axolotl, and the configuration that reads them. Axolotl itself: `benchmarks/trainers/axolotl.py`."""

from __future__ import annotations

import json

import pytest
import yaml

from apep_datagen.formats.axolotl import AXOLOTL
from apep_datagen.formats.shape import Shape
from support.sample_rows import sample_rows

FILES = {"train": "train.jsonl", "validation": "validation.jsonl"}


def test_without_weights_a_conversation_is_messages_of_role_and_content() -> None:
    for _, row in sample_rows(AXOLOTL, AXOLOTL.default):
        assert set(row) == {"messages"}
        assert all(set(message) == {"role", "content"} for message in row["messages"])


def test_arguments_and_tools_are_text_which_no_library_merges() -> None:
    calls = 0
    for _, row in sample_rows(AXOLOTL, Shape(calls="native")):
        assert isinstance(json.loads(row["tools"]), list)
        for message in row["messages"]:
            for call in message.get("tool_calls", ()):
                calls += 1
                assert isinstance(json.loads(call["function"]["arguments"]), dict)
    assert calls


@pytest.mark.parametrize("calls", ["text", "native"])
def test_the_configuration_reads_the_fields_that_the_rows_have(calls: str) -> None:
    shape = Shape(rows="exchange", calls="native" if calls == "native" else "text")
    configuration = yaml.safe_load(AXOLOTL.files(shape, FILES)["axolotl.yaml"])
    (training,), (test,) = configuration["datasets"], configuration["test_datasets"]
    assert (training["path"], test["path"]) == ("train.jsonl", "validation.jsonl")
    assert {**training, "path": ""} == {**test, "path": ""}
    _, row = sample_rows(AXOLOTL, shape)[-1]
    assert training["field_messages"] in row
    assert any(training["message_field_training"] in message for message in row[training["field_messages"]])
    assert training["roles_to_train"] == ["assistant"]
    assert configuration["train_on_inputs"] is False
    # What is too long is said, never left out or cut.
    assert configuration["excess_length_strategy"] == "raise"
    assert "test_datasets" not in yaml.safe_load(AXOLOTL.files(shape, {"train": "train.jsonl"})["axolotl.yaml"])
