"""Where phrases stand in a text, so that what stands around them can be looked at and the words be quoted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from apep_datagen.core.words import ISO_DAY, days_in_words, holds, words

__all__ = ["Span", "first_span", "spans_of"]

_TOKEN = re.compile(ISO_DAY.pattern + r"|[^\W_]+(?:['’‛＇`´ʻʼ][^\W_]+)*")  # noqa: RUF001 - apostrophes of all kinds
_STRAIGHT = re.compile(r'"')
_CLAUSE_END = re.compile(r"[,;:!?…()\"“”—]|\.(?=\s|\.|$)|\s[-–]\s|\n")  # noqa: RUF001 - as typeset


@dataclass(frozen=True, slots=True)
class Span:
    """Words of a text that are a phrase.

    Attributes:
        phrase: As it is looked for.
        quote: As it stands in the text.
        before: What stands before it.
        after: What stands behind it.
    """

    phrase: str
    quote: str
    before: str
    after: str

    @property
    def rest_of_clause(self) -> str:
        """What stands behind it up to the next comma, colon, dash or end of a sentence."""
        end = _CLAUSE_END.search(self.after)
        return self.after[: end.start()] if end else self.after

    @property
    def begin_of_clause(self) -> str:
        """What stands before it, from the last comma, colon, dash or end of a sentence."""
        ends = [match.end() for match in _CLAUSE_END.finditer(self.before)]
        return self.before[ends[-1] :] if ends else self.before

    @property
    def text_before_clause(self) -> str:
        """The text before the clause that holds it."""
        return self.before[: len(self.before) - len(self.begin_of_clause)]

    @property
    def text_after_clause(self) -> str:
        """The text behind the clause that holds it."""
        return self.after[len(self.rest_of_clause) :]

    @property
    def text_around_clause(self) -> str:
        """The text without the clause that holds it."""
        return f"{self.text_before_clause} … {self.text_after_clause}"

    @property
    def is_quoted(self) -> bool:
        """Whether a quotation has begun before it that has not ended."""
        return len(_STRAIGHT.findall(self.before)) % 2 == 1 or any(
            self.before.count(opening) > self.before.count(closing) for opening, closing in ("“”", "«»", "„“")
        )

    def within(self, before: str, after: str) -> Span:
        """Return the same words with more text around them."""
        return replace(self, before=before + self.before, after=self.after + after)


def spans_of(text: str, phrases: Iterable[str]) -> list[Span]:
    """Return where phrases stand in a text, in the order of the phrases, each where it stands first."""
    held = [phrase for phrase in phrases if holds(text, (phrase,))]
    if not held:
        return []
    tokens = [
        (word, match.start(), match.end()) for match in _TOKEN.finditer(text) for word in words(days_in_words(match[0]))
    ]
    said = [word for word, _, _ in tokens]
    found = []
    for phrase in held:
        wanted = words(days_in_words(phrase))
        at = next((i for i in range(len(said)) if said[i : i + len(wanted)] == wanted), None)
        if at is not None:
            start, end = tokens[at][1], tokens[at + len(wanted) - 1][2]
            found.append(Span(phrase, text[start:end], text[:start], text[end:]))
        else:  # a possessive at its end, or a script whose words are told otherwise
            found.append(Span(phrase, "", text, ""))
    return found


def first_span(text: str, phrases: tuple[str, ...]) -> Span | None:
    """Return where the first phrase that a text holds stands in it, or None."""
    return next(iter(spans_of(text, phrases)), None) if holds(text, phrases) else None
