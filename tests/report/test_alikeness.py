"""Of each conversation the one is found whose user says most of the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.language.quotation import own_words
from apep_datagen.quality.novelty import trigrams
from apep_datagen.report.alikeness import Alikeness

WORDS = st.lists(
    st.sampled_from(["my", "dog", "is", "old", "and", "the", "cat", "likes", "to", "sleep", "in", "our"]), max_size=9
)


def nearest(texts: list[str]) -> dict[int, tuple[int, float]]:
    alikeness = Alikeness()
    for place, text in enumerate(texts):
        alikeness.add(place, [text])
    return {place: (other, share) for place, other, share in alikeness.nearest()}


@given(st.lists(WORDS.map(" ".join), max_size=12))
def test_it_is_the_one_that_has_most_in_common_of_all(texts: list[str]) -> None:
    found = nearest(texts)
    said = [trigrams(own_words(text)) for text in texts]
    for place, own in enumerate(said):
        shares = {
            other: len(own & theirs) / len(own | theirs)
            for other, theirs in enumerate(said)
            if other != place and own & theirs
        }
        if not shares:
            assert place not in found
            continue
        other, share = found[place]
        assert share == pytest.approx(max(shares.values()))
        assert other == min(each for each, value in shares.items() if value == max(shares.values()))


def test_what_very_many_have_in_common_makes_no_two_alike() -> None:
    texts = [f"Tell me a joke, {number} {number + 1} {number + 2} {number + 3}." for number in range(0, 2000, 10)]
    assert nearest(texts) == {}
    twice = nearest([*texts, texts[7]])
    assert twice == {7: (200, 1.0), 200: (7, 1.0)}
