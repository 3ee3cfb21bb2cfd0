"""The words by which a conversation is compared with others: what was said and thought in it, without what is quoted.

What a reply tells of a note or a diary page is the page's: two replies that read the same page aloud are not the same.
So they are compared by what is left, whatever stands in the notes that the conversation itself has seen or written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from apep_datagen.core.calls import ToolCall, texts_in
from apep_datagen.core.markup import parse_answer, read_results
from apep_datagen.core.messages import Message
from apep_datagen.core.words import OPENING_WORDS
from apep_datagen.language.quotation import OwnWords, own_words

__all__ = ["Wording", "notes_in", "wording_of"]


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of a conversation. Of several exchanges, questions and replies are joined.

    Attributes:
        question: What the user said.
        reply: What Ada replied, in words of her own.
        first_thoughts: Ada's thoughts at what the user said, one for each exchange.
        later_thoughts: Those that follow results.
        later_questions: How the user's messages begin after the first, as `OwnWords.opening` has it; without those of
            fewer words than an opening has, as many say "Yes, please."
        later_replies: How Ada's replies after the first begin, in the same way.
    """

    question: OwnWords
    reply: OwnWords
    first_thoughts: tuple[str, ...] = ()
    later_thoughts: tuple[str, ...] = ()
    later_questions: tuple[str, ...] = ()
    later_replies: tuple[str, ...] = ()

    @property
    def thoughts(self) -> tuple[str, ...]:
        """All thoughts."""
        return self.first_thoughts + self.later_thoughts


def wording_of(messages: Iterable[Message]) -> Wording:
    """Return the words of a sample that can be read."""
    return _wording_of(tuple(messages))


# What is accepted has just been judged: its words are asked for twice.
@lru_cache(maxsize=2)
def _wording_of(messages: Sequence[Message]) -> Wording:
    questions: list[str] = []
    replies: list[list[str]] = [[]]
    first: list[str] = []
    later: list[str] = []
    notes: list[str] = []
    thoughts = first
    for message in messages:
        if message.role == "user":
            questions.append(message.content)
            replies.append([])
            thoughts = first
        elif message.role == "assistant":
            thinking, _, rest = message.content.partition("</think>")
            thoughts.append(thinking.removeprefix("<think>"))
            replies[-1].append(rest.partition("<tool_call>")[0].strip())
        elif message.role == "tool":
            thoughts = later
        notes += notes_in(message)
    # What stands before the first message, if anything does, answers nothing.
    said = ["\n\n".join(filter(None, parts)) for parts in replies]
    return Wording(
        own_words("\n\n".join(questions)),
        own_words("\n\n".join(filter(None, said)), notes),
        tuple(first),
        tuple(later),
        tuple(_openings(questions[1:], ())),
        tuple(_openings(said[2:], notes)),
    )


def _openings(texts: Iterable[str], notes: Sequence[str]) -> Iterator[str]:
    for text in texts:
        begins = own_words(text, notes).opening
        if len(begins.split()) == OPENING_WORDS:
            yield begins


def notes_in(message: Message) -> Iterator[str]:
    """Yield the texts that a message holds of memory and diary: those in results, and those that calls write."""
    if message.role == "tool":
        for result, _ in read_results(message.content):
            yield from texts_in(result)
    elif message.role == "assistant" and "<tool_call>" in message.content:
        for call in parse_answer(message.content).calls:
            if isinstance(call, ToolCall):
                yield from texts_in(call.arguments)
