"""The file by which a dataset is known to be a run's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.hub.marker import Marker, parse_marker, render_marker


@given(st.builds(Marker, st.text(), st.integers(0, 2**63), st.text()))
def test_a_marker_comes_back(marker: Marker) -> None:
    assert parse_marker(render_marker(marker)) == marker


@given(st.binary())
def test_whatever_a_file_holds_is_a_marker_or_none(content: bytes) -> None:
    assert parse_marker(content) is None


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "[]",
        '{"made_by": "another", "run": "a", "conversations": 1, "version": "1"}',
        '{"made_by": "apep-datagen"}',
        '{"made_by": "apep-datagen", "run": 3, "conversations": 1, "version": "1"}',
        "[" * 100_000,
    ],
)
def test_what_is_none_of_ours_is_none(text: str) -> None:
    assert parse_marker(text) is None
