"""Rows for Together's fine-tuning, checked with its package and by what its documentation asks for beyond that."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from apep_datagen.formats.shape import Shape
from apep_datagen.formats.together import TOGETHER
from support.sample_rows import sample_rows, shapes_of


@pytest.mark.parametrize("shape", shapes_of(TOGETHER), ids=repr)
def test_the_check_of_its_package_passes(shape: Shape, tmp_path: Path) -> None:
    from together.lib.utils.files import check_file

    rows = [row for _, row in sample_rows(TOGETHER, shape)]
    file = tmp_path / "train.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    report = check_file(file)
    assert report["is_check_passed"], report["message"]
    assert report["num_samples"] == len(rows)


@pytest.mark.parametrize("shape", shapes_of(TOGETHER), ids=repr)
def test_a_row_is_what_its_documentation_asks_for(shape: Shape) -> None:
    for _, row in sample_rows(TOGETHER, shape):
        assert set(row) <= {"messages", "tools"}
        messages = row["messages"]
        roles = [message["role"] for message in messages]
        assert roles[:2] == ["system", "user"]
        assert roles[-1] == "assistant"
        for before, after in itertools.pairwise(roles[1:]):
            assert after != before or after == "tool"
        # Where calls are text, none precedes what a message of the role `tool` would say.
        assert ("tool" in roles) == any("tool_calls" in message for message in messages[:-1])
        # A message without a weight, beside one that has it, is trained on.
        assert len({"weight" in message for message in messages}) == 1
        assert all(message["weight"] in {0, 1} for message in messages if "weight" in message)
