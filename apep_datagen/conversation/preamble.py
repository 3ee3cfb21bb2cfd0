"""A line in which a model announces what it was asked to write: "Sure, here is the rewritten thought:"."""

from __future__ import annotations

import re

__all__ = ["announces", "is_announced", "without_preamble"]

# A line that ends in a colon, with an empty line or a quotation behind it.
_COLON = "[:：]"  # noqa: RUF001 - of narrow and of wide scripts
_FIRST_LINE = re.compile(
    rf"\A(?P<line>[^\n]{{1,200}}){_COLON}\**[ \t]*+\n(?:[ \t]*+\n\s*+|(?=[\"“«>]))(?P<rest>\S.*)\Z", re.DOTALL
)
_LONGEST_HEAD = 200
# People announce things too, but of what is theirs. "Here's the thing:", "Message from the landlord:" and "What my mum
# would say:" are a person's; what announces nothing but a text, or speaks of the task, is not.
_FIRST_PERSON = re.compile(r"\b(?:I|me|my|mine|we|us|our)\b", re.IGNORECASE)
_OPENING = re.compile(
    r"\W*(?:(?:sure|certainly|of course|absolutely|okay|ok|alright|got it)\b.*)?\b(?:here(?:.s| is| are)|below is)\b",
    re.IGNORECASE,
)
_TASK = re.compile(
    r"\b(?:rewrit\w+|rephras\w+|reword\w+|(?:the|this) user|(?:might|would|could|may) (?:say|write|send|text)"
    r"|message to ada|next message|inner (?:voice|monologue)|ada.s (?:thoughts?|thinking))\b",
    re.IGNORECASE,
)
_A_TEXT = re.compile(
    r"\b(?:here(?:.s| is| are)|below is)(?: \w+){0,3}"
    r" (?:message|text|reply|response|answer|version|draft|thoughts?|thinking)\W*+\Z",
    re.IGNORECASE,
)


def without_preamble(text: str, *, also_in_doubt: bool = False) -> str:
    """Return a text without a first line that announces it and speaks of the task by which it came about.

    Args:
        text: The text.
        also_in_doubt: Whether one that does either goes as well.
    """
    found = _FIRST_LINE.match(text)
    if found is None or _FIRST_PERSON.search(found["line"]):
        return text
    signs = (_OPENING.match(found["line"]), _TASK.search(found["line"]))
    doubtful = also_in_doubt and (signs[1] or _A_TEXT.search(found["line"]))
    return found["rest"] if all(signs) or doubtful else text


def is_announced(text: str) -> bool:
    """Tell whether the first line of a text announces a text, as hardly anybody does who speaks."""
    found = _FIRST_LINE.match(text)
    if found is None or _FIRST_PERSON.search(found["line"]):
        return False
    return _A_TEXT.search(found["line"]) is not None or without_preamble(text) != text


def announces(text: str) -> bool:
    """Tell whether a text begins with words up to a colon that announce a text or speak of the task."""
    head, colon, _ = text[:_LONGEST_HEAD].partition(":")
    if not colon or "\n" in head.strip() or _FIRST_PERSON.search(head):
        return False
    return (_TASK.search(head) or _A_TEXT.search(head)) is not None
