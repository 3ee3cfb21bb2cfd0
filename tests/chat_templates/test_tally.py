"""Many rows are added up, in any number of parts, and told as they are."""

from __future__ import annotations

import statistics

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from apep_datagen.chat_templates.check import CheckedRow
from apep_datagen.chat_templates.tally import CheckTally, TokenTally, describe_check
from apep_datagen.formats.example import Counts

BEFORE = Counts(messages=5, thoughts=2, calls=1, results=1)
ROWS = [
    CheckedRow(BEFORE, BEFORE, tokens=900),
    CheckedRow(BEFORE, Counts(5, 1, 1, 1), findings={("lost", "thoughts"): 1}, tokens=1000),
    CheckedRow(BEFORE, refused="Only user and assistant roles"),
    CheckedRow(
        BEFORE, Counts(4, 0, 1, 0), tokens=1100,
        findings={("lost", "thoughts"): 2, ("lost", "results"): 1, ("glued", "calls"): 1, ("moved", "calls"): 1},
    ),
    CheckedRow(BEFORE, BEFORE, is_unclear=True, tokens=1025),
]  # fmt: skip


def tally_of(rows: list[CheckedRow], first: int = 1) -> CheckTally:
    tally = CheckTally("qwen3")
    for number, row in enumerate(rows, first):
        tally.count(row, number)
    return tally


def test_what_is_wrong_is_told_by_kind_with_the_first_row() -> None:
    assert describe_check(tally_of(ROWS)) == [
        "qwen3: 4 rows rendered, 1 refused; kept are 5 of 10 thoughts, 4 of 5 calls, 3 of 5 results.",
        "Refused: 1 row, of conversation 3: Only user and assistant roles",
        "Lost: 3 thoughts in 2 rows, the first of conversation 2: they are not in the text.",
        "Lost: 1 result in 1 row, of conversation 4: it is not in the text.",
        (
            "Glued: 1 call in 1 row, of conversation 4: it is followed at once by what Ada answers, without results: "
            "a model learns to make them up."
        ),
        "Moved: 1 call in 1 row, of conversation 4: it is not in place, but behind what comes of it.",
        "Unclear: 1 row, of conversation 5: the template looks at words in a way that nobody can follow.",
        (
            "Tokens: 900 to 1,100, half of the rows at most 1,000; 2 have more than 1,024, where TRL cuts if its "
            "max_length is not set."
        ),
    ]


def test_a_script_is_told_the_same() -> None:
    told = tally_of(ROWS).as_json(limit=1050)
    assert told["rows"] == 5
    assert told["refused"] == [{"reason": "Only user and assistant roles", "rows": 1, "first": 3}]
    assert told["before"]["thoughts"] == 10
    assert told["in_refused"]["thoughts"] == 2
    assert told["after"]["thoughts"] == 5
    assert told["findings"][0] == {"finding": "lost", "kind": "thoughts", "number": 3, "rows": 2, "first": 2}
    assert told["unclear_rows"] == 1
    assert told["tokens"] == {
        "rows": 4, "total": 4025, "least": 900, "median": 1000, "percentile_95": 1100, "most": 1100,
        "limit": 1050, "longer_than_limit": 1,
    }  # fmt: skip
    assert tally_of(ROWS[2:3]).as_json()["tokens"] is None


def test_a_loss_without_a_word_is_one_and_what_a_trainer_refuses_is_none() -> None:
    assert [tally_of([row]).has_silent_loss for row in ROWS] == [False, True, False, True, True]
    moved = CheckedRow(BEFORE, BEFORE, findings={("moved", "thoughts"): 1, ("learnt", "results"): 1})
    assert not tally_of([moved]).has_silent_loss


def test_a_template_that_refuses_every_row_is_told_and_one_without_rows_refuses_none() -> None:
    refused, rendered = ROWS[2], CheckedRow(BEFORE, BEFORE)
    assert [tally_of(rows).refuses_all for rows in ([], [refused], [refused, refused], [refused, rendered])] == [
        False,
        True,
        True,
        False,
    ]


def test_nothing_wrong_is_one_line() -> None:
    expected = ["qwen3: 1 rows rendered; kept are 2 of 2 thoughts, 1 of 1 calls, 1 of 1 results."]
    assert describe_check(tally_of([CheckedRow(BEFORE, BEFORE)])) == expected


@given(rows=st.lists(st.sampled_from(ROWS), max_size=12), cut=st.integers(0, 12))
def test_parts_add_up_and_come_through_json(rows: list[CheckedRow], cut: int) -> None:
    adapter = TypeAdapter(CheckTally)
    parts = tally_of(rows[:cut]), tally_of(rows[cut:], first=1 + min(cut, len(rows)))
    added, second = (adapter.validate_json(adapter.dump_json(part)) for part in parts)
    added.add(second)
    assert added == tally_of(rows)


def test_reasons_of_which_each_row_has_its_own_do_not_fill_the_memory() -> None:
    rows = [CheckedRow(BEFORE, refused=f"no {number}") for number in range(1000)]
    tally = tally_of(rows)
    assert tally.refused_rows == 1000
    assert len(tally.refused) == 51
    added = tally_of(rows[:70])
    added.add(tally_of(rows[70:], first=71))
    assert added.refused_rows == 1000
    assert len(added.refused) <= 51


@given(tokens=st.lists(st.integers(0, 50), min_size=1), limit=st.integers(0, 50))
def test_lengths_are_exact(tokens: list[int], limit: int) -> None:
    tally = TokenTally()
    for each in tokens:
        tally.count(each)
    assert tally.quantile(0.5) == statistics.median_low(tokens)
    assert (tally.quantile(0), tally.quantile(1), tally.total) == (min(tokens), max(tokens), sum(tokens))
    assert tally.longer_than(limit) == sum(each > limit for each in tokens)
