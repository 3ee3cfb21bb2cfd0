"""What of a conversation could be learned instead of looking: the question, Ada's first thought, what she does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from apep_datagen.core.calls import MalformedCall, ToolCall
from apep_datagen.core.markup import parse_answer
from apep_datagen.core.messages import Message
from apep_datagen.core.words import words
from apep_datagen.stats.mentions import speaks_of_telling

__all__ = ["Traits", "ends_with_question", "first_pair", "traits_of"]

_LOOKS, _ADDS = "recall_", "add_"
# What may stand behind the last mark of a sentence: spaces, quotation marks, brackets, emphasis, emoji.
_BEHIND_THE_END = re.compile(r"[^\w.!?\u2026\u3002\uff01\uff1f\u061f]+\Z")
_QUESTION_MARKS = ("?", "\uff1f", "\u061f")  # also those of Chinese, Japanese and Arabic


def ends_with_question(reply: str) -> bool:
    """Tell whether the last sentence of a reply is a question, whatever quotation marks or emoji stand behind it."""
    return _BEHIND_THE_END.sub("", reply).endswith(_QUESTION_MARKS)


def first_pair(said: list[str]) -> str:
    """Return the first two words of a text; one where there are no more."""
    return " ".join(said[:2])


@dataclass(frozen=True, slots=True)
class Traits:
    """What shows of a conversation before Ada has looked, and whether she looks.

    Attributes:
        message_words: The words of each of the user's messages, one for each exchange.
        first_word: The first word of the message in which the ability comes; empty where it has none.
        first_pair: Its first two words.
        says_told: Whether it speaks of having told something, or of remembering.
        thought_pair: The first two words of Ada's first thought at this message.
        thought_words: All words of that thought.
        looks: Whether she looks into memory or diary at all.
        adds: Whether she adds to one of them.
        looks_first: Whether she looks before she adds for the first time.
    """

    message_words: tuple[int, ...]
    first_word: str
    first_pair: str
    says_told: bool
    thought_pair: str
    thought_words: frozenset[str]
    looks: bool
    adds: bool
    looks_first: bool


@dataclass(slots=True)
class _Exchange:
    """A message of the user's, and Ada's first thought at it."""

    message: str
    thought: str | None = None


@dataclass(slots=True)
class _Use:
    """How Ada has used her tools so far."""

    looks: bool = False
    adds: bool = False
    looks_first: bool = False

    def note(self, calls: Iterable[ToolCall | MalformedCall]) -> None:
        for call in calls:
            if not isinstance(call, ToolCall):
                continue
            if call.name.startswith(_ADDS) and not self.adds:
                self.adds, self.looks_first = True, self.looks
            self.looks |= call.name.startswith(_LOOKS)


@dataclass(slots=True)
class _Reading:
    exchanges: list[_Exchange] = field(default_factory=list)
    use: _Use = field(default_factory=_Use)


def traits_of(messages: Iterable[Message], place: int = 1) -> Traits:
    """Return what of a conversation could be learned instead of looking.

    Args:
        messages: The conversation, as it is in the output.
        place: In which exchange its ability comes, from 1.
    """
    read = _Reading()
    for message in messages:
        if message.role == "user":
            read.exchanges.append(_Exchange(message.content))
        elif message.role == "assistant":
            answer = parse_answer(message.content)
            read.use.note(answer.calls)
            if read.exchanges and read.exchanges[-1].thought is None:
                read.exchanges[-1].thought = answer.thinking
    said = [words(exchange.message) for exchange in read.exchanges]
    index = min(place, len(said)) - 1
    asked = said[index] if said else []
    thought = words(read.exchanges[index].thought or "") if said else []
    return Traits(
        message_words=tuple(map(len, said)),
        first_word=asked[0] if asked else "",
        first_pair=first_pair(asked),
        says_told=bool(said) and speaks_of_telling(read.exchanges[index].message),
        thought_pair=first_pair(thought),
        thought_words=frozenset(thought),
        looks=read.use.looks,
        adds=read.use.adds,
        looks_first=read.use.looks_first,
    )
