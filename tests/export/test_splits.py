"""Parts of a dataset: by users, of the wished sizes, and the same while a run goes on."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.core.errors import SettingsError
from apep_datagen.export.splits import WHOLE, parse_splits


@pytest.mark.parametrize("text", ["0.95/0.05", "90/5/5", "1/1/1", "95/5", "99.5/0.5", "0.7/.2/0.1", " .5 / .25/.25"])
def test_parts_have_the_wished_sizes(text: str) -> None:
    splits = parse_splits(text)
    counts = Counter(splits.of(7, user) for user in range(20_000))
    assert counts.keys() == set(splits.names)
    for name, share in splits.shares:
        assert abs(counts[name] / 20_000 - share) < 0.015


@given(st.integers(), st.integers(1, 10**9))
def test_a_user_is_in_one_part_that_follows_from_seed_and_user_alone(seed: int, user: int) -> None:
    splits = parse_splits("0.5/0.3/0.2")
    assert splits.of(seed, user) == splits.of(seed, user)
    assert splits.of(seed, user) in splits.names


def test_another_seed_is_another_division() -> None:
    splits = parse_splits("0.5/0.5")
    assert [splits.of(1, user) for user in range(50)] != [splits.of(2, user) for user in range(50)]


def test_who_is_not_known_is_in_the_first_part() -> None:
    assert parse_splits("0.01/0.99").of(7, None) == "train"
    assert parse_splits(None) == WHOLE
    assert WHOLE.of(7, 3) == "train"


@pytest.mark.parametrize(
    "text",
    [
        "95/0.05",
        "0.95/0.1",
        "0.9/0.05/0.01",
        "99.5/1.5",
        ".5/1",
        "1.5/2",
        "",
        "1",
        "1/",
        "/1",
        "a/b",
        "1/0",
        "0/0",
        "-1/2",
        "1/2/3/4",
        "nan/1",
        "inf/1",
        "1e3/1",
        "1,5/2",
        "1//2",
    ],
)
def test_what_is_no_division_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="--split"):
        parse_splits(text)
