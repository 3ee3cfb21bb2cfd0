"""What somebody wants, as they say it themselves: `occasions` of the world speak of who wants it as "you"."""

from __future__ import annotations

import re
from enum import Enum, auto

__all__ = ["WishKind", "wish_of"]


class WishKind(Enum):
    """What an occasion completes after "You ask Ada"."""

    QUESTION = auto()
    """`what to cook tonight`."""
    THING = auto()
    """`for an idea for tonight`, without its "for"."""
    DEED = auto()
    """`to plan a day out`, without its "to"."""
    EVENT = auto()
    """`about how the evening was`, without its "about"."""


_KINDS = {"for": WishKind.THING, "to": WishKind.DEED, "about": WishKind.EVENT}

# "You" is who does something where one of these stands before it, or what is done stands behind it; else it is "me".
_BEFORE_SUBJECT = "(?:that|what|which|whom|whether|where|when|how|while|if|as|because|since|until|before|after|than)"
_BEHIND_SUBJECT = (
    "(?:could|can|should|would|will|might|may|must|have|had|are|were|do|did|want|need|like|love|know|dread|still|usually"
    "|always|never|woke|get|got|go|put|take)"
)
_NOUN = r"((?:best )?[\w-]+)"
_TURNED: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (rf"\byou and your {_NOUN}", r"my \1 and I"),
        (r"\b(two|three|both|all) of you\b", r"\1 of us"),
        (r"\byourself\b", "myself"),
        (r"\byours\b", "mine"),
        (r"\byour\b", "my"),
        (r"\byou are\b", "I am"),
        (r"\byou were\b", "I was"),
        (rf"\b({_BEFORE_SUBJECT}) you\b", r"\1 I"),
        (rf"\byou (?={_BEHIND_SUBJECT}\b)", "I "),
        (r"(?<!-)\byou\b", "me"),
    )
)


def wish_of(occasion: str) -> tuple[WishKind, str]:
    """Return what is wanted, in the first person, and what kind of a wish it is.

    Args:
        occasion: What completes "You ask Ada", e.g. `for a present that you could wish for`.
    """
    first, _, rest = occasion.partition(" ")
    kind = _KINDS.get(first, WishKind.QUESTION)
    wish = occasion if kind is WishKind.QUESTION else rest
    for pattern, replacement in _TURNED:
        wish = pattern.sub(replacement, wish)
    return kind, wish
