"""What is left out of a dish, or warned of, is told from what is in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apep_datagen.language.avoidance import not_left_out

WALNUTS = ("walnuts", "walnut")

LEFT_OUT = [
    "Pears and blue cheese, no walnuts.",
    "A brownie without a single walnut.",
    "It's walnut-free.",
    "Everything but walnuts.",
    "No almonds, walnuts or pecans for you.",
    "Since walnuts don't agree with you, take pumpkin seeds.",
    "Pesto with sunflower seeds in place of the walnuts.",
    "Celery, apples, and seeds rather than walnuts.",
    "You and walnuts are no friends, so almonds.",
    "Ask the baker whether there are walnuts in it.",
    "The usual recipe has walnuts, but I'd use oats.",
    "Remember the walnuts: they make your throat itch.",
    "I know walnuts are trouble for you.",
    "The walnuts I'd trade for oats.",
    "Swap the walnuts for oats.",
    "Replace any walnuts with seeds.",
    "Walnuts would be a bad idea.",
    "Walnuts: none.",
    "Leave the walnuts out.",
    "I kept the walnuts out of it.",
    "Pears, then.",
    "Give the walnuts a wide berth.",
    "Watch for walnuts in the crust.",
    "Check the crust for walnuts.",
    "They bake with walnuts there, and you'd sneeze all the way home.",
    # What is left out because of it stands beside it.
    "Leave the bakery for another day, where they may have walnuts about.",
    "I'd give the market a miss, as there are bound to be walnuts.",
    "No nougat, she puts walnuts into it each time.",
    "Don't take the bus or the ferry, on every deck there's somebody with walnuts.",
    "Skip the strudel; it comes with walnuts.",
    "Where others fear spiders, with you it's walnuts, so I kept to pears.",
    "Everywhere but the walnut stall.",
    "I'd leave out the shop, or at least the shelf with the walnuts.",
    # Once it is out, it may be spoken of.
    "Any cake but walnut cake. With the walnut out of the way, you have the whole counter.",
    "Only walnuts are out. Almonds today, hazelnuts tomorrow, and you come to the walnuts of the others rested.",
]
PUT_IN = [
    "Toast the walnuts lightly.",
    "Top it with walnuts and honey.",
    "How about walnut bread?",
    "Apples, celery, walnuts, mayonnaise.",
    "Walnuts! They go with pears.",
    "Use walnuts instead of almonds.",
    "Swap the almonds for some walnuts.",
    "Walnuts are good for you.",
    "Toast the walnuts, and don't let them burn.",
    "No almonds in it. A handful of walnuts makes it crunchy.",
    "Pears, and go easy on the walnuts.",
    "Pears, and go easy on your walnuts.",
    "Keep the walnuts in the berth, for the crossing.",
    "A kind of walnut bread.",
    "Watch them crack walnuts in the square.",
    "Check out the walnut bread on the corner.",
    "Skip the soup, and have the walnut bread.",
    "Skip the soup, as the walnut bread is better.",
    "Skip the soup, or have the walnut bread.",
    "Skip the soup; it is the walnut bread that people come for.",
    "No walnuts in the salad. For dessert try the walnut ice cream.",
    "She puts walnuts into it, and it's lovely.",
]
KNEE = ("right knee",)


@pytest.mark.parametrize("text", LEFT_OUT)
def test_what_is_left_out_or_warned_of(text: str) -> None:
    assert not_left_out(text, WALNUTS) == ""


@pytest.mark.parametrize("text", PUT_IN)
def test_what_is_put_in_is_returned_with_its_sentence(text: str) -> None:
    found = not_left_out(f"An evening for a salad. {text}", WALNUTS)
    assert found
    assert found in text


@pytest.mark.parametrize(
    "text", ["Three stretches, easy on your right knee.", "The river path is kind to your poor right knee, and shady."]
)
def test_what_is_spared_is_not_put_to_use(text: str) -> None:
    assert not_left_out(text, KNEE) == ""


@pytest.mark.parametrize("text", ["Kneel on your right knee.", "Ten hops, each on your right knee, and be kind."])
def test_what_is_put_to_use_is_not_spared(text: str) -> None:
    assert not_left_out(text, KNEE)


@pytest.mark.parametrize(
    "title", ["Gone with the Wind, Without Rhett", "No Country for Bad Men", "Far from Heaven", "The Safe Instead"]
)
def test_the_words_of_a_title_leave_nothing_out(title: str) -> None:
    forms = (title, "Rhett")
    for text in ("Tonight you could watch {}.", "{}!", "{}, and popcorn. Then {} once more.", "Popcorn, {}, bed."):
        assert title in not_left_out(text.format(title, title), forms), text
    for text in (
        "Anything but {}.",
        "I'd skip {}.",
        "Popcorn and no {}.",
        "{}: not tonight.",
        "Rhett, and not {}? No.",
    ):
        assert not_left_out(text.format(title), (title,)) == "", text


@given(st.text(max_size=200), st.lists(st.text(max_size=20), max_size=3))
def test_whatever_is_said_it_can_be_read(text: str, forms: list[str]) -> None:
    not_left_out(text, forms)
