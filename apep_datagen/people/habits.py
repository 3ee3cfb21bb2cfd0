"""How a user spells and punctuates, applied to a message that is spelled as a book is.

The habits are those that `users.toml` words; of one that it words otherwise nothing is known, and nothing is changed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

__all__ = ["as_typed"]

_CONTRACTED = re.compile(r"(?<=[A-Za-z])'(?=(?:t|s|m|d|re|ve|ll)\b)")
_EMOJI = ("🙂", "😄", "😅", "🙃", "🤷", "☕", "🌧️", "✨", "🙈", "👀")
# The beginning of a sentence that is no name, so that it is as well written small.
_SMALL = re.compile(
    r"(?:A|An|And|But|By|Could|Do|Don't|How|If|In|It|It's|Just|Let|Let's|My|No|Not|Nothing|Now|Of|Oh|On|Or|So|Something"
    r"|Tell|Thanks|That|That's|The|There|There's|This|We|Well|What|What's|When|Where|Which|Who|Would|You|You'd|Your)\b"
)
_MOSTLY = 0.8
_NOW_AND_THEN = 0.3


def as_typed(sentences: Sequence[str], writing: str, draw: random.Random) -> str:
    """Return a message as somebody types it who has certain habits.

    Whatever word it holds it still holds (`core.words.words`).

    Args:
        sentences: What the message says, piece by piece.
        writing: The habits of who writes it (`User.writing`).
        draw: Where chance comes from.
    """
    text = _joined(sentences, writing, draw)
    if "no full stop" in writing and text.endswith(".") and not text.endswith("..."):
        text = text[:-1]
    elif "an exclamation mark" in writing and text.endswith(".") and draw.random() < _NOW_AND_THEN:
        text = f"{text[:-1]}!"
    if "leaves out apostrophes" in writing:
        text = _CONTRACTED.sub("", text)
    if "an emoji now and then" in writing and draw.random() < _NOW_AND_THEN:
        text = f"{text} {draw.choice(_EMOJI)}"
    if "all lower case" in writing or ("mostly lower case" in writing and draw.random() < _MOSTLY):
        return text.lower()
    return text


def _joined(sentences: Sequence[str], writing: str, draw: random.Random) -> str:
    """Return the sentences as one text: with dots, or a dash, between some, or with no more than a comma."""
    text = sentences[0]
    for sentence in sentences[1:]:
        ends = text.endswith(".") and not text.endswith("...")
        is_small = ends and _SMALL.match(sentence)
        if ends and "three dots" in writing and draw.random() < _MOSTLY:
            text = f"{text}.. {sentence}"
        elif is_small and "a dash" in writing and draw.random() < _MOSTLY:
            text = f"{text[:-1]} - {sentence[0].lower()}{sentence[1:]}"
        elif is_small and "run together" in writing and draw.random() < _MOSTLY:
            text = f"{text[:-1]}, {sentence[0].lower()}{sentence[1:]}"
        else:
            text = f"{text} {sentence}"
    return text
