"""A rewriter of no use is told of, once."""

from __future__ import annotations

from apep_datagen.engine.recent_rewrites import RecentRewrites

STUB, NUMBER = "the rewrite is a stub of the thought", "a number of the thought is missing"


def test_more_than_half_of_the_last_few_dozen_are_told_once_with_the_most_frequent_reason() -> None:
    recent = RecentRewrites("mistral")
    told = [recent.count((STUB, "", NUMBER, NUMBER)) for _ in range(30)]
    [message] = [said for said in told if said]
    assert told.index(message) == 8  # with the 36th thought
    assert message == (
        "mistral: 27 of the last 36 thoughts that it rewrote are saved as Ada thought them, most often (18 times)"
        f" because {NUMBER}. Name another model for the rewriter under [providers.mistral.models], or change"
        " rewriter_system.txt in a prompt directory of your own"
    )


def test_half_of_them_or_a_bad_beginning_is_not_told() -> None:
    recent = RecentRewrites("mistral")
    assert not any(recent.count(("", STUB)) for _ in range(100))
    recent = RecentRewrites("mistral")
    assert not any(recent.count((STUB,)) for _ in range(18))
    assert not any(recent.count(("",)) for _ in range(100))


def test_what_was_long_ago_plays_no_part() -> None:
    recent = RecentRewrites("mistral")
    assert not any(recent.count(("",)) for _ in range(1_000))
    assert sum(bool(recent.count((STUB,))) for _ in range(100)) == 1
