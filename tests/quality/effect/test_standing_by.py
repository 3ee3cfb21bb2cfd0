"""A value that she denies, offers beside another or says she never was told is none that she tells."""

from __future__ import annotations

import pytest

from apep_datagen.quality.effect.standing_by import only_rejected, stood_by

BARN = ("Larkhill barn", "Larkhill")
ASKED = "where my cousin rehearses"

STOOD_BY = [
    "Larkhill!",
    "It's at Larkhill barn, isn't it?",
    "Isn't it Larkhill?",
    "It isn't only Larkhill, but Larkhill it is on Fridays.",
    "It isn't the school. It's Larkhill.",
    "Not the school but Larkhill barn.",
    "Larkhill, or thereabouts.",
    "Larkhill or so, if I read it rightly.",
    "Larkhill or Larkhill barn, both names stand there.",
    "Larkhill barn or Larkhill for short.",
    "Larkhill barn. It could be Larkhill or Moss End on a map, they share the yard.",
    "One way or another it's Larkhill barn.",
    "I'd say Larkhill. My note doesn't say so in as many words, but it isn't Moss End.",
    "You didn't tell me the hour, but the place is Larkhill barn.",
    "You never told me why there. Larkhill barn, all the same.",
    "It isn't in my diary, but a note has it: Larkhill barn.",
    "I can't say that I blame you. It's Larkhill.",
    "No need to look any further: Larkhill barn.",
    "As for the scissors, I can't help you there. But your cousin rehearses at Larkhill.",
    "You told me in May: it's Larkhill barn.",
]
NOT_STOOD_BY = [
    "It isn't Larkhill.",
    "It's not at Larkhill barn.",
    "Your cousin's place was never called Larkhill.",
    "It's Larkhill or Moss End.",
    "Moss End. Or was it Larkhill barn?",
    "It's either Larkhill barn or the school.",
    "I don't have that in my notes, it may be Larkhill though.",
    "I searched, but you never told me. Larkhill.",
    "Where your cousin rehearses is not in my memory. Perhaps at Larkhill barn.",
    "The school, I think.",
]


@pytest.mark.parametrize("reply", STOOD_BY)
def test_what_is_told_as_the_answer(reply: str) -> None:
    assert stood_by([reply], BARN, ASKED)
    assert stood_by(["It isn't Larkhill.", reply], BARN, ASKED)


@pytest.mark.parametrize("reply", NOT_STOOD_BY)
def test_what_is_not_told_as_the_answer(reply: str) -> None:
    assert not stood_by([reply], BARN, ASKED)


def test_another_spelling_is_taken_to_be_told() -> None:
    assert stood_by(["It isn't at ten to five."], ("16:50",), "when my cousin rehearses")


def test_what_is_named_only_to_be_kept_away_from() -> None:
    assert only_rejected("Anything but Larkhill.", BARN)
    assert only_rejected("You can't stand Larkhill barn. So everything but Larkhill.", BARN)
    assert not only_rejected("Anything but the school. Larkhill it is.", BARN)
    assert not only_rejected("You can't stand Larkhill? Larkhill barn has a new roof.", BARN)
    assert not only_rejected("The school.", BARN)
