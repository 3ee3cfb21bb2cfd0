"""What somebody wants is said by themselves, in the first person."""

from __future__ import annotations

import re

import pytest

from apep_datagen.people.cast import load_cast
from apep_datagen.people.wishes import WishKind, wish_of

WISHES = [
    ("what to cook for yourself tonight", WishKind.QUESTION, "what to cook for myself tonight"),
    ("whether tea is good for you", WishKind.QUESTION, "whether tea is good for me"),
    ("what would do you good", WishKind.QUESTION, "what would do me good"),
    ("how many weeks you still have", WishKind.QUESTION, "how many weeks I still have"),
    ("what to take, since you are a guest of yours", WishKind.QUESTION, "what to take, since I am a guest of mine"),
    ("who was there when you were young", WishKind.QUESTION, "who was there when I was young"),
    ("on which day you could drop in", WishKind.QUESTION, "on which day I could drop in"),
    ("for something that calms you before you get up", WishKind.THING, "something that calms me before I get up"),
    ("for a card to people you know", WishKind.THING, "a card to people I know"),
    ("for the text of a thank-you letter", WishKind.THING, "the text of a thank-you letter"),
    ("for a day with your son, for the two of you", WishKind.THING, "a day with my son, for the two of us"),
    ("for what you and your best friend could do", WishKind.THING, "what my best friend and I could do"),
    ("to go through the day with you", WishKind.DEED, "go through the day with me"),
    ("about how your evening was", WishKind.EVENT, "how my evening was"),
]


@pytest.mark.parametrize(("occasion", "kind", "wish"), WISHES)
def test_a_wish_is_turned_round(occasion: str, kind: WishKind, wish: str) -> None:
    assert wish_of(occasion) == (kind, wish)


def test_nobody_is_spoken_to_in_a_wish_of_the_world() -> None:
    occasions = [occasion for slot in load_cast().slots.values() for occasion in slot.occasions]
    assert len(occasions) > 150
    for occasion in occasions:
        kind, wish = wish_of(occasion)
        assert not re.search(r"(?<!-)\b(?:you|your|yours|yourself)\b", wish), wish
        assert not re.search(r"\bI (?:a|an|the|to|for|in|into|with|good|happy|something|some|up)\b", wish), wish
        assert not re.search(r"\bme (?:am|was|could|can|should|will|might|have|had|want|know)\b", wish), wish
        assert (kind is WishKind.QUESTION) == (wish.split()[0] == occasion.split()[0])
