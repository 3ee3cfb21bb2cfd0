"""How many exchanges conversations have."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.people.drawing import generator
from apep_datagen.people.exchanges import draw_exchanges, mean_exchanges, shares_of_exchanges

BOUNDS = st.tuples(st.integers(1, 50), st.integers(1, 50)).map(sorted)


@given(BOUNDS, st.integers())
def test_what_is_drawn_is_within_the_bounds(bounds: list[int], seed: int) -> None:
    least, most = bounds
    assert least <= draw_exchanges(generator(seed), least, most) <= most


@given(BOUNDS)
def test_half_have_the_least_and_the_others_are_spread_evenly(bounds: list[int]) -> None:
    least, most = bounds
    shares = shares_of_exchanges(least, most)
    assert sum(shares.values()) == pytest.approx(1)
    assert list(shares) == list(range(least, most + 1))
    assert shares[least] == (0.5 if most > least else 1)
    assert len(set(list(shares.values())[1:])) <= 1
    assert least <= mean_exchanges(least, most) <= most


def test_so_they_are_drawn() -> None:
    draw = generator(1)
    drawn = Counter(draw_exchanges(draw, 1, 4) for _ in range(6_000))
    assert drawn[1] == pytest.approx(3_000, rel=0.05)
    for number in (2, 3, 4):
        assert drawn[number] == pytest.approx(1_000, rel=0.12)
    assert mean_exchanges(1, 4) == pytest.approx(2)
