"""Text in a loop is told from text that repeats itself as people do."""

from __future__ import annotations

import pytest

from apep_datagen.core.repetition import repeated_words

SENTENCE = "I would have liked to see the harbour with you."


@pytest.mark.parametrize(
    "text",
    [
        f"{SENTENCE} " * 5,
        f"{SENTENCE}\n" * 30,
        "Well. " + f"{SENTENCE.upper()} – {SENTENCE} " * 3,  # noqa: RUF001 - a dash
        "Hold on. " * 20,
        "to and fro " * 12,
        "What a day it was, and " + "then we went on, and " * 9,
        "\n".join(f"{number}. Put the kettle on, and wait until it sings loudly." for number in range(8)),
        "no " * 41,
        "h" + "a" * 200,
        "=" * 300,
        "Kaffee und Kuchen am Sonntag, bitte schön! " * 6,
        "今日はとてもいい天気ですね。" * 6,
    ],
)
def test_what_runs_in_a_loop_is_found(text: str) -> None:
    assert repeated_words(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{SENTENCE} {SENTENCE} {SENTENCE}",
        "Row, row, row your boat, gently down the stream. Merrily, merrily, merrily, merrily, life is but a dream. "
        * 3,
        "ha " * 40,
        "no way no way no way no way no way",
        "noooooooooooooooooooooooooo!!!!!!!!!!!!!!!!!!!",
        "- - - - - - - - - -\n" * 5,
        "\n".join(f"- a cup of {thing} with a little sugar" for thing in ("tea", "cocoa", "milk", "coffee", "broth")),
        "I miss the sea. I miss the gulls. I miss the boats. I miss the wind. I miss you. I miss it all, all.",
    ],
)
def test_what_people_say_again_is_not(text: str) -> None:
    assert not repeated_words(text)
