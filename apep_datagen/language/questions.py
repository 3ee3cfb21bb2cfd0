"""Whether a sentence asks, or tells and has a question at its end: "It's on Monday, isn't it?" tells."""

from __future__ import annotations

import re

__all__ = ["is_question", "leaves_open"]

# "…, isn't it?", "…, doesn't she?", "…, right?".
_TAG = re.compile(
    r",\s*(?:(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)n['’]?t\s+"  # noqa: RUF001 - as typeset
    r"(?:it|that|there|he|she|they|we|you|i)|(?:is|was)\s+(?:it|that|he|she)\s+not|right|correct|yes|no)\W*\Z",
    re.IGNORECASE,
)


def is_question(sentence: str) -> bool:
    """Tell whether a sentence ends with a question mark."""
    return sentence.rstrip(" )*_\"”'").endswith("?")


def leaves_open(sentence: str) -> bool:
    """Tell whether a sentence asks, and does not tell what it only has confirmed: "It's on Monday, isn't it?"."""
    return is_question(sentence) and _TAG.search(sentence) is None
