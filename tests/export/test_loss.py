"""Losses add up, whatever the pieces in which they were counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.export.loss import LossTally, lost_between
from apep_datagen.export.making import MadeOfTarget
from apep_datagen.formats.example import Example
from support.examples import examples
from support.outputs import chat

_ROW = tuple[int, str, list[int]]
_rows = st.lists(
    st.tuples(st.integers(1, 99), st.sampled_from(["train", "test"]), st.lists(st.integers(0, 8), max_size=4)),
    max_size=8,
)


def counted(rows: Iterable[_ROW]) -> LossTally:
    """Count rows of which some messages were not read back."""
    tally = LossTally()
    for number, split, missing in rows:
        messages = chat(number)
        found = tuple(message for index, message in enumerate(messages) if index not in missing)
        tally.count_row(split, number, Example(messages), Example(found))
        tally.count_left_out(Example(messages[:2]), split)
    return tally


def added(parts: Sequence[Iterable[_ROW]]) -> LossTally:
    tally = LossTally()
    for part in parts:
        tally.add(counted(part))
    return tally


@given(_rows, st.integers(0, 8))
def test_pieces_add_up_to_the_whole_in_the_same_words(rows: list[_ROW], place: int) -> None:
    whole, pieces = MadeOfTarget(tally=counted(rows)), MadeOfTarget(tally=added([rows[:place], rows[place:]]))
    assert str(pieces.as_json()) == str(whole.as_json())  # in the same order, too
    assert MadeOfTarget.from_json(whole.as_json()) == whole


@given(examples(), st.data())
def test_what_is_missing_is_found_and_nothing_else(example: Example, data: st.DataObject) -> None:
    assert not lost_between(example, example)
    place = data.draw(st.integers(example.context, len(example.messages) - 1))
    without = Example((*example.messages[:place], *example.messages[place + 1 :]), example.context)
    assert lost_between(example, without)["messages"] == 1
