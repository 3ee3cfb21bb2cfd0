"""A sample has of each kind its share, and is the same each time."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.report.sampling import sample_of

KINDS = st.lists(st.sampled_from(["share", "recall", "forget", ""]), max_size=60)


@given(KINDS, st.integers(1, 80))
def test_a_sample_is_as_large_as_it_is_wished_and_of_all_kinds(kinds: list[str], size: int) -> None:
    items = [(number, kind, f"{hash(kind) ^ number:x}") for number, kind in enumerate(kinds)]
    taken = sample_of(items, size)
    assert len(taken) == min(size, len(kinds))
    assert taken == sample_of(reversed(items), size)
    whole, counts = Counter(kinds), Counter(kinds[number] for number in taken)
    if size >= len(whole):
        assert set(counts) == set(whole)
    for kind, count in counts.items():
        assert abs(count - size * whole[kind] / len(kinds)) < len(whole) or count == whole[kind]


def test_what_is_rare_is_in_a_sample_too() -> None:
    items = [(number, "recall" if number == 7 else "share", f"{number:04x}") for number in range(100)]
    assert len(taken := sample_of(items, 5)) == 5
    assert 7 in taken
