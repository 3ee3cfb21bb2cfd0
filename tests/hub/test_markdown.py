"""Markdown of texts that anybody can have written."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.hub.markdown import cell, fenced, table


@given(st.text())
def test_nothing_ends_a_block_but_its_own_fence(text: str) -> None:
    first, *lines, last = fenced(text).split("\n")
    assert first == f"{last}text"
    assert not any(re.match(rf" {{0,3}}`{{{len(last)},}}\s*$", line) for line in lines)
    assert "\n".join(lines) == text


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5))
def test_a_cell_stays_in_its_column_and_its_row(rows: list[list[str]]) -> None:
    lines = table(["a", "b"], [[cell(text) for text in row] for row in rows]).split("\n")
    assert len(lines) == 2 + len(rows)
    assert all(len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == 3 for line in lines)


def test_a_cell_means_nothing_but_itself() -> None:
    assert cell("a|b\n<script>`x`") == r"a\|b \<script\>\`x\`"
